//! Multipart bodies other than forms (RFC 2046, 5.1): several files in one field, an upload of a mail. Each part is
//! censored as the file that it is, and may be such a body again.

use std::ops::Range;
use std::sync::Arc;

use super::boundary::boundary_of;
use super::header::{self, Of};
use super::split::{self, Kind, Splitter};
use crate::body::charset::OtherCharsets;
use crate::body::container::Containers;
use crate::body::file::{FileHint, FilePlans, FileTransform};
use crate::body::json::JsonPlan;
use crate::body::text::{TextTransform, Whole};
use crate::body::{Job, Transform};
use crate::reason::{Reason, Refusal};

/// Bodies inside each other.
const DEPTH: usize = 4;

/// Censors a multipart body.
pub struct MixedTransform {
    job: Job,
    splitter: Splitter,
    /// Input that has not been cut yet.
    input: Vec<u8>,
    parts: usize,
    depth: usize,
    allow_uninspectable: bool,
    /// How archives and tables among the parts are read. None: they can't be inspected.
    containers: Option<Containers>,
    /// The part, or the text around the parts, that is at hand.
    inner: Option<Box<dyn Transform>>,
    /// It has more to give before more is cut.
    flowing: bool,
    /// It was ended, and this comes behind it.
    behind: Option<Vec<u8>>,
    ended: bool,
    whole: Whole,
}

impl MixedTransform {
    /// A body of this content type, so deep in others.
    ///
    /// # Errors
    /// If the type names no boundary that can be used, or the body is too deep.
    pub fn new(job: Job, content_type: &str, depth: usize) -> Result<Self, Refusal> {
        if depth > DEPTH {
            return Err(job.refuse(Reason::ContentTooDeep).detail("multipart bodies in each other"));
        }
        let malformed = || job.refuse(Reason::ContentMalformed).detail("the boundary of a multipart body");
        let boundary = boundary_of(content_type).ok_or_else(malformed)?;
        let splitter = Splitter::new(&boundary, job.limits.part_header);
        let whole = Whole::default();
        Ok(Self {
            job,
            splitter,
            input: Vec::new(),
            parts: 0,
            depth,
            allow_uninspectable: false,
            containers: None,
            inner: None,
            flowing: false,
            behind: None,
            ended: false,
            whole,
        })
    }

    /// Its parts are files of which those that can't be inspected may pass, and archives and tables are read so.
    #[must_use]
    pub fn of_files(mut self, allow_uninspectable: bool, containers: Option<Containers>) -> Self {
        self.allow_uninspectable = allow_uninspectable;
        self.containers = containers;
        self
    }

    /// Cuts what has arrived, until it is used up or something has to go out first.
    fn advance(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let input = std::mem::take(&mut self.input);
        let mut at = 0;
        while !self.flowing {
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
                let job = &self.job;
                self.inner.get_or_insert_with(|| Box::new(TextTransform::new(job.clone(), None)));
                self.through(bytes, out)
            }
            Kind::Delimiter | Kind::Close => self.end_inner(bytes, out),
            Kind::Header => self.header(bytes, out),
            Kind::Data => self.through(bytes, out),
        }
    }

    fn header(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.parts += 1;
        if self.parts > self.job.limits.parts {
            return Err(self.job.refuse(Reason::RecordTooLarge).detail("the form has too many parts"));
        }
        let section = header::read(bytes, Of::Mixed).map_err(|fault| header::refusal(&self.job, fault))?;
        let transcoded = self.job.other_charsets == OtherCharsets::Transcode;
        let censored = section.censored(bytes, &self.job, &mut self.whole, transcoded)?;
        out.extend_from_slice(&censored);
        let plan = Arc::new(JsonPlan::empty());
        let plans = FilePlans::new(plan, self.allow_uninspectable, self.containers.clone());
        let header = section.header;
        let hint = FileHint { expected: None, name: header.filename, content_type: header.content_type };
        self.inner = Some(Box::new(FileTransform::new(self.job.clone(), hint, plans).nested(self.depth)));
        Ok(())
    }

    fn through(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        if let Some(inner) = &mut self.inner {
            inner.push(bytes, out)?;
            self.flowing = inner.drain(out)?;
        }
        Ok(())
    }

    /// Ends what is at hand; this comes behind all of it.
    fn end_inner(&mut self, behind: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        if let Some(mut inner) = self.inner.take() {
            inner.finish(out)?;
            if inner.drain(out)? {
                self.flowing = true;
                self.inner = Some(inner);
                self.behind = Some(behind.to_vec());
                return Ok(());
            }
        }
        out.extend_from_slice(behind);
        Ok(())
    }

    /// All has arrived, and nothing has to go out before the end.
    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if !self.splitter.is_closed() {
            return Err(split::refusal(&self.job, split::Fault::Truncated));
        }
        self.end_inner(&[], out)
    }
}

impl Transform for MixedTransform {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.input.extend_from_slice(input);
        self.advance(out)
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.ended = true;
        self.advance(out)?;
        if self.flowing { Ok(()) } else { self.end(out) }
    }

    fn drain(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        let Some(inner) = self.inner.as_mut().filter(|_| self.flowing) else { return Ok(false) };
        self.flowing = inner.drain(out)?;
        if self.flowing {
            return Ok(true);
        }
        if let Some(behind) = self.behind.take() {
            self.inner = None;
            out.extend_from_slice(&behind);
        }
        self.advance(out)?;
        if self.ended && !self.flowing {
            self.end(out)?;
        }
        Ok(self.flowing)
    }

    fn held(&self) -> usize {
        self.input.len() + self.inner.as_ref().map_or(0, |inner| inner.held())
    }
}

#[cfg(test)]
mod tests;
