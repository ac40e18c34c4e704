//! What the store does when its medium fails: real files, real limits.

use super::*;

fn path(folder: &TempDir) -> PathBuf {
    folder.path().join("consentry.db")
}

fn refused(folder: &TempDir) -> StoreError {
    Sqlite::open(&Options::serving(path(folder))).map(|_| ()).unwrap_err()
}

fn sqlite(folder: &TempDir, sql: &str) {
    Connection::open(path(folder)).unwrap().execute_batch(sql).unwrap();
}

/// Closing is detached: wait until the writer has folded its log into the file.
fn closed(folder: &TempDir) {
    for _ in 0..1_000 {
        if fs::metadata(path(folder).with_extension("db-wal")).map_or(0, |m| m.len()) == 0 {
            return;
        }
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn the_file_is_its_owners_alone() {
    let folder = TempDir::new().unwrap();
    let deep = folder.path().join("a/b/consentry.db");
    drop(Sqlite::open(&Options::serving(&deep)).unwrap());
    assert_eq!(fs::metadata(&deep).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(deep.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    let open = folder.path().join("open.db");
    fs::write(&open, b"").unwrap();
    fs::set_permissions(&open, Permissions::from_mode(0o644)).unwrap();
    let store = Sqlite::open(&Options::serving(&open)).unwrap();
    for name in ["open.db", "open.db-wal", "open.db-shm"] {
        let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    drop(store);
}

#[test]
fn two_cannot_serve_from_one_file() {
    let folder = TempDir::new().unwrap();
    let first = store(&folder);
    assert_eq!(refused(&folder), StoreError::Locked);
    let looking = Options { exclusive: false, ..Options::serving(path(&folder)) };
    drop(Sqlite::open(&looking).unwrap());
    drop(first);
    drop(store(&folder));
}

/// The steps that this program knows.
const KNOWN: i64 = 7;

/// Makes a store what the second step left behind.
const EARLIER: &str = "
    ALTER TABLE resource DROP COLUMN judged;
    DROP VIEW edges; ALTER TABLE edge DROP COLUMN via; DROP TABLE intent_from;
    ALTER TABLE intent DROP COLUMN dataset; ALTER TABLE intent DROP COLUMN label; ALTER TABLE intent DROP COLUMN lost;
    ALTER TABLE intent DROP COLUMN said; ALTER TABLE doomed DROP COLUMN kind; ALTER TABLE doomed DROP COLUMN id; DROP TABLE deed;
    DROP TABLE consent; DROP TABLE consent_head; CREATE TABLE ledger (n INTEGER PRIMARY KEY);
    PRAGMA user_version = 2;";

/// What an earlier version recorded is there still: its steps say no place.
#[tokio::test]
async fn steps_of_an_earlier_version_are_kept() {
    let folder = TempDir::new().unwrap();
    {
        let store = store(&folder);
        let mut job = claim("acme", "job", "job-1");
        let (kind, id) = (Kind::new("file"), "file-1".to_owned());
        job.made.from.push(Parent { kind, id, relation: Relation::Derived, via: Via::new("training_file") });
        store.claim(vec![claim("acme", "file", "file-1"), job]).await.unwrap();
    }
    closed(&folder);
    sqlite(&folder, EARLIER);
    let store = store(&folder);
    let steps = store.lineage(resource("file", "file-1"), Towards::Children, 10).await.unwrap();
    let told: Vec<_> = steps.iter().map(|edge| (edge.child.resource.id.as_str(), &edge.via)).collect();
    assert_eq!(told, [("job-1", &None)]);
}

/// The schema of a store is not changed beside a gateway of an earlier version, which would not know it.
#[test]
fn the_schema_is_not_changed_beside_a_gateway_that_serves() {
    let folder = TempDir::new().unwrap();
    drop(store(&folder));
    closed(&folder);
    sqlite(&folder, EARLIER);
    let gateway = lock(&path(&folder)).unwrap();
    let beside = Options { exclusive: false, ..Options::serving(path(&folder)) };
    assert_eq!(Sqlite::open(&beside).map(|_| ()).unwrap_err(), StoreError::Served);
    let connection = Connection::open(path(&folder)).unwrap();
    let version = |connection: &Connection| -> i64 {
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(version(&connection), 2, "nothing was changed");
    drop(gateway);
    let opened = Sqlite::open(&beside).unwrap();
    assert_eq!(version(&connection), KNOWN);
    // It changed the schema alone, and does not serve: a gateway may start beside it.
    drop(store(&folder));
    drop(opened);
}

#[test]
fn files_of_others_and_of_later_versions_are_refused() {
    let folder = TempDir::new().unwrap();
    sqlite(&folder, "CREATE TABLE theirs (x)");
    assert_eq!(refused(&folder), StoreError::Foreign);
    let folder = TempDir::new().unwrap();
    drop(store(&folder));
    sqlite(&folder, "PRAGMA user_version = 99");
    assert_eq!(refused(&folder), StoreError::Newer { found: 99, known: KNOWN });
    let folder = TempDir::new().unwrap();
    fs::write(path(&folder), "not a database, but long enough to be mistaken for one; ".repeat(100)).unwrap();
    assert!(matches!(refused(&folder), StoreError::Corrupt(_)));
}

#[tokio::test]
async fn a_damaged_file_is_refused_at_the_start() {
    let folder = TempDir::new().unwrap();
    {
        let store = store(&folder);
        let claims = (0..2_000).map(|n| claim("acme", "file", &format!("file-{n:030}"))).collect();
        store.claim(claims).await.unwrap();
    }
    closed(&folder);
    let whole = fs::read(path(&folder)).unwrap();
    assert!(whole.len() > 30 * 4096);
    for page in 1..whole.len() / 4096 {
        let mut file = OpenOptions::new().write(true).open(path(&folder)).unwrap();
        file.seek(SeekFrom::Start(page as u64 * 4096)).unwrap();
        file.write_all(&[0xff; 64]).unwrap();
        drop(file);
        assert!(matches!(refused(&folder), StoreError::Corrupt(_)), "page {page}");
        fs::write(path(&folder), &whole).unwrap();
    }
    let mut cut = OpenOptions::new().write(true).open(path(&folder)).unwrap();
    cut.set_len(whole.len() as u64 / 2).unwrap();
    cut.flush().unwrap();
    assert!(matches!(refused(&folder), StoreError::Corrupt(_)));
    fs::write(path(&folder), &whole).unwrap();
    assert_eq!(
        owner(&store(&folder), "file", &format!("file-{:030}", 7)).await,
        Some(("acme".into(), false))
    );
}

#[tokio::test]
async fn a_full_store_says_so_keeps_what_it_has_and_recovers() {
    let folder = TempDir::new().unwrap();
    let small = Options { max_bytes: Some(200 * 1024), ..Options::serving(path(&folder)) };
    let mut kept = Vec::new();
    {
        let store = Sqlite::open(&small).unwrap();
        let error = loop {
            let id = format!("file-{:0100}", kept.len());
            match store.claim(vec![claim("acme", "file", &id)]).await {
                Ok(()) => kept.push(id),
                Err(error) => break error,
            }
            assert!(kept.len() < 10_000);
        };
        assert_eq!(error, StoreError::Full);
        assert_eq!(error.reason(), crate::reason::Reason::StoreUnavailable);
        assert_eq!(store.health(), Err(StoreError::Full));
        assert!(!store.stats().healthy && store.stats().faults > 0);
        // It still answers from what it has, and does not make up what it has not.
        assert_eq!(owner(&store, "file", &kept[0]).await, Some(("acme".into(), false)));
        assert_eq!(owner(&store, "file", &format!("file-{:0100}", kept.len())).await, None);
        // A change that needs no room works (unless the store's own trial shares its commit), and is the proof that it
        // can record again.
        while let Err(error) = store.end(resource("file", &kept[0])).await {
            assert_eq!(error, StoreError::Full);
        }
        assert_eq!(owner(&store, "file", &kept[0]).await, Some(("acme".into(), true)));
    }
    let store = store(&folder);
    for id in &kept[1..] {
        assert_eq!(owner(&store, "file", id).await, Some(("acme".into(), false)));
    }
    store.claim(vec![claim("acme", "file", "more")]).await.unwrap();
}

/// Needs no privilege where user namespaces are allowed; where they are not, the test says so and fails.
#[test]
fn a_full_disk_is_named_and_overcome() {
    let folder = TempDir::new().unwrap();
    let inner = "store::sqlite::tests::faults::on_a_small_disk";
    let script = format!(
        "mount -t tmpfs -o size=900k tmpfs {dir} && exec {exe} --exact {inner} --ignored --nocapture",
        dir = folder.path().display(),
        exe = std::env::current_exe().unwrap().display(),
    );
    let output = std::process::Command::new("unshare")
        .args(["-rm", "sh", "-c", &script])
        .env("CONSENTRY_TEST_DISK", folder.path())
        .output()
        .unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[tokio::test]
#[ignore = "run by a_full_disk_is_named_and_overcome on a disk of its own"]
async fn on_a_small_disk() {
    let folder = PathBuf::from(std::env::var_os("CONSENTRY_TEST_DISK").unwrap());
    let ballast = folder.join("ballast");
    fs::write(&ballast, vec![1; 400 * 1024]).unwrap();
    let store = Sqlite::open(&Options::serving(folder.join("consentry.db"))).unwrap();
    let mut kept = 0;
    let error = loop {
        match store.claim(vec![claim("acme", "file", &format!("file-{kept:0100}"))]).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error, StoreError::Full);
    assert_eq!(store.probe().await, Err(StoreError::Full));
    assert_eq!(store.health(), Err(StoreError::Full));
    for n in 0..kept {
        assert_eq!(owner(&store, "file", &format!("file-{n:0100}")).await, Some(("acme".into(), false)));
    }
    fs::remove_file(&ballast).unwrap();
    // Nobody writes: the store finds out by itself, as long as somebody asks.
    let mut asked = 0;
    while store.health().is_err() {
        asked += 1;
        assert!(asked < 100, "it never recovers");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    store.probe().await.unwrap();
    store.claim(vec![claim("acme", "file", "after")]).await.unwrap();
}

#[tokio::test]
async fn work_after_the_end_is_an_error_and_a_writer_that_is_gone_is_seen() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder);
    let many: Vec<_> = (0..500).map(|n| store.claim(vec![claim("acme", "file", &format!("f{n}"))])).collect();
    for outcome in futures_util::future::join_all(many).await {
        outcome.unwrap();
    }
    let stats = store.stats();
    assert_eq!(stats.writes, 500);
    assert!(stats.commits < 500, "waiting changes share a commit ({})", stats.commits);
    assert!(stats.healthy && stats.bytes > 0);
}

/// Each line: an id that was claimed.
#[tokio::test]
#[ignore = "run, and killed, by a_killed_store_keeps_every_claim_that_was_answered"]
async fn claims_until_it_is_killed() {
    let folder = PathBuf::from(std::env::var_os("CONSENTRY_TEST_DISK").unwrap());
    let store = Sqlite::open(&Options::serving(folder.join("consentry.db"))).unwrap();
    let mut out = std::io::stdout();
    loop {
        let id = RequestId::fresh().to_string();
        let intent = Intent {
            tenant: TenantId::new("acme"),
            upstream: upstream(),
            operation: OperationId::new("createFile"),
            request: RequestId::fresh(),
            dataset: None,
            label: None,
            said: None,
            from: Vec::new(),
        };
        let intent = store.begin(intent).await.unwrap();
        store.claim_and_settle(vec![claim("acme", "file", &id)], intent).await.unwrap();
        writeln!(out, "claimed {id}").unwrap();
    }
}

#[tokio::test]
async fn a_killed_store_keeps_every_claim_that_was_answered() {
    use std::io::{BufRead, BufReader};
    let folder = TempDir::new().unwrap();
    let mut claimed = Vec::new();
    for round in 0..15_u64 {
        let inner = "store::sqlite::tests::faults::claims_until_it_is_killed";
        let mut process = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", inner, "--ignored", "--nocapture"])
            .env("CONSENTRY_TEST_DISK", folder.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let id = |line: String| line.strip_prefix("claimed ").filter(|id| id.len() == 36).map(str::to_owned);
        claimed.extend(lines.by_ref().filter_map(id).take(1 + (round % 5) as usize));
        std::thread::park_timeout(Duration::from_micros(round * 617 % 9_000));
        process.kill().unwrap();
        claimed.extend(lines.filter_map(id));
        process.wait().unwrap();
    }
    let store = store(&folder);
    for id in &claimed {
        assert_eq!(owner(&store, "file", id).await, Some(("acme".into(), false)));
    }
    // A call that was under way when the process died is an intent without a claim: at most one a kill.
    assert!(store.open().await.unwrap().len() <= 15);
}
