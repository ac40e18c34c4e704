//! The way of an entry from a request to the thread that writes.
//!
//! Entries are written into one growing buffer under a short lock. The writer sleeps; the first entry of a window
//! wakes it to set its clock, a durable entry or a full buffer wakes it at once. So allowed inference costs no wake-up
//! of its own.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Semaphore, oneshot};

use super::error::AuditError;

/// Bytes in the buffer that wake the writer before the window ends.
const HIGH: usize = 256 * 1024;

#[derive(Default)]
pub(super) struct Counts {
    pub(super) written: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) abandoned: AtomicU64,
    pub(super) syncs: AtomicU64,
    pub(super) sync_nanos: AtomicU64,
    pub(super) segment: AtomicU64,
}

type Reply = oneshot::Sender<Result<(), AuditError>>;

/// Entries that are written together.
#[derive(Default)]
pub(super) struct Group {
    bytes: Vec<u8>,
    /// Where each entry ends, and who waits for it.
    ends: Vec<(usize, Option<Reply>)>,
}

impl Group {
    fn push(&mut self, members: &[u8], reply: Option<Reply>) {
        self.bytes.extend_from_slice(members);
        self.ends.push((self.bytes.len(), reply));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |(end, _)| {
            let entry = &self.bytes[start..*end];
            start = *end;
            entry
        })
    }

    /// Takes over what another holds.
    pub(super) fn extend(&mut self, other: &mut Self) {
        let offset = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.drain(..).map(|(end, reply)| (offset + end, reply)));
        other.bytes.clear();
    }

    /// Everything is on the disk.
    pub(super) fn answer_all(&mut self) {
        for (_, reply) in self.ends.drain(..) {
            // Whoever waited may have gone; the entry stays.
            if let Some(reply) = reply {
                drop(reply.send(Ok(())));
            }
        }
        self.bytes.clear();
    }

    /// How many wait for their entry.
    pub(super) fn waiting(&self) -> usize {
        self.ends.iter().filter(|(_, reply)| reply.is_some()).count()
    }

    /// Nothing is on the disk: those that wait are refused, the others stay.
    pub(super) fn refuse_waiting(&mut self, error: &AuditError) {
        let mut kept = Self::default();
        let mut start = 0;
        for (end, reply) in self.ends.drain(..) {
            match reply {
                Some(reply) => drop(reply.send(Err(error.clone()))),
                None => kept.push(&self.bytes[start..end], None),
            }
            start = end;
        }
        *self = kept;
    }
}

struct State {
    group: Group,
    /// When the oldest entry of the group came.
    since: Option<Instant>,
    urgent: bool,
    closing: bool,
    /// Nothing more is taken.
    ended: bool,
    /// What was kept is tried a last time.
    last: bool,
    fault: Option<(AuditError, Timestamp)>,
    /// Requests that were refused since the fault.
    refused: u64,
}

/// What requests and the writer share.
pub(super) struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    healthy: AtomicBool,
    slots: Semaphore,
    capacity: usize,
    window: Duration,
    pub(super) counts: Counts,
}

impl Shared {
    pub(super) fn new(slots: usize, window: Duration) -> Self {
        Self {
            state: Mutex::new(State {
                group: Group::default(),
                since: None,
                urgent: false,
                closing: false,
                ended: false,
                last: false,
                fault: None,
                refused: 0,
            }),
            wake: Condvar::new(),
            healthy: AtomicBool::new(true),
            slots: Semaphore::new(slots),
            capacity: slots,
            window,
            counts: Counts::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands an entry to the writer.
    pub(super) fn push(&self, members: &[u8], reply: Option<Reply>) {
        let mut state = self.lock();
        if state.ended {
            // The writer is gone: who waits is told by the reply's end.
            self.counts.abandoned.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let first = state.since.is_none();
        let urgent = reply.is_some() || state.group.bytes.len() + members.len() > HIGH;
        let wake = first || urgent && !state.urgent;
        state.since.get_or_insert_with(Instant::now);
        state.urgent |= urgent;
        state.group.push(members, reply);
        drop(state);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Waits for the next group. `None`: the trail is closed and everything is taken.
    pub(super) fn next(&self, idle: bool, retry: Duration) -> Option<Group> {
        let mut state = self.lock();
        let asleep = Instant::now();
        loop {
            if state.closing || state.urgent {
                break;
            }
            let clock = if !idle || state.fault.is_some() {
                Some(retry.saturating_sub(asleep.elapsed()))
            } else {
                state.since.map(|since| self.window.saturating_sub(since.elapsed()))
            };
            state = match clock {
                Some(Duration::ZERO) => break,
                Some(rest) => self.wake.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0,
                None => self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        if state.closing && state.group.is_empty() && (idle || state.last) {
            state.ended = true;
            return None;
        }
        // At the end what is kept is tried once more.
        state.last = state.closing;
        state.since = None;
        state.urgent = false;
        Some(std::mem::take(&mut state.group))
    }

    /// Gives the buffers of a written group back.
    pub(super) fn recycle(&self, group: Group) {
        let mut state = self.lock();
        if state.group.is_empty() && group.bytes.capacity() <= 4 * HIGH {
            state.group = group;
        }
    }

    /// Since when entries could not be written, and how many requests were refused because of it.
    pub(super) fn gap(&self) -> Option<(Timestamp, u64)> {
        let state = self.lock();
        let since = state.fault.as_ref().map(|(_, since)| *since);
        match (since, state.refused) {
            (None, 0) => None,
            (since, refused) => Some((since.unwrap_or_else(Timestamp::now), refused)),
        }
    }

    /// A group is on the disk, and with it that so many requests were refused.
    pub(super) fn wrote(&self, told: u64) {
        let mut state = self.lock();
        state.fault = None;
        state.refused = state.refused.saturating_sub(told);
        self.healthy.store(true, Ordering::Release);
    }

    /// A group could not be written, and so many requests are refused because of it.
    pub(super) fn failed(&self, error: &AuditError, refused: usize) {
        self.counts.refused.fetch_add(refused as u64, Ordering::Relaxed);
        let mut state = self.lock();
        state.refused += refused as u64;
        let since = state.fault.take().map_or_else(Timestamp::now, |(_, since)| since);
        state.fault = Some((error.clone(), since));
        self.healthy.store(false, Ordering::Release);
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Acquire)
    }

    /// So many entries are written, or refused.
    pub(super) fn release(&self, entries: usize) {
        self.slots.add_permits(entries);
    }

    /// Takes a slot, or waits for one.
    pub(super) async fn acquire(&self) -> Result<(), AuditError> {
        match self.slots.acquire().await {
            Ok(permit) => {
                permit.forget();
                Ok(())
            }
            Err(_closed) => Err(self.refuse(AuditError::Closed)),
        }
    }

    /// Slots that are taken.
    pub(super) fn taken(&self) -> usize {
        self.capacity.saturating_sub(self.slots.available_permits())
    }

    /// Nothing more will come: the writer writes what it has.
    pub(super) fn stop(&self) {
        self.lock().closing = true;
        self.wake.notify_one();
    }

    /// The writer has stopped.
    pub(super) fn ended(&self) {
        self.healthy.store(false, Ordering::Release);
        self.lock().fault = Some((AuditError::Closed, Timestamp::now()));
        self.slots.close();
    }

    /// What is wrong, if anything is.
    pub(super) fn fault(&self) -> Option<AuditError> {
        if self.is_healthy() {
            return None;
        }
        self.lock().fault.as_ref().map(|(error, _)| error.clone())
    }

    /// Notes that a request is refused because of a fault.
    pub(super) fn refuse(&self, error: AuditError) -> AuditError {
        self.lock().refused += 1;
        self.counts.refused.fetch_add(1, Ordering::Relaxed);
        error
    }
}
