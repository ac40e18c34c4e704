//! Numbers and literals: they pass as they are, unless an edit says otherwise, and are facts where they are watched.
//!
//! A number that is a finding (a card's, under its name or by its check digit) becomes a string with what stands in
//! its place. Most numbers are told by their length or by the name over them to be none, without a look by the engine.

use std::ops::Range;

use super::escape;
use super::known::{Known, Question};
use super::plan::{DEAD, StateId};
use super::token::Token;
use super::walk::{Shape, Stop, Walker};
use crate::body::FactValue;
use crate::body::sink::Sink;
use crate::censor::Engine;

/// No field makes a finding of a number of fewer digits.
const LEAST_NAMED: usize = 3;

/// A number or a literal in progress.
#[derive(Debug, Default)]
pub(super) struct Scalar {
    open: bool,
    state: StateId,
    /// A hash takes its place.
    pub(super) salted: bool,
    /// It is a number that the censor looks at.
    looked_at: bool,
    /// It began in an input before, and nothing of it has been given out.
    kept_back: bool,
    /// Its text, when that matters.
    text: Vec<u8>,
    /// Where it begins in the output.
    position: usize,
    /// No fraction is a finding for as long as the name over it stays.
    quiet: Option<u64>,
}

impl Scalar {
    pub(super) const fn held(&self) -> usize {
        self.text.len()
    }
}

impl Walker {
    /// Takes a number or a literal, or a part of one.
    pub(super) fn scalar(&mut self, sink: &mut Sink<'_>, token: Token, done: bool) -> Result<(), Stop> {
        let bytes = sink.input().get(token.start..token.end).unwrap_or_default();
        if !self.scalar.open {
            let shape = match bytes.first() {
                Some(b'n') => Shape::Null,
                Some(b't' | b'f') => Shape::Boolean,
                _ => Shape::Number,
            };
            self.scalar.salted = false;
            self.scalar.kept_back = false;
            self.scalar.text.clear();
            let id = self.begin_value(sink, token.start, shape)?;
            let state = self.plan.state(id);
            self.scalar.state = id;
            self.scalar.looked_at = shape == Shape::Number
                && self.dropping.is_none()
                && (id == DEAD || !state.opaque && !state.located);
            self.scalar.position = sink.position(token.start);
            self.scalar.open = true;
        }
        let scalar = &mut self.scalar;
        if scalar.looked_at && (!done || scalar.kept_back) {
            if !scalar.kept_back {
                sink.flush(token.start);
                scalar.kept_back = true;
            }
            scalar.text.extend_from_slice(bytes);
            sink.skip(token.end);
        } else if scalar.state != DEAD || scalar.salted {
            scalar.text.extend_from_slice(bytes);
        }
        if done { self.end_scalar(sink, token.start..token.end) } else { Ok(()) }
    }

    /// The number or literal is complete; its last part stood in the sink's input at `place`.
    pub(super) fn end_scalar(&mut self, sink: &mut Sink<'_>, place: Range<usize>) -> Result<(), Stop> {
        self.scalar.open = false;
        let state = self.scalar.state;
        let text = std::mem::take(&mut self.scalar.text);
        if self.scalar.salted {
            let salted = self.salted(&text)?;
            sink.put(b"\"");
            sink.put(&salted);
            sink.put(b"\"");
        }
        if self.scalar.looked_at {
            let whole = sink.input().get(place.clone()).unwrap_or_default();
            self.censor_number(sink, if self.scalar.kept_back { &text } else { whole }, &place)?;
        }
        if state != DEAD {
            let lossy = String::from_utf8_lossy(&text);
            let value = match &*lossy {
                "null" => FactValue::Null,
                "true" => FactValue::Bool(true),
                "false" => FactValue::Bool(false),
                number if number.len() > self.job.limits.fact => FactValue::TooLong,
                number => FactValue::Number(number.into()),
            };
            let span = self.scalar.position..sink.position(place.end);
            self.note(state, &value)?;
            self.locate(state, &value, &span)?;
        }
        self.scalar.text = text;
        self.scalar.text.clear();
        self.end_value(sink, place.end);
        Ok(())
    }

    /// A number, complete: it stays, or a string takes its place, or another number of its format.
    fn censor_number(&mut self, sink: &mut Sink<'_>, text: &[u8], place: &Range<usize>) -> Result<(), Stop> {
        let number = Number::of(text);
        // A vector of floats: what was said of the first holds for all.
        let quiet = self.scalar.quiet == Some(self.nest.turn()) && !number.integral;
        let field = self.nest.field();
        let worth =
            !quiet && is_worth_a_look(&number, field, self.least_digits, &self.job.engine, &mut self.known);
        if worth && self.whole.scan(&self.job, number.text, field)? {
            if !self.scalar.kept_back {
                sink.flush(place.start);
            }
            let mut censored = Vec::new();
            self.whole.write(number.text, &mut censored);
            escape::encode_in_place_of_number(&censored, sink.out());
            sink.skip(place.end);
            return Ok(());
        }
        if !worth && !number.integral && number.digits >= LEAST_NAMED {
            self.scalar.quiet = Some(self.nest.turn());
        }
        if self.scalar.kept_back {
            sink.put(text);
        }
        Ok(())
    }
}

/// Whether the engine is to look at a number.
#[inline]
pub(super) fn is_worth_a_look(
    number: &Number<'_>,
    field: Option<&str>,
    least_digits: usize,
    engine: &Engine,
    known: &mut Known,
) -> bool {
    if number.digits < LEAST_NAMED {
        return false;
    }
    let long = number.integral && number.digits >= least_digits;
    let Some(field) = field else { return long };
    if long && !known.ask(field.as_bytes(), Question::Machine, || is_machine(field)) {
        return true;
    }
    !engine.is_silent(field.as_bytes())
        && known.ask(field.as_bytes(), Question::Speaks, || engine.speaks_for_numbers(field))
}

/// Last words of names under which numbers are times, or made by chance to be just that: one in a hundred of these would pass
/// for a card's number.
const MACHINE: &[&str] =
    &["seed", "nonce", "created", "at", "time", "timestamp", "ts", "epoch", "ms", "us", "ns"];

fn is_machine(field: &str) -> bool {
    let begins = |(at, c): &(usize, char)| c.is_ascii_uppercase() && *at > 0;
    let word = field.rsplit(['_', '-', '.', ' ']).next().unwrap_or_default();
    let hump = word.char_indices().rev().find(begins).map_or(0, |(at, _)| at);
    let tail = word.get(hump..).unwrap_or_default();
    MACHINE.iter().any(|known| known.eq_ignore_ascii_case(tail) || known.eq_ignore_ascii_case(word))
}

/// A number as the censor sees it.
pub(super) struct Number<'a> {
    /// What is looked at: without a fraction of zeros, which tables put behind whole numbers.
    pub(super) text: &'a [u8],
    /// Digits, all of them.
    pub(super) digits: usize,
    /// It has no fraction and no exponent.
    pub(super) integral: bool,
}

impl<'a> Number<'a> {
    #[inline]
    pub(super) fn of(text: &'a [u8]) -> Self {
        let whole = text.iter().position(|byte| matches!(byte, b'.' | b'e' | b'E'));
        let (head, fraction) = text.split_at(whole.unwrap_or(text.len()));
        let integral = fraction.iter().skip(1).all(|byte| *byte == b'0')
            && !matches!(fraction.first(), Some(b'e' | b'E'));
        let text = if integral { head } else { text };
        Self { text, digits: text.len(), integral }
    }
}
