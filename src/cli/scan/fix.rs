//! `--fix`: censored copies. What was not found is copied byte for byte, and what was valid stays valid.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::{hmac, rand};

use super::inputs::{Input, Opened};
use super::pieces::Pieces;
use super::table::{self, Table};
use super::unpack::Packed;
use super::work::{self, Told};
use super::{Mode, containers, markup, records};
use crate::body::container::Censoring;
use crate::body::file::Container;
use crate::body::json::{JsonPlan, JsonTransform};
use crate::body::jsonl::JsonlTransform;
use crate::body::markup::{Dialect, MarkupTransform};
use crate::body::text::Whole;
use crate::body::{Job, Transform};
use crate::censor::{Action, Context, Engine, Exchange, Finding, Policy, RuleSet, Side};
use crate::names::Direction;
use crate::pointer::Pointer;

/// Makes copies.
pub(super) struct Fixer<'a> {
    engine: Arc<Engine>,
    exchange: Exchange,
    mode: &'a Mode,
    force: bool,
}

impl<'a> Fixer<'a> {
    /// What the rules block is redacted in a copy. Pseudonyms and hashes are made with a key that is forgotten.
    pub(super) fn new(rules: &RuleSet, mode: &'a Mode, force: bool) -> Result<Self, String> {
        let blocking = rules.iter().filter(|rule| rule.spec.action.action() == Action::Block);
        let policy = blocking
            .fold(Policy::recommended(), |policy, rule| policy.with(&rule.spec.id.value, Action::Redact));
        let engine = Engine::compile(rules, &policy).map_err(|error| error.to_string())?;
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new());
        let key = key.map_err(|error| format!("there is no randomness for a key: {error}"))?;
        Ok(Self { engine: Arc::new(engine), exchange: Exchange::new(Arc::new(key)), mode, force })
    }

    /// Writes the copy of a file, and looks at it: something that is called censored and is not would be worse than none.
    pub(super) fn copy(&self, input: &Input) -> Result<PathBuf, String> {
        let Some(path) = &input.path else { return Err("has no place for a copy".to_owned()) };
        let target = beside(path);
        let mut options = OpenOptions::new();
        let file = match self.force {
            true => options.write(true).create(true).truncate(true).open(&target),
            false => options.write(true).create_new(true).open(&target),
        };
        let file = file.map_err(|error| format!("{}: {error}", target.display()))?;
        let written = Packer::new(BufWriter::new(file), packing(path)).and_then(|mut out| {
            self.write(input, path, &mut out)?;
            out.finish()
        });
        let written =
            written.map_err(|error| error.to_string()).and_then(|()| match self.left(input, &target) {
                0 => Ok(()),
                left => Err(format!("no copy is written: {left} finding(s) would be left in it")),
            });
        match written {
            Ok(()) => Ok(target),
            Err(message) => {
                let _ = std::fs::remove_file(&target);
                Err(message)
            }
        }
    }

    fn left(&self, input: &Input, target: &Path) -> usize {
        let copy = Input { path: Some(target.to_owned()), named: true, ..input.clone() };
        let open = |input: &Input| input.open(|reader| reader);
        let mut left = 0;
        work::look(&self.engine, &[copy], self.mode, NonZeroUsize::MIN, &open, |told| {
            left += match told {
                Told::Hits(_, hits) => hits.len(),
                Told::Failed(..) => 1,
                Told::Binary | Told::Done => 0,
            };
            true
        });
        left
    }

    fn write(&self, input: &Input, path: &Path, out: &mut impl Write) -> io::Result<()> {
        let named = Input { named: true, ..input.clone() };
        let reader = match named.open(|reader| reader)? {
            Opened::Text(reader) => reader,
            Opened::Container(kind, file) => return self.container(kind, path, file, out),
            Opened::Binary => return Ok(()),
        };
        match (self.mode, kind(path)) {
            (Mode::Jsonl(pointer), _) => self.records(reader, pointer, out),
            (Mode::Columns(names), _) => {
                self.cells(Table::new(reader, table::delimiter(Some(path)), names)?, out)
            }
            (Mode::Text, Some("json")) => {
                let plan = Arc::new(JsonPlan::empty());
                self.transformed(JsonTransform::new(self.job(), plan).keeping_bom(), reader, out)
            }
            (Mode::Text, Some("jsonl" | "ndjson")) => {
                let plan = Arc::new(JsonPlan::empty());
                self.transformed(JsonlTransform::censoring(self.job(), plan), reader, out)
            }
            (Mode::Text, _) => match markup::dialect(path) {
                Some(dialect) => self.markup(reader, dialect, out),
                None => self.text(reader, out),
            },
        }
    }

    /// An archive or a table, each thing in it censored as what it is. Bytes that are no text pass.
    fn container(&self, kind: Container, path: &Path, file: File, out: &mut impl Write) -> io::Result<()> {
        let containers = containers::containers();
        let plan = Arc::new(JsonPlan::empty());
        let contents = Censoring {
            job: self.job(),
            document: Arc::clone(&plan),
            lines: plan,
            allow_uninspectable: true,
            containers: containers.deeper(),
            whole: Whole::default(),
        };
        let mut give = |bytes: &[u8]| out.write_all(bytes).map(|()| true);
        containers::through(kind, path, file, contents, containers, &mut give)
    }

    /// XML that is not well-formed is read as browsers read HTML, and what is no text at all as bytes.
    fn markup(&self, reader: Box<dyn Read + Send>, dialect: Dialect, out: &mut impl Write) -> io::Result<()> {
        let document = markup::read(reader)?;
        for dialect in [dialect, Dialect::Html] {
            let mut censored = Vec::new();
            let transform = MarkupTransform::new(self.job(), dialect);
            let done =
                self.transformed(transform, Box::new(io::Cursor::new(document.clone())), &mut censored);
            if done.is_ok() {
                return out.write_all(&censored);
            }
        }
        self.text(Box::new(io::Cursor::new(document)), out)
    }

    fn job(&self) -> Job {
        Job::new(Arc::clone(&self.engine), self.exchange.clone(), Direction::Request)
    }

    fn transformed(
        &self,
        mut transform: impl Transform,
        mut reader: Box<dyn Read + Send>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let refused = |refusal: crate::reason::Refusal| io::Error::other(refusal.to_string());
        let (mut input, mut done) = (vec![0; 64 << 10], Vec::new());
        loop {
            let read = reader.read(&mut input)?;
            match read {
                0 => transform.finish(&mut done).map_err(refused)?,
                _ => transform.push(input.get(..read).unwrap_or_default(), &mut done).map_err(refused)?,
            }
            while transform.drain(&mut done).map_err(refused)? {}
            out.write_all(&done)?;
            done.clear();
            if read == 0 {
                return Ok(());
            }
        }
    }

    fn text(&self, reader: Box<dyn Read + Send>, out: &mut impl Write) -> io::Result<()> {
        let mut pieces = Pieces::new(reader, false);
        let mut found: Vec<Finding> = Vec::new();
        // Everything before is written; a finding may reach into the next piece.
        let mut written = 0;
        let mut with = Vec::new();
        while let Some(piece) = pieces.next()? {
            let at = |offset: u64| usize::try_from(offset.saturating_sub(piece.offset)).unwrap_or(usize::MAX);
            let slice = |from: usize, to: usize| piece.bytes.get(from..to).unwrap_or_default();
            self.engine.scan(&piece.bytes, Context::default(), &mut found);
            for finding in found.iter().filter(|f| piece.own.contains(&f.start)) {
                out.write_all(slice(at(written), finding.start))?;
                with.clear();
                let original = slice(finding.start, finding.end);
                let replaced =
                    self.exchange.replace(&self.engine, finding, original, Side::Censor, &mut with);
                replaced
                    .map_err(|by| io::Error::other(format!("`{}` blocks", self.engine.rule(by.rule).id)))?;
                out.write_all(&with)?;
                written = piece.offset + finding.end as u64;
            }
            let end = piece.offset + piece.own.end as u64;
            if written < end {
                out.write_all(slice(at(written), piece.own.end))?;
                written = end;
            }
        }
        Ok(())
    }

    fn records(
        &self,
        reader: Box<dyn Read + Send>,
        pointer: &Pointer,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let mut pieces = Pieces::new(reader, true);
        while let Some(piece) = pieces.next()? {
            let mut first = true;
            for (number, line) in piece.lines() {
                if !std::mem::take(&mut first) {
                    out.write_all(b"\n")?;
                }
                match work::record(line, number)? {
                    None => out.write_all(line)?,
                    Some(record) => {
                        // A byte order mark is no part of the record.
                        out.write_all(line.get(..line.len() - record.len()).unwrap_or_default())?;
                        self.record(record, number, pointer, out)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn record(&self, record: &str, number: u64, pointer: &Pointer, out: &mut impl Write) -> io::Result<()> {
        let mut changes = Vec::new();
        let looked = records::strings(record, pointer.steps(), &mut |string| {
            if let Some(text) = self.censored(Some(string.field.unwrap_or_default()), string.text.as_bytes())
            {
                changes.push((string.token.clone(), String::from_utf8_lossy(&text).into_owned()));
            }
        });
        looked.map_err(|wrong| work::not_a_record(number, &wrong))?;
        // A place with `**` may lead to a string more than once.
        changes.sort_by_key(|(token, _)| token.start);
        changes.dedup_by_key(|(token, _)| token.start);
        let mut at = 0;
        for (token, text) in changes {
            out.write_all(record.get(at..token.start).unwrap_or_default().as_bytes())?;
            serde_json::to_writer(&mut *out, &text)?;
            at = token.end;
        }
        out.write_all(record.get(at..).unwrap_or_default().as_bytes())
    }

    fn cells(&self, mut table: Table, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&table.taken())?;
        let (columns, delimiter) = (table.columns.clone(), table.delimiter);
        while let Some((_, record)) = table.next()? {
            let mut cells: Vec<Vec<u8>> = record.iter().map(<[u8]>::to_vec).collect();
            let mut changed = false;
            for (at, name) in &columns {
                let Some(cell) = cells.get_mut(*at) else { continue };
                if let Some(text) = self.censored(Some(name), cell) {
                    *cell = text;
                    changed = true;
                }
            }
            let raw = table.taken();
            if !changed {
                out.write_all(&raw)?;
                continue;
            }
            // The ends of lines are no part of a record.
            let is_end = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
            let before = raw.iter().take_while(is_end).count();
            let behind = raw.iter().skip(before).rev().take_while(is_end).count();
            out.write_all(raw.get(..before).unwrap_or_default())?;
            out.write_all(&line(&cells, delimiter)?)?;
            out.write_all(raw.get(raw.len() - behind..).unwrap_or_default())?;
        }
        out.write_all(&table.rest())
    }

    /// The text without what was found; none if nothing was.
    fn censored(&self, field: Option<&str>, text: &[u8]) -> Option<Vec<u8>> {
        let mut found = Vec::new();
        self.engine.scan(text, Context { field: field.filter(|name| !name.is_empty()) }, &mut found);
        if found.is_empty() {
            return None;
        }
        let (mut out, mut at) = (Vec::with_capacity(text.len()), 0);
        for finding in &found {
            out.extend_from_slice(text.get(at..finding.start).unwrap_or_default());
            let original = text.get(finding.start..finding.end).unwrap_or_default();
            // The policy blocks nothing: it was made so.
            let _ = self.exchange.replace(&self.engine, finding, original, Side::Censor, &mut out);
            at = finding.end;
        }
        out.extend_from_slice(text.get(at..).unwrap_or_default());
        Some(out)
    }
}

/// A record in quotes where they are needed, without the end of a line.
fn line(cells: &[Vec<u8>], delimiter: u8) -> io::Result<Vec<u8>> {
    let mut options = csv::WriterBuilder::new();
    let mut writer = options.delimiter(delimiter).flexible(true).from_writer(Vec::new());
    writer.write_record(cells)?;
    let mut line = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    line.pop();
    Ok(line)
}

/// How the copy is packed. An archive packs itself.
fn packing(path: &Path) -> Option<Packed> {
    let kind = File::open(path).and_then(|file| containers::kind(path, &file));
    if matches!(kind, Ok(Some(_))) { None } else { Packed::by_name(path) }
}

/// The format that a file's name says, without what packs it.
fn kind(path: &Path) -> Option<&'static str> {
    let inner = if Packed::by_name(path).is_some() { path.with_extension("") } else { path.to_owned() };
    let ending = inner.extension()?.to_str()?.to_ascii_lowercase();
    ["json", "jsonl", "ndjson"].into_iter().find(|known| *known == ending)
}

/// `notes.txt` has its copy in `notes.censored.txt`, `log.jsonl.gz` in `log.censored.jsonl.gz`.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let packed = Packed::by_name(path).and_then(|_| name.rfind('.'));
    let (inner, packing) = name.split_at(packed.unwrap_or(name.len()));
    let (stem, ending) = match inner.rfind('.').filter(|at| *at > 0) {
        Some(at) => inner.split_at(at),
        None => (inner, ""),
    };
    path.with_file_name(format!("{stem}.censored{ending}{packing}"))
}

/// Writes as the original was packed.
enum Packer {
    Plain(BufWriter<File>),
    Gzip(flate2::write::GzEncoder<BufWriter<File>>),
    Zstd(zstd::stream::write::Encoder<'static, BufWriter<File>>),
}

impl Packer {
    fn new(out: BufWriter<File>, packed: Option<Packed>) -> io::Result<Self> {
        Ok(match packed {
            None => Self::Plain(out),
            Some(Packed::Gzip) => {
                Self::Gzip(flate2::write::GzEncoder::new(out, flate2::Compression::default()))
            }
            Some(Packed::Zstd) => Self::Zstd(zstd::stream::write::Encoder::new(out, 0)?),
        })
    }

    fn finish(self) -> io::Result<()> {
        let mut out = match self {
            Self::Plain(out) => out,
            Self::Gzip(encoder) => encoder.finish()?,
            Self::Zstd(encoder) => encoder.finish()?,
        };
        out.flush()
    }
}

impl Write for Packer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}
