//! Texts that go on from event to event: which there are, and what each holds back.

use crate::body::Job;
use crate::body::json::{Emit, Source};
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
    source: Source,
    /// Text that the source has not released.
    held: Vec<u8>,
    /// Released bytes of a character that is not complete.
    cut: Vec<u8>,
    /// How an event of this channel looks like.
    pub(crate) template: Option<Template>,
}

impl Text {
    pub(crate) fn new(job: &Job, identity: Identity) -> Self {
        Self {
            identity,
            // No field: the same text arrives under several names (`delta`, `text`) and has to come out the same.
            source: Source::new(job, None, 0),
            held: Vec::new(),
            cut: Vec::new(),
            template: None,
        }
    }

    /// Takes more text; returns what is released.
    pub(crate) fn push(&mut self, job: &Job, text: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.held.extend_from_slice(text);
        let mut out = Released { text: std::mem::take(&mut self.cut), held: &self.held, given: 0 };
        self.source.push(job, text, &mut out)?;
        let Released { text: mut released, given, .. } = out;
        self.held.drain(..given.min(self.held.len()));
        let whole = match std::str::from_utf8(&released) {
            Ok(_) => released.len(),
            Err(error) => error.valid_up_to(),
        };
        self.cut = released.split_off(whole);
        Ok(released)
    }

    /// The text ends; returns what is left of it.
    pub(crate) fn finish(&mut self, job: &Job) -> Result<Vec<u8>, Refusal> {
        let mut out = Released { text: std::mem::take(&mut self.cut), held: &self.held, given: 0 };
        self.source.finish(job, &mut out)?;
        let rest = out.text;
        self.held.clear();
        match std::str::from_utf8(&rest) {
            Ok(_) => Ok(rest),
            Err(_) => Err(job.refuse(Reason::ContentNotUtf8).detail("a text of an event stream")),
        }
    }

    /// Bytes of text that have not been given out.
    pub(crate) fn held(&self) -> usize {
        self.held.len() + self.cut.len()
    }
}

/// Text that is released.
struct Released<'a> {
    text: Vec<u8>,
    held: &'a [u8],
    given: usize,
}

impl Emit for Released<'_> {
    fn keep(&mut self, len: usize) {
        self.text.extend_from_slice(self.held.get(self.given..self.given + len).unwrap_or_default());
        self.given += len;
    }

    fn replace(&mut self, len: usize, with: &[u8]) {
        self.text.extend_from_slice(with);
        self.given += len;
    }
}
