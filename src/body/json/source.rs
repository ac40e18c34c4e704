//! A text in pieces, whatever it is: plain, JSON by itself (the arguments of a tool call, a document in a string), or
//! bytes written as text.

use super::emit::Emit;
use super::encoded::{Beginning, Encoded, beginning, may_matter};
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
    /// It is said piece by piece, so none waits for more than it has to: bytes written as text are not looked for.
    spoken: bool,
}

enum Way {
    Unsure(Box<Unsure>),
    Plain(Box<TextStream>),
    Json(Box<Nested>),
    Encoded(Box<Encoded>),
}

/// White space, and what could not be told from it yet.
struct Unsure {
    plain: Box<TextStream>,
    field: Option<Box<str>>,
    /// White space was seen.
    spaced: bool,
    lead: Vec<u8>,
}

/// What a text is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Unknown,
    Plain,
    Json,
    Encoded(Beginning),
}

/// Looks at a text behind the white space at its start. `complete`: it has no more.
#[inline]
fn look(text: &[u8], complete: bool, encoded: bool) -> Look {
    match text {
        [] if complete => return Look::Plain,
        [] => return Look::Unknown,
        [b'{' | b'[', ..] => return Look::Json,
        // A document that was written as a string and is in one again.
        [b'"', b'{' | b'[', ..] => return Look::Json,
        [b'"'] if !complete => return Look::Unknown,
        _ if !encoded => return Look::Plain,
        _ => {}
    }
    match beginning(text, complete) {
        Beginning::Unknown => Look::Unknown,
        Beginning::Other => Look::Plain,
        beginning => Look::Encoded(beginning),
    }
}

/// Whether a whole text is more than it seems, so that it has to go through a [`Source`].
#[inline]
pub(crate) fn is_special(text: &[u8]) -> bool {
    let spaces = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let text = text.get(spaces..).unwrap_or_default();
    match look(text, true, spaces == 0) {
        Look::Plain => false,
        // Ids are letters too.
        Look::Encoded(Beginning::Letters) => may_matter(text),
        _ => true,
    }
}

/// Whether a text under this name may be read as more than text: not where a rule says that whatever stands there must not pass.
pub(crate) fn may_be_special(job: &Job, field: Option<&str>) -> bool {
    field.is_none_or(|field| !job.engine.names_values(field))
}

fn stream(job: &Job, field: Option<&str>) -> Box<TextStream> {
    Box::new(TextStream::new(job.engine.clone(), job.exchange.clone(), field, job.side))
}

impl Source {
    /// A text that begins, so many texts deep in others.
    pub(crate) fn new(job: &Job, field: Option<&str>, depth: usize) -> Self {
        let plain = stream(job, field);
        let way = if depth < DEPTH && may_be_special(job, field) {
            let field = field.map(Box::from);
            Way::Unsure(Box::new(Unsure { plain, field, spaced: false, lead: Vec::new() }))
        } else {
            Way::Plain(plain)
        };
        Self { way, depth, spoken: false }
    }

    /// A text that is said piece by piece.
    pub(crate) fn spoken(job: &Job) -> Self {
        Self::inside(job, None, 0, true)
    }

    /// A text inside another.
    pub(super) fn inside(job: &Job, field: Option<&str>, depth: usize, spoken: bool) -> Self {
        Self { spoken, ..Self::new(job, field, depth) }
    }

    /// Takes more of the text.
    pub(crate) fn push(&mut self, job: &Job, text: &[u8], out: &mut dyn Emit) -> Result<(), Refusal> {
        match &mut self.way {
            Way::Plain(plain) => {
                plain.push(text);
                pull(plain, job, out)
            }
            Way::Json(nested) => nested.push(job, text, out),
            Way::Encoded(encoded) => encoded.push(job, text, out),
            Way::Unsure(_) => self.decide(job, text, false, out),
        }
    }

    fn decide(&mut self, job: &Job, text: &[u8], complete: bool, out: &mut dyn Emit) -> Result<(), Refusal> {
        let Way::Unsure(unsure) = &mut self.way else { return Ok(()) };
        let blank = if unsure.lead.is_empty() {
            text.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
        } else {
            0
        };
        let (space, text) = text.split_at(blank);
        unsure.spaced |= blank > 0;
        unsure.plain.push(space);
        unsure.lead.extend_from_slice(text);
        let found = look(&unsure.lead, complete, !unsure.spaced && !self.spoken);
        let lead = if found == Look::Unknown { Vec::new() } else { std::mem::take(&mut unsure.lead) };
        if found == Look::Plain {
            unsure.plain.push(&lead);
        }
        pull(&mut unsure.plain, job, out)?;
        let field = unsure.field.take();
        let depth = self.depth + 1;
        match found {
            Look::Unknown => {
                unsure.field = field;
                return Ok(());
            }
            Look::Plain => {
                let spare = stream(job, None);
                self.way = Way::Plain(std::mem::replace(&mut unsure.plain, spare));
                return Ok(());
            }
            // White space is never a finding.
            Look::Json | Look::Encoded(_) if unsure.plain.held() > 0 => out.keep(unsure.plain.held()),
            Look::Json | Look::Encoded(_) => {}
        }
        self.way = match found {
            Look::Encoded(beginning) => Way::Encoded(Box::new(Encoded::new(beginning, field, depth))),
            _ => Way::Json(Box::new(Nested::new(job, field, depth, self.spoken))),
        };
        self.push(job, &lead, out)
    }

    /// The text ends.
    pub(crate) fn finish(&mut self, job: &Job, out: &mut dyn Emit) -> Result<(), Refusal> {
        if matches!(self.way, Way::Unsure(_)) {
            self.decide(job, b"", true, out)?;
        }
        match &mut self.way {
            Way::Plain(plain) => {
                plain.finish();
                pull(plain, job, out)
            }
            Way::Json(nested) => nested.finish(job, out),
            Way::Encoded(encoded) => encoded.finish(job, out),
            Way::Unsure(_) => Ok(()),
        }
    }

    /// Bytes in memory that are not given out.
    pub(crate) fn held(&self) -> usize {
        match &self.way {
            Way::Plain(plain) => plain.held(),
            Way::Unsure(unsure) => unsure.plain.held() + unsure.lead.len(),
            Way::Json(nested) => nested.held(),
            Way::Encoded(encoded) => encoded.held(),
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
