//! Bytes that can be read at any place: a spool that is complete, or a file on the disk.

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::body::spool::Spool;
use crate::reason::{Reason, Refusal};

/// Read at once from a file.
const PIECE: usize = 64 * 1024;

/// Bytes that can be read at any place.
#[derive(Debug)]
pub struct Seekable {
    source: Source,
    /// What was read last, and where it stands.
    cached: Vec<u8>,
    at: u64,
}

#[derive(Debug)]
enum Source {
    Spool(Spool),
    File { file: File, length: u64 },
}

impl Seekable {
    /// A spool to which nothing is added any more.
    #[must_use]
    pub const fn spool(spool: Spool) -> Self {
        Self { source: Source::Spool(spool), cached: Vec::new(), at: 0 }
    }

    /// A file of so many bytes.
    #[must_use]
    pub const fn file(file: File, length: u64) -> Self {
        Self { source: Source::File { file, length }, cached: Vec::new(), at: 0 }
    }

    /// How many bytes there are.
    #[must_use]
    pub const fn len(&self) -> u64 {
        match &self.source {
            Source::Spool(spool) => spool.len(),
            Source::File { length, .. } => *length,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes in memory.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.cached.len()
            + match &self.source {
                Source::Spool(spool) => spool.held(),
                Source::File { .. } => 0,
            }
    }

    /// Appends `length` bytes from a place on. Whoever asks knows that they are there.
    ///
    /// # Errors
    /// `internal` if they are not, or can't be read.
    pub fn read(&mut self, at: u64, length: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let (mut at, mut left) = (at, length);
        while left > 0 {
            let inside = at.checked_sub(self.at).and_then(|from| usize::try_from(from).ok());
            let rest = inside.and_then(|from| self.cached.get(from..)).unwrap_or_default();
            if rest.is_empty() {
                self.fetch(at)?;
                continue;
            }
            let here = rest.get(..left.min(rest.len())).unwrap_or_default();
            out.extend_from_slice(here);
            at += here.len() as u64;
            left -= here.len();
        }
        Ok(())
    }

    /// Fetches what stands at a place.
    fn fetch(&mut self, at: u64) -> Result<(), Refusal> {
        let broken = || Refusal::new(Reason::Internal).log("a place that is not in the file");
        if at >= self.len() {
            return Err(broken());
        }
        self.cached.clear();
        match &self.source {
            Source::Spool(spool) => self.at = spool.around(at, &mut self.cached)?,
            Source::File { file, length } => {
                let size = usize::try_from(length - at).unwrap_or(PIECE).min(PIECE);
                self.cached.resize(size, 0);
                let unreadable = |_io| Refusal::new(Reason::Internal).log("the file can't be read");
                file.read_exact_at(&mut self.cached, at).map_err(unreadable)?;
                self.at = at;
            }
        }
        if self.cached.is_empty() { Err(broken()) } else { Ok(()) }
    }
}
