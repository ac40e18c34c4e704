//! A file: what it is made of is found out from what the caller says of it and from its first bytes.

mod kind;

use std::sync::Arc;

use crate::body::csv::CsvTransform;
use crate::body::json::{JsonPlan, JsonTransform};
use crate::body::jsonl::{JsonlTransform, RecordJudge};
use crate::body::text::TextTransform;
use crate::body::{Job, Pass, Transform};
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
}

impl FileTransform {
    /// A file, with what is said of it.
    #[must_use]
    pub const fn new(job: Job, hint: FileHint, plans: FilePlans) -> Self {
        Self { job, hint, plans: Some(plans), first: Vec::new(), inner: None, kind: None }
    }

    /// What the file turned out to be, once that is known.
    #[must_use]
    pub const fn kind(&self) -> Option<FileKind> {
        self.kind
    }

    /// Decides by the first bytes, and passes them on.
    fn begin(&mut self, complete: bool, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let Some(plans) = self.plans.take() else { return Ok(()) };
        let kind = match sniff(&self.first, complete, &self.hint) {
            Sniffed::Kind(kind) => kind,
            Sniffed::Binary if plans.allow_uninspectable => FileKind::Opaque,
            Sniffed::Binary => {
                return Err(self.job.refuse(Reason::ContentUninspectable).detail("the file is not text"));
            }
        };
        self.kind = Some(kind);
        let job = self.job.clone();
        let mut inner: Box<dyn Transform> = match kind {
            FileKind::Jsonl => Box::new(JsonlTransform::new(job, plans.lines, plans.judge)),
            FileKind::Json => Box::new(JsonTransform::new(job, plans.document).keeping_bom()),
            FileKind::Table(separator) => Box::new(CsvTransform::new(job, separator)),
            FileKind::Text => Box::new(TextTransform::new(job, None)),
            FileKind::Opaque => Box::new(Pass),
        };
        let first = std::mem::take(&mut self.first);
        out.reserve(first.len());
        inner.push(&first, out)?;
        self.inner = Some(inner);
        Ok(())
    }
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
