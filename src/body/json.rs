//! One JSON document (RFC 8259) as a stream: every string value goes through the censor on its decoded text, the
//! values at watched places become [`Facts`], edits are made on the way. What nobody changes leaves byte for byte.

mod distinct;
mod emit;
mod encoded;
mod escape;
mod key;
mod known;
mod live;
mod nest;
mod nested;
mod number;
mod plan;
mod scalar;
mod source;
mod string;
pub(crate) mod texts;
mod token;
mod walk;

use std::sync::Arc;

use crate::body::sink::Sink;
use crate::body::utf8::Utf8;
use crate::body::{Facts, Job, Limits, Transform};
use crate::reason::{Reason, Refusal};

pub(crate) use emit::Emit;
pub(crate) use escape::{decode, encode};
pub(crate) use nest::Level;
pub use plan::{JsonPlan, PlanError, Watch};
pub(crate) use source::{Source, is_special, may_be_special};
pub(crate) use walk::{Hit, Stop, Walker};

/// The UTF-8 encoding of U+FEFF.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

/// Censors one JSON document.
///
/// The document ends where its input ends; anything but white space behind it is refused.
pub struct JsonTransform {
    walker: Walker,
    utf8: Utf8,
    bom: Bom,
}

/// What a byte order mark at the start means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bom {
    Refused,
    /// It is kept; so many bytes of it have been seen.
    Kept(usize),
    Over,
}

impl JsonTransform {
    /// A document under a plan.
    #[must_use]
    pub fn new(job: Job, plan: Arc<JsonPlan>) -> Self {
        Self { walker: Walker::new(job, plan), utf8: Utf8::default(), bom: Bom::Refused }
    }

    /// Accepts a byte order mark before the document, and keeps it. Files have them; RFC 8259 forbids to send them.
    #[must_use]
    pub const fn keeping_bom(mut self) -> Self {
        self.bom = Bom::Kept(0);
        self
    }

    /// What stood at the watched places so far. Complete once [`Transform::finish`] has returned.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        self.walker.facts()
    }

    /// The facts so far, which are not told again.
    pub fn take_facts(&mut self) -> Facts {
        self.walker.take_facts()
    }

    /// How many bytes at the start of this input belong to a byte order mark.
    fn bom(&mut self, input: &[u8]) -> usize {
        let Bom::Kept(seen) = self.bom else { return 0 };
        let expected = BOM.get(seen..).unwrap_or_default();
        let here = expected.len().min(input.len());
        // Other than the whole mark, its bytes are no JSON: they go to the walker, which refuses them.
        if expected.get(..here) != input.get(..here) {
            self.bom = Bom::Over;
            return 0;
        }
        self.bom = if here == expected.len() { Bom::Over } else { Bom::Kept(seen + here) };
        here
    }
}

impl Transform for JsonTransform {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        let good = self.utf8.push(input);
        let text = input.get(..good).unwrap_or_default();
        let from = self.bom(text);
        let mut sink = Sink::new(text, out);
        self.walker.feed(&mut sink, from..good).map_err(|stop| stop.refusal(self.walker.job()))?;
        sink.flush(good);
        if good < input.len() {
            return Err(self.walker.job().refuse(Reason::ContentNotUtf8));
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let mut sink = Sink::new(&[], out);
        self.walker.end(&mut sink, 0).map_err(|stop| stop.refusal(self.walker.job()))
    }

    fn held(&self) -> usize {
        self.walker.held()
    }
}

/// Reads a document for what stands at the places of a [`JsonPlan::reading`]. What is held meanwhile does not grow with
/// the document.
///
/// # Errors
/// If it is no JSON document, is nested too deeply, or says something twice that decides.
pub fn read(job: &Job, plan: &Arc<JsonPlan>, text: &[u8]) -> Result<Facts, Refusal> {
    let mut transform = JsonTransform::new(job.clone(), Arc::clone(plan));
    let mut nothing = Vec::new();
    transform.push(text, &mut nothing)?;
    transform.finish(&mut nothing)?;
    Ok(transform.take_facts())
}

/// Whether a text is the beginning of a JSON document, and if so, whether it is a complete one.
pub(crate) fn is_json_prefix(text: &[u8]) -> Option<bool> {
    let mut tokens = token::Tokenizer::new(Limits::default().depth, Limits::default().number);
    let mut at = 0;
    while tokens.next(text, &mut at).ok()?.is_some() {}
    Some(tokens.is_done())
}

#[cfg(test)]
mod tests;
