//! Looks at pieces, several at once, and gives out what was found in the order of the input.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroUsize;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::pieces::{Piece, Pieces};
use crate::censor::{Context, Engine, Finding, RuleIndex};
use crate::pointer::{Pointer, Step};

/// Something that was found.
pub(super) struct Hit {
    /// The line, from 1.
    pub(super) line: u64,
    /// Where it begins: of the decoded string in records, of the input in text.
    pub(super) start: u64,
    /// Where it ends.
    pub(super) end: u64,
    /// By which rule.
    pub(super) rule: RuleIndex,
    /// In which string of the record, where the place has wildcards.
    pub(super) pointer: Option<String>,
}

type Looked = (usize, u64, io::Result<Vec<Hit>>);

/// Looks at all pieces. `tell` gets the bytes done and the findings, in order.
pub(super) fn look(
    engine: &Engine,
    mut pieces: Pieces,
    jsonl: Option<&Pointer>,
    threads: NonZeroUsize,
    mut tell: impl FnMut(u64, &[Hit]),
) -> io::Result<()> {
    if threads == NonZeroUsize::MIN {
        while let Some(piece) = pieces.next()? {
            let hits = one(engine, &piece, jsonl)?;
            tell(piece.own.len() as u64, &hits);
        }
        return Ok(());
    }
    std::thread::scope(|scope| {
        let (give, take) = sync_channel::<Piece>(threads.get() * 2);
        let (done, results) = sync_channel::<Looked>(threads.get() * 2);
        let take = Arc::new(Mutex::new(take));
        for _ in 0..threads.get() {
            let (take, done) = (Arc::clone(&take), done.clone());
            scope.spawn(move || {
                loop {
                    let piece = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(piece) = piece else { return };
                    let hits = one(engine, &piece, jsonl);
                    if done.send((piece.index, piece.own.len() as u64, hits)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(take);
        drop(done);
        let reading = scope.spawn(move || -> io::Result<()> {
            while let Some(piece) = pieces.next()? {
                if give.send(piece).is_err() {
                    break;
                }
            }
            Ok(())
        });
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        let mut outcome = Ok(());
        for (index, bytes, hits) in results {
            waiting.insert(index, (bytes, hits));
            while let Some((bytes, hits)) = waiting.remove(&next) {
                next += 1;
                match hits {
                    Ok(hits) if outcome.is_ok() => tell(bytes, &hits),
                    Ok(_) => {}
                    Err(error) => outcome = outcome.and(Err(error)),
                }
            }
        }
        let read = reading.join().unwrap_or_else(|_| Err(io::Error::other("the reader failed")));
        outcome.and(read)
    })
}

fn one(engine: &Engine, piece: &Piece, jsonl: Option<&Pointer>) -> io::Result<Vec<Hit>> {
    match jsonl {
        Some(pointer) => records(engine, piece, pointer),
        None => Ok(text(engine, piece)),
    }
}

fn text(engine: &Engine, piece: &Piece) -> Vec<Hit> {
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
            pointer: None,
        });
    }
    hits
}

fn records(engine: &Engine, piece: &Piece, pointer: &Pointer) -> io::Result<Vec<Hit>> {
    let mut hits = Vec::new();
    let mut found: Vec<Finding> = Vec::new();
    let own = piece.bytes.get(piece.own.clone()).unwrap_or_default();
    for (index, line) in own.split(|b| *b == b'\n').enumerate() {
        let number = piece.line + index as u64;
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let value: Value = serde_json::from_slice(line).map_err(|error| {
            let message = format!("line {number} is not JSON (column {})", error.column());
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?;
        let plain = pointer.steps().iter().all(|step| matches!(step, Step::Key(_)));
        strings(&value, pointer.steps(), &mut String::new(), &mut |at, field, string| {
            found.clear();
            engine.scan(string.as_bytes(), Context { field }, &mut found);
            hits.extend(found.iter().map(|finding| Hit {
                line: number,
                start: finding.start as u64,
                end: finding.end as u64,
                rule: finding.rule,
                pointer: (!plain).then(|| at.to_owned()),
            }));
        });
    }
    Ok(hits)
}

/// Visits every string at a place.
fn strings(value: &Value, steps: &[Step], at: &mut String, visit: &mut impl FnMut(&str, Option<&str>, &str)) {
    let Some((step, rest)) = steps.split_first() else {
        if let Value::String(string) = value {
            let field =
                at.rsplit('/').find(|key| key.parse::<usize>().is_err()).filter(|key| !key.is_empty());
            visit(at, field, string);
        }
        return;
    };
    if *step == Step::Deep {
        strings(value, rest, at, visit);
    }
    let mut into = |key: &str, child: &Value| {
        let next = match step {
            Step::Key(wanted) if **wanted != *key => return,
            Step::Key(_) | Step::Any => rest,
            Step::Deep => steps,
        };
        let length = at.len();
        at.push('/');
        at.push_str(key);
        strings(child, next, at, visit);
        at.truncate(length);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, child)| into(key, child)),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, child)| into(&i.to_string(), child)),
        _ => {}
    }
}
