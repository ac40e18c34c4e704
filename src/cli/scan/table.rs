//! CSV and TSV: the cells of some columns, and records as they stand in the file.

use std::cell::RefCell;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use csv::ByteRecord;

/// Bytes of cells that are looked at together, about.
const BATCH: usize = 1 << 20;
/// A record longer than this is none: somewhere a quote is missing.
const LONGEST: usize = 256 << 20;

/// A cell.
pub(super) struct Cell {
    /// The line that its record begins in.
    pub(super) line: u64,
    /// Its column.
    pub(super) column: Arc<str>,
    /// What it says, without quotes.
    pub(super) text: Vec<u8>,
}

/// What separates cells: tabs in files that say so.
pub(super) fn delimiter(path: Option<&Path>) -> u8 {
    let ending = path
        .map(|path| path.with_extension(""))
        .filter(|_| packed(path))
        .or_else(|| path.map(Path::to_owned));
    let ending = ending.as_deref().and_then(Path::extension).map(|e| e.to_ascii_lowercase());
    if ending.is_some_and(|e| e == "tsv" || e == "tab") { b'\t' } else { b',' }
}

fn packed(path: Option<&Path>) -> bool {
    path.is_some_and(|path| super::unpack::Packed::by_name(path).is_some())
}

/// A file of records.
pub(super) struct Table {
    reader: csv::Reader<Tape>,
    tape: Tape,
    record: ByteRecord,
    /// The wanted columns: where they are, and their names.
    pub(super) columns: Vec<(usize, Arc<str>)>,
    pub(super) delimiter: u8,
}

impl Table {
    /// Reads the first record, which names the columns.
    pub(super) fn new(reader: Box<dyn Read + Send>, delimiter: u8, wanted: &[String]) -> io::Result<Self> {
        let tape = Tape { reader: Rc::new(RefCell::new(reader)), seen: Rc::default() };
        let mut options = csv::ReaderBuilder::new();
        let mut reader =
            options.delimiter(delimiter).flexible(true).has_headers(true).from_reader(tape.clone());
        let names: Vec<String> =
            reader.byte_headers()?.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        let plain = |name: &str| name.trim_start_matches('\u{feff}').trim().to_owned();
        let names: Vec<String> = names.iter().map(|name| plain(name)).collect();
        let mut columns = Vec::new();
        for name in wanted {
            let places = names.iter().enumerate().filter(|(_, other)| *other == name);
            let before = columns.len();
            columns.extend(places.map(|(at, _)| (at, Arc::from(name.as_str()))));
            if columns.len() == before {
                let known = names.join("`, `");
                return Err(invalid(format!("there is no column `{name}`; the first line names `{known}`")));
            }
        }
        columns.sort();
        columns.dedup();
        Ok(Self { reader, tape, record: ByteRecord::new(), columns, delimiter })
    }

    /// The next record and its line. What was read before has to be taken or skipped.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, &ByteRecord)>> {
        if !self.reader.read_byte_record(&mut self.record)? {
            return Ok(None);
        }
        Ok(Some((self.tape.line(), &self.record)))
    }

    /// The bytes of the file from the last ones taken to the end of what was read: the header, then each record.
    pub(super) fn taken(&self) -> Vec<u8> {
        self.tape.give(self.reader.position().byte())
    }

    /// What stands behind the last record.
    pub(super) fn rest(&self) -> Vec<u8> {
        self.tape.give(u64::MAX)
    }

    /// Cells of the wanted columns, as many as are looked at together; none at the end.
    pub(super) fn cells(&mut self) -> io::Result<Option<Vec<Cell>>> {
        let (mut cells, mut bytes) = (Vec::new(), 0);
        while bytes < BATCH {
            self.tape.skip(self.reader.position().byte());
            let columns = std::mem::take(&mut self.columns);
            let next = self.next().map(|next| {
                next.map(|(line, record)| {
                    let wanted = columns.iter().filter_map(|(at, name)| Some((record.get(*at)?, name)));
                    let filled = wanted.filter(|(text, _)| !text.is_empty());
                    let cell = |(text, name): (&[u8], &Arc<str>)| Cell {
                        line,
                        column: Arc::clone(name),
                        text: text.to_vec(),
                    };
                    cells.extend(filled.map(cell));
                    record.as_slice().len() + 1
                })
            });
            self.columns = columns;
            match next? {
                Some(len) => bytes += len,
                None => break,
            }
        }
        Ok((bytes > 0).then_some(cells))
    }
}

/// A reader that keeps what was read until it is given out, so that records can be given out as they stood there.
#[derive(Clone)]
struct Tape {
    reader: Rc<RefCell<Box<dyn Read + Send>>>,
    seen: Rc<RefCell<Seen>>,
}

#[derive(Default)]
struct Seen {
    bytes: Vec<u8>,
    /// How many of them were taken.
    taken: usize,
    /// The offset of the first that was not.
    from: u64,
    /// How many lines ended in those before it.
    lines: u64,
}

impl Tape {
    /// The line in which the record begins that was read last, from 1. What ends the one before it, and lines that are
    /// empty, stand before it.
    fn line(&self) -> u64 {
        let seen = self.seen.borrow();
        let rest = seen.bytes.get(seen.taken..).unwrap_or_default();
        let ends = rest.iter().take_while(|byte| matches!(**byte, b'\r' | b'\n'));
        1 + seen.lines + ends.filter(|byte| **byte == b'\n').count() as u64
    }

    /// Passes over what stands before an offset.
    fn skip(&self, upto: u64) -> usize {
        let mut seen = self.seen.borrow_mut();
        let count = usize::try_from(upto.saturating_sub(seen.from)).unwrap_or(usize::MAX);
        let count = count.min(seen.bytes.len() - seen.taken);
        seen.from += count as u64;
        let passed = seen.bytes.get(seen.taken..seen.taken + count).unwrap_or_default();
        seen.lines += memchr::memchr_iter(b'\n', passed).count() as u64;
        seen.taken += count;
        if seen.taken > BATCH {
            let taken = std::mem::take(&mut seen.taken);
            seen.bytes.drain(..taken);
        }
        count
    }

    /// What stands before an offset and was not taken.
    fn give(&self, upto: u64) -> Vec<u8> {
        let bytes = {
            let seen = self.seen.borrow();
            let count = usize::try_from(upto.saturating_sub(seen.from)).unwrap_or(usize::MAX);
            let end = seen.taken.saturating_add(count).min(seen.bytes.len());
            seen.bytes.get(seen.taken..end).unwrap_or_default().to_vec()
        };
        self.skip(upto);
        bytes
    }
}

impl Read for Tape {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.borrow_mut().read(room)?;
        let mut seen = self.seen.borrow_mut();
        seen.bytes.extend_from_slice(room.get(..read).unwrap_or_default());
        if seen.bytes.len() - seen.taken > LONGEST {
            return Err(invalid(format!("a record is longer than {LONGEST} bytes: is a quote missing?")));
        }
        Ok(read)
    }
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
