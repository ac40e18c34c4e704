//! A second opinion: an analyser that behaves, those that don't, and the one that everybody has.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::kit::gateway::ACCOUNT;
use super::kit::own::{Own, Running};
use super::kit::tls::Valid;
use super::kit::upstream::{answer, json as reply, plain};
use super::kit::values::{chat, mail, record, token, upload};
use super::kit::{Arrived, Gate, Step, Upstream, cache};

const CHAT: &str = "/v1/chat/completions";

/// Names and places both ways, by an analyser of these bounds.
const WANTED: &str = "\
censor:
  request: {EMAIL_ADDRESS: pseudonym}
  analyser:
    name: second
    request: {PERSON: pseudonym, LOCATION: redact, NRP: block}
    response: {PERSON: redact, LOCATION: redact}
    unanalysed: [createFile, createModeration]
";

/// A gateway before `script`, whose tenant `acme` has texts shown to `second`.
fn started(
    bounds: &str,
    second: impl Fn(&Arrived) -> Vec<Step> + Send + Sync + 'static,
    script: impl Fn(&Arrived) -> Vec<Step> + Send + Sync + 'static,
) -> (Running, Upstream) {
    let mut own = Own::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let leaf = own.setup.authority.leaf(&["localhost"], Valid::Now);
    let analyser = Upstream::start(listener, leaf.server(), second);
    own.setup.more = format!(
        "analysers:\n  second: {{url: \"https://localhost:{port}\", ca: ca.pem, credential: {{bearer: \"file:account.key\"}}{bounds}}}\n"
    );
    own.acme = own.setup.tenant("acme", WANTED);
    (own.start(script), analyser)
}

/// Finds these words, as Presidio would say it: places in code points.
fn finding(words: &'static [(&'static str, &'static str)]) -> impl Fn(&Arrived) -> Vec<Step> {
    move |asked| {
        let question = asked.value();
        let text: Vec<char> = question["text"].as_str().unwrap().chars().collect();
        let mut found = Vec::new();
        for (word, entity) in words {
            let word: Vec<char> = word.chars().collect();
            for at in 0..text.len() {
                if text[at..].starts_with(&word) {
                    found.push(json!({"entity_type": entity, "start": at, "end": at + word.len(), "score": 0.85, "analysis_explanation": null, "recognition_metadata": {}}));
                }
            }
        }
        reply(200, &Value::from(found))
    }
}

const WORDS: &[(&str, &str)] =
    &[("Jane Roe", "PERSON"), ("Roe", "PERSON"), ("Köln", "LOCATION"), ("Presbyterian", "NRP")];

#[test]
fn what_the_analyser_finds_is_treated_both_ways() {
    let (running, second) = started("", finding(WORDS), |up| {
        let said = up.value()["messages"][0]["content"].clone();
        let arguments = json!({"who": "Jane Roe"}).to_string();
        reply(
            200,
            &json!({"id": "x", "choices": [{"message": {"content": said, "more": "Roe of Köln", "arguments": arguments}}]}),
        )
    });
    let caller = running.acme();
    let text = format!("😀 Jane Roe in Köln, {}", mail("jane"));
    let back = caller.post(CHAT, &chat(&text)).ok();
    let up = running.upstream.one().value()["messages"][0]["content"].as_str().unwrap().to_owned();
    assert!(up.starts_with("😀 PERSON_") && up.contains(" in [LOCATION], EMAIL_ADDRESS_"), "{up}");
    // What the tenant sent itself comes back; what is new does not.
    assert_eq!(back.at("/choices/0/message/content"), text.replace("Köln", "[LOCATION]"));
    assert_eq!(back.at("/choices/0/message/more"), "[PERSON] of [LOCATION]");
    let asked = second.arrived();
    assert_eq!(asked[0].target(), "/analyze");
    assert_eq!(asked[0].header("authorization"), Some(format!("Bearer {ACCOUNT}").as_str()));
    let question = asked[0].value();
    assert_eq!(
        (&question["language"], &question["entities"]),
        (&json!("en"), &json!(["LOCATION", "NRP", "PERSON"]))
    );
    // It sees what the rules left, and no ids.
    assert!(!question["text"].as_str().unwrap().contains("mail-desk"), "{question}");
    assert!(!question["text"].as_str().unwrap().contains("gpt-4o-mini"), "{question}");
    caller.post(CHAT, &chat("a Presbyterian")).refused(Reason::ContentBlocked);
    let found = |entity| running.gateway.metric("consentry_censored_values_total", &[("entity", entity)]);
    assert!(found("PERSON") > 1.5 && found("LOCATION") > 1.5);
    assert!(
        running
            .gateway
            .metric("consentry_analyser_requests_total", &[("analyser", "second"), ("result", "ok")])
            > 2.5
    );
    // Nobody else's texts are shown.
    let before = second.arrived().len();
    running.globex().post(CHAT, &chat("Jane Roe")).ok();
    assert_eq!(second.arrived().len(), before);
}

/// A field that decides something is free text to whoever writes it: it hides neither itself nor what says the same.
#[test]
fn a_text_that_a_deciding_field_says_too_is_shown_all_the_same() {
    let (running, _second) = started("", finding(WORDS), plain);
    let text = "Jane Roe of Köln";
    let mut said = chat(text);
    said["store"] = json!(text);
    running.acme().post(CHAT, &said).ok();
    let up = running.upstream.one();
    assert!(!up.text().contains("Roe") && up.text().contains("[LOCATION]"), "{}", up.text());
}

/// Whatever it answers that is no answer: nothing passes, in neither direction.
#[test]
fn an_analyser_that_fails_lets_nothing_pass() {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let never = Gate::default();
    let found =
        |start: i64, end: i64| json!([{"entity_type": "PERSON", "start": start, "end": end, "score": 1.0}]);
    let huge =
        format!("[{}]", vec!["{\"entity_type\":\"X\",\"start\":0,\"end\":1,\"score\":1.0}"; 4000].join(","));
    let answers: Vec<Vec<Step>> = vec![
        reply(200, &found(0, 900)),
        reply(200, &found(3, 3)),
        reply(200, &found(5, 2)),
        reply(200, &found(-1, 2)),
        reply(200, &json!({"error": "No text provided"})),
        reply(500, &json!([])),
        vec![Step::Send(answer(302, &[("location", "https://localhost/")], ""))],
        vec![Step::Send(answer(200, &[("content-type", "application/json")], huge))],
        vec![Step::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n[".to_vec()), Step::Cut],
        vec![Step::Cut],
        vec![Step::Wait(never.clone())],
        vec![
            Step::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n[".to_vec()),
            Step::Wait(never.clone()),
        ],
    ];
    let all = answers.len();
    let (running, _second) =
        started(", timeout: 500ms", move |_| answers[TURN.load(Ordering::SeqCst)].clone(), plain);
    let caller = running.acme();
    for turn in 0..all {
        TURN.store(turn, Ordering::SeqCst);
        caller.post(CHAT, &chat("hello, Jane")).refused(Reason::AnalyserUnavailable);
    }
    assert!(running.upstream.arrived().is_empty());
    never.open();
    let failed = |result| running.gateway.metric("consentry_analyser_requests_total", &[("result", result)]);
    assert!(failed("nonsense") > 5.5 && failed("failed") > 3.5 && failed("late") > 1.5);
    assert!(running.gateway.recorded("analyser_unavailable").len() >= all);
}

/// The upstream has answered by then, and its answer stays here.
#[test]
fn an_answer_that_can_not_be_shown_does_not_pass() {
    let asked = AtomicUsize::new(0);
    let (running, _second) = started(
        "",
        move |up| match asked.fetch_add(1, Ordering::SeqCst) {
            0 | 2 => finding(WORDS)(up),
            _ => reply(503, &json!({})),
        },
        |up| match up.text().contains("fault") {
            true => reply(
                400,
                &json!({"error": {"message": "ask Jane Roe", "type": "x", "param": null, "code": "c"}}),
            ),
            false => plain(up),
        },
    );
    let caller = running.acme();
    let back = caller.post(CHAT, &chat("x")).refused(Reason::AnalyserUnavailable);
    assert!(!back.text().contains("choices"));
    let back = caller.post(CHAT, &chat("fault")).refused(Reason::AnalyserUnavailable);
    assert!(!back.text().contains("Jane"));
}

/// Streams, forms, and what is too long: refused by name, before the upstream hears of it, unless the operation is listed.
#[test]
fn what_can_not_be_shown_is_refused_unless_it_is_listed() {
    let (running, second) = started(", question: 4KiB, body: 16KiB", finding(WORDS), plain);
    let caller = running.acme();
    let mut streamed = chat("x");
    streamed["stream"] = json!(true);
    let back = caller.post(CHAT, &streamed).refused(Reason::ContentUninspectable);
    assert!(back.text().contains("unanalysed"), "{back}");
    caller.post(CHAT, &chat(&"long ".repeat(4000))).refused(Reason::ContentUninspectable);
    caller.post(CHAT, &chat(&"long ".repeat(1000))).refused(Reason::ContentUninspectable);
    assert!(running.upstream.arrived().is_empty());
    // Many short texts are many questions.
    let before = second.arrived().len();
    let parts: Vec<Value> = (0..10).map(|_| json!({"type": "text", "text": "short ".repeat(200)})).collect();
    let many = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": parts}]});
    caller.post(CHAT, &many).ok();
    assert!(second.arrived().len() >= before + 4);
    // Listed: not shown, and still censored by the rules.
    let before = second.arrived().len();
    let secret = token(80);
    caller.post("/v1/moderations", &json!({"input": format!("Jane Roe {secret}")})).ok();
    caller.ask(&upload("user_data", "x.jsonl", &record(&secret))).ok();
    assert_eq!(second.arrived().len(), before);
    let arrived = running.upstream.arrived();
    assert!(arrived.iter().all(|up| !up.text().contains(&secret)));
    assert!(arrived.iter().any(|up| up.text().contains("Jane Roe [GITHUB_PAT]")));
}

/// A budget that is used up is a refusal, and not a way around.
#[test]
fn a_budget_that_is_used_up_lets_nothing_pass() {
    let (running, _second) = started(", rate: 1, timeout: 200ms", finding(WORDS), plain);
    let caller = running.acme();
    let outcomes: Vec<u16> = (0..3).map(|_| caller.post(CHAT, &chat("hello")).status).collect();
    assert!(outcomes.iter().filter(|status| **status == 503).count() >= 2, "{outcomes:?}");
}

/// What asks for nothing, of nobody, or in the clear does not load.
#[test]
fn a_configuration_that_asks_for_nothing_or_nobody_does_not_load() {
    let mut own = Own::new();
    own.setup.more = "analysers: {second: {url: \"http://analyser.example\"}}\n".to_owned();
    let (status, told) = own.setup.check();
    assert!(status == 64 && told.contains("loopback"), "{told}");
    own.setup.more = "analysers: {second: {url: \"http://127.0.0.1:9\"}}\n".to_owned();
    for (said, why) in [
        ("name: secnd, request: {PERSON: redact}", "did you mean `second`?"),
        ("name: second", "nothing is wanted"),
        ("name: second, request: {person: redact}", "capital letters"),
        ("name: second, request: {P: pseudonym}", "3 to 40"),
        ("name: second, request: {PERSON: redact}, unanalysed: [createFiel]", "did you mean `createFile`?"),
    ] {
        own.setup.tenant("acme", &format!("censor: {{analyser: {{{said}}}}}\n"));
        let (status, told) = own.setup.check();
        assert!(status == 64 && told.contains(why), "{said}: {told}");
    }
}

/// Presidio itself, in a process of its own: its recognisers of patterns, and a tokenizer instead of a language model.
struct Presidio(Mutex<Child>, u16);

impl Presidio {
    fn start() -> Option<Self> {
        let python = cache()?.join("presidio/bin/python");
        if !python.exists() {
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/counterparties/presidio_server.py");
        let mut command = Command::new(python);
        let child = command.args([script, &port.to_string()]).stdout(Stdio::null()).spawn().unwrap();
        let end = std::time::Instant::now() + std::time::Duration::from_secs(90);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(std::time::Instant::now() < end, "presidio did not start");
            std::thread::park_timeout(std::time::Duration::from_millis(200));
        }
        Some(Self(Mutex::new(child), port))
    }
}

impl Drop for Presidio {
    fn drop(&mut self) {
        let mut child = self.0.lock().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Against Presidio itself, if `tests/setup.sh presidio` could install it.
#[test]
fn presidio_itself_is_asked() {
    let Some(presidio) = Presidio::start() else {
        let _ = writeln!(std::io::stderr(), "skip: presidio is not installed (tests/setup.sh presidio)");
        return;
    };
    let mut own = Own::new();
    own.setup.more =
        format!("analysers: {{second: {{url: \"http://127.0.0.1:{}\", timeout: 20s}}}}\n", presidio.1);
    let said = "censor: {request: {EMAIL_ADDRESS: allow}, analyser: {name: second, request: {EMAIL_ADDRESS: redact, IP_ADDRESS: pseudonym}, response: {EMAIL_ADDRESS: redact}}}\n";
    own.acme = own.setup.tenant("acme", said);
    let running = own.start(plain);
    let text = format!("😀 é write to {} please", mail("jane.roe"));
    let back = running.acme().post(CHAT, &chat(&text)).ok();
    assert_eq!(back.at("/choices/0/message/content"), "😀 é write to [EMAIL_ADDRESS] please");
    assert_eq!(
        running.upstream.one().value()["messages"][0]["content"],
        "😀 é write to [EMAIL_ADDRESS] please"
    );
}
