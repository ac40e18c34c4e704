//! `consentry adopt`: an account that was in use before the gateway stood before it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::kit::own::{Own, Running};
use super::kit::process::Process;
use super::kit::shop::{PROFILE, Shop};
use super::kit::values::{record, upload};
use super::kit::{Caller, Setup, Step};

pub(crate) fn own() -> Own {
    let mut own = Own::with("");
    own.profile("shop", PROFILE);
    own.setup.routes = own.setup.routes.replace("api: openai", "api: shop");
    own
}

fn start(shop: &Shop) -> Running {
    let account = shop.clone();
    own().start(move |up| account.answer(up))
}

/// A file beside the configuration.
pub(crate) fn written(setup: &Setup, name: &str, text: &str) -> PathBuf {
    let path = setup.config().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

pub(crate) fn process(setup: &Setup, arguments: &[&str]) -> Process {
    let config = setup.config();
    let all = [&["adopt", "--config", config.to_str().unwrap()], arguments].concat();
    Process::start(&all, &[("SSL_CERT_FILE", "/dev/null".as_ref())])
}

/// `consentry adopt` with these arguments: status, lines, and all that it wrote.
pub(crate) fn adopt(setup: &Setup, arguments: &[&str]) -> (i32, Vec<Value>, String) {
    let mut process = process(setup, &[&["--json"], arguments].concat());
    let status = process.wait().code().unwrap();
    let written = process.written();
    (status, written.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(), written)
}

pub(crate) fn counts(lines: &[Value]) -> Value {
    lines.iter().find(|line| line["type"] == "summary").unwrap()["counts"].clone()
}

fn ids(caller: &Caller<'_>, of: &str) -> Vec<String> {
    let page = caller.get(&format!("/v1/{of}?limit=100")).ok().value();
    assert_eq!(page["has_more"], false);
    page["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// Made long before any call that is on record.
fn old(purpose: &str) -> Value {
    json!({"purpose": purpose, "created_at": 1_700_000_000})
}

#[test]
fn an_account_that_was_in_use_becomes_its_tenants_and_a_dry_run_changes_nothing() {
    let shop = Shop::default();
    let by_row = shop.make("files", "by row", &old("fine-tune"));
    let by_rule: Vec<String> =
        (0..9).map(|n| shop.make("files", &format!("globex-{n}"), &old("user_data"))).collect();
    let both = shop.make("files", "acme globex-both", &old("user_data"));
    let nobodys = shop.make("vector_stores", "nobody", &old("x"));
    let running = start(&shop);
    let setup = &running.gateway.setup;
    let recorded = running.globex().ask(&upload("user_data", "new", &record("x"))).id();
    let missing = "file-9999999999999999999999";
    let table = format!(
        "kind,id,tenant\nfile,{by_row},acme\nfile,{recorded},acme\r\nfile,{missing},acme\nticket,t1,acme\n"
    );
    let table = written(setup, "owners.csv", &table);
    let rules = "rules:\n  - {kind: file, field: /name, pattern: globex-, tenant: globex}\n  - {kind: file, field: /name, \
                 pattern: '^acme', tenant: acme}\n";
    let rules = written(setup, "rules.yaml", rules);
    let files = ["--owners", table.to_str().unwrap(), "--rules", rules.to_str().unwrap()];

    let (status, lines, text) = adopt(setup, &files);
    assert_eq!(status, 1, "{text}");
    let all = json!({"would_be_adopted": 10, "ambiguous": 1, "anothers": 1, "nobodys": 1, "not_found": 1, "not_listed": 1});
    assert_eq!(counts(&lines), all, "{text}");
    let of = |id: &str| lines.iter().find(|line| line["id"] == *id).unwrap();
    assert_eq!(of(&both)["tenants"], json!(["acme", "globex"]));
    assert_eq!(
        (&of(&recorded)["state"], &of(&recorded)["tenants"]),
        (&json!("anothers"), &json!(["globex"]))
    );
    assert_eq!((&of(missing)["state"], &of(missing)["line"]), (&json!("not_found"), &json!(4)));
    assert!(ids(&running.acme(), "files").is_empty(), "a dry run changes nothing");
    running.acme().get(&format!("/v1/files/{by_row}")).refused(Reason::ResourceUnknown);

    let (_, lines, text) = adopt(setup, &[&files[..], &["--apply"]].concat());
    assert_eq!(counts(&lines)["adopted"], 10, "{text}");
    assert_eq!(ids(&running.acme(), "files"), std::slice::from_ref(&by_row));
    let mut theirs = by_rule;
    theirs.push(recorded);
    theirs.reverse();
    assert_eq!(ids(&running.globex(), "files"), theirs);
    for caller in [running.acme(), running.globex()] {
        caller.get(&format!("/v1/files/{both}")).refused(Reason::ResourceUnknown);
        caller.get(&format!("/v1/vector_stores/{nobodys}")).refused(Reason::ResourceUnknown);
    }
    running.globex().get(&format!("/v1/files/{by_row}")).refused(Reason::ResourceUnknown);
    // What it is said to be for is on record: the one may be trained on, the other may not.
    let train = |caller: &Caller<'_>, id: &str| {
        caller.post("/v1/vector_stores", &json!({"name": "x", "train_on": id})).status
    };
    assert_eq!(train(&running.acme(), &by_row), 200);
    assert_ne!(train(&running.globex(), &theirs[1]), 200);

    let (_, lines, text) = adopt(setup, &[&files[..], &["--apply"]].concat());
    assert_eq!(counts(&lines)["adopted"], Value::Null, "the second time changes nothing: {text}");
    assert_eq!(counts(&lines)["on_record"], 11, "{text}");
    // As lines.
    let mut plain = process(setup, &files);
    plain.wait();
    let text = plain.written();
    assert!(text.contains(&format!("only\tfile\t{both}\tacme or globex\tambiguous")), "{text}");
    assert!(text.contains("nothing was changed"), "{text}");
}

#[test]
fn what_was_killed_midway_is_begun_again_and_ends() {
    let shop = Shop::default();
    for n in 0..30 {
        shop.make("files", &format!("acme-{n}"), &old("user_data"));
    }
    let (account, victim): (_, Arc<Mutex<Option<u32>>>) = (shop, Arc::default());
    let kills = Arc::clone(&victim);
    let pages = Mutex::new(0);
    let running = own().start(move |up| {
        // The third page of what the command reads.
        if up.line.starts_with("GET /v1/files?") {
            let mut pages = pages.lock().unwrap();
            let mut victim = kills.lock().unwrap();
            *pages += 1;
            if let Some(pid) = victim.as_ref().filter(|_| *pages >= 3) {
                Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap();
                *victim = None;
                return vec![Step::Cut];
            }
        }
        account.answer(up)
    });
    let setup = &running.gateway.setup;
    let rules = "rules:\n  - {kind: file, field: /name, pattern: ^acme, tenant: acme}\n";
    let rules = written(setup, "rules.yaml", rules);
    let arguments = ["--json", "--rules", rules.to_str().unwrap(), "--apply"];
    // The lock keeps the first page from being answered before it is known whom to kill.
    let mut first = {
        let mut victim = victim.lock().unwrap();
        let first = process(setup, &arguments);
        *victim = Some(first.pid);
        first
    };
    assert_eq!(first.wait().code(), None, "it was killed: {}", first.written());
    assert_eq!(ids(&running.acme(), "files").len(), 14, "two pages of seven are on record");
    let (status, lines, text) = adopt(setup, &arguments[1..]);
    assert_eq!((status, counts(&lines)), (0, json!({"adopted": 16, "on_record": 14})), "{text}");
    assert_eq!(ids(&running.acme(), "files").len(), 30);
    assert!(ids(&running.globex(), "files").is_empty());
    assert_eq!(counts(&adopt(setup, &arguments[1..]).1), json!({"on_record": 30}));
}

/// A rule must not give to one tenant what another one's call, whose answer was lost, has just made.
#[test]
fn what_an_open_call_may_have_made_is_not_given_away() {
    let shop = Shop::default();
    let account = shop.clone();
    let running = own().start(move |up| {
        let steps = account.answer(up);
        if up.line.starts_with("POST") { vec![Step::Cut] } else { steps }
    });
    running.acme().ask(&upload("user_data", "lost", &record("x")));
    let lost = shop.things()[0].id.clone();
    let setup = &running.gateway.setup;
    let rules = written(
        setup,
        "rules.yaml",
        "rules:\n  - {kind: file, field: /name, pattern: lost, tenant: globex}\n",
    );
    let (status, lines, text) = adopt(setup, &["--rules", rules.to_str().unwrap(), "--apply"]);
    assert_eq!((status, counts(&lines)), (1, json!({"of_an_open_call": 1})), "{text}");
    running.globex().get(&format!("/v1/files/{lost}")).refused(Reason::ResourceUnknown);
}

#[test]
fn a_bad_table_or_rule_is_named_by_line_and_column_and_nothing_is_assigned() {
    let shop = Shop::default();
    let id = shop.make("files", "acme", &old("user_data"));
    let running = start(&shop);
    let setup = &running.gateway.setup;
    let other = "file-0000000000000000000077";
    let table = format!(
        "kind,id,tenant\nfile,{id},acme\nfile,{other},acmee\nfiel,{other},acme\nfile,nonsense,acme\nfile,{id},globex\n\
         \"file\",{other}\n"
    );
    let table = written(setup, "owners.csv", &table);
    let rules = "rules:\n  - {kind: file, field: name, pattern: '(', tenant: nobody}\n";
    let rules = written(setup, "rules.yaml", rules);
    let (status, _, text) =
        adopt(setup, &["--owners", table.to_str().unwrap(), "--rules", rules.to_str().unwrap(), "--apply"]);
    assert_eq!(status, 64, "{text}");
    for said in [
        "owners.csv:3:34: unknown tenant `acmee`",
        "did you mean `acme`?",
        "owners.csv:4:1: unknown kind `fiel`",
        "owners.csv:5:6: no file that has an owner has such an id",
        "owners.csv:6:6: the id stands in line 2 already",
        "owners.csv:7:1: a row has the columns kind,id,tenant, not 2",
        "rules.yaml:2:25: no pointer",
        "rules.yaml:2:40: no regular expression",
        "rules.yaml:2:53: unknown tenant `nobody`",
    ] {
        assert!(text.contains(said), "no {said:?} in:\n{text}");
    }
    assert!(ids(&running.acme(), "files").is_empty());
    for (name, text, said) in [
        ("head.csv", "id,kind,tenant\n", "head.csv:1:1: the columns have other names"),
        (
            "key.yaml",
            "rules:\n  - {kind: file, feild: /a, pattern: a, tenant: acme}\n",
            "did you mean `field`?",
        ),
    ] {
        let path = written(setup, name, text);
        let option = if name.ends_with("csv") { "--owners" } else { "--rules" };
        let (status, _, text) = adopt(setup, &[option, path.to_str().unwrap()]);
        assert!(status == 64 && text.contains(said), "no {said:?} in:\n{text}");
    }
    assert_eq!(adopt(setup, &[]).0, 64, "something has to say whose things are");
    assert!(adopt(setup, &["--owners", "/nonexistent"]).2.contains("can't be read"));
}
