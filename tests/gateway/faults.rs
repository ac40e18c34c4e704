//! Disks that are full, files that are damaged: everything is refused by name, nothing passes unrecorded, nothing that
//! was recorded is lost, and it recovers by itself where that is possible.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use consentry::names::{Kind, OperationId, RequestId, TenantId, UpstreamId};
use consentry::reason::Reason;
use consentry::store::{Claim, Making, Options, Origin, Resource, Sqlite};
use serde_json::json;

use super::kit::gateway::{GRANTED, recorded, verified};
use super::kit::own::{Own, Running};
use super::kit::process::Process;
use super::kit::upstream::{json as reply, plain};
use super::kit::values::{FORM, chat, form, record, upload};
use super::kit::{Answer, Ask, Setup, eventually};

const CHAT: &str = "/v1/chat/completions";

/// Uses up the room of a disk.
fn fill(ballast: &Path) {
    let mut file = fs::File::create(ballast).unwrap();
    for size in [64 * 1024, 4096, 512, 1] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
}

fn create(running: &Running) -> Answer {
    running.acme().ask(&upload("user_data", "x.jsonl", &record("x")))
}

#[test]
fn a_full_disk_under_the_store_is_named_and_overcome() {
    let own = Own::new();
    let disks = [("data", "4m"), ("data/audit", "32m"), ("data/spool", "8m")];
    let process = own.process_on_disks(&disks);
    let running = own.on(process, plain);
    create(&running).ok();
    let (ballast, came) = (running.within("data/ballast"), running.upstream.arrived().len());
    fill(&ballast);
    for _ in 0..3 {
        let answer = create(&running).refused(Reason::StoreUnavailable);
        let entries = recorded(&running.within("data/audit"), answer.header("x-request-id").unwrap());
        assert_eq!(entries[0]["reason"], "store_unavailable", "{entries:?}");
    }
    assert!(running.gateway.blocked("acme", Reason::StoreUnavailable) > 2.5);
    assert!(running.gateway.metric("consentry_store_up", &[]) < 0.5);
    assert_eq!(running.gateway.observe("/readyz").0, 503);
    assert_eq!(running.upstream.arrived().len(), came, "something went up");
    // What it has it still knows, and what needs no record passes.
    running.acme().get("/v1/files/file-scripted").ok();
    running.globex().get("/v1/files/file-scripted").refused(Reason::ResourceUnknown);
    running.acme().post(CHAT, &chat("x")).ok();
    fs::remove_file(&ballast).unwrap();
    eventually(|| running.gateway.observe("/readyz").0 == 200);
    create(&running).ok();
    assert!(running.gateway.process.written().contains("store_unavailable"));
}

/// The disk fills while the upstream makes something: nobody is told of it, and it is taken back.
#[test]
fn what_can_not_be_recorded_is_taken_back() {
    let own = Own::new();
    let process = own.process_on_disks(&[("data", "4m"), ("data/audit", "32m"), ("data/spool", "8m")]);
    let folder = own.setup.config();
    let ballast = Path::new("/proc").join(process.pid.to_string()).join("root");
    let ballast = ballast.join(folder.strip_prefix("/").unwrap()).join("data/ballast");
    let running = own.on(process, move |up| match up.line.starts_with("POST") {
        false => reply(200, &json!({"id": "file-late", "object": "file", "deleted": true})),
        true => {
            fill(&ballast);
            // Longer than what the log's pages have left.
            let id = format!("file-{}", "late".repeat(30));
            reply(200, &json!({"id": id, "object": "file", "purpose": "user_data"}))
        }
    });
    let answer = create(&running).refused(Reason::StoreUnavailable);
    assert!(!answer.text().contains("late"));
    let id = format!("/v1/files/file-{}", "late".repeat(30));
    eventually(|| running.upstream.arrived().iter().any(|up| up.line.starts_with(&format!("DELETE {id}"))));
    running.acme().get(&id).refused(Reason::ResourceUnknown);
}

#[test]
fn a_full_disk_under_the_audit_trail_stops_everything_and_is_overcome() {
    let own = Own::new();
    let process = own.process_on_disks(&[("data/audit", "2m")]);
    let running = own.on(process, plain);
    running.acme().post(CHAT, &chat("x")).ok();
    let (ballast, came) = (running.within("data/audit/ballast"), running.upstream.arrived().len());
    fill(&ballast);
    let refused = |answer: &Answer| answer.status == 503 && answer.text().contains("audit_unavailable");
    // Allowed inference is written within the audit window; what uses up the last room may still pass.
    eventually(|| refused(&running.acme().post(CHAT, &chat("x"))));
    let passed = running.upstream.arrived().len();
    assert!(passed <= came + 100, "{passed}");
    for ask in [
        Ask::json(CHAT, &chat("x")),
        Ask::get("/v1/models"),
        upload("user_data", "x.jsonl", &record("x")),
        Ask::get("/v1/files/file-x"),
    ] {
        running.acme().ask(&ask).refused(Reason::AuditUnavailable);
        running.gateway.send(&ask).refused(Reason::AuditUnavailable);
    }
    assert_eq!(running.upstream.arrived().len(), passed, "something went up unrecorded");
    assert!(running.gateway.metric("consentry_blocked_total", &[("reason", "audit_unavailable")]) > 7.5);
    assert!(running.gateway.metric("consentry_audit_up", &[]) < 0.5);
    assert_eq!(running.gateway.observe("/readyz").0, 503);
    fs::remove_file(&ballast).unwrap();
    eventually(|| running.gateway.observe("/readyz").0 == 200);
    running.acme().post(CHAT, &chat("x")).ok();
    assert_eq!(recorded(&running.within("data/audit"), "\"type\":\"gap\"").len(), 1);
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(running.within("data/audit")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    let requests = recorded(copy.path(), "\"type\":\"decision\"").len();
    assert!(requests >= came, "{requests}");
}

/// The program does not come to serve, and says why.
fn does_not_start(setup: &Setup, why: &[&str]) -> String {
    let mut process = setup.process();
    let status = process.wait();
    let told = process.written();
    assert_eq!(status.code(), Some(2), "{told}");
    assert!(why.iter().all(|why| told.contains(why)), "{told}");
    assert!(!told.contains("panicked"), "{told}");
    told
}

#[test]
fn a_corrupt_store_is_refused_at_the_start() {
    let own = Own::new();
    let data = own.setup.config().join("data");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("consentry.db"), "not a database, but long enough to be taken for one; ".repeat(100))
        .unwrap();
    does_not_start(&own.setup, &["the store", "corrupt"]);
    fs::remove_file(data.join("consentry.db")).unwrap();
    let file = data.join("consentry.db");
    many_claims(&file);
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    does_not_start(&own.setup, &["the store", "corrupt"]);
    fs::write(&file, &whole).unwrap();
    let running = own.start(plain);
    running.acme().get(&format!("/v1/files/file-{:060}", 7)).ok();
}

/// A store with so much on record that it has hundreds of pages, all of them in the file.
fn many_claims(file: &Path) {
    use consentry::store::Ownership as _;
    let store = Sqlite::open(&Options::serving(file)).unwrap();
    let claims = (0..20_000).map(|n| claim(&format!("file-{n:060}"))).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.claim(claims)).unwrap();
    drop(store);
    // The end is detached: its log is folded into the file, and then it lets go.
    eventually(|| fs::metadata(file.with_extension("db-wal")).map_or(0, |log| log.len()) == 0);
    assert!(fs::metadata(file).unwrap().len() > 500 * 4096);
}

fn claim(id: &str) -> Claim {
    Claim {
        resource: Resource { upstream: UpstreamId::new("only"), kind: Kind::new("file"), id: id.to_owned() },
        tenant: TenantId::new("acme"),
        dataset: None,
        label: None,
        judged: consentry::store::JudgedFor::NOTHING,
        made: Making {
            origin: Origin::Created,
            operation: OperationId::new("createFile"),
            request: RequestId::fresh(),
            from: Vec::new(),
        },
    }
}

#[test]
fn a_store_that_is_damaged_in_use_lets_nothing_pass() {
    let own = Own::new();
    let file = own.setup.config().join("data/consentry.db");
    many_claims(&file);
    let running = own.start(plain);
    let named = |n: usize| format!("/v1/files/file-{n:060}");
    running.acme().get(&named(0)).ok();
    let came = running.upstream.arrived().len();
    let pages = fs::metadata(&file).unwrap().len() / 4096;
    let mut damaged = fs::OpenOptions::new().write(true).open(&file).unwrap();
    damaged.seek(SeekFrom::Start(4096)).unwrap();
    for _ in 1..pages {
        damaged.write_all(&[0xa5; 4096]).unwrap();
    }
    damaged.sync_all().unwrap();
    let (mut passed, mut refused) = (0, 0);
    for n in (1..20_000).step_by(397) {
        // Another's file: the damage must not make it theirs.
        let foreign = running.globex().get(&named(n));
        assert!(matches!(foreign.status, 404 | 503), "{foreign}");
        // Nor must it become unknown to its owner in silence.
        let own = running.acme().get(&named(n));
        if own.status == 200 {
            passed += 1;
        } else {
            own.refused(Reason::StoreUnavailable);
            refused += 1;
        }
    }
    assert!(refused > 20, "{refused}");
    assert_eq!(running.upstream.arrived().len() - came, passed);
    create(&running).refused(Reason::StoreUnavailable);
    assert_eq!(running.gateway.observe("/readyz").0, 503);
    assert!(running.gateway.blocked("acme", Reason::StoreUnavailable) > 20.0);
    assert!(!running.gateway.process.written().contains("panicked"));
}

#[test]
fn a_changed_audit_trail_is_refused_at_the_start() {
    let running = Own::new().start(plain);
    for _ in 0..5 {
        running.acme().get("/v1/files/file-x").refused(Reason::ResourceUnknown);
    }
    let setup = running.gateway.stop();
    let folder = setup.config().join("data/audit");
    let segment = folder.join("audit-000001.jsonl");
    let whole = fs::read(&segment).unwrap();
    let at = memchr::memmem::find(&whole, b"resource_unknown").unwrap();
    let mut changed = whole.clone();
    changed[at] = b'R';
    fs::write(&segment, &changed).unwrap();
    does_not_start(&setup, &["the audit trail", "audit-000001.jsonl"]);
    assert!(!verified(&folder).0);
    // Cut off before its head: what is missing was there.
    fs::write(&segment, &whole[..at]).unwrap();
    does_not_start(&setup, &["the audit trail"]);
    fs::write(&segment, &whole).unwrap();
    assert!(verified(&folder).0);
    drop(setup.start().stop());
}

#[test]
fn a_spool_that_is_full_refuses_uploads_and_nothing_else() {
    let mut own = Own::new();
    own.setup.more = "state: {spool: 2MiB}\n".to_owned();
    own.acme = own.setup.tenant("acme", &format!("{GRANTED}limits: {{spool: 2MiB}}\n"));
    let running = own.start(plain);
    let file = record("long enough").repeat(60_000);
    let late = form(&[("file", Some("x.jsonl"), &file), ("purpose", None, b"user_data")]);
    let ask = Ask::new("POST", "/v1/files").typed(FORM, late);
    running.acme().ask(&ask).refused(Reason::SpoolFull);
    running.acme().ask_h2(&ask).refused(Reason::SpoolFull);
    // Half of it is the most that one tenant takes, unless its file says more.
    running.globex().ask(&ask).refused(Reason::TenantOverLimit);
    assert!(running.upstream.arrived().is_empty());
    // With the purpose in front nothing has to wait.
    running.acme().ask(&upload("user_data", "x.jsonl", &file)).ok();
    create(&running).ok();
    eventually(|| running.gateway.metric("consentry_spool_bytes", &[]) < 1.0);
    let Running { gateway, .. } = running;
    drop(gateway.stop());
}

#[test]
fn two_gateways_do_not_serve_from_one_folder() {
    let running = Own::new().start(plain);
    let config = running.gateway.setup.config();
    let mut second = Process::start(&["serve", "--config", config.to_str().unwrap()], &[]);
    assert_eq!(second.wait().code(), Some(2), "{}", second.written());
    running.acme().post(CHAT, &chat("x")).ok();
    drop(running.gateway.stop());
}
