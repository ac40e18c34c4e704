//! Owners of warm ids, in bounded memory, answered without waiting and without allocation.
//!
//! Each shard has two generations: new entries go to the young one; when it is full it becomes the old one, and what
//! was old and not asked for since is forgotten. A shard is locked for the time of one look-up.
//!
//! An entry may be put in by a reader that looked before somebody changed the row. So a reader takes a [`Ticket`]
//! before it looks, and every change makes the shard's tickets void.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::types::Owned;
use crate::names::{Kind, UpstreamId};

const SHARDS: usize = 64;

/// The key's hash is the map's key: two keys of one hash push each other out, and each is compared in full.
#[derive(Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

type Generation = HashMap<u64, Entry, BuildHasherDefault<Identity>>;

struct Entry {
    upstream: UpstreamId,
    kind: Kind,
    id: Box<str>,
    owned: Owned,
}

impl Entry {
    fn is(&self, key: Key<'_>) -> bool {
        *self.id == *key.id && self.kind == *key.kind && self.upstream == *key.upstream
    }
}

#[derive(Default)]
struct Shard {
    young: Generation,
    old: Generation,
    changes: u64,
}

/// A key by reference.
#[derive(Clone, Copy)]
pub(super) struct Key<'a> {
    pub(super) upstream: &'a UpstreamId,
    pub(super) kind: &'a Kind,
    pub(super) id: &'a str,
}

impl Key<'_> {
    fn hash(self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.upstream.as_str().hash(&mut hasher);
        self.kind.as_str().hash(&mut hasher);
        self.id.hash(&mut hasher);
        hasher.finish()
    }
}

/// The right to put in what was read since.
#[derive(Clone, Copy)]
pub(super) struct Ticket {
    changes: u64,
}

/// The warm owners.
pub(super) struct Cache {
    shards: Vec<Mutex<Shard>>,
    /// Entries of one generation of one shard.
    half: usize,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Cache {
    /// A cache for about `entries` owners (never more than that, rounded up to a multiple of the shards).
    pub(super) fn new(entries: usize) -> Self {
        let half = entries.div_ceil(2 * SHARDS);
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, half, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        // The map uses the low bits (bucket) and the top seven (tag): the shard takes others.
        let index = usize::try_from((hash >> 40) % SHARDS as u64).unwrap_or(0);
        // A panic while the lock was held can't leave a wrong entry: each is written whole.
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The owner, if it is warm.
    pub(super) fn get(&self, key: Key<'_>) -> Option<Owned> {
        let hash = key.hash();
        let found = {
            let mut shard = self.shard(hash);
            match shard.young.get(&hash) {
                Some(entry) => entry.is(key).then(|| entry.owned.clone()),
                None => shard.old.remove(&hash).filter(|entry| entry.is(key)).map(|entry| {
                    let owned = entry.owned.clone();
                    self.put(&mut shard, hash, entry);
                    owned
                }),
            }
        };
        let counter = if found.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    fn put(&self, shard: &mut Shard, hash: u64, entry: Entry) {
        if shard.young.len() >= self.half && !shard.young.contains_key(&hash) {
            shard.old = std::mem::take(&mut shard.young);
        }
        if self.half > 0 {
            shard.young.insert(hash, entry);
        }
    }

    /// To be taken before the row is read.
    pub(super) fn ticket(&self, key: Key<'_>) -> Ticket {
        Ticket { changes: self.shard(key.hash()).changes }
    }

    /// Keeps what was read, unless something changed since the ticket was taken. Ended owners are not kept.
    pub(super) fn learn(&self, key: Key<'_>, owned: &Owned, ticket: Ticket) {
        let hash = key.hash();
        let mut shard = self.shard(hash);
        if shard.changes == ticket.changes {
            self.keep(&mut shard, hash, key, owned);
        }
    }

    /// A change of the row is on the disk: all tickets are void, and the entry is the new one or none.
    pub(super) fn change(&self, key: Key<'_>, owned: Option<&Owned>) {
        let hash = key.hash();
        let mut shard = self.shard(hash);
        shard.changes += 1;
        shard.young.remove(&hash);
        shard.old.remove(&hash);
        if let Some(owned) = owned {
            self.keep(&mut shard, hash, key, owned);
        }
    }

    fn keep(&self, shard: &mut Shard, hash: u64, key: Key<'_>, owned: &Owned) {
        if !owned.ended {
            let (upstream, kind) = (key.upstream.clone(), key.kind.clone());
            self.put(shard, hash, Entry { upstream, kind, id: key.id.into(), owned: owned.clone() });
        }
    }

    /// Hits, misses and entries.
    pub(super) fn numbers(&self) -> (u64, u64, u64) {
        let count = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.young.len() + shard.old.len()
        };
        let entries: usize = self.shards.iter().map(count).sum();
        (
            self.hits.load(Ordering::Relaxed),
            self.misses.load(Ordering::Relaxed),
            u64::try_from(entries).unwrap_or(u64::MAX),
        )
    }
}
