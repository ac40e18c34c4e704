//! `application/x-www-form-urlencoded` (WHATWG URL, section 5) as a stream: names and values are censored as they read,
//! not as they are written; what doesn't change leaves byte for byte.
//!
//! Readers of such forms differ: some take `;` for `&`, some fold names. A field that decides has one reading, or the
//! form is refused.

use std::sync::Arc;

use memchr::{memchr, memchr2};

use crate::body::fields::field_named;
use crate::body::mapped::{Decoded, Mapped, Spelling, Style, Units};
use crate::body::text::Whole;
use crate::body::{FactValue, Facts, Job, Transform};
use crate::catalog::{Edit, EditAction, FieldContent, FormField};
use crate::pointer::Step;
use crate::reason::{ConfiguredName, Reason, Refusal, SafeText};

/// Censors a form.
pub struct UrlencodedTransform {
    job: Job,
    fields: Arc<[FormField]>,
    salted: Vec<Box<str>>,
    /// Fields whose values the gateway itself looks up.
    ids: Vec<usize>,
    seen: Vec<bool>,
    facts: Facts,
    /// Names so far.
    count: usize,
    part: Part,
    /// The beginning of a `%40` in a value that goes on in the next input.
    cut: Vec<u8>,
    /// What stands behind a `;` in a value, as far as it could be a field's name.
    behind: Option<Vec<u8>>,
    whole: Whole,
}

enum Part {
    /// A name as far as it has come, as it is written.
    Name(Vec<u8>),
    /// A value that decides.
    Deciding {
        field: usize,
        raw: Vec<u8>,
    },
    /// A hash takes its place.
    Salted(Vec<u8>),
    Text(Box<Mapped>),
}

/// Percent-encoding as forms have it.
struct Percent;

impl Spelling for Percent {
    fn keep(&mut self, _style: Style, raw: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(raw);
    }

    fn replace(&mut self, _style: Style, text: &[u8], out: &mut Vec<u8>) {
        for byte in text {
            match byte {
                b' ' => out.push(b'+'),
                b'*' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => out.push(*byte),
                byte => out.extend_from_slice(percent_encoding::percent_encode_byte(*byte).as_bytes()),
            }
        }
    }

    fn between(&mut self, raw: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(raw);
    }
}

/// What stands at a `%`.
enum Octet {
    Is(u8),
    Cut,
    /// It stands for itself.
    No,
}

fn octet(text: &[u8]) -> Octet {
    let digit = |at: usize| text.get(at).map(|byte| char::from(*byte).to_digit(16));
    match (digit(1), digit(2)) {
        (Some(Some(high)), Some(Some(low))) => u8::try_from(high * 16 + low).map_or(Octet::No, Octet::Is),
        (None, _) | (Some(Some(_)), None) => Octet::Cut,
        _ => Octet::No,
    }
}

/// Reads a value into a text; how many bytes were read. What is cut at the end is left unless nothing more comes.
fn read(raw: &[u8], complete: bool, into: &mut impl Decoded) -> usize {
    let mut at = 0;
    while let Some(found) = memchr2(b'%', b'+', raw.get(at..).unwrap_or_default()) {
        into.plain(raw.get(at..at + found).unwrap_or_default(), 0);
        at += found;
        let rest = raw.get(at..).unwrap_or_default();
        let taken = match octet(rest) {
            _ if rest.first() == Some(&b'+') => {
                into.escape(b"+", b" ", 0);
                1
            }
            Octet::Is(byte) => {
                into.escape(rest.get(..3).unwrap_or_default(), &[byte], 0);
                3
            }
            Octet::Cut if !complete => return at,
            Octet::Cut | Octet::No => {
                into.plain(b"%", 0);
                1
            }
        };
        at += taken;
    }
    into.plain(raw.get(at..).unwrap_or_default(), 0);
    raw.len()
}

/// A name or a value that decides, as all readers read it. None: they would not agree.
fn decoded(raw: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(byte) = raw.get(at) {
        match byte {
            b'+' => text.push(b' '),
            b'%' => {
                let Octet::Is(byte) = octet(raw.get(at..).unwrap_or_default()) else { return None };
                text.push(byte);
                at += 2;
            }
            byte => text.push(*byte),
        }
        at += 1;
    }
    Some(text)
}

impl UrlencodedTransform {
    /// A form with these fields. Fields that are not among them are censored as text.
    #[must_use]
    pub fn new(job: Job, fields: Arc<[FormField]>) -> Self {
        let seen = vec![false; fields.len()];
        Self {
            job,
            fields,
            salted: Vec::new(),
            ids: Vec::new(),
            seen,
            facts: Facts::default(),
            count: 0,
            part: Part::Name(Vec::new()),
            cut: Vec::new(),
            behind: None,
            whole: Whole::default(),
        }
    }

    /// Carries out what the profile rewrites: a keyed hash takes the place of the fields that it names.
    #[must_use]
    pub fn with_edits(mut self, edits: &[Edit]) -> Self {
        self.salted = edits
            .iter()
            .filter_map(|edit| match (edit.at.steps(), &edit.action) {
                ([Step::Key(name)], EditAction::Salt) => Some(name.clone()),
                _ => None,
            })
            .collect();
        self
    }

    /// Leaves the values of these fields as they are: ids and names that the gateway itself checks.
    #[must_use]
    pub fn with_ids(mut self, fields: Vec<usize>) -> Self {
        self.ids = fields;
        self
    }

    /// What the deciding fields said.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    fn about_field(&self, reason: Reason, field: usize) -> Refusal {
        let name = self.fields.get(field).map_or("", |field| &*field.name);
        self.job.refuse(reason).detail(SafeText::named("field", &ConfiguredName::assertion(name)))
    }

    fn ambiguous(&self) -> Refusal {
        self.job.refuse(Reason::FieldAmbiguous).detail("a field's name can be read in two ways")
    }

    fn run(&mut self, mut rest: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        loop {
            let end = match self.part {
                Part::Name(_) => memchr2(b'&', b'=', rest),
                _ => memchr(b'&', rest),
            };
            let (here, after) = rest.split_at(end.unwrap_or(rest.len()));
            self.more(here, out)?;
            let Some((separator, after)) = after.split_first() else { return Ok(()) };
            self.end(*separator, out)?;
            out.push(*separator);
            rest = after;
        }
    }

    /// More of a name or a value.
    fn more(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        let limits = Arc::clone(&self.job.limits);
        let too_long = match &mut self.part {
            Part::Name(name) => {
                name.extend_from_slice(raw);
                (name.len() > limits.key).then(|| self.job.refuse(Reason::RecordTooLarge))
            }
            Part::Deciding { field, raw: value } => {
                value.extend_from_slice(raw);
                let (field, long) = (*field, value.len() > limits.fact);
                long.then(|| self.about_field(Reason::RecordTooLarge, field))
            }
            Part::Salted(value) => {
                value.extend_from_slice(raw);
                let detail = "a value to be hashed is longer than the limit";
                (value.len() > limits.fact).then(|| self.job.refuse(Reason::RecordTooLarge).detail(detail))
            }
            Part::Text(text) => {
                let joined = [&*self.cut, raw].concat();
                let read = read(&joined, false, &mut **text);
                self.cut = joined.get(read..).unwrap_or_default().to_vec();
                text.flow(&self.job, &mut Percent, out)?;
                None
            }
        };
        match too_long {
            Some(refusal) => Err(refusal),
            None if matches!(self.part, Part::Name(_)) => Ok(()),
            None => self.semicolons(raw),
        }
    }

    /// Some readers begin a field behind a `;`. That must not be one that decides.
    fn semicolons(&mut self, raw: &[u8]) -> Result<(), Refusal> {
        const LONGEST: usize = 1024;
        let mut parts = raw.split(|byte| *byte == b';');
        let mut part = parts.next().unwrap_or_default();
        loop {
            if let Some(behind) = &mut self.behind {
                let room = LONGEST.saturating_sub(behind.len());
                behind.extend_from_slice(part.get(..room.min(part.len())).unwrap_or_default());
            }
            let Some(next) = parts.next() else { return Ok(()) };
            self.end_semicolons()?;
            self.behind = Some(Vec::new());
            part = next;
        }
    }

    fn end_semicolons(&mut self) -> Result<(), Refusal> {
        let Some(behind) = self.behind.take() else { return Ok(()) };
        let name = behind.split(|byte| *byte == b'=').next().unwrap_or_default();
        let name = decoded(name).and_then(|name| String::from_utf8(name).ok());
        let decides = |field: &FormField| field.content == FieldContent::Deciding;
        match name.map(|name| field_named(&self.fields, &name)) {
            // What can't be read is nobody's name.
            None | Some(Some(None)) => Ok(()),
            Some(Some(Some(field))) if !self.fields.get(field).is_some_and(decides) => Ok(()),
            Some(None | Some(Some(_))) => Err(self.ambiguous()),
        }
    }

    /// A name or a value is complete.
    fn end(&mut self, separator: u8, out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.end_semicolons()?;
        match std::mem::replace(&mut self.part, Part::Name(Vec::new())) {
            Part::Name(raw) => self.end_name(&raw, separator == b'=', out),
            Part::Deciding { field, raw } => {
                let text = decoded(&raw).ok_or_else(|| self.about_field(Reason::ContentMalformed, field))?;
                let text = String::from_utf8(text);
                let text = text.map_err(|_not| self.about_field(Reason::ContentNotUtf8, field))?;
                let name = self.fields.get(field).map(|field| &*field.name);
                if self.ids.contains(&field) || !self.whole.run(&self.job, text.as_bytes(), name)? {
                    out.extend_from_slice(&raw);
                } else {
                    let mut units = Units::default();
                    read(&raw, true, &mut units);
                    units.write(&self.whole, text.len(), &mut Percent, out);
                }
                self.facts.add(field, FactValue::Text(text.into()));
                Ok(())
            }
            Part::Salted(raw) => {
                let text = decoded(&raw).ok_or_else(|| self.job.refuse(Reason::ContentMalformed))?;
                out.extend_from_slice(&self.job.salted(&text)?);
                Ok(())
            }
            Part::Text(mut text) => {
                read(&std::mem::take(&mut self.cut), true, &mut *text);
                text.finish(&self.job, &mut Percent, out)
            }
        }
    }

    fn end_name(&mut self, raw: &[u8], valued: bool, out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.count += 1;
        if self.count > self.job.limits.facts {
            return Err(self.job.refuse(Reason::RecordTooLarge).detail("the form has too many fields"));
        }
        let text = decoded(raw).ok_or_else(|| {
            self.job.refuse(Reason::ContentMalformed).detail("a field's name does not decode")
        })?;
        let Ok(name) = String::from_utf8(text) else {
            return Err(self.job.refuse(Reason::ContentNotUtf8).detail("a field's name"));
        };
        let field = field_named(&self.fields, &name).ok_or_else(|| self.ambiguous())?;
        if raw.contains(&b';') {
            for part in raw.split(|byte| *byte == b';') {
                self.behind = Some(part.to_vec());
                self.end_semicolons()?;
            }
        }
        if self.whole.run(&self.job, name.as_bytes(), None)? {
            let mut units = Units::default();
            read(raw, true, &mut units);
            units.write(&self.whole, name.len(), &mut Percent, out);
        } else if name.contains('\0') {
            return Err(self.job.refuse(Reason::ContentUninspectable).detail("a NUL byte in a text"));
        } else {
            out.extend_from_slice(raw);
        }
        let content = field.and_then(|field| self.fields.get(field)).map(|field| field.content.clone());
        if let Some(field) = field {
            let again = std::mem::replace(self.seen.get_mut(field).unwrap_or(&mut false), true);
            if again && content == Some(FieldContent::Deciding) {
                return Err(self.about_field(Reason::FieldAmbiguous, field));
            }
        }
        let base = name.split('[').next().unwrap_or(&name).trim();
        self.part = match (content, field) {
            (Some(FieldContent::Deciding), Some(field)) => Part::Deciding { field, raw: Vec::new() },
            _ if self.salted.iter().any(|salted| salted.eq_ignore_ascii_case(base)) => {
                Part::Salted(Vec::new())
            }
            _ => Part::Text(Box::new(Mapped::new(&self.job, Some(&name)))),
        };
        if valued { Ok(()) } else { self.end(b'&', out) }
    }
}

impl Transform for UrlencodedTransform {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.run(input, out)
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let nothing = matches!(&self.part, Part::Name(name) if name.is_empty());
        if !nothing {
            self.end(b'&', out)?;
        }
        let missing = self.fields.iter().zip(&self.seen).position(|(field, seen)| field.required && !seen);
        match missing {
            Some(field) => Err(self.about_field(Reason::FieldMissing, field)),
            None => Ok(()),
        }
    }

    fn held(&self) -> usize {
        let part = match &self.part {
            Part::Name(raw) | Part::Deciding { raw, .. } | Part::Salted(raw) => raw.len(),
            Part::Text(text) => text.held(),
        };
        part + self.cut.len()
    }
}

#[cfg(test)]
mod tests;
