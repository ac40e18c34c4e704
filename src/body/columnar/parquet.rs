//! Parquet, page by page. The footer stands last, so the file waits in the spool. Pages of text columns are unpacked,
//! their values censored, and those with a finding written anew: dictionaries as dictionaries, levels as they were.
//! All other bytes stay, and the footer changes only where places and sizes do.

mod footer;
mod names;
mod page;
mod place;
mod thrift;
mod values;

use super::Values;
use crate::body::DRAIN_STEP;
use crate::body::coding::RATIO_FROM;
use crate::body::container::{Containers, Contents, Seekable, Walk};
use crate::reason::{Reason, Refusal};

use footer::{CHUNK_META, COLUMNS, Chunk, Footer, ROW_GROUPS};
use page::{Column, Page};
use place::Fate;
use thrift::{Fault, Struct};

pub(crate) const MAGIC: &[u8] = b"PAR1";
/// The length of the footer and the magic behind it.
const TAIL: u64 = 8;
/// A page's header is looked for in so many bytes first, and in no more than so many.
const HEADER: (usize, usize) = (4096, 8 << 20);
/// Zeros between the parts of a file, at most.
const PADDING: u64 = 1 << 20;

/// A part of the file.
#[derive(Clone, Copy, Debug)]
struct Region {
    start: u64,
    length: u64,
    chunk: usize,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Chunk,
    Bloom,
    ColumnIndex,
    OffsetIndex,
}

/// A way through a Parquet file.
pub(crate) struct ParquetWalk {
    file: Seekable,
    contents: Box<dyn Contents>,
    containers: Containers,
    footer: Footer,
    footer_at: u64,
    /// What is still to come, the next one last.
    regions: Vec<Region>,
    fates: Vec<Fate>,
    /// Up to here the file was read, and so much was written.
    read: u64,
    written: u64,
    /// What is written is no more what was read.
    moved: bool,
    unpacked: u64,
    state: State,
}

enum State {
    Next,
    Copying { until: u64 },
    Pages { chunk: usize, at: u64, end: u64, dictionary: Option<usize> },
    End,
    Done,
}

impl ParquetWalk {
    /// Reads the footer and checks what it says.
    pub(crate) fn new(
        mut file: Seekable,
        mut contents: Box<dyn Contents>,
        containers: Containers,
    ) -> Result<Self, Refusal> {
        let truncated =
            |contents: &dyn Contents| contents.refuse(Reason::ContentTruncated, "the end of the table");
        let length = file.len();
        let tail_at = length.checked_sub(TAIL).filter(|at| *at >= 4).ok_or_else(|| truncated(&*contents))?;
        let mut tail = Vec::new();
        file.read(tail_at, 8, &mut tail)?;
        let (size, magic) = tail.split_at(4);
        if magic == b"PARE" {
            return Err(contents.refuse(Reason::ContentUninspectable, "an encrypted table"));
        }
        let size = size.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let footer_at = tail_at.checked_sub(u64::from(size)).filter(|at| *at >= 4 && magic == MAGIC);
        let footer_at = footer_at.ok_or_else(|| truncated(&*contents))?;
        let most = containers.limits.block;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > most {
            return Err(contents.refuse(Reason::RecordTooLarge, "the footer of the table"));
        }
        let mut bytes = Vec::new();
        file.read(footer_at, size, &mut bytes)?;
        let footer = Footer::read(&mut *contents, &bytes, most)?;
        let mut walk = Self {
            fates: vec![Fate::default(); footer.chunks.len()],
            file,
            contents,
            containers,
            regions: Vec::new(),
            footer,
            footer_at,
            read: 0,
            written: 0,
            moved: false,
            unpacked: 0,
            state: State::Next,
        };
        walk.regions()?;
        Ok(walk)
    }

    fn malformed(&self, detail: &'static str) -> Refusal {
        self.contents.refuse(Reason::ContentMalformed, detail)
    }

    /// Where everything is. Nothing lies over another, and nothing but zeros between.
    fn regions(&mut self) -> Result<(), Refusal> {
        let mut regions = Vec::new();
        let groups = self.footer.meta.structures(ROW_GROUPS);
        let columns = groups.flat_map(|group| group.structures(COLUMNS));
        for (at, (chunk, column)) in self.footer.chunks.iter().zip(columns).enumerate() {
            let region = |start, length, what| Region { start, length, chunk: at, what };
            regions.push(region(chunk.start, chunk.length, What::Chunk));
            for (place, size, what) in [(6, 7, What::ColumnIndex), (4, 5, What::OffsetIndex)] {
                if let Some((start, length)) = column.size(place).zip(column.size(size)) {
                    regions.push(region(start, length, what));
                }
            }
            let meta = column.structure(CHUNK_META);
            if let Some(start) = meta.and_then(|meta| meta.size(14)) {
                let Some(length) = meta.and_then(|meta| meta.size(15)) else {
                    return Err(self
                        .contents
                        .refuse(Reason::ContentUninspectable, "a Bloom filter of unknown length"));
                };
                regions.push(region(start, length, What::Bloom));
            }
        }
        regions.sort_by_key(|region| (region.start, region.length, region.what));
        let mut end = MAGIC.len() as u64;
        let mut seen = vec![false; self.footer.chunks.len()];
        for region in &regions {
            self.gap(end, region.start)?;
            end = region
                .start
                .checked_add(region.length)
                .ok_or_else(|| self.malformed("the parts of the table"))?;
            if region.what == What::Chunk {
                seen.iter_mut().skip(region.chunk).take(1).for_each(|seen| *seen = true);
            } else if !seen.get(region.chunk).is_some_and(|seen| *seen) {
                return Err(self.malformed("an index before its column"));
            }
        }
        self.gap(end, self.footer_at)?;
        regions.reverse();
        self.regions = regions;
        Ok(())
    }

    fn gap(&mut self, from: u64, to: u64) -> Result<(), Refusal> {
        let Some(length) = to.checked_sub(from).filter(|_| to <= self.footer_at) else {
            return Err(self.contents.refuse(Reason::FieldAmbiguous, "parts of the table over each other"));
        };
        let mut bytes = Vec::new();
        if length <= PADDING {
            self.file.read(from, usize::try_from(length).unwrap_or_default(), &mut bytes)?;
        }
        if length > PADDING || bytes.iter().any(|byte| *byte != 0) {
            return Err(self.malformed("bytes in the table that belong to nothing"));
        }
        Ok(())
    }

    fn next(&mut self) -> Result<State, Refusal> {
        let Some(region) = self.regions.pop() else { return Ok(State::End) };
        if self.read < region.start {
            // The magic, or zeros.
            self.regions.push(region);
            return Ok(State::Copying { until: region.start });
        }
        let end = region.start + region.length;
        let Some(fate) = self.fates.get_mut(region.chunk) else { return Ok(State::Next) };
        match region.what {
            What::Chunk => {
                fate.start = self.written;
                fate.data = self.written;
                fate.length = region.length;
                let Some(chunk) = self.footer.chunks.get(region.chunk) else { return Ok(State::Next) };
                self.contents.part(chunk.rows);
                if self.footer.leaves.get(chunk.leaf).is_some_and(|leaf| leaf.values == Values::Other) {
                    return Ok(State::Copying { until: end });
                }
                Ok(State::Pages { chunk: region.chunk, at: region.start, end, dictionary: None })
            }
            What::Bloom if !fate.changed => {
                fate.bloom = Some(self.written);
                Ok(State::Copying { until: end })
            }
            What::ColumnIndex | What::OffsetIndex if !self.moved && !self.index_holds(region)? => {
                if let Some(fate) = self.fates.get_mut(region.chunk) {
                    fate.column_index |= region.what == What::ColumnIndex;
                    fate.offset_index |= region.what == What::OffsetIndex;
                }
                Ok(State::Copying { until: end })
            }
            What::Bloom | What::ColumnIndex | What::OffsetIndex => {
                self.moved = true;
                self.read = end;
                Ok(State::Next)
            }
        }
    }

    /// Whether an index holds something: it repeats values. Nothing else stands in it.
    fn index_holds(&mut self, region: Region) -> Result<bool, Refusal> {
        let malformed = self.malformed("an index of the table");
        if region.length > self.containers.limits.block as u64 {
            return Err(self.contents.refuse(Reason::RecordTooLarge, "an index of the table"));
        }
        let mut bytes = Vec::new();
        self.file.read(region.start, usize::try_from(region.length).unwrap_or_default(), &mut bytes)?;
        let values = self.containers.limits.block / footer::VALUE;
        let Ok((index, length)) = thrift::read(&bytes, values) else { return Err(malformed) };
        if length != bytes.len() {
            return Err(malformed);
        }
        let leaf = self.footer.chunks.get(region.chunk).and_then(|chunk| self.footer.leaves.get(chunk.leaf));
        let Some(leaf) = leaf.filter(|leaf| leaf.values != Values::Other) else { return Ok(false) };
        let mut texts = Vec::new();
        index.texts(&mut texts);
        for value in texts {
            if self.contents.text(leaf.field(), value)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// One page of a column.
    fn page(
        &mut self,
        chunk: usize,
        at: u64,
        end: u64,
        mut dictionary: Option<usize>,
        out: &mut Vec<u8>,
    ) -> Result<State, Refusal> {
        if at == end {
            return Ok(State::Copying { until: end });
        }
        let (header, header_length) = self.header(at, end)?;
        let malformed = self.malformed("a page of the table");
        let Some((size, unpacked)) = page::sizes(&header) else { return Err(malformed) };
        let body_at = at + header_length as u64;
        let Some(page_end) = body_at.checked_add(size as u64).filter(|page_end| *page_end <= end) else {
            return Err(malformed);
        };
        self.count(size, unpacked)?;
        let mut body = Vec::new();
        self.file.read(body_at, size, &mut body)?;
        let found = page::dictionary(&header);
        let is_dictionary = found.is_some();
        if is_dictionary && dictionary.is_some() {
            return Err(malformed);
        }
        dictionary = dictionary.or(found);
        let parts =
            self.footer.chunks.get(chunk).and_then(|c| self.footer.leaves.get(c.leaf).map(|leaf| (c, leaf)));
        let Some((Chunk { codec, .. }, leaf)) = parts else { return Err(malformed) };
        let column = Column { leaf, codec: *codec, dictionary, most: self.containers.limits.block };
        let rewritten = Page { header, body: &body }.censor(&mut *self.contents, &column)?;
        let state = State::Pages { chunk, at: page_end, end, dictionary };
        let before = self.written + (at - self.read);
        let mut length = page_end - at;
        if let Some(rewritten) = rewritten {
            if self.read < at {
                // What stands before goes out first; then this page is looked at again, as nothing was counted twice.
                self.copy(at, out)?;
            }
            let mut bytes = Vec::new();
            rewritten.header.write(&mut bytes);
            bytes.extend_from_slice(&rewritten.body);
            length = bytes.len() as u64;
            out.extend_from_slice(&bytes);
            self.written += length;
            self.read = page_end;
            self.moved = true;
            let header_grown = (length - rewritten.body.len() as u64) as i64 - header_length as i64;
            if let Some(fate) = self.fates.get_mut(chunk) {
                fate.changed = true;
                fate.length = fate.length - (page_end - at) + length;
                fate.grown += rewritten.grown + header_grown;
                fate.reencoded |= rewritten.reencoded;
            }
        }
        if let Some(fate) = self.fates.get_mut(chunk).filter(|_| is_dictionary) {
            fate.data = before + length;
        }
        Ok(state)
    }

    fn count(&mut self, size: usize, unpacked: usize) -> Result<(), Refusal> {
        let most = self.containers.limits.block;
        if size > most || unpacked > most {
            return Err(self.contents.refuse(Reason::RecordTooLarge, "a page of the table"));
        }
        self.unpacked += unpacked as u64;
        let bomb = self.unpacked > RATIO_FROM
            && self.unpacked / self.containers.limits.ratio.max(1) > self.file.len();
        if bomb || !self.containers.count_decoded(unpacked as u64) {
            return Err(self.contents.refuse(Reason::CodingBomb, "the pages of the table"));
        }
        Ok(())
    }

    fn header(&mut self, at: u64, end: u64) -> Result<(Struct, usize), Refusal> {
        let left = usize::try_from(end - at).unwrap_or(usize::MAX);
        let mut window = HEADER.0;
        loop {
            let mut bytes = Vec::new();
            self.file.read(at, window.min(left), &mut bytes)?;
            match page::header(&bytes) {
                Err(Fault::Short) if window < left && window < HEADER.1 => window *= 8,
                read => return read.map_err(|f| footer::fault(&*self.contents, f, "a page of the table")),
            }
        }
    }

    /// Copies the file up to a place.
    fn copy(&mut self, until: u64, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let count = until.saturating_sub(self.read);
        self.file.read(self.read, usize::try_from(count).unwrap_or(usize::MAX), out)?;
        self.read = until;
        self.written += count;
        Ok(())
    }
}

impl Walk for ParquetWalk {
    fn step(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        self.state = match std::mem::replace(&mut self.state, State::Next) {
            State::Next => self.next()?,
            State::Copying { until } => {
                let step = until.min(self.read.saturating_add(DRAIN_STEP as u64));
                self.copy(step, out)?;
                if step < until { State::Copying { until } } else { State::Next }
            }
            State::Pages { chunk, at, end, dictionary } => {
                // What was looked at goes out, so that little is copied at once.
                if at.saturating_sub(self.read) > DRAIN_STEP as u64 {
                    self.copy(at.min(self.read + DRAIN_STEP as u64), out)?;
                    State::Pages { chunk, at, end, dictionary }
                } else {
                    self.page(chunk, at, end, dictionary, out)?
                }
            }
            State::End if self.read < self.footer_at => State::Copying { until: self.footer_at },
            State::End if self.moved || self.footer.changed => {
                place::write(&mut self.footer, &self.fates, self.moved, out);
                State::Done
            }
            State::End => State::Copying { until: self.file.len() },
            State::Done => {
                self.state = State::Done;
                return Ok(false);
            }
        };
        if matches!(self.state, State::Next) && self.read == self.file.len() {
            self.state = State::Done;
        }
        Ok(true)
    }

    fn held(&self) -> usize {
        self.file.held() + self.fates.len() * size_of::<Fate>() + self.regions.len() * size_of::<Region>()
    }
}
