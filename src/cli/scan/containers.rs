//! Archives, and tables in binary formats: what they hold is looked at as it would be by itself.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::markup;
use super::pieces::Cutter;
use super::table::Cell;
use super::work::Task;
use crate::body::container::{ContainerLimits, Containers, Contents};
use crate::body::file::{self, Container, WINDOW};
use crate::body::kinds::{is_medium, is_nearly_text, is_text, texts_in};
use crate::body::markup::Dialect;
use crate::body::spool::{SpoolBudget, Spools};
use crate::body::{Pass, Transform};
use crate::names::Direction;
use crate::reason::{Reason, Refusal};

/// Read at once.
const PIECE: usize = 64 << 10;
/// Bytes of cells that are looked at together, about.
const BATCH: usize = 1 << 20;

/// What a file holds, if it holds other things. One that is packed and no archive is read as what it holds.
pub(super) fn kind(path: &Path, file: &File) -> io::Result<Option<Container>> {
    use std::os::unix::fs::FileExt as _;
    let mut first = vec![0; WINDOW];
    let mut length = 0;
    while let Some(room) = first.get_mut(length..).filter(|room| !room.is_empty()) {
        match file.read_at(room, length as u64)? {
            0 => break,
            read => length += read,
        }
    }
    first.truncate(length);
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let archive = name.ends_with(".tar.gz") || name.ends_with(".tgz");
    Ok(Container::by_content(&first).filter(|kind| *kind != Container::Gzip || archive))
}

/// How a file on the disk is taken apart. What has to wait waits in a file without a name.
pub(super) fn containers() -> Containers {
    let spools = Spools::new(SpoolBudget::new(u64::MAX), 1 << 20, std::env::temp_dir());
    let limits = ContainerLimits { decoded: u64::MAX, ratio: 10_000, ..ContainerLimits::default() };
    Containers::new(spools, limits)
}

/// Passes a file through what takes it apart, and gives out what comes of it.
pub(super) fn through(
    kind: Container,
    path: &Path,
    mut file: File,
    contents: impl Contents + 'static,
    containers: Containers,
    give: &mut dyn FnMut(&[u8]) -> io::Result<bool>,
) -> io::Result<()> {
    let name = path.to_string_lossy().into_owned();
    let length = file.metadata()?.len();
    let copy = file.try_clone()?;
    let opened =
        file::container_of_file(kind, contents, containers, (copy, length), &name).map_err(failed)?;
    let (mut transform, is_there) = opened;
    let (mut input, mut out) = (vec![0; PIECE], Vec::new());
    loop {
        let read = if is_there { 0 } else { file.read(&mut input)? };
        match read {
            0 => transform.finish(&mut out).map_err(failed)?,
            _ => transform.push(input.get(..read).unwrap_or_default(), &mut out).map_err(failed)?,
        }
        loop {
            let more = transform.drain(&mut out).map_err(failed)?;
            if !give(&out)? {
                return Ok(());
            }
            out.clear();
            if !more {
                break;
            }
        }
        if read == 0 {
            return Ok(());
        }
    }
}

/// The error for a mode that is of text.
pub(super) fn not_text() -> io::Error {
    let message = "`--jsonl` and `--column` are for text: an archive or a binary table is looked at whole";
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

fn failed(refusal: Refusal) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, refusal)
}

/// Looks at what a file holds.
pub(super) fn look(
    kind: Container,
    path: &Path,
    file: File,
    give: &mut impl FnMut(Task) -> bool,
) -> io::Result<()> {
    let found = Found::default();
    let containers = containers();
    let looking = Looking {
        found: found.clone(),
        member: None,
        packed: kind == Container::Gzip,
        row: 0,
        containers: containers.deeper(),
        cells: Vec::new(),
        bytes: 0,
    };
    let mut going = |_: &[u8]| {
        for task in found.take() {
            if !give(task) {
                return Ok(false);
            }
        }
        Ok(true)
    };
    through(kind, path, file, looking, containers, &mut going)?;
    going(&[]).map(|_| ())
}

/// What is still to be looked at.
#[derive(Clone, Default)]
struct Found(Arc<Mutex<Vec<Task>>>);

impl Found {
    fn tasks(&self) -> MutexGuard<'_, Vec<Task>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Vec<Task> {
        std::mem::take(&mut *self.tasks())
    }

    fn add(&self, task: Task) {
        self.tasks().push(task);
    }
}

/// Takes down what a container holds.
struct Looking {
    found: Found,
    /// The path of the container, if it is in another one.
    member: Option<Arc<str>>,
    /// It is a packed file, which has one member without a path of its own.
    packed: bool,
    row: u64,
    containers: Containers,
    cells: Vec<Cell>,
    bytes: usize,
}

impl Looking {
    fn cell(&mut self, column: &str, text: &[u8]) {
        self.bytes += text.len() + 1;
        let cell = Cell { line: self.row + 1, column: column.into(), text: text.to_vec() };
        self.cells.push(cell);
        if self.bytes > BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.bytes = 0;
        let cells = std::mem::take(&mut self.cells);
        if !cells.is_empty() {
            self.found.add(Task::Cells(cells, self.member.clone()));
        }
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.flush();
    }
}

impl Contents for Looking {
    fn member(&mut self, path: &str) -> Result<Box<dyn Transform>, Refusal> {
        let path = match &self.member {
            outer if self.packed => outer.clone().unwrap_or_default(),
            None => path.into(),
            Some(outer) => format!("{outer}/{path}").into(),
        };
        Ok(Box::new(Member {
            path,
            found: self.found.clone(),
            containers: self.containers.clone(),
            first: Vec::new(),
            inner: None,
        }))
    }

    fn text(&mut self, field: Option<&str>, text: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
        if !text.is_empty() {
            self.cell(field.unwrap_or_default(), text);
        }
        Ok(None)
    }

    fn bytes(&mut self, field: Option<&str>, bytes: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
        if is_text(bytes) {
            return self.text(field, bytes);
        }
        // Of what is no text the texts are looked at, but for media, which are passed over as such files are.
        if !is_medium(bytes) || is_nearly_text(bytes) {
            for text in texts_in(bytes) {
                self.text(field, text.as_bytes())?;
            }
        }
        Ok(None)
    }

    fn holds(&mut self, _: &[u8]) -> Result<bool, Refusal> {
        // It was told where it belongs.
        Ok(false)
    }

    fn part(&mut self, row: u64) {
        self.row = row;
    }

    fn uninspectable(&self, what: &'static str) -> Result<(), Refusal> {
        Err(self.refuse(Reason::ContentUninspectable, what))
    }

    fn direction(&self) -> Direction {
        Direction::Request
    }
}

/// A member of an archive: text, bytes, or a container by itself.
struct Member {
    path: Arc<str>,
    found: Found,
    containers: Containers,
    first: Vec<u8>,
    inner: Option<Box<dyn Transform>>,
}

impl Member {
    /// Its path, if it has one.
    fn member(&self) -> Option<Arc<str>> {
        Some(Arc::clone(&self.path)).filter(|path| !path.is_empty())
    }

    fn begin(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let first = std::mem::take(&mut self.first);
        let mut inner: Box<dyn Transform> = match Container::by_content(&first) {
            Some(_) if !self.containers.may_open() => {
                return Err(Refusal::new(Reason::ContentTooDeep).detail("archives in archives"));
            }
            Some(kind) => {
                let contents = Looking {
                    found: self.found.clone(),
                    member: self.member(),
                    packed: kind == Container::Gzip,
                    row: 0,
                    containers: self.containers.deeper(),
                    cells: Vec::new(),
                    bytes: 0,
                };
                file::container(kind, contents, self.containers.clone(), Some(&self.path))?
            }
            None if memchr::memchr(0, &first).is_some() => Box::new(Pass),
            None => match markup::dialect(Path::new(&*self.path)) {
                Some(dialect) => {
                    let (found, member) = (self.found.clone(), self.member());
                    Box::new(Document { dialect, text: Vec::new(), found, member })
                }
                None => Box::new(Text {
                    cutter: Cutter::default(),
                    found: self.found.clone(),
                    member: self.member(),
                }),
            },
        };
        inner.push(&first, out)?;
        self.inner = Some(inner);
        Ok(())
    }
}

impl Transform for Member {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        if let Some(inner) = &mut self.inner {
            return inner.push(input, out);
        }
        self.first.extend_from_slice(input);
        if self.first.len() < WINDOW { Ok(()) } else { self.begin(out) }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if self.inner.is_none() {
            self.begin(out)?;
        }
        self.inner.as_mut().map_or(Ok(()), |inner| inner.finish(out))
    }

    fn drain(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        self.inner.as_mut().map_or(Ok(false), |inner| inner.drain(out))
    }
}

/// Text that is looked at, and passes.
struct Text {
    cutter: Cutter,
    found: Found,
    member: Option<Arc<str>>,
}

impl Transform for Text {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        out.extend_from_slice(input);
        self.cutter.push(input);
        while let Some(piece) = self.cutter.next(false) {
            self.found.add(Task::Text(piece, self.member.clone()));
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Vec<u8>) -> Result<(), Refusal> {
        while let Some(piece) = self.cutter.next(true) {
            self.found.add(Task::Text(piece, self.member.clone()));
        }
        Ok(())
    }
}

/// A member that is markup: it is looked at as a whole.
struct Document {
    dialect: Dialect,
    text: Vec<u8>,
    found: Found,
    member: Option<Arc<str>>,
}

impl Transform for Document {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        out.extend_from_slice(input);
        self.text.extend_from_slice(input);
        if self.text.len() as u64 > markup::LONGEST {
            return Err(Refusal::new(Reason::RecordTooLarge).detail("a document of markup in an archive"));
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Vec<u8>) -> Result<(), Refusal> {
        let text = std::mem::take(&mut self.text);
        self.found.add(Task::Markup(text, self.dialect, self.member.clone()));
        Ok(())
    }
}
