//! What arrived, as an independent witness: every request with its headers, the hash of its body,
//! the beginning of its text, and which of the watched values were seen anywhere in it.
//!
//! Watched values are looked for in all bytes of a body however long it is, also across pieces, and
//! in the request line and the headers.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aho_corasick::AhoCorasick;
use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;
use http::HeaderMap;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::call::{Call, Fields};
use super::reply::{Answer, Fault};

/// How many requests are remembered.
const MOST_ENTRIES: usize = 20_000;
/// How many bytes of text all entries may hold together; the oldest entries lose theirs first.
const MOST_TEXT: usize = 64 * 1024 * 1024;
/// How many values can be watched, and how long one may be.
const MOST_NEEDLES: usize = 100_000;
const LONGEST_NEEDLE: usize = 4096;

/// The journal.
pub(super) struct Journal {
    text_limit: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    entries: VecDeque<Entry>,
    next: u64,
    text: usize,
    watch: Arc<Watch>,
}

struct Entry {
    number: u64,
    line: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Body,
}

#[derive(Default)]
struct Body {
    bytes: u64,
    sha256: String,
    text: Vec<u8>,
    complete: bool,
    seen: BTreeSet<usize>,
    watch: Arc<Watch>,
}

#[derive(Default)]
struct Watch {
    needles: Vec<String>,
    machine: Option<AhoCorasick>,
    longest: usize,
}

impl Watch {
    fn new(needles: BTreeSet<String>) -> Result<Self, Fault> {
        let bad = needles.len() > MOST_NEEDLES
            || needles.iter().any(|each| !(4..=LONGEST_NEEDLE).contains(&each.len()));
        if bad {
            return Err(Fault::invalid(
                "too many values to watch, or one is shorter than 4 bytes or too long",
            ));
        }
        let needles: Vec<_> = needles.into_iter().collect();
        let machine = AhoCorasick::new(&needles).map_err(|problem| Fault::invalid(problem.to_string()))?;
        let longest = needles.iter().map(String::len).max().unwrap_or_default();
        Ok(Self { machine: (!needles.is_empty()).then_some(machine), needles, longest })
    }

    fn find(&self, bytes: &[u8], seen: &mut BTreeSet<usize>) {
        if let Some(machine) = &self.machine {
            seen.extend(machine.find_overlapping_iter(bytes).map(|hit| hit.pattern().as_usize()));
        }
    }
}

impl Journal {
    pub(super) fn new(text_limit: usize) -> Self {
        Self { text_limit, inner: Mutex::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request's head; its body goes through the tap that is returned.
    pub(super) fn begin(self: &Arc<Self>, parts: &Parts) -> Tap {
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let line = format!("{} {target} {:?}", parts.method, parts.version);
        let headers = shown(&parts.headers);
        let mut inner = self.inner();
        let watch = Arc::clone(&inner.watch);
        let mut seen = BTreeSet::new();
        watch.find(line.as_bytes(), &mut seen);
        watch.find(&percent_decode_str(target).collect::<Vec<_>>(), &mut seen);
        for (name, value) in &headers {
            watch.find(format!("{name}: {value}").as_bytes(), &mut seen);
        }
        let number = inner.next;
        inner.next += 1;
        let body = Body { seen, watch: Arc::clone(&watch), ..Body::default() };
        inner.entries.push_back(Entry { number, line, path: parts.uri.path().to_owned(), headers, body });
        if inner.entries.len() > MOST_ENTRIES {
            let gone = inner.entries.pop_front().map_or(0, |entry| entry.body.text.len());
            inner.text -= gone;
        }
        Tap {
            journal: Arc::clone(self),
            number,
            bytes: 0,
            hash: Context::new(&SHA256),
            text: Vec::new(),
            watch,
            seen: BTreeSet::new(),
            carried: Vec::new(),
            complete: false,
        }
    }

    fn end(&self, number: u64, body: Body) {
        let mut inner = self.inner();
        let Some(first) = inner.entries.front().map(|entry| entry.number) else { return };
        let place = number.checked_sub(first).and_then(|place| usize::try_from(place).ok());
        let length = body.text.len();
        let Some(entry) = place.and_then(|place| inner.entries.get_mut(place)) else { return };
        let mut body = body;
        body.seen.append(&mut entry.body.seen);
        entry.body = body;
        inner.text += length;
        let mut oldest = 0;
        while inner.text > MOST_TEXT {
            let Some(entry) = inner.entries.get_mut(oldest) else { break };
            let freed = std::mem::take(&mut entry.body.text).len();
            inner.text -= freed;
            oldest += 1;
        }
    }

    /// `GET`: entries, oldest first, `?after=<number>&path=<prefix>&limit=`. `DELETE`: forgets them.
    pub(super) fn read(&self, call: &Call) -> Value {
        let number = |name| call.query(name).and_then(|text| text.parse::<u64>().ok());
        self.entries(number("after"), call.query("path").unwrap_or_default(), number("limit").unwrap_or(1000))
    }

    /// Entries after a number whose path begins so, at most `limit`.
    pub(super) fn entries(&self, after: Option<u64>, prefix: &str, limit: u64) -> Value {
        let inner = self.inner();
        let wanted =
            |entry: &&Entry| after.is_none_or(|after| entry.number > after) && entry.path.starts_with(prefix);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let entries: Vec<_> = inner.entries.iter().filter(wanted).take(limit).map(Entry::described).collect();
        json!({"entries": entries, "next": inner.next})
    }

    pub(super) fn forget(&self) {
        let mut inner = self.inner();
        inner.entries.clear();
        inner.text = 0;
    }

    /// Adds values to watch for, in every request that begins from now on.
    pub(super) async fn watch(&self, call: &mut Call) -> Answer {
        let asked = call.json().await?.copy("needles");
        let asked = asked.as_array().ok_or_else(|| Fault::invalid("needles: a list of strings"))?;
        let asked: Vec<_> = asked.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Ok(json!({"watched": self.watch_for(&asked)?}).into())
    }

    /// Adds values; gives how many are watched for.
    pub(super) fn watch_for(&self, values: &[String]) -> Result<usize, Fault> {
        let mut needles: BTreeSet<String> = values.iter().cloned().collect();
        let current = Arc::clone(&self.inner().watch);
        needles.extend(current.needles.iter().cloned());
        let watch = Arc::new(Watch::new(needles)?);
        let count = watch.needles.len();
        self.inner().watch = watch;
        Ok(count)
    }
}

impl Entry {
    fn described(&self) -> Value {
        let body = &self.body;
        let seen: Vec<_> = body.seen.iter().filter_map(|each| body.watch.needles.get(*each)).collect();
        json!({
            "number": self.number, "line": self.line, "path": self.path, "headers": self.headers,
            "bytes": body.bytes, "sha256": body.sha256, "complete": body.complete, "seen": seen,
            "text": String::from_utf8_lossy(&body.text), "cut": body.text.len() as u64 != body.bytes,
        })
    }
}

fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}

/// Sees a body's bytes go by.
pub(super) struct Tap {
    journal: Arc<Journal>,
    number: u64,
    bytes: u64,
    hash: Context,
    text: Vec<u8>,
    watch: Arc<Watch>,
    seen: BTreeSet<usize>,
    carried: Vec<u8>,
    complete: bool,
}

impl Tap {
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        self.hash.update(piece);
        let room = self.journal.text_limit.saturating_sub(self.text.len()).min(piece.len());
        self.text.extend_from_slice(&piece[..room]);
        if self.watch.machine.is_none() {
            return;
        }
        self.carried.extend_from_slice(piece);
        self.watch.find(&self.carried, &mut self.seen);
        let surplus = self.carried.len().saturating_sub(self.watch.longest - 1);
        self.carried.drain(..surplus);
    }

    /// The body came to its end.
    pub(super) fn ended(&mut self) {
        self.complete = true;
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        let body = Body {
            bytes: self.bytes,
            sha256: HEXLOWER.encode(self.hash.clone().finish().as_ref()),
            text: std::mem::take(&mut self.text),
            complete: self.complete,
            seen: std::mem::take(&mut self.seen),
            watch: Arc::clone(&self.watch),
        };
        self.journal.end(self.number, body);
    }
}
