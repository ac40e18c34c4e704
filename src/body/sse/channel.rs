//! Texts that go on from event to event: which there are, and what each holds back.

use crate::body::Job;
use crate::body::json::{Level, encode};
use crate::censor::{Piece, TextStream};
use crate::reason::{Reason, Refusal};

use super::template::Template;

/// What tells one channel from another: its shape, and the values at its key places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) shape: usize,
    pub(crate) keys: Vec<Option<String>>,
}

/// One text.
pub(crate) struct Text {
    pub(crate) identity: Identity,
    stream: TextStream,
    /// Text that the stream has not released.
    held: Vec<u8>,
    /// Released bytes of a character that is not complete.
    cut: Vec<u8>,
    /// The text is JSON itself, so what is put in has to be escaped for it.
    nested: bool,
    /// How an event of this channel looks like.
    pub(crate) template: Option<Template>,
}

impl Text {
    pub(crate) fn new(job: &Job, identity: Identity, nested: bool) -> Self {
        Self {
            identity,
            // No field: the same text arrives under several names (`delta`, `text`) and has to come out the same.
            stream: TextStream::new(job.engine.clone(), job.exchange.clone(), None, job.side),
            held: Vec::new(),
            cut: Vec::new(),
            nested,
            template: None,
        }
    }

    /// Takes more text; returns what is released.
    pub(crate) fn push(&mut self, job: &Job, text: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.stream.push(text);
        self.held.extend_from_slice(text);
        let mut released = self.pull(job)?;
        let whole = match std::str::from_utf8(&released) {
            Ok(_) => released.len(),
            Err(error) => error.valid_up_to(),
        };
        self.cut = released.split_off(whole);
        Ok(released)
    }

    /// The text ends; returns what is left of it.
    pub(crate) fn finish(&mut self, job: &Job) -> Result<Vec<u8>, Refusal> {
        self.stream.finish();
        let rest = self.pull(job)?;
        match std::str::from_utf8(&rest) {
            Ok(_) => Ok(rest),
            Err(_) => Err(job.refuse(Reason::ContentNotUtf8).detail("a text of an event stream")),
        }
    }

    /// Bytes of text that have not been given out.
    pub(crate) fn held(&self) -> usize {
        self.held.len() + self.cut.len()
    }

    fn pull(&mut self, job: &Job) -> Result<Vec<u8>, Refusal> {
        let mut released = std::mem::take(&mut self.cut);
        let mut given = 0;
        while let Some(piece) = self.stream.next() {
            match piece {
                Piece::Keep { len } => {
                    released.extend_from_slice(self.held.get(given..given + len).unwrap_or_default());
                    given += len;
                }
                Piece::Replace { len, with, .. } => {
                    if self.nested {
                        encode(with, &mut released);
                    } else {
                        released.extend_from_slice(with);
                    }
                    given += len;
                }
                Piece::Block { rule } => return Err(job.blocked(rule)),
            }
        }
        self.held.drain(..given.min(self.held.len()));
        Ok(released)
    }
}

/// Whether a text under this key is JSON by itself: the arguments of a tool call.
pub(crate) fn holds_json(way: &[Level]) -> bool {
    matches!(way.last(), Some(Level::Key(key)) if matches!(&**key, b"arguments" | b"partial_json"))
}
