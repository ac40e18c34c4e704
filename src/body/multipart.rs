//! `multipart/form-data` (RFC 7578) as a stream, byte-exact but for what is censored.
//!
//! Some fields decide what may be done with a file, and some callers send the file first. Such a file waits in a
//! [`Spool`], sealed, until the fields that decide are there. The closing boundary goes out last of all, so a form
//! that is refused on the way never looks complete to its reader.

mod boundary;
mod header;
mod mixed;
mod queue;
mod split;
mod treatment;

use std::ops::Range;
use std::sync::Arc;

use crate::body::charset::{Charset, OtherCharsets, Transcoder};
use crate::body::fields::field_named;
use crate::body::spool::{Spool, Spools};
use crate::body::text::{TextTransform, Whole};
use crate::body::{Chain, DRAIN_STEP, FactValue, Facts, Job, Transform};
use crate::catalog::{Edit, EditAction, FieldContent, FormField};
use crate::pointer::Step;
use crate::reason::{ConfiguredName, Reason, Refusal, SafeText};

pub use boundary::{boundary, is_multipart};
use header::Of;
pub use header::PartHeader;
pub use mixed::MixedTransform;
use queue::{Item, Queue};
use split::{Kind, Splitter};
pub use treatment::FileTreatment;

/// Steps of what waits at once: others wait for the thread.
const STEPS: usize = 8;

/// Decides about a file, once all required deciding fields are known. Facts are by field of the profile.
pub type FileDecision = Box<dyn FnMut(&Facts, &PartHeader) -> Result<FileTreatment, Refusal> + Send>;

/// Decides about the form as a whole, before its closing boundary goes out.
pub type FormDecision = Box<dyn FnMut(&Facts) -> Result<(), Refusal> + Send>;

/// Censors a form.
pub struct FormTransform {
    job: Job,
    fields: Arc<[FormField]>,
    salted: Vec<Box<str>>,
    /// Fields whose values are ids, which the gateway itself checks: the censor leaves them as they are.
    ids: Vec<usize>,
    spools: Spools,
    decide: FileDecision,
    before_end: FormDecision,
    splitter: Splitter,
    /// Input that has not been cut yet.
    input: Vec<u8>,
    ended: bool,
    /// The closing boundary, when it has to wait for files.
    closing: Option<Vec<u8>>,
    part: Part,
    outside: Option<TextTransform>,
    parts: usize,
    seen: Vec<bool>,
    facts: Facts,
    queue: Queue,
    /// The file that the form is in has more to give before it takes more.
    flowing: bool,
    whole: Whole,
}

/// The part that the body is in.
enum Part {
    None,
    Deciding {
        field: usize,
        value: Vec<u8>,
    },
    /// A hash of its value takes its place.
    Salted {
        value: Vec<u8>,
    },
    Stream(Box<dyn Transform>),
    Waiting {
        header: Box<PartHeader>,
        spool: Spool,
    },
}

impl FormTransform {
    /// A form with these fields. Fields that are not among them are censored as text.
    #[must_use]
    pub fn new(
        job: Job,
        boundary: &str,
        fields: Arc<[FormField]>,
        spools: Spools,
        decide: FileDecision,
        before_end: FormDecision,
    ) -> Self {
        let splitter = Splitter::new(boundary, job.limits.part_header);
        let seen = vec![false; fields.len()];
        Self {
            job,
            fields,
            salted: Vec::new(),
            ids: Vec::new(),
            spools,
            decide,
            before_end,
            splitter,
            input: Vec::new(),
            ended: false,
            closing: None,
            part: Part::None,
            outside: None,
            parts: 0,
            seen,
            facts: Facts::default(),
            queue: Queue::default(),
            flowing: false,
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

    /// Readers that fold the case of names, or take lists, find the value under other names too.
    fn is_salted(&self, name: &str) -> bool {
        let base = name.split('[').next().unwrap_or(name).trim();
        self.salted.iter().any(|salted| salted.eq_ignore_ascii_case(base))
    }

    /// The deciding fields so far.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Whether something has to go out before more is cut.
    const fn is_busy(&self) -> bool {
        self.flowing || self.queue.is_released()
    }

    /// Cuts what has arrived, until it is used up or something has to go out first.
    fn advance(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let input = std::mem::take(&mut self.input);
        let mut at = 0;
        while !self.is_busy() {
            match self.splitter.next(&input, &mut at, self.ended) {
                Ok(Some((kind, range))) => self.piece(kind, &input, range, out)?,
                Ok(None) => break,
                Err(fault) => return Err(split::refusal(&self.job, fault)),
            }
        }
        self.input = input;
        self.input.drain(..at);
        Ok(())
    }

    fn piece(
        &mut self,
        kind: Kind,
        input: &[u8],
        range: Range<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let bytes = input.get(range).unwrap_or_default();
        match kind {
            Kind::Preamble | Kind::Epilogue => {
                let mut text = match self.outside.take() {
                    Some(text) => text,
                    None => TextTransform::new(self.job.clone(), None),
                };
                let result = self.queue.through(&mut text, bytes, out);
                self.outside = Some(text);
                result
            }
            Kind::Delimiter => {
                self.end_outside(out)?;
                self.end_part(out)?;
                self.queue.put(bytes, out)
            }
            Kind::Header => self.header(bytes, out),
            Kind::Data => self.data(bytes, out),
            Kind::Close => {
                self.end_outside(out)?;
                self.end_part(out)?;
                if self.queue.is_released() {
                    self.closing = Some(bytes.to_vec());
                    return Ok(());
                }
                self.end_form()?;
                self.queue.put(bytes, out)
            }
        }
    }

    fn end_outside(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        match self.outside.take() {
            Some(mut text) => self.queue.end(&mut text, out),
            None => Ok(()),
        }
    }

    fn header(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.parts += 1;
        if self.parts > self.job.limits.parts {
            return Err(self.job.refuse(Reason::RecordTooLarge).detail("the form has too many parts"));
        }
        let section = header::read(bytes, Of::Form).map_err(|fault| header::refusal(&self.job, fault))?;
        let mut header = section.header.clone();
        let ambiguous =
            || self.job.refuse(Reason::FieldAmbiguous).detail("a field's name can be read in two ways");
        header.field = field_named(&self.fields, &header.name).ok_or_else(ambiguous)?;
        let content =
            header.field.and_then(|field| self.fields.get(field)).map(|field| field.content.clone());
        let charset = section.charset.as_ref().map(|(_, charset)| *charset);
        let transcodes = self.job.other_charsets == OtherCharsets::Transcode;
        let transcoded = transcodes && content != Some(FieldContent::Opaque);
        let censored = section.censored(bytes, &self.job, &mut self.whole, transcoded)?;
        // What decides has one reading.
        let simple = content == Some(FieldContent::Deciding) || self.is_salted(&header.name);
        if simple && (charset.is_some() || header.content_type.as_deref().is_some_and(is_multipart)) {
            return Err(header::refusal(&self.job, header::Fault::Coded));
        }
        if let Some(field) = header.field {
            let again = std::mem::replace(self.seen.get_mut(field).unwrap_or(&mut false), true);
            if again && content == Some(FieldContent::Deciding) {
                return Err(self.about_field(Reason::FieldAmbiguous, field));
            }
        }
        self.part = match (content, header.field) {
            (Some(FieldContent::Deciding), Some(field)) => {
                self.queue.put(&censored, out)?;
                Part::Deciding { field, value: Vec::new() }
            }
            (Some(FieldContent::File | FieldContent::Opaque), _) => {
                self.queue.put(&censored, out)?;
                self.file(header)?
            }
            _ if self.is_salted(&header.name) => {
                self.queue.put(&censored, out)?;
                Part::Salted { value: Vec::new() }
            }
            _ => {
                self.queue.put(&censored, out)?;
                Part::Stream(self.text(&header, charset)?)
            }
        };
        Ok(())
    }

    fn about_field(&self, reason: Reason, field: usize) -> Refusal {
        let name = self.fields.get(field).map_or("", |field| &*field.name);
        self.job.refuse(reason).detail(SafeText::named("field", &ConfiguredName::assertion(name)))
    }

    /// A field whose text is censored: in whatever encoding it may be, or a multipart body of its own.
    fn text(&self, header: &PartHeader, charset: Option<Charset>) -> Result<Box<dyn Transform>, Refusal> {
        let job = self.job.clone();
        if let Some(nested) = header.content_type.as_deref().filter(|kind| is_multipart(kind)) {
            return Ok(Box::new(MixedTransform::new(job, nested, 1)?));
        }
        let text = TextTransform::new(job.clone(), Some(&header.name));
        Ok(match charset {
            None => Box::new(text),
            Some(charset) => Box::new(Chain::new(Transcoder::new(job, Some(charset)), text)),
        })
    }

    /// A file begins: it is decided now, or waits.
    fn file(&mut self, header: PartHeader) -> Result<Part, Refusal> {
        if self.is_decided() && self.queue.is_empty() {
            return Ok(Part::Stream((self.decide)(&self.facts, &header)?.into_transform()));
        }
        Ok(Part::Waiting { header: Box::new(header), spool: self.spools.open() })
    }

    /// Whether all fields that decide and are required are known.
    fn is_decided(&self) -> bool {
        self.fields.iter().enumerate().all(|(at, field)| {
            !field.required || field.content != FieldContent::Deciding || self.facts.first(at).is_some()
        })
    }

    fn data(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        match &mut self.part {
            Part::None => Ok(()),
            Part::Deciding { field, value } => {
                value.extend_from_slice(bytes);
                let field = *field;
                if value.len() > self.job.limits.fact {
                    return Err(self.about_field(Reason::RecordTooLarge, field));
                }
                Ok(())
            }
            Part::Salted { value } => {
                value.extend_from_slice(bytes);
                if value.len() > self.job.limits.fact {
                    let refusal = self.job.refuse(Reason::RecordTooLarge);
                    return Err(refusal.detail("a value to be hashed is longer than the limit"));
                }
                Ok(())
            }
            Part::Stream(transform) if self.queue.is_empty() => {
                transform.push(bytes, out)?;
                self.flowing = transform.drain(out)?;
                Ok(())
            }
            Part::Stream(transform) => self.queue.through(transform, bytes, out),
            Part::Waiting { spool, .. } => spool.push(bytes),
        }
    }

    fn end_part(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        match std::mem::replace(&mut self.part, Part::None) {
            Part::None => Ok(()),
            Part::Deciding { field, value } => {
                let Ok(text) = std::str::from_utf8(&value) else {
                    return Err(self.about_field(Reason::ContentNotUtf8, field));
                };
                self.facts.add(field, FactValue::Text(text.into()));
                let name = self.fields.get(field).map(|field| &*field.name);
                if self.ids.contains(&field) || !self.whole.run(&self.job, &value, name)? {
                    self.queue.put(&value, out)?;
                } else {
                    let mut censored = Vec::new();
                    self.whole.write(&value, &mut censored);
                    self.queue.put(&censored, out)?;
                }
                self.release()
            }
            Part::Salted { value } => self.queue.put(&self.job.salted(&value)?, out),
            Part::Stream(mut transform) if self.queue.is_empty() => {
                transform.finish(out)?;
                if transform.drain(out)? {
                    self.queue.push(Item::Ending(transform), &self.spools);
                    self.queue.release();
                }
                Ok(())
            }
            Part::Stream(mut transform) => self.queue.end(&mut transform, out),
            Part::Waiting { header, spool } => {
                self.queue.push(Item::File { header, content: spool.into_reader() }, &self.spools);
                self.release()
            }
        }
    }

    fn release(&mut self) -> Result<(), Refusal> {
        if self.is_decided() {
            self.queue.release();
        }
        Ok(())
    }

    /// Everything of the form is there: whether it may be complete.
    fn end_form(&mut self) -> Result<(), Refusal> {
        let missing = self.fields.iter().zip(&self.seen).position(|(field, seen)| field.required && !seen);
        if let Some(field) = missing {
            return Err(self.about_field(Reason::FieldMissing, field));
        }
        (self.before_end)(&self.facts)
    }
}

impl Transform for FormTransform {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.input.extend_from_slice(input);
        self.advance(out)
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.ended = true;
        self.advance(out)?;
        if self.is_busy() { Ok(()) } else { self.end(out) }
    }

    fn drain(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        if !self.is_busy() {
            return Ok(false);
        }
        if let (true, Part::Stream(transform)) = (self.flowing, &mut self.part) {
            self.flowing = transform.drain(out)?;
        }
        let until = out.len() + DRAIN_STEP;
        for _ in 0..STEPS {
            if self.queue.is_released() && out.len() < until {
                self.queue.step(&self.facts, &mut self.decide, out)?;
            }
        }
        if !self.is_busy() {
            if let Some(closing) = self.closing.take() {
                self.end_form()?;
                out.extend_from_slice(&closing);
            }
            self.advance(out)?;
            if self.ended && !self.is_busy() {
                self.end(out)?;
            }
        }
        Ok(true)
    }

    fn held(&self) -> usize {
        let part = match &self.part {
            Part::None => 0,
            Part::Deciding { value, .. } | Part::Salted { value } => value.len(),
            Part::Stream(transform) => transform.held(),
            Part::Waiting { spool, .. } => spool.held(),
        };
        part + self.input.len() + self.queue.held()
    }
}

impl FormTransform {
    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if !self.splitter.is_closed() {
            return Err(split::refusal(&self.job, split::Fault::Truncated));
        }
        self.end_outside(out)
    }
}

#[cfg(test)]
mod tests;
