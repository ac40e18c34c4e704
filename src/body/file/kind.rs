//! Kinds of files, and how to tell them apart.

use crate::body::archive::tar::is_header;
use crate::body::charset::Charset;
use crate::body::columnar::{arrow, parquet};
use crate::body::csv::Separator;
use crate::body::json::{BOM, is_json_prefix};
use crate::body::kinds::MAGIC;
use crate::body::markup;
use crate::body::multipart::is_multipart;

/// What a file is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// JSON lines.
    Jsonl,
    /// One JSON document.
    Json,
    /// A table as text, of fields between tabs or between whatever its first line says.
    Table(Separator),
    /// XML.
    Xml,
    /// HTML.
    Html,
    /// A form with percent-encoding.
    Urlencoded,
    /// Several files in one, with boundaries.
    Multipart,
    /// Text of any other sort: Markdown, logs, source.
    Text,
    /// Something that holds other things.
    Container(Container),
    /// Bytes that can't be inspected.
    Opaque,
}

/// What holds other things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// An archive.
    Zip,
    /// An archive.
    Tar,
    /// A packed file, which may be an archive.
    Gzip,
    /// A table.
    Parquet,
    /// A table, as a file or as a stream.
    Arrow,
}

impl Container {
    /// By the first bytes.
    #[must_use]
    pub fn by_content(first: &[u8]) -> Option<Self> {
        let begins = |magic: &[u8]| first.starts_with(magic);
        if begins(b"PK\x03\x04") || begins(b"PK\x05\x06") {
            Some(Self::Zip)
        } else if begins(b"\x1f\x8b\x08") {
            Some(Self::Gzip)
        } else if is_header(first) {
            Some(Self::Tar)
        } else if begins(parquet::MAGIC) {
            Some(Self::Parquet)
        } else if begins(arrow::MAGIC) || arrow::is_stream(first) {
            Some(Self::Arrow)
        } else {
            None
        }
    }
}

/// What is said of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileHint {
    /// What it has to be for its purpose (training data is JSON lines). The first bytes can't overrule it.
    pub expected: Option<FileKind>,
    /// Its name's ending says something.
    pub name: Option<String>,
    /// Its content type.
    pub content_type: Option<String>,
}

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sniffed {
    Kind(FileKind),
    Binary,
}

impl FileHint {
    /// The encoding that the file is declared to be in: by a byte order mark, by its type, or by itself if it is XML.
    pub(super) fn charset(&self, first: &[u8]) -> Option<Charset> {
        let typed = || Charset::of(self.content_type.as_deref()?);
        Charset::of_mark(first).or_else(typed).or_else(|| markup::declared(first))
    }
}

/// Signatures beyond those of [`MAGIC`], of files that can't be read as UTF-8 text.
const MORE: &[&[u8]] = &[b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff", b"{\\rtf"];

/// The container that a file is by its first bytes, if it may be one: records have to be readable as what they are to be,
/// and a multipart body as its boundary says.
pub(super) fn container(first: &[u8], hint: &FileHint) -> Option<Container> {
    let multipart = hint.content_type.as_deref().is_some_and(is_multipart);
    if multipart || hint.expected.is_some() { None } else { Container::by_content(first) }
}

/// Tells a file's kind by its first bytes, which are all of it if `complete`, and by what is said of it. Where records are
/// judged, what is said does not make anything else of lines that are records.
pub(super) fn sniff(first: &[u8], complete: bool, hint: &FileHint, judged: bool) -> Sniffed {
    if hint.expected == Some(FileKind::Opaque) {
        return Sniffed::Kind(FileKind::Opaque);
    }
    let multipart = hint.content_type.as_deref().is_some_and(is_multipart);
    if multipart && hint.expected.is_none() {
        return Sniffed::Kind(FileKind::Multipart);
    }
    let binary = MAGIC.iter().chain(MORE).any(|magic| first.starts_with(magic));
    if binary || Container::by_content(first).is_some() || !is_text(first, complete) {
        return Sniffed::Binary;
    }
    if judged && holds_records(first, complete, hint) {
        return Sniffed::Kind(FileKind::Jsonl);
    }
    let named = hint
        .expected
        .or_else(|| by_name(hint.name.as_deref()?))
        .or_else(|| by_type(hint.content_type.as_deref()?));
    Sniffed::Kind(named.unwrap_or_else(|| by_content(first)))
}

/// Whether a text is lines of records, by its content. One object alone, in a file that is said to be one document, is that.
fn holds_records(first: &[u8], complete: bool, hint: &FileHint) -> bool {
    let text = first.strip_prefix(BOM).unwrap_or(first).trim_ascii_start();
    if !text.starts_with(b"{") || by_content(first) != FileKind::Jsonl {
        return false;
    }
    let name = hint.name.as_deref().and_then(by_name);
    let alone = complete && memchr::memchr(b'\n', text.trim_ascii_end()).is_none();
    !(alone && name.or_else(|| by_type(hint.content_type.as_deref()?)) == Some(FileKind::Json))
}

fn is_text(first: &[u8], complete: bool) -> bool {
    let utf8 = match std::str::from_utf8(first) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && !complete,
    };
    utf8 && memchr::memchr(0, first).is_none()
}

fn by_name(name: &str) -> Option<FileKind> {
    let (_, ending) = name.rsplit_once('.')?;
    Some(match ending.to_ascii_lowercase().as_str() {
        "jsonl" | "ndjson" => FileKind::Jsonl,
        "json" => FileKind::Json,
        "csv" => FileKind::Table(Separator::Unknown),
        "tsv" | "tab" => FileKind::Table(Separator::Tab),
        "xml" | "svg" | "xhtml" | "rss" | "atom" | "xsd" | "xsl" | "xslt" | "wsdl" | "plist" | "kml"
        | "gpx" => FileKind::Xml,
        "html" | "htm" => FileKind::Html,
        "txt" | "md" | "log" | "yaml" | "yml" => FileKind::Text,
        _ => return None,
    })
}

pub(super) fn by_type(content_type: &str) -> Option<FileKind> {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(match kind.as_str() {
        "application/jsonl"
        | "application/x-jsonl"
        | "application/jsonlines"
        | "application/x-jsonlines"
        | "application/ndjson"
        | "application/x-ndjson"
        | "text/jsonl" => FileKind::Jsonl,
        "application/json" => FileKind::Json,
        "text/csv" | "application/csv" => FileKind::Table(Separator::Unknown),
        "text/tab-separated-values" => FileKind::Table(Separator::Tab),
        "application/x-www-form-urlencoded" => FileKind::Urlencoded,
        "text/html" => FileKind::Html,
        "text/xml" | "application/xml" => FileKind::Xml,
        xml if xml.ends_with("+xml") => FileKind::Xml,
        // Senders that know nothing say text/plain, so it says nothing.
        "text/plain" => return None,
        text if text.starts_with("text/") => FileKind::Text,
        _ => return None,
    })
}

/// Nothing is said: what begins like JSON is JSON. Its first line, as far as it is there, tells a document of many
/// lines from lines of documents.
fn by_content(first: &[u8]) -> FileKind {
    let text = first.strip_prefix(BOM).unwrap_or(first).trim_ascii_start();
    if text.starts_with(b"<") {
        return by_markup(text);
    }
    if !matches!(text.first(), Some(b'{' | b'[')) {
        return FileKind::Text;
    }
    let line_end = memchr::memchr(b'\n', text);
    let line = text.get(..line_end.unwrap_or(text.len())).unwrap_or_default();
    match is_json_prefix(line) {
        // The first line is a document.
        Some(true) => FileKind::Jsonl,
        // It is the beginning of one: of a long line, or of a document of many lines.
        Some(false) if line_end.is_none() => FileKind::Jsonl,
        Some(false) if is_json_prefix(text).is_some() => FileKind::Json,
        Some(false) | None => FileKind::Text,
    }
}

/// What begins like a document of markup is one.
fn by_markup(text: &[u8]) -> FileKind {
    let begins = |with: &[u8]| text.get(..with.len()).is_some_and(|first| first.eq_ignore_ascii_case(with));
    if text.starts_with(b"<?xml ") {
        FileKind::Xml
    } else if begins(b"<!doctype html") || begins(b"<html") {
        FileKind::Html
    } else {
        FileKind::Text
    }
}
