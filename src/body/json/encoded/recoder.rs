//! Base64 of a text: the text is censored, and from the first change on it is written anew. What stands before the
//! first change stays as it was written.

use std::collections::VecDeque;

use super::super::emit::Emit;
use super::super::source::Source;
use super::letters::{bits, follow};
use crate::body::Job;
use crate::reason::Refusal;

/// Base64 in pieces.
pub(super) struct Recoder {
    source: Source,
    written: Written,
    group: Group,
    bytes: Vec<u8>,
    ended: bool,
}

/// The letters of which fewer than four have come.
#[derive(Default)]
struct Group {
    bits: u32,
    letters: u8,
    /// With line breaks.
    len: usize,
}

/// Letters whose bytes are not decided.
#[derive(Default)]
struct Written {
    /// Each group: how many bytes it stands for, how long it is.
    groups: VecDeque<(usize, usize)>,
    bytes: VecDeque<u8>,
    /// Bytes of the first group that are decided.
    decided: usize,
    /// From the first change on: bytes that make no whole group yet.
    new: Option<Vec<u8>>,
    /// The other alphabet.
    url: bool,
    /// With padding at its end.
    padded: bool,
    /// Without padding where there should be some.
    bare: bool,
}

impl Recoder {
    pub(super) fn new(job: &Job, field: Option<&str>, depth: usize) -> Self {
        Self {
            source: Source::new(job, field, depth + 1),
            written: Written::default(),
            group: Group::default(),
            bytes: Vec::new(),
            ended: false,
        }
    }

    pub(super) fn held(&self) -> usize {
        self.written.bytes.len() + self.source.held()
    }

    /// Takes letters; says how many bytes of the text are some.
    pub(super) fn push(&mut self, job: &Job, text: &[u8], out: &mut dyn Emit) -> Result<usize, Refusal> {
        let good = follow(text, &mut self.ended);
        self.bytes.clear();
        for byte in text.get(..good).unwrap_or_default() {
            self.group.len += 1;
            self.written.url |= matches!(byte, b'-' | b'_');
            self.written.padded |= *byte == b'=';
            let Some(bits) = bits(*byte) else { continue };
            self.group.bits = self.group.bits << 6 | u32::from(bits);
            self.group.letters += 1;
            if self.group.letters == 4 {
                self.close(3);
            }
        }
        self.source.push(job, &self.bytes, &mut Recoded { written: &mut self.written, out })?;
        Ok(good)
    }

    pub(super) fn finish(&mut self, job: &Job, out: &mut dyn Emit) -> Result<(), Refusal> {
        self.bytes.clear();
        let letters = self.group.letters;
        let missing = 4_u32.saturating_sub(u32::from(letters)) % 4;
        self.group.bits <<= 6 * missing;
        self.written.bare = letters > 0 && !self.written.padded;
        if letters > 0 || self.group.len > 0 {
            self.close(usize::from(letters).saturating_sub(1));
        }
        let mut recoded = Recoded { written: &mut self.written, out };
        self.source.push(job, &self.bytes, &mut recoded)?;
        self.source.finish(job, &mut recoded)?;
        recoded.end();
        Ok(())
    }

    /// The group is complete, of so many bytes.
    fn close(&mut self, count: usize) {
        let Group { bits, len, .. } = std::mem::take(&mut self.group);
        let bytes = bits.to_be_bytes();
        let bytes = bytes.get(1..=count).unwrap_or_default();
        self.bytes.extend_from_slice(bytes);
        self.written.bytes.extend(bytes);
        self.written.groups.push_back((count, len));
    }
}

/// Says of letters what is said of their bytes.
struct Recoded<'a> {
    written: &'a mut Written,
    out: &'a mut dyn Emit,
}

impl Written {
    /// Takes decided bytes away; says how many letters they free.
    fn take(&mut self, len: usize) -> usize {
        self.decided += len;
        let mut freed = 0;
        while let Some(&(count, length)) = self.groups.front()
            && count <= self.decided
        {
            self.groups.pop_front();
            self.decided -= count;
            self.bytes.drain(..count.min(self.bytes.len()));
            freed += length;
        }
        freed
    }

    /// Encodes what is new as far as it makes whole groups, or all of it.
    fn encode(&mut self, all: bool) -> String {
        let Some(new) = &mut self.new else { return String::new() };
        let len = if all { new.len() } else { new.len() / 3 * 3 };
        let whole = new.drain(..len).collect::<Vec<_>>();
        let encoding = match (self.url, if self.url { self.padded } else { !self.bare }) {
            (false, true) => data_encoding::BASE64,
            (false, false) => data_encoding::BASE64_NOPAD,
            (true, true) => data_encoding::BASE64URL,
            (true, false) => data_encoding::BASE64URL_NOPAD,
        };
        encoding.encode(&whole)
    }
}

impl Emit for Recoded<'_> {
    fn keep(&mut self, len: usize) {
        let from = self.written.decided;
        if let Some(new) = &mut self.written.new {
            new.extend(self.written.bytes.range(from..from + len));
            self.change(len);
            return;
        }
        let freed = self.written.take(len);
        if freed > 0 {
            self.out.keep(freed);
        }
    }

    fn replace(&mut self, len: usize, with: &[u8]) {
        let before = self.written.bytes.range(..self.written.decided).copied().collect();
        self.written.new.get_or_insert(before).extend_from_slice(with);
        self.change(len);
    }
}

impl Recoded<'_> {
    fn change(&mut self, len: usize) {
        let freed = self.written.take(len);
        let letters = self.written.encode(false);
        if freed > 0 || !letters.is_empty() {
            self.out.replace(freed, letters.as_bytes());
        }
    }

    /// Everything is decided.
    fn end(&mut self) {
        let freed = self.written.take(0) + self.written.groups.drain(..).map(|(_, len)| len).sum::<usize>();
        let letters = self.written.encode(true);
        if self.written.new.is_some() {
            self.out.replace(freed, letters.as_bytes());
        } else if freed > 0 {
            self.out.keep(freed);
        }
    }
}
