//! Bytes that wait until they can be decided: a file that arrives before the field that says what it is for, the parts
//! of an upload until they are put together. They stay in memory up to a threshold and go to an unlinked file beyond
//! it, sealed under a key that exists in this process only; all spools together take no more than a budget, and those of one
//! tenant no more than its share.

mod sealed;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::reason::{Reason, Refusal, SafeText};

use sealed::{BLOCK, Block, SealedFile};

/// The bytes that spools may take together, in memory or on disk.
#[derive(Clone, Debug)]
pub struct SpoolBudget {
    total: u64,
    used: Arc<AtomicU64>,
}

impl SpoolBudget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(total: u64) -> Self {
        Self { total, used: Arc::default() }
    }

    /// The same budget with another limit: what is in use is counted together.
    #[must_use]
    pub fn limited_to(&self, total: u64) -> Self {
        Self { total, used: Arc::clone(&self.used) }
    }

    /// Bytes in use.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Bytes in all.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    fn reserve(&self, bytes: u64) -> bool {
        self.used
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |used| {
                used.checked_add(bytes).filter(|after| *after <= self.total)
            })
            .is_ok()
    }

    fn release(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::AcqRel);
    }
}

/// Where spools are made.
#[derive(Clone, Debug)]
pub struct Spools {
    budget: SpoolBudget,
    /// What one of those who share the budget may take of it.
    share: Option<SpoolBudget>,
    memory: usize,
    folder: Arc<Path>,
}

impl Spools {
    /// Spools that share a budget. Each keeps `memory` bytes in memory before it takes a file in `folder`, which has
    /// to exist; the file has no name by the time that anything is in it.
    #[must_use]
    pub fn new(budget: SpoolBudget, memory: usize, folder: PathBuf) -> Self {
        Self { budget, share: None, memory: memory.max(BLOCK), folder: folder.into() }
    }

    /// The same spools for somebody who may take no more of the budget than a share.
    #[must_use]
    pub fn within(&self, share: SpoolBudget) -> Self {
        Self { share: Some(share), ..self.clone() }
    }

    /// The budget, for gauges.
    #[must_use]
    pub const fn budget(&self) -> &SpoolBudget {
        &self.budget
    }

    /// A new, empty spool.
    #[must_use]
    pub fn open(&self) -> Spool {
        Spool { spools: self.clone(), memory: Vec::new(), file: None, blocks: Vec::new(), length: 0 }
    }

    /// A file for spools that wait long and together: they keep nothing in memory once they are complete.
    ///
    /// # Errors
    /// `spool_full` when there can't be one.
    pub fn file(&self) -> Result<SpoolFile, Refusal> {
        SealedFile::create(&self.folder).map(|file| SpoolFile(Arc::new(file)))
    }

    /// A new, empty spool in a file.
    #[must_use]
    pub fn open_in(&self, file: &SpoolFile) -> Spool {
        let mut spool = self.open();
        spool.file = Some(Arc::clone(&file.0));
        spool
    }

    fn reserve(&self, bytes: u64) -> Result<(), Refusal> {
        // The whole first: where both are used up, nobody has room.
        if !self.budget.reserve(bytes) {
            return Err(Refusal::new(Reason::SpoolFull).log("the spool budget is used up"));
        }
        if let Some(share) = self.share.as_ref().filter(|share| !share.reserve(bytes)) {
            self.budget.release(bytes);
            let total = SafeText::numbered("the share of the spool is used up, bytes", share.total());
            return Err(Refusal::new(Reason::TenantOverLimit).log(total));
        }
        Ok(())
    }

    fn release(&self, bytes: u64) {
        self.budget.release(bytes);
        if let Some(share) = &self.share {
            share.release(bytes);
        }
    }
}

/// A file that several spools share.
#[derive(Clone, Debug)]
pub struct SpoolFile(Arc<SealedFile>);

/// A spool that is being written.
#[derive(Debug)]
pub struct Spool {
    spools: Spools,
    /// What is not in the file: everything, or less than a block.
    memory: Vec<u8>,
    file: Option<Arc<SealedFile>>,
    blocks: Vec<Block>,
    /// Bytes in all, which are reserved in the budget.
    length: u64,
}

impl Spool {
    /// Appends bytes.
    ///
    /// # Errors
    /// `spool_full` when the budget is used up or the disk is full, `tenant_over_limit` when the share is used up.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let more = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.spools.reserve(more)?;
        self.length += more;
        self.memory.extend_from_slice(bytes);
        if self.file.is_none() && self.memory.len() > self.spools.memory {
            self.file = Some(Arc::new(SealedFile::create(&self.spools.folder)?));
        }
        self.write(self.memory.len() - self.memory.len() % BLOCK)
    }

    /// Nothing comes any more: the last bytes go to the file as well, if there is one.
    ///
    /// # Errors
    /// `spool_full` when the disk is full.
    pub fn seal(&mut self) -> Result<(), Refusal> {
        self.write(self.memory.len())?;
        if self.file.is_some() {
            self.memory = Vec::new();
        }
        Ok(())
    }

    /// Moves so many bytes from the memory to the file.
    fn write(&mut self, bytes: usize) -> Result<(), Refusal> {
        let Some(file) = &self.file else { return Ok(()) };
        for block in self.memory.get(..bytes).unwrap_or_default().chunks(BLOCK) {
            self.blocks.push(file.append(block)?);
        }
        self.memory.drain(..bytes);
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

    /// Appends about as many bytes as a step of reading has, from a place on. False: there are no more.
    fn read(&self, at: &mut Place, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        let mut room = super::DRAIN_STEP;
        let before = room;
        if let Some(file) = &self.file {
            while let Some(block) = self.blocks.get(at.block).filter(|_| room > 0) {
                file.read(block, out)?;
                at.block += 1;
                room = room.saturating_sub(BLOCK);
            }
        }
        let rest = self.memory.get(at.tail..).unwrap_or_default();
        let some = rest.get(..room.min(rest.len())).unwrap_or_default();
        out.extend_from_slice(some);
        at.tail += some.len();
        room -= some.len();
        Ok(room < before)
    }

    /// Appends the bytes around a place, and says where they begin.
    pub(super) fn around(&self, at: u64, out: &mut Vec<u8>) -> Result<u64, Refusal> {
        let in_file = self.blocks.len();
        let index = usize::try_from(at / BLOCK as u64).unwrap_or(usize::MAX).min(in_file);
        let from = (index * BLOCK) as u64;
        match (&self.file, self.blocks.get(index)) {
            (Some(file), Some(block)) => {
                file.read(block, out)?;
                Ok(from)
            }
            _ => {
                // A piece of what is in memory.
                let tail = usize::try_from(at - from).unwrap_or(usize::MAX);
                let rest = self.memory.get(tail..).unwrap_or_default();
                out.extend_from_slice(rest.get(..rest.len().min(BLOCK)).unwrap_or_default());
                Ok(at)
            }
        }
    }

    /// Ends the writing. The bytes can be read from the start, more than once.
    #[must_use]
    pub const fn into_reader(self) -> Spooled {
        Spooled { spool: self, at: Place { block: 0, tail: 0 } }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.spools.release(self.length);
        if let Some(file) = &self.file {
            file.free(&self.blocks);
        }
    }
}

/// How far a spool has been read.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// The next block of the file.
    block: usize,
    /// How much of what is in memory.
    tail: usize,
}

/// A spool that is complete.
#[derive(Debug)]
pub struct Spooled {
    spool: Spool,
    at: Place,
}

impl Spooled {
    /// Appends the next bytes, about 256 KiB of them. False: there are no more.
    ///
    /// # Errors
    /// `internal` when the file can't be read, or is not what was written.
    pub fn read(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        self.spool.read(&mut self.at, out)
    }

    /// Begins to read from the start again.
    pub const fn rewind(&mut self) {
        self.at = Place { block: 0, tail: 0 };
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

/// Reads spools one after another, which stay as they are.
#[derive(Debug, Default)]
pub struct InOrder {
    spools: Vec<Arc<Spool>>,
    current: usize,
    at: Place,
}

impl InOrder {
    /// Begins with the first.
    #[must_use]
    pub fn new(spools: Vec<Arc<Spool>>) -> Self {
        Self { spools, ..Self::default() }
    }

    /// Appends the next bytes. False: there are no more.
    ///
    /// # Errors
    /// As [`Spooled::read`].
    pub fn read(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        while let Some(spool) = self.spools.get(self.current) {
            if spool.read(&mut self.at, out)? {
                return Ok(true);
            }
            self.current += 1;
            self.at = Place::default();
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests;
