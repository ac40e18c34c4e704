//! What the commands that look into an account must not do: give away what came of somebody's job or what a live call is making, delete
//! what came to be somebody's, or act without leaving a word in the audit trail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use consentry::names::{Kind, OperationId, RequestId, TenantId, UpstreamId};
use consentry::reason::Reason;
use consentry::store::{Claim, Doomed as _, Making, Options, Origin, Ownership as _, Resource, Sqlite};
use serde_json::{Value, json};

use super::account::{losing, on, rules, state, table, until_they_are_over};
use super::adopt::{adopt, process};
use super::kit::own::Running;
use super::kit::shop::Shop;
use super::kit::upstream::json as reply;
use super::kit::{Ask, Gate, Step, eventually};
use super::orphans::{of_type, orphans, own};

/// What came of a job that is globex's on record is globex's, whatever a rule says; and while a job's owner is open, what came of it
/// is nobody's to give.
#[test]
fn what_came_of_a_held_thing_is_not_given_away() {
    let shop = Shop::default();
    let old = |more: Value| {
        let mut all = json!({"created_at": 1_700_000_000, "purpose": "job_output"});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let account = shop.clone();
    let running = own().start(move |up| account.answer(up));
    let job = running.globex().post("/v1/jobs", &json!({"name": "of globex"})).id();
    let held = shop.make("results", "out of a job of globex", &old(json!({})));
    shop.change(&job, |shown| shown["result"] = json!(held));
    let open = shop.make("results", "out of a job of either", &old(json!({})));
    shop.make("jobs", "acme or globex", &old(json!({"result": open})));
    let new = shop.make("results", "out of a job since then", &json!({"purpose": "job_output"}));
    let free = shop.make("results", "out of the old times", &old(json!({})));
    let setup = &running.gateway.setup;
    let rules = rules(
        setup,
        "  - {kind: result, field: /name, pattern: out, tenant: acme}\n  - {kind: job, field: /name, pattern: acme, tenant: acme}\n  \
         - {kind: job, field: /name, pattern: or globex, tenant: globex}\n",
    );
    let (status, lines, text) = adopt(setup, &["--rules", &rules, "--apply"]);
    assert_eq!(status, 1, "{text}");
    let states = [&held, &open, &new, &free].map(|id| state(&lines, id));
    assert_eq!(states, ["anothers", "of_another_thing", "of_another_thing", "adopted"], "{text}");
    for id in [&held, &open, &new] {
        running.acme().get(&format!("/v1/results/{id}")).refused(Reason::ResourceUnknown);
    }
    running.acme().get(&format!("/v1/results/{free}")).ok();
    let summary = lines.iter().find(|line| line["type"] == "summary").unwrap();
    assert_eq!(
        summary["kinds"]["result"],
        json!({"adopted": 1, "anothers": 1, "of_another_thing": 2}),
        "{text}"
    );
    assert_eq!(summary["kinds"]["job"], json!({"ambiguous": 1, "on_record": 1}), "{text}");
    let mut plain = process(setup, &["--rules", &rules, "--apply"]);
    plain.wait();
    let plain = plain.written();
    assert!(plain.contains("only: job: 1 ambiguous, 1 on_record"), "{plain}");
    assert!(plain.contains("; recorded as request "), "{plain}");
}

/// If the list of jobs can't be read, nobody knows what came of them.
#[test]
fn without_the_list_of_jobs_a_rule_gives_no_result_away() {
    let shop = Shop::default();
    let id = shop.make("results", "out", &json!({"created_at": 1_700_000_000}));
    let account = shop;
    let running = own().start(move |up| match up.target().starts_with("/v1/jobs") {
        true => reply(500, &json!({})),
        false => account.answer(up),
    });
    let setup = &running.gateway.setup;
    let rules = rules(setup, "  - {kind: result, field: /name, pattern: out, tenant: acme}\n");
    let (status, lines, text) = adopt(setup, &["--rules", &rules, "--apply"]);
    assert_eq!((status, state(&lines, &id)), (1, "of_another_thing"), "{text}");
    running.acme().get(&format!("/v1/results/{id}")).refused(Reason::ResourceUnknown);
    // The table may name it.
    let named = table(setup, &format!("result,{id},acme\n"));
    let (_, lines, text) = adopt(setup, &["--owners", &named, "--apply"]);
    assert_eq!(state(&lines, &id), "adopted", "{text}");
}

/// The call has made its thing, and its answer is on the way: the account's clock is hours off.
#[test]
fn what_a_live_call_is_making_is_not_adopted() {
    let shop = Shop::default();
    let (account, made, go) = (shop.clone(), Gate::default(), Gate::default());
    let (tells, waits) = (made.clone(), go.clone());
    let running = super::adopt::own().start(move |up| {
        let steps = account.answer(up);
        if !up.line.starts_with("POST") {
            return steps;
        }
        let now = jiff::Timestamp::now().as_second();
        account.change(&account.things()[0].id, |shown| shown["created_at"] = json!(now - 5 * 3600));
        [vec![Step::Tell(tells.clone()), Step::Wait(waits.clone())], steps].concat()
    });
    let setup = &running.gateway.setup;
    let rules = rules(setup, "  - {kind: vector_store, field: /name, pattern: a, tenant: globex}\n");
    std::thread::scope(|scope| {
        let maker =
            scope.spawn(|| running.acme().ask(&Ask::json("/v1/vector_stores", &json!({"name": "acme"}))));
        made.wait();
        let id = shop.things()[0].id.clone();
        let row = table(setup, &format!("vector_store,{id},globex\n"));
        for how in [["--rules", &rules], ["--owners", &row]] {
            let (status, lines, text) = adopt(setup, &[&how[..], &["--apply"]].concat());
            assert_eq!((status, state(&lines, &id)), (1, "of_an_open_call"), "{text}");
        }
        let (_, lines, text) = orphans(setup, &["--mend=end"]);
        assert!(shop.has(&id), "{text}");
        assert!(of_type(&lines, "call").iter().all(|line| line["state"] == "under_way"), "{text}");
        go.open();
        assert_eq!(maker.join().unwrap().ok().id(), id);
        running.acme().get(&format!("/v1/vector_stores/{id}")).ok();
    });
}

/// Each deed is in the trail, by whose hand, for whom, and with no id in clear; those of the time when no gateway ran as well.
#[test]
fn every_deed_is_in_the_audit_trail() {
    let (shop, lost) = (Shop::default(), on());
    let old = shop.make("files", "old", &json!({"created_at": 1_700_000_000}));
    let running = losing(&shop, &lost);
    running.acme().post("/v1/vector_stores", &json!({"name": "acme"}));
    running.acme().post("/v1/assistants", &json!({"name": "acme", "model": "m"}));
    running.globex().post("/v1/assistants", &json!({"name": "globex", "model": "m"}));
    until_they_are_over();
    let (_, lines, text) = orphans(&running.gateway.setup, &["--mend"]);
    let states: Vec<&Value> = of_type(&lines, "resource").iter().map(|line| &line["state"]).collect();
    assert_eq!(states.len(), 4, "{text}");
    let deeds = || {
        let all = running.gateway.recorded("\"by_hand\"");
        let mut all: Vec<_> = all
            .iter()
            .map(|deed| {
                let text = |name: &str| deed[name].as_str().unwrap_or_default().to_owned();
                (text("what"), text("tenant"), text("kind"))
            })
            .collect();
        all.sort();
        all
    };
    let wanted = |more: &[(&str, &str, &str)]| {
        let mut all: Vec<_> = [
            ("call_closed", "acme", ""),
            ("call_closed", "globex", ""),
            ("given", "acme", "vector_store"),
            ("taken_back", "operator", "assistant"),
            ("taken_back", "operator", "assistant"),
        ]
        .iter()
        .chain(more)
        .map(|(what, tenant, kind)| ((*what).to_owned(), (*tenant).to_owned(), (*kind).to_owned()))
        .collect();
        all.sort();
        all
    };
    eventually(|| deeds() == wanted(&[]));
    let trail = running.gateway.recorded("by_hand");
    let call =
        of_type(&lines, "resource").into_iter().find(|line| line["state"] == "claimed").unwrap()["requests"]
            [0]
        .clone();
    assert!(trail.iter().any(|deed| deed["what"] == "given" && deed["request"] == call), "{trail:?}");
    let ids: Vec<Value> = of_type(&lines, "resource").iter().map(|line| line["id"].clone()).collect();
    assert!(trail.iter().all(|deed| ids.iter().all(|id| !deed.to_string().contains(id.as_str().unwrap()))));

    let Running { gateway, upstream, acme, globex } = running;
    let setup = gateway.stop();
    let rules = rules(&setup, "  - {kind: file, field: /name, pattern: old, tenant: globex}\n");
    let (_, lines, text) = adopt(&setup, &["--rules", &rules, "--apply"]);
    assert_eq!(state(&lines, &old), "adopted", "{text}");
    let request = lines.last().unwrap()["request"].clone();
    let running = Running { gateway: setup.start(), upstream, acme, globex };
    let adopted = || running.gateway.recorded("\"what\":\"adopted\"");
    eventually(|| adopted().len() == 1);
    let deed = adopted().remove(0);
    assert_eq!(
        (&deed["tenant"], &deed["kind"], &deed["request"]),
        (&json!("globex"), &json!("file"), &request)
    );
}

/// What is queued to be deleted and came to be somebody's is not deleted when it is tried again.
#[test]
fn what_came_to_be_somebodys_is_not_deleted_later() {
    let (shop, lost) = (Shop::default(), on());
    let (account, cut, refuses) = (shop.clone(), Arc::clone(&lost), on());
    let no = Arc::clone(&refuses);
    let running = own().start(move |up| {
        if up.line.starts_with("DELETE") && no.load(Ordering::Relaxed) {
            return reply(500, &json!({}));
        }
        let steps = account.answer(up);
        if up.line.starts_with("POST") && cut.load(Ordering::Relaxed) { vec![Step::Cut] } else { steps }
    });
    for caller in [running.acme(), running.globex()] {
        caller.post("/v1/assistants", &json!({"name": "x", "model": "m"}));
    }
    let (_, lines, text) = orphans(&running.gateway.setup, &["--mend"]);
    let queued: Vec<_> =
        of_type(&lines, "resource").iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect();
    assert!(of_type(&lines, "resource").iter().all(|line| line["state"] == "queued"), "{text}");
    let path = running.gateway.setup.config().join("data/consentry.db");
    let store = Sqlite::open(&Options { exclusive: false, ..Options::serving(path) }).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let claim = Claim {
        resource: Resource {
            upstream: UpstreamId::new("only"),
            kind: Kind::new("assistant"),
            id: queued[0].clone(),
        },
        tenant: TenantId::new("acme"),
        dataset: None,
        label: None,
        judged: consentry::store::JudgedFor::NOTHING,
        made: Making {
            origin: Origin::Yielded,
            operation: OperationId::new("listAssistants"),
            request: RequestId::fresh(),
            from: Vec::new(),
        },
    };
    runtime.block_on(store.claim(vec![claim])).unwrap();
    refuses.store(false, Ordering::Relaxed);
    eventually(|| runtime.block_on(store.waiting()).unwrap() == 0);
    assert!(shop.has(&queued[0]), "it is acme's, and was deleted");
    assert!(!shop.has(&queued[1]), "it is nobody's");
    running.acme().get(&format!("/v1/assistants/{}", queued[0])).ok();
}

/// 0: nothing is left. 1: something is. 2: it could not be done. 64: the operator's own mistake.
#[test]
fn the_exit_status_says_how_it_ended() {
    let (shop, lost) = (Shop::default(), on());
    let unreadable = Arc::new(AtomicBool::new(false));
    let (account, cut, breaks) = (shop, Arc::clone(&lost), Arc::clone(&unreadable));
    let running = own().start(move |up| {
        if breaks.load(Ordering::Relaxed) {
            return reply(500, &json!({}));
        }
        let steps = account.answer(up);
        if up.line.starts_with("POST") && cut.load(Ordering::Relaxed) { vec![Step::Cut] } else { steps }
    });
    let setup = &running.gateway.setup;
    let rule = rules(setup, "  - {kind: file, field: /name, pattern: x, tenant: acme}\n");
    let by_rule = ["--rules", rule.as_str()];
    assert_eq!((orphans(setup, &[]).0, adopt(setup, &by_rule).0), (0, 0));
    running.acme().post("/v1/vector_stores", &json!({"name": "x"}));
    assert_eq!(orphans(setup, &[]).0, 1, "a thing is left");
    assert_eq!(orphans(setup, &["--mend"]).0, 0);
    unreadable.store(true, Ordering::Relaxed);
    assert_eq!((orphans(setup, &[]).0, adopt(setup, &by_rule).0), (1, 1), "no list can be read");
    unreadable.store(false, Ordering::Relaxed);
    assert_eq!((orphans(setup, &["--most", "0"]).0, adopt(setup, &["--within", "0"]).0), (64, 64));
    let store = setup.config().join("data/consentry.db");
    let Running { gateway, .. } = running;
    let setup = gateway.stop();
    std::fs::write(&store, "this is no database, and it is long enough to be taken for one".repeat(100))
        .unwrap();
    assert_eq!((orphans(&setup, &[]).0, adopt(&setup, &by_rule).0), (2, 2), "the store is damaged");
    std::fs::remove_file(&store).unwrap();
    assert_eq!((orphans(&setup, &[]).0, adopt(&setup, &by_rule).0), (64, 64), "there is none");
}
