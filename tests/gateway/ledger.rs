//! The consent ledger: what the command line records decides the next request, and nothing of it can be changed afterwards.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::kit::own::{Own, Running};
use super::kit::upstream::{json as reply, plain};
use super::kit::values::{chat, record, upload};
use super::kit::{Ask, Gateway, eventually};

/// Runs `consentry consent`, and gives its exit status with all that it said.
fn consent(config: &Path, arguments: &[&str], input: &str) -> (i32, String) {
    run(config, &[&["consent"], arguments].concat(), input)
}

fn run(config: &Path, arguments: &[&str], input: &str) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_consentry"))
        .args(arguments)
        .arg("--config")
        .arg(config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(told).unwrap())
}

fn says(gateway: &Gateway, arguments: &[&str]) -> String {
    let (status, told) = consent(&gateway.setup.config(), arguments, "");
    assert_eq!(status, 0, "{arguments:?}: {told}");
    told
}

fn entries(told: &str) -> Vec<Value> {
    told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// W11, W1: a withdrawal on record stops the next request, in connections that are open and over both versions of HTTP, though the
/// tenant's file still grants the use; a later grant opens it again; the audit trail has each.
#[test]
fn w11_w1_a_withdrawal_in_the_ledger_works_on_the_next_request() {
    let made = AtomicUsize::new(0);
    let Running { gateway, upstream, acme, globex } = Own::new().start(move |_| {
        let id = format!("file-{}", made.fetch_add(1, Ordering::Relaxed));
        reply(200, &json!({"id": id, "object": "file", "choices": []}))
    });
    let caller = gateway.as_(&acme);
    let train = caller.signed(&upload("fine-tune", "x.jsonl", &record("x")));
    let talk = caller.signed(&Ask::json("/v1/chat/completions", &chat("x")));
    let mut conn = gateway.open();
    conn.write(&train.bytes());
    conn.answer().ok();
    let told =
        says(&gateway, &["withdraw", "--tenant", "acme", "--purpose", "train", "--evidence", "ticket 7"]);
    assert!(told.contains("entry 1") && told.contains("withdrawn"), "{told}");
    // Only what was taken back, and only of whom.
    conn.write(&talk.bytes());
    conn.answer().ok();
    let came = upstream.arrived().len();
    conn.write(&train.bytes());
    conn.answer().refused(Reason::ConsentMissing);
    gateway.send_h2(&train).refused(Reason::ConsentMissing);
    assert_eq!(upstream.arrived().len(), came, "something went up");
    gateway.as_(&globex).ask(&upload("fine-tune", "x.jsonl", &record("x"))).ok();
    let again =
        ["grant", "--tenant", "acme", "--purpose", "train,evaluate", "--until", "2099-01-01T00:00:00Z"];
    says(&gateway, &again);
    gateway.send(&train).ok();
    let all = entries(&says(&gateway, &["list", "--json"]));
    assert_eq!(all.len(), 2);
    assert_eq!((&all[0]["change"], &all[0]["evidence"]), (&json!("withdrawn"), &json!("ticket 7")));
    assert_eq!(all[1]["purposes"], json!(["train", "evaluate"]));
    let folder = gateway.setup.config().join("data/audit");
    eventually(|| super::kit::gateway::recorded(&folder, "\"type\":\"consent\"").len() == 2);
    let marks = super::kit::gateway::recorded(&folder, "\"type\":\"consent\"");
    for (mark, entry) in marks.iter().zip(&all) {
        let of = |value: &Value, names: [&str; 4]| names.map(|name| value[name].clone());
        assert_eq!(
            of(mark, ["tenant", "change", "entry", "link"]),
            of(entry, ["tenant", "change", "number", "hash"])
        );
        assert_eq!(mark["purposes"], entry["purposes"]);
    }
    drop(gateway.stop());
}

/// W1: a grant of the ledger counts like one of the file, needs the tenant's and the data set's, and ends.
#[test]
fn w1_what_only_the_ledger_grants_is_granted() {
    let own = Own::new();
    own.setup.file("tenants/acme.yaml", &without_grants(&own));
    let Running { gateway, acme, .. } = own.start(plain);
    let caller = gateway.as_(&acme);
    let train =
        |dataset: &str| upload("fine-tune", "x.jsonl", &record("x")).header("consentry-dataset", dataset);
    let grant = |arguments: &[&str]| {
        let all = [&["grant", "--tenant", "acme", "--purpose", "train"], arguments].concat();
        says(&gateway, &all)
    };
    caller.ask(&train("a")).refused(Reason::ConsentMissing);
    let told = grant(&["--dataset", "a"]);
    assert!(told.contains("has no effect before"), "{told}");
    caller.ask(&train("a")).refused(Reason::ConsentMissing);
    grant(&["--policy-version", "1"]);
    caller.ask(&train("a")).ok();
    caller.ask(&train("b")).refused(Reason::ConsentMissing);
    grant(&["--all-datasets", "--until", "2020-01-01T00:00:00Z"]);
    caller.ask(&train("b")).refused(Reason::ConsentExpired);
    // What is said of a record concerns what the record is about.
    let records = entries(&says(&gateway, &["list", "--tenant", "acme", "--json"]));
    let of_a = records[0]["record"].as_str().unwrap();
    let told = says(&gateway, &["withdraw", "--tenant", "acme", "--record", of_a]);
    assert!(told.contains(of_a), "{told}");
    caller.ask(&train("a")).refused(Reason::ConsentMissing);
    assert_eq!(entries(&says(&gateway, &["list", "--record", of_a, "--json"])).len(), 2);
    drop(gateway.stop());
}

/// The tenant's file as it is, without a grant.
fn without_grants(own: &Own) -> String {
    let file = own.setup.config().join("tenants/acme.yaml");
    let text = std::fs::read_to_string(file).unwrap();
    let start = text.find("consent:").unwrap();
    let end = text.find("censor:").unwrap();
    format!("{}{}", &text[..start], &text[end..])
}

/// W12: where grants of another policy version lapse, training stops with the new version and goes on with a new grant.
#[test]
fn w12_grants_of_an_older_policy_version_lapse() {
    let own = Own::new();
    let file = own.setup.config().join("tenants/acme.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let dated = text.replace("evidence: a test", "evidence: a test, policy_version: '1'");
    let with = |version: &str, more: &str| {
        dated.replace(
            "consent:\n",
            &format!("consent:\n  policy_version: '{version}'\n  older_grants: lapse\n{more}"),
        )
    };
    own.setup.file("tenants/acme.yaml", &with("1", ""));
    let Running { gateway, acme, .. } = own.start(plain);
    let caller = gateway.as_(&acme);
    let train = upload("fine-tune", "x.jsonl", &record("x"));
    let load = |text: &str| {
        let times = || gateway.process.written().matches("the configuration was reloaded").count();
        let before = times();
        gateway.setup.file("tenants/acme.yaml", text);
        gateway.process.signal("HUP");
        eventually(|| times() > before);
    };
    caller.ask(&train).ok();
    load(&with("2", ""));
    caller.ask(&train).refused(Reason::ConsentExpired);
    load(&with("2", "  still_valid: ['1']\n"));
    caller.ask(&train).ok();
    load(&with("3", ""));
    caller.ask(&train).refused(Reason::ConsentExpired);
    says(&gateway, &["grant", "--tenant", "acme", "--purpose", "train"]);
    says(&gateway, &["grant", "--tenant", "acme", "--purpose", "train", "--all-datasets"]);
    assert_eq!(entries(&says(&gateway, &["list", "--json"]))[0]["policy_version"], "3");
    caller.ask(&train).ok();
    drop(gateway.stop());
}

/// O4: `Sec-GPC` and `TDM-Reservation` of a request say no, and never yes.
#[test]
fn o4_signals_of_the_request_restrict() {
    let Running { gateway, acme, .. } = Own::new().start(plain);
    let caller = gateway.as_(&acme);
    let train = || upload("fine-tune", "x.jsonl", &record("x"));
    caller.ask(&train().header("tdm-reservation", "1")).refused(Reason::ConsentMissing);
    caller.ask(&train().header("tdm-reservation", "0")).ok();
    // It speaks of sharing, unless the tenant says more.
    caller.ask(&train().header("sec-gpc", "1")).ok();
    let file = gateway.setup.config().join("tenants/acme.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    gateway.setup.file("tenants/acme.yaml", &text.replace("consent:\n", "consent:\n  gpc: [share, train]\n"));
    gateway.process.signal("HUP");
    gateway.process.line("the configuration was reloaded");
    caller.ask(&train().header("sec-gpc", "1")).refused(Reason::ConsentMissing);
    caller.ask(&train().header("sec-gpc", "0")).ok();
    drop(gateway.stop());
}

/// People are known by keyed hashes: their names come from a file or standard input, and stand nowhere afterwards.
#[test]
fn subjects_are_hashed_and_their_names_kept_nowhere() {
    let Running { gateway, .. } = Own::new().start(plain);
    let config = gateway.setup.config();
    let name = |n: usize| format!("person-{n}-of-the-ledger");
    let many: String = (0..5_000).map(|n| name(n) + "\n").collect();
    let grant = ["grant", "--tenant", "acme", "--purpose", "train", "--subjects", "-"];
    let (status, told) = consent(&config, &grant, &many);
    assert_eq!(status, 0, "{told}");
    assert!(told.contains("5000 entries from 1 on"), "{told}");
    let list = |tenant: &str, names: &str| {
        let (status, told) =
            consent(&config, &["list", "--tenant", tenant, "--subjects", "-", "--json"], names);
        assert_eq!(status, 0, "{told}");
        entries(&told)
    };
    let found = list("acme", &format!("{}\n\n  {}  \nnobody", name(7), name(4_999)));
    assert_eq!(found.len(), 2);
    assert_ne!(found[0]["subject"], found[1]["subject"]);
    assert!(list("globex", &name(7)).is_empty(), "the hash of another tenant is another");
    let (status, told) = consent(&config, &["verify"], "");
    assert!(status == 0 && told.contains("5000 entries"), "{told}");
    let setup = gateway.stop();
    for file in std::fs::read_dir(setup.config().join("data")).unwrap() {
        let path = file.unwrap().path();
        let bytes = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        assert!(!bytes.windows(9).any(|window| window == b"person-7-"), "{}", path.display());
    }
}

/// Nothing of the ledger can be changed without being seen.
#[test]
fn a_changed_ledger_is_found_out() {
    let Running { gateway, .. } = Own::new().start(plain);
    for _ in 0..3 {
        says(&gateway, &["withdraw", "--tenant", "acme", "--purpose", "share"]);
    }
    let setup = gateway.stop();
    let config = setup.config();
    let (status, told) = consent(&config, &["verify"], "");
    assert!(status == 0 && told.contains("3 entries"), "{told}");
    let store = rusqlite::Connection::open(config.join("data/consentry.db")).unwrap();
    let triggers: Vec<String> = store
        .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'consent'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(!triggers.is_empty(), "nothing keeps the ledger from being changed");
    for trigger in triggers {
        store.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
    }
    store.execute_batch("UPDATE consent SET recorded_by = 'somebody else' WHERE n = 2").unwrap();
    let (status, told) = consent(&config, &["verify"], "");
    assert!(status == 1 && told.contains("broken at entry 2"), "{status}: {told}");
}

/// What can't be recorded says why, and leaves nothing behind.
#[test]
fn what_the_ledger_refuses() {
    let Running { gateway, .. } = Own::new().start(plain);
    let config = gateway.setup.config();
    says(&gateway, &["revoke", "--tenant", "acme", "--purpose", "evaluate"]);
    let faults: [(&[&str], &str, i32, &str); 9] = [
        (&["grant", "--tenant", "acmee", "--purpose", "train"], "", 64, "did you mean `acme`?"),
        (&["grant", "--tenant", "acme", "--purpose", "inference"], "", 64, "known: train"),
        (&["grant", "--tenant", "acme"], "", 64, "--purpose"),
        (
            &["grant", "--tenant", "acme", "--purpose", "train", "--subjects", "-"],
            " \n",
            64,
            "names no subject",
        ),
        (&["grant", "--tenant", "acme", "--purpose", "train", "--subjects", "/nowhere"], "", 64, "/nowhere"),
        (
            &[
                "grant",
                "--tenant",
                "acme",
                "--purpose",
                "train",
                "--from",
                "2027-01-02T00:00:00Z",
                "--until",
                "2027-01-01T00:00:00Z",
            ],
            "",
            64,
            "before it begins",
        ),
        (
            &["grant", "--tenant", "acme", "--purpose", "evaluate", "--dataset", "a"],
            "",
            64,
            "grant it there first",
        ),
        (&["grant", "--tenant", "acme", "--record", "x"], "", 64, "is a UUID"),
        (
            &["withdraw", "--tenant", "acme", "--record", "0190c0de-0000-7000-8000-000000000000"],
            "",
            64,
            "has no record",
        ),
    ];
    for (arguments, input, expected, words) in faults {
        let (status, told) = consent(&config, arguments, input);
        assert_eq!(status, expected, "{arguments:?}: {told}");
        assert!(told.contains(words), "{arguments:?}: {told}");
    }
    let long = "x".repeat(1025);
    let (status, told) =
        consent(&config, &["grant", "--tenant", "acme", "--purpose", "train", "--subjects", "-"], &long);
    assert!(status == 64 && told.contains("line 1") && !told.contains(&long), "{told}");
    assert_eq!(says(&gateway, &["list"]).lines().count(), 1);
    drop(gateway.stop());
}

/// A decision explains itself before anything is sent: whose each resource is, and which facts decide, with their places.
#[test]
fn explain_shows_the_facts_of_a_decision() {
    let made = json!({"id": "file-made", "object": "file", "purpose": "fine-tune"});
    let Running { gateway, upstream, acme, .. } = Own::new().start(move |_| reply(200, &made));
    gateway.as_(&acme).ask(&upload("fine-tune", "x.jsonl", &record("x"))).ok();
    let config = gateway.setup.config();
    let job = json!({"model": "gpt-4o-mini", "training_file": "file-made"}).to_string();
    let explain = |tenant: &str| {
        let path = "/v1/fine_tuning/jobs";
        let typed = "content-type: application/json";
        let all = ["explain", "POST", path, "--tenant", tenant, "-H", typed, "--body", "-", "--json"];
        let (status, told) = run(&config, &all, &job);
        let value: Value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{status}: {told}"));
        (status, value)
    };
    let came = upstream.arrived().len();
    let (status, told) = explain("acme");
    assert_eq!(
        (status, &told["passes"], &told["operation"]),
        (0, &json!(true), &json!("createFineTuningJob"))
    );
    let file = json!({"kind": "file", "id": "file-made", "whose": "tenant", "owner": null});
    assert!(told["resources"].as_array().unwrap().contains(&file), "{told}");
    let facts = told["facts"].as_array().unwrap();
    assert!(facts.iter().all(|fact| fact["says"] == "granted"), "{told}");
    assert!(facts.iter().any(|fact| fact["source"] == "the tenant's file, grant 1"), "{told}");
    let (status, told) = explain("globex");
    assert_eq!((status, &told["reason"]), (1, &json!("resource_unknown")), "{told}");
    assert_eq!(
        told["resources"].as_array().unwrap().iter().filter(|one| one["whose"] == "not_theirs").count(),
        1
    );
    says(&gateway, &["withdraw", "--tenant", "acme", "--purpose", "train"]);
    let (status, told) = explain("acme");
    assert_eq!((status, &told["reason"]), (1, &json!("consent_missing")), "{told}");
    let facts = told["facts"].as_array().unwrap();
    let no = facts.iter().find(|fact| fact["says"] == "withdrawn").unwrap();
    assert_eq!((&no["about"], &no["source"]), (&json!("the tenant"), &json!("the ledger, entry 1")));
    let (status, text) = run(&config, &["explain", "GET", "/v1/nothing", "--tenant", "acme"], "");
    assert!(status == 1 && text.contains("it would be refused: operation_unknown"), "{text}");
    let (status, text) = run(&config, &["explain", "GET", "/v1/models", "--tenant", "acm"], "");
    assert!(status == 64 && text.contains("did you mean `acme`?"), "{text}");
    assert_eq!(upstream.arrived().len(), came, "something was sent");
    drop(gateway.stop());
}
