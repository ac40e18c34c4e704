//! A file: what it is made of is found out from what the caller says of it and from its first bytes.

mod kind;

use std::sync::Arc;

use crate::body::charset::{Charset, OtherCharsets, Transcoder};
use crate::body::csv::CsvTransform;
use crate::body::json::{JsonPlan, JsonTransform};
use crate::body::jsonl::{JsonlTransform, RecordJudge};
use crate::body::markup::{Dialect, MarkupTransform};
use crate::body::multipart::MixedTransform;
use crate::body::text::TextTransform;
use crate::body::urlencoded::UrlencodedTransform;
use crate::body::{Chain, Job, Pass, Transform};
use crate::reason::{Reason, Refusal};

pub use kind::{FileHint, FileKind};
use kind::{Sniffed, sniff};

/// So many bytes are looked at, at most, to find out what a file is.
const WINDOW: usize = 4096;

/// How the kinds of a file are treated.
pub struct FilePlans {
    /// For a file that is one JSON document.
    pub document: Arc<JsonPlan>,
    /// For the lines of a JSON lines file.
    pub lines: Arc<JsonPlan>,
    /// Judges the lines.
    pub judge: RecordJudge,
    /// Files that can't be inspected pass: policy names this case.
    pub allow_uninspectable: bool,
}

/// Censors a file of a kind that has to be found out.
pub struct FileTransform {
    job: Job,
    hint: FileHint,
    /// The plans, until they are used.
    plans: Option<FilePlans>,
    first: Vec<u8>,
    inner: Option<Box<dyn Transform>>,
    kind: Option<FileKind>,
    /// So deep in multipart bodies.
    depth: usize,
}

impl FileTransform {
    /// A file, with what is said of it.
    #[must_use]
    pub const fn new(job: Job, hint: FileHint, plans: FilePlans) -> Self {
        Self { job, hint, plans: Some(plans), first: Vec::new(), inner: None, kind: None, depth: 0 }
    }

    /// It is a part of a multipart body that is so deep in others.
    #[must_use]
    pub const fn nested(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    /// What the file turned out to be, once that is known.
    #[must_use]
    pub const fn kind(&self) -> Option<FileKind> {
        self.kind
    }

    /// Decides by the first bytes, and passes them on.
    fn begin(&mut self, complete: bool, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let Some(plans) = self.plans.take() else { return Ok(()) };
        let other = self.hint.charset(&self.first).filter(|charset| *charset != Charset::Utf8);
        let transcodes = self.job.other_charsets == OtherCharsets::Transcode;
        let read = other.filter(|_| transcodes).and_then(|charset| self.transcoded(charset));
        let sniffed = sniff(read.as_deref().unwrap_or(&self.first), complete && read.is_none(), &self.hint);
        let kind = match sniffed {
            Sniffed::Kind(kind) => kind,
            Sniffed::Binary if plans.allow_uninspectable => FileKind::Opaque,
            Sniffed::Binary => return Err(self.not_text(other)),
        };
        self.kind = Some(kind);
        let inner = self.inner(kind, plans, read.is_some())?;
        let opaque = matches!(kind, FileKind::Opaque | FileKind::Multipart);
        let mut inner = match other.filter(|_| !opaque) {
            None => inner,
            Some(_) => Box::new(Chain::new(Transcoder::new(self.job.clone(), other), inner)),
        };
        let first = std::mem::take(&mut self.first);
        out.reserve(first.len());
        inner.push(&first, out)?;
        self.inner = Some(inner);
        Ok(())
    }

    /// The first bytes in UTF-8, as far as they are what they are declared to be.
    fn transcoded(&self, charset: Charset) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        let read = Transcoder::new(self.job.clone(), Some(charset)).push(&self.first, &mut text);
        read.is_ok().then_some(text)
    }

    fn not_text(&self, other: Option<Charset>) -> Refusal {
        match other {
            Some(charset) => charset.refusal(&self.job),
            None => self.job.refuse(Reason::ContentUninspectable).detail("the file is not text"),
        }
    }

    fn inner(
        &self,
        kind: FileKind,
        plans: FilePlans,
        transcoded: bool,
    ) -> Result<Box<dyn Transform>, Refusal> {
        let job = self.job.clone();
        Ok(match kind {
            FileKind::Jsonl => Box::new(JsonlTransform::new(job, plans.lines, plans.judge)),
            FileKind::Json => Box::new(JsonTransform::new(job, plans.document).keeping_bom()),
            FileKind::Table(separator) => Box::new(CsvTransform::new(job, separator)),
            FileKind::Xml => Box::new(MarkupTransform::new(job, Dialect::Xml).transcoded(transcoded)),
            FileKind::Html => Box::new(MarkupTransform::new(job, Dialect::Html)),
            FileKind::Urlencoded => Box::new(UrlencodedTransform::new(job, Arc::new([]))),
            FileKind::Multipart => {
                let content_type = self.hint.content_type.as_deref().unwrap_or_default();
                let allowed = plans.allow_uninspectable;
                Box::new(MixedTransform::new(job, content_type, self.depth + 1, allowed)?)
            }
            FileKind::Text => Box::new(TextTransform::new(job, None)),
            FileKind::Opaque => Box::new(Pass),
        })
    }
}

/// An answer or a request that is a text of whatever type: markup is read as such.
#[must_use]
pub fn text(job: Job, content_type: Option<&str>) -> Box<dyn Transform> {
    let charset = content_type.and_then(Charset::of);
    let transcoded = charset.is_some() && job.other_charsets == OtherCharsets::Transcode;
    let inner: Box<dyn Transform> = match content_type.and_then(kind::by_type) {
        Some(FileKind::Xml) => {
            Box::new(MarkupTransform::new(job.clone(), Dialect::Xml).transcoded(transcoded))
        }
        Some(FileKind::Html) => Box::new(MarkupTransform::new(job.clone(), Dialect::Html)),
        _ => Box::new(TextTransform::new(job.clone(), None)),
    };
    Box::new(Chain::new(Transcoder::new(job, charset), inner))
}

impl Transform for FileTransform {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        if let Some(inner) = &mut self.inner {
            return inner.push(input, out);
        }
        let room = WINDOW - self.first.len();
        let (here, rest) = input.split_at(room.min(input.len()));
        self.first.extend_from_slice(here);
        if self.first.len() < WINDOW {
            return Ok(());
        }
        self.begin(false, out)?;
        match &mut self.inner {
            Some(inner) if !rest.is_empty() => inner.push(rest, out),
            _ => Ok(()),
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if self.inner.is_none() {
            self.begin(true, out)?;
        }
        self.inner.as_mut().map_or(Ok(()), |inner| inner.finish(out))
    }

    fn drain(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        self.inner.as_mut().map_or(Ok(false), |inner| inner.drain(out))
    }

    fn held(&self) -> usize {
        self.first.len() + self.inner.as_ref().map_or(0, |inner| inner.held())
    }
}

#[cfg(test)]
mod tests;
