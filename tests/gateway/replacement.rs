//! What becomes of what is found: by operation, in the same format, as names that come back; and not at all in a dry run.

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::kit::own::{Own, Running};
use super::kit::upstream::{chunk, chunked, json as reply, plain};
use super::kit::values::{chat, mail, record, token, upload};
use super::kit::{Arrived, Ask, Caller, Step, Tenant, eventually};

const CHAT: &str = "/v1/chat/completions";
const CARD: &str = "4111 1111 1111 1111";

/// A gateway whose tenants `acme` and `globex` are censored as their files say.
fn started(
    acme: &str,
    globex: &str,
    script: impl Fn(&Arrived) -> Vec<Step> + Send + Sync + 'static,
) -> Running {
    let mut own = Own::new();
    own.acme = own.setup.tenant("acme", acme);
    own.globex = own.setup.tenant("globex", globex);
    own.start(script)
}

/// Says the last message back, in a stream of pieces if it was asked to.
fn echo(up: &Arrived, pieces: impl Fn(&str) -> Vec<String>) -> Vec<Step> {
    if !up.text().contains("\"stream\":true") {
        return plain(up);
    }
    let said = up.value()["messages"][0]["content"].as_str().unwrap().to_owned();
    let mut steps = vec![Step::Send(chunked(200, "text/event-stream"))];
    let event = |content: &String| {
        let delta = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": content}}]});
        Step::Send(chunk(format!("data: {delta}\n\n").as_bytes()))
    };
    steps.extend(pieces(&said).iter().map(event));
    steps.push(Step::Send(chunk(b"data: [DONE]\n\n")));
    steps.push(Step::Send(chunk(b"")));
    steps
}

fn letters(text: &str) -> Vec<String> {
    text.chars().map(String::from).collect()
}

/// What a stream's deltas come to, at a place.
fn joined(text: &str, at: &str) -> String {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    let deltas = data.map(|data| serde_json::from_str::<Value>(data).unwrap());
    deltas.filter_map(|delta| Some(delta.pointer(at)?.as_str()?.to_owned())).collect()
}

fn streamed(caller: &Caller<'_>, text: &str) -> String {
    let mut body = chat(text);
    body["stream"] = json!(true);
    joined(&caller.post(CHAT, &body).ok().text(), "/choices/0/delta/content")
}

fn luhn(text: &str) -> bool {
    let digits = text.chars().rev().filter_map(|c| c.to_digit(10));
    let doubled =
        |(at, digit): (usize, u32)| if at % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit };
    digits.enumerate().map(doubled).sum::<u32>() % 10 == 0
}

/// O5: what an operation's bodies are censored with is what its own entry says, and the rest what all have; a line of a
/// batch is the request that it holds.
#[test]
fn each_operation_is_censored_by_its_own_policy() {
    let said = "\
consent: {grants: [{purpose: train, scope: tenant}, {purpose: train, scope: {dataset: \"*\"}}]}
censor:
  request: {EMAIL_ADDRESS: pseudonym}
  operations:
    createEmbedding: {request: {EMAIL_ADDRESS: block, CREDIT_CARD: allow}}
    createFile: {request: {EMAIL_ADDRESS: redact}}
";
    let running = started(said, "", plain);
    let caller = running.acme();
    let jane = mail("jane.roe");
    let told = |text: &str| json!({"model": "text-embedding-3-small", "input": text});
    caller.post(CHAT, &chat(&jane)).ok();
    caller.post("/v1/embeddings", &told(&jane)).refused(Reason::ContentBlocked);
    caller.post("/v1/embeddings", &told(CARD)).ok();
    caller.post(CHAT, &chat(CARD)).ok();
    let arrived = running.upstream.arrived();
    let bodies: Vec<String> = arrived.iter().map(Arrived::text).collect();
    let [one, two, three] = bodies.as_slice() else { panic!("{bodies:?}") };
    assert!(one.contains("EMAIL_ADDRESS_") && !one.contains(&jane), "{one}");
    assert!(two.contains(CARD), "{two}");
    assert!(three.contains("[CREDIT_CARD]"), "{three}");
    // The same in a batch: the line for embeddings blocks, the line for a chat names.
    let line = |url: &str, body: &Value| {
        format!("{}\n", json!({"custom_id": "1", "method": "POST", "url": url, "body": body}))
    };
    let blocked = line("/v1/embeddings", &told(&jane));
    let back = caller.ask(&upload("batch", "lines.jsonl", blocked.as_bytes()));
    back.refused(Reason::ContentBlocked);
    let named = [line(CHAT, &chat(&jane)), line("/v1/embeddings", &told(CARD))].concat();
    caller.ask(&upload("batch", "lines.jsonl", named.as_bytes())).ok();
    caller.ask(&upload("fine-tune", "train.jsonl", &record(&jane))).ok();
    let arrived = running.upstream.arrived();
    let [.., batch, train] = arrived.as_slice() else { panic!("{arrived:?}") };
    assert!(batch.text().contains("EMAIL_ADDRESS_") && batch.text().contains(CARD), "{}", batch.text());
    assert!(train.text().contains("[EMAIL_ADDRESS]"), "{}", train.text());
}

/// A card is another card upstream, in texts and as a number, and itself again for its tenant.
#[test]
fn numbers_keep_their_format_and_come_back() {
    let fpe = "censor: {request: {CREDIT_CARD: fpe, IBAN_CODE: fpe}}\n";
    let running = started(fpe, fpe, |up| {
        if up.target() != "/v1/moderations" {
            return echo(up, letters);
        }
        reply(200, &json!({"id": "x", "given": up.value()["input"], "n": up.value()["card"]}))
    });
    let caller = running.acme();
    let iban = ["DE89 3704 0044", " 0532 0130 00"].concat();
    let text = format!("card {CARD}, account {iban}");
    assert_eq!(caller.post(CHAT, &chat(&text)).ok().at("/choices/0/message/content"), text);
    assert_eq!(streamed(&caller, &text), text);
    let body = json!({"input": CARD.replace(' ', "-"), "card": 4_111_111_111_111_111_u64});
    let back = caller.post("/v1/moderations", &body).ok().value();
    assert_eq!((&back["given"], &back["n"]), (&body["input"], &body["card"]));
    running.globex().post(CHAT, &chat(&text)).ok();
    let arrived = running.upstream.arrived();
    let said = |up: &Arrived| up.value()["messages"][0]["content"].as_str().unwrap().to_owned();
    let other = said(&arrived[0]);
    assert!(!other.contains(CARD) && !other.contains(&iban), "{other}");
    assert!(luhn(&other[5..24]) && other.starts_with("card 4111 11"), "{other}");
    assert_eq!(said(&arrived[1]), other, "the same tenant, the same value");
    assert_ne!(said(&arrived[3]), other, "another tenant, another value");
    let number = arrived[2].value()["card"].as_u64().unwrap();
    assert!(luhn(&number.to_string()) && number != 4_111_111_111_111_111, "{number}");
    assert_eq!(arrived[2].value()["input"].as_str().unwrap().replace('-', ""), number.to_string());
}

/// A value of quotes, backslashes and what expressions and JSON are made of, named and restored in the arguments of tool
/// calls, which are JSON in strings; whole, in pieces, and in the case that a model likes.
#[test]
fn names_of_awkward_values_come_back_in_tool_calls() {
    let said = "\
censor:
  rules:
    - id: codename
      description: d
      groups: [pii]
      severity: 5
      action: pseudonym
      keywords: ['code<']
      pattern: 'code<(?P<value>[^>\\n]{4,40})>'
  request: {EMAIL_ADDRESS: pseudonym}
  response: {EMAIL_ADDRESS: allow, codename: allow}
";
    let running = started(said, "", |up| {
        let said = up.value()["messages"][0]["content"].as_str().unwrap().to_lowercase();
        let name = said.split("code<").nth(1).unwrap().split('>').next().unwrap().to_owned();
        let arguments = json!({"to": name, "list": [name]}).to_string();
        if !up.text().contains("\"stream\":true") {
            let call = json!({"id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}});
            return reply(
                200,
                &json!({"id": "x", "choices": [{"index": 0, "message": {"tool_calls": [call]}}]}),
            );
        }
        let mut steps = vec![Step::Send(chunked(200, "text/event-stream"))];
        for piece in arguments.chars() {
            let call = json!({"index": 0, "function": {"arguments": piece.to_string()}});
            let delta = json!({"id": "x", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"tool_calls": [call]}}]});
            steps.push(Step::Send(chunk(format!("data: {delta}\n\n").as_bytes())));
        }
        steps.push(Step::Send(chunk(b"")));
        steps
    });
    let caller = running.acme();
    let value = r#"a"b\c{d}$1.*[^|"#;
    let text = format!("code<{value}> of {}", mail("jane.roe"));
    let back = caller.post(CHAT, &chat(&text)).ok();
    let whole = back.at("/choices/0/message/tool_calls/0/function/arguments");
    let mut body = chat(&text);
    body["stream"] = json!(true);
    let streamed = caller.post(CHAT, &body).ok().text();
    let streamed = joined(&streamed, "/choices/0/delta/tool_calls/0/function/arguments");
    for arguments in [whole, streamed] {
        let arguments: Value = serde_json::from_str(&arguments).unwrap_or_else(|_| panic!("{arguments}"));
        assert_eq!(arguments, json!({"to": value, "list": [value]}));
    }
    for up in running.upstream.arrived() {
        assert!(up.text().contains("CODENAME_") && !up.text().contains("{d}"), "{}", up.text());
    }
}

/// The answer's policy lets addresses pass by name, and names are restored all the same; what looks like one is not.
#[test]
fn names_come_back_where_the_answers_policy_lets_such_values_pass() {
    let said = "censor: {request: {EMAIL_ADDRESS: pseudonym}, response: {EMAIL_ADDRESS: allow}}\n";
    let running = started(said, "", |up| echo(up, letters));
    let caller = running.acme();
    let text = format!("{} and EMAIL_ADDRESS_AAAABBBB", mail("jane.roe"));
    assert_eq!(caller.post(CHAT, &chat(&text)).ok().at("/choices/0/message/content"), text);
    assert_eq!(streamed(&caller, &text), text);
}

/// A tenant with a dry run on the only route, until this time.
fn dry(own: &mut Own, until: jiff::Timestamp) -> Tenant {
    own.setup.routes = own.setup.routes.replace("api: openai}", "api: openai, allow_dry_run: true}");
    let said = format!(
        "censor:\n  request: {{EMAIL_ADDRESS: block}}\n  dry_run: {{routes: [only], until: {until}, accepted: secrets_and_personal_data_pass}}\n"
    );
    own.setup.tenant("dry", &said)
}

fn in_days(days: i64) -> jiff::Timestamp {
    jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(24 * days)).unwrap()
}

/// In a dry run every byte passes, in both directions, and what would have been done is on record and counted apart.
#[test]
fn a_dry_run_reports_everything_and_changes_nothing() {
    let secret = token(70);
    let leaked = token(71);
    let again = leaked.clone();
    let mut own = Own::new();
    let dry = dry(&mut own, in_days(7));
    let running = own.start(move |up| match up.text().contains("moderation") {
        true => reply(200, &json!({"id": "x", "told": again})),
        false => echo(up, letters),
    });
    let caller = running.gateway.as_(&dry);
    let odd = format!(
        r#" {{"model":"gpt-4o-mini", "messages":[{{"role":"user","content":"caf\u00e9 {secret} \/ {CARD}"}}], "{secret}":{{}} }} "#
    );
    caller.ask(&Ask::new("POST", CHAT).typed("application/json", odd.as_str())).ok();
    assert_eq!(running.upstream.one().text(), odd);
    // It blocks, if it is not dry; the same in a header.
    let text = format!("{} and {secret}", mail("jane.roe"));
    assert_eq!(streamed(&caller, &text), text);
    let back = caller.post("/v1/moderations", &json!({"input": "moderation"})).ok();
    assert_eq!(back.at("/told"), leaked);
    caller.ask(&Ask::json(CHAT, &chat("x")).header("openai-beta", &secret)).ok();
    let metric = |name: &str, labels: &[(&str, &str)]| running.gateway.metric(name, labels);
    let requests =
        |would: &str| metric("consentry_dry_run_requests_total", &[("tenant", "dry"), ("decision", would)]);
    eventually(|| requests("denied") > 1.5);
    assert!((requests("censored") - 2.0).abs() < 0.5);
    let values = |action: &str| metric("consentry_dry_run_values_total", &[("action", action)]);
    assert!(values("block") > 0.5 && values("redact") > 3.5);
    assert!(metric("consentry_censored_values_total", &[]) < 0.5);
    assert!(
        metric("consentry_dry_run_until_timestamp_seconds", &[("tenant", "dry"), ("route", "only")]) > 1e9
    );
    let recorded = || running.gateway.recorded("\"tenant\":\"dry\"");
    eventually(|| recorded().iter().filter(|entry| entry["dry_run"] == "denied").count() > 1);
    let entries = recorded();
    assert!(entries.iter().all(|entry| entry["decision"] == "forward"), "{entries:?}");
    assert_eq!(entries[0]["dry_run"], "censored");
    assert!(entries[0]["found"].to_string().contains("CREDIT_CARD"), "{}", entries[0]);
    assert!(entries.iter().any(|entry| entry["dry_run"] == "denied"), "{entries:?}");
    assert!(entries.iter().all(|entry| !entry.to_string().contains(&secret[4..])));
    assert!(running.gateway.process.written().contains("DRY RUN"));
    // Nobody else's.
    let globex = running.globex();
    globex.post(CHAT, &chat(&secret)).ok();
    assert!(!running.upstream.arrived().last().unwrap().text().contains(&secret));
    assert!(metric("consentry_censored_values_total", &[]) > 0.5);
}

/// A dry run is the censor's alone: what belongs to whom and what was granted is decided as ever, and what can't be read
/// doesn't pass.
#[test]
fn a_dry_run_knows_nothing_of_isolation_and_consent() {
    let mut own = Own::new();
    let dry = dry(&mut own, in_days(7));
    let (status, told) = own.setup.check();
    assert!(status == 0 && told.contains("DRY RUN: tenant `dry`, route `only`"), "{told}");
    let running = own.start(plain);
    let caller = running.gateway.as_(&dry);
    running.acme().ask(&upload("user_data", "x.txt", b"x")).ok();
    caller.get("/v1/files/file-scripted").refused(Reason::ResourceUnknown);
    caller.ask(&upload("fine-tune", "train.jsonl", &record("x"))).refused(Reason::ConsentMissing);
    let broken = Ask::new("POST", CHAT).typed("application/json", "{\"a\":");
    caller.ask(&broken).refused(Reason::ContentTruncated);
}

/// It ends by itself, and nobody has to think of it.
#[test]
fn a_dry_run_that_is_over_stops_everything_again() {
    let mut own = Own::new();
    let dry = dry(&mut own, in_days(-1));
    let (status, told) = own.setup.check();
    assert!(status == 0 && told.contains("the dry run has ended") && !told.contains("DRY RUN"), "{told}");
    let running = own.start(plain);
    let caller = running.gateway.as_(&dry);
    caller.post(CHAT, &chat(&mail("jane.roe"))).refused(Reason::ContentBlocked);
    caller.post(CHAT, &chat(&token(72))).ok();
    assert!(running.upstream.one().text().contains("[GITHUB_PAT]"));
}
