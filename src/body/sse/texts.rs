//! The texts of a stream: those that go on, and the ends of those that are over, for what comes behind an end goes on
//! at the client as if there had been none.

use std::collections::VecDeque;

use super::channel::{Identity, Tail, Text};
use crate::body::Job;
use crate::reason::{Reason, Refusal};

/// All texts of one stream.
#[derive(Default)]
pub(super) struct Texts {
    open: Vec<Text>,
    /// The last bytes of texts that ended, the oldest first.
    ended: VecDeque<Tail>,
}

impl Texts {
    /// The text of a channel. A new one begins if there is none; one that ended goes on.
    pub(super) fn of(&mut self, job: &Job, identity: &Identity) -> Result<&mut Text, Refusal> {
        let at = match self.open.iter().position(|text| text.identity.same(identity)) {
            Some(at) => at,
            None => {
                if self.open.len() >= job.limits.channels {
                    let refusal = job.refuse(Reason::ContentUninspectable);
                    return Err(refusal.detail("too many texts in an event stream"));
                }
                let before = self.before(identity);
                self.open.push(Text::new(job, identity.clone(), before.as_ref())?);
                self.open.len() - 1
            }
        };
        self.open.get_mut(at).ok_or_else(|| job.refuse(Reason::Internal).log("a text of a stream is lost"))
    }

    /// The text of a channel, if it goes on.
    pub(super) fn open(&mut self, identity: &Identity) -> Option<&mut Text> {
        self.open.iter_mut().find(|text| text.identity.same(identity))
    }

    /// A text is over; returns what is left of it. Its end is kept for the case that it goes on.
    pub(super) fn end(&mut self, job: &Job, mut text: Text) -> Result<Vec<u8>, Refusal> {
        let rest = text.finish(job)?;
        self.ended.retain(|tail| !tail.identity.same(&text.identity));
        if self.ended.len() >= job.limits.channels {
            self.ended.pop_front();
        }
        self.ended.push_back(text.into_tail());
        Ok(rest)
    }

    /// A word is sent as a whole. It may be a piece all the same: it is read behind those that came before it.
    pub(super) fn word(&mut self, job: &Job, identity: &Identity, word: &[u8]) -> Result<Vec<u8>, Refusal> {
        // Most that comes again is said again, as an id in every event.
        if self.ended.iter().any(|tail| tail.identity.same(identity) && tail.text.ends_with(word)) {
            return Ok(word.to_vec());
        }
        let mut text = Text::new(job, identity.clone(), self.before(identity).as_ref())?;
        let mut released = text.push(job, word)?;
        released.extend(self.end(job, text)?);
        Ok(released)
    }

    fn before(&mut self, identity: &Identity) -> Option<Tail> {
        let at = self.ended.iter().position(|tail| tail.identity.same(identity))?;
        self.ended.remove(at)
    }

    /// Takes the texts that end.
    pub(super) fn take(&mut self, ends: impl Fn(&Identity) -> bool) -> Vec<Text> {
        if !self.open.iter().any(|text| ends(&text.identity)) {
            return Vec::new();
        }
        let (ended, open) = std::mem::take(&mut self.open).into_iter().partition(|t| ends(&t.identity));
        self.open = open;
        ended
    }

    /// Bytes in memory.
    pub(super) fn held(&self) -> usize {
        let open: usize = self.open.iter().map(Text::held).sum();
        open + self.ended.iter().map(|tail| tail.text.len()).sum::<usize>()
    }
}
