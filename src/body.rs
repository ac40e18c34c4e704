//! What is this body made of? Content codings and formats as streams that drive [`censor`](crate::censor).
//!
//! Everything here is a [`Transform`]: bytes are pushed in as they arrive, in whatever pieces, and what may pass is
//! appended to an output. The output doesn't depend on how the input was cut. A transform holds back only what it
//! can't decide yet, and never more than its [`Limits`] allow; what can't be decided at all ends it with a
//! [`Refusal`], after which nothing more comes out.
//!
//! | what | where |
//! |---|---|
//! | one JSON document, its deciding values and edits | [`json`] |
//! | JSON lines, record by record | [`jsonl`] |
//! | records that somebody judges | [`records`] |
//! | event streams, text channels across events | [`sse`] |
//! | plain text | [`text`] |
//! | tables as text | [`csv`] |
//! | XML and HTML | [`markup`] |
//! | forms: `application/x-www-form-urlencoded` | [`urlencoded`] |
//! | forms: `multipart/form-data`, and multipart bodies in them | [`multipart`] |
//! | encodings other than UTF-8 | [`charset`] |
//! | gzip, deflate, br, zstd | [`coding`] |
//! | a file of a kind that has to be found out | [`file`](mod@file) |
//! | ZIP, tar, gzip, and what they hold | `archive` |
//! | Parquet, Arrow IPC | `columnar` |
//! | what holds other things, and how much of it may | [`container`] |
//! | bytes that wait for a decision | [`spool`] |

mod archive;
pub mod charset;
pub mod coding;
mod columnar;
pub mod container;
pub mod csv;
pub mod facts;
mod fields;
pub mod file;
mod job;
pub mod json;
pub mod jsonl;
pub(crate) mod kinds;
mod mapped;
pub mod markup;
pub mod multipart;
mod outgoing;
pub mod pump;
pub mod records;
mod sink;
pub mod spool;
pub mod sse;
pub mod text;
pub mod urlencoded;
mod utf8;

#[cfg(test)]
mod testkit;
#[cfg(test)]
mod tests;

use crate::reason::Refusal;

pub use facts::{Fact, FactValue, Facts};
pub(crate) use job::refusal;
pub use job::{Embedded, Job, Limits, LinesOfRecords, Meter, Rebase, Rewrite};
pub use outgoing::{Censored, Outgoing, Pieces};

/// How much a transform appends to its output in one call, roughly, when it has more than its input to give
/// (a decoder, a spool): the rest comes by [`Transform::drain`].
pub const DRAIN_STEP: usize = 256 * 1024;

/// Bytes in, bytes out, in whatever pieces.
///
/// The way to use it: [`push`](Self::push), then [`drain`](Self::drain) until it says false, for every piece;
/// then [`finish`](Self::finish) and `drain` again. After an error nothing may be called and nothing more be sent.
pub trait Transform: Send {
    /// Takes the next piece and appends what may pass to `out`.
    ///
    /// # Errors
    /// A [`Refusal`] when the input may not pass. What `out` holds by then may be sent, but need not be.
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal>;

    /// Takes note of the end of the input.
    ///
    /// # Errors
    /// A [`Refusal`] when the input should not end here, or what was held may not pass.
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal>;

    /// Appends more output that is ready, about [`DRAIN_STEP`] bytes. True: call again.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    fn drain(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        let _ = out;
        Ok(false)
    }

    /// Bytes of input or output that the transform holds in memory now. For tests of the bounds and for gauges.
    fn held(&self) -> usize {
        0
    }
}

impl<T: Transform + ?Sized> Transform for Box<T> {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        (**self).push(input, out)
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        (**self).finish(out)
    }

    fn drain(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        (**self).drain(out)
    }

    fn held(&self) -> usize {
        (**self).held()
    }
}

/// Passes everything. For bodies that policy names as opaque.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pass;

impl Transform for Pass {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        out.extend_from_slice(input);
        Ok(())
    }

    fn finish(&mut self, _out: &mut Vec<u8>) -> Result<(), Refusal> {
        Ok(())
    }
}

/// One transform after another: a decoder before a format.
pub struct Chain<A, B> {
    first: A,
    second: B,
    between: Vec<u8>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Open,
    FirstFinished,
    BothFinished,
}

impl<A: Transform, B: Transform> Chain<A, B> {
    /// What `first` gives goes into `second`.
    pub const fn new(first: A, second: B) -> Self {
        Self { first, second, between: Vec::new(), stage: Stage::Open }
    }

    /// The transform that the input goes to.
    pub const fn first(&mut self) -> &mut A {
        &mut self.first
    }

    /// The transform that the output comes from.
    pub const fn second(&mut self) -> &mut B {
        &mut self.second
    }

    fn pass_on(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if !self.between.is_empty() {
            self.second.push(&self.between, out)?;
            self.between.clear();
        }
        Ok(())
    }
}

impl<A: Transform, B: Transform> Transform for Chain<A, B> {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        // What came before a flaw is passed on first, for it may hold another.
        let result = self.first.push(input, &mut self.between);
        self.pass_on(out)?;
        result
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.first.finish(&mut self.between)?;
        self.stage = Stage::FirstFinished;
        self.pass_on(out)
    }

    fn drain(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        if self.second.drain(out)? {
            return Ok(true);
        }
        if self.stage == Stage::BothFinished {
            return Ok(false);
        }
        let more = self.first.drain(&mut self.between)?;
        if more || !self.between.is_empty() {
            self.pass_on(out)?;
            return Ok(true);
        }
        if self.stage == Stage::FirstFinished {
            self.stage = Stage::BothFinished;
            self.second.finish(out)?;
            return Ok(true);
        }
        Ok(false)
    }

    fn held(&self) -> usize {
        self.first.held() + self.second.held() + self.between.len()
    }
}
