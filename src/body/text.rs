//! Plain text, and the way from findings to changes for texts that are there as a whole.

use crate::body::json::encode;
use crate::body::sink::Sink;
use crate::body::utf8::Utf8;
use crate::body::{Job, Transform};
use crate::censor::{Context, Finding, Piece, Side, TextStream};
use crate::reason::{Reason, Refusal};

/// Censors plain text: UTF-8 without NUL, of any length.
pub struct TextTransform {
    job: Job,
    utf8: Utf8,
    stream: TextStream,
    /// Bytes that the stream holds back, as they came.
    held: Vec<u8>,
}

impl TextTransform {
    /// A text of its own: `field` is the name of what it stands in (a form field, a column), for rules with context.
    #[must_use]
    pub fn new(job: Job, field: Option<&str>) -> Self {
        let stream = TextStream::new(job.engine.clone(), job.exchange.clone(), field, job.side);
        Self { job, utf8: Utf8::default(), stream, held: Vec::new() }
    }

    fn pull(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let mut given = 0;
        while let Some(piece) = self.stream.next() {
            match piece {
                Piece::Keep { len } => {
                    out.extend_from_slice(self.held.get(given..given + len).unwrap_or_default());
                    given += len;
                }
                Piece::Replace { len, with, .. } => {
                    out.extend_from_slice(with);
                    given += len;
                }
                Piece::Block { rule } => return Err(self.job.blocked(rule)),
            }
        }
        self.held.drain(..given.min(self.held.len()));
        Ok(())
    }
}

impl Transform for TextTransform {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        let good = self.utf8.push(input);
        let text = &input[..good];
        if let Some(nul) = memchr::memchr(0, text) {
            self.stream.push(&text[..nul]);
            self.held.extend_from_slice(&text[..nul]);
            self.pull(out)?;
            return Err(self.job.refuse(Reason::ContentUninspectable).detail("a NUL byte in a text"));
        }
        self.stream.push(text);
        self.held.extend_from_slice(text);
        self.pull(out)?;
        if good < input.len() { Err(self.job.refuse(Reason::ContentNotUtf8)) } else { Ok(()) }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if !self.utf8.is_whole() {
            return Err(self.job.refuse(Reason::ContentNotUtf8).detail("the text ends inside a character"));
        }
        self.stream.finish();
        self.pull(out)
    }

    fn held(&self) -> usize {
        self.held.len()
    }
}

impl Job {
    /// A text that is there as a whole (a header's value, a parameter), with findings replaced; none if it has none.
    ///
    /// # Errors
    /// If it holds a value that blocks.
    pub fn censored(&self, text: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
        let mut whole = Whole::default();
        if !whole.run(self, text, None)? {
            return Ok(None);
        }
        let mut censored = Vec::new();
        whole.write(text, &mut censored);
        Ok(Some(censored))
    }
}

/// Whether a text is JSON by itself: the arguments of a tool call, as a string.
pub(crate) fn holds_json(field: Option<&str>, text: &[u8]) -> bool {
    matches!(field, Some("arguments" | "partial_json"))
        && matches!(text.trim_ascii_start().first(), Some(b'{' | b'[' | b'"'))
}

/// One change to a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) start: usize,
    pub(crate) end: usize,
    with: (usize, usize),
}

/// Censors texts that are there as a whole. One is used for many texts, so that nothing is allocated for clean ones.
#[derive(Default)]
pub(crate) struct Whole {
    findings: Vec<Finding>,
    changes: Vec<Change>,
    with: Vec<u8>,
}

impl Whole {
    /// Finds what has to change in a text.
    pub(crate) fn run(&mut self, job: &Job, text: &[u8], field: Option<&str>) -> Result<bool, Refusal> {
        self.changes.clear();
        self.with.clear();
        match job.side {
            Side::CensorAndRestore if job.exchange.can_restore() => self.stream(job, text, field)?,
            Side::Censor | Side::CensorAndRestore => self.scan(job, text, field)?,
        }
        if !self.changes.is_empty() && holds_json(field, text) {
            self.escape();
        }
        Ok(!self.changes.is_empty())
    }

    /// Makes what is put in fit into a text that is JSON itself.
    fn escape(&mut self) {
        let plain = std::mem::take(&mut self.with);
        for change in &mut self.changes {
            let from = self.with.len();
            encode(plain.get(change.with.0..change.with.1).unwrap_or_default(), &mut self.with);
            change.with = (from, self.with.len());
        }
    }

    fn scan(&mut self, job: &Job, text: &[u8], field: Option<&str>) -> Result<(), Refusal> {
        self.findings.clear();
        job.engine.scan(text, Context { field }, &mut self.findings);
        for finding in &self.findings {
            let from = self.with.len();
            let original = text.get(finding.start..finding.end).unwrap_or_default();
            if let Err(blocked) = job.exchange.replace(&job.engine, finding, original, &mut self.with) {
                return Err(job.blocked(blocked.rule));
            }
            let with = (from, self.with.len());
            self.changes.push(Change { start: finding.start, end: finding.end, with });
        }
        Ok(())
    }

    fn stream(&mut self, job: &Job, text: &[u8], field: Option<&str>) -> Result<(), Refusal> {
        let mut stream = TextStream::new(job.engine.clone(), job.exchange.clone(), field, job.side);
        stream.push(text);
        stream.finish();
        let mut at = 0;
        while let Some(piece) = stream.next() {
            match piece {
                Piece::Keep { len } => at += len,
                Piece::Replace { len, with, .. } => {
                    let from = self.with.len();
                    self.with.extend_from_slice(with);
                    let with = (from, self.with.len());
                    self.changes.push(Change { start: at, end: at + len, with });
                    at += len;
                }
                Piece::Block { rule } => return Err(job.blocked(rule)),
            }
        }
        Ok(())
    }

    pub(crate) fn changes(&self) -> impl Iterator<Item = (Change, &[u8])> {
        self.changes
            .iter()
            .map(|change| (*change, self.with.get(change.with.0..change.with.1).unwrap_or_default()))
    }

    /// Appends the changed text.
    pub(crate) fn write(&self, text: &[u8], out: &mut Vec<u8>) {
        let mut sink = Sink::new(text, out);
        for (change, with) in self.changes() {
            sink.flush(change.start);
            sink.put(with);
            sink.skip(change.end);
        }
        sink.flush(text.len());
    }
}

#[cfg(test)]
mod tests;
