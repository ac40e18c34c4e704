//! Tables as text (RFC 4180): fields between commas, semicolons or tabs, in quotes or not. Every field is censored as
//! a text under its column's name; a field without a finding stays as it was written.
//!
//! Readers of tables forgive much, so this one does too: lines of any length, quotes inside of fields, letters behind a
//! closing quote, a last line without an end.

use std::ops::Range;

use memchr::memchr3;

use crate::body::json::BOM;
use crate::body::sink::Sink;
use crate::body::text::Whole;
use crate::body::utf8::Utf8;
use crate::body::{Job, Transform};
use crate::reason::{Reason, Refusal, SafeText};

/// Most bytes of a column's name that are kept, and most columns that have one.
const NAME: usize = 256;
const COLUMNS: usize = 4096;

/// What separates fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separator {
    /// A tab.
    Tab,
    /// A comma, a semicolon or a tab: whichever the first line has most of.
    Unknown,
}

/// Censors a table.
pub struct CsvTransform {
    job: Job,
    utf8: Utf8,
    whole: Whole,
    /// Known once the first line is complete.
    separator: Option<u8>,
    /// The names in the first line.
    names: Vec<Box<str>>,
    line: u64,
    column: usize,
    /// The first line, until the separator is known; then the field at hand.
    held: Vec<u8>,
    quotes: Quotes,
    /// Up to here `held` has been looked at.
    seen: usize,
}

/// Where in a field the reader stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Quotes {
    /// At its first byte.
    #[default]
    Start,
    /// Outside of quotes.
    Bare,
    Inside,
    /// Behind a quote that ends it, or is one of two.
    After,
}

impl Quotes {
    /// Behind one more byte.
    const fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Start | Self::After, b'"') | (Self::Inside, 1..=0x21 | 0x23..) => Self::Inside,
            (Self::Inside, _) => Self::After,
            _ => Self::Bare,
        }
    }
}

impl CsvTransform {
    /// A table.
    #[must_use]
    pub fn new(job: Job, separator: Separator) -> Self {
        Self {
            job,
            utf8: Utf8::default(),
            whole: Whole::default(),
            separator: (separator == Separator::Tab).then_some(b'\t'),
            names: Vec::new(),
            line: 1,
            column: 0,
            held: Vec::new(),
            quotes: Quotes::default(),
            seen: 0,
        }
    }

    fn refuse(&self, reason: Reason) -> Refusal {
        self.job.refuse(reason).detail(SafeText::numbered("line", self.line))
    }

    /// Looks for the first line's end; then its separator is known. The line is a record, and no longer than one.
    fn first_line(&mut self, complete: bool) -> Result<(), Refusal> {
        let mut length = self.held.len();
        let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
        let mut quotes = Quotes::Start;
        let mut ended = complete;
        for (at, byte) in self.held.iter().enumerate() {
            let before = quotes;
            quotes = quotes.after(*byte);
            if before == Quotes::Inside || quotes == Quotes::Inside {
                continue;
            }
            if *byte == b'\n' {
                ended = true;
                length = at;
                break;
            }
            if let Some((_, count)) = counts.iter_mut().find(|(separator, _)| separator == byte) {
                *count += 1;
                quotes = Quotes::Start;
            }
        }
        if length > self.job.limits.record {
            return Err(self.refuse(Reason::RecordTooLarge));
        }
        if ended {
            let most = counts.iter().rev().max_by_key(|(_, count)| *count);
            self.separator = most.map(|(separator, _)| *separator);
        }
        Ok(())
    }

    fn fields(&mut self, text: &[u8], separator: u8, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let mut sink = Sink::new(text, out);
        let mut from = 0;
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            if self.quotes == Quotes::Bare || self.quotes == Quotes::Inside {
                let rest = text.get(at..).unwrap_or_default();
                let skipped = match self.quotes {
                    Quotes::Inside => memchr::memchr(b'"', rest),
                    _ => memchr3(separator, b'\n', b'"', rest),
                };
                let skipped = skipped.unwrap_or(rest.len());
                if skipped > 0 {
                    at += skipped;
                    continue;
                }
            }
            let ends = self.quotes != Quotes::Inside && (byte == separator || byte == b'\n');
            if ends {
                self.field(&mut sink, from..at, byte == b'\n')?;
                from = at + 1;
                self.quotes = Quotes::Start;
                if byte == b'\n' {
                    self.line += 1;
                    self.column = 0;
                } else {
                    self.column += 1;
                }
            } else {
                self.quotes = self.quotes.after(byte);
            }
            at += 1;
        }
        if self.held.len() + text.len() - from > self.job.limits.record {
            return Err(self.refuse(Reason::RecordTooLarge));
        }
        sink.flush(from);
        sink.skip(text.len());
        self.held.extend_from_slice(text.get(from..).unwrap_or_default());
        Ok(())
    }

    /// A field whose rest stands in the input; what came before of it is held.
    fn field(&mut self, sink: &mut Sink<'_>, at: Range<usize>, last: bool) -> Result<(), Refusal> {
        let held = std::mem::take(&mut self.held);
        let here = sink.input().get(at.clone()).unwrap_or_default();
        let joined = if held.is_empty() { Vec::new() } else { [&*held, here].concat() };
        let raw = if held.is_empty() { here } else { joined.as_slice() };
        let raw_end = raw.len() - usize::from(last && raw.ends_with(b"\r"));
        if raw.len() > self.job.limits.record {
            return Err(self.refuse(Reason::RecordTooLarge));
        }
        let (contents, end) = raw.split_at(raw_end);
        let changed = self.censored(contents)?;
        if changed.is_some() || !held.is_empty() {
            sink.flush(at.start);
            sink.put(changed.as_deref().unwrap_or(contents));
            sink.put(end);
            sink.skip(at.end);
        }
        self.held = held;
        self.held.clear();
        Ok(())
    }

    /// What a field becomes, if it changes.
    fn censored(&mut self, raw: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
        let raw_text =
            if self.line == 1 && self.column == 0 { raw.strip_prefix(BOM).unwrap_or(raw) } else { raw };
        let text = unquoted(raw_text);
        if self.line == 1 && self.names.len() < COLUMNS {
            let name = text.trim_ascii();
            let name = std::str::from_utf8(name.get(..name.len().min(NAME)).unwrap_or_default());
            self.names.push(name.unwrap_or_default().into());
        }
        if text.is_empty() {
            return Ok(None);
        }
        let field = if self.line == 1 { None } else { self.names.get(self.column) };
        let field = field.map(|name| &**name).filter(|name| !name.is_empty());
        if !self.whole.run(&self.job, &text, field)? {
            return Ok(None);
        }
        let mut censored = Vec::new();
        self.whole.write(&text, &mut censored);
        let mut written = raw.get(..raw.len() - raw_text.len()).unwrap_or_default().to_vec();
        // What stood in the field without quotes stays so: a lone carriage return ends a line for some readers.
        let special = |byte: &u8| {
            matches!(byte, b'"' | b'\n' | b'\r' | b',' | b';' | b'\t') && !raw_text.contains(byte)
        };
        let quoted = [raw_text, censored.as_slice()].iter().any(|field| field.first() == Some(&b'"'));
        if quoted || censored.iter().any(special) {
            written.push(b'"');
            for byte in &censored {
                written.push(*byte);
                if *byte == b'"' {
                    written.push(b'"');
                }
            }
            written.push(b'"');
        } else {
            written.extend_from_slice(&censored);
        }
        Ok(Some(written))
    }
}

/// The text of a field.
fn unquoted(raw: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    let Some(inside) = raw.strip_prefix(b"\"") else { return raw.into() };
    let mut text = Vec::with_capacity(inside.len());
    let mut quotes = Quotes::Inside;
    for byte in inside {
        let before = quotes;
        quotes = quotes.after(*byte);
        // The first of two quotes, or the last of the field, is none of its text.
        if !(before == Quotes::Inside && quotes == Quotes::After) {
            text.push(*byte);
        }
    }
    text.into()
}

impl CsvTransform {
    fn text(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        if let Some(separator) = self.separator {
            return self.fields(text, separator, out);
        }
        self.held.extend_from_slice(text);
        // Line ends inside of quotes may be many: each look goes over twice as much as the one before.
        let again = memchr::memchr(b'\n', text).is_some() && self.held.len() >= self.seen * 2;
        if again || self.held.len() > self.job.limits.record {
            self.seen = self.held.len();
            self.first_line(false)?;
        }
        match self.separator {
            Some(separator) => {
                let held = std::mem::take(&mut self.held);
                self.fields(&held, separator, out)
            }
            None => Ok(()),
        }
    }
}

impl Transform for CsvTransform {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        let good = self.utf8.push(input);
        let text = input.get(..good).unwrap_or_default();
        if let Some(nul) = memchr::memchr(0, text) {
            // What stands before it is read first: it may be wrong itself.
            self.text(text.get(..nul).unwrap_or_default(), out)?;
            return Err(self.refuse(Reason::ContentUninspectable));
        }
        self.text(text, out)?;
        if good < input.len() { Err(self.refuse(Reason::ContentNotUtf8)) } else { Ok(()) }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if !self.utf8.is_whole() {
            return Err(self.refuse(Reason::ContentNotUtf8));
        }
        if self.separator.is_none() {
            self.first_line(true)?;
            let held = std::mem::take(&mut self.held);
            self.fields(&held, self.separator.unwrap_or(b','), out)?;
        }
        self.field(&mut Sink::new(&[], out), 0..0, true)
    }

    fn held(&self) -> usize {
        self.held.len() + self.names.iter().map(|name| name.len()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests;
