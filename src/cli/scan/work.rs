//! Looks at pieces of inputs, several at once, and gives out what was found in the order of the inputs.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::pieces::{Piece, Pieces};
use super::records::{self, Wrong};
use super::table::{Cell, Table};
use super::{Mode, containers, inputs, markup};
use crate::body::markup::Dialect;
use crate::censor::{Action, Context, Engine, Finding, RuleIndex};
use crate::pointer::{Pointer, Step};
use inputs::{Input, Opened};

/// Something that was found.
pub(super) struct Hit {
    /// The line, from 1.
    pub(super) line: u64,
    /// Where it begins: of the decoded string in records and cells, of the input in text.
    pub(super) start: u64,
    /// Where it ends.
    pub(super) end: u64,
    /// By which rule.
    pub(super) rule: RuleIndex,
    /// What would become of it.
    pub(super) action: Action,
    /// In which string of the record, where the place has wildcards.
    pub(super) pointer: Option<String>,
    /// In which column.
    pub(super) column: Option<Arc<str>>,
    /// In which member of an archive.
    pub(super) member: Option<Arc<str>>,
}

/// What there is to tell, in the order of the inputs.
pub(super) enum Told {
    /// Of an input something was looked at: this was found.
    Hits(usize, Vec<Hit>),
    /// An input is no text, and was passed over.
    Binary,
    /// An input could not be read to its end.
    Failed(usize, io::Error),
    /// An input has been looked at.
    Done,
}

/// Something to look at, and the member of an archive that it stands in.
pub(super) enum Task {
    Text(Piece, Option<Arc<str>>),
    Records(Piece),
    Cells(Vec<Cell>, Option<Arc<str>>),
    /// A whole document.
    Markup(Vec<u8>, Dialect, Option<Arc<str>>),
}

/// A task or what is known already, in order.
enum Next {
    Task(usize, Task),
    Told(Told),
}

/// Looks at all inputs.
pub(super) fn look(
    engine: &Arc<Engine>,
    inputs: &[Input],
    mode: &Mode,
    threads: NonZeroUsize,
    open: &(impl Fn(&Input) -> io::Result<Opened> + Sync),
    mut tell: impl FnMut(Told) -> bool,
) {
    if threads == NonZeroUsize::MIN {
        read(inputs, mode, open, &mut |step| tell(work(engine, mode, step)));
        return;
    }
    std::thread::scope(|scope| {
        let (give, take) = sync_channel::<(usize, Next)>(threads.get() * 2);
        let (done, results) = sync_channel::<(usize, Told)>(threads.get() * 2);
        let take = Arc::new(Mutex::new(take));
        for _ in 0..threads.get() {
            let (take, done) = (Arc::clone(&take), done.clone());
            scope.spawn(move || worker(engine, mode, &take, &done));
        }
        drop(take);
        drop(done);
        scope.spawn(move || {
            let mut number = 0;
            read(inputs, mode, open, &mut |step| {
                number += 1;
                give.send((number - 1, step)).is_ok()
            });
        });
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for (number, told) in results {
            waiting.insert(number, told);
            while let Some(told) = waiting.remove(&next) {
                next += 1;
                if !tell(told) {
                    // Dropping the results ends the workers, and those the reader.
                    return;
                }
            }
        }
    });
}

fn worker(
    engine: &Arc<Engine>,
    mode: &Mode,
    take: &Mutex<Receiver<(usize, Next)>>,
    done: &SyncSender<(usize, Told)>,
) {
    loop {
        let step = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, step)) = step else { return };
        if done.send((number, work(engine, mode, step))).is_err() {
            return;
        }
    }
}

/// Reads all inputs, one after the other, until nobody takes them any more.
fn read(
    inputs: &[Input],
    mode: &Mode,
    open: &impl Fn(&Input) -> io::Result<Opened>,
    give: &mut impl FnMut(Next) -> bool,
) {
    for (index, input) in inputs.iter().enumerate() {
        let mut going = true;
        let ended = match open(input) {
            Ok(Opened::Binary) => Ok(Told::Binary),
            Ok(Opened::Container(kind, file)) => {
                let mut task = |task| {
                    going = give(Next::Task(index, task));
                    going
                };
                let path = input.path.as_deref().unwrap_or(Path::new(""));
                match mode {
                    Mode::Text => containers::look(kind, path, file, &mut task).map(|()| Told::Done),
                    Mode::Jsonl(_) | Mode::Columns(_) => Err(containers::not_text()),
                }
            }
            Ok(Opened::Text(reader)) => {
                let mut task = |task| {
                    going = give(Next::Task(index, task));
                    going
                };
                tasks(reader, input, mode, &mut task).map(|()| Told::Done)
            }
            Err(error) => Err(error),
        };
        let told = ended.unwrap_or_else(|error| Told::Failed(index, error));
        if !going || !give(Next::Told(told)) {
            return;
        }
    }
}

fn tasks(
    reader: Box<dyn io::Read + Send>,
    input: &Input,
    mode: &Mode,
    give: &mut impl FnMut(Task) -> bool,
) -> io::Result<()> {
    let records = match mode {
        Mode::Columns(names) => {
            let delimiter = super::table::delimiter(input.path.as_deref());
            let mut table = Table::new(reader, delimiter, names)?;
            while let Some(cells) = table.cells()? {
                if !give(Task::Cells(cells, None)) {
                    return Ok(());
                }
            }
            return Ok(());
        }
        Mode::Jsonl(_) => true,
        Mode::Text => false,
    };
    if !records && let Some(dialect) = input.path.as_deref().and_then(markup::dialect) {
        give(Task::Markup(markup::read(reader)?, dialect, None));
        return Ok(());
    }
    let mut pieces = Pieces::new(reader, records);
    while let Some(piece) = pieces.next()? {
        if !give(if records { Task::Records(piece) } else { Task::Text(piece, None) }) {
            return Ok(());
        }
    }
    Ok(())
}

fn work(engine: &Arc<Engine>, mode: &Mode, step: Next) -> Told {
    let (index, task) = match step {
        Next::Told(told) => return told,
        Next::Task(index, task) => (index, task),
    };
    let hits = match (task, mode) {
        (Task::Text(piece, member), _) => Ok(text(engine, &piece, member.as_ref())),
        (Task::Markup(document, dialect, member), _) => {
            Ok(markup::hits(engine, document, dialect, member.as_ref()))
        }
        (Task::Records(piece), Mode::Jsonl(pointer)) => self::records(engine, &piece, pointer),
        (Task::Records(_), _) => Ok(Vec::new()),
        (Task::Cells(cells, member), _) => Ok(self::cells(engine, &cells, member.as_ref())),
    };
    match hits {
        Ok(hits) => Told::Hits(index, hits),
        Err(error) => Told::Failed(index, error),
    }
}

/// Findings of a piece of text that begin in it.
pub(super) fn text(engine: &Engine, piece: &Piece, member: Option<&Arc<str>>) -> Vec<Hit> {
    let mut found: Vec<Finding> = Vec::new();
    engine.scan(&piece.bytes, Context::default(), &mut found);
    let mut line = piece.line;
    let mut counted = piece.own.start;
    let mut hits = Vec::new();
    for finding in found.iter().filter(|f| piece.own.contains(&f.start)) {
        let between = piece.bytes.get(counted..finding.start).unwrap_or_default();
        line += memchr::memchr_iter(b'\n', between).count() as u64;
        counted = finding.start;
        hits.push(Hit {
            line,
            start: piece.offset + finding.start as u64,
            end: piece.offset + finding.end as u64,
            rule: finding.rule,
            action: finding.action,
            pointer: None,
            column: None,
            member: member.cloned(),
        });
    }
    hits
}

fn records(engine: &Engine, piece: &Piece, pointer: &Pointer) -> io::Result<Vec<Hit>> {
    let mut hits = Vec::new();
    let mut found: Vec<Finding> = Vec::new();
    let plain = pointer.steps().iter().all(|step| matches!(step, Step::Key(_)));
    for (number, line) in piece.lines() {
        let Some(line) = record(line, number)? else { continue };
        let looked = records::strings(line, pointer.steps(), &mut |string| {
            found.clear();
            engine.scan(string.text.as_bytes(), Context { field: string.field }, &mut found);
            hits.extend(found.iter().map(|finding| Hit {
                line: number,
                start: finding.start as u64,
                end: finding.end as u64,
                rule: finding.rule,
                action: finding.action,
                pointer: (!plain).then(|| string.at.to_owned()),
                column: None,
                member: None,
            }));
        });
        looked.map_err(|wrong| not_a_record(number, &wrong))?;
    }
    Ok(hits)
}

/// The text of a line that is to be a record; none if the line is empty.
pub(super) fn record(line: &[u8], number: u64) -> io::Result<Option<&str>> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    if line.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let text = std::str::from_utf8(line);
    text.map(Some).map_err(|error| not_a_record(number, &Wrong::NotJson(error.valid_up_to() + 1)))
}

/// The error for a line that is no record.
pub(super) fn not_a_record(number: u64, wrong: &Wrong) -> io::Error {
    let message = match wrong {
        Wrong::NotJson(column) => format!("line {number} is not JSON (column {column})"),
        Wrong::TooDeep => format!("line {number} is nested too deep"),
    };
    io::Error::new(io::ErrorKind::InvalidData, message)
}

fn cells(engine: &Engine, cells: &[Cell], member: Option<&Arc<str>>) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut found: Vec<Finding> = Vec::new();
    for cell in cells {
        found.clear();
        let column = Some(&cell.column).filter(|name| !name.is_empty());
        engine.scan(&cell.text, Context { field: column.map(|name| &**name) }, &mut found);
        hits.extend(found.iter().map(|finding| Hit {
            line: cell.line,
            start: finding.start as u64,
            end: finding.end as u64,
            rule: finding.rule,
            action: finding.action,
            pointer: None,
            column: column.cloned(),
            member: member.cloned(),
        }));
    }
    hits
}
