//! Files that hold other things: archives with members, tables in binary formats with values.
//!
//! A container is taken apart, each thing in it is censored as what it is, and it is put together again around what
//! changed. What did not change keeps its bytes, packed as it was. Every byte of a container belongs to something
//! that is known and was looked at; a container of which that can't be said is refused.

mod contents;
mod seek;
mod waiting;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::body::spool::Spools;

pub(crate) use contents::Censoring;
pub use contents::Contents;
pub use seek::Seekable;
pub(crate) use waiting::{Through, Waiting, Walk};

/// What bounds a container, with all that is nested in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContainerLimits {
    /// Members, of all archives together.
    pub members: u64,
    /// Bytes of all members and values, unpacked.
    pub decoded: u64,
    /// Unpacked bytes for each packed one, once more than a MiB is unpacked.
    pub ratio: u64,
    /// Containers inside each other. A `tar.gz` is two.
    pub nesting: usize,
    /// Bytes of the path of a member.
    pub path: usize,
    /// Bytes of what is in memory at once: a page of a Parquet column, the buffers of a column of an Arrow record
    /// batch, the directory of an archive, the metadata of a table.
    pub block: usize,
}

impl Default for ContainerLimits {
    fn default() -> Self {
        Self { members: 100_000, decoded: 8 << 30, ratio: 100, nesting: 4, path: 4096, block: 64 << 20 }
    }
}

/// How containers are treated, and how much was found in one so far.
#[derive(Clone)]
pub struct Containers {
    pub(crate) spools: Spools,
    pub(crate) limits: ContainerLimits,
    nesting: usize,
    taken: Arc<Taken>,
}

#[derive(Default)]
struct Taken {
    decoded: AtomicU64,
    members: AtomicU64,
}

impl Containers {
    /// Containers within limits; what has to wait waits in these spools.
    #[must_use]
    pub fn new(spools: Spools, limits: ContainerLimits) -> Self {
        Self { spools, limits, nesting: 0, taken: Arc::default() }
    }

    /// For what a container holds; none if it may hold no container any more.
    pub(crate) fn deeper(&self) -> Self {
        Self { nesting: self.nesting + 1, ..self.clone() }
    }

    /// Whether one more container may be opened here.
    pub(crate) const fn may_open(&self) -> bool {
        self.nesting < self.limits.nesting
    }

    /// Counts unpacked bytes. False: there are too many.
    pub(crate) fn count_decoded(&self, bytes: u64) -> bool {
        let before = self.taken.decoded.fetch_add(bytes, Ordering::Relaxed);
        before.saturating_add(bytes) <= self.limits.decoded
    }

    /// Counts a member. False: there are too many.
    pub(crate) fn count_member(&self) -> bool {
        self.taken.members.fetch_add(1, Ordering::Relaxed) < self.limits.members
    }

    /// What may still be unpacked.
    pub(crate) fn left(&self) -> u64 {
        self.limits.decoded.saturating_sub(self.taken.decoded.load(Ordering::Relaxed))
    }
}
