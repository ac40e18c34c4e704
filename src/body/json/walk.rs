//! Walks one document: structure, deciding values, edits. Strings are in [`string`](super::string).

use std::ops::Range;
use std::sync::Arc;

use super::distinct::Distinct;
use super::known::Known;
use super::nest::{Level, Nest};
use super::plan::{Action, DEAD, JsonPlan, State, StateId};
use super::scalar::Scalar;
use super::string::StringInProgress;
use super::token::{Fault, Kind, Token, Tokenizer};
use crate::body::sink::Sink;
use crate::body::text::Whole;
use crate::body::{FactValue, Facts, Job};
use crate::reason::{Reason, Refusal};

/// Why a walk ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It is not JSON.
    Fault(Fault),
    /// It is, and may not pass.
    Refusal(Refusal),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl Stop {
    /// The refusal for a body that has to be JSON.
    pub(crate) fn refusal(self, job: &Job) -> Refusal {
        let (reason, detail) = match self {
            Self::Refusal(refusal) => return refusal,
            Self::Fault(Fault::Grammar) => (Reason::ContentMalformed, "not JSON (RFC 8259)"),
            Self::Fault(Fault::Truncated) => (Reason::ContentTruncated, "the JSON document is not complete"),
            Self::Fault(Fault::Depth) => (Reason::ContentTooDeep, "the JSON document is nested too deeply"),
            Self::Fault(Fault::Control) => (Reason::ContentMalformed, "a control character in a JSON string"),
            Self::Fault(Fault::Escape) => {
                (Reason::ContentMalformed, "an escape that JSON doesn't know, or half a surrogate pair")
            }
            Self::Fault(Fault::Number) => (Reason::RecordTooLarge, "a JSON number is longer than the limit"),
        };
        job.refuse(reason).detail(detail)
    }
}

/// Values at located places of one document. Each is compared with the others.
const HITS: usize = 4096;

/// A value at a located place, and where it stands in the output.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    pub(crate) watch: usize,
    pub(crate) way: Vec<Level>,
    pub(crate) value: FactValue,
    pub(crate) span: Range<usize>,
    /// The value is not for the censor.
    pub(crate) opaque: bool,
}

/// The walk of one document, or of many one after another.
pub(crate) struct Walker {
    pub(super) job: Job,
    pub(super) plan: Arc<JsonPlan>,
    pub(super) tokens: Tokenizer,
    pub(super) nest: Nest,
    pub(super) facts: Facts,
    pub(super) hits: Vec<Hit>,
    pub(super) whole: Whole,
    pub(super) string: StringInProgress,
    pub(super) lead: Lead,
    /// The value at this depth is left out.
    pub(super) dropping: Option<usize>,
    pub(super) scalar: Scalar,
    pub(super) known: Known,
    pub(super) distinct: Distinct,
    /// Fewest digits of a number that is a finding by itself.
    pub(super) least_digits: usize,
}

/// What stands before the next value of a tracked container and waits for it: comma, white space, key, colon.
#[derive(Debug, Default)]
pub(super) struct Lead {
    /// It goes on from here in the input at hand.
    pub(super) from: Option<usize>,
    /// What came in inputs before.
    pub(super) saved: Vec<u8>,
    /// It begins with a comma.
    comma: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Object,
    Array,
    Text,
    Number,
    Null,
    Boolean,
}

impl Walker {
    pub(crate) fn new(job: Job, plan: Arc<JsonPlan>) -> Self {
        let tokens = Tokenizer::new(job.limits.depth, job.limits.number);
        let least_digits = job.engine.least_digits();
        Self {
            job,
            plan,
            tokens,
            nest: Nest::default(),
            facts: Facts::default(),
            hits: Vec::new(),
            whole: Whole::default(),
            string: StringInProgress::default(),
            lead: Lead::default(),
            dropping: None,
            scalar: Scalar::default(),
            known: Known::default(),
            distinct: Distinct::default(),
            least_digits,
        }
    }

    /// Begins another document. Facts and hits of the one before are forgotten.
    pub(crate) fn reset(&mut self) {
        self.tokens.reset();
        self.nest.clear();
        self.distinct.clear();
        self.facts.clear();
        self.hits.clear();
        self.dropping = None;
    }

    pub(crate) const fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(crate) fn take_facts(&mut self) -> Facts {
        std::mem::take(&mut self.facts)
    }

    pub(crate) fn take_hits(&mut self) -> Vec<Hit> {
        std::mem::take(&mut self.hits)
    }

    pub(crate) const fn job(&self) -> &Job {
        &self.job
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.tokens.is_blank()
    }

    pub(crate) fn held(&self) -> usize {
        self.nest.held()
            + self.distinct.held()
            + self.string.held()
            + self.lead.saved.len()
            + self.scalar.held()
            + self.facts.weight()
    }

    /// Walks over the sink's input in a range. Clean input may be left to the sink to flush.
    pub(crate) fn feed(&mut self, sink: &mut Sink<'_>, range: Range<usize>) -> Result<(), Stop> {
        let input = sink.input().get(..range.end).unwrap_or_default();
        let mut at = range.start;
        self.tokens.announce(input.get(at..).unwrap_or_default());
        if self.lead.from.is_some() {
            self.lead.from = Some(at);
        }
        loop {
            let token = match self.tokens.next(input, &mut at) {
                Ok(Some(token)) => token,
                Ok(None) => break,
                Err(fault) => {
                    // What stands before it is looked at as if the input ended there: it may be wrong itself.
                    self.suspend(sink, at)?;
                    return Err(fault.into());
                }
            };
            match token.kind {
                Kind::Open { object } => self.open(sink, token, object)?,
                Kind::Close { object } => self.close(sink, token, object),
                Kind::Comma => self.comma(token.start),
                Kind::Colon => {}
                Kind::Quote { key: true } => self.begin_key(token),
                Kind::Quote { key: false } => self.begin_string(sink, token)?,
                Kind::Text { escapes } => self.run(sink, token, escapes)?,
                Kind::Unit => self.unit(sink, token)?,
                Kind::Unquote => self.end_text(sink, token)?,
                Kind::Scalar { done } => self.scalar(sink, token, done)?,
                Kind::ScalarEnd => self.end_scalar(sink, token.start..token.end)?,
            }
        }
        if !self.tokens.is_done() {
            self.suspend(sink, range.end)?;
        }
        Ok(())
    }

    /// The document ends at the sink's place `at`.
    pub(crate) fn end(&mut self, sink: &mut Sink<'_>, at: usize) -> Result<(), Stop> {
        if self.tokens.finish()? == Some(Kind::ScalarEnd) {
            self.end_scalar(sink, at..at)?;
        }
        Ok(())
    }

    pub(super) fn unit_text(&self) -> ([u8; super::escape::LONGEST], usize) {
        let unit = self.tokens.unit();
        let mut copy = [0; super::escape::LONGEST];
        copy[..unit.len()].copy_from_slice(unit);
        (copy, unit.len())
    }

    fn suspend(&mut self, sink: &mut Sink<'_>, end: usize) -> Result<(), Stop> {
        if self.dropping.is_some() {
            self.suspend_string(sink, end)?;
            sink.skip(end);
            return Ok(());
        }
        self.suspend_string(sink, end)?;
        if let Some(from) = self.lead.from {
            sink.flush(from);
            self.lead.saved.extend_from_slice(sink.input().get(from..end).unwrap_or_default());
            if self.lead.saved.len() > self.job.limits.record {
                return Err(self.job.refuse(Reason::RecordTooLarge).detail("too much before a value").into());
            }
            sink.skip(end);
        }
        Ok(())
    }

    fn open(&mut self, sink: &mut Sink<'_>, token: Token, object: bool) -> Result<(), Stop> {
        let shape = if object { Shape::Object } else { Shape::Array };
        let state = self.begin_value(sink, token.start, shape)?;
        if state != DEAD {
            self.note(state, if object { &FactValue::Composite } else { &FactValue::List })?;
        }
        let tracked = self.dropping.is_none() && state != DEAD && self.plan.state(state).tracked;
        self.nest.open(object, state, tracked);
        if tracked {
            self.lead.from = Some(token.end);
            self.lead.comma = false;
        }
        Ok(())
    }

    fn comma(&mut self, start: usize) {
        if self.dropping.is_none() && self.nest.top().is_some_and(|frame| frame.tracked) {
            self.lead.from = Some(start);
            self.lead.comma = true;
        }
    }

    fn close(&mut self, sink: &mut Sink<'_>, token: Token, object: bool) {
        if self.dropping.is_none() && self.nest.top().is_some_and(|frame| frame.tracked) {
            self.give_lead(sink, false);
            if object {
                self.add_missing(sink, token.start);
            }
        }
        self.distinct.leave(self.nest.depth());
        self.nest.close();
        self.end_value(sink, token.end);
    }

    /// Adds what a `Set` names and the object that ends at `at` lacks.
    fn add_missing(&mut self, sink: &mut Sink<'_>, at: usize) {
        let Some(frame) = self.nest.top() else { return };
        let mut kept = frame.kept;
        for (named, member) in &self.plan.state(frame.state).missing {
            if self.nest.has_seen(frame, *named) {
                continue;
            }
            sink.flush(at);
            if kept {
                sink.put(b",");
            }
            sink.put(member);
            kept = true;
        }
    }

    /// Decides about the value that begins at `start`, and gives out what waited for it.
    pub(super) fn begin_value(
        &mut self,
        sink: &mut Sink<'_>,
        start: usize,
        shape: Shape,
    ) -> Result<StateId, Stop> {
        let id = self.nest.next_value(&self.plan);
        if self.dropping.is_some() {
            return Ok(id);
        }
        let tracked = self.nest.top().is_some_and(|frame| frame.tracked);
        if id == DEAD {
            if tracked {
                self.give_lead(sink, true);
            }
            return Ok(id);
        }
        let plan = Arc::clone(&self.plan);
        let state = plan.state(id);
        let action = state.edit.and_then(|edit| plan.action(edit));
        if let Some(Action::Remove) = action {
            self.drop_lead(sink);
            self.dropping = Some(self.nest.depth());
            return Ok(id);
        }
        if tracked {
            self.give_lead(sink, true);
        }
        match action {
            Some(Action::Put(text)) => self.replace(sink, start, text),
            Some(Action::Salt) if shape == Shape::Number => {
                sink.flush(start);
                self.dropping = Some(self.nest.depth());
                self.scalar.salted = true;
            }
            Some(Action::Salt) if matches!(shape, Shape::Object | Shape::Array) => {
                return Err(self.job.refuse(Reason::ContentMalformed).detail("a string is expected").into());
            }
            _ => self.need_object(sink, start, shape, state)?,
        }
        Ok(id)
    }

    fn replace(&mut self, sink: &mut Sink<'_>, start: usize, text: &[u8]) {
        sink.flush(start);
        sink.put(text);
        self.dropping = Some(self.nest.depth());
    }

    /// Where members are set, an object has to stand: `null` becomes one, anything else is refused.
    fn need_object(
        &mut self,
        sink: &mut Sink<'_>,
        start: usize,
        shape: Shape,
        state: &State,
    ) -> Result<(), Stop> {
        if !state.object_needed || shape == Shape::Object {
            return Ok(());
        }
        if shape != Shape::Null || self.nest.depth() == 0 {
            return Err(self.job.refuse(Reason::ContentMalformed).detail("an object is expected").into());
        }
        let members: Vec<&[u8]> = state.missing.iter().map(|(_, member)| &**member).collect();
        let text = [b"{".as_slice(), &members.join(&b','), b"}"].concat();
        self.replace(sink, start, &text);
        Ok(())
    }

    /// Gives out what stood before a value (or before the end of its container).
    fn give_lead(&mut self, sink: &mut Sink<'_>, value: bool) {
        let Some(from) = self.lead.from.take() else { return };
        let kept = self.nest.top().is_none_or(|frame| frame.kept);
        // Everything before this member was removed, and its comma goes with it.
        let superfluous = self.lead.comma && !kept;
        if !self.lead.saved.is_empty() {
            sink.put(self.lead.saved.get(usize::from(superfluous)..).unwrap_or_default());
            self.lead.saved.clear();
        } else if superfluous {
            sink.flush(from);
            sink.skip(from + 1);
        }
        if value && let Some(frame) = self.nest.top_mut() {
            frame.kept = true;
        }
    }

    fn drop_lead(&mut self, sink: &mut Sink<'_>) {
        if let Some(from) = self.lead.from.take() {
            sink.flush(from);
        }
        self.lead.saved.clear();
    }

    pub(super) fn end_value(&mut self, sink: &mut Sink<'_>, end: usize) {
        if self.dropping == Some(self.nest.depth()) {
            sink.skip(end);
            self.dropping = None;
        }
    }

    /// Notes a value at a watched place.
    pub(super) fn note(&mut self, state: StateId, value: &FactValue) -> Result<(), Stop> {
        for &watch in &self.plan.state(state).watches {
            if self.plan.is_located(watch) {
                continue;
            }
            if self.facts.len() >= self.job.limits.facts {
                return Err(self
                    .job
                    .refuse(Reason::RecordTooLarge)
                    .detail("too many values that decide")
                    .into());
            }
            self.facts.add_in(watch, value.clone(), self.nest.item());
        }
        Ok(())
    }

    /// Notes a value at a located place, and the range of the output that it takes.
    pub(super) fn locate(
        &mut self,
        state: StateId,
        value: &FactValue,
        span: &Range<usize>,
    ) -> Result<(), Stop> {
        for &watch in &self.plan.state(state).watches {
            if self.plan.is_located(watch) {
                if self.hits.len() >= HITS {
                    return Err(self
                        .job
                        .refuse(Reason::RecordTooLarge)
                        .detail("too many texts at once")
                        .into());
                }
                let (way, opaque) = (self.nest.way(), self.plan.state(state).opaque);
                self.hits.push(Hit { watch, way, value: value.clone(), span: span.clone(), opaque });
            }
        }
        Ok(())
    }
}
