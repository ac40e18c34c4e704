use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use http::StatusCode;
use tempfile::TempDir;

use super::*;
use crate::names::{
    ClientTag, Direction, Entity, KeyId, Kind, OperationId, Purpose, RequestId, RouteName, TenantId,
    UpstreamId,
};
use crate::reason::Reason;

mod crash;
mod tamper;

fn seal() -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, b"a key for tests")
}

fn options(folder: &Path) -> Options {
    Options { segment: 4_096, window: Duration::from_millis(20), ..Options::new(folder, seal()) }
}

fn entry(decision: Decision) -> Entry {
    let keyer = Keyer::new(seal());
    Entry {
        tenant: Some(TenantId::new("acme")),
        key: Some(KeyId::new("acme-1")),
        peer: Some(ClientTag::of_hash([7; 8])),
        route: Some(RouteName::new("openai")),
        operation: Some(OperationId::new("createChatCompletion")),
        purpose: Some(Purpose::Inference),
        generation: 3,
        status: Some(StatusCode::OK),
        found: vec![Found {
            entity: Entity::new("email"),
            direction: Direction::Request,
            action: "pseudonym",
            count: 2,
        }],
        records: Records { passed: 1, censored: 2, dropped: 0, anonymised: 0 },
        bytes_in: 812,
        bytes_out: 40_961,
        resources: vec![Named {
            kind: Kind::new("model"),
            id: keyer.resource(&UpstreamId::new("openai"), &Kind::new("model"), "ft:x"),
            role: Role::Used,
        }],
        ..Entry::new(RequestId::fresh(), decision)
    }
}

fn denied(reason: Reason) -> Entry {
    Entry {
        reason: Some(reason),
        status: Some(reason.status()),
        ..Entry::new(RequestId::fresh(), Decision::Denied)
    }
}

/// The folder's files, whole.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().is_some_and(|name| name != "lock"))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

/// Waits for the writer of a dropped trail to let go.
fn reopen(options: &Options) -> Audit {
    for _ in 0..400 {
        match Audit::open(options) {
            Err(AuditError::Locked) => std::thread::park_timeout(Duration::from_millis(5)),
            other => return other.unwrap(),
        }
    }
    panic!("the trail stays locked");
}

#[tokio::test]
async fn what_is_written_is_verified_and_counted() {
    let folder = TempDir::new().unwrap();
    let options = options(folder.path());
    for round in 0..3 {
        let audit = reopen(&options);
        for n in 0..20 {
            audit.window(&entry(Decision::Forward)).await.unwrap();
            if n % 4 == 0 {
                audit.durable(&denied(Reason::ResourceUnknown)).await.unwrap();
            }
        }
        audit.durable(&denied(Reason::ConsentMissing)).await.unwrap();
        audit.close().await.unwrap();
        assert_eq!(audit.stats().written, 20 + 5 + 1 + 1, "round {round}");
        drop(audit);
    }
    drop(reopen(&options));
    let summary = verify(folder.path(), Some(&seal())).unwrap();
    assert!(summary.segments > 3);
    assert_eq!(summary.decisions["forward"], 60);
    assert_eq!(summary.decisions["denied"], 18);
    assert_eq!(summary.refusals["resource_unknown"], 15);
    assert_eq!(summary.refusals["consent_missing"], 3);
    assert_eq!((summary.gaps, summary.torn, summary.unfinished), (0, 0, 0));
    // Starts, stops and segments are entries too.
    assert_eq!(summary.entries, 60 + 18 + 4 + 3 + summary.segments);
    for (path, _) in contents(folder.path()) {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_line_is_json_with_these_members() {
    let folder = TempDir::new().unwrap();
    let audit = reopen(&Options { segment: 1 << 20, ..options(folder.path()) });
    let odd = Entry { tenant: Some(TenantId::new("a\"b\\c\u{1}\n\u{e4}")), ..entry(Decision::Censored) };
    audit.durable(&odd).await.unwrap();
    let text = fs::read_to_string(folder.path().join("audit-000001.jsonl")).unwrap();
    let line: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let keys: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "seq",
            "time",
            "type",
            "request",
            "decision",
            "tenant",
            "key",
            "peer",
            "route",
            "operation",
            "purpose",
            "generation",
            "status",
            "bytes_in",
            "bytes_out",
            "records",
            "found",
            "resources",
            "hash"
        ]
    );
    assert_eq!(line["tenant"], "a\"b\\c\u{1}\n\u{e4}");
    assert_eq!(line["request"], odd.request.to_string());
    assert_eq!(line["found"][0]["count"], 2);
    assert_eq!(line["resources"][0]["role"], "used");
    assert!(line["time"].as_str().unwrap().ends_with('Z') && line["time"].as_str().unwrap().len() == 27);
    assert!(!text.contains("192.0.2.7") && !text.contains("ft:x"));
}

#[tokio::test]
async fn lists_are_bounded_and_say_so() {
    let folder = TempDir::new().unwrap();
    let audit = reopen(&Options { segment: 1 << 20, ..options(folder.path()) });
    let one = entry(Decision::Forward).resources[0].clone();
    audit.durable(&Entry { resources: vec![one; 10_000], ..entry(Decision::Forward) }).await.unwrap();
    let text = fs::read_to_string(folder.path().join("audit-000001.jsonl")).unwrap();
    let line: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(line["resources"].as_array().unwrap().len(), 256);
    assert_eq!(line["resources_more"], 10_000 - 256);
}

#[tokio::test]
async fn a_windowed_entry_is_on_the_disk_within_the_window() {
    let folder = TempDir::new().unwrap();
    let audit = reopen(&Options { window: Duration::from_millis(100), ..options(folder.path()) });
    let before = verify(folder.path(), None).unwrap().entries;
    let started = Instant::now();
    audit.window(&entry(Decision::Forward)).await.unwrap();
    let soon = verify(folder.path(), None).unwrap().entries;
    if started.elapsed() < Duration::from_millis(90) {
        assert_eq!(soon, before, "it waits for company");
    }
    while verify(folder.path(), None).unwrap().entries == before {
        assert!(started.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(started.elapsed() >= Duration::from_millis(90));
    while audit.stats().taken > 0 {
        assert!(started.elapsed() < Duration::from_secs(5), "the slot comes back");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_make_one_chain_and_share_syncs() {
    let folder = TempDir::new().unwrap();
    let audit = Arc::new(reopen(&options(folder.path())));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..32 {
        let audit = Arc::clone(&audit);
        tasks.spawn(async move {
            for _ in 0..50 {
                if n % 2 == 0 {
                    audit.durable(&denied(Reason::ResourceUnknown)).await.unwrap();
                } else {
                    audit.window(&entry(Decision::Forward)).await.unwrap();
                }
            }
        });
    }
    tasks.join_all().await;
    audit.close().await.unwrap();
    let summary = verify(folder.path(), Some(&seal())).unwrap();
    assert_eq!(summary.decisions["denied"], 800);
    assert_eq!(summary.decisions["forward"], 800);
    assert!(audit.stats().syncs < 800, "{} syncs", audit.stats().syncs);
}

#[tokio::test]
async fn slots_bound_what_is_under_way_and_nothing_is_dropped() {
    let folder = TempDir::new().unwrap();
    let audit = Arc::new(reopen(&Options { slots: 4, ..options(folder.path()) }));
    let mut slots = Vec::new();
    for _ in 0..4 {
        slots.push(audit.reserve().await.unwrap());
    }
    let blocked = tokio::time::timeout(Duration::from_millis(50), audit.reserve()).await;
    assert!(blocked.is_err(), "a fifth has to wait");
    assert_eq!(audit.stats().taken, 4);
    slots.pop().unwrap().write(&entry(Decision::Forward));
    // Free again when the entry is on the disk.
    let slot = tokio::time::timeout(Duration::from_secs(5), audit.reserve()).await.unwrap().unwrap();
    slot.give_back();
    drop(slots.pop());
    assert_eq!(audit.stats().abandoned, 1, "a request without an entry is seen");
    for slot in slots {
        slot.write(&entry(Decision::Forward));
    }
    for _ in 0..100 {
        audit.window(&entry(Decision::Forward)).await.unwrap();
    }
    audit.close().await.unwrap();
    assert_eq!(verify(folder.path(), None).unwrap().decisions["forward"], 103);
}

#[tokio::test]
async fn a_closed_trail_refuses() {
    let folder = TempDir::new().unwrap();
    let audit = reopen(&options(folder.path()));
    assert_eq!(Audit::open(&options(folder.path())).map(|_| ()), Err(AuditError::Locked));
    let late = audit.reserve().await.unwrap();
    let later = audit.reserve().await.unwrap();
    audit.close().await.unwrap();
    while audit.health().is_ok() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(audit.durable(&entry(Decision::Forward)).await, Err(AuditError::Closed));
    assert_eq!(late.durable(&entry(Decision::Forward)).await, Err(AuditError::Closed));
    later.write(&entry(Decision::Forward));
    assert_eq!(audit.stats().abandoned, 1);
}

#[test]
fn times_are_written_as_the_library_writes_them() {
    // The same second twice, another one, and the first again.
    for nanos in
        [0, 999_999_999, 1, 123_456_789, 1_000_000_000, 1_999_999_000, 999, 1_764_440_000_050_000_123]
    {
        let now = jiff::Timestamp::from_nanosecond(nanos).unwrap();
        let mut out = Vec::new();
        super::entry::time(now, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), format!("{now:.6}"), "{nanos}");
    }
}

#[test]
fn keyed_hashes_tell_equality_only() {
    let (a, b) = (Keyer::new(seal()), Keyer::new(hmac::Key::new(hmac::HMAC_SHA256, b"another")));
    let (up, kind) = (UpstreamId::new("u"), Kind::new("file"));
    assert_eq!(a.resource(&up, &kind, "x"), a.resource(&up, &kind, "x"));
    assert_ne!(a.resource(&up, &kind, "x"), b.resource(&up, &kind, "x"));
    assert_ne!(a.resource(&up, &kind, "x"), a.resource(&up, &Kind::new("model"), "x"));
    assert_ne!(
        a.resource(&UpstreamId::new("ab"), &Kind::new("c"), "x"),
        a.resource(&UpstreamId::new("a"), &Kind::new("bc"), "x")
    );
    assert_eq!(a.other("address", b"x").to_string().len(), 32);
}

#[tokio::test]
#[ignore = "a measurement; `cargo test --release -- --ignored --nocapture cost_of_an_entry`"]
async fn cost_of_an_entry() {
    use std::io::Write;
    let folder = TempDir::new().unwrap();
    let audit = reopen(&Options::new(folder.path(), seal()));
    let entry = entry(Decision::Forward);
    for _ in 0..5 {
        let (mut total, mut n) = (Duration::ZERO, 0);
        for _ in 0..20 {
            let started = Instant::now();
            for _ in 0..500 {
                audit.window(&entry).await.unwrap();
            }
            total += started.elapsed();
            n += 500;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        writeln!(std::io::stdout(), "{:?} an entry on the caller's side", total / n).unwrap();
    }
    let started = Instant::now();
    for _ in 0..200 {
        audit.durable(&entry).await.unwrap();
    }
    writeln!(std::io::stdout(), "{:?} a durable entry, one at a time", started.elapsed() / 200).unwrap();
}
