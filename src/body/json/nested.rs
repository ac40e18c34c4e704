//! JSON inside a text. What is found is found on the decoded strings, keys and numbers of the inner document; all else
//! stays as it is.
//!
//! Nobody promised that the text is JSON, so nothing is refused: from where it stops being JSON on, it is
//! plain text. Keys and numbers wait for what follows them, so that such a text has lost nothing of itself by then.

use std::sync::LazyLock;

use super::distinct::Distinct;
use super::emit::{Emit, Inside};
use super::escape;
use super::key::censored_key;
use super::known::Known;
use super::live::Live;
use super::nest::Nest;
use super::plan::{DEAD, JsonPlan};
use super::scalar::{Number, is_worth_a_look};
use super::source::{Source, pull};
use super::token::{Kind, Token, Tokenizer};
use crate::body::Job;
use crate::body::text::Whole;
use crate::censor::TextStream;
use crate::reason::Refusal;

/// Longer keys and numbers, with the white space behind them, are plain text.
const WAIT: usize = 4096;
const NUMBER: usize = 256;

static NO_PLAN: LazyLock<JsonPlan> = LazyLock::new(JsonPlan::empty);

/// A document inside a text, in pieces.
pub(super) struct Nested {
    tokens: Tokenizer,
    nest: Nest,
    distinct: Distinct,
    known: Known,
    whole: Whole,
    /// The name of what the text stands in.
    field: Option<Box<str>>,
    depth: usize,
    spoken: bool,
    /// The beginning of an escape that goes on in the next piece.
    cut: Vec<u8>,
    /// A key or a number, with what followed it, that waits for what comes next.
    wait: Vec<u8>,
    waiting: Waiting,
    live: Option<Live>,
    /// The text is no JSON from here on.
    plain: Option<TextStream>,
    scratch: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    Nothing,
    /// A key whose contents end so many bytes behind its quote, if they ended.
    Key(Option<usize>),
    /// A number or a literal of so many bytes.
    Scalar(usize),
}

impl Nested {
    pub(super) fn new(job: &Job, field: Option<Box<str>>, depth: usize, spoken: bool) -> Self {
        Self {
            tokens: Tokenizer::lenient(job.limits.depth, NUMBER),
            nest: Nest::default(),
            distinct: Distinct::default(),
            known: Known::default(),
            whole: Whole::default(),
            field,
            depth,
            spoken,
            cut: Vec::new(),
            wait: Vec::new(),
            waiting: Waiting::Nothing,
            live: None,
            plain: None,
            scratch: Vec::new(),
        }
    }

    pub(super) fn held(&self) -> usize {
        self.cut.len()
            + self.wait.len()
            + self.nest.held()
            + self.distinct.held()
            + self.live.as_ref().map_or(0, Live::held)
            + self.plain.as_ref().map_or(0, TextStream::held)
    }

    pub(super) fn push(&mut self, job: &Job, text: &[u8], out: &mut dyn Emit) -> Result<(), Refusal> {
        if let Some(plain) = &mut self.plain {
            plain.push(text);
            return pull(plain, job, out);
        }
        if self.cut.is_empty() {
            return self.walk(job, text, out);
        }
        let mut joined = std::mem::take(&mut self.cut);
        joined.extend_from_slice(text);
        self.walk(job, &joined, out)
    }

    pub(super) fn finish(&mut self, job: &Job, out: &mut dyn Emit) -> Result<(), Refusal> {
        let cut = std::mem::take(&mut self.cut);
        if let Some(live) = &mut self.live {
            let mut inside = Inside { out, scratch: &mut self.scratch };
            live.push(job, &cut, &mut inside)?;
            return live.finish(job, &mut inside);
        }
        self.wait.extend_from_slice(&cut);
        if matches!(self.waiting, Waiting::Key(_)) {
            // It never became a key.
            self.give_up(job, b"", out)?;
        }
        self.settle(job, out)?;
        if let Some(plain) = &mut self.plain {
            plain.finish();
            pull(plain, job, out)?;
        }
        Ok(())
    }

    fn walk(&mut self, job: &Job, input: &[u8], out: &mut dyn Emit) -> Result<(), Refusal> {
        let (mut at, mut from) = (0, 0);
        loop {
            match self.tokens.next(input, &mut at) {
                Ok(Some(token)) => {
                    self.pass(input.get(from..token.start).unwrap_or_default(), out);
                    self.take(job, input, token, out)?;
                    from = token.end;
                }
                Ok(None) => break,
                Err(_) => {
                    let rest = input.get(from..).unwrap_or_default();
                    let space =
                        rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
                    self.pass(rest.get(..space).unwrap_or_default(), out);
                    from += space;
                    let rest = input.get(from..).unwrap_or_default();
                    if !self.tokens.is_done() || !matches!(rest.first(), Some(b'{' | b'[')) {
                        return self.give_up(job, rest, out);
                    }
                    // Another document behind the first.
                    self.tokens.reset();
                    self.nest.clear();
                    self.distinct.clear();
                    at = from;
                }
            }
            if self.wait.len() > WAIT {
                return self.give_up(job, input.get(from..).unwrap_or_default(), out);
            }
        }
        let rest = input.get(from..).unwrap_or_default();
        if at < input.len() {
            self.cut.extend_from_slice(rest);
        } else {
            self.pass(rest, out);
            if self.wait.len() > WAIT {
                return self.give_up(job, b"", out);
            }
        }
        Ok(())
    }

    /// White space between tokens.
    fn pass(&mut self, space: &[u8], out: &mut dyn Emit) {
        if self.waiting != Waiting::Nothing {
            self.wait.extend_from_slice(space);
        } else if !space.is_empty() {
            out.keep(space.len());
        }
    }

    fn take(&mut self, job: &Job, input: &[u8], token: Token, out: &mut dyn Emit) -> Result<(), Refusal> {
        let bytes = input.get(token.start..token.end).unwrap_or_default();
        match token.kind {
            Kind::Open { object } => {
                self.nest.next_value(&NO_PLAN);
                self.nest.open(object, DEAD, false);
                out.keep(1);
            }
            Kind::Close { .. } => {
                self.settle(job, out)?;
                self.distinct.leave(self.nest.depth());
                self.nest.close();
                out.keep(1);
            }
            Kind::Colon | Kind::Comma => {
                self.settle(job, out)?;
                out.keep(1);
            }
            Kind::Quote { key: true } => {
                self.wait.extend_from_slice(bytes);
                self.waiting = Waiting::Key(None);
            }
            Kind::Quote { key: false } => {
                let field = self.nest.field().or(self.field.as_deref());
                self.live = Some(Live::of(Source::inside(job, field, self.depth, self.spoken)));
                out.keep(1);
            }
            Kind::Text { .. } | Kind::Unit => match &mut self.live {
                Some(live) => {
                    live.push(job, bytes, &mut Inside { out, scratch: &mut self.scratch })?;
                }
                None => self.wait.extend_from_slice(bytes),
            },
            Kind::Unquote => match self.live.take() {
                Some(mut live) => {
                    live.finish(job, &mut Inside { out, scratch: &mut self.scratch })?;
                    out.keep(1);
                }
                None => {
                    self.waiting = Waiting::Key(Some(self.wait.len()));
                    self.wait.extend_from_slice(bytes);
                }
            },
            Kind::Scalar { .. } => {
                self.wait.extend_from_slice(bytes);
                self.waiting = Waiting::Scalar(self.wait.len());
            }
            Kind::ScalarEnd => {}
        }
        Ok(())
    }

    /// What waited is what it seemed to be.
    fn settle(&mut self, job: &Job, out: &mut dyn Emit) -> Result<(), Refusal> {
        let wait = std::mem::take(&mut self.wait);
        match std::mem::replace(&mut self.waiting, Waiting::Nothing) {
            Waiting::Key(Some(end)) => {
                escape::decode(wait.get(1..end).unwrap_or_default(), self.nest.begin_key());
                self.nest.end_key(&NO_PLAN, false);
                let (nest, known) = (&self.nest, &mut self.known);
                let censored = censored_key(job, nest, known, &mut self.whole, &mut self.distinct)?;
                match censored {
                    None => out.keep(wait.len()),
                    Some(key) => {
                        self.scratch.clear();
                        escape::encode(&key, &mut self.scratch);
                        out.keep(1);
                        out.replace(end - 1, &self.scratch);
                        out.keep(wait.len() - end);
                    }
                }
            }
            Waiting::Scalar(end) => {
                self.settle_scalar(job, wait.get(..end).unwrap_or_default(), wait.len(), out)?;
            }
            Waiting::Key(None) | Waiting::Nothing if wait.is_empty() => {}
            Waiting::Key(None) | Waiting::Nothing => out.keep(wait.len()),
        }
        self.wait = wait;
        self.wait.clear();
        Ok(())
    }

    fn settle_scalar(
        &mut self,
        job: &Job,
        text: &[u8],
        all: usize,
        out: &mut dyn Emit,
    ) -> Result<(), Refusal> {
        let field = self.nest.field().or(self.field.as_deref());
        let number = Number::of(text);
        let is_number = matches!(text.first(), Some(b'-' | b'0'..=b'9'));
        let least = job.engine.least_digits();
        if !is_number
            || !is_worth_a_look(&number, field, least, &job.engine, &mut self.known)
            || !self.whole.scan(job, number.text, field)?
        {
            out.keep(all);
            return Ok(());
        }
        let mut censored = Vec::new();
        self.whole.write(number.text, &mut censored);
        self.scratch.clear();
        escape::encode_in_place_of_number(&censored, &mut self.scratch);
        out.replace(text.len(), &self.scratch);
        if all > text.len() {
            out.keep(all - text.len());
        }
        Ok(())
    }

    /// It is no JSON, from what waited on.
    fn give_up(&mut self, job: &Job, rest: &[u8], out: &mut dyn Emit) -> Result<(), Refusal> {
        self.waiting = Waiting::Nothing;
        let mut plain =
            TextStream::new(job.engine.clone(), job.exchange.clone(), self.field.as_deref(), job.side);
        plain.push(&std::mem::take(&mut self.wait));
        plain.push(rest);
        let result = pull(&mut plain, job, out);
        self.plain = Some(plain);
        result
    }
}
