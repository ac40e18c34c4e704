//! Rows of the privacy policies (docs/promises.md) that have no room of their own here: each test is named by its row, drives
//! a tenant that has the policy, and fails if what keeps the promise is taken away.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::kit::gateway::GRANTED;
use super::kit::own::{Own, Running};
use super::kit::process::Process;
use super::kit::upstream::{Arrived, Step, plain};
use super::kit::values::{chat, mark, record, token, upload};
use super::kit::{Ask, Conn, Tenant};

const CHAT: &str = "/v1/chat/completions";

/// A gateway of its own whose log says everything that it ever says.
fn talkative(own: Own) -> Running {
    own.setup.write();
    let config = own.setup.config();
    let environment = [
        ("SSL_CERT_FILE", Path::new("/dev/null")),
        ("SSL_CERT_DIR", Path::new("/nonexistent")),
        ("CONSENTRY_LOG", Path::new("trace")),
    ];
    let process = Process::start(&["serve", "--config", config.to_str().unwrap()], &environment);
    own.on(process, plain)
}

/// A tenant of its own with a policy, beside those that every gateway of a test has.
fn tenant_of(own: &Own, policy: &str, more: &str) -> Tenant {
    own.setup.tenant(policy, &format!("policy: {policy}\n{more}"))
}

/// Everything that lies under a folder, as one text.
fn all_under(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&all_under(&path));
        } else {
            text.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
        }
    }
    text
}

/// A connection from another address of this machine.
fn from(address: &str, running: &Running) -> Conn {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tcp = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(address.parse().unwrap(), 0)).unwrap();
        socket.connect(running.gateway.data).await.unwrap().into_std().unwrap()
    });
    tcp.set_nonblocking(false).unwrap();
    Conn::over(tcp, Arc::clone(&running.gateway.http1)).unwrap()
}

/// W2, P2, T4: where a caller is and what it runs reaches neither the upstream nor anything that is kept; the audit trail has a
/// keyed hash of the address. The log is at its most talkative level.
#[test]
fn w2_p2_t4_no_address_or_agent_of_a_caller_reaches_upstream_log_or_audit() {
    const HERE: &str = "127.77.3.91";
    let mut own = Own::new();
    // Nobody listens there.
    own.setup.upstream("dead", 1, "ca.pem", "/dead");
    let kept = own.setup.tenant("kept", &format!("policy: [wosom, pystorm, platform]\n{GRANTED}"));
    let running = talkative(own);
    let agent = mark();
    let elsewhere = ["203", "0", "113", "77"].join(".");
    let signed = |ask: Ask| {
        let ask = ask.header("user-agent", &agent).header("x-forwarded-for", &elsewhere);
        let ask = ask.header("forwarded", &format!("for={elsewhere}")).header("x-real-ip", &elsewhere);
        ask.header("x-stainless-os", &agent).header("sec-ch-ua-platform", &agent)
    };
    let caller = running.gateway.as_(&kept);
    let granted = said(&json!({"training_consent": true}));
    let mut conn = from(HERE, &running);
    for ask in [
        Ask::json(CHAT, &chat("x")),
        upload("fine-tune", "x.jsonl", granted.as_bytes()),
        Ask::get("/v1/models/none"),
    ] {
        conn.write(&caller.signed(&signed(ask)).bytes());
        assert!(conn.answer().status >= 200);
    }
    // Refused, and by nobody we know.
    let mut conn = from(HERE, &running);
    conn.write(&signed(Ask::get("/v1/models")).bytes());
    conn.answer().refused(Reason::CredentialMissing);
    let arrived = running.upstream.arrived();
    assert_eq!(arrived.len(), 3, "{arrived:?}");
    let state = running.gateway.setup.config().join("data");
    super::kit::eventually(|| !running.gateway.recorded("credential_missing").is_empty());
    // What the log says at its most talkative only: why an upstream can't be reached.
    let mut conn = from(HERE, &running);
    conn.write(&caller.signed(&signed(Ask::json("/dead/v1/chat/completions", &chat("x")))).bytes());
    conn.answer().refused(Reason::UpstreamUnreachable);
    super::kit::eventually(|| running.gateway.process.written().contains("\"level\":\"DEBUG\""));
    let log = running.gateway.process.written();
    let kept = [("the upstream", format!("{arrived:?}")), ("the log", log), ("the state", all_under(&state))];
    for (where_, text) in &kept {
        for value in [HERE, &agent, &elsewhere] {
            assert!(!text.contains(value), "{where_} has {value}");
        }
    }
    // The same address has the same tag.
    let entries = running.gateway.recorded("\"decision\"");
    let tags: Vec<&Value> = entries.iter().map(|entry| &entry["peer"]).collect();
    assert!(tags.len() >= 4 && tags.iter().all(|tag| *tag == tags[0] && tag.is_string()), "{tags:?}");
    drop(running.gateway.stop());
}

/// The bytes of every file under a folder that a process has open, those that have no name any more as well; and of how many
/// that have none.
fn held_open(pid: u32, folder: &Path) -> (String, usize) {
    let (mut text, mut nameless) = (String::new(), 0);
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap() {
        let link = entry.unwrap().path();
        let Ok(target) = std::fs::read_link(&link) else { continue };
        if target.starts_with(folder) && std::fs::metadata(&link).is_ok_and(|meta| meta.is_file()) {
            let bytes = std::fs::read(&link).unwrap();
            nameless += usize::from(target.to_string_lossy().ends_with(" (deleted)") && !bytes.is_empty());
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    (text, nameless)
}

/// P2, P4, P5, S5, S7: the log at its most talkative, the audit trail, the registry and the spool hold nothing of what bodies say, while
/// a request is under way and afterwards. The spool's files have no names: they are read where the process holds them.
#[test]
fn p2_p4_p5_s5_s7_no_text_of_a_body_is_kept() {
    // A body of any length waits in the spool's file.
    let mut own = Own::with(", region: MY");
    own.setup.more = "limits: {memory: 1KiB}\n".to_owned();
    let kept = own.setup.tenant("kept", &format!("policy: [pystorm, sectorflow]\nregion: MY\n{GRANTED}"));
    let running = talkative(own);
    let (text, secret) = (mark(), token(77));
    let caller = running.gateway.as_(&kept);
    let long = format!("{text} {secret} {}", "and so on ".repeat(20_000));
    caller.post(CHAT, &chat(&long)).ok();
    caller.ask(&upload("user_data", "notes.jsonl", &record(&long))).ok();
    // Broken off in the middle, with the spool in use.
    let whole = caller.signed(&Ask::json(CHAT, &chat(&long))).bytes();
    let mut conn = running.gateway.open();
    conn.write(&whole[..whole.len() - 100]);
    let state = running.gateway.setup.config().join("data");
    super::kit::eventually(|| held_open(running.gateway.process.pid, &state).1 > 0);
    let (spooled, _) = held_open(running.gateway.process.pid, &state);
    let within = all_under(&state);
    conn.cut();
    // What is blocked is told without its text.
    caller.post(
        CHAT,
        &json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": long}], "logprobs": text}),
    );
    super::kit::eventually(|| !running.gateway.recorded("client_gone").is_empty());
    let log = running.gateway.process.written();
    for (where_, kept) in [
        ("the log", &log),
        ("the state", &all_under(&state)),
        ("the state under way", &within),
        ("the spool", &spooled),
    ] {
        for value in [&text, &secret] {
            assert!(!kept.contains(value.as_str()), "{where_} has {value}");
        }
    }
    assert!(running.upstream.arrived().iter().any(|up| up.text().contains(&text)), "nothing was sent at all");
    drop(running.gateway.stop());
}

/// W5: nobody is served whom the gateway does not know, and each decision, either way, is one entry of the audit trail.
#[test]
fn w5_every_decision_is_recorded_and_nobody_unknown_is_served() {
    let own = Own::new();
    let kept = tenant_of(&own, "wosom", GRANTED);
    let running = own.start(plain);
    let caller = running.gateway.as_(&kept);
    let asks =
        [Ask::json(CHAT, &chat("x")), Ask::get("/v1/models"), upload("user_data", "x.jsonl", &record("x"))];
    for ask in &asks {
        running.gateway.send(ask).refused(Reason::CredentialMissing);
        let wrong = ask.clone().header("authorization", "Bearer cs_wrong");
        running.gateway.send(&wrong).refused(Reason::CredentialInvalid);
    }
    assert!(running.upstream.arrived().is_empty(), "somebody unknown was served");
    let mut expected = vec!["denied"; 2 * asks.len()];
    for ask in &asks {
        caller.ask(ask).ok();
        expected.push("forward");
    }
    let refused = caller.get("/v1/files/file-of-somebody").refused(Reason::ResourceUnknown);
    expected.push("denied");
    super::kit::eventually(|| running.gateway.recorded("\"decision\"").len() >= expected.len());
    let entries = running.gateway.recorded("\"decision\"");
    let decided: Vec<&str> = entries.iter().map(|entry| entry["decision"].as_str().unwrap()).collect();
    let mut sorted = decided.clone();
    sorted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sorted, expected);
    let id = refused.header("x-request-id").unwrap();
    let entry = &running.gateway.recorded(id)[0];
    assert_eq!((&entry["reason"], &entry["tenant"]), (&json!("resource_unknown"), &json!("wosom")));
    let folder = running.gateway.setup.config().join("data/audit");
    let setup = running.gateway.stop();
    let (whole, told) = super::kit::gateway::verified(&folder);
    assert!(whole, "{told}");
    drop(setup);
}

/// W8: the same request of the same tenant passes to the company's own upstream and not to a third party's.
#[test]
fn w8_the_same_request_to_two_upstreams_has_two_results() {
    let mut own = Own::new();
    // Nobody listens there: a request that were let through would end in another error.
    own.setup.upstream_with("others", 1, "ca.pem", "/others", ", third_party: true");
    let wosom = tenant_of(&own, "wosom", "");
    let running = own.start(plain);
    let caller = running.gateway.as_(&wosom);
    let ask = Ask::json(CHAT, &chat("x"));
    caller.ask(&ask).ok();
    let mut theirs = caller;
    theirs.prefix = "/others";
    let refused = theirs.ask(&ask).refused(Reason::ConsentMissing);
    assert!(refused.text().contains("share"), "{refused}");
    assert_eq!(running.upstream.arrived().len(), 1);
    drop(running.gateway.stop());
}

/// S10: whoever has the policy shares nothing, whatever was granted; whoever has not shares what was granted.
#[test]
fn s10_third_parties_get_nothing_whatever_was_granted() {
    let own = Own::with(", third_party: true, region: MY");
    let granted = "consent:\n  grants:\n    - {purpose: share, scope: tenant, evidence: a test}\n    - {purpose: share, scope: {dataset: \"*\"}, evidence: a test}\n";
    let sectorflow = tenant_of(&own, "sectorflow", &format!("region: MY\n{granted}"));
    let other = own.setup.tenant("other", granted);
    let running = own.start(plain);
    for ask in
        [Ask::json(CHAT, &chat("x")), upload("user_data", "x.jsonl", &record("x")), Ask::get("/v1/models")]
    {
        let refused = running.gateway.as_(&sectorflow).ask(&ask).refused(Reason::ConsentMissing);
        // Who is refused is told by which promise, and the trail is as well.
        assert!(refused.text().contains("as promised by sectorflow/S10"), "{refused}");
        let entry = &running.gateway.recorded(refused.header("x-request-id").unwrap())[0];
        assert_eq!(entry["promises"], json!(["sectorflow/S10"]));
    }
    assert!(running.upstream.arrived().is_empty() && running.upstream.connections() == 0);
    running.gateway.as_(&other).post(CHAT, &chat("x")).ok();
    assert_eq!(running.upstream.arrived().len(), 1);
    drop(running.gateway.stop());
}

/// S10: an upstream of the house's own calls nobody else's server for the policy's tenant, whatever was granted.
#[test]
fn s10_tools_of_others_are_called_for_nobody_who_has_the_policy() {
    let own = Own::with(", region: MY");
    let granted = "consent:\n  grants:\n    - {purpose: share, scope: tenant, evidence: a test}\n    - {purpose: share, scope: {dataset: \"*\"}, evidence: a test}\n";
    let sectorflow = tenant_of(&own, "sectorflow", &format!("region: MY\n{granted}"));
    let other = own.setup.tenant("other", granted);
    let running = own.start(|_: &Arrived| {
        super::kit::upstream::json(200, &json!({"id": "resp_1", "object": "response", "output": []}))
    });
    for tool in [
        json!({"type": "mcp", "server_label": "x", "server_url": "https://elsewhere.test/mcp"}),
        json!({"type": "mcp", "server_label": "x", "connector_id": "connector_dropbox"}),
        json!({"type": "code_interpreter", "container": {"type": "auto", "network_policy": {"allowed_domains": ["elsewhere.test"]}}}),
    ] {
        let asks = json!({"model": "gpt-4o-mini", "input": "x", "tools": [tool]});
        let before = running.upstream.arrived().len();
        let refused =
            running.gateway.as_(&sectorflow).post("/v1/responses", &asks).refused(Reason::ConsentMissing);
        assert!(refused.text().contains("sectorflow/S10"), "{refused}");
        assert_eq!(running.upstream.arrived().len(), before, "{tool}");
        // The test can fail: this tenant's go up.
        running.gateway.as_(&other).post("/v1/responses", &asks).ok();
        assert_eq!(running.upstream.arrived().len(), before + 1, "{tool}");
    }
    drop(running.gateway.stop());
}

/// S9: whatever the policy's tenant asks of an upstream elsewhere, or of one that does not say where it is, is refused before
/// anything goes up; and one that is down is not replaced by another.
#[test]
fn s9_what_is_in_another_region_gets_nothing_up_or_down() {
    let mut own = Own::with(", region: SG");
    own.setup.upstream_with("home", 1, "ca.pem", "/home", ", region: MY");
    own.setup.upstream_with("unsaid", 1, "ca.pem", "/unsaid", "");
    let sectorflow = tenant_of(&own, "sectorflow", &format!("region: MY\n{GRANTED}"));
    let without = own.setup.tenant("without", GRANTED);
    let running = own.start(plain);
    let at = |prefix: &'static str, tenant| {
        let mut caller = running.gateway.as_(tenant);
        caller.prefix = prefix;
        caller
    };
    let asks = [
        Ask::json(CHAT, &chat("x")),
        Ask::get("/v1/models"),
        Ask::get("/v1/files/file-x"),
        upload("user_data", "x.jsonl", &record("x")),
        Ask::json(
            "/v1/uploads",
            &json!({"purpose": "user_data", "filename": "x", "bytes": 9, "mime_type": "text/plain"}),
        ),
    ];
    for ask in &asks {
        for prefix in ["", "/unsaid"] {
            let refused = at(prefix, &sectorflow).ask(ask).refused(Reason::RegionNotAllowed);
            assert!(refused.text().contains("sectorflow/S9"), "{refused}");
            at(prefix, &sectorflow).ask_h2(ask).refused(Reason::RegionNotAllowed);
        }
    }
    // Its own is down: that is the answer, and nobody else is asked.
    at("/home", &sectorflow).ask(&asks[0]).refused(Reason::UpstreamUnreachable);
    assert!(running.upstream.arrived().is_empty() && running.upstream.connections() == 0);
    at("", &without).ask(&asks[0]).ok();
    drop(running.gateway.stop());
}

/// O6: of a stretch of time the report says what passed, for whom and to whom, and by when it has to be told; a trail that was
/// changed says nothing.
#[test]
fn o6_a_breach_is_reported_with_what_left_and_its_clocks() {
    let own = Own::new();
    let otso = tenant_of(&own, "otso", "");
    let running = own.start(plain);
    let (caller, other) = (running.gateway.as_(&otso), running.acme());
    caller.post(CHAT, &chat("before it began")).ok();
    let from = jiff::Timestamp::now();
    let secret = token(6);
    let asks = chat(&format!("use {secret} now"));
    for _ in 0..3 {
        caller.post(CHAT, &asks).ok();
    }
    caller.ask(&upload("user_data", "x.jsonl", &record("x"))).ok();
    caller.get("/v1/files/file-of-somebody").refused(Reason::ResourceUnknown);
    other.post(CHAT, &chat("x")).ok();
    super::kit::eventually(|| running.gateway.recorded("\"decision\"").len() >= 7);
    let to = jiff::Timestamp::now();
    caller.post(CHAT, &chat("after it ended")).ok();
    let setup = running.gateway.stop();
    let config = setup.config();
    let report = |more: &[&str]| {
        let (from, to) = (from.to_string(), to.to_string());
        let known = ["--known", "2026-11-22T09:00:00Z", "--config", config.to_str().unwrap()];
        let arguments = [&["audit", "breach", "--from", &from, "--to", &to], &known[..], more].concat();
        let mut process = Process::start(&arguments, &[]);
        (process.wait().code().unwrap(), process.written())
    };
    let (code, told) = report(&["--format", "json"]);
    assert_eq!(code, 0, "{told}");
    let told: Value = serde_json::from_str(&told).unwrap();
    let of = &told["tenants"]["otso"];
    assert_eq!((&of["requests"], &of["routes"]), (&json!(4), &json!({"only": 4})), "{told}");
    assert_eq!(of["operations"], json!({"createChatCompletion": 3, "createFile": 1}));
    // What went up, and what the upstream said again.
    assert_eq!(of["found"]["GITHUB_PAT request redact"], 3, "{told}");
    assert_eq!((&of["found_and_passed"], &of["resources"]), (&json!(0), &json!(1)));
    assert_eq!(told["tenants"]["acme"]["requests"], 1);
    assert_eq!(told["tell_the_authority_by"], "2026-11-25T09:00:00Z");
    assert_eq!(told["tell_who_is_affected_by"], "2026-12-22T09:00:00Z");
    let (code, text) = report(&["--tenant", "otso"]);
    assert!(code == 0 && text.contains("otso: 4 requests") && !text.contains("acme"), "{text}");
    assert!(!text.contains(&secret) && !told.to_string().contains(&secret));
    // A trail that somebody changed.
    let segment = config.join("data/audit/audit-000001.jsonl");
    let lines = std::fs::read_to_string(&segment).unwrap();
    std::fs::write(&segment, lines.replacen("\"tenant\":\"otso\"", "\"tenant\":\"acme\"", 1)).unwrap();
    let (code, text) = report(&[]);
    assert!(code == 1 && !text.contains("requests"), "{text}");
}

/// W3: what a hosted model answers says under which licence, whole or as a stream, and in nobody's words but the platform's.
#[test]
fn w3_every_answer_says_what_rights_there_are_in_it() {
    const RIGHTS: &str = "CC-BY-4.0; https://cats.example/licence";
    let mut own = Own::with(&format!(", output_rights: '{RIGHTS}'"));
    let port = own.port();
    own.setup.upstream_with("unsaid", port, "ca.pem", "/unsaid", "");
    let wosom = tenant_of(&own, "wosom", "");
    let running = own.start(|up: &Arrived| {
        let body = json!({"id": "chatcmpl-1", "choices": []});
        let (kind, text) = if up.value()["stream"] == true {
            ("text/event-stream", format!("data: {body}\n\ndata: [DONE]\n\n"))
        } else {
            ("application/json", body.to_string())
        };
        let head = [("content-type", kind), ("consentry-output-rights", "none at all")];
        vec![Step::Send(super::kit::upstream::answer(200, &head, text))]
    });
    let mut caller = running.gateway.as_(&wosom);
    let mut asks = chat("x");
    for stream in [false, true] {
        asks["stream"] = json!(stream);
        let answer = caller.post(CHAT, &asks).ok();
        assert_eq!(answer.header("consentry-output-rights"), Some(RIGHTS), "{answer}");
    }
    caller.prefix = "/unsaid";
    assert_eq!(caller.post(CHAT, &asks).ok().header("consentry-output-rights"), None);
    drop(running.gateway.stop());
}

/// W12: a new version of the policy ends what was granted under the one before, on the next request, until it is granted again.
#[test]
fn w12_grants_lapse_with_a_new_version_until_they_are_given_again() {
    const NEWS: &str = "policy: news\ntitle: News\nversion: '1'\noptions: {consent: {grants_under: current}}\npromises:\n  - {id: N1, promise: Changes are announced., kept_by: [{option: /consent/grants_under}], shown_by: ['a::b']}\n";
    let own = Own::new();
    std::fs::create_dir_all(own.setup.config().join("policies")).unwrap();
    own.setup.file("policies/news.yaml", NEWS);
    let news = tenant_of(&own, "news", GRANTED);
    let running = own.start(plain);
    let (caller, other) = (running.gateway.as_(&news), running.acme());
    let train = upload("fine-tune", "x.jsonl", &record("x"));
    let reload = |times: usize| {
        running.gateway.process.signal("HUP");
        super::kit::eventually(|| {
            running.gateway.process.written().matches("the configuration was reloaded").count() == times
        });
    };
    caller.ask(&train).ok();
    running.gateway.setup.file("policies/news.yaml", &NEWS.replace("version: '1'", "version: '2'"));
    reload(1);
    let came = running.upstream.arrived().len();
    let refused = caller.ask(&train).refused(Reason::ConsentExpired);
    assert!(refused.text().contains("as promised by news/N1"), "{refused}");
    assert_eq!(running.upstream.arrived().len(), came);
    // It ends nobody else's, and no use that needs no grant.
    other.ask(&train).ok();
    caller.post(CHAT, &chat("x")).ok();
    let file = running.gateway.setup.config().join("tenants/news.yaml");
    let given =
        std::fs::read_to_string(&file).unwrap().replace("policy_version: \"1\"", "policy_version: \"2\"");
    running.gateway.setup.file("tenants/news.yaml", &given);
    reload(2);
    caller.ask(&train).ok();
    drop(running.gateway.stop());
}

/// W9, S1: what the upstream is asked to store it is told not to, unless its owner granted that. A policy that refuses instead
/// is the stricter, and the tenant is told by which promise.
#[test]
fn w9_s1_nothing_is_stored_for_the_policys_tenant_without_a_grant() {
    const KEEP: &str = "policy: keep\ntitle: Keep nothing\nversion: '1'\noptions: {consent: {store_without_grant: refuse}}\npromises:\n  - {id: K1, promise: Nothing is kept., kept_by: [{option: /consent/store_without_grant}], shown_by: ['a::b']}\n";
    let own = Own::with(", region: MY");
    std::fs::create_dir_all(own.setup.config().join("policies")).unwrap();
    own.setup.file("policies/keep.yaml", KEEP);
    let grant =
        "consent: {grants: [{purpose: store, scope: tenant, policy_version: '1', evidence: a test}]}\n";
    let purposes = "[inference, store]";
    let of = |name: &str, policy: &str, more: &str| {
        own.setup.tenant_for(name, purposes, &format!("policy: {policy}\nregion: MY\n{more}"))
    };
    let tenants = ["wosom", "sectorflow"]
        .map(|policy| (of(policy, policy, ""), of(&format!("{policy}-granted"), policy, grant)));
    let (strict, strictest) = (of("strict", "keep", ""), of("strictest", "[sectorflow, keep]", ""));
    let made = AtomicUsize::new(0);
    let running = own.start(move |_: &Arrived| {
        let id = format!("chatcmpl-{}", made.fetch_add(1, Ordering::Relaxed));
        super::kit::upstream::json(200, &json!({"id": id, "choices": []}))
    });
    let mut asks = chat("x");
    asks["store"] = json!(true);
    for (silent, granted) in &tenants {
        let back = running.gateway.as_(silent).post(CHAT, &asks).ok();
        let up = running.upstream.arrived().pop().unwrap().value();
        assert_eq!((back.header("consentry-store"), &up["store"]), (Some("off"), &json!(false)));
        let back = running.gateway.as_(granted).post(CHAT, &asks).ok();
        let up = running.upstream.arrived().pop().unwrap().value();
        assert_eq!((back.header("consentry-store"), &up["store"]), (None, &json!(true)));
    }
    let before = running.upstream.arrived().len();
    for (tenant, promises) in
        [(&strict, json!(["keep/K1"])), (&strictest, json!(["keep/K1", "sectorflow/S1"]))]
    {
        let refused = running.gateway.as_(tenant).post(CHAT, &asks).refused(Reason::ConsentMissing);
        assert!(refused.text().contains("keep/K1"), "{refused}");
        let entry = &running.gateway.recorded(refused.header("x-request-id").unwrap())[0];
        assert_eq!(entry["promises"], promises);
    }
    assert_eq!(running.upstream.arrived().len(), before);
    drop(running.gateway.stop());
}

/// What a tenant sends goes up without the values, and what the upstream says comes back without them, although the tenant's
/// own file lets everything pass by a wide name; without the policy, and with its setting the other way (`loose`), they pass.
fn replaced(policy: &str, loose: &str, values: &[(&str, &str)]) {
    let own = Own::new();
    let of_policy = tenant_of(&own, policy, "censor: {request: {'*': allow}, response: {'*': allow}}\n");
    let without = own.setup.tenant("without", loose);
    let told: Vec<String> = values.iter().map(|(text, _)| (*text).to_owned()).collect();
    let running = own.start(move |arrived: &Arrived| -> Vec<Step> {
        if arrived.target() == "/v1/models" {
            return plain(arrived);
        }
        let said = told.join("\n");
        super::kit::upstream::json(
            200,
            &json!({"id": "chatcmpl-1", "choices": [{"index": 0, "message": {"role": "assistant", "content": said}}]}),
        )
    });
    for (text, value) in values {
        assert!(text.contains(value));
        let back = running.gateway.as_(&of_policy).post(CHAT, &chat(text)).ok().text();
        let up = running.upstream.arrived().pop().unwrap().text();
        assert!(!up.contains(value), "{value} went up: {up}");
        for (_, value) in values {
            assert!(!back.contains(value), "{value} came back: {back}");
        }
        // The test can fail: this tenant lets the values pass.
        let back = running.gateway.as_(&without).post(CHAT, &chat(text)).ok().text();
        let up = running.upstream.arrived().pop().unwrap().text();
        assert!(up.contains(value) && back.contains(value), "{value} is never let through: {up} {back}");
    }
    drop(running.gateway.stop());
}

/// O2: each of the five.
#[test]
fn o2_special_categories_pass_in_neither_direction() {
    replaced(
        "otso",
        "censor: {request: {special-category: allow}, response: {special-category: allow}}\n",
        &[
            ("Diagnosis: multiple sclerosis", "multiple sclerosis"),
            ("Ethnicity: Han Chinese", "Han Chinese"),
            ("Political party: Green Party", "Green Party"),
            ("Religion: Roman Catholic", "Roman Catholic"),
            ("Sexual orientation: lesbian", "lesbian"),
        ],
    );
}

/// P9: MyKad numbers with and without hyphens, and another state's.
#[test]
fn p9_national_numbers_pass_in_neither_direction() {
    let hyphens = ["880101", "14", "5678"].join("-");
    let bare = ["750615", "10", "1234"].concat();
    let ssn = ["536", "90", "4399"].join("-");
    let texts = [format!("MyKad no. {hyphens}"), format!("IC number {bare}"), format!("SSN: {ssn}")];
    replaced(
        "pystorm",
        "censor: {request: {pii: allow, documents: allow}, response: {pii: allow, documents: allow}}\n",
        &[(&texts[0], &hyphens), (&texts[1], &bare), (&texts[2], &ssn)],
    );
}

/// W5: a key that opens something is not handed on.
#[test]
fn w5_a_tenant_of_the_policy_loses_no_key() {
    let secret = token(5);
    let text = format!("the key is {secret} now");
    replaced(
        "wosom",
        "censor: {request: {secrets: allow}, response: {secrets: allow}}\n",
        &[(&text, &secret)],
    );
}

/// P3: what the policy's tenant sends and gets.
#[test]
fn p3_a_tenant_of_the_policy_loses_no_token() {
    let secret = token(3);
    let text = format!("use {secret} for it");
    replaced(
        "pystorm",
        "censor: {request: {secrets: allow}, response: {secrets: allow}}\n",
        &[(&text, &secret)],
    );
}

/// T4: addresses are personal data in bodies too.
#[test]
fn t4_addresses_in_bodies_pass_in_neither_direction() {
    let four = ["8", "8", "4", "4"].join(".");
    let six = ["2001", "4860", "4860", "", "8844"].join(":");
    let texts = [format!("the server is {four} now"), format!("the server is {six} now")];
    replaced(
        "platform",
        "censor: {request: {IP_ADDRESS: allow}, response: {IP_ADDRESS: allow}}\n",
        &[(&texts[0], &four), (&texts[1], &six)],
    );
}

/// A line of a data set that says this of its subject.
fn said(metadata: &Value) -> String {
    let record = json!({"messages": [{"role": "user", "content": "hello"}], "metadata": metadata});
    format!("{record}\n")
}

/// What of each of these files arrives, for a tenant of a policy and for one that has none.
fn judged(policy: &str, files: &[(String, Option<&str>)]) {
    let own = Own::new();
    let of_policy = tenant_of(&own, policy, GRANTED);
    let without = own.setup.tenant("without", GRANTED);
    let made = AtomicUsize::new(0);
    let running = own.start(move |_: &Arrived| {
        let id = format!("file-{}", made.fetch_add(1, Ordering::Relaxed));
        super::kit::upstream::json(200, &json!({"id": id, "object": "file", "purpose": "fine-tune"}))
    });
    let arrives = |tenant: &Tenant, line: &str| {
        // A record that passes in any case: a file of which nothing is left is refused.
        let file = format!("{}{line}", said(&json!({"subject_id": "p-0", "training_consent": true})));
        running.gateway.as_(tenant).ask(&upload("fine-tune", "set.jsonl", file.as_bytes())).ok();
        let arrived = super::files::file_of(running.upstream.arrived().last().unwrap());
        String::from_utf8(arrived).unwrap().lines().nth(1).map(str::to_owned)
    };
    for (line, left) in files {
        assert_eq!(arrives(&of_policy, line).as_deref(), *left, "{line}");
        // What is personal in it may be replaced, but it arrives.
        assert!(arrives(&without, line).is_some(), "somebody judges it: {line}");
    }
    drop(running.gateway.stop());
}

/// O2, O3, O5: the policy alone has the records judged. Children and special categories are left out, who said no is
/// made anonymous, and who says nothing passes.
#[test]
fn o2_o3_o5_records_of_the_policys_tenant_are_judged() {
    let silent = said(&json!({"topic": "a"}));
    judged(
        "otso",
        &[
            (said(&json!({"age": 12})), None),
            (said(&json!({"birth_date": "2015-04-01"})), None),
            (said(&json!({"minor": true})), None),
            (said(&json!({"special_category": "health"})), None),
            (
                said(&json!({"subject_id": "p-9", "training_consent": false, "topic": "a"})),
                Some(silent.trim_end()),
            ),
            (silent.clone(), Some(silent.trim_end())),
        ],
    );
}

/// P1: for the policy's tenant silence is no consent.
#[test]
fn p1_who_said_nothing_is_left_out_for_the_policys_tenant() {
    let yes = said(&json!({"training_consent": true}));
    judged("pystorm", &[(said(&json!({"topic": "a"})), None), (yes.clone(), Some(yes.trim_end()))]);
}
