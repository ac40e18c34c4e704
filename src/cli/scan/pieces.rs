//! Input in pieces that can be looked at by themselves.

use std::io::{self, Read};

/// Bytes of a piece, about.
const SIZE: usize = 2 << 20;

/// What stands before and behind a piece and may belong to a finding in it: longer than any finding and any context.
const MARGIN: usize = 64 << 10;

/// A line longer than this is no record.
const LONGEST: usize = 256 << 20;

/// A part of the input.
pub(super) struct Piece {
    /// The bytes, with their margins.
    pub(super) bytes: Vec<u8>,
    /// Where in `bytes` the piece itself begins and ends: findings that begin outside are others'.
    pub(super) own: std::ops::Range<usize>,
    /// The offset of `bytes` in the input.
    pub(super) offset: u64,
    /// The number of the line that `bytes[own.start]` stands in, from 1.
    pub(super) line: u64,
}

impl Piece {
    /// Its lines and their numbers, without their ends.
    pub(super) fn lines(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let own = self.bytes.get(self.own.clone()).unwrap_or_default();
        own.split(|byte| *byte == b'\n').zip(self.line..).map(|(line, number)| (number, line))
    }
}

/// Cuts an input into pieces: at line ends for records, anywhere with margins for text.
pub(super) struct Pieces {
    reader: Box<dyn Read + Send>,
    records: bool,
    buffer: Vec<u8>,
    /// Where the next piece begins in the buffer.
    at: usize,
    offset: u64,
    line: u64,
    ended: bool,
}

impl Pieces {
    pub(super) fn new(reader: Box<dyn Read + Send>, records: bool) -> Self {
        Self { reader, records, buffer: Vec::new(), at: 0, offset: 0, line: 1, ended: false }
    }

    fn fill(&mut self, want: usize) -> io::Result<()> {
        while !self.ended && self.buffer.len() < want {
            let missing = (want - self.buffer.len()) as u64;
            let read = (&mut self.reader).take(missing).read_to_end(&mut self.buffer)?;
            self.ended = read == 0 || self.buffer.len() < want;
        }
        Ok(())
    }

    /// The next piece; none at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Piece>> {
        self.fill(self.at + SIZE + MARGIN)?;
        if self.at >= self.buffer.len() {
            return Ok(None);
        }
        let end = if self.records { self.record_end()? } else { self.buffer.len().min(self.at + SIZE) };
        let last = if self.records { end } else { self.buffer.len().min(end + MARGIN) };
        let piece = Piece {
            bytes: self.buffer.get(..last).unwrap_or_default().to_vec(),
            own: self.at..end,
            offset: self.offset,
            line: self.line,
        };
        let own = self.buffer.get(self.at..end).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', own).count() as u64;
        let keep = if self.records { end } else { end.saturating_sub(MARGIN) };
        self.buffer.drain(..keep);
        self.offset += keep as u64;
        self.at = end - keep;
        Ok(Some(piece))
    }

    /// The end of the last whole line within a piece's size, or of the one line that is longer.
    fn record_end(&mut self) -> io::Result<usize> {
        loop {
            let upto = self.buffer.len().min(self.at + SIZE);
            if let Some(end) = memchr::memrchr(b'\n', &self.buffer[self.at..upto]) {
                return Ok(self.at + end + 1);
            }
            if let Some(end) = memchr::memchr(b'\n', &self.buffer[upto..]) {
                return Ok(upto + end + 1);
            }
            if self.ended {
                return Ok(self.buffer.len());
            }
            if self.buffer.len() > LONGEST {
                let message = format!("line {} is longer than {LONGEST} bytes", self.line);
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            self.fill(self.buffer.len() * 2)?;
        }
    }
}

/// Cuts a text that comes in pieces of its own.
#[derive(Default)]
pub(super) struct Cutter {
    buffer: Vec<u8>,
    /// Where the next piece begins in the buffer.
    at: usize,
    offset: u64,
    line: u64,
}

impl Cutter {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next piece; none if there is not enough, or no more. `ended`: nothing comes any more.
    pub(super) fn next(&mut self, ended: bool) -> Option<Piece> {
        let whole = self.buffer.len() >= self.at + SIZE + MARGIN;
        if self.at >= self.buffer.len() || !whole && !ended {
            return None;
        }
        let end = self.buffer.len().min(self.at + SIZE);
        let last = self.buffer.len().min(end + MARGIN);
        let piece = Piece {
            bytes: self.buffer.get(..last)?.to_vec(),
            own: self.at..end,
            offset: self.offset,
            line: self.line + 1,
        };
        let own = self.buffer.get(self.at..end)?;
        self.line += memchr::memchr_iter(b'\n', own).count() as u64;
        let keep = end.saturating_sub(MARGIN);
        self.buffer.drain(..keep);
        self.offset += keep as u64;
        self.at = end - keep;
        Some(piece)
    }
}
