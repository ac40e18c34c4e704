//! What is kept of a file: all of it up to a bound, else its length, hash, head and tail.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::digest::{Context, SHA256};
use bytes::{Bytes, BytesMut};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

/// How many bytes of the beginning and of the end are always kept.
const ENDS: usize = 256;

/// How much memory all that is kept may take together.
#[derive(Clone)]
pub(super) struct Budget {
    left: Arc<AtomicUsize>,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Self { left: Arc::new(AtomicUsize::new(bytes)) }
    }

    /// Room for `bytes`, until the guard goes.
    pub(super) fn reserve(&self, bytes: usize) -> Option<Kept> {
        let mut kept = Kept { budget: self.clone(), bytes: 0 };
        kept.grow(bytes).then_some(kept)
    }
}

/// Room in a [`Budget`], given back on drop.
pub(super) struct Kept {
    budget: Budget,
    bytes: usize,
}

impl Kept {
    fn grow(&mut self, bytes: usize) -> bool {
        let took = self
            .budget
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes))
            .is_ok();
        if took {
            self.bytes += bytes;
        }
        took
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.budget.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

/// A file's content.
#[derive(Clone)]
pub(super) struct Content {
    /// All of it, if that is not too much.
    pub(super) bytes: Option<Bytes>,
    pub(super) length: u64,
    sha256: String,
    head: Bytes,
    tail: Bytes,
    _kept: Arc<Kept>,
}

impl Content {
    /// The description on the control side. The hash is empty for pieces that were joined unkept.
    pub(super) fn described(&self) -> Value {
        json!({
            "bytes": self.length, "sha256": self.sha256, "kept": self.bytes.is_some(),
            "head": String::from_utf8_lossy(&self.head), "tail": String::from_utf8_lossy(&self.tail),
        })
    }

    /// Content that is made here.
    pub(super) fn of(bytes: &[u8], budget: &Budget) -> Self {
        let mut sink = Sink::new(bytes.len(), budget);
        sink.push(bytes);
        sink.finish()
    }

    /// Pieces put together in this order; kept only if every one is.
    pub(super) fn joined(pieces: &[Self], keep: usize, budget: &Budget) -> Self {
        let mut sink = Sink::new(keep, budget);
        if pieces.iter().all(|piece| piece.bytes.is_some()) {
            for bytes in pieces.iter().filter_map(|piece| piece.bytes.as_ref()) {
                sink.push(bytes);
            }
            return sink.finish();
        }
        let end =
            |piece: Option<&Self>, which: fn(&Self) -> &Bytes| piece.map(which).cloned().unwrap_or_default();
        Self {
            bytes: None,
            length: pieces.iter().map(|piece| piece.length).sum(),
            sha256: String::new(),
            head: end(pieces.first(), |piece| &piece.head),
            tail: end(pieces.last(), |piece| &piece.tail),
            _kept: Arc::new(sink.kept),
        }
    }
}

/// Takes a content piece by piece.
pub(super) struct Sink {
    keep: usize,
    kept: Kept,
    bytes: Option<BytesMut>,
    length: u64,
    hash: Context,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Sink {
    /// Keeps the whole if it is no longer than `keep` bytes and the budget has room.
    pub(super) fn new(keep: usize, budget: &Budget) -> Self {
        Self {
            keep,
            kept: Kept { budget: budget.clone(), bytes: 0 },
            bytes: Some(BytesMut::new()),
            length: 0,
            hash: Context::new(&SHA256),
            head: Vec::new(),
            tail: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, piece: &[u8]) {
        self.length += piece.len() as u64;
        self.hash.update(piece);
        let room = ENDS.saturating_sub(self.head.len()).min(piece.len());
        self.head.extend_from_slice(&piece[..room]);
        self.tail.extend_from_slice(&piece[piece.len().saturating_sub(ENDS)..]);
        let surplus = self.tail.len().saturating_sub(ENDS);
        self.tail.drain(..surplus);
        let Some(bytes) = &mut self.bytes else { return };
        if bytes.len() + piece.len() <= self.keep && self.kept.grow(piece.len()) {
            bytes.extend_from_slice(piece);
        } else {
            self.bytes = None;
            self.kept = Kept { budget: self.kept.budget.clone(), bytes: 0 };
        }
    }

    pub(super) fn finish(self) -> Content {
        Content {
            bytes: self.bytes.map(BytesMut::freeze),
            length: self.length,
            sha256: HEXLOWER.encode(self.hash.finish().as_ref()),
            head: self.head.into(),
            tail: self.tail.into(),
            _kept: Arc::new(self.kept),
        }
    }
}
