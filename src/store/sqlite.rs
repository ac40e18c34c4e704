//! The embedded store: one SQLite file (WAL, fsync at each commit), one thread that writes, a few that read.

mod claims;
mod deeds;
mod ledger;
mod lineage;
mod lists;
mod names;
mod reader;
mod schema;
mod shares;
mod standing;
mod state;
mod tasks;
mod uploads;
mod writer;

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::mpsc;

use self::reader::Look;
use self::standing::Standing;
use self::state::{Health, Probe};
use self::writer::{Counts, Tx, Work, Writer};
use super::cache::{Cache, Key};
use super::{Fut, Store, StoreError};
use crate::names::{Kind, UpstreamId};

/// How long a commit waits for another process (`consentry` on the command line) to let go.
const BUSY: Duration = Duration::from_secs(5);
/// How long a process that starts waits for the one that it follows.
const LOCK: Duration = Duration::from_secs(1);

/// How the store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file; it and its folder are made if they are not there, for their owner alone.
    pub path: PathBuf,
    /// Owners kept warm.
    pub cache: usize,
    /// Threads that read.
    pub readers: usize,
    /// Changes that may wait; more have to wait outside.
    pub queue: usize,
    /// The largest size of the file in bytes (its log not counted); beyond it the store is [`StoreError::Full`].
    pub max_bytes: Option<u64>,
    /// Nobody else may serve from the file. Commands that look at a served store say no.
    pub exclusive: bool,
}

impl Options {
    /// For the process that serves from this file.
    #[must_use]
    pub fn serving(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), cache: 65_536, readers: 4, queue: 1_024, max_bytes: None, exclusive: true }
    }
}

/// What the store did since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Look-ups that a warm owner answered.
    pub cache_hits: u64,
    /// Look-ups that went to the file.
    pub cache_misses: u64,
    /// Warm owners.
    pub cached: u64,
    /// Changes, done or failed.
    pub writes: u64,
    /// Changes that failed by the store's own fault.
    pub faults: u64,
    /// Commits; each holds one change or more.
    pub commits: u64,
    /// Time spent in commits, in nanoseconds.
    pub commit_nanos: u64,
    /// Changes that wait for the writer.
    pub queued: u64,
    /// Bytes of the file and its log.
    pub bytes: u64,
    /// Whether the store could do its last work.
    pub healthy: bool,
}

/// The embedded store.
pub struct Sqlite {
    path: PathBuf,
    cache: Arc<Cache>,
    health: Arc<Health>,
    counts: Arc<Counts>,
    writer: mpsc::Sender<Box<dyn Work>>,
    readers: mpsc::Sender<Look>,
    standing: Standing,
    _lock: Option<File>,
}

impl Sqlite {
    /// Opens the file, checks its structure and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], [`StoreError::Foreign`] and [`StoreError::Newer`] if the file can't be trusted,
    /// [`StoreError::Locked`] if somebody else serves from it, [`StoreError::Access`] and [`StoreError::Full`] if
    /// it can't be written.
    pub fn open(options: &Options) -> Result<Self, StoreError> {
        let path = options.path.clone();
        prepare_file(&path)?;
        let lock = if options.exclusive { Some(lock(&path)?) } else { None };
        let mut connection = connect(options)?;
        check(&connection)?;
        // Held while the schema changes, and let go then: a command does not serve.
        let mut meanwhile = None;
        schema::migrate(&mut connection, || {
            if lock.is_none() {
                let unserved = self::lock(&path).map_err(|error| match error {
                    StoreError::Locked => StoreError::Served,
                    other => other,
                });
                meanwhile = Some(unserved?);
            }
            Ok(())
        })?;
        // What a process that has ended left open is lost; a gateway that serves may be at it.
        let unserved = if lock.is_some() || meanwhile.is_some() { None } else { try_lock(&path).ok() };
        if lock.is_some() || meanwhile.is_some() || unserved.is_some() {
            schema::lose_open(&connection)?;
        }
        drop((meanwhile, unserved));

        let cache = Arc::new(Cache::new(options.cache));
        let health = Arc::new(Health::default());
        let counts = Arc::new(Counts::default());
        let (looks, queue) = mpsc::channel(options.queue.max(1));
        let queue = Arc::new(Mutex::new(queue));
        for n in 0..options.readers.max(1) {
            let (connection, queue) = (reader::connect(&path)?, Arc::clone(&queue));
            spawn(format!("store-read-{n}"), move || reader::run(&connection, &queue))?;
        }
        let (works, queue) = mpsc::channel(options.queue.max(1));
        let writer = Writer {
            connection,
            queue,
            cache: Arc::clone(&cache),
            health: Arc::clone(&health),
            counts: Arc::clone(&counts),
        };
        spawn("store-write".to_owned(), move || writer.run())?;
        let standing = Standing::new(path.clone());
        Ok(Self { path, cache, health, counts, writer: works, readers: looks, standing, _lock: lock })
    }

    /// What the store did since it was opened.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let (cache_hits, cache_misses, cached) = self.cache.numbers();
        let length = |suffix: &str| {
            let mut name = self.path.clone().into_os_string();
            name.push(suffix);
            std::fs::metadata(name).map_or(0, |meta| meta.len())
        };
        let waiting = self.writer.max_capacity() - self.writer.capacity();
        Stats {
            cache_hits,
            cache_misses,
            cached,
            writes: self.counts.writes.load(Ordering::Relaxed),
            faults: self.counts.faults.load(Ordering::Relaxed),
            commits: self.counts.commits.load(Ordering::Relaxed),
            commit_nanos: self.counts.commit_nanos.load(Ordering::Relaxed),
            queued: u64::try_from(waiting).unwrap_or(u64::MAX),
            bytes: length("") + length("-wal"),
            healthy: self.health().is_ok(),
        }
    }

    /// Queues a change and waits for its commit.
    fn write<'a, T: Send + 'static>(
        &'a self,
        run: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Fut<'a, T> {
        Box::pin(async move {
            self.health.undamaged()?;
            let (work, answer) = writer::work(run);
            self.writer.send(work).await.map_err(|_gone| StoreError::Closed)?;
            answer.await.map_err(|_gone| StoreError::Closed)?
        })
    }

    /// Queues a look-up and waits for its answer.
    fn read<'a, T: Send + 'static>(
        &'a self,
        run: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Fut<'a, T> {
        Box::pin(async move {
            self.health.undamaged()?;
            let (look, answer) = reader::look(run, Arc::clone(&self.health));
            self.readers.send(look).await.map_err(|_gone| StoreError::Closed)?;
            answer.await.map_err(|_gone| StoreError::Closed)?
        })
    }
}

impl Store for Sqlite {
    fn probe(&self) -> Fut<'_, ()> {
        Box::pin(async move {
            self.write(fill).await?;
            self.write(clear).await
        })
    }

    fn health(&self) -> Result<(), StoreError> {
        if self.writer.is_closed() || self.readers.is_closed() {
            return Err(StoreError::Closed);
        }
        // A full queue is being worked on, and tells by itself.
        match self.health.probe() {
            Probe::Rest => {}
            Probe::Write => drop(self.writer.try_send(writer::work(fill).0)),
            Probe::Remove => drop(self.writer.try_send(writer::work(clear).0)),
        }
        self.health.get()
    }
}

/// Writes as much as a busy commit does: a byte would prove nothing.
fn fill(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO probe (one, room) VALUES (1, zeroblob(65536))";
    tx.connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// Gives the room back. In a commit of its own: what is written and removed in one never reaches the disk.
fn clear(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.connection.prepare_cached("DELETE FROM probe")?.execute([])?;
    Ok(())
}

/// Makes the file and its folder, both for their owner alone.
fn prepare_file(path: &Path) -> Result<(), StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    // SQLite gives its log and its shared memory the permissions of the file.
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Holds the lock file beside the store; the lock ends with the process.
fn lock(path: &Path) -> Result<File, StoreError> {
    patiently(LOCK, || try_lock(path))
}

/// The same, without waiting.
fn try_lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.to_path_buf().into_os_string();
    name.push(".lock");
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(name)?;
    file.try_lock().map_err(|error| match error {
        std::fs::TryLockError::WouldBlock => StoreError::Locked,
        std::fs::TryLockError::Error(error) => error.into(),
    })?;
    Ok(file)
}

/// Asks again while somebody else is about to let go: a predecessor that ends, a connection that cleans up behind it.
#[expect(clippy::disallowed_methods, reason = "the store is opened before anything is served")]
fn patiently<T>(longest: Duration, ask: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let end = Instant::now() + longest;
    loop {
        match ask() {
            Err(StoreError::Locked) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
            answer => return answer,
        }
    }
}

/// Opens the connection that writes.
fn connect(options: &Options) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&options.path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    // SQLite doesn't wait here by itself: not for a connection that is being closed elsewhere.
    let mode = patiently(BUSY, || {
        Ok(connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0))?)
    })?;
    if mode != "wal" {
        // A file system without shared memory: readers would block the writer.
        return Err(StoreError::Access(std::io::ErrorKind::Unsupported));
    }
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
         PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;
         PRAGMA wal_autocheckpoint = 4096; PRAGMA journal_size_limit = 67108864;",
    )?;
    if let Some(bytes) = options.max_bytes {
        let page: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
        connection.pragma_update(None, "max_page_count", pages.clamp(1, 0xffff_fffe))?;
    }
    Ok(connection)
}

/// Reads the whole structure: a damaged file is not served from.
fn check(connection: &Connection) -> Result<(), StoreError> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(StoreError::Corrupt("PRAGMA quick_check finds damage")) }
}

fn spawn(name: String, run: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    // Detached: the thread ends when the store is dropped, and everything that was answered is on the disk.
    std::thread::Builder::new().name(name).spawn(run)?;
    Ok(())
}

/// A key in the cache's form.
fn key<'a>(upstream: &'a UpstreamId, kind: &'a Kind, id: &'a str) -> Key<'a> {
    Key { upstream, kind, id }
}

/// Milliseconds of the store as a time.
fn time(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds).map_err(|_range| StoreError::Corrupt("a time is out of range"))
}

/// A count of the store.
fn count(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_range| StoreError::Corrupt("a count is negative"))
}

/// A word of the store as a value.
fn word<T>(value: Option<T>) -> Result<T, StoreError> {
    value.ok_or(StoreError::Corrupt("a word is not of the schema"))
}

#[cfg(test)]
mod tests;
