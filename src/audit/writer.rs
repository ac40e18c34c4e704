//! The thread that writes: hashes, appends, syncs, and starts a new segment when one is full.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::entry::Internal;
use super::error::AuditError;
use super::files;
use super::head::{Head, Place};
use super::queue::{Group, Shared};

/// How often a disk that failed is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// The files of an open trail.
pub(super) struct Segments {
    pub(super) folder: PathBuf,
    pub(super) segment: File,
    pub(super) head: Head,
    pub(super) place: Place,
    /// Bytes of the segment that are whole and on the disk.
    pub(super) length: u64,
    /// Bytes from which on a new segment is begun.
    pub(super) full: u64,
    /// The segment may hold more than `length`: a write failed half-way.
    pub(super) dirty: bool,
}

impl Segments {
    /// Appends entries (their members) as one write and one sync; all or none.
    pub(super) fn append<'a>(&mut self, entries: impl Iterator<Item = &'a [u8]>) -> Result<(), AuditError> {
        self.clean()?;
        if self.length >= self.full {
            self.rotate()?;
        }
        let mut link = self.place.link;
        let mut out = Vec::new();
        for members in entries {
            link.append(members, &mut out);
        }
        if let Err(error) = self.segment.write_all(&out).and_then(|()| self.segment.sync_data()) {
            self.dirty = true;
            // At once, so that readers see whole lines; if it fails, it is tried again before the next write.
            drop(self.clean());
            return Err(error.into());
        }
        self.length += out.len() as u64;
        self.place.link = link;
        // The entries are safe. A head that lags is legal; what can't be written now is with the next group.
        if let Err(error) = self.head.write(self.place) {
            tracing::warn!(error = %error.kind(), "the audit trail's head was not updated");
        }
        Ok(())
    }

    /// Removes what a failed write left.
    fn clean(&mut self) -> Result<(), AuditError> {
        if self.dirty {
            self.segment.set_len(self.length)?;
            self.segment.sync_data()?;
            self.dirty = false;
        }
        Ok(())
    }

    /// Begins the next segment. The head is put on the disk, so that it never lies more than a segment behind.
    pub(super) fn rotate(&mut self) -> Result<(), AuditError> {
        let number = self.place.segment + 1;
        let mut link = self.place.link;
        let (mut members, mut line) = (Vec::new(), Vec::new());
        Internal::Segment { number, before: link.hash }.members(Timestamp::now(), &mut members);
        link.append(&members, &mut line);
        let begin = || {
            let mut file = files::create(&self.folder, number)?;
            file.write_all(&line)?;
            file.sync_all()?;
            files::sync_folder(&self.folder)?;
            Ok::<_, AuditError>(file)
        };
        self.segment = match begin() {
            Ok(file) => file,
            Err(error) => {
                // The next try makes the file anew; if this fails, it fails by name.
                drop(std::fs::remove_file(self.folder.join(files::name(number))));
                return Err(error);
            }
        };
        self.place = Place { segment: number, link };
        self.length = line.len() as u64;
        self.head.write(self.place)?;
        self.head.sync()?;
        tracing::info!(segment = number, seq = link.seq, "audit segment begun");
        Ok(())
    }
}

/// Writes groups until the trail is closed.
pub(super) fn run(mut trail: Segments, shared: &Arc<Shared>) {
    let mut kept = Group::default();
    while let Some(mut group) = shared.next(kept.is_empty(), RETRY) {
        // What could not be written before comes first.
        kept.extend(&mut group);
        write(&mut trail, shared, &mut kept);
        shared.recycle(group);
    }
    if !kept.is_empty() {
        tracing::error!(entries = kept.len(), "audit entries could not be written before the end");
    }
    shared.ended();
    if let Err(error) = trail.head.sync() {
        tracing::warn!(error = %error.kind(), "the audit trail's head was not synced");
    }
}

fn write(trail: &mut Segments, shared: &Shared, group: &mut Group) {
    let gap = shared.gap();
    if group.is_empty() && gap.is_none() && shared.is_healthy() {
        return;
    }
    let mut members = Vec::new();
    if let Some((since, refused)) = gap {
        Internal::Gap { since, refused }.members(Timestamp::now(), &mut members);
    }
    let gap_entry = (!members.is_empty()).then_some(members.as_slice());
    let started = Instant::now();
    let outcome = trail.append(group.entries().chain(gap_entry));
    let nanos = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
    shared.counts.sync_nanos.fetch_add(nanos, Ordering::Relaxed);
    shared.counts.syncs.fetch_add(1, Ordering::Relaxed);
    shared.counts.segment.store(trail.place.segment, Ordering::Relaxed);
    match outcome {
        Ok(()) => {
            let written = group.len() as u64 + u64::from(gap_entry.is_some());
            shared.counts.written.fetch_add(written, Ordering::Relaxed);
            shared.wrote(gap.map_or(0, |(_, refused)| refused));
            shared.release(group.len());
            group.answer_all();
        }
        Err(error) => {
            tracing::error!(%error, kept = group.len(), "the audit trail can't be written");
            let refused = group.waiting();
            shared.failed(&error, refused);
            group.refuse_waiting(&error);
            shared.release(refused);
        }
    }
}
