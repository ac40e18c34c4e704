//! Bytes written as text: base64 by itself (an image's `b64_json`, a file's content) and `data:` URLs (RFC 2397).
//!
//! What the bytes are is told by themselves. An image or a vector of floats is no text, so no rule may find
//! something in its letters and break it; it passes as it is, or not at all, as policy says. Bytes that are text are censored as
//! the text that they are, and written back.

mod letters;
mod recoder;

use std::ops::Range;

use super::emit::Emit;
use super::source::pull;
use crate::body::kinds::{is_floats, is_medium, is_nearly_text, is_text};
use crate::body::text::Whole;
use crate::body::{Embedded, Job};
use crate::censor::TextStream;
use crate::reason::{Reason, Refusal};

use letters::{decode, follow, is_letter, run};
use recoder::Recoder;

/// Fewer letters than this by themselves may be anything.
const LEAST: usize = 32;
/// Lines of letters are no shorter than this.
const LEAST_IN_LINE: usize = 16;
/// So many are looked at to find out what they are.
const WINDOW: usize = 4096;
/// So many are needed to tell a vector of floats.
const FLOATS: usize = 512;
/// The longest head of a `data:` URL.
const HEAD: usize = 256;

/// Members that hold media, whatever their first bytes say.
const MEDIA: &[&str] = &["b64_json", "partial_image_b64", "image_b64", "audio_b64"];

/// How a text begins, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// It is still to be seen.
    Unknown,
    /// As a `data:` URL.
    Url,
    /// With letters of base64 only.
    Letters,
    Other,
}

/// How a text begins. `complete`: it has no more.
#[inline]
pub(super) fn beginning(text: &[u8], complete: bool) -> Beginning {
    const SCHEME: &[u8] = b"data:";
    let head = text.get(..text.len().min(SCHEME.len())).unwrap_or_default();
    if text.get(SCHEME.len() - 1) == Some(&b':') && head.eq_ignore_ascii_case(SCHEME) {
        return Beginning::Url;
    }
    let letters = text.iter().take(LEAST).take_while(|byte| is_letter(**byte)).count();
    let letters = if letters < LEAST_IN_LINE {
        letters
    } else {
        follow(text.get(..LEAST.min(text.len())).unwrap_or_default(), &mut false)
    };
    if letters == LEAST {
        Beginning::Letters
    } else if letters < text.len() || complete {
        Beginning::Other
    } else {
        Beginning::Unknown
    }
}

/// Whether letters by themselves could be more than letters: what their first stand for says so, or there are many.
#[inline]
pub(super) fn may_matter(letters: &[u8]) -> bool {
    let mut bytes = Vec::with_capacity(LEAST);
    decode(letters.get(..LEAST).unwrap_or(letters), &mut bytes);
    letters.len() >= FLOATS || is_medium(&bytes) || is_text(&bytes) || is_nearly_text(&bytes)
}

/// A text that begins like this.
pub(super) struct Encoded {
    state: State,
    field: Option<Box<str>>,
    depth: usize,
}

enum State {
    /// In the head of a `data:` URL.
    Head(Vec<u8>),
    /// What the letters are is still to be seen.
    Letters { held: Vec<u8>, declared: bool },
    /// Not text.
    Binary { ended: bool },
    /// Text.
    Text(Box<Recoder>),
    /// No base64, or no more.
    Plain(Box<TextStream>),
}

impl Encoded {
    pub(super) fn new(beginning: Beginning, field: Option<Box<str>>, depth: usize) -> Self {
        let state = match beginning {
            Beginning::Url => State::Head(Vec::new()),
            _ => State::Letters { held: Vec::new(), declared: false },
        };
        Self { state, field, depth }
    }

    pub(super) fn held(&self) -> usize {
        match &self.state {
            State::Head(held) | State::Letters { held, .. } => held.len(),
            State::Binary { .. } => 0,
            State::Text(recoder) => recoder.held(),
            State::Plain(plain) => plain.held(),
        }
    }

    pub(super) fn push(&mut self, job: &Job, text: &[u8], out: &mut dyn Emit) -> Result<(), Refusal> {
        match &mut self.state {
            State::Head(held) => {
                held.extend_from_slice(text);
                self.head(job, false, out)
            }
            State::Letters { held, declared } => {
                let (good, declared) = (held.len() + run(text), *declared);
                held.extend_from_slice(text);
                self.letters(job, good, declared, out)
            }
            State::Binary { ended } => {
                let good = follow(text, ended);
                out.keep(good);
                self.other(job, text.get(good..).unwrap_or_default(), out)
            }
            State::Text(recoder) => {
                let good = recoder.push(job, text, out)?;
                if good < text.len() {
                    recoder.finish(job, out)?;
                }
                self.other(job, text.get(good..).unwrap_or_default(), out)
            }
            State::Plain(plain) => {
                plain.push(text);
                pull(plain, job, out)
            }
        }
    }

    pub(super) fn finish(&mut self, job: &Job, out: &mut dyn Emit) -> Result<(), Refusal> {
        match &mut self.state {
            State::Head(_) => self.head(job, true, out)?,
            State::Letters { held, declared } => {
                let (held, declared) = (std::mem::take(held), *declared);
                self.decide(job, &held, declared, true, out)?;
            }
            _ => {}
        }
        match &mut self.state {
            State::Text(recoder) => recoder.finish(job, out),
            State::Plain(plain) => {
                plain.finish();
                pull(plain, job, out)
            }
            _ => Ok(()),
        }
    }

    /// Looks for the end of a URL's head.
    fn head(&mut self, job: &Job, complete: bool, out: &mut dyn Emit) -> Result<(), Refusal> {
        let State::Head(held) = &mut self.state else { return Ok(()) };
        let window = held.get(..HEAD.min(held.len())).unwrap_or_default();
        let comma = memchr::memchr(b',', window);
        let held = match comma {
            None if !complete && held.len() < HEAD => return Ok(()),
            _ => std::mem::take(held),
        };
        let (head, rest) = held.split_at(comma.map_or(0, |at| at + 1));
        let coded = head.len() > 8
            && head
                .get(head.len() - 8..head.len() - 1)
                .is_some_and(|end| end.eq_ignore_ascii_case(b";base64"));
        if !coded {
            return self.other(job, &held, out);
        }
        // What it says of itself is text, of which readers pass over most.
        if !self.as_written(job, head, out)? {
            out.keep(head.len());
        }
        self.state = State::Letters { held: Vec::new(), declared: true };
        self.push(job, rest, out)
    }

    /// Letters were added, of which those before `good` are some.
    fn letters(&mut self, job: &Job, good: usize, declared: bool, out: &mut dyn Emit) -> Result<(), Refusal> {
        let State::Letters { held, .. } = &mut self.state else { return Ok(()) };
        if good == held.len() && held.len() < WINDOW {
            return Ok(());
        }
        let held = std::mem::take(held);
        if good >= WINDOW {
            let (window, rest) = held.split_at(WINDOW);
            self.decide(job, window, declared, false, out)?;
            return self.push(job, rest, out);
        }
        let (letters, rest) = held.split_at(good);
        if !declared {
            return self.other(job, &held, out);
        }
        self.decide(job, letters, declared, true, out)?;
        if let State::Text(recoder) = &mut self.state {
            recoder.finish(job, out)?;
        }
        match &mut self.state {
            State::Plain(_) => self.push(job, rest, out),
            _ => self.other(job, rest, out),
        }
    }

    /// What the letters are. `complete`: these are all.
    fn decide(
        &mut self,
        job: &Job,
        letters: &[u8],
        declared: bool,
        complete: bool,
        out: &mut dyn Emit,
    ) -> Result<(), Refusal> {
        if !declared && (letters.len() < LEAST || !may_matter(letters)) {
            return self.other(job, letters, out);
        }
        let mut bytes = Vec::new();
        let whole = decode(letters, &mut bytes);
        // A few bytes that are none make no medium of a text, and neither does a word that media begin with.
        let text = (is_text(&bytes) || is_nearly_text(&bytes)) && !bytes.is_empty();
        let medium = is_medium(&bytes) && (!text || bytes.starts_with(b"%PDF-"));
        let named = self.field.as_deref().is_some_and(|field| MEDIA.contains(&field));
        let floats = letters.len() >= FLOATS && is_floats(&bytes);
        if whole && (medium || !text && (declared || named || floats)) {
            return self.binary(job, letters, out);
        }
        if !whole || !text {
            return self.other(job, letters, out);
        }
        if complete && !declared && self.as_written(job, letters, out)? {
            self.state = State::Binary { ended: true };
            return Ok(());
        }
        let mut recoder = Box::new(Recoder::new(job, self.field.as_deref(), self.depth));
        recoder.push(job, letters, out)?;
        self.state = State::Text(recoder);
        Ok(())
    }

    fn binary(&mut self, job: &Job, letters: &[u8], out: &mut dyn Emit) -> Result<(), Refusal> {
        if job.embedded == Embedded::Block {
            return Err(job
                .refuse(Reason::ContentUninspectable)
                .detail("bytes that are no text, inside a text"));
        }
        let mut ended = false;
        follow(letters, &mut ended);
        out.keep(letters.len());
        self.state = State::Binary { ended };
        Ok(())
    }

    /// Letters as they are written: a key may be base64 of a text, and be known by them. Tells if anything was found.
    fn as_written(&self, job: &Job, letters: &[u8], out: &mut dyn Emit) -> Result<bool, Refusal> {
        let mut whole = Whole::default();
        if !whole.plain(job, letters, self.field.as_deref())? {
            return Ok(false);
        }
        let mut at = 0;
        for (change, with) in whole.changes() {
            let Range { start, end } = change.start..change.end;
            if start > at {
                out.keep(start - at);
            }
            out.replace(end - start, with);
            at = end;
        }
        if letters.len() > at {
            out.keep(letters.len() - at);
        }
        Ok(true)
    }

    /// Text as it is written, from here on.
    fn other(&mut self, job: &Job, text: &[u8], out: &mut dyn Emit) -> Result<(), Refusal> {
        if text.is_empty() && !matches!(self.state, State::Head(_) | State::Letters { .. }) {
            return Ok(());
        }
        let field = self.field.as_deref();
        let mut plain = TextStream::new(job.engine.clone(), job.exchange.clone(), field, job.side);
        plain.push(text);
        let result = pull(&mut plain, job, out);
        self.state = State::Plain(Box::new(plain));
        result
    }
}
