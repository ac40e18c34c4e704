use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use super::{
    Field, Finding, Judging, Record, RecordAction, RecordPolicy, Said, SubjectStatus, Today, Uses, Verdict,
    judge,
};
use crate::names::Purpose;
use crate::reason::Reason;

const NOW: &str = "2026-11-30T12:00:00Z";

fn uses(purposes: &[Purpose]) -> Uses {
    let now: Timestamp = NOW.parse().unwrap();
    Uses { purposes: purposes.iter().copied().collect::<BTreeSet<_>>(), today: Today::at(now) }
}

fn record<'a>(notes: &[(Field, Said<'a>)]) -> Record<'a> {
    let mut record = Record::default();
    notes.iter().for_each(|(field, said)| record.note(*field, *said));
    record
}

/// What a strict policy finds in a record of somebody who consented, with more in it.
fn found(more: &[(Field, Said<'_>)]) -> Option<Finding> {
    let base = [(Field::Subject, Said::Text("p-1")), (Field::Consent, Said::Bool(true))];
    let record = record(&[&base, more].concat());
    judge(&record, SubjectStatus::Unknown, &uses(&[Purpose::Train]), &RecordPolicy::strict()).finding
}

#[test]
fn whose_it_is_decides() {
    let strict = RecordPolicy::strict();
    let of = |notes: &[(Field, Said<'_>)], status| {
        let Verdict { action, finding } = judge(&record(notes), status, &uses(&[Purpose::Train]), &strict);
        assert_eq!(finding.is_some(), action == RecordAction::Drop);
        finding
    };
    let (one, two) = (Said::Text("p-1"), Said::Text("p-2"));
    let yes = (Field::Consent, Said::Text("y"));
    use SubjectStatus::{Granted, Unknown, Withdrawn};
    assert_eq!(of(&[(Field::Subject, one), yes], Unknown), None);
    assert_eq!(of(&[(Field::Subject, one)], Granted), None);
    assert_eq!(of(&[(Field::Subject, one)], Unknown), Some(Finding::Unknown));
    assert_eq!(of(&[(Field::Subject, one), yes], Withdrawn), Some(Finding::Withdrawn));
    assert_eq!(of(&[yes], Unknown), Some(Finding::NoSubject));
    assert_eq!(of(&[(Field::Subject, Said::Text(" ")), yes], Unknown), Some(Finding::NoSubject));
    assert_eq!(of(&[(Field::Subject, one), (Field::Subject, one), yes], Unknown), None);
    assert_eq!(of(&[(Field::Subject, one), (Field::Subject, two), yes], Unknown), Some(Finding::TwoSubjects));
    assert_eq!(of(&[(Field::Subject, Said::Number("7")), yes], Unknown), None);
    assert_eq!(
        of(&[(Field::Subject, one), (Field::Subject, Said::Composite), yes], Unknown),
        Some(Finding::Unreadable)
    );
}

#[test]
fn any_no_wins_and_the_words_are_those_of_the_standards() {
    for no in [
        Said::Bool(false),
        Said::Text("N"),
        Said::Number("0"),
        Said::Text("ConsentWithdrawn"),
        Said::Text("dpv:ConsentRefused"),
        Said::Text("https://w3id.org/dpv#ConsentExpired"),
        Said::Text("search=y, train-ai=n"),
    ] {
        assert_eq!(found(&[(Field::Consent, no)]), Some(Finding::FlagsContradict), "{no:?}");
        let alone = record(&[(Field::Subject, Said::Text("p-1")), (Field::Consent, no)]);
        let verdict =
            judge(&alone, SubjectStatus::Granted, &uses(&[Purpose::Train]), &RecordPolicy::strict());
        assert_eq!(verdict.finding, Some(Finding::SaidNo), "the ledger's yes does not outweigh {no:?}");
    }
    for nothing in [Said::Nothing, Said::Text(""), Said::Text("ConsentUnknown"), Said::Text("search=y")] {
        assert_eq!(found(&[(Field::Consent, nothing)]), None, "{nothing:?}");
    }
    for said in [
        "y",
        "train-ai=y",
        "train-ai=\"y\", search=n",
        "ai-train=yes",
        "?1",
        "dpv:ConsentGiven",
        "consent=given",
    ] {
        let alone = record(&[(Field::Subject, Said::Text("p-1")), (Field::Consent, Said::Text(said))]);
        let uses = uses(&[Purpose::Train]);
        let verdict = judge(&alone, SubjectStatus::Unknown, &uses, &RecordPolicy::strict());
        assert_eq!(verdict.finding, None, "{said}");
    }
}

/// Where silence is consent, whatever was said is none, unless it was a yes.
#[test]
fn a_no_is_never_taken_for_silence() {
    let mut policy = RecordPolicy::strict();
    policy.opt_out = vec!["US".into()];
    Finding::ALL.iter().for_each(|finding| policy.set(*finding, RecordAction::Pass));
    let ask = |said: Said<'static>, field| {
        let base = [(Field::Subject, Said::Text("p-1")), (Field::Jurisdiction, Said::Text("US"))];
        let record = record(&[&base[..], &[(field, said)]].concat());
        judge(&record, SubjectStatus::Unknown, &uses(&[Purpose::Train]), &policy)
    };
    for no in [
        "train-ai=N",
        "train-ai=no",
        "train-ai=?0",
        "TRAIN-AI=n",
        "train-ai = \"n\"",
        "search=y; train-ai=n",
        "train=no",
        "ai-train=no",
        "consent=withdrawn",
        "consent=perhaps",
        "withdrawn",
        "dpv:ConsentWithdrawn",
        "opt-out",
        "?0",
        "foo:ConsentGiven",
        "notConsentGiven",
        "perhaps",
        "train-ai",
        "train-ai=y, other=1",
    ] {
        let verdict = ask(Said::Text(no), Field::Consent);
        assert_eq!((verdict.action, verdict.finding), (RecordAction::Drop, Some(Finding::SaidNo)), "{no}");
    }
    for no in [Said::Bool(false), Said::Number("0"), Said::Number("2"), Said::Composite, Said::TooLong] {
        assert_eq!(ask(no, Field::Consent).finding, Some(Finding::SaidNo), "{no:?}");
    }
    for silence in ["", "search=n", "ConsentUnknown", "train-ai=ConsentRequested"] {
        assert_eq!(ask(Said::Text(silence), Field::Consent).finding, None, "{silence}");
    }
    for no in [Said::Bool(false), Said::Text("withdrawn"), Said::Text("dpv:ConsentRefused")] {
        assert_eq!(ask(no, Field::InConsent).finding, Some(Finding::SaidNo), "{no:?}");
    }
    // Norway is a place, and other members are no flags.
    for other in [Said::Text("NO"), Said::Text("a controller"), Said::Number("0"), Said::Bool(true)] {
        assert_eq!(ask(other, Field::InConsent).finding, None, "{other:?}");
    }
}

#[test]
fn a_policy_may_take_the_ledgers_word_alone() {
    let mut policy = RecordPolicy::strict();
    policy.ledger_only = true;
    let record = record(&[(Field::Subject, Said::Text("p-1")), (Field::Consent, Said::Bool(true))]);
    let ask = |status| judge(&record, status, &uses(&[Purpose::Train]), &policy).finding;
    assert_eq!(ask(SubjectStatus::Unknown), Some(Finding::Unknown));
    assert_eq!(ask(SubjectStatus::Granted), None);
}

#[test]
fn somebody_is_of_age_when_it_is_their_birthday_everywhere() {
    for (born, minor) in [
        ("2008-11-30", false),
        ("2008-12-01", true),
        ("2008-11", false),
        ("2008-12", true),
        ("2008", true),
        ("2007", false),
        ("1951-02-28", false),
        ("2030-01-01", true),
        ("2008-12-01T00:00:00+02:00", true),
    ] {
        let expected = minor.then_some(Finding::Minor);
        assert_eq!(found(&[(Field::BirthDate, Said::Text(born))]), expected, "{born}");
    }
    assert_eq!(found(&[(Field::BirthDate, Said::Number("2012"))]), Some(Finding::Minor));
    for odd in ["01/02/2003", "2008-13-01", "2001-02-29", "yesterday", "20080101", "0099-01-01", "2008-1-1"] {
        assert_eq!(found(&[(Field::BirthDate, Said::Text(odd))]), Some(Finding::Unreadable), "{odd}");
    }
    // The youngest of several counts.
    let two = [(Field::BirthDate, Said::Text("2015-01-01")), (Field::BirthDate, Said::Text("1970-01-01"))];
    assert_eq!(found(&two), Some(Finding::Minor));
    // Eleven in the morning of the 30th in London is the 29th nowhere, but the 30th begins last at UTC-12.
    let early: Timestamp = "2026-11-30T11:59:59Z".parse().unwrap();
    let uses = Uses { purposes: BTreeSet::from([Purpose::Train]), today: Today::at(early) };
    let born = record(&[
        (Field::Subject, Said::Text("p-1")),
        (Field::Consent, Said::Bool(true)),
        (Field::BirthDate, Said::Text("2008-11-30")),
    ]);
    let verdict = judge(&born, SubjectStatus::Unknown, &uses, &RecordPolicy::strict());
    assert_eq!(verdict.finding, Some(Finding::Minor));
}

#[test]
fn ages_and_flags_of_minors() {
    for (age, expected) in [
        (Said::Number("17"), Some(Finding::Minor)),
        (Said::Number("17.9"), Some(Finding::Minor)),
        (Said::Text("17"), Some(Finding::Minor)),
        (Said::Number("18"), None),
        (Said::Number("-1"), Some(Finding::Unreadable)),
        (Said::Number("1e999"), Some(Finding::Unreadable)),
        (Said::Text("young"), Some(Finding::Unreadable)),
        (Said::Nothing, None),
    ] {
        assert_eq!(found(&[(Field::Age, age)]), expected, "{age:?}");
    }
    assert_eq!(found(&[(Field::Minor, Said::Bool(true))]), Some(Finding::Minor));
    assert_eq!(found(&[(Field::Minor, Said::Text("no"))]), None);
    assert_eq!(found(&[(Field::Minor, Said::Text("?"))]), Some(Finding::Unreadable));
}

#[test]
fn consent_is_for_purposes_and_ends() {
    let named = |terms: &[&'static str], purposes: &[Purpose]| {
        let mut record = record(&[(Field::Subject, Said::Text("p-1")), (Field::Consent, Said::Bool(true))]);
        record.note(Field::Purpose, Said::Composite);
        terms.iter().for_each(|term| record.note(Field::Purpose, Said::Text(term)));
        judge(&record, SubjectStatus::Unknown, &uses(purposes), &RecordPolicy::strict()).finding
    };
    let (train, annotate, evaluate) = (Purpose::Train, Purpose::Annotate, Purpose::Evaluate);
    assert_eq!(named(&["ai:ModelFineTuning"], &[train]), None);
    assert_eq!(named(&["https://w3id.org/dpv/ai#ModelTraining"], &[train, evaluate]), None);
    assert_eq!(named(&["ai:DataAnnotation"], &[train]), Some(Finding::OtherPurpose));
    assert_eq!(named(&["ai:DataAnnotation", "train"], &[annotate, train]), None);
    assert_eq!(named(&[], &[train]), Some(Finding::OtherPurpose), "a list of nothing");
    assert_eq!(named(&["ai:DataAnnotation | train"], &[annotate, train]), None);
    for none in ["no training", "not/train", "research/train", "no:train", "anything but train", "#train"] {
        assert_eq!(named(&[none], &[train]), Some(Finding::OtherPurpose), "{none}");
    }
    let given = (Field::GivenAt, Said::Text("2025-12-01T12:00:00Z"));
    let span = |span| found(&[given, (Field::ValidFor, Said::Text(span))]);
    assert_eq!(span("P1Y"), None);
    assert_eq!(span("P11M"), Some(Finding::Lapsed));
    assert_eq!(span("a year"), Some(Finding::Unreadable));
    assert_eq!(found(&[(Field::ValidFor, Said::Text("P1Y"))]), Some(Finding::Lapsed), "from when?");
    assert_eq!(found(&[(Field::ValidUntil, Said::Text("2026-11-30"))]), Some(Finding::Lapsed));
    assert_eq!(found(&[(Field::ValidUntil, Said::Text("2026-12-01"))]), None);
    let until = |text| (Field::ValidUntil, Said::Text(text));
    for two in [["2026-11-01", "2027-01-01"], ["2027-01-01", "2026-11-01"]] {
        assert_eq!(found(&two.map(until)), Some(Finding::Lapsed), "the earliest end counts");
    }
    let from = |text| (Field::GivenAt, Said::Text(text));
    assert_eq!(found(&[from("2026-11-30T12:00:01Z")]), Some(Finding::Lapsed), "it has not begun");
    assert_eq!(found(&[from("2026-11-30T12:00:00Z")]), None);
    assert_eq!(found(&[from("2020-01-01"), from("2027-01-01")]), Some(Finding::Lapsed));
    let year = (Field::ValidFor, Said::Text("P1Y"));
    for two in [["2020-01-01", "2026-11-01"], ["2026-11-01", "2020-01-01"]] {
        assert_eq!(found(&[from(two[0]), from(two[1]), year]), Some(Finding::Lapsed), "the earliest counts");
    }
    let month = (Field::ValidFor, Said::Text("P1M"));
    assert_eq!(found(&[given, year]), None);
    for two in [[year, month], [month, year]] {
        assert_eq!(found(&[given, two[0], two[1]]), Some(Finding::Lapsed), "the shortest counts");
    }
}

/// P1: silence is consent where the law says so, and nowhere else.
#[test]
fn p1_jurisdictions_opt_in_or_out() {
    let mut policy = RecordPolicy::strict();
    policy.opt_out = vec!["US".into(), "MY".into()];
    policy.opt_in = vec!["US-IL".into()];
    let ask = |places: &[Said<'static>]| {
        let mut record = record(&[(Field::Subject, Said::Text("p-1"))]);
        places.iter().for_each(|place| record.note(Field::Jurisdiction, *place));
        judge(&record, SubjectStatus::Unknown, &uses(&[Purpose::Train]), &policy).finding
    };
    for place in ["US", "us-ca", "MY"] {
        assert_eq!(ask(&[Said::Text(place)]), None, "{place}");
    }
    for place in ["EU", "US-IL", "us-il-cook", "USA", "USSR", ""] {
        assert_eq!(ask(&[Said::Text(place)]), Some(Finding::Unknown), "{place}");
    }
    assert_eq!(ask(&[]), Some(Finding::Unknown));
    assert_eq!(ask(&[Said::Text("US"), Said::Text("EU")]), Some(Finding::Unknown));
    assert_eq!(ask(&[Said::Composite]), Some(Finding::Unknown));
    assert_eq!(ask(&[Said::Text("US"), Said::Text("us")]), None);
}

#[test]
fn the_strictest_action_wins_and_a_no_never_passes() {
    let mut policy = RecordPolicy::strict();
    for finding in Finding::ALL {
        policy.set(*finding, RecordAction::Pass);
        let expected = if finding.may_pass() { RecordAction::Pass } else { RecordAction::Drop };
        assert_eq!(policy.action(*finding), expected);
    }
    policy.set(Finding::Minor, RecordAction::Refuse);
    policy.set(Finding::NoSubject, RecordAction::Anonymise);
    let record = record(&[(Field::Age, Said::Number("9")), (Field::Consent, Said::Bool(true))]);
    let verdict = judge(&record, SubjectStatus::Unknown, &uses(&[Purpose::Train]), &policy);
    assert_eq!(verdict, Verdict { action: RecordAction::Refuse, finding: Some(Finding::Minor) });
}

#[test]
fn a_file_is_counted_and_its_report_hashed() {
    let mut policy = RecordPolicy::strict();
    policy.set(Finding::Unknown, RecordAction::Anonymise);
    let mut judging = Judging::new(Arc::new(policy), uses(&[Purpose::Train]));
    let subject = (Field::Subject, Said::Text("p-17"));
    let kept = record(&[subject, (Field::Consent, Said::Bool(true))]);
    let (no, silent) = (record(&[subject, (Field::Consent, Said::Bool(false))]), record(&[subject]));
    let status = SubjectStatus::Unknown;
    assert_eq!(judging.judge(1, &kept, status), Ok(RecordAction::Pass));
    assert_eq!(judging.judge(2, &no, status), Ok(RecordAction::Drop));
    assert_eq!(judging.judge(3, &silent, status), Ok(RecordAction::Anonymise));
    assert_eq!(judging.anonymised(3, &silent, status, false), RecordAction::Anonymise);
    assert_eq!(judging.judge(4, &silent, status), Ok(RecordAction::Anonymise));
    assert_eq!(judging.anonymised(4, &silent, status, true), RecordAction::Drop);
    let counts = judging.counts();
    assert_eq!((counts.kept, counts.anonymised, counts.dropped), (1, 1, 2));
    let mut report = Vec::new();
    judging.lines().iter().for_each(|line| line.write(&mut report));
    assert_eq!(
        String::from_utf8_lossy(&report),
        "{\"record\":2,\"action\":\"drop\",\"finding\":\"said_no\"}\n\
         {\"record\":3,\"action\":\"anonymise\",\"finding\":\"unknown\"}\n\
         {\"record\":4,\"action\":\"drop\",\"finding\":\"still_named\"}\n"
    );
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &report);
    assert_eq!(judging.hash(), hash.as_ref());
    assert!(judging.end().is_ok());
}

#[test]
fn a_file_of_which_nothing_is_left_is_refused() {
    let mut judging = Judging::new(Arc::new(RecordPolicy::strict()), uses(&[Purpose::Train]));
    assert!(judging.end().is_ok(), "an empty file is none of ours to refuse");
    assert_eq!(judging.judge(1, &record(&[]), SubjectStatus::Unknown), Ok(RecordAction::Drop));
    assert_eq!(judging.end().map(drop).map_err(|refusal| refusal.reason), Err(Reason::RecordRefused));
    let mut passing = RecordPolicy::strict();
    passing.other_files_pass = true;
    let mut unread = Judging::new(Arc::new(passing), uses(&[Purpose::Train]));
    assert!(unread.unread().is_ok_and(|judged| judged.unread()), "what was not read was not judged");
    assert_eq!(unread.counts().unread, 1);
    assert_eq!(judging.unread().map(drop).map_err(|refusal| refusal.reason), Err(Reason::RecordsUnreadable));
}

fn any_note() -> impl Strategy<Value = (Field, Said<'static>)> {
    let field = prop::sample::select(Field::ALL.to_vec());
    let words =
        ["", "p-1", "y", "n", "train", "US", "P1Y", "2001-02-03", "2020-01-01", "17", "ConsentGiven", "x"];
    let said = prop_oneof![
        prop::sample::select(words.to_vec()).prop_map(Said::Text),
        prop::sample::select(vec![Said::Nothing, Said::Bool(true), Said::Bool(false), Said::Composite]),
        prop::sample::select(vec!["7", "40", "1e9"]).prop_map(Said::Number),
    ];
    (field, said)
}

proptest! {
    /// More that is said of a record, but for a yes, a subject, a purpose or a place, never makes it pass.
    #[test]
    fn what_is_added_can_only_restrict(notes in prop::collection::vec(any_note(), 0..8), more in any_note()) {
        let widens = matches!(more.0, Field::Subject | Field::Consent | Field::Purpose | Field::Jurisdiction | Field::GivenAt);
        prop_assume!(!widens || more.1 == Said::Bool(false) && more.0 == Field::Consent);
        let strict = RecordPolicy::strict();
        let ask = |notes: &[(Field, Said<'static>)]| {
            judge(&record(notes), SubjectStatus::Unknown, &uses(&[Purpose::Train]), &strict).action
        };
        let all: Vec<_> = notes.iter().copied().chain([more]).collect();
        prop_assert!(ask(&all) >= ask(&notes));
    }

    /// What the ledger says is withdrawn passes in no way.
    #[test]
    fn a_withdrawal_is_never_outweighed(notes in prop::collection::vec(any_note(), 0..8)) {
        let mut policy = RecordPolicy::strict();
        Finding::ALL.iter().for_each(|finding| policy.set(*finding, RecordAction::Pass));
        let verdict = judge(&record(&notes), SubjectStatus::Withdrawn, &uses(&[Purpose::Train]), &policy);
        prop_assert!(verdict.action >= RecordAction::Drop);
    }
}
