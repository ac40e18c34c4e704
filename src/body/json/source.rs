//! A text in pieces, whatever it is: plain, or JSON by itself (the arguments of a tool call, a document in a string).

use super::emit::Emit;
use super::nested::Nested;
use crate::body::Job;
use crate::censor::{Piece, TextStream};
use crate::reason::Refusal;

/// So many texts inside texts are read; what is deeper is taken as it is written.
const DEPTH: usize = 4;

/// A text on its way through the censor.
pub(crate) struct Source {
    way: Way,
    depth: usize,
}

enum Way {
    /// White space, and perhaps a quote that hasn't been looked at.
    Unsure {
        plain: TextStream,
        field: Option<Box<str>>,
        quote: bool,
    },
    Plain(TextStream),
    Json(Box<Nested>),
}

/// Whether a text is JSON, by its first bytes. None: that is still to be seen.
pub(crate) fn begins_json(text: &[u8]) -> Option<bool> {
    let mut bytes = text.iter().skip_while(|byte| byte.is_ascii_whitespace());
    match bytes.next()? {
        b'{' | b'[' => Some(true),
        // A document that was written as a string and is in one again.
        b'"' => bytes.next().map(|byte| matches!(byte, b'{' | b'[')),
        _ => Some(false),
    }
}

/// Whether a text under this name may be read as JSON: not where a rule says that whatever stands there must not pass.
pub(crate) fn may_be_json(job: &Job, field: Option<&str>) -> bool {
    field.is_none_or(|field| !job.engine.names_values(field))
}

fn stream(job: &Job, field: Option<&str>) -> TextStream {
    TextStream::new(job.engine.clone(), job.exchange.clone(), field, job.side)
}

impl Source {
    /// A text that begins, so many texts deep in others.
    pub(crate) fn new(job: &Job, field: Option<&str>, depth: usize) -> Self {
        let plain = stream(job, field);
        let way = if depth < DEPTH && may_be_json(job, field) {
            Way::Unsure { plain, field: field.map(Box::from), quote: false }
        } else {
            Way::Plain(plain)
        };
        Self { way, depth }
    }

    /// Takes more of the text.
    pub(crate) fn push(&mut self, job: &Job, text: &[u8], out: &mut dyn Emit) -> Result<(), Refusal> {
        match &mut self.way {
            Way::Plain(plain) => {
                plain.push(text);
                pull(plain, job, out)
            }
            Way::Json(nested) => nested.push(job, text, out),
            Way::Unsure { .. } => self.decide(job, text, out),
        }
    }

    fn decide(&mut self, job: &Job, text: &[u8], out: &mut dyn Emit) -> Result<(), Refusal> {
        let Way::Unsure { plain, field, quote } = &mut self.way else { return Ok(()) };
        let joined = if *quote { [b"\"", text].concat() } else { Vec::new() };
        let text = if *quote { joined.as_slice() } else { text };
        let blank = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let (space, rest) = text.split_at(blank);
        match begins_json(rest) {
            None => {
                *quote = !rest.is_empty();
                plain.push(space);
                pull(plain, job, out)
            }
            Some(true) => {
                // White space is never a finding.
                pull(plain, job, out)?;
                out.keep(plain.held() + space.len());
                let mut nested = Box::new(Nested::new(job, field.take(), self.depth + 1));
                let result = nested.push(job, rest, out);
                self.way = Way::Json(nested);
                result
            }
            Some(false) => {
                plain.push(text);
                let result = pull(plain, job, out);
                let spare = stream(job, None);
                self.way = Way::Plain(std::mem::replace(plain, spare));
                result
            }
        }
    }

    /// The text ends.
    pub(crate) fn finish(&mut self, job: &Job, out: &mut dyn Emit) -> Result<(), Refusal> {
        match &mut self.way {
            Way::Plain(plain) => {
                plain.finish();
                pull(plain, job, out)
            }
            Way::Unsure { plain, quote, .. } => {
                if std::mem::take(quote) {
                    plain.push(b"\"");
                }
                plain.finish();
                pull(plain, job, out)
            }
            Way::Json(nested) => nested.finish(job, out),
        }
    }

    /// Bytes in memory that are not given out.
    pub(crate) fn held(&self) -> usize {
        match &self.way {
            Way::Plain(plain) => plain.held(),
            Way::Unsure { plain, quote, .. } => plain.held() + usize::from(*quote),
            Way::Json(nested) => nested.held(),
        }
    }
}

/// Tells of everything that a stream has decided.
pub(super) fn pull(stream: &mut TextStream, job: &Job, out: &mut dyn Emit) -> Result<(), Refusal> {
    while let Some(piece) = stream.next() {
        match piece {
            Piece::Keep { len } => out.keep(len),
            Piece::Replace { len, with, .. } => out.replace(len, with),
            Piece::Block { rule } => return Err(job.blocked(rule)),
        }
    }
    Ok(())
}
