//! Texts that go on from event to event: which there are, and what each holds back.

use crate::body::Job;
use crate::body::json::{Emit, Source};
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
    source: Source,
    /// Text that the source has not released.
    held: Vec<u8>,
    /// Released bytes of a character that is not complete.
    cut: Vec<u8>,
    /// Bytes that the source begins with and that went out before.
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
    pub(crate) fn new(job: &Job, identity: Identity, before: Option<&Tail>) -> Result<Self, Refusal> {
        let mut text = Self {
            identity,
            // No field: the same text arrives under several names (`delta`, `text`) and has to come out the same.
            source: Source::spoken(job),
            held: Vec::new(),
            cut: Vec::new(),
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
        self.held.extend_from_slice(text);
        let mut released = self.pull(|source, out| source.push(job, text, out))?;
        let whole = match std::str::from_utf8(&released) {
            Ok(_) => released.len(),
            Err(error) => error.valid_up_to(),
        };
        self.cut = released.split_off(whole);
        Ok(released)
    }

    /// The text ends; returns what is left of it.
    pub(crate) fn finish(&mut self, job: &Job) -> Result<Vec<u8>, Refusal> {
        let rest = self.pull(|source, out| source.finish(job, out))?;
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

    fn pull(
        &mut self,
        ask: impl FnOnce(&mut Source, &mut Released<'_>) -> Result<(), Refusal>,
    ) -> Result<Vec<u8>, Refusal> {
        let mut out = Released {
            out: std::mem::take(&mut self.cut),
            held: &self.held,
            given: 0,
            past: &mut self.past,
            past_found: self.past_found,
            tail: &mut self.tail,
            found: &mut self.found,
        };
        ask(&mut self.source, &mut out)?;
        let (released, given) = (out.out, out.given);
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

/// Text that is released.
struct Released<'a> {
    out: Vec<u8>,
    held: &'a [u8],
    given: usize,
    past: &'a mut usize,
    past_found: bool,
    tail: &'a mut Vec<u8>,
    found: &'a mut bool,
}

impl<'a> Released<'a> {
    /// Takes the next bytes of the text; returns those that have not gone out before.
    fn next(&mut self, len: usize) -> (usize, &'a [u8]) {
        let held: &'a [u8] = self.held;
        let here = held.get(self.given..self.given + len).unwrap_or_default();
        self.given += len;
        let past = len.min(*self.past);
        *self.past -= past;
        self.tail.extend_from_slice(here);
        (past, here.get(past..).unwrap_or_default())
    }
}

impl Emit for Released<'_> {
    fn keep(&mut self, len: usize) {
        if std::mem::take(self.found) {
            self.tail.clear();
        }
        let new = self.next(len).1;
        self.out.extend_from_slice(new);
    }

    fn replace(&mut self, len: usize, with: &[u8]) {
        // What an open value goes on with has no text of its own; nor has what was replaced before.
        if !with.is_empty() {
            self.tail.clear();
        }
        *self.found = true;
        let past = self.next(len).0;
        if past == 0 || past < len && !self.past_found {
            self.out.extend_from_slice(with);
        }
    }
}
