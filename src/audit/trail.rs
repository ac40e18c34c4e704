//! An open trail, and the right to write into it.

use std::cell::RefCell;
use std::fmt;
use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_lc_rs::hmac;
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::entry::{Entry, Internal, Mark};
use super::error::AuditError;
use super::files;
use super::head::Head;
use super::queue::{Counts, Shared};
use super::recover::recover;
use super::writer::{self, Segments};

/// How a trail is opened.
#[derive(Clone)]
pub struct Options {
    /// The folder; it is made if it is not there, for its owner alone.
    pub folder: PathBuf,
    /// The key that seals the head: derived for this use, and not kept in the folder.
    pub seal: hmac::Key,
    /// How long an entry of allowed inference may wait to be written.
    pub window: Duration,
    /// Requests that may be under way or waiting to be written. At about 1 KiB an entry this bounds the memory.
    pub slots: usize,
    /// Bytes of a segment.
    pub segment: u64,
    /// The gateway's version, for the entry that tells of the start.
    pub version: &'static str,
}

impl Options {
    /// The defaults: a window of 100 ms, 16,384 slots, segments of 64 MiB.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, seal: hmac::Key) -> Self {
        Self {
            folder: folder.into(),
            seal,
            window: Duration::from_millis(100),
            slots: 16_384,
            segment: 64 << 20,
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("folder", &self.folder)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

/// What the trail did since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Entries on the disk.
    pub written: u64,
    /// Requests that were refused because their entry could not be written.
    pub refused: u64,
    /// Slots that were given back without an entry: requests that nothing is known of. Always a mistake.
    pub abandoned: u64,
    /// Groups that were written, or tried.
    pub syncs: u64,
    /// Time spent on them, in nanoseconds.
    pub sync_nanos: u64,
    /// Slots that are taken: requests under way and entries that wait.
    pub taken: u64,
    /// The number of the segment.
    pub segment: u64,
    /// Whether the last write went well.
    pub healthy: bool,
}

/// An open trail.
pub struct Audit {
    shared: Arc<Shared>,
}

impl Audit {
    /// Opens the folder, makes sure that the trail is the one that was written, and records that the gateway started.
    ///
    /// # Errors
    /// [`AuditError::Broken`] if it is another, [`AuditError::Locked`] if somebody else writes it,
    /// [`AuditError::Full`] and [`AuditError::Failed`] if it can't be written.
    pub fn open(options: &Options) -> Result<Self, AuditError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&options.folder)?;
        let lock =
            OpenOptions::new().create(true).append(true).mode(0o600).open(options.folder.join("lock"))?;
        lock.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => AuditError::Locked,
            std::fs::TryLockError::Error(error) => error.into(),
        })?;
        let trail = begin(options)?;
        let shared = Arc::new(Shared::new(options.slots.max(1), options.window));
        shared.counts.segment.store(trail.place.segment, Ordering::Relaxed);
        let of_writer = Arc::clone(&shared);
        std::thread::Builder::new().name("audit-write".to_owned()).spawn(move || {
            writer::run(trail, &of_writer);
            // Held until the last byte is written.
            drop(lock);
        })?;
        Ok(Self { shared })
    }

    /// Takes the right to write one entry, before the request is let on. Waits while too many are taken.
    ///
    /// # Errors
    /// The trail can't be written now: the request has to be refused, and is counted as such.
    pub async fn reserve(&self) -> Result<Slot, AuditError> {
        if let Some(fault) = self.shared.fault() {
            return Err(self.shared.refuse(fault));
        }
        self.shared.acquire().await?;
        Ok(Slot { shared: Some(Arc::clone(&self.shared)) })
    }

    /// Records an entry and waits until it is on the disk.
    ///
    /// # Errors
    /// The entry is not on the disk: what it tells of must not happen.
    pub async fn durable(&self, entry: &Entry) -> Result<(), AuditError> {
        self.reserve().await?.durable(entry).await
    }

    /// Records an entry of allowed inference: on the disk within the window.
    ///
    /// # Errors
    /// The trail can't be written now.
    pub async fn window(&self, entry: &Entry) -> Result<(), AuditError> {
        self.reserve().await?.write(entry);
        Ok(())
    }

    /// Records what happened to the gateway, and waits until it is on the disk.
    ///
    /// # Errors
    /// The entry is not on the disk.
    pub async fn mark(&self, mark: &Mark) -> Result<(), AuditError> {
        let slot = self.reserve().await?;
        slot.send(|out| mark.members(Timestamp::now(), out)).await
    }

    /// Records what happened, one entry each, and waits until all are on the disk.
    ///
    /// # Errors
    /// One of them is not on the disk.
    pub async fn marks(&self, marks: &[Mark]) -> Result<(), AuditError> {
        let Some((last, before)) = marks.split_last() else { return Ok(()) };
        for mark in before {
            self.reserve().await?.hand_over(|out| mark.members(Timestamp::now(), out));
        }
        // Entries are written in their order: with the last all are there.
        self.mark(last).await
    }

    /// Records that the gateway stops in order, and writes everything that waits.
    ///
    /// # Errors
    /// Something could not be written.
    pub async fn close(&self) -> Result<(), AuditError> {
        let outcome = self.mark(&Mark::Closed).await;
        self.shared.stop();
        outcome
    }

    /// Whether the last write went well.
    ///
    /// # Errors
    /// The fault.
    pub fn health(&self) -> Result<(), AuditError> {
        self.shared.fault().map_or(Ok(()), Err)
    }

    /// What the trail did since it was opened.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let Counts { written, refused, abandoned, syncs, sync_nanos, segment } = &self.shared.counts;
        Stats {
            written: written.load(Ordering::Relaxed),
            refused: refused.load(Ordering::Relaxed),
            abandoned: abandoned.load(Ordering::Relaxed),
            syncs: syncs.load(Ordering::Relaxed),
            sync_nanos: sync_nanos.load(Ordering::Relaxed),
            taken: self.shared.taken() as u64,
            segment: segment.load(Ordering::Relaxed),
            healthy: self.shared.is_healthy(),
        }
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

/// Reads the end of the trail, mends it, and records the start.
fn begin(options: &Options) -> Result<Segments, AuditError> {
    let found = recover(&options.folder, &options.seal)?;
    let head = Head::open(&options.folder, &options.seal, found.place)?;
    let fresh = found.place.segment == 0;
    let segment = if fresh {
        // A stand-in until the first segment is made, a line below.
        std::fs::File::open(&options.folder)?
    } else {
        files::append(&options.folder, found.place.segment)?
    };
    let mut trail = Segments {
        folder: options.folder.clone(),
        segment,
        head,
        place: found.place,
        length: found.length,
        full: options.segment.max(1),
        dirty: false,
    };
    if fresh {
        trail.rotate()?;
    }
    let now = Timestamp::now();
    let (mut torn, mut opened) = (Vec::new(), Vec::new());
    if found.torn > 0 {
        Internal::Torn { bytes: found.torn }.members(now, &mut torn);
    }
    Mark::Opened { version: options.version }.members(now, &mut opened);
    trail.append([torn.as_slice(), opened.as_slice()].into_iter().filter(|members| !members.is_empty()))?;
    trail.head.sync()?;
    Ok(trail)
}

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The right to write one entry. Given back without one, it is counted as abandoned.
pub struct Slot {
    shared: Option<Arc<Shared>>,
}

impl Slot {
    /// Hands an entry over; it is on the disk within the window, or as soon as the disk works again. Never waits: it
    /// can be called where a body ends.
    pub fn write(self, entry: &Entry) {
        self.hand_over(|out| entry.members(Timestamp::now(), out));
    }

    fn hand_over(mut self, fill: impl FnOnce(&mut Vec<u8>)) {
        if let Some(shared) = self.shared.take() {
            with_members(fill, |members| shared.push(members, None));
        }
    }

    /// Records an entry and waits until it is on the disk.
    ///
    /// # Errors
    /// The entry is not on the disk: what it tells of must not happen.
    pub async fn durable(self, entry: &Entry) -> Result<(), AuditError> {
        self.send(|out| entry.members(Timestamp::now(), out)).await
    }

    async fn send(mut self, fill: impl FnOnce(&mut Vec<u8>)) -> Result<(), AuditError> {
        let Some(shared) = self.shared.take() else { return Err(AuditError::Closed) };
        if let Some(fault) = shared.fault() {
            shared.release(1);
            return Err(shared.refuse(fault));
        }
        let (reply, answer) = oneshot::channel();
        with_members(fill, |members| shared.push(members, Some(reply)));
        answer.await.unwrap_or_else(|_gone| Err(shared.refuse(AuditError::Closed)))
    }

    /// Gives the slot back: the request turned out to be none (a connection that brought nothing).
    pub fn give_back(mut self) {
        if let Some(shared) = self.shared.take() {
            shared.release(1);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            shared.counts.abandoned.fetch_add(1, Ordering::Relaxed);
            shared.release(1);
        }
    }
}

fn with_members(fill: impl FnOnce(&mut Vec<u8>), then: impl FnOnce(&[u8])) {
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.clear();
        fill(scratch);
        then(scratch);
    });
}
