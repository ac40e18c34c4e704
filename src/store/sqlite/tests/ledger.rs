//! The ledger only grows, its chain tells what was done to it, and what stands is what its last words say.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::hmac;

use super::*;
use crate::names::{Purpose, SubjectHash};
use crate::store::{
    Chain, ChainKey, Change, Consents, LedgerEntry, LedgerScope, RecordId, Stance, SubjectConsent,
    SubjectQuestion, Which,
};

fn key() -> ChainKey {
    ChainKey::new(hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]))
}

fn subject(n: u8) -> SubjectHash {
    SubjectHash::of_hash([n; 16])
}

fn entry(change: Change, tenant: &str, subject: Option<SubjectHash>) -> LedgerEntry {
    LedgerEntry {
        record: RecordId::fresh(),
        change,
        tenant: TenantId::new(tenant),
        scope: LedgerScope::Tenant,
        subject,
        purposes: BTreeSet::from([Purpose::Train]),
        policy_version: Some("2026-11".into()),
        jurisdiction: Some("EU".into()),
        lawful_basis: Some("dpv:Consent".into()),
        from: None,
        until: None,
        evidence: Some("ticket 17".into()),
        recorded_by: "officer".into(),
        details: None,
    }
}

fn one(store: &Sqlite, subject: SubjectHash, dataset: Option<&str>, now: &str) -> Stance {
    let dataset = dataset.map(DatasetName::new);
    let question = SubjectQuestion {
        tenant: &TenantId::new("acme"),
        purpose: Purpose::Train,
        dataset: dataset.as_ref(),
        now: now.parse().unwrap(),
        lapsed: &|version| version == Some("old"),
    };
    let mut out = Vec::new();
    store.stances(&question, &[subject], &mut out).unwrap();
    out[0]
}

const NOW: &str = "2026-11-30T12:00:00Z";

#[tokio::test]
async fn the_ledger_only_grows() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    let grant = LedgerEntry {
        scope: LedgerScope::Dataset(DatasetName::new("reviews")),
        from: Some(Timestamp::from_millisecond(1_700_000_000_000).unwrap()),
        details: Some("{}".into()),
        ..entry(Change::Granted, "acme", None)
    };
    let withdrawal = LedgerEntry { change: Change::Withdrawn, ..grant.clone() };
    let about = entry(Change::Granted, "acme", Some(subject(1)));
    assert_eq!(store.record(vec![grant.clone()], key()).await.unwrap(), 1);
    assert_eq!(store.record(vec![withdrawal.clone(), about.clone()], key()).await.unwrap(), 2);
    let which = Which { tenant: Some(TenantId::new("acme")), limit: 10, ..Which::default() };
    let all = store.ledger(which.clone()).await.unwrap();
    assert_eq!(all.iter().map(|r| &r.entry).collect::<Vec<_>>(), [&grant, &withdrawal, &about]);
    let of =
        |which| async { store.ledger(which).await.unwrap().iter().map(|r| r.number).collect::<Vec<_>>() };
    assert_eq!(of(Which { after: 1, limit: 1, ..which.clone() }).await, [2]);
    assert_eq!(of(Which { subject: Some(subject(1)), ..which.clone() }).await, [3]);
    assert_eq!(of(Which { record: Some(grant.record), ..which.clone() }).await, [1, 2]);
    assert_eq!(of(Which { tenant: Some(TenantId::new("zeta")), ..which }).await, [0; 0]);
    assert_eq!(of(Which { limit: 10, ..Which::default() }).await, [1, 2, 3]);
    let standing = store.standing(&TenantId::new("acme")).unwrap();
    assert_eq!(standing.iter().map(|r| &r.entry).collect::<Vec<_>>(), [&grant, &withdrawal]);
    assert!(store.standing(&TenantId::new("zeta")).unwrap().is_empty());
    let raw = Connection::open(folder.path().join("consentry.db")).unwrap();
    assert!(raw.execute("UPDATE consent SET change = 'granted'", []).is_err());
    assert!(raw.execute("DELETE FROM consent", []).is_err());
    let told = |entries: Vec<crate::store::Recorded>| entries.iter().map(|r| r.number).collect::<Vec<_>>();
    assert_eq!(told(store.untold(2).await.unwrap()), [1, 2]);
    store.told(2).await.unwrap();
    store.told(1).await.unwrap();
    assert_eq!(told(store.untold(9).await.unwrap()), [3]);
    store.told(99).await.unwrap();
    assert_eq!(told(store.untold(9).await.unwrap()), [0; 0]);
    assert_eq!(store.record(vec![grant], key()).await.unwrap(), 4);
    assert_eq!(told(store.untold(9).await.unwrap()), [4], "what was not there yet was not told");
}

#[tokio::test]
async fn every_column_that_is_changed_breaks_the_chain() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    assert_eq!(store.verify(key()).await.unwrap(), Chain::Whole { entries: 0, head: [0; 32] });
    let whole = LedgerEntry {
        from: Some(NOW.parse().unwrap()),
        until: Some(NOW.parse().unwrap()),
        details: Some("{}".into()),
        scope: LedgerScope::Dataset(DatasetName::new("reviews")),
        ..entry(Change::Granted, "acme", Some(subject(1)))
    };
    store.record(vec![whole.clone(), entry(Change::Granted, "zeta", None)], key()).await.unwrap();
    store.record(vec![whole.clone(), whole], key()).await.unwrap();
    let Chain::Whole { entries: 4, head } = store.verify(key()).await.unwrap() else { panic!("broken") };
    let last = store.ledger(Which { after: 3, limit: 1, ..Which::default() }).await.unwrap();
    assert_eq!(last[0].hash, head);
    let other = ChainKey::new(hmac::Key::new(hmac::HMAC_SHA256, &[8; 32]));
    assert_eq!(store.verify(other).await.unwrap(), Chain::Broken { at: 1 });
    let raw = Connection::open(folder.path().join("consentry.db")).unwrap();
    raw.execute_batch("DROP TRIGGER consent_is_not_changed; DROP TRIGGER consent_is_not_cut").unwrap();
    let tampered = [
        ("at", "at + 1"),
        ("record", "zeroblob(16)"),
        ("change", "'withdrawn'"),
        ("tenant", "(SELECT n FROM name WHERE text = 'zeta')"),
        ("scope", "'tenant', dataset = NULL"),
        ("dataset", "(SELECT n FROM name WHERE text = 'zeta')"),
        ("subject", "NULL"),
        ("purposes", "'train evaluate'"),
        ("policy_version", "NULL"),
        ("jurisdiction", "''"),
        ("lawful_basis", "NULL"),
        ("valid_from", "NULL"),
        ("valid_until", "valid_until + 1"),
        ("evidence", "'ticket 18'"),
        ("recorded_by", "'nobody'"),
        ("details", "NULL"),
        ("hash", "zeroblob(32)"),
    ];
    for (column, value) in tampered {
        let row: Vec<rusqlite::types::Value> = raw
            .query_row("SELECT * FROM consent WHERE n = 3", [], |row| (0..18).map(|i| row.get(i)).collect())
            .unwrap();
        raw.execute(&format!("UPDATE consent SET {column} = {value} WHERE n = 3"), []).unwrap();
        assert_eq!(store.verify(key()).await.unwrap(), Chain::Broken { at: 3 }, "{column}");
        raw.execute("DELETE FROM consent WHERE n = 3", []).unwrap();
        assert_eq!(store.verify(key()).await.unwrap(), Chain::Broken { at: 3 }, "an entry is missing");
        let places = (1..=18).map(|n| format!("?{n}")).collect::<Vec<_>>().join(",");
        raw.execute(&format!("INSERT INTO consent VALUES ({places})"), rusqlite::params_from_iter(row))
            .unwrap();
        assert!(matches!(store.verify(key()).await.unwrap(), Chain::Whole { entries: 4, .. }), "{column}");
    }
    raw.execute("DELETE FROM consent WHERE n = 4", []).unwrap();
    assert_eq!(store.verify(key()).await.unwrap(), Chain::Broken { at: 4 }, "a cut end");
}

#[tokio::test]
async fn w11_a_subjects_withdrawal_by_another_process_counts_at_once() {
    let folder = TempDir::new().unwrap();
    let serving = store(&folder);
    let beside = Options {
        exclusive: false,
        cache: 0,
        readers: 1,
        ..Options::serving(folder.path().join("consentry.db"))
    };
    let beside = Sqlite::open(&beside).unwrap();
    assert_eq!(one(&serving, subject(1), None, NOW), Stance::Unknown);
    beside.record(vec![entry(Change::Granted, "acme", Some(subject(1)))], key()).await.unwrap();
    assert_eq!(one(&serving, subject(1), None, NOW), Stance::Granted);
    assert_eq!(one(&serving, subject(2), None, NOW), Stance::Unknown);
    for no in [Change::Withdrawn, Change::Refused, Change::Revoked] {
        beside.record(vec![entry(Change::Granted, "acme", Some(subject(1)))], key()).await.unwrap();
        assert_eq!(one(&serving, subject(1), None, NOW), Stance::Granted);
        beside.record(vec![entry(no, "acme", Some(subject(1)))], key()).await.unwrap();
        assert_eq!(one(&serving, subject(1), None, NOW), Stance::Withdrawn, "{no:?}");
    }
    // Another tenant's word about the same hash, and another purpose's, are others'.
    beside.record(vec![entry(Change::Granted, "zeta", Some(subject(1)))], key()).await.unwrap();
    let store_only = BTreeSet::from([Purpose::Store]);
    let grant = entry(Change::Granted, "acme", Some(subject(1)));
    beside.record(vec![LedgerEntry { purposes: store_only, ..grant }], key()).await.unwrap();
    assert_eq!(one(&serving, subject(1), None, NOW), Stance::Withdrawn);
}

#[tokio::test]
async fn a_subjects_words_end_begin_and_lapse() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    let at = |text: &str| Some(text.parse().unwrap());
    let grant = |n| entry(Change::Granted, "acme", Some(subject(n)));
    store
        .record(
            vec![
                LedgerEntry { until: at("2026-12-01T00:00:00Z"), ..grant(1) },
                LedgerEntry { from: at("2099-12-01T00:00:00Z"), ..grant(2) },
                LedgerEntry { policy_version: Some("old".into()), ..grant(3) },
                LedgerEntry { scope: LedgerScope::Dataset(DatasetName::new("a")), ..grant(4) },
                LedgerEntry {
                    scope: LedgerScope::Dataset(DatasetName::new("b")),
                    ..entry(Change::Withdrawn, "acme", Some(subject(5)))
                },
                grant(5),
            ],
            key(),
        )
        .await
        .unwrap();
    assert_eq!(one(&store, subject(1), None, NOW), Stance::Granted);
    assert_eq!(one(&store, subject(1), None, "2026-12-01T00:00:00Z"), Stance::Expired);
    assert_eq!(one(&store, subject(2), None, NOW), Stance::Expired);
    assert_eq!(one(&store, subject(2), None, "2099-12-01T00:00:00Z"), Stance::Granted);
    assert_eq!(one(&store, subject(3), None, NOW), Stance::Lapsed);
    assert_eq!(one(&store, subject(4), None, NOW), Stance::Unknown);
    assert_eq!(one(&store, subject(4), Some("a"), NOW), Stance::Granted);
    assert_eq!(one(&store, subject(4), Some("b"), NOW), Stance::Unknown);
    assert_eq!(one(&store, subject(5), Some("a"), NOW), Stance::Granted);
    assert_eq!(one(&store, subject(5), Some("b"), NOW), Stance::Withdrawn, "a no for one data set wins");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// However the entries come, each subject's stance is that of its last words, and a process that saw all of it come says
    /// the same as one that opens the file anew.
    #[test]
    fn what_stands_is_what_the_last_words_say(
        batches in prop::collection::vec(prop::collection::vec((0_u8..4, 0_u8..3, any::<bool>()), 1..6), 1..6),
    ) {
        let folder = TempDir::new().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let serving = store(&folder);
        let beside = Options { exclusive: false, ..Options::serving(folder.path().join("consentry.db")) };
        let beside = Sqlite::open(&beside).unwrap();
        let sets = [None, Some("a"), Some("b")];
        let mut model: BTreeMap<(u8, u8), bool> = BTreeMap::new();
        for batch in batches {
            let entries = batch.iter().map(|&(who, set, yes)| {
                model.insert((who, set), yes);
                let scope = sets[usize::from(set)].map_or(LedgerScope::Tenant, |name| LedgerScope::Dataset(DatasetName::new(name)));
                let change = if yes { Change::Granted } else { Change::Withdrawn };
                LedgerEntry { scope, ..entry(change, "acme", Some(subject(who))) }
            });
            runtime.block_on(beside.record(entries.collect(), key())).unwrap();
            for who in 0..4 {
                for set in 0..3 {
                    let words = [model.get(&(who, 0)), model.get(&(who, set))];
                    let expected = if words.contains(&Some(&false)) {
                        Stance::Withdrawn
                    } else if words.contains(&Some(&true)) {
                        Stance::Granted
                    } else {
                        Stance::Unknown
                    };
                    let found = one(&serving, subject(who), sets[usize::from(set)], NOW);
                    prop_assert_eq!(found, expected);
                    prop_assert_eq!(one(&beside, subject(who), sets[usize::from(set)], NOW), expected);
                }
            }
        }
    }
}

/// `cargo test --release --lib -- --ignored --nocapture two_million_subjects`
#[tokio::test]
#[ignore = "half a minute"]
async fn two_million_subjects() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    let total: u32 = std::env::var("CONSENTRY_TEST_SUBJECTS").map_or(2_000_000, |n| n.parse().unwrap());
    let who = |n: u32| {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(
            &aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &n.to_le_bytes()).as_ref()[..16],
        );
        SubjectHash::of_hash(bytes)
    };
    let mut out = std::io::stdout();
    let started = Instant::now();
    for from in (0..total).step_by(20_000) {
        let entries =
            (from..(from + 20_000).min(total)).map(|n| entry(Change::Granted, "acme", Some(who(n))));
        store.record(entries.collect(), key()).await.unwrap();
    }
    writeln!(out, "{total} entries recorded in {:?}", started.elapsed()).unwrap();
    let started = Instant::now();
    assert_eq!(one(&store, who(0), None, NOW), Stance::Granted);
    writeln!(out, "taken in from the file in {:?}", started.elapsed()).unwrap();
    let (asked, mut stances) = ((0..1024).map(|n| who(n * 1_951 % total)).collect::<Vec<_>>(), Vec::new());
    let tenant = TenantId::new("acme");
    let question = SubjectQuestion {
        tenant: &tenant,
        purpose: Purpose::Train,
        dataset: None,
        now: NOW.parse().unwrap(),
        lapsed: &|_| false,
    };
    let started = Instant::now();
    for _ in 0..5_000 {
        store.stances(&question, &asked, &mut stances).unwrap();
    }
    let took = started.elapsed();
    writeln!(out, "{:.2} million look-ups a second, 1024 at a time", 5.12 / took.as_secs_f64()).unwrap();
    let started = Instant::now();
    for _ in 0..100_000 {
        store.stances(&question, &asked[..1], &mut stances).unwrap();
    }
    writeln!(out, "{:?} for a single one", started.elapsed() / 100_000).unwrap();
    assert!(took.as_secs_f64() < 5.12, "at least a million a second");
}
