//! Segments on the disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::chain::MAX_LINE;

/// The name of a segment.
pub(super) fn name(number: u64) -> String {
    format!("audit-{number:06}.jsonl")
}

/// The numbers of the segments in a folder, ascending.
pub(super) fn segments(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let file = entry?.file_name();
        let digits =
            file.to_str().and_then(|n| n.strip_prefix("audit-")).and_then(|n| n.strip_suffix(".jsonl"));
        if let Some(number) = digits.and_then(|d| d.parse().ok())
            && file.to_str() == Some(&name(number))
        {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Makes a segment. It must not be there.
pub(super) fn create(folder: &Path, number: u64) -> io::Result<File> {
    OpenOptions::new().append(true).create_new(true).mode(0o600).open(folder.join(name(number)))
}

/// Opens a segment to go on in it.
pub(super) fn append(folder: &Path, number: u64) -> io::Result<File> {
    OpenOptions::new().append(true).open(folder.join(name(number)))
}

/// Names that were added to or removed from a folder are on the disk.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// One line of a segment.
pub(super) enum Line<'a> {
    /// A whole line, without its LF.
    Whole(&'a [u8]),
    /// The file ends in so many bytes without an LF, or a line is longer than any.
    Torn,
    /// The file has ended.
    End,
}

/// The lines of a segment, one at a time in one buffer.
pub(super) struct Lines {
    reader: BufReader<File>,
    buffer: Vec<u8>,
    offset: u64,
    count: u64,
}

impl Lines {
    pub(super) fn open(folder: &Path, number: u64) -> io::Result<Self> {
        let reader = BufReader::with_capacity(64 * 1024, File::open(folder.join(name(number)))?);
        Ok(Self { reader, buffer: Vec::new(), offset: 0, count: 0 })
    }

    /// Bytes of the whole lines that were given.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Lines that were given.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// The next line. After [`Line::Torn`] nothing more is to be read.
    pub(super) fn next(&mut self) -> io::Result<Line<'_>> {
        self.buffer.clear();
        let mut limited = io::Read::take(&mut self.reader, MAX_LINE as u64);
        if limited.read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(Line::End);
        }
        let Some(line) = self.buffer.strip_suffix(b"\n") else { return Ok(Line::Torn) };
        self.offset += self.buffer.len() as u64;
        self.count += 1;
        Ok(Line::Whole(line))
    }
}
