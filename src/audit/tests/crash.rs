//! Crashes and full disks, as they really are: a process that is killed, a disk without room.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;

const FOLDER: &str = "CONSENTRY_TEST_AUDIT";

fn child(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("audit::tests::crash::{test}"), "--ignored", "--nocapture"]);
    command.env(FOLDER, folder);
    command
}

/// Each line: a number that was answered as durable.
#[tokio::test]
#[ignore = "run, and killed, by a_killed_writer_loses_nothing_that_was_answered"]
async fn writes_until_it_is_killed() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let audit = reopen(&Options { segment: 2_000, ..options(&folder) });
    let mut out = std::io::stdout();
    for n in 0_u64.. {
        audit.window(&entry(Decision::Forward)).await.unwrap();
        let marked = Entry { bytes_in: n, ..denied(Reason::ResourceUnknown) };
        audit.durable(&marked).await.unwrap();
        writeln!(out, "answered {}", marked.request).unwrap();
    }
}

#[test]
fn a_killed_writer_loses_nothing_that_was_answered() {
    let folder = TempDir::new().unwrap();
    let mut answered = Vec::new();
    for round in 0..25_u64 {
        let mut process =
            child("writes_until_it_is_killed", folder.path()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let kill_at = 1 + (round * 7) % 23;
        let mut seen = 0;
        while seen < kill_at {
            let line = lines.next().unwrap().unwrap();
            seen += u64::from(line.starts_with("answered"));
            answered.extend(line.strip_prefix("answered ").map(str::to_owned));
        }
        // At an instant of no choosing: within a write, a sync, a rotation.
        std::thread::park_timeout(Duration::from_micros(round * 313 % 4_000));
        process.kill().unwrap();
        for line in lines {
            // Even what it said last; a torn line of its output is no answer.
            let line = line.unwrap();
            answered.extend(line.strip_prefix("answered ").filter(|id| id.len() == 36).map(str::to_owned));
        }
        process.wait().unwrap();
        drop(reopen(&Options { segment: 2_000, ..options(folder.path()) }));
        verify(folder.path(), Some(&seal())).unwrap();
    }
    let text: String = contents(folder.path())
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|e| e == "jsonl"))
        .map(|(_, bytes)| String::from_utf8(bytes).unwrap())
        .collect();
    assert!(answered.len() >= 25);
    for id in &answered {
        assert!(text.contains(id.as_str()), "{id} was answered and is not there");
    }
}

/// A crash within a write leaves any prefix of a group behind the last entry, or garbage where the disk lost power.
#[tokio::test]
async fn a_torn_end_is_put_aside_and_told() {
    let folder = TempDir::new().unwrap();
    let options = Options { segment: 1 << 20, ..options(folder.path()) };
    let audit = reopen(&options);
    audit.durable(&entry(Decision::Forward)).await.unwrap();
    audit.close().await.unwrap();
    drop(audit);
    drop(reopen(&options));
    let segment = folder.path().join("audit-000001.jsonl");
    let nul = [0_u8; 300];
    let tears: [&[u8]; 4] = [b"{\"seq\":99,\"ti", &nul, b"garbage\nand more\n", b"\n"];
    for (n, tear) in tears.into_iter().enumerate() {
        drop(reopen(&options));
        while fs::File::open(folder.path().join("lock")).unwrap().try_lock().is_err() {
            std::thread::park_timeout(Duration::from_millis(2));
        }
        let whole = fs::read(&segment).unwrap();
        fs::write(&segment, [&whole, tear].concat()).unwrap();
        drop(reopen(&options));
        let summary = verify(folder.path(), Some(&seal())).unwrap();
        assert_eq!(summary.torn, n as u64 + 1);
        let aside = folder.path().join(format!("torn-000001-{}-1.bin", whole.len()));
        assert_eq!(fs::read(aside).unwrap(), tear);
        let told = format!("\"type\":\"torn\",\"bytes\":{}", tear.len());
        assert!(fs::read_to_string(&segment).unwrap().contains(&told));
    }
}

/// A rotation that stopped between its steps: an empty segment, half a beginning.
#[tokio::test]
async fn a_rotation_that_stopped_half_way_is_begun_again() {
    let folder = TempDir::new().unwrap();
    let options = options(folder.path());
    for left in [&b""[..], b"{\"seq\":"] {
        let audit = reopen(&options);
        audit.durable(&entry(Decision::Forward)).await.unwrap();
        let number = audit.stats().segment + 1;
        drop(audit);
        drop(reopen(&options));
        let next = folder.path().join(format!("audit-{number:06}.jsonl"));
        assert!(!next.exists());
        fs::write(&next, left).unwrap();
        let audit = reopen(&options);
        audit.durable(&entry(Decision::Forward)).await.unwrap();
        verify(folder.path(), Some(&seal())).unwrap();
    }
}

/// The very first start, stopped between its steps.
#[tokio::test]
async fn a_first_start_that_stopped_is_begun_again() {
    let left: [&[(&str, &[u8])]; 4] = [
        &[],
        &[("head.json.new", b"[\n{")],
        &[("audit-000001.jsonl", b"")],
        &[("audit-000001.jsonl", b"{\"seq\"")],
    ];
    for (n, files) in left.into_iter().enumerate() {
        let folder = TempDir::new().unwrap();
        if n >= 2 {
            drop(head::Head::open(folder.path(), &seal(), head::Place::GENESIS).unwrap());
        }
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        let audit = reopen(&options(folder.path()));
        audit.durable(&entry(Decision::Forward)).await.unwrap();
        audit.close().await.unwrap();
        let summary = verify(folder.path(), Some(&seal())).unwrap();
        assert_eq!((summary.decisions["forward"], summary.torn), (1, u64::from(n == 3)));
    }
}

#[tokio::test]
async fn a_torn_slot_of_the_head_is_healed() {
    let folder = TempDir::new().unwrap();
    let options = options(folder.path());
    let head = folder.path().join("head.json");
    for slot in 0..2 {
        let audit = reopen(&options);
        audit.durable(&entry(Decision::Forward)).await.unwrap();
        audit.close().await.unwrap();
        drop(audit);
        drop(reopen(&options));
        let mut bytes = fs::read(&head).unwrap();
        let at = if slot == 0 { 40 } else { bytes.len() - 40 };
        bytes[at..at + 10].fill(0);
        fs::write(&head, bytes).unwrap();
        assert!(matches!(verify(folder.path(), None), Err(AuditError::Broken(_))));
        drop(reopen(&options));
        let value: serde_json::Value = serde_json::from_slice(&fs::read(&head).unwrap()).unwrap();
        assert_eq!(value.as_array().unwrap().len(), 2);
        verify(folder.path(), Some(&seal())).unwrap();
    }
}

#[test]
fn a_full_disk_refuses_keeps_what_passed_and_recovers() {
    let folder = TempDir::new().unwrap();
    let inner = child("on_a_small_disk", folder.path());
    let arguments: Vec<_> = inner.get_args().map(|a| a.to_str().unwrap().to_owned()).collect();
    let script = format!(
        "mount -t tmpfs -o size=256k tmpfs {} && exec {} {}",
        folder.path().display(),
        inner.get_program().to_str().unwrap(),
        arguments.join(" ")
    );
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", &script])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[tokio::test]
#[ignore = "run by a_full_disk_refuses_keeps_what_passed_and_recovers on a disk of its own"]
async fn on_a_small_disk() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let trail = folder.join("audit");
    fs::write(folder.join("ballast"), vec![1; 150 * 1024]).unwrap();
    let audit = Audit::open(&Options { segment: 20_000, ..options(&trail) }).unwrap();
    // Slots of requests that are under way when the disk runs full.
    let (passing, refusing) = (audit.reserve().await.unwrap(), audit.reserve().await.unwrap());
    let mut forwarded = 0;
    let error = loop {
        match audit.durable(&entry(Decision::Forward)).await {
            Ok(()) => forwarded += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error, AuditError::Full);
    assert_eq!(audit.health(), Err(AuditError::Full));
    // What has passed already is kept until it can be written; what has not is refused.
    passing.write(&Entry { bytes_out: 424_242, ..entry(Decision::Forward) });
    assert_eq!(refusing.durable(&denied(Reason::ConsentMissing)).await, Err(AuditError::Full));
    for _ in 0..5 {
        assert_eq!(audit.reserve().await.map(|_| ()), Err(AuditError::Full));
    }
    // Two retries later it is still full, and still whole.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(audit.health().is_err());
    let summary = verify(&trail, Some(&seal())).unwrap();
    assert_eq!((summary.decisions["forward"], summary.unfinished), (forwarded, 0));
    fs::remove_file(folder.join("ballast")).unwrap();
    let started = Instant::now();
    while audit.health().is_err() {
        assert!(started.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    audit.durable(&denied(Reason::ConsentMissing)).await.unwrap();
    let stats = audit.stats();
    audit.close().await.unwrap();
    let summary = verify(&trail, Some(&seal())).unwrap();
    assert_eq!(summary.decisions["forward"], forwarded + 1);
    assert_eq!(summary.gaps, 1);
    assert_eq!(summary.refusals["audit_unavailable"], 1 + 1 + 5);
    assert_eq!(stats.refused, 7);
    assert_eq!(summary.refusals["consent_missing"], 1);
    let text: String =
        contents(&trail).iter().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect();
    assert!(text.contains("424242"));
}
