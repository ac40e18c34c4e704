//! Plain text, and the way from findings to changes for texts that are there as a whole.

use crate::body::json::{Emit, Source, is_special, may_be_special};
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

impl Job {
    /// Does the text hold what must not pass where nothing can be replaced? In a dry run that is noted, and the answer is no.
    ///
    /// # Errors
    /// As [`censored`](Self::censored).
    pub fn has_to_change(&self, text: &[u8]) -> Result<bool, Refusal> {
        if !self.exchange.is_dry() {
            return Ok(self.censored(text)?.is_some());
        }
        let before = self.exchange.tally().total();
        self.censored(text)?;
        if self.exchange.tally().total() > before {
            self.exchange.would_block();
        }
        Ok(false)
    }
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
    /// Finds what has to change in a text, which may be JSON by itself, or bytes written as text.
    #[inline]
    pub(crate) fn run(&mut self, job: &Job, text: &[u8], field: Option<&str>) -> Result<bool, Refusal> {
        if is_special(text) && may_be_special(job, field) {
            self.nested(job, text, field)
        } else {
            self.plain(job, text, field)
        }
    }

    /// Finds what has to change in a text as it is written.
    pub(crate) fn plain(&mut self, job: &Job, text: &[u8], field: Option<&str>) -> Result<bool, Refusal> {
        match job.side {
            Side::CensorAndRestore if job.exchange.can_restore() => self.stream(job, text, field),
            Side::Censor | Side::CensorAndRestore => self.scan(job, text, field),
        }
    }

    fn nested(&mut self, job: &Job, text: &[u8], field: Option<&str>) -> Result<bool, Refusal> {
        self.begin();
        let mut source = Source::new(job, field, 0);
        let mut out = Taken { at: 0, whole: self };
        source.push(job, text, &mut out)?;
        source.finish(job, &mut out)?;
        Ok(!self.changes.is_empty())
    }

    fn begin(&mut self) {
        self.findings.clear();
        self.changes.clear();
        self.with.clear();
    }

    /// As [`run`](Self::run), for what no pseudonym can be in: a number.
    pub(crate) fn scan(&mut self, job: &Job, text: &[u8], field: Option<&str>) -> Result<bool, Refusal> {
        self.begin();
        job.engine.scan(text, Context { field }, &mut self.findings);
        for finding in &self.findings {
            let from = self.with.len();
            let original = text.get(finding.start..finding.end).unwrap_or_default();
            if job.exchange.is_dry() {
                job.exchange.note(&job.engine, finding, original);
                continue;
            }
            let replaced = job.exchange.replace(&job.engine, finding, original, job.side, &mut self.with);
            replaced.map_err(|blocked| job.blocked(blocked.rule))?;
            let with = (from, self.with.len());
            self.changes.push(Change { start: finding.start, end: finding.end, with });
        }
        Ok(!self.changes.is_empty())
    }

    fn stream(&mut self, job: &Job, text: &[u8], field: Option<&str>) -> Result<bool, Refusal> {
        self.begin();
        let mut stream = TextStream::new(job.engine.clone(), job.exchange.clone(), field, job.side);
        stream.push(text);
        stream.finish();
        let mut out = Taken { at: 0, whole: self };
        while let Some(piece) = stream.next() {
            match piece {
                Piece::Keep { len } => out.keep(len),
                Piece::Replace { len, with, .. } => out.replace(len, with),
                Piece::Block { rule } => return Err(job.blocked(rule)),
            }
        }
        Ok(!self.changes.is_empty())
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

/// Takes down changes.
struct Taken<'a> {
    at: usize,
    whole: &'a mut Whole,
}

impl Emit for Taken<'_> {
    fn keep(&mut self, len: usize) {
        self.at += len;
    }

    fn replace(&mut self, len: usize, with: &[u8]) {
        let from = self.whole.with.len();
        self.whole.with.extend_from_slice(with);
        let with = (from, self.whole.with.len());
        self.whole.changes.push(Change { start: self.at, end: self.at + len, with });
        self.at += len;
    }
}

#[cfg(test)]
mod tests;
