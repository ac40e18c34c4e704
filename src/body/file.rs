//! A file: what it is made of is found out from what the caller says of it and from its first bytes.

mod kind;

use std::fs::File;
use std::sync::Arc;

use crate::body::archive::gzip::GzipTransform;
use crate::body::archive::tar::TarTransform;
use crate::body::archive::zip::ZipWalk;
use crate::body::charset::{Charset, OtherCharsets, Transcoder};
use crate::body::columnar::arrow::ArrowWalk;
use crate::body::columnar::parquet::ParquetWalk;
use crate::body::container::{Censoring, Containers, Contents, Seekable, Waiting, Walk};
use crate::body::csv::CsvTransform;
use crate::body::json::{JsonPlan, JsonTransform};
use crate::body::jsonl::JsonlTransform;
use crate::body::markup::{Dialect, MarkupTransform};
use crate::body::multipart::MixedTransform;
use crate::body::records::Records;
use crate::body::text::{TextTransform, Whole};
use crate::body::urlencoded::UrlencodedTransform;
use crate::body::{Chain, Job, LinesOfRecords, Pass, Transform};
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
    /// The file is a data set whose records are judged.
    pub records: Option<Records>,
    /// Files that can't be inspected pass: policy names this case.
    pub allow_uninspectable: bool,
    /// How archives and tables in binary formats are read. None: they can't be inspected.
    pub containers: Option<Containers>,
}

impl FilePlans {
    /// A file each of whose records passes, if what is in it does. Its JSON is treated by one plan, as a document or line by
    /// line.
    #[must_use]
    pub fn new(plan: Arc<JsonPlan>, allow_uninspectable: bool, containers: Option<Containers>) -> Self {
        Self { document: Arc::clone(&plan), lines: plan, records: None, allow_uninspectable, containers }
    }

    /// Each record of it is judged, in whatever format it is.
    #[must_use]
    pub fn judged(mut self, records: Option<Records>) -> Self {
        self.records = records;
        self
    }

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

/// What a file turned out to be, and what it goes through.
type Begun = (FileKind, Box<dyn Transform>);

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
        let Some(mut plans) = self.plans.take() else { return Ok(()) };
        // What an archive or a table is can't be overruled by an encoding that is declared.
        let (kind, mut inner) = match kind::container(&self.first, &self.hint) {
            Some(container) => {
                self.unread(&mut plans)?;
                self.opened(container, &plans)?
            }
            None => self.read(complete, plans)?,
        };
        self.kind = Some(kind);
        let first = std::mem::take(&mut self.first);
        out.reserve(first.len());
        inner.push(&first, out)?;
        self.inner = Some(inner);
        Ok(())
    }

    /// The file turned out to hold no records that can be read. If it may pass all the same, no lines of records pass inside
    /// of it.
    fn unread(&mut self, plans: &mut FilePlans) -> Result<(), Refusal> {
        let Some(mut records) = plans.records.take() else { return Ok(()) };
        self.job.lines = LinesOfRecords::Refused;
        records.judge.unread()
    }

    /// What takes this container apart, if it may be one.
    fn opened(&self, kind: Container, plans: &FilePlans) -> Result<Begun, Refusal> {
        match plans.contents(&self.job) {
            Some((contents, containers)) => {
                let name = self.hint.name.as_deref();
                Ok((FileKind::Container(kind), container(kind, contents, containers, name)?))
            }
            None if plans.containers.is_some() => {
                Err(self.job.refuse(Reason::ContentTooDeep).detail("archives in archives"))
            }
            None if plans.allow_uninspectable => Ok((FileKind::Opaque, Box::new(Pass))),
            None => Err(self.not_text(None)),
        }
    }

    /// What reads a file that holds nothing else, in whatever encoding.
    fn read(&mut self, complete: bool, plans: FilePlans) -> Result<Begun, Refusal> {
        let other = self.hint.charset(&self.first).filter(|charset| *charset != Charset::Utf8);
        let transcodes = self.job.other_charsets == OtherCharsets::Transcode;
        let read = other.filter(|_| transcodes).and_then(|charset| self.transcoded(charset));
        let judged = plans.records.is_some() || self.job.lines == LinesOfRecords::Refused;
        let first = read.as_deref().unwrap_or(&self.first);
        let sniffed = sniff(first, complete && read.is_none(), &self.hint, judged);
        let kind = match sniffed {
            Sniffed::Kind(kind) => kind,
            Sniffed::Binary if plans.allow_uninspectable => FileKind::Opaque,
            Sniffed::Binary => return Err(self.not_text(other)),
        };
        let inner = self.inner(kind, plans, read.is_some())?;
        let opaque = matches!(kind, FileKind::Opaque | FileKind::Multipart);
        Ok(match other.filter(|_| !opaque) {
            None => (kind, inner),
            Some(_) => (kind, Box::new(Chain::new(Transcoder::new(self.job.clone(), other), inner))),
        })
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
        &mut self,
        kind: FileKind,
        mut plans: FilePlans,
        transcoded: bool,
    ) -> Result<Box<dyn Transform>, Refusal> {
        if kind == FileKind::Jsonl {
            if let Some(records) = plans.records.take() {
                return Ok(Box::new(JsonlTransform::judged(self.job.clone(), records)));
            }
            if self.job.lines == LinesOfRecords::Refused {
                return Err(Refusal::new(Reason::RecordsUnreadable).detail("records inside of another file"));
            }
        }
        self.unread(&mut plans)?;
        let job = self.job.clone();
        Ok(match kind {
            FileKind::Jsonl => Box::new(JsonlTransform::censoring(job, plans.lines)),
            FileKind::Json => Box::new(JsonTransform::new(job, plans.document).keeping_bom()),
            FileKind::Table(separator) => Box::new(CsvTransform::new(job, separator)),
            FileKind::Xml => Box::new(MarkupTransform::new(job, Dialect::Xml).transcoded(transcoded)),
            FileKind::Html => Box::new(MarkupTransform::new(job, Dialect::Html)),
            FileKind::Urlencoded => Box::new(UrlencodedTransform::new(job, Arc::new([]))),
            FileKind::Multipart => {
                let content_type = self.hint.content_type.as_deref().unwrap_or_default();
                let mixed = MixedTransform::new(job, content_type, self.depth + 1)?;
                Box::new(mixed.of_files(plans.allow_uninspectable, plans.containers))
            }
            FileKind::Text => Box::new(TextTransform::new(job, None)),
            // Containers are opened before.
            FileKind::Opaque | FileKind::Container(_) => Box::new(Pass),
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
