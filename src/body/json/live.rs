//! A string that is longer than the input at hand: its text goes through a [`TextStream`], its raw contents wait
//! until the stream says what becomes of them.

use super::escape::{self, Escape, Walk};
use crate::body::Job;
use crate::body::text::holds_json;
use crate::censor::{Piece, TextStream};
use crate::reason::Refusal;

pub(crate) struct Live {
    stream: TextStream,
    /// Raw contents that the stream has not released.
    raw: Vec<u8>,
    walk: Walk,
    /// Raw contents before this have been written or left out.
    written: usize,
    /// A part of the escape at `written` was replaced: the rest of it must not come out.
    torn: bool,
    decoded: Vec<u8>,
    /// The text is JSON by itself, so what is put in is escaped for it too. None: that is still to be seen.
    nested: Option<bool>,
    field: Option<Box<str>>,
}

impl Live {
    pub(crate) fn new(job: &Job, field: Option<&str>) -> Self {
        Self {
            stream: TextStream::new(job.engine.clone(), job.exchange.clone(), field, job.side),
            raw: Vec::new(),
            walk: Walk::default(),
            written: 0,
            torn: false,
            decoded: Vec::new(),
            nested: None,
            field: field.map(Box::from),
        }
    }

    /// Takes more contents (escapes whole) and writes what is released.
    pub(crate) fn push(&mut self, job: &Job, contents: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.raw.extend_from_slice(contents);
        let text = if memchr::memchr(b'\\', contents).is_some() {
            self.decoded.clear();
            escape::decode(contents, &mut self.decoded);
            self.decoded.as_slice()
        } else {
            contents
        };
        if self.nested.is_none() && !text.trim_ascii_start().is_empty() {
            self.nested = Some(holds_json(self.field.as_deref(), text));
        }
        self.stream.push(text);
        self.pull(job, out)
    }

    /// The string ends: writes what is left.
    pub(crate) fn finish(&mut self, job: &Job, out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.stream.finish();
        self.pull(job, out)
    }

    /// Bytes in memory.
    pub(crate) fn held(&self) -> usize {
        self.raw.len() + self.stream.held()
    }

    fn pull(&mut self, job: &Job, out: &mut Vec<u8>) -> Result<(), Refusal> {
        while let Some(piece) = self.stream.next() {
            match piece {
                Piece::Keep { len } => {
                    self.walk.advance(&self.raw, len);
                    if self.torn
                        && let Some(Escape::Whole(unit, _)) = self.raw.get(self.written..).map(escape::read)
                        && self.walk.raw >= self.written + unit
                    {
                        self.written += unit;
                        self.torn = false;
                    }
                    out.extend_from_slice(self.raw.get(self.written..self.walk.raw).unwrap_or_default());
                }
                Piece::Replace { len, with, .. } => {
                    self.walk.advance(&self.raw, len);
                    if self.nested == Some(true) {
                        self.decoded.clear();
                        escape::encode(with, &mut self.decoded);
                        escape::encode(&self.decoded, out);
                    } else {
                        escape::encode(with, out);
                    }
                    self.torn = self.walk.inside();
                }
                Piece::Block { rule } => return Err(job.blocked(rule)),
            }
            self.written = self.walk.raw;
        }
        self.raw.drain(..self.written.min(self.raw.len()));
        self.walk.raw = 0;
        self.written = 0;
        Ok(())
    }
}
