//! Numbers and literals: they pass as they are, unless an edit says otherwise, and are facts where they are watched.

use super::plan::{DEAD, StateId};
use super::token::Token;
use super::walk::{Shape, Stop, Walker};
use crate::body::FactValue;
use crate::body::sink::Sink;

/// A number or a literal in progress.
#[derive(Debug, Default)]
pub(super) struct Scalar {
    open: bool,
    state: StateId,
    /// A hash takes its place.
    pub(super) salted: bool,
    /// Its text, when that matters.
    text: Vec<u8>,
    /// Where it begins in the output.
    position: usize,
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
            self.scalar.text.clear();
            self.scalar.state = self.begin_value(sink, token.start, shape)?;
            self.scalar.position = sink.position(token.start);
            self.scalar.open = true;
        }
        if self.scalar.state != DEAD || self.scalar.salted {
            self.scalar.text.extend_from_slice(bytes);
        }
        if done { self.end_scalar(sink, token.end) } else { Ok(()) }
    }

    /// The number or literal is complete; it ended before the sink's place `at`.
    pub(super) fn end_scalar(&mut self, sink: &mut Sink<'_>, at: usize) -> Result<(), Stop> {
        self.scalar.open = false;
        let state = self.scalar.state;
        if self.scalar.salted {
            let salted = self.salted(&self.scalar.text)?;
            sink.put(b"\"");
            sink.put(&salted);
            sink.put(b"\"");
        }
        if state != DEAD {
            let text = String::from_utf8_lossy(&self.scalar.text);
            let value = match &*text {
                "null" => FactValue::Null,
                "true" => FactValue::Bool(true),
                "false" => FactValue::Bool(false),
                number if number.len() > self.job.limits.fact => FactValue::TooLong,
                number => FactValue::Number(number.into()),
            };
            let span = self.scalar.position..sink.position(at);
            self.note(state, &value)?;
            self.locate(state, &value, &span)?;
        }
        self.end_value(sink, at);
        Ok(())
    }
}
