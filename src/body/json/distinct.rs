//! Keys that were replaced stay different keys: two addresses in one object must not become one member.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::body::Job;
use crate::reason::{Reason, Refusal};

/// Most keys of open objects that are kept in mind.
const MOST: usize = 1 << 16;

/// The replaced keys of the objects that are open, and those that could be taken for one.
#[derive(Debug, Default)]
pub(super) struct Distinct {
    /// By depth, and by the key's hash: the number that the key's next namesake gets.
    open: Vec<(usize, HashMap<u64, u32>)>,
    count: usize,
}

impl Distinct {
    /// The container at this depth is closed.
    #[inline]
    pub(super) fn leave(&mut self, depth: usize) {
        if let Some((_, names)) = self.open.pop_if(|(at, _)| *at >= depth) {
            self.count -= names.len();
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.open.clear();
        self.count = 0;
    }

    /// Bytes in memory, roughly.
    pub(super) fn held(&self) -> usize {
        self.count * 16
    }

    /// Takes note of a key as it goes out. If it stands in the object already, what has to follow it.
    pub(super) fn add(&mut self, job: &Job, depth: usize, key: &[u8]) -> Result<Option<String>, Refusal> {
        if self.count >= MOST {
            return Err(job.refuse(Reason::RecordTooLarge).detail("too many keys that are findings"));
        }
        if self.open.last().is_none_or(|(at, _)| *at < depth) {
            self.open.push((depth, HashMap::new()));
        }
        let Some((_, names)) = self.open.last_mut() else { return Ok(None) };
        let before = names.len();
        let suffix = Self::suffix(names, key);
        self.count += names.len() - before;
        Ok(suffix)
    }

    fn suffix(names: &mut HashMap<u64, u32>, key: &[u8]) -> Option<String> {
        let mut next = match names.entry(hash(key, "")) {
            Entry::Vacant(entry) => {
                entry.insert(2);
                return None;
            }
            Entry::Occupied(entry) => *entry.get(),
        };
        loop {
            let suffix = format!("#{next}");
            next = next.saturating_add(1);
            if names.insert(hash(key, &suffix), 2).is_none() {
                names.insert(hash(key, ""), next);
                return Some(suffix);
            }
        }
    }
}

/// Whether a key that nobody replaced could be what another becomes: a label in brackets, stars, a pseudonym.
pub(super) fn looks_replaced(key: &[u8]) -> bool {
    memchr::memchr2(b'[', b'*', key).is_some()
        || key.array_windows().any(|[a, b]| *b == b'_' && (a.is_ascii_uppercase() || a.is_ascii_digit()))
}

fn hash(key: &[u8], suffix: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(key);
    hasher.write(suffix.as_bytes());
    // So that a key with a suffix is the key that is written so.
    (key.len() + suffix.len()).hash(&mut hasher);
    hasher.finish()
}
