//! A file: what it is made of is found out from what the caller says of it and from its first bytes.

mod kind;

use std::fs::File;
use std::sync::Arc;

use crate::body::archive::gzip::GzipTransform;
use crate::body::archive::tar::TarTransform;
use crate::body::archive::zip::ZipWalk;
use crate::body::columnar::arrow::ArrowWalk;
use crate::body::columnar::parquet::ParquetWalk;
use crate::body::container::{Censoring, Containers, Contents, Seekable, Waiting, Walk};
use crate::body::csv::CsvTransform;
use crate::body::json::{JsonPlan, JsonTransform};
use crate::body::jsonl::{JsonlTransform, RecordJudge};
use crate::body::text::{TextTransform, Whole};
use crate::body::{Job, Pass, Transform};
use crate::reason::{Reason, Refusal};

pub use kind::{Container, FileHint, FileKind};
use kind::{Sniffed, sniff};

/// So many bytes are looked at, at most, to find out what a file is.
pub(crate) const WINDOW: usize = 4096;

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
    /// How archives and tables in binary formats are read. None: they can't be inspected.
    pub containers: Option<Containers>,
}

impl FilePlans {
    /// Who censors what a container holds; none if there may be no container here.
    fn contents(&self, job: &Job) -> Option<(Censoring, Containers)> {
        let containers = self.containers.clone().filter(Containers::may_open)?;
        let contents = Censoring {
            job: job.clone(),
            document: Arc::clone(&self.document),
            lines: Arc::clone(&self.lines),
            allow_uninspectable: self.allow_uninspectable,
            containers: containers.deeper(),
            whole: Whole::default(),
        };
        Some((contents, containers))
    }
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
        let opened = plans.contents(&self.job);
        let kind = match sniff(&self.first, complete, &self.hint) {
            Sniffed::Kind(FileKind::Container(_)) if plans.containers.is_some() && opened.is_none() => {
                return Err(self.job.refuse(Reason::ContentTooDeep).detail("archives in archives"));
            }
            Sniffed::Kind(FileKind::Container(_)) if opened.is_none() && plans.allow_uninspectable => {
                FileKind::Opaque
            }
            Sniffed::Kind(FileKind::Container(_)) if opened.is_none() => {
                return Err(self.job.refuse(Reason::ContentUninspectable).detail("the file is not text"));
            }
            Sniffed::Kind(kind) => kind,
            Sniffed::Binary if plans.allow_uninspectable => FileKind::Opaque,
            Sniffed::Binary => {
                return Err(self.job.refuse(Reason::ContentUninspectable).detail("the file is not text"));
            }
        };
        self.kind = Some(kind);
        let job = self.job.clone();
        let mut inner: Box<dyn Transform> = match (kind, opened) {
            (FileKind::Container(kind), Some((contents, containers))) => {
                container(kind, contents, containers, self.hint.name.as_deref())?
            }
            (kind, _) => plain(kind, job, plans),
        };
        let first = std::mem::take(&mut self.first);
        inner.push(&first, out)?;
        self.inner = Some(inner);
        Ok(())
    }
}

/// What censors a file that holds nothing else.
fn plain(kind: FileKind, job: Job, plans: FilePlans) -> Box<dyn Transform> {
    match kind {
        FileKind::Jsonl => Box::new(JsonlTransform::new(job, plans.lines, plans.judge)),
        FileKind::Json => Box::new(JsonTransform::new(job, plans.document).keeping_bom()),
        FileKind::Table(separator) => Box::new(CsvTransform::new(job, separator)),
        FileKind::Text => Box::new(TextTransform::new(job, None)),
        FileKind::Opaque | FileKind::Container(_) => Box::new(Pass),
    }
}

/// What takes a container apart.
pub(crate) fn container(
    kind: Container,
    contents: impl Contents + 'static,
    containers: Containers,
    name: Option<&str>,
) -> Result<Box<dyn Transform>, Refusal> {
    let mut contents: Box<dyn Contents> = Box::new(contents);
    Ok(match kind {
        Container::Tar => Box::new(TarTransform::new(contents, containers)),
        Container::Gzip => {
            let inner = contents.member(&unpacked(name.unwrap_or_default()))?;
            Box::new(GzipTransform::new(contents, containers, inner))
        }
        Container::Zip | Container::Parquet | Container::Arrow => {
            let inside = containers.clone();
            Box::new(Waiting::new(&containers, move |file| walk(kind, file, contents, inside)))
        }
    })
}

/// The same for a file on the disk. True: nothing of it has to be pushed.
pub(crate) fn container_of_file(
    kind: Container,
    contents: impl Contents + 'static,
    containers: Containers,
    (file, length): (File, u64),
    name: &str,
) -> Result<(Box<dyn Transform>, bool), Refusal> {
    Ok(match kind {
        Container::Tar | Container::Gzip => (container(kind, contents, containers, Some(name))?, false),
        Container::Zip | Container::Parquet | Container::Arrow => {
            let file = Seekable::file(file, length);
            (Box::new(Waiting::there(walk(kind, file, Box::new(contents), containers)?)), true)
        }
    })
}

/// The way through a container that is there as a whole.
fn walk(
    kind: Container,
    file: Seekable,
    contents: Box<dyn Contents>,
    containers: Containers,
) -> Result<Box<dyn Walk>, Refusal> {
    Ok(match kind {
        Container::Parquet => Box::new(ParquetWalk::new(file, contents, containers)?),
        Container::Arrow => Box::new(ArrowWalk::new(file, contents, containers)?),
        Container::Zip | Container::Tar | Container::Gzip => {
            Box::new(ZipWalk::new(file, contents, containers)?)
        }
    })
}

/// The name of what a gzip file holds.
fn unpacked(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, ending)) if ending.eq_ignore_ascii_case("gz") => stem.to_owned(),
        Some((stem, ending)) if ending.eq_ignore_ascii_case("tgz") => format!("{stem}.tar"),
        _ => name.to_owned(),
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
