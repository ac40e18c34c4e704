//! Bytes that wait until they can be decided: a file that arrives before the field that says what it is for, the parts
//! of an upload until they are put together. They stay in memory up to a threshold and go to an unlinked file beyond
//! it, sealed under a key that exists in this process only; all spools together take no more than a budget.

mod sealed;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::reason::{Reason, Refusal};

use sealed::{BLOCK, SealedFile};

/// The bytes that all spools may take together, in memory or on disk.
#[derive(Clone, Debug)]
pub struct SpoolBudget(Arc<Budget>);

#[derive(Debug)]
struct Budget {
    total: u64,
    used: AtomicU64,
}

impl SpoolBudget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(total: u64) -> Self {
        Self(Arc::new(Budget { total, used: AtomicU64::new(0) }))
    }

    /// Bytes in use.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Bytes in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.total
    }

    fn reserve(&self, bytes: u64) -> bool {
        self.0
            .used
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |used| {
                used.checked_add(bytes).filter(|after| *after <= self.0.total)
            })
            .is_ok()
    }

    fn release(&self, bytes: u64) {
        self.0.used.fetch_sub(bytes, Ordering::AcqRel);
    }
}

/// Where spools are made.
#[derive(Clone, Debug)]
pub struct Spools {
    budget: SpoolBudget,
    memory: usize,
    folder: Arc<Path>,
}

impl Spools {
    /// Spools that share a budget. Each keeps `memory` bytes in memory before it takes a file in `folder`, which has
    /// to exist; the file has no name by the time that anything is in it.
    #[must_use]
    pub fn new(budget: SpoolBudget, memory: usize, folder: PathBuf) -> Self {
        Self { budget, memory: memory.max(BLOCK), folder: folder.into() }
    }

    /// The budget, for gauges.
    #[must_use]
    pub const fn budget(&self) -> &SpoolBudget {
        &self.budget
    }

    /// A new, empty spool.
    #[must_use]
    pub fn open(&self) -> Spool {
        Spool { spools: self.clone(), memory: Vec::new(), file: None, length: 0 }
    }
}

/// A spool that is being written.
#[derive(Debug)]
pub struct Spool {
    spools: Spools,
    /// What is not in the file: everything, or less than a block.
    memory: Vec<u8>,
    file: Option<SealedFile>,
    /// Bytes in all, which are reserved in the budget.
    length: u64,
}

impl Spool {
    /// Appends bytes.
    ///
    /// # Errors
    /// `spool_full` when the budget is used up or the disk is full.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let more = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if !self.spools.budget.reserve(more) {
            return Err(Refusal::new(Reason::SpoolFull).log("the spool budget is used up"));
        }
        self.length += more;
        self.memory.extend_from_slice(bytes);
        if self.file.is_none() && self.memory.len() > self.spools.memory {
            self.file = Some(SealedFile::create(&self.spools.folder)?);
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let whole = self.memory.len() - self.memory.len() % BLOCK;
        for block in self.memory.get(..whole).unwrap_or_default().chunks(BLOCK) {
            file.append(block)?;
        }
        self.memory.drain(..whole);
        if self.memory.capacity() > 4 * BLOCK {
            self.memory.shrink_to(BLOCK);
        }
        Ok(())
    }

    /// Bytes in all.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.length
    }

    /// Whether nothing has been written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Bytes in memory.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.memory.len()
    }

    /// Ends the writing. The bytes can be read from the start, more than once.
    #[must_use]
    pub const fn into_reader(self) -> Spooled {
        Spooled { spool: self, block: 0, tail: 0 }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.spools.budget.release(self.length);
    }
}

/// A spool that is complete.
#[derive(Debug)]
pub struct Spooled {
    spool: Spool,
    /// The next block of the file.
    block: u64,
    /// How much of what is in memory has been read.
    tail: usize,
}

impl Spooled {
    /// Appends the next bytes, about 256 KiB of them. False: there are no more.
    ///
    /// # Errors
    /// `internal` when the file can't be read, or is not what was written.
    pub fn read(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        let mut room = super::DRAIN_STEP;
        let before = room;
        if let Some(file) = &self.spool.file {
            while self.block < file.blocks() && room > 0 {
                file.read(self.block, out)?;
                self.block += 1;
                room = room.saturating_sub(BLOCK);
            }
        }
        let rest = self.spool.memory.get(self.tail..).unwrap_or_default();
        let some = rest.get(..room.min(rest.len())).unwrap_or_default();
        out.extend_from_slice(some);
        self.tail += some.len();
        room -= some.len();
        Ok(room < before)
    }

    /// Begins to read from the start again.
    pub const fn rewind(&mut self) {
        self.block = 0;
        self.tail = 0;
    }

    /// Bytes in all.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.spool.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.spool.is_empty()
    }

    /// Bytes in memory.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.spool.held()
    }
}

#[cfg(test)]
mod tests;
