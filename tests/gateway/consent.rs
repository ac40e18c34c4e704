//! May it be used so? Training needs a grant on record, storing is off without one, and a withdrawal works on the next
//! request.

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::kit::own::{Own, Running};
use super::kit::upstream::{json as reply, plain};
use super::kit::values::{FORM, chat, form, mark, record, upload};
use super::kit::{Ask, Caller, house};

const CHAT: &str = "/v1/chat/completions";

/// Every way to train that the API has, as somebody without a grant tries it.
fn training(file: &str, text: &str) -> Vec<Ask> {
    let records = record(text);
    let late = form(&[("file", Some("x.jsonl"), &records), ("purpose", None, b"fine-tune")]);
    let opened = |purpose: &str| json!({"purpose": purpose, "filename": text, "bytes": 9, "mime_type": "application/jsonl"});
    vec![
        upload("fine-tune", "x.jsonl", &records),
        upload("vision", "x.jsonl", &records),
        upload("evals", "x.jsonl", &records),
        Ask::new("POST", "/v1/files").typed(FORM, late),
        Ask::json("/v1/uploads", &opened("fine-tune")),
        Ask::json("/v1/uploads", &opened("evals")),
        Ask::json(
            "/v1/fine_tuning/jobs",
            &json!({"model": "gpt-4o-mini", "training_file": file, "suffix": text}),
        ),
        Ask::json(
            "/v1/fine_tuning/alpha/graders/run",
            &json!({"grader": {"type": "x"}, "model_sample": text}),
        ),
    ]
}

/// W1, P1: nothing is trained on without a grant, by whatever door; inference says so to the upstream.
#[test]
fn w1_p1_training_is_refused_without_a_grant_and_inference_says_no_training() {
    let caller = house().as_(house().nobody());
    let file = caller.ask(&upload("user_data", "x.jsonl", &record("x"))).id();
    let text = mark();
    for ask in training(&file, &text) {
        let answer = caller.ask(&ask).refused(Reason::ConsentMissing);
        let entry = &caller.gateway.recorded(answer.header("x-request-id").unwrap())[0];
        assert_eq!((&entry["decision"], &entry["reason"]), (&json!("denied"), &json!("consent_missing")));
        caller.ask_h2(&ask).refused(Reason::ConsentMissing);
    }
    assert!(house().sandbox.journal(&text).is_empty(), "something went up");
    let denied = caller
        .gateway
        .metric("consentry_consent_decisions_total", &[("tenant", &caller.tenant.name), ("outcome", "deny")]);
    assert!(denied > 15.0, "{denied}");
    caller.post(CHAT, &chat(&text)).ok();
    assert_eq!(usage_of(&text), Some("train-ai=n".to_owned()));
}

/// What the upstream was told about the use of a request.
fn usage_of(text: &str) -> Option<String> {
    let seen = house().sandbox.journal(text);
    assert_eq!(seen.len(), 1, "{seen:?}");
    let headers = seen[0]["headers"].as_array().unwrap();
    let value = headers.iter().find(|header| header[0] == "content-usage")?;
    Some(value[1].as_str().unwrap().to_owned())
}

#[test]
fn w1_training_passes_with_a_grant_and_the_requests_own_no_counts() {
    let caller = house().as_(house().granted());
    let text = mark();
    caller.ask(&upload("fine-tune", "x.jsonl", &record(&text))).ok();
    assert_eq!(usage_of(&text), None);
    // What is not training is marked all the same.
    let text = mark();
    caller.ask(&upload("user_data", "x.jsonl", &record(&text))).ok();
    assert_eq!(usage_of(&text), Some("train-ai=n".to_owned()));
    let no = upload("fine-tune", "x.jsonl", &record("x")).header("content-usage", "train-ai=n");
    caller.ask(&no).refused(Reason::ConsentMissing);
    // A word of the request grants nothing.
    let yes = upload("fine-tune", "x.jsonl", &record("x")).header("content-usage", "train-ai=y");
    house().as_(house().nobody()).ask(&yes).refused(Reason::ConsentMissing);
}

/// S4: a key that is for inference does not train, whatever was granted.
#[test]
fn s4_a_key_does_what_it_is_for() {
    let caller = house().as_(&house().asking);
    caller.post(CHAT, &chat("x")).ok();
    for ask in training("file-x", "x") {
        let answer = caller.ask(&ask);
        assert_eq!(answer.at("/error/code"), "purpose_not_allowed", "{ask:?}: {answer}", ask = ask.target);
        answer.refused(Reason::PurposeNotAllowed);
    }
}

/// S1: what may not be stored goes up as not to be stored, and the answer says so.
#[test]
fn s1_store_is_turned_off_without_a_grant() {
    let lane = house().lane(|up| {
        let id = if up.target().contains("responses") { "resp-1" } else { "chatcmpl-1" };
        reply(200, &json!({"id": id, "choices": [], "output": []}))
    });
    let caller = lane.as_(house().nobody());
    let with = |path: &str, store: Value| {
        let mut body = if path == CHAT { chat("x") } else { json!({"model": "gpt-4o-mini", "input": "x"}) };
        if !store.is_null() {
            body["store"] = store;
        }
        let back = caller.post(path, &body).ok();
        let up = lane.upstream.arrived().last().unwrap().value();
        (back.header("consentry-store").map(str::to_owned), up.get("store").cloned())
    };
    let off = Some("off".to_owned());
    assert_eq!(with(CHAT, json!(true)), (off.clone(), Some(json!(false))));
    assert_eq!(with("/v1/responses", json!(true)), (off, Some(json!(false))));
    // Where nothing is said, the upstream would store a response, and not a chat.
    assert_eq!(with("/v1/responses", json!(null)), (None, Some(json!(false))));
    assert_eq!(with("/v1/responses", json!(false)), (None, Some(json!(false))));
    let (told, up) = with(CHAT, json!(null));
    assert!(told.is_none() && up.is_none_or(|store| store == json!(false)));
    // Nothing else is a way to say yes.
    for store in [json!("true"), json!(1), json!([true]), json!({"a": true})] {
        let (_, up) = with(CHAT, store.clone());
        assert_eq!(up, Some(json!(false)), "{store}");
    }
    let refusing = lane.as_(&house().refusing);
    let mut body = chat("x");
    body["store"] = json!(true);
    let before = lane.upstream.arrived().len();
    refusing.post(CHAT, &body).refused(Reason::ConsentMissing);
    assert_eq!(lane.upstream.arrived().len(), before);
    let keeping = lane.as_(house().keeping());
    assert_eq!(keeping.post(CHAT, &body).ok().header("consentry-store"), None);
    assert_eq!(lane.upstream.arrived().last().unwrap().value()["store"], json!(true));
}

/// Lines of a batch are requests, and are not stored either.
#[test]
fn s1_w1_lines_of_a_batch_are_judged_as_requests() {
    let lane =
        house().lane(|_| reply(200, &json!({"id": "file-made", "object": "file", "purpose": "batch"})));
    let caller = lane.as_(house().nobody());
    let line = |url: &str, body: Value| {
        json!({"custom_id": "1", "method": "POST", "url": url, "body": body}).to_string() + "\n"
    };
    let mut stored = chat("x");
    stored["store"] = json!(true);
    let file = [
        line(CHAT, stored.clone()),
        line(CHAT, chat("x")),
        line("/v1/responses", json!({"model": "gpt-4o-mini", "input": "x"})),
        line("/v1/responses", json!({"model": "gpt-4o-mini", "input": "x", "store": true})),
        line("/v1/embeddings", json!({"model": "gpt-4o-mini", "input": "x"})),
    ]
    .concat();
    caller.ask(&upload("batch", "b.jsonl", file.as_bytes())).ok();
    let text = lane.upstream.one().text();
    let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(lines.len(), 5, "{text}");
    let store = |n: usize| lines[n]["body"].get("store").cloned();
    assert_eq!((store(0), store(2), store(3)), (Some(json!(false)), Some(json!(false)), Some(json!(false))));
    assert_ne!(store(1), Some(json!(true)));
    assert_eq!(store(4), None);
    for (bad, reason) in [
        (line("/v1/files", json!({})), Reason::FieldNotAllowed),
        (
            line("/v1/fine_tuning/jobs", json!({"model": "gpt-4o-mini", "training_file": "file-x"})),
            Reason::FieldNotAllowed,
        ),
        (line(&format!("{CHAT}?x=y"), chat("x")), Reason::FieldNotAllowed),
        (
            line(CHAT, json!({"model": "gpt-4o-mini", "messages": [], "logprobs": true})),
            Reason::FieldNotAllowed,
        ),
        (
            line(CHAT, chat("x")).replace("\"url\"", "\"url\":\"/v1/embeddings\",\"url\""),
            Reason::FieldAmbiguous,
        ),
        ("not json\n".to_owned(), Reason::ContentMalformed),
    ] {
        caller.ask(&upload("batch", "b.jsonl", bad.as_bytes())).refused(reason);
    }
    assert!(lane.upstream.arrived().iter().skip(1).all(|up| !up.complete));
    lane.as_(&house().refusing)
        .ask(&upload("batch", "b.jsonl", line(CHAT, stored).as_bytes()))
        .refused(Reason::ConsentMissing);
}

/// W11, W1: a withdrawal works on the next request after the reload, in connections that are open; half of a new
/// configuration is none.
#[test]
fn w11_a_withdrawal_works_on_the_next_request() {
    let Running { gateway, upstream, acme, .. } = Own::new().start(plain);
    let caller = gateway.as_(&acme);
    let train = caller.signed(&upload("fine-tune", "x.jsonl", &record("x")));
    let talk = caller.signed(&Ask::json(CHAT, &chat("x")));
    caller.gateway.send(&train).ok();
    let mut conn = gateway.open();
    conn.write(&talk.bytes());
    conn.answer().ok();
    // Broken: everything is told, and nothing of it counts.
    let file = gateway.setup.config().join("tenants/acme.yaml");
    let before = std::fs::read_to_string(&file).unwrap();
    let withdrawn = before.replace("evidence: a test", "evidence: a test, withdrawn: 2026-01-01T00:00:00Z");
    gateway.setup.file("tenants/acme.yaml", &format!("{withdrawn}grnats: []\n"));
    gateway.process.signal("HUP");
    let told = gateway.process.line("the old one stays");
    assert!(told.contains("grnats"), "{told}");
    super::kit::eventually(|| gateway.metric("consentry_config_last_reload_successful", &[]) == 0.0);
    gateway.send(&train).ok();
    // Whole: the next request is decided by it.
    gateway.setup.file("tenants/acme.yaml", &withdrawn);
    gateway.process.signal("HUP");
    gateway.process.line("the configuration was reloaded");
    let came = upstream.arrived().len();
    conn.write(&talk.bytes());
    conn.answer().ok();
    conn.write(&train.bytes());
    conn.answer().refused(Reason::ConsentMissing);
    gateway.send_h2(&train).refused(Reason::ConsentMissing);
    assert_eq!(upstream.arrived().len(), came + 1);
    let folder = gateway.setup.config().join("data/audit");
    assert_eq!(super::kit::gateway::recorded(&folder, "\"load_refused\"").len(), 1);
    drop(gateway.stop());
}

/// W8, O4, S10: what leaves for a third party needs a grant to share.
#[test]
fn w8_o4_s10_a_third_party_gets_nothing_without_a_grant_to_share() {
    let Running { gateway, upstream, acme, .. } = Own::with(", third_party: true").start(plain);
    let caller = gateway.as_(&acme);
    for ask in
        [Ask::json(CHAT, &chat("x")), upload("user_data", "x.jsonl", &record("x")), Ask::get("/v1/models")]
    {
        caller.ask(&ask).refused(Reason::ConsentMissing);
    }
    assert!(upstream.arrived().is_empty() && upstream.connections() == 0);
    let file = gateway.setup.config().join("tenants/acme.yaml");
    let grant = "  grants:\n    - {purpose: share, scope: tenant, evidence: a test}\n    - {purpose: share, scope: {dataset: \"*\"}, evidence: a test}\n";
    let text = std::fs::read_to_string(&file).unwrap().replace("  grants:\n", grant);
    gateway.setup.file("tenants/acme.yaml", &text);
    gateway.process.signal("HUP");
    gateway.process.line("the configuration was reloaded");
    caller.post(CHAT, &chat("x")).ok();
    assert_eq!(upstream.arrived().len(), 1);
    drop(gateway.stop());
}

/// The upstream calls somebody else's server with what the model writes.
#[test]
fn o4_tools_of_others_need_a_grant_to_share() {
    let lane = house().lane(plain);
    let caller: Caller<'_> = lane.as_(house().granted());
    for tool in [
        json!({"type": "mcp", "server_label": "x", "server_url": "https://elsewhere.test/mcp"}),
        json!({"type": "mcp", "server_label": "x", "connector_id": "connector_dropbox"}),
        json!({"type": "code_interpreter", "container": {"type": "auto", "network_policy": {"allowed_domains": ["elsewhere.test"]}}}),
    ] {
        let body = json!({"model": "gpt-4o-mini", "input": "x", "tools": [tool]});
        caller.post("/v1/responses", &body).refused(Reason::ConsentMissing);
    }
    assert!(lane.upstream.arrived().is_empty());
}
