//! Texts that go on from event to event: which there are, and what each holds back.

use crate::body::Job;
use crate::body::json::{Level, encode};
use crate::censor::{Piece, TextStream};
use crate::reason::{Reason, Refusal};

use super::loose::Loose;
use super::template::Template;

/// How much of a text's end is remembered when it is over. Longer values can't be told from their ends.
const TAIL: usize = 4096;

/// What tells one text from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// A channel of the profile: its shape, and the values at its key places.
    Named { shape: usize, keys: Vec<Option<String>> },
    /// A text that no channel names.
    Loose(Box<Loose>),
    /// Data that is no JSON, of events of this name.
    Bare(Option<Box<str>>),
}

impl Identity {
    /// Whether two events mean the same text. What one of them does not say tells nothing.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Named { shape, keys }, Self::Named { shape: other, keys: known }) => {
                shape == other && keys.iter().zip(known).all(|(a, b)| a.is_none() || b.is_none() || a == b)
            }
            (Self::Loose(a), Self::Loose(b)) => a.same(b),
            (Self::Bare(a), Self::Bare(b)) => a == b,
            (Self::Named { .. } | Self::Loose(_) | Self::Bare(_), _) => false,
        }
    }
}

/// The end of a text that is over.
pub(crate) struct Tail {
    pub(crate) identity: Identity,
    pub(crate) text: Vec<u8>,
    /// It is something that was found and replaced.
    found: bool,
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
    /// Bytes that the stream begins with and that went out before.
    past: usize,
    /// They end with something that was found and replaced.
    past_found: bool,
    /// The end of the text as far as it is decided: what stays, behind the last finding; or that finding, at the very end.
    tail: Vec<u8>,
    found: bool,
    /// How an event of this channel looks like.
    pub(crate) template: Option<Template>,
}

impl Text {
    /// A text that begins, or goes on behind what was taken for its end.
    pub(crate) fn new(
        job: &Job,
        identity: Identity,
        nested: bool,
        before: Option<&Tail>,
    ) -> Result<Self, Refusal> {
        let mut text = Self {
            identity,
            // No field: the same text arrives under several names (`delta`, `text`) and has to come out the same.
            stream: TextStream::new(job.engine.clone(), job.exchange.clone(), None, job.side),
            held: Vec::new(),
            cut: Vec::new(),
            nested,
            past: 0,
            past_found: false,
            tail: Vec::new(),
            found: false,
            template: None,
        };
        if let Some(before) = before {
            text.past = before.text.len();
            text.past_found = before.found;
            text.push(job, &before.text)?;
        }
        Ok(text)
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

    /// Bytes of text that have not been given out, but for those that were before.
    pub(crate) fn waiting(&self) -> usize {
        self.held.len() + self.cut.len() - self.past
    }

    /// Bytes in memory.
    pub(crate) const fn held(&self) -> usize {
        self.held.len() + self.cut.len() + self.tail.len()
    }

    /// The end of the text, once it is over.
    pub(crate) fn into_tail(mut self) -> Tail {
        shorten(&mut self.tail, TAIL);
        Tail { identity: self.identity, text: self.tail, found: self.found }
    }

    fn pull(&mut self, job: &Job) -> Result<Vec<u8>, Refusal> {
        let mut released = std::mem::take(&mut self.cut);
        let mut given = 0;
        while let Some(piece) = self.stream.next() {
            let (len, with) = match piece {
                Piece::Keep { len } => (len, None),
                Piece::Replace { len, with, .. } => (len, Some(with)),
                Piece::Block { rule } => return Err(job.blocked(rule)),
            };
            let past = len.min(self.past);
            self.past -= past;
            let here = self.held.get(given..given + len).unwrap_or_default();
            given += len;
            match with {
                None => {
                    if std::mem::take(&mut self.found) {
                        self.tail.clear();
                    }
                    released.extend_from_slice(here.get(past..).unwrap_or_default());
                }
                Some(with) => {
                    // What an open value goes on with has no text of its own; nor has what was found before already.
                    if !with.is_empty() {
                        self.tail.clear();
                    }
                    if past == len || past > 0 && self.past_found {
                    } else if self.nested {
                        encode(with, &mut released);
                    } else {
                        released.extend_from_slice(with);
                    }
                    self.found = true;
                }
            }
            self.tail.extend_from_slice(here);
        }
        self.held.drain(..given.min(self.held.len()));
        if self.tail.len() > TAIL + TAIL / 4 {
            shorten(&mut self.tail, TAIL);
        }
        Ok(released)
    }
}

/// Forgets the beginning of a text, by whole characters.
fn shorten(text: &mut Vec<u8>, to: usize) {
    let mut from = text.len().saturating_sub(to);
    while text.get(from).is_some_and(|byte| byte & 0xc0 == 0x80) {
        from += 1;
    }
    text.drain(..from);
}

/// Whether a text under this key is JSON by itself: the arguments of a tool call.
pub(crate) fn holds_json(way: &[Level]) -> bool {
    matches!(way.last(), Some(Level::Key(key)) if matches!(&**key, b"arguments" | b"partial_json"))
}
