//! What it may not say: that all is well where nothing was tried, that nothing is left behind where something is.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::kit::Setup;
use super::super::kit::upstream::{Gate, Step};
use super::fake::{CUT, Fake, Passing, Then};
use super::{Said, conformance};

/// A walk over Label Studio's profile, before an upstream that is not there.
static DOWN: LazyLock<Said> = LazyLock::new(|| {
    let mut setup = Setup::new();
    setup.upstreams = "  down: {url: \"https://localhost:1\", ca: ca.pem}\n".to_owned();
    setup.routes = "  - {name: down, path: /, upstream: down, api: label-studio}\n".to_owned();
    for (tenant, file) in [("acme", "a.key"), ("globex", "b.key")] {
        let tenant = setup.tenant_for(tenant, "[annotate, evaluate, train]", "");
        setup.file(file, &tenant.key);
    }
    let gateway = setup.start();
    conformance(&gateway, gateway.data.port(), &["--wait", "0"])
});

#[test]
fn where_the_upstream_is_down_nothing_was_shown() {
    assert_eq!(DOWN.status, 2, "{}", DOWN.text);
    assert!(DOWN.text.contains("nothing was shown"), "{}", DOWN.text);
    let untried = DOWN.rows("untried");
    for check in ["apart", "own", "unchanged"] {
        let same: Vec<_> = DOWN.rows("same").into_iter().filter(|row| row[1] == check).collect();
        assert!(same.is_empty(), "{same:#?}");
        let told = |row: &&Vec<String>| row[1] == check && row.last().unwrap().contains("answered 502");
        assert!(untried.iter().any(|row| told(&row)), "{check}: {}", DOWN.text);
    }
    let named = untried.iter().any(|row| row.last().unwrap() == "the profile names no id in it");
    assert!(named, "{}", DOWN.text);
}

/// Label Studio's errors hold the id of the request, in the body too.
#[test]
fn the_id_of_a_request_is_no_difference() {
    let refused = DOWN.rows("same").into_iter().filter(|row| row[1] == "refused").count();
    assert!(refused > 20, "{}", DOWN.text);
    assert!(DOWN.rows("DIFFERS").is_empty(), "{}", DOWN.text);
}

fn as_it_is(_: &Passing<'_>) -> Then {
    Then::As
}

/// A deployment without a fault, and a walk over it.
static FINE: LazyLock<(Fake, Said)> = LazyLock::new(|| {
    let fake = Fake::start(&[], as_it_is);
    let said = fake.walked(&[]);
    (fake, said)
});

#[test]
fn a_deployment_without_a_fault() {
    let said = &FINE.1;
    assert_eq!(said.status, 0, "{}", said.text);
    for check in ["place", "apart", "own", "unchanged", "ended"] {
        assert!(said.rows("same").iter().any(|row| row[1] == check), "no {check}: {}", said.text);
    }
    assert_eq!(said.rows("untried").len(), 4, "{}", said.text);
}

#[test]
fn rows_hold_no_ids() {
    let said = &FINE.1;
    // The rows tell what was asked for, not the ids.
    let shown = said.text.lines().filter(|line| !line.starts_with("left behind: ")).collect::<String>();
    assert!(shown.contains("/v1/notes/{note_id}") && !shown.contains("note_0"), "{}", said.text);
}

#[test]
fn what_can_not_be_taken_back_is_told() {
    let (fake, said) = &*FINE;
    let left = |kind: &str, why: &str| {
        let told = |line: &&str| line.starts_with(&format!("left behind: {kind} ")) && line.ends_with(why);
        assert_eq!(said.text.lines().filter(told).count(), 2, "{}", said.text);
    };
    left("pin", ": nothing takes it back");
    left("run", ": stopped, not deleted");
    assert!(!said.text.contains("left behind: note"), "{}", said.text);
    assert!(!fake.there().iter().any(|path| path.contains("note_")), "{:?}", fake.there());
}

#[test]
fn what_was_ended_and_is_answered_like_anything_else() {
    let ended = AtomicBool::new(false);
    let fake = Fake::start(&[], move |passing| {
        let deleted = passing.known && passing.line.starts_with("DELETE");
        if ended.fetch_or(deleted, Ordering::Relaxed) && passing.line.starts_with("GET /v1/notes/") {
            return Then::Status(500);
        }
        Then::As
    });
    let said = fake.walked(&["--operation", "getNote"]);
    let untried = said.rows("untried");
    assert!(untried.iter().any(|row| row[1] == "ended" && row[2] == "getNote"), "{}", said.text);
    assert!(!said.rows("same").iter().any(|row| row[1] == "ended"), "{}", said.text);
}

#[test]
fn what_a_fault_lets_b_make_is_taken_back() {
    let fake = Fake::start(&[], |passing| {
        let copied = passing.by_b && passing.line.ends_with("/copy");
        if copied { Then::Served } else { Then::As }
    });
    let said = fake.walked(&["--operation", "copyNote"]);
    said.found("place", "copyNote");
    assert!(!fake.there().iter().any(|path| path.contains("note_")), "{:?}", fake.there());
}

#[test]
fn a_route_that_gives_no_answer_takes_nothing_from_the_others() {
    let fake = Fake::start(&[CUT], as_it_is);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("report.json");
    let said = fake.walked(&["--format", "json", "--out", out.to_str().unwrap()]);
    assert_eq!(said.status, 2, "{}", said.text);
    assert!(said.text.contains("gives tenant A no answer"), "{}", said.text);
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(out).unwrap()).unwrap();
    let rows = report["rows"].as_array().unwrap();
    assert!(rows.len() > 10 && rows.iter().all(|row| row["route"] == "notes0"), "{report:#}");
    // What never came was not read.
    assert_eq!(report["answers"], fake.answered(), "{report:#}");
}

/// Interrupts a walk while A makes a note. The answer comes after this.
fn interrupted(then: impl FnOnce(&super::Process)) -> (Fake, Said) {
    let (begun, answered) = (Gate::default(), Gate::default());
    let (told, waits) = (begun.clone(), answered.clone());
    let fake = Fake::start(&[], move |passing| {
        if !passing.by_b && passing.line == "POST /v1/notes" {
            return Then::After(vec![Step::Tell(told.clone()), Step::Wait(waits.clone())]);
        }
        Then::As
    });
    let mut walk = fake.walk(&[]);
    begun.wait();
    walk.signal("INT");
    walk.line("once more ends it at once");
    then(&walk);
    answered.open();
    let said = Said::of(&mut walk);
    (fake, said)
}

#[test]
fn an_interrupt_waits_for_the_call_under_way() {
    let (fake, said) = interrupted(|_| {});
    assert_eq!(said.status, 2, "{}", said.text);
    assert!(said.text.contains("it was stopped; left behind: pin "), "{}", said.text);
    assert!(!said.text.contains("was taken back"), "{}", said.text);
    // A's note, whose answer came after the interrupt, is gone too, and nothing was made after it: B's run and pin are there.
    assert!(!fake.there().iter().any(|path| path.contains("note_")), "{:?}", fake.there());
    assert_eq!(fake.there().len(), 2, "{:?}", fake.there());
}

#[test]
fn a_second_interrupt_ends_it_at_once() {
    let mut ended = None;
    let (fake, said) = interrupted(|walk| {
        walk.signal("INT");
        ended = Some(walk.line("may be left behind"));
    });
    assert_eq!(said.status, 2, "{}", said.text);
    assert!(ended.is_some() && fake.there().iter().any(|path| path.contains("note_")));
}
