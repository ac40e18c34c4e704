//! What one tenant may take of what all share: memory, the spool, an operation's own limit. And an upload that survives the
//! failure of its completion.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::kit::gateway::GRANTED;
use super::kit::house;
use super::kit::own::Own;
use super::kit::upstream::{json as reply, plain};
use super::kit::values::{FORM, chat, form, record, token, upload};
use super::kit::{Ask, Caller};

fn open(caller: &Caller<'_>, bytes: u64) -> String {
    let body =
        json!({"purpose": "user_data", "filename": "x.txt", "bytes": bytes, "mime_type": "text/plain"});
    caller.post("/v1/uploads", &body).id()
}

fn part(upload: &str, bytes: &[u8]) -> Ask {
    Ask::new("POST", format!("/v1/uploads/{upload}/parts")).typed(FORM, form(&[("data", Some("d"), bytes)]))
}

/// Each part stayed in memory below a threshold of its own; 800 of them took 333 MiB.
#[test]
fn parts_that_wait_take_no_memory_and_no_descriptors() {
    let running = Own::new().start(plain);
    let caller = running.acme();
    let upload = open(&caller, 1 << 30);
    let bytes = vec![b'x'; 255 * 1024];
    // The allocator's arenas fill first; what is left is noise of up to 20 MiB, and a part that stays is 125.
    for _ in 0..100 {
        caller.ask(&part(&upload, &bytes)).ok();
    }
    let process = &running.gateway.process;
    let files = || std::fs::read_dir(format!("/proc/{}/fd", process.pid)).unwrap().count();
    let before = (process.memory("VmRSS"), files());
    for _ in 0..300 {
        caller.ask(&part(&upload, &bytes)).ok();
    }
    let grown = process.memory("VmRSS").saturating_sub(before.0);
    assert!(grown < 40 * 1024, "{grown} KiB for 75 MiB of parts");
    assert!(files() <= before.1 + 4, "{} descriptors and {} before", files(), before.1);
    caller.post(&format!("/v1/uploads/{upload}/cancel"), &json!({})).ok();
    assert!(running.gateway.metric("consentry_spool_bytes", &[]) < 1.0);
}

/// One tenant's uploads took the whole spool, and everybody's longer bodies were refused.
#[test]
fn a_tenants_uploads_leave_the_others_their_room() {
    let mut own = Own::new();
    own.setup.more = "state: {spool: 4MiB}\n".to_owned();
    let running = own.start(plain);
    let upload = open(&running.acme(), 1 << 30);
    let bytes = vec![b'x'; 500 * 1024];
    for _ in 0..4 {
        running.acme().ask(&part(&upload, &bytes)).ok();
    }
    running.acme().ask(&part(&upload, &bytes)).refused(Reason::TenantOverLimit);
    let file = record("long enough").repeat(8_000);
    let late = form(&[("file", Some("x.jsonl"), &file), ("purpose", None, b"user_data")]);
    running.globex().ask(&Ask::new("POST", "/v1/files").typed(FORM, late)).ok();
}

/// An upload was gone when its completion failed: the SDK's own retry met a 404.
#[test]
fn a_completion_that_failed_may_be_asked_for_again() {
    for fails_at in ["/v1/uploads ", "/parts ", "/complete "] {
        let tries = AtomicUsize::new(0);
        let running = Own::new().start(move |up| {
            if up.line.contains(fails_at) {
                match tries.fetch_add(1, Ordering::SeqCst) {
                    0 => return reply(503, &json!({"error": {"message": "busy"}})),
                    1 => return reply(429, &json!({"error": {"message": "slowly"}})),
                    _ => {}
                }
            }
            let file = json!({"id": "file-joined", "object": "file"});
            reply(200, &json!({"id": "up-there", "object": "upload", "file": file}))
        });
        let caller = running.acme();
        let text = format!("a {} b", token(3));
        let upload = open(&caller, text.len() as u64);
        let part = caller.ask(&part(&upload, text.as_bytes())).id();
        let complete = |order: Value| caller.post(&format!("/v1/uploads/{upload}/complete"), &order);
        for code in ["upstream_broke", "upstream_limited"] {
            let answer = complete(json!({"part_ids": [part]}));
            assert_eq!(answer.at("/error/code"), code);
            assert!(answer.header("retry-after").is_some() && answer.header("x-should-retry").is_none());
        }
        complete(json!({"part_ids": [part, part]})).refused(Reason::ResourceUnknown);
        let file = complete(json!({"part_ids": [part]})).ok().at("/file/id");
        caller.get(&format!("/v1/files/{file}")).ok();
        running.globex().get(&format!("/v1/files/{file}")).refused(Reason::ResourceUnknown);
        complete(json!({"part_ids": [part]})).refused(Reason::ResourceUnknown);
        let arrived = running.upstream.arrived();
        assert!(!arrived.iter().any(|up| up.text().contains(&token(3))), "{fails_at}");
        let failed = arrived.iter().filter(|up| up.line.contains("/cancel")).count();
        assert_eq!(failed, if fails_at == "/v1/uploads " { 0 } else { 2 }, "what was begun is ended");
    }
}

/// A line of 14 MiB took a gigabyte, for a tree that was made to read two words.
#[test]
fn a_long_line_of_a_batch_takes_no_tree() {
    let file = json!({"id": "file-batch", "object": "file", "purpose": "batch"});
    let running = Own::new()
        .start(move |up| if up.line.starts_with("POST /v1/files") { reply(200, &file) } else { plain(up) });
    let caller = running.acme();
    let line = |items: usize| {
        let items = "[],".repeat(items);
        let body = format!(r#"{{"model":"m","input":[{items}[]]}}"#);
        format!(r#"{{"custom_id":"1","method":"POST","url":"/v1/embeddings","body":{body}}}"#)
    };
    caller.ask(&upload("batch", "b.jsonl", line(10).as_bytes())).ok();
    let before = running.gateway.process.memory("VmHWM");
    caller.ask(&upload("batch", "b.jsonl", line(4_800_000).as_bytes())).ok();
    let grown = running.gateway.process.memory("VmHWM") - before;
    assert!(grown < 100 * 1024, "{grown} KiB");
}

/// A compressed call could decode to as much as an upload may have.
#[test]
fn a_coded_call_keeps_to_the_limit_of_calls() {
    let mut own = Own::new();
    own.setup.more = "limits: {call_body: 64KiB}\n".to_owned();
    let running = own.start(plain);
    let ask = |length: usize| {
        let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        coder.write_all(chat(&"words and ".repeat(length / 10)).to_string().as_bytes()).unwrap();
        let body = coder.finish().unwrap();
        assert!(body.len() < 10_000);
        Ask::new("POST", "/v1/chat/completions")
            .typed("application/json", body)
            .header("content-encoding", "gzip")
    };
    running.acme().ask(&ask(60_000)).ok();
    running.acme().ask(&ask(70_000)).refused(Reason::CodingBomb);
    assert_eq!(running.upstream.arrived().len(), 1);
}

/// A form's `user` went up in clear although the profile hashes it.
#[test]
fn who_uses_it_is_hashed_in_forms_as_well() {
    let own = Own::new();
    let named = own.setup.tenant("initech", &format!("opaque: [createImageEdit]\n{GRANTED}"));
    let running = own.start(|_| reply(200, &json!({"created": 1, "data": []})));
    let picture: Vec<u8> = b"\x89PNG\r\n\x1a\n".iter().copied().chain(0..=255).collect();
    let fields = |user: &[u8]| {
        form(&[
            ("image", Some("a.png"), &picture),
            ("prompt", None, b"x"),
            ("user", None, user),
            ("model", None, b"m"),
        ])
    };
    let ask = Ask::new("POST", "/v1/images/edits").typed(FORM, fields(b"employee-4711"));
    running.gateway.as_(&named).ask(&ask).ok();
    let arrived = running.upstream.one();
    assert!(
        arrived.text().contains("name=\"user\"") && !arrived.text().contains("4711"),
        "{}",
        arrived.text()
    );
    assert_eq!(arrived.body.len(), fields(&[b'0'; 32]).len());
    assert!(arrived.body.windows(picture.len()).any(|window| window == picture));
}

/// Neither an empty reason to finish nor a name that no profile knows takes a text apart.
#[test]
fn a_secret_in_two_events_that_no_channel_names() {
    let secret = token(5);
    for cut in [1, 9, secret.len() - 1] {
        let halves = [secret[..cut].to_owned(), secret[cut..].to_owned()];
        let shapes: [fn(&str) -> Value; 5] = [
            |text| json!({"index": 0, "finish_reason": "", "delta": {"content": text}}),
            |text| json!({"delta": {"content": text}}),
            |text| json!({"index": 0, "delta": {"thinking": text}}),
            |text| json!({"index": 0, "delta": {"reasoning_details": [{"index": 0, "text": text}]}}),
            |text| json!({"index": 0, "delta": {"content": [{"type": "text", "text": text}]}}),
        ];
        for shape in shapes {
            let events: String = halves
                .iter()
                .map(|half| json!({"id": "c", "object": "chat.completion.chunk", "choices": [shape(half)]}))
                .map(|event| format!("data: {event}\n\n"))
                .collect();
            let lane = house().lane(move |_| {
                let head = [("content-type", "text/event-stream")];
                let body = format!("{events}data: [DONE]\n\n");
                vec![super::kit::Step::Send(super::kit::upstream::answer(200, &head, body))]
            });
            let mut body = chat("x");
            body["stream"] = json!(true);
            let back = lane.as_(house().granted()).post("/v1/chat/completions", &body).ok().text();
            assert!(!back.contains(&secret[cut..]), "{cut}: {back}");
        }
    }
}
