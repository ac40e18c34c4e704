//! A string that is longer than the input at hand: its text goes to a [`Source`], its raw contents wait
//! until that says what becomes of them.

use super::emit::{Emit, EmitRaw};
use super::escape::{self, Walk};
use super::source::Source;
use crate::body::Job;
use crate::reason::Refusal;

pub(crate) struct Live {
    source: Source,
    contents: Contents,
    decoded: Vec<u8>,
}

/// Raw contents, and how far they are decided.
#[derive(Default)]
struct Contents {
    /// Those that the source has not released.
    raw: Vec<u8>,
    walk: Walk,
    /// Raw contents before this have been written or left out.
    written: usize,
    /// A part of the escape at `written` was replaced: the rest of it must not come out.
    torn: bool,
}

impl Live {
    /// A string at a depth of texts inside texts.
    pub(super) fn new(job: &Job, field: Option<&str>, depth: usize) -> Self {
        Self { source: Source::new(job, field, depth), contents: Contents::default(), decoded: Vec::new() }
    }

    /// Takes more contents (escapes whole) and writes what is released.
    pub(super) fn push(&mut self, job: &Job, contents: &[u8], out: &mut dyn EmitRaw) -> Result<(), Refusal> {
        self.contents.raw.extend_from_slice(contents);
        let text = if memchr::memchr(b'\\', contents).is_some() {
            self.decoded.clear();
            escape::decode(contents, &mut self.decoded);
            self.decoded.as_slice()
        } else {
            contents
        };
        self.source.push(job, text, &mut Mapped { contents: &mut self.contents, out })?;
        self.contents.trim();
        Ok(())
    }

    /// The string ends: writes what is left.
    pub(super) fn finish(&mut self, job: &Job, out: &mut dyn EmitRaw) -> Result<(), Refusal> {
        self.source.finish(job, &mut Mapped { contents: &mut self.contents, out })?;
        self.contents.trim();
        Ok(())
    }

    /// Bytes in memory.
    pub(super) fn held(&self) -> usize {
        self.contents.raw.len() + self.source.held()
    }
}

impl Contents {
    /// Forgets what is decided.
    fn trim(&mut self) {
        self.raw.drain(..self.written.min(self.raw.len()));
        self.walk.raw = 0;
        self.written = 0;
    }
}

/// Says of raw contents what is said of their text.
struct Mapped<'a> {
    contents: &'a mut Contents,
    out: &'a mut dyn EmitRaw,
}

impl Emit for Mapped<'_> {
    fn keep(&mut self, len: usize) {
        let Contents { raw, walk, written, torn } = &mut *self.contents;
        walk.advance(raw, len);
        if *torn && let Some(rest) = raw.get(*written..) {
            let (unit, _) = escape::read_whole(rest);
            if walk.raw >= *written + unit {
                self.out.replace(unit, b"");
                *written += unit;
                *torn = false;
            }
        }
        self.out.keep(raw.get(*written..walk.raw).unwrap_or_default());
        *written = walk.raw;
    }

    fn replace(&mut self, len: usize, with: &[u8]) {
        let Contents { raw, walk, written, torn } = &mut *self.contents;
        walk.advance(raw, len);
        self.out.replace(walk.raw.saturating_sub(*written), with);
        *torn = walk.inside();
        *written = walk.raw;
    }
}
