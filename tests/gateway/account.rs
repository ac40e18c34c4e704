//! What `consentry orphans` must not do: give away or delete what may be somebody else's, or take a list that was cut short for a
//! whole one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::adopt::{adopt, counts, written};
use super::kit::own::Running;
use super::kit::shop::Shop;
use super::kit::upstream::json as reply;
use super::kit::{Arrived, Gate, Setup, Step};
use super::orphans::{of_type, orphans, own};

/// An account whose answers to what creates are lost while this is on.
pub(crate) fn losing(shop: &Shop, lost: &Arc<AtomicBool>) -> Running {
    let (account, lost) = (shop.clone(), Arc::clone(lost));
    own().start(move |up| {
        let steps = account.answer(up);
        if up.line.starts_with("POST") && lost.load(Ordering::Relaxed) { vec![Step::Cut] } else { steps }
    })
}

pub(crate) fn on() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(true))
}

/// Nothing can come any more of calls that were lost just now.
pub(crate) fn until_they_are_over() {
    std::thread::park_timeout(Duration::from_millis(3_200));
}

/// States of an answer's things by id.
pub(crate) fn state<'a>(lines: &'a [Value], id: &str) -> &'a str {
    let line = lines.iter().find(|line| line["id"] == *id);
    line.unwrap_or_else(|| panic!("{id} is not told of: {lines:?}"))["state"].as_str().unwrap()
}

pub(crate) fn rules(setup: &Setup, rules: &str) -> String {
    written(setup, "rules.yaml", &format!("rules:\n{rules}")).to_str().unwrap().to_owned()
}

pub(crate) fn table(setup: &Setup, rows: &str) -> String {
    written(setup, "owners.csv", &format!("kind,id,tenant\n{rows}")).to_str().unwrap().to_owned()
}

/// What globex's job brought forth while acme's call was lost is not acme's, whatever acme said.
#[test]
fn what_came_of_another_tenants_job_is_not_given_to_a_lost_call() {
    let (shop, lost) = (Shop::default(), on());
    let account = shop.clone();
    let cut = Arc::clone(&lost);
    let running = own().start(move |up| {
        // Nothing is made: the call is lost before the account heard of it.
        if up.line.starts_with("POST /v1/results") && cut.load(Ordering::Relaxed) {
            return vec![Step::Cut];
        }
        account.answer(up)
    });
    let job = running.globex().post("/v1/jobs", &json!({"name": "of globex"})).id();
    running.acme().post("/v1/results", &json!({"name": "acme", "purpose": "job_output"}));
    let outputs = [
        shop.make("results", "output", &json!({"purpose": "job_output"})),
        shop.make("results", "other", &json!({"purpose": "something else"})),
    ];
    shop.change(&job, |shown| shown["result"] = json!(outputs[0]));
    until_they_are_over();
    for mend in ["--mend", "--mend=end"] {
        let (status, lines, text) = orphans(&running.gateway.setup, &[mend]);
        assert_eq!(status, 1, "{text}");
        assert_eq!(state(&lines, &outputs[0]), "ambiguous", "{text}");
        assert_eq!(
            of_type(&lines, "resource").iter().find(|one| one["id"] == *outputs[0]).unwrap()["doubt"],
            "may_have_come_of_a_job"
        );
        assert_eq!(state(&lines, &outputs[1]), "nobodys", "it shows another word than the call said: {text}");
        assert_eq!(of_type(&lines, "call")[0]["state"], "open", "{text}");
    }
    for output in &outputs {
        assert!(shop.has(output), "it was taken back");
        running.acme().get(&format!("/v1/results/{output}")).refused(Reason::ResourceUnknown);
    }
    assert_eq!(running.globex().get(&format!("/v1/jobs/{job}")).ok().value()["result"], *outputs[0]);
    running.globex().get(&format!("/v1/results/{}", outputs[0])).ok();
    // It is on record now: nothing is left that the call may have made.
    let (status, _, text) = orphans(&running.gateway.setup, &["--mend"]);
    assert_eq!(status, 0, "{text}");
}

/// Of more things than calls, one at least is a stranger's.
#[test]
fn with_more_things_than_calls_nothing_is_given_or_deleted() {
    let (shop, lost) = (Shop::default(), on());
    let running = losing(&shop, &lost);
    running.acme().post("/v1/vector_stores", &json!({"name": "acme"}));
    shop.make("vector_stores", "a stranger's", &json!({}));
    running.acme().post("/v1/assistants", &json!({"name": "acme", "model": "m"}));
    running.globex().post("/v1/assistants", &json!({"name": "globex", "model": "m"}));
    shop.make("assistants", "a stranger's", &json!({}));
    until_they_are_over();
    for mend in ["--mend", "--mend=end"] {
        let (status, lines, text) = orphans(&running.gateway.setup, &[mend]);
        assert_eq!(status, 1, "{text}");
        let things = of_type(&lines, "resource");
        assert_eq!(things.len(), 5);
        assert!(things.iter().all(|line| line["state"] == "ambiguous"), "{text}");
        assert!(of_type(&lines, "call").iter().all(|line| line["state"] == "open"), "{text}");
        assert_eq!(shop.things().len(), 5, "nothing is deleted");
    }
    // The operator says whose they are, and deletes what is nobody's.
    let things = shop.things();
    let id =
        |name: &str, of: &str| things.iter().find(|one| one.name == name && one.of == of).unwrap().id.clone();
    let setup = &running.gateway.setup;
    let rows = format!(
        "vector_store,{},acme\nassistant,{},globex\n",
        id("acme", "vector_stores"),
        id("globex", "assistants")
    );
    let named = table(setup, &rows);
    let (_, lines, text) = adopt(setup, &["--owners", &named, "--apply", "--skew", "1"]);
    assert_eq!(counts(&lines)["adopted"], 2, "{text}");
    running.acme().get(&format!("/v1/vector_stores/{}", id("acme", "vector_stores"))).ok();
}

/// A list moves while it is read, and shows the same thing on two pages.
#[test]
fn a_thing_that_is_listed_twice_is_one_thing() {
    let (shop, lost) = (Shop::default(), on());
    let (account, cut) = (shop.clone(), Arc::clone(&lost));
    let running = own().start(move |up| {
        let steps = account.answer(up);
        if up.line.starts_with("POST") && cut.load(Ordering::Relaxed) {
            return vec![Step::Cut];
        }
        if up.line.starts_with("GET /v1/vector_stores?") {
            let mut all: Vec<Value> = account
                .things()
                .into_iter()
                .filter(|one| one.of == "vector_stores")
                .map(|one| one.shown)
                .collect();
            all.extend(all.clone());
            return reply(200, &json!({"data": all, "has_more": false}));
        }
        steps
    });
    running.acme().post("/v1/vector_stores", &json!({"name": "acme"}));
    let id = shop.things()[0].id.clone();
    let (_, lines, text) = orphans(&running.gateway.setup, &["--mend"]);
    assert_eq!(of_type(&lines, "resource").len(), 1, "{text}");
    assert_eq!(state(&lines, &id), "claimed", "{text}");
    assert!(shop.has(&id));
    running.acme().get(&format!("/v1/vector_stores/{id}")).ok();
}

/// Who brings no time with it may be what a call made: it is not given away, and the call stays open.
#[test]
fn what_tells_no_time_keeps_its_call_open() {
    let (shop, lost) = (Shop::default(), on());
    let running = losing(&shop, &lost);
    running.acme().post("/v1/vector_stores", &json!({"name": "acme"}));
    let id = shop.things()[0].id.clone();
    shop.change(&id, |shown| drop(shown.as_object_mut().unwrap().remove("created_at")));
    until_they_are_over();
    let (status, lines, text) = orphans(&running.gateway.setup, &["--mend"]);
    assert_eq!((status, state(&lines, &id)), (1, "ambiguous"), "{text}");
    assert!(text.contains("tells_no_time"), "{text}");
    assert_eq!(of_type(&lines, "call")[0]["state"], "open", "{text}");
    assert!(shop.has(&id));
    let setup = &running.gateway.setup;
    let rules = rules(setup, "  - {kind: vector_store, field: /name, pattern: a, tenant: globex}\n");
    let (_, lines, text) = adopt(setup, &["--rules", &rules, "--apply"]);
    assert_eq!(counts(&lines), json!({"of_an_open_call": 1}), "{text}");
}

/// Every way of paging is walked to its end: by cursors of two names, by numbers with a count, and by links.
#[test]
fn lists_are_read_to_their_end_however_they_are_paged() {
    let shop = Shop::default();
    for of in ["files", "jobs", "boards", "racks"] {
        for _ in 0..20 {
            shop.make(of, "x", &json!({"created_at": 1_700_000_000}));
        }
    }
    let account = shop;
    let running = own().start(move |up| account.answer(up));
    let (status, lines, text) = orphans(&running.gateway.setup, &[]);
    assert_eq!(status, 0, "{text}");
    for kind in ["file", "job", "board", "rack"] {
        let seen = lines.iter().filter(|line| line["kind"] == kind).count();
        assert_eq!(seen, 20, "of {kind}: {text}");
    }
}

/// Twenty of a kind, and a lost call that may have made what the broken list does not show.
fn broken(script: impl Fn(&Arrived, Vec<Step>) -> Vec<Step> + Send + Sync + 'static) -> Running {
    let shop = Shop::default();
    for of in ["vector_stores", "boards", "racks"] {
        for _ in 0..20 {
            shop.make(of, "x", &json!({"created_at": 1_700_000_000}));
        }
    }
    let running = own().start(move |up| match up.line.starts_with("POST") {
        true => vec![Step::Cut],
        false => script(up, shop.answer(up)),
    });
    for of in ["vector_stores", "boards", "racks"] {
        running.acme().post(&format!("/v1/{of}"), &json!({"name": "lost"}));
    }
    until_they_are_over();
    running
}

fn unread(running: &Running, more: &[&str], kinds: usize, said: &str) {
    let (status, lines, text) = orphans(&running.gateway.setup, &[&["--mend"], more].concat());
    assert_eq!(status, 1, "{text}");
    assert!(text.contains(said), "no {said:?} in:\n{text}");
    let states: Vec<&str> =
        of_type(&lines, "call").iter().map(|line| line["state"].as_str().unwrap()).collect();
    assert_eq!(states.iter().filter(|state| **state == "list_unread").count(), kinds, "{text}");
    assert_eq!(states.iter().filter(|state| **state == "closed").count(), 3 - kinds, "{text}");
}

#[test]
fn a_list_that_breaks_off_closes_no_call() {
    let missing = broken(|up, steps| match up.target() {
        target if target.contains("after=") || target.contains("page=2") => reply(404, &json!({})),
        _ => steps,
    });
    unread(&missing, &[], 3, "the account has no such page of the list");
    let same = broken(|up, steps| match up.target() {
        target if target.contains("/vector_stores") => reply(
            200,
            &json!({"data": [{"id": "vs_0000000000000000000001", "created_at": 1_700_000_000}], "has_more": true}),
        ),
        _ => steps,
    });
    unread(&same, &[], 1, "shows nothing new");
    let empty = broken(|up, steps| match up.target() {
        target if target.contains("/boards") => reply(200, &json!({"results": [], "count": 20})),
        target if target.contains("/racks") => {
            reply(200, &json!({"results": [], "next": "https://x/?page=2"}))
        }
        _ => steps,
    });
    unread(&empty, &[], 2, "says that it goes on, and shows nothing");
}

#[test]
fn a_list_without_end_is_left_in_time() {
    let count = AtomicU64::new(1);
    let endless = broken(move |up, steps| match up.target() {
        target if target.contains("/vector_stores") => {
            let id = format!("vs_9{:021}", count.fetch_add(1, Ordering::Relaxed));
            reply(200, &json!({"data": [{"id": id, "created_at": 1_700_000_000}], "has_more": true}))
        }
        _ => steps,
    });
    unread(&endless, &["--most", "50"], 1, "more things than `--most`");
    let slow = broken(|up, steps| match up.target() {
        target if target.contains("/boards") => {
            vec![
                Step::Send(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"
                        .to_vec(),
                ),
                Step::Gone(Gate::default()),
            ]
        }
        _ => steps,
    });
    unread(&slow, &["--within", "1"], 1, "takes longer than `--within`");
    // An answer whose head came and whose body does not is waited for as long as for a head.
    let (_, lines, text) = orphans(&slow.gateway.setup, &["--mend"]);
    assert!(text.contains("listBoards can't be read: upstream_timeout"), "{text}");
    assert_eq!(of_type(&lines, "call")[0]["state"], "list_unread", "{text}");
}

/// A call that makes two kinds, of which one has no list and the other's can't be read.
#[test]
fn what_has_no_list_does_not_close_what_was_not_read() {
    let shop = Shop::default();
    let running = own().start(move |up| match up.line.starts_with("POST") {
        true => vec![Step::Cut],
        false if up.target().starts_with("/v1/assistants") => reply(500, &json!({})),
        false => shop.answer(up),
    });
    running.acme().post("/v1/pairs", &json!({}));
    until_they_are_over();
    let (status, lines, text) = orphans(&running.gateway.setup, &["--mend", "--close-unlisted"]);
    assert_eq!(status, 1);
    assert_eq!(of_type(&lines, "call")[0]["state"], "list_unread", "{text}");
}
