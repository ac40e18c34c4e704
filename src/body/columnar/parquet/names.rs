//! The names of columns: those that were replaced stay different.

use std::collections::HashMap;

/// The paths of a schema so far.
pub(super) struct Names {
    /// For each path: the number that its next namesake gets.
    known: HashMap<Vec<u8>, u64>,
    /// Bytes that they may take.
    left: usize,
}

impl Names {
    pub(super) fn new(most: usize) -> Self {
        Self { known: HashMap::new(), left: most }
    }

    /// Counts bytes of a path. False: there are too many.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes);
        self.left = left.unwrap_or_default();
        left.is_some()
    }

    /// The name, or one like it that does not stand in the group yet, if it was replaced.
    pub(super) fn distinct(&mut self, group: &[Vec<u8>], name: &[u8], replaced: bool) -> Vec<u8> {
        let full = |name: &[u8]| [&group.concat(), &b"\0"[..], name].concat();
        let plain = full(name);
        let mut own = name.to_vec();
        if let Some(first) = self.known.get(&plain).copied().filter(|_| replaced) {
            let mut number = first;
            while self.known.contains_key(&full(&own)) {
                own = [name, format!("-{number}").as_bytes()].concat();
                number += 1;
            }
            self.known.insert(plain, number);
        }
        self.known.entry(full(&own)).or_insert(2);
        own
    }
}
