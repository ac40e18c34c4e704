//! What must not pass? Secrets and personal data over the wire, in both directions, whole and in pieces.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::kit::upstream::{answer, chunk, chunked, json as reply, plain};
use super::kit::values::{chat, mail, record, token, upload};
use super::kit::{Answer, Ask, Gate, Step, eventually, house};

const CHAT: &str = "/v1/chat/completions";
/// What takes a token's place.
const HIDDEN: &str = "[GITHUB_PAT]";

/// No eight characters of a secret stand anywhere.
fn silent_about(secret: &str, text: &str) {
    for at in 4..secret.len() - 8 {
        assert!(!text.contains(&secret[at..at + 8]), "{:?} stands in {text}", &secret[at..at + 8]);
    }
}

/// The content of a chat's deltas, put together.
fn said(events: &Answer) -> String {
    let text = events.text();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    let deltas = data.map(|data| serde_json::from_str::<Value>(data).unwrap_or_else(|_| panic!("{data}")));
    deltas.filter_map(|delta| Some(delta["choices"][0]["delta"]["content"].as_str()?.to_owned())).collect()
}

fn delta(content: &str) -> String {
    let delta = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": content}}]});
    format!("data: {delta}\n\n")
}

/// P3, S6: secrets in requests and in answers are replaced, over both protocols, whatever they are escaped as.
#[test]
fn p3_secrets_in_requests_and_answers_are_replaced() {
    let (up, down) = (token(1), token(2));
    let leaked = down.clone();
    let lane = house().lane(move |_| {
        reply(200, &json!({"id": "chatcmpl-1", "choices": [{"message": {"content": format!("use {leaked}!")}}], "x": {"deep": [leaked]}}))
    });
    let caller = lane.as_(house().granted());
    let escaped = format!("\\u{:04x}{}", u32::from(up.as_bytes()[0]), &up[1..]);
    let spelled = chat("why does SECRET fail?").to_string().replace("SECRET", &escaped);
    for body in [chat(&format!("why does {up} fail?")).to_string(), spelled] {
        let ask = Ask::new("POST", CHAT).typed("application/json", body);
        for back in [caller.ask(&ask).ok(), caller.ask_h2(&ask).ok()] {
            silent_about(&down, &back.text());
            assert_eq!(back.text().matches(HIDDEN).count(), 2, "{back}");
            assert_eq!(back.at("/choices/0/message/content"), format!("use {HIDDEN}!"));
        }
        let came = lane.upstream.arrived().pop().unwrap();
        silent_about(&up, &came.text());
        assert_eq!(came.value()["messages"][0]["content"], format!("why does {HIDDEN} fail?"));
        assert_eq!(came.header("content-length"), Some(came.length.to_string().as_str()));
    }
    let found = |direction| {
        caller
            .gateway
            .metric("consentry_censored_values_total", &[("entity", "GITHUB_PAT"), ("direction", direction)])
    };
    assert!(found("request") >= 4.0 && found("response") >= 8.0);
}

/// What holds nothing is passed on byte for byte, in spellings that a rewrite would not give back.
#[test]
fn clean_bodies_pass_byte_for_byte() {
    let odd = r#" { "model" : "gpt-4o-mini",
        "messages":[ {"content":"caf\u00e9 \"na\u00efve\" \/ ✓ 😀","role":"user"} ] , "n":1.0E+0 , "x":[[],{},-0,1e-7] } "#;
    let lane =
        house().lane(move |_| vec![Step::Send(answer(200, &[("content-type", "application/json")], odd))]);
    let caller = lane.as_(house().granted());
    let back = caller.ask(&Ask::new("POST", CHAT).typed("application/json", odd)).ok();
    assert_eq!((back.text().as_str(), lane.upstream.one().text().as_str()), (odd, odd));
}

/// Invariant 1 over the wire: a token over three deltas, at every pair of cuts.
#[test]
fn s6_a_secret_over_three_events_at_every_pair_of_cuts() {
    let secret = token(3);
    let length = secret.len();
    let pairs: Vec<(usize, usize)> =
        (0..=length).flat_map(|one| (one..=length).map(move |two| (one, two))).collect();
    let (cuts, text, turn) = (pairs.clone(), secret, AtomicUsize::new(0));
    let lane = house().lane(move |_| {
        let (one, two) = cuts[turn.fetch_add(1, Ordering::SeqCst)];
        let mut steps = vec![Step::Send(chunked(200, "text/event-stream"))];
        for piece in ["use ", &text[..one], &text[one..two], &text[two..], " now"] {
            steps.push(Step::Send(chunk(delta(piece).as_bytes())));
        }
        steps.push(Step::Send(chunk(b"data: [DONE]\n\n")));
        steps.push(Step::Send(chunk(b"")));
        steps
    });
    let caller = lane.as_(house().granted());
    let mut body = chat("x");
    body["stream"] = json!(true);
    let bytes = caller.signed(&Ask::json(CHAT, &body)).bytes();
    let mut conn = caller.gateway.open();
    for pair in pairs {
        conn.write(&bytes);
        let back = conn.answer().ok();
        assert_eq!(said(&back), format!("use {HIDDEN} now"), "{pair:?}: {back}");
        assert!(back.text().ends_with("data: [DONE]\n\n"), "{back}");
    }
}

/// The same stream, cut into TLS records and chunks at every byte, whatever stands there.
#[test]
fn a_stream_cut_at_every_byte_gives_the_same() {
    let secret = token(4);
    let middle = secret.len() / 2;
    let whole = [
        delta("héllo "),
        delta(&secret[..middle]),
        delta(&secret[middle..]),
        delta(" ✓"),
        "data: [DONE]\n\n".into(),
    ]
    .concat();
    let many = whole.len();
    let (bytes, turn) = (whole.into_bytes(), AtomicUsize::new(1));
    let lane = house().lane(move |_| {
        let cut = turn.fetch_add(1, Ordering::SeqCst);
        let mut steps = vec![Step::Send(chunked(200, "text/event-stream"))];
        for piece in [&bytes[..cut], &bytes[cut..]] {
            steps.push(Step::Send(chunk(piece)));
        }
        steps.push(Step::Send(chunk(b"")));
        steps
    });
    let caller = lane.as_(house().granted());
    let mut body = chat("x");
    body["stream"] = json!(true);
    let request = caller.signed(&Ask::json(CHAT, &body)).bytes();
    let mut conn = caller.gateway.open();
    for cut in 1..many {
        conn.write(&request);
        let back = conn.answer().ok();
        assert_eq!(said(&back), format!("héllo {HIDDEN} ✓"), "cut at {cut}: {back}");
    }
}

#[test]
fn coded_answers_are_read_and_passed_on_plain() {
    let secret = token(5);
    let body =
        json!({"id": "x", "choices": [{"message": {"content": format!("use {secret} now")}}]}).to_string();
    let zipped = |text: &str| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap()
    };
    let events = [delta("use "), delta(&secret), delta(" now")].concat();
    let (json_body, event_body) = (zipped(&body), zipped(&events));
    let lane = house().lane(move |up| {
        let stream = up.text().contains("\"stream\":true");
        let (kind, body) =
            if stream { ("text/event-stream", &event_body) } else { ("application/json", &json_body) };
        vec![Step::Send(answer(200, &[("content-type", kind), ("content-encoding", "gzip")], body))]
    });
    let caller = lane.as_(house().granted());
    let plain = caller.ask(&Ask::json(CHAT, &chat("x")).header("accept-encoding", "gzip, br")).ok();
    assert_eq!(plain.at("/choices/0/message/content"), format!("use {HIDDEN} now"));
    let mut body = chat("x");
    body["stream"] = json!(true);
    let streamed = caller.post(CHAT, &body).ok();
    assert_eq!(said(&streamed), format!("use {HIDDEN} now"));
    for back in [plain, streamed] {
        assert_eq!(back.header("content-encoding"), None);
    }
    assert!(lane.upstream.arrived().iter().all(|up| up.header("accept-encoding") == Some("identity")));
}

/// Ranges, digests and validators speak of bytes that may have been changed.
#[test]
fn ranges_digests_and_validators_pass_in_neither_direction() {
    let secret = token(6);
    let text = format!("{{\"id\":\"x\",\"a\":\"{secret}\"}}");
    let names = [
        "etag",
        "content-md5",
        "digest",
        "content-digest",
        "repr-digest",
        "accept-ranges",
        "content-range",
        "signature",
        "signature-input",
        "want-content-digest",
    ];
    let lane = house().lane(move |_| {
        let mut headers =
            vec![("content-type", "application/json"), ("last-modified", "Sun, 22 Nov 2026 00:00:00 GMT")];
        headers.extend(names.iter().map(|name| (*name, "\"of the bytes\"")));
        vec![Step::Send(answer(200, &headers, &text))]
    });
    let caller = lane.as_(house().granted());
    let mut ask = Ask::json(CHAT, &chat(&format!("x {secret}")));
    let asking = ["range", "if-range", "if-match", "if-none-match"];
    for name in asking.iter().chain(&names) {
        ask = ask.header(name, "bytes=0-9");
    }
    for back in [caller.ask(&ask).ok(), caller.ask_h2(&ask).ok()] {
        assert!(names.iter().all(|name| back.header(name).is_none()), "{back}");
        assert_eq!(back.header("content-length"), Some(back.body.len().to_string().as_str()));
        assert!(back.header("last-modified").is_some());
        silent_about(&secret, &back.text());
    }
    for up in lane.upstream.arrived() {
        assert!(asking.iter().chain(&names).all(|name| up.header(name).is_none()), "{up:?}");
        assert_eq!(up.header("content-length"), Some(up.length.to_string().as_str()));
        silent_about(&secret, &up.text());
    }
}

/// The upstream's own errors pass in the API's shape, without what they tell.
#[test]
fn errors_of_the_upstream_are_censored_and_its_401_is_not_the_callers() {
    let secret = token(7);
    let told =
        json!({"error": {"message": format!("bad key {secret}"), "type": "x", "param": null, "code": "c"}});
    let html = format!("<html>{secret}</html>");
    let answers = vec![
        (400, "application/json", told.to_string()),
        (403, "application/json", told.to_string()),
        (500, "application/json", told.to_string()),
        (429, "application/problem+json", told.to_string()),
        (500, "text/html", html.clone()),
        (503, "text/plain", secret.clone()),
        (400, "application/json", format!("{{\"error\": {secret}")),
        (502, "application/json", html),
    ];
    let (all, turn) = (answers.clone(), AtomicUsize::new(0));
    let lane = house().lane(move |_| {
        let (status, kind, body) = &all[turn.fetch_add(1, Ordering::SeqCst)];
        vec![Step::Send(answer(*status, &[("content-type", kind), ("retry-after", "7")], body))]
    });
    let caller = lane.as_(house().granted());
    for (status, kind, body) in answers {
        let back = caller.post(CHAT, &chat("x"));
        assert_eq!(back.status, status, "{back}");
        silent_about(&secret, &back.text());
        assert!(back.value()["error"]["message"].is_string(), "{kind} {body}: {back}");
        assert_eq!(back.header("retry-after"), Some("7"));
        if matches!(status, 403 | 429) {
            // With these the upstream speaks of the account: the status passes, with the gateway's words.
            assert!(!back.text().contains("bad key"), "{back}");
        } else if body.starts_with("{\"error\":{") {
            assert_eq!(back.at("/error/message"), format!("bad key {HIDDEN}"));
        }
    }
    for status in [401, 407] {
        let lane = house().lane(move |_| {
            let headers =
                [("content-type", "application/json"), ("www-authenticate", "Bearer realm=upstream")];
            vec![Step::Send(answer(status, &headers, "{\"error\":{\"message\":\"Incorrect API key\"}}"))]
        });
        let back = lane.as_(house().granted()).post(CHAT, &chat("x")).refused(Reason::UpstreamUnexpected);
        assert!(!back.text().contains("Incorrect") && back.header("www-authenticate").is_none(), "{back}");
    }
}

/// Nothing that was held back gets out when the upstream breaks off.
#[test]
fn what_is_held_back_stays_when_the_upstream_breaks_off() {
    let secret = token(8);
    let half = secret[..secret.len() - 6].to_owned();
    let long = "clean ".repeat(100_000);
    let begun = format!("{{\"id\":\"x\",\"a\":\"{long}\",\"b\":\"use {half}");
    let (stream, document) = (half, begun.clone());
    let lane = house().lane(move |up| {
        let steps = if up.text().contains("\"stream\":true") {
            vec![
                Step::Send(chunked(200, "text/event-stream")),
                Step::Send(chunk(delta("use ").as_bytes())),
                Step::Send(chunk(delta(&stream).as_bytes())),
            ]
        } else {
            vec![Step::Send(chunked(200, "application/json")), Step::Send(chunk(document.as_bytes()))]
        };
        steps.into_iter().chain([Step::Cut]).collect()
    });
    let tenant = house().granted();
    let caller = lane.as_(tenant);
    let mut body = chat("x");
    body["stream"] = json!(true);
    for back in [caller.post(CHAT, &body), caller.ask_h2(&Ask::json(CHAT, &body))] {
        // The API's error event ends the stream, which is whole as such.
        assert!(back.status == 200 && back.whole, "{back}");
        silent_about(&secret, &back.text());
        let text = back.text();
        let deltas = text.split("\"content\":\"").skip(1).filter_map(|rest| rest.split('"').next());
        assert!(deltas.collect::<String>().starts_with("use") && text.contains("upstream_broke"), "{back}");
        assert!(!back.text().contains("[DONE]"));
    }
    // An answer that brings nothing into being is passed on while it comes.
    let plain = Ask::json("/v1/moderations", &json!({"input": "x"}));
    for back in [caller.ask(&plain), caller.ask_h2(&plain)] {
        assert!(back.status == 200 && !back.whole, "{} {}", back.status, back.whole);
        silent_about(&secret, &back.text());
        assert!(begun.starts_with(&back.text()), "something else came");
    }
    eventually(|| caller.gateway.blocked(&tenant.name, Reason::UpstreamBroke) > 3.5);
    caller.gateway.recorded(&format!("\"tenant\":\"{}\"", tenant.name)).iter().for_each(|entry| {
        silent_about(&secret, &entry.to_string());
    });
}

/// A caller that goes away ends its call upstream, and gives its place back.
#[test]
fn a_caller_that_goes_away_ends_the_call_upstream_and_gives_its_place_back() {
    let left = Gate::default();
    let gone = left.clone();
    let lane = house().lane(move |up| match up.text().contains("\"stream\":true") {
        false => plain(up),
        true => vec![
            Step::Send(chunked(200, "text/event-stream")),
            Step::Send(chunk(delta("first, and ").as_bytes())),
            Step::Gone(gone.clone()),
        ],
    });
    // It may have one request at a time.
    let caller = lane.as_(&house().single);
    let mut body = chat("x");
    body["stream"] = json!(true);
    let mut conn = caller.gateway.open();
    conn.write(&caller.signed(&Ask::json(CHAT, &body)).bytes());
    assert_eq!(conn.head().unwrap().status, 200);
    let first = conn.chunk().unwrap();
    assert!(String::from_utf8_lossy(&first).contains("first"));
    caller.post(CHAT, &chat("x")).refused(Reason::TenantOverLimit);
    conn.cut();
    left.wait();
    eventually(|| caller.post(CHAT, &chat("x")).status == 200);
    eventually(|| {
        let labels = [("tenant", "single"), ("decision", "forward")];
        caller.gateway.metric("consentry_requests_total", &labels) >= 2.0
    });
}

/// O5, P4: names go up as pseudonyms and come back as themselves, in documents and in streams.
#[test]
fn pseudonyms_go_up_and_names_come_back() {
    let lane = house().lane(|up| {
        if !up.text().contains("\"stream\":true") {
            return plain(up);
        }
        let content = up.value()["messages"][0]["content"].as_str().unwrap().to_owned();
        let mut steps = vec![Step::Send(chunked(200, "text/event-stream"))];
        steps.extend(
            content
                .as_bytes()
                .chunks(3)
                .map(|piece| Step::Send(chunk(delta(std::str::from_utf8(piece).unwrap()).as_bytes()))),
        );
        steps.push(Step::Send(chunk(b"")));
        steps
    });
    let caller = lane.as_(house().granted());
    let (jane, john) = (mail("jane.roe"), mail("john.doe"));
    let text = format!("write to {jane}, then to {john}, then to {jane}");
    let back = caller.post(CHAT, &chat(&text)).ok();
    assert_eq!(back.at("/choices/0/message/content"), text);
    let mut body = chat(&text);
    body["stream"] = json!(true);
    assert_eq!(said(&caller.post(CHAT, &body).ok()), text);
    for up in lane.upstream.arrived() {
        assert!(!up.text().contains("jane.roe") && !up.text().contains("john.doe"), "{}", up.text());
    }
    // Another tenant's name for the same is another.
    lane.as_(house().granted()).post(CHAT, &chat(&text)).ok();
    let arrived = lane.upstream.arrived();
    assert_ne!(arrived[0].text(), arrived[2].text());
}

#[test]
fn what_a_tenant_blocks_passes_in_neither_direction() {
    let mail = mail("jane.roe");
    let leaked = mail.clone();
    let lane = house().lane(move |up| match up.text().contains("leak") {
        true => reply(200, &json!({"id": "x", "choices": [{"message": {"content": leaked}}]})),
        false => plain(up),
    });
    let caller = lane.as_(&house().blocking);
    caller.post(CHAT, &chat(&format!("write to {mail}"))).refused(Reason::ContentBlocked);
    assert!(lane.upstream.arrived().is_empty());
    let back = caller.post(CHAT, &chat("leak")).refused(Reason::UpstreamContentBlocked);
    assert!(!back.text().contains(&mail));
    caller.post(CHAT, &chat("clean")).ok();
}

/// S6: what training code prints, and what a model gives away.
#[test]
fn s6_job_logs_and_models_tell_no_secrets() {
    let caller = house().as_(house().granted());
    let leaks = house().sandbox.ask(&Ask::get("/__sandbox/leaks")).value();
    let mut body = chat("hello");
    body["model"] = json!("sandbox-leaky");
    let whole = caller.post(CHAT, &body).ok().text();
    body["stream"] = json!(true);
    let streamed = said(&caller.post(CHAT, &body).ok());
    for secret in leaks["values"].as_array().unwrap() {
        silent_about(secret.as_str().unwrap(), &whole);
        silent_about(secret.as_str().unwrap(), &streamed);
    }
    let records = record("hello").repeat(12);
    let file = caller.ask(&upload("fine-tune", "train.jsonl", &records)).id();
    let job =
        caller.post("/v1/fine_tuning/jobs", &json!({"model": "gpt-4o-mini", "training_file": file})).id();
    for _ in 0..10 {
        caller.get(&format!("/v1/fine_tuning/jobs/{job}")).ok();
    }
    let events = format!("/v1/fine_tuning/jobs/{job}/events?limit=100");
    let (seen, told) = (caller.get(&events).ok().text(), house().sandbox.ask(&Ask::get(&events)).text());
    let key = ["T3Blb", "kFJ"].concat();
    assert!(told.contains(&key) && !seen.contains(&key), "{seen}");
}

/// Secrets in files are gone, and every clean record is as it was.
#[test]
fn p3_secrets_in_files_are_replaced_and_clean_records_are_not_touched() {
    let lane =
        house().lane(|_| reply(200, &json!({"id": "file-made", "object": "file", "purpose": "fine-tune"})));
    let caller = lane.as_(house().granted());
    let secret = token(9);
    let clean =
        b"{ \"n\" : 1.0E+2 , \"messages\" : [ {\"role\":\"user\",\"content\":\"caf\\u00e9 \\/\"} ] }\n";
    let mut file = Vec::new();
    for n in 0..200 {
        file.extend_from_slice(clean);
        if n % 10 == 0 {
            file.extend(record(&format!("my token is {secret}")));
        }
    }
    caller.ask(&upload("fine-tune", "x.jsonl", &file)).ok();
    let text = lane.upstream.one().text();
    silent_about(&secret, &text);
    assert_eq!(text.matches(std::str::from_utf8(clean).unwrap()).count(), 200);
    assert_eq!(text.matches(HIDDEN).count(), 20);
}
