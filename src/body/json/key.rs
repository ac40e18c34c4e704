//! Keys of objects: they lead the plan on, and are censored only where that is asked for.

use super::escape;
use super::token::Token;
use super::walk::{Stop, Walker};
use crate::body::sink::Sink;
use crate::names::Direction;
use crate::reason::Reason;

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
        if !self.nest.end_key(&self.plan, self.job.direction == Direction::Request) {
            return Err(self
                .job
                .refuse(Reason::FieldAmbiguous)
                .detail("a JSON key that decides is repeated, or can be read in two ways")
                .into());
        }
        if self.plan.censor_keys && self.dropping.is_none() {
            self.censor_key(sink, contents, quote, token)?;
        }
        self.string.raw = raw;
        Ok(())
    }

    /// Writes a key anew that holds a finding. It is part of the lead, which has not been given out.
    fn censor_key(
        &mut self,
        sink: &mut Sink<'_>,
        contents: &[u8],
        quote: Option<usize>,
        token: Token,
    ) -> Result<(), Stop> {
        let mut key = Vec::new();
        escape::decode(contents, &mut key);
        if !self.whole.run(&self.job, &key, None)? {
            return Ok(());
        }
        let Some(from) = self.lead.from else { return Ok(()) };
        sink.flush(from);
        let saved = &mut self.lead.saved;
        match quote {
            Some(quote) => saved.extend_from_slice(sink.input().get(from..=quote).unwrap_or_default()),
            // Its beginning was saved with the lead.
            None => saved.truncate(self.string.saved_at),
        }
        let mut censored = Vec::new();
        self.whole.write(&key, &mut censored);
        escape::encode(&censored, saved);
        sink.skip(token.start);
        self.lead.from = Some(token.start);
        Ok(())
    }
}
