//! File and ledger together: any no wins, in whatever order things were written down.

use proptest::prelude::*;

use super::*;
use crate::consent::{Law, OlderGrants, Subject, SubjectKeyer, Verdict, allowed};
use crate::names::TenantId;
use crate::store::{Change, LedgerEntry, LedgerScope, RecordId, Recorded, Stance};

fn recorded(number: u64, change: Change, scope: LedgerScope) -> Recorded {
    let entry = LedgerEntry {
        record: RecordId::fresh(),
        change,
        tenant: TenantId::new("acme"),
        scope,
        subject: None,
        purposes: BTreeSet::from([Purpose::Train]),
        policy_version: None,
        jurisdiction: None,
        lawful_basis: None,
        from: None,
        until: None,
        evidence: None,
        recorded_by: "officer".into(),
        details: None,
    };
    let hours = jiff::SignedDuration::from_hours(i64::try_from(number).unwrap());
    Recorded { number, at: at("2026-11-01T00:00:00Z") + hours, entry, hash: [0; 32] }
}

fn both(grants: &[Grant], ledger: &[Recorded], datasets: &[&str]) -> Result<bool, Reason> {
    asked(&Facts { grants, ledger, rules: &Rules::default() }, datasets, Signals::NONE)
}

fn set(name: &str) -> LedgerScope {
    LedgerScope::Dataset(DatasetName::new(name))
}

const NO: Result<bool, Reason> = Err(Reason::ConsentMissing);

#[test]
fn w11_the_ledger_withdraws_what_the_file_grants() {
    let file = [grant(Purpose::Train, Scope::Tenant), grant(Purpose::Train, Scope::AllDatasets)];
    assert_eq!(both(&file, &[], &["a"]), Ok(true));
    for no in [Change::Withdrawn, Change::Refused, Change::Revoked] {
        for scope in [LedgerScope::Tenant, LedgerScope::AllDatasets, set("a")] {
            assert_eq!(both(&file, &[recorded(1, no, scope.clone())], &["a"]), NO, "{no:?} {scope:?}");
            let back = [recorded(1, no, scope.clone()), recorded(2, Change::Granted, scope)];
            assert_eq!(both(&file, &back, &["a"]), Ok(true));
        }
        assert_eq!(both(&file, &[recorded(1, no, set("a"))], &["b"]), Ok(true), "another data set's");
    }
    // A yes for all is no yes for the one that was withdrawn, whichever came later.
    let blanket =
        [recorded(1, Change::Withdrawn, set("a")), recorded(2, Change::Granted, LedgerScope::AllDatasets)];
    assert_eq!(both(&file, &blanket, &["a"]), NO);
}

#[test]
fn w1_a_grant_of_the_ledger_counts_like_one_of_the_file() {
    let tenant = recorded(1, Change::Granted, LedgerScope::Tenant);
    assert_eq!(both(&[], std::slice::from_ref(&tenant), &[]), Ok(true));
    assert_eq!(both(&[], std::slice::from_ref(&tenant), &["a"]), NO);
    assert_eq!(both(&[], &[tenant.clone(), recorded(2, Change::Granted, set("a"))], &["a"]), Ok(true));
    assert_eq!(
        both(&[grant(Purpose::Train, Scope::AllDatasets)], std::slice::from_ref(&tenant), &["a"]),
        Ok(true)
    );
    // What is about one subject says nothing of the tenant, nor does another purpose's.
    let mut other = tenant.clone();
    other.entry.subject = Some(SubjectKeyer::new(key()).hash(b"x"));
    assert_eq!(both(&[], &[other], &[]), NO);
    let mut other = tenant.clone();
    other.entry.purposes = BTreeSet::from([Purpose::Store]);
    assert_eq!(both(&[], &[other], &[]), NO);
    let mut over = tenant;
    over.entry.until = Some(at(NOW));
    assert_eq!(both(&[], &[over], &[]), Err(Reason::ConsentExpired));
}

#[test]
fn of_file_and_ledger_the_newer_word_counts() {
    let mut withdrawn = grant(Purpose::Train, Scope::Tenant);
    withdrawn.withdrawn = Some(at("2026-11-01T01:30:00Z"));
    let granted = |number| recorded(number, Change::Granted, LedgerScope::Tenant);
    assert_eq!(both(std::slice::from_ref(&withdrawn), &[granted(1)], &[]), NO);
    assert_eq!(both(std::slice::from_ref(&withdrawn), &[granted(2)], &[]), Ok(true));
    let renewed = [withdrawn, grant(Purpose::Train, Scope::Tenant)];
    assert_eq!(both(&renewed, &[granted(1)], &[]), Ok(true));
    assert_eq!(both(&renewed, &[recorded(1, Change::Withdrawn, LedgerScope::Tenant)], &[]), NO);
}

#[test]
fn w12_grants_of_another_policy_version_lapse_where_the_tenant_says_so() {
    let version = |version: Option<&str>, older: &OlderGrants| {
        let rules =
            Rules { policy_version: Some("2026-10".into()), older: older.clone(), ..Rules::default() };
        let mut ledger = recorded(1, Change::Granted, LedgerScope::Tenant);
        ledger.entry.policy_version = version.map(str::to_owned);
        let mut file = grant(Purpose::Train, Scope::Tenant);
        file.policy_version = version.map(str::to_owned);
        let by_ledger = asked(&Facts { grants: &[], ledger: &[ledger], rules: &rules }, &[], Signals::NONE);
        let by_file = asked(&Facts { grants: &[file], ledger: &[], rules: &rules }, &[], Signals::NONE);
        assert_eq!(by_ledger, by_file);
        by_file
    };
    let lapse = OlderGrants::Lapse(BTreeSet::from(["2026-05".to_owned()]));
    let lapsed = Err(Reason::ConsentExpired);
    assert_eq!(version(Some("2025"), &OlderGrants::Keep), Ok(true));
    assert_eq!(version(Some("2026-10"), &lapse), Ok(true));
    assert_eq!(version(Some("2026-05"), &lapse), Ok(true));
    assert_eq!(version(Some("2025"), &lapse), lapsed);
    assert_eq!(version(None, &lapse), lapsed);
}

fn key() -> aws_lc_rs::hmac::Key {
    aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &[7; 32])
}

#[test]
fn subjects_are_known_by_a_hash_of_their_name() {
    let keyer = SubjectKeyer::new(key());
    assert_eq!(keyer.hash(b" p-17\n"), keyer.hash(b"p-17"));
    assert_ne!(keyer.hash(b"P-17"), keyer.hash(b"p-17"));
    assert_eq!(format!("{keyer:?}"), "SubjectKeyer");
}

#[test]
fn p1_the_law_of_a_subjects_place_decides_where_nobody_said_anything() {
    let laws = [("EU", Law::OptIn), ("US-CA", Law::OptOut), ("US", Law::OptIn), ("JP", Law::OptOut)];
    let jurisdictions = laws.into_iter().map(|(place, law)| (place.to_owned(), law)).collect();
    let rules = Rules { jurisdictions, ..Rules::default() };
    let says =
        |stance, says, jurisdiction| allowed(&Subject { stance, says, jurisdiction }, Purpose::Train, &rules);
    let silent = |place| says(Stance::Unknown, Preference::Unknown, place);
    assert_eq!(silent(Some("EU")), Verdict::Never);
    assert_eq!(silent(Some("us-ca")), Verdict::Yes);
    assert_eq!(silent(Some("US-NY")), Verdict::Never);
    assert_eq!(silent(Some("JP-13")), Verdict::Yes);
    assert_eq!(silent(Some("XX")), Verdict::Never, "an unknown place is one that asks before");
    assert_eq!(silent(None), Verdict::Never);
    // Opting out, and opting in.
    assert_eq!(says(Stance::Withdrawn, Preference::Allowed, Some("JP")), Verdict::Withdrawn);
    assert_eq!(says(Stance::Unknown, Preference::Disallowed, Some("JP")), Verdict::Withdrawn);
    assert_eq!(says(Stance::Granted, Preference::Disallowed, Some("JP")), Verdict::Withdrawn);
    assert_eq!(says(Stance::Granted, Preference::Unknown, Some("EU")), Verdict::Yes);
    assert_eq!(says(Stance::Unknown, Preference::Allowed, Some("EU")), Verdict::Yes);
    // What ended is no silence.
    assert_eq!(says(Stance::Expired, Preference::Allowed, Some("JP")), Verdict::Expired);
    assert_eq!(says(Stance::Lapsed, Preference::Unknown, Some("JP")), Verdict::Lapsed);
    let share = Subject { stance: Stance::Unknown, says: Preference::Unknown, jurisdiction: Some("JP") };
    assert_eq!(allowed(&share, Purpose::Share, &rules), Verdict::Never, "the law speaks of training");
    // In a decision, one subject's no is everybody's.
    let purposes = BTreeSet::from([Purpose::Train]);
    let (yes, no) = (
        Subject { stance: Stance::Granted, says: Preference::Unknown, jurisdiction: None },
        Subject { stance: Stance::Unknown, says: Preference::Unknown, jurisdiction: Some("EU") },
    );
    let grants = [grant(Purpose::Train, Scope::Tenant)];
    let of = |subjects: &[Subject<'_>]| {
        let (signals, records) = (Signals::NONE, Records::NotAsked);
        let question = Question { purposes: &purposes, datasets: &[], subjects, signals, records };
        decide(&question, &Facts { grants: &grants, ledger: &[], rules: &rules }, at(NOW)).is_ok()
    };
    assert!(of(&[yes]) && !of(&[yes, no]) && !of(&[no, yes]));
}

#[test]
fn signals_can_only_say_no() {
    let grants = [grant(Purpose::Train, Scope::Tenant), grant(Purpose::Share, Scope::Tenant)];
    let rules = Rules::default();
    let of = |headers: &[(&'static str, &'static str)], purpose| {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let purposes = BTreeSet::from([purpose]);
        let (signals, records) = (Signals::of(&map), Records::NotAsked);
        let question = Question { purposes: &purposes, datasets: &[], subjects: &[], signals, records };
        decide(&question, &Facts { grants: &grants, ledger: &[], rules: &rules }, at(NOW)).is_ok()
    };
    assert!(of(&[], Purpose::Train) && of(&[], Purpose::Share));
    assert!(!of(&[("sec-gpc", "1")], Purpose::Share));
    assert!(of(&[("sec-gpc", "1")], Purpose::Train), "it speaks of selling and sharing");
    assert!(of(&[("sec-gpc", "0")], Purpose::Share));
    assert!(!of(&[("tdm-reservation", "0"), ("tdm-reservation", " 1")], Purpose::Train));
    assert!(of(&[("tdm-reservation", "1")], Purpose::Share));
    assert!(!of(&[("content-usage", "train-ai=n")], Purpose::Train));
}

fn scopes() -> impl Strategy<Value = u8> {
    0_u8..4
}

fn ledger_scope(n: u8) -> LedgerScope {
    match n {
        0 => LedgerScope::Tenant,
        1 => LedgerScope::AllDatasets,
        2 => set("a"),
        _ => set("b"),
    }
}

fn file_scope(n: u8) -> Scope {
    match n {
        0 => Scope::Tenant,
        1 => Scope::AllDatasets,
        2 => Scope::Dataset(DatasetName::new("a")),
        _ => Scope::Dataset(DatasetName::new("b")),
    }
}

proptest! {
    /// The order in which grants stand in the file, entries in memory, and data sets in the question, decides nothing. And any no wins: a
    /// withdrawal that is added last, of anything that the question touches, ends it.
    #[test]
    fn any_no_wins_in_any_order(
        file in prop::collection::vec((scopes(), prop::option::of(0_i64..400)), 0..6),
        ledger in prop::collection::vec((scopes(), any::<bool>()), 0..8),
        no in 0_u8..3,
        seed in any::<prop::sample::Index>(),
    ) {
        let mut grants: Vec<Grant> = file.iter().map(|&(scope, withdrawn)| {
            let hours = withdrawn.map(jiff::SignedDuration::from_hours);
            Grant {
                withdrawn: hours.map(|hours| at("2026-11-01T00:30:00Z") + hours),
                ..grant(Purpose::Train, file_scope(scope))
            }
        }).collect();
        let mut entries: Vec<Recorded> = ledger.iter().zip(1..).map(|(&(scope, yes), number)| {
            recorded(number, if yes { Change::Granted } else { Change::Withdrawn }, ledger_scope(scope))
        }).collect();
        let before = both(&grants, &entries, &["a", "b"]);
        let turn = |n: usize| if n == 0 { 0 } else { seed.index(n) };
        let (g, e) = (turn(grants.len()), turn(entries.len()));
        grants.rotate_left(g);
        entries.rotate_left(e);
        entries.reverse();
        prop_assert_eq!(before, both(&grants, &entries, &["b", "a"]));
        if before.is_ok() {
            prop_assert_eq!(both(&grants, &entries, &["a"]), Ok(true), "less is asked for");
        }
        entries.push(recorded(99, Change::Withdrawn, ledger_scope(no)));
        prop_assert_eq!(both(&grants, &entries, &["a", "b"]), NO);
    }
}
