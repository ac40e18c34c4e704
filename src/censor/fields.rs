//! Field names that make their whole value a finding.

use std::collections::HashMap;

use super::filter::is_separator;

/// Longest field name that is looked at, in bytes; the end of a longer one counts.
const NAME_MAX: usize = 128;

/// A name in lower case and without separators, and the rule that it is for.
type Name = (Box<[u8]>, u16);

/// Rules by the end of a field's name.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// By the hash of the name, read from its end, in lower case and without separators.
    names: HashMap<u64, Vec<Name>>,
    /// Bit n: there is a name of n bytes; the last bit: or longer.
    lengths: u64,
}

impl Fields {
    /// Adds a name for a rule.
    pub(super) fn add(&mut self, name: &str, rule: u16) {
        let bare: Box<[u8]> =
            name.bytes().filter(|b| !is_separator(*b)).map(|b| b.to_ascii_lowercase()).collect();
        if bare.is_empty() {
            return;
        }
        self.lengths |= 1 << bare.len().min(63);
        let hash = bare.iter().rev().fold(SEED, |hash, byte| step(hash, *byte));
        self.names.entry(hash).or_default().push((bare, rule));
    }

    /// Rules for a field of that name: it is one of theirs, or ends with one that begins a word of it.
    pub(super) fn matching<'a>(&'a self, field: &'a str) -> impl Iterator<Item = u16> + 'a {
        let mut hash = SEED;
        let mut len = 0_usize;
        let bytes = field.as_bytes();
        let lengths = self.lengths;
        let ends = bytes.iter().enumerate().rev().filter(|(_, b)| !is_separator(**b)).take(NAME_MAX);
        let ends = ends.take(if lengths == 0 { 0 } else { NAME_MAX });
        let candidates = ends.filter_map(move |(index, byte)| {
            hash = step(hash, byte.to_ascii_lowercase());
            len += 1;
            let known = lengths >> len.min(63) & 1 == 1;
            (known && begins_word(bytes, index)).then_some((hash, index))
        });
        candidates.flat_map(move |(hash, index)| {
            let rules = self.names.get(&hash).map(Vec::as_slice).unwrap_or_default();
            rules
                .iter()
                .filter(move |(name, _)| is_name(bytes.get(index..).unwrap_or_default(), name))
                .map(|(_, rule)| *rule)
        })
    }

    /// Are there none?
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// FNV-1a's numbers.
const SEED: u64 = 0xcbf2_9ce4_8422_2325;

const fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ byte as u64).wrapping_mul(0x0100_0000_01b3)
}

/// Does a word of the name begin here: at its start, behind a separator, at a hump of `camelCase`?
fn begins_word(name: &[u8], at: usize) -> bool {
    match at.checked_sub(1).and_then(|i| name.get(i)) {
        None => true,
        Some(before) if before.is_ascii_alphabetic() => {
            name.get(at).is_some_and(u8::is_ascii_uppercase) && before.is_ascii_lowercase()
        }
        Some(_) => true,
    }
}

fn is_name(tail: &[u8], name: &[u8]) -> bool {
    tail.iter().filter(|b| !is_separator(**b)).map(u8::to_ascii_lowercase).eq(name.iter().copied())
}
