//! The values of an exchange that stand for others of their format.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::fpe::Cipher;
use super::super::validate::Validator;
use super::{Named, RESTORABLE_MAX};

/// Steps of the cipher that one exchange has. A value takes one to a few hundred, so this is a second or two at most;
/// afterwards values are redacted.
const STEPS: u32 = 500_000;

pub(super) struct Formats {
    ciphers: HashMap<Arc<str>, Option<Cipher>>,
    /// What was tried already, successful or not.
    others: HashMap<Named, Option<Box<[u8]>>>,
    /// The letters and digits of what went up, and those of what they stand for.
    originals: HashMap<Box<[u8]>, Box<[u8]>>,
    /// The originals as they were written.
    written: Vec<Box<[u8]>>,
    steps: u32,
}

impl Default for Formats {
    fn default() -> Self {
        Self {
            ciphers: HashMap::new(),
            others: HashMap::new(),
            originals: HashMap::new(),
            written: Vec::new(),
            steps: STEPS,
        }
    }
}

impl Formats {
    /// Is there anything to restore?
    pub(super) fn is_empty(&self) -> bool {
        self.originals.is_empty()
    }

    /// Another value of the same format.
    pub(super) fn other(
        &mut self,
        entity: &Arc<str>,
        original: &[u8],
        validator: Option<Validator>,
        key: impl FnOnce() -> Option<[u8; 32]>,
    ) -> Option<Vec<u8>> {
        let named = (Arc::clone(entity), Box::from(original));
        if let Some(known) = self.others.get(&named) {
            return known.as_deref().map(<[u8]>::to_vec);
        }
        let cipher = self.ciphers.entry(Arc::clone(entity));
        let cipher = cipher.or_insert_with(|| key().and_then(|key| Cipher::new(&key))).as_ref()?;
        let other = cipher.replace(entity, original, validator, &mut self.steps);
        // Of two entities the values could meet; then one of them could not be told from the other on the way back.
        let other = other.filter(|other| {
            let known = self.originals.get(&*letters(other));
            known.is_none_or(|known| **known == *letters(original))
        });
        if self.others.len() < RESTORABLE_MAX {
            self.others.insert(named, other.as_deref().map(Box::from));
        }
        other
    }

    /// Remembers what a value stands for, so that it can be restored.
    pub(super) fn remember(&mut self, original: &[u8], other: &[u8]) {
        if self.originals.len() < RESTORABLE_MAX {
            let new = self.originals.insert(letters(other), letters(original)).is_none();
            if new {
                self.written.push(Box::from(original));
            }
        }
    }

    /// What was encrypted, as it was written first.
    pub(super) fn originals(&self) -> impl Iterator<Item = Vec<u8>> {
        self.written.iter().map(|original| original.to_vec())
    }

    /// What this value stands for, written as this value is: with its separators.
    pub(super) fn restored(&self, found: &[u8]) -> Option<Vec<u8>> {
        if self.originals.is_empty() {
            return None;
        }
        let original = self.originals.get(&*letters(found))?;
        let mut letters = original.iter();
        let restored = found.iter().map(|byte| match byte.is_ascii_alphanumeric() {
            true => letters.next().copied().unwrap_or(*byte),
            false => *byte,
        });
        Some(restored.collect())
    }
}

/// A value without what separates its parts, in upper case.
fn letters(value: &[u8]) -> Box<[u8]> {
    value.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_uppercase).collect()
}
