//! Keys of objects: they lead the plan on, and are censored like any text. One that is a finding is written anew;
//! keys that would become equal stay different.

use super::distinct::{Distinct, looks_replaced};
use super::escape;
use super::known::{Known, Question};
use super::nest::{KeyRole, Nest};
use super::string::Mode;
use super::token::Token;
use super::walk::{Stop, Walker};
use crate::body::Job;
use crate::body::sink::Sink;
use crate::body::text::Whole;
use crate::names::Direction;
use crate::reason::{Reason, Refusal};

impl Walker {
    pub(super) fn key_too_long(&self) -> Stop {
        self.job.refuse(Reason::RecordTooLarge).detail("a JSON key is longer than the limit").into()
    }

    /// The closing quote of a key.
    pub(super) fn end_key(
        &mut self,
        sink: &mut Sink<'_>,
        quote: Option<usize>,
        token: Token,
    ) -> Result<(), Stop> {
        let raw = std::mem::take(&mut self.string.raw);
        let contents = match quote {
            Some(quote) => sink.input().get(quote + 1..token.start).unwrap_or_default(),
            None => raw.as_slice(),
        };
        if contents.len() > self.job.limits.key {
            return Err(self.key_too_long());
        }
        escape::decode(contents, self.nest.begin_key());
        let role = self.nest.end_key(&self.plan, self.job.direction == Direction::Request);
        if role == KeyRole::Repeated {
            return Err(self
                .job
                .refuse(Reason::FieldAmbiguous)
                .detail("a JSON key that decides is repeated, or can be read in two ways")
                .into());
        }
        let dropped = self.string.mode == Mode::DroppedKey;
        let censored = if dropped || role == KeyRole::Decides {
            None
        } else {
            censored_key(&self.job, &self.nest, &mut self.known, &mut self.whole, &mut self.distinct)?
        };
        match censored {
            Some(censored) if self.string.mode == Mode::LooseKey => {
                if let Some(quote) = quote {
                    sink.flush(quote + 1);
                }
                escape::encode(&censored, sink.out());
                sink.skip(token.start);
            }
            Some(censored) => self.replace_in_lead(sink, &censored, quote, token),
            None if self.string.mode == Mode::LooseKey && quote.is_none() => {
                sink.put(&raw);
                sink.skip(token.start);
            }
            None => {}
        }
        self.string.raw = raw;
        Ok(())
    }

    /// Writes a key anew that is part of a lead, which has not been given out.
    fn replace_in_lead(&mut self, sink: &mut Sink<'_>, censored: &[u8], quote: Option<usize>, token: Token) {
        let Some(from) = self.lead.from else { return };
        sink.flush(from);
        let saved = &mut self.lead.saved;
        match quote {
            Some(quote) => saved.extend_from_slice(sink.input().get(from..=quote).unwrap_or_default()),
            // Its beginning was saved with the lead.
            None => saved.truncate(self.string.saved_at),
        }
        escape::encode(censored, saved);
        sink.skip(token.start);
        self.lead.from = Some(token.start);
    }
}

/// What the key that was read last becomes, if it changes. Those that come again and again are looked at once.
#[inline]
pub(super) fn censored_key(
    job: &Job,
    nest: &Nest,
    known: &mut Known,
    whole: &mut Whole,
    distinct: &mut Distinct,
) -> Result<Option<Vec<u8>>, Refusal> {
    let key = nest.key();
    if job.engine.is_ordinary(key) || known.recall(key, Question::Plain) == Some(true) {
        return Ok(None);
    }
    look_at_key(job, nest, known, whole, distinct)
}

fn look_at_key(
    job: &Job,
    nest: &Nest,
    known: &mut Known,
    whole: &mut Whole,
    distinct: &mut Distinct,
) -> Result<Option<Vec<u8>>, Refusal> {
    let key = nest.key();
    let changed = whole.plain(job, key, None)?;
    if !changed && (job.exchange.is_dry() || !looks_replaced(key)) {
        // In a dry run a key with a finding stays as well, and counts each time.
        if !job.exchange.is_dry() {
            known.note(key, Question::Plain, true);
        }
        return Ok(None);
    }
    let mut censored = Vec::new();
    whole.write(key, &mut censored);
    let suffix = distinct.add(job, nest.depth(), &censored)?;
    censored.extend_from_slice(suffix.as_deref().unwrap_or_default().as_bytes());
    Ok((changed || suffix.is_some()).then_some(censored))
}
