//! What speaks against a value that has the right shape: check digits, entropy, allow-lists, missing context.

use aho_corasick::AhoCorasick;
use regex::bytes::RegexSet;

use super::bytes::is_escape;
use super::confirm::View;
use super::rules::{Checksum, ContextMode};
use super::validate::Validator;

/// A rule's conditions beside its shape.
#[derive(Debug, Default)]
pub(super) struct Filter {
    pub(super) min_entropy: Option<f32>,
    pub(super) validator: Option<(Validator, Checksum)>,
    pub(super) context: Option<Context>,
    pub(super) allow: Option<RegexSet>,
    pub(super) stop_words: Option<AhoCorasick>,
}

/// Words before a value.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) words: AhoCorasick,
    /// The words without what separates their parts, for field names.
    pub(super) names: AhoCorasick,
    pub(super) window: usize,
    pub(super) mode: ContextMode,
}

/// What speaks against a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Objection {
    /// Its check fails.
    Validator,
    /// It has so many bits a byte only.
    Entropy(f32),
    /// No word stands before it.
    Context,
    /// It holds a word that secrets don't have.
    StopWord,
    /// An expression of the allow-list matches: the first of them by number.
    Allow(usize),
}

impl Filter {
    /// Is the value a finding? `start` is where the match begins, lead included.
    pub(super) fn passes(&self, view: &View<'_>, start: usize, value: &[u8]) -> bool {
        self.objection(view, start, value).is_none()
    }

    /// What speaks against the value, if anything does.
    pub(super) fn objection(&self, view: &View<'_>, start: usize, value: &[u8]) -> Option<Objection> {
        let checked = self.validator.map(|(validator, mode)| (validator(value), mode));
        let proven = checked == Some((true, Checksum::Boost));
        let (spoken, silent) = match &self.context {
            None => (false, false),
            Some(context) => match (context.present(view, start), context.mode) {
                (true, ContextMode::Boost) => (true, false),
                (false, ContextMode::Required) => (false, true),
                _ => (false, false),
            },
        };
        if checked == Some((false, Checksum::Gate)) && !spoken {
            return Some(Objection::Validator);
        }
        if let Some(least) = self.min_entropy.filter(|_| !proven && !spoken) {
            let bits = entropy(value);
            if bits < least {
                return Some(Objection::Entropy(bits));
            }
        }
        if silent && !proven {
            return Some(Objection::Context);
        }
        if !proven && self.stop_words.as_ref().is_some_and(|words| words.is_match(value)) {
            return Some(Objection::StopWord);
        }
        let set = self.allow.as_ref().filter(|set| set.is_match(value))?;
        Some(Objection::Allow(set.matches(value).iter().next().unwrap_or(0)))
    }
}

impl Context {
    fn present(&self, view: &View<'_>, start: usize) -> bool {
        let low = start.saturating_sub(self.window);
        let window = view.text.get(low..start).unwrap_or_default();
        // What stood before a replaced value was further away before it was replaced; so that censoring twice finds
        // nothing new, the look ends at a replacement.
        let window = view.labels.after_last(window);
        let low = start - window.len();
        let words = self.words.find_overlapping_iter(window);
        words
            .map(|found| (low + found.start(), low + found.end()))
            .any(|(from, to)| stands_as_word(view.text, from, to))
            || view.field.is_some_and(|field| self.names_field(field))
    }

    pub(super) fn names_field(&self, field: &str) -> bool {
        let name = Name::of(field);
        self.names.find_overlapping_iter(name.bytes()).any(|found| name.has_word(found.start(), found.end()))
    }
}

/// A context word begins where a word does, a hump of `camelCase` included; one of three bytes or fewer ends where it
/// does, too.
pub(super) fn stands_as_word(text: &[u8], from: usize, to: usize) -> bool {
    let byte = |at: Option<usize>| at.and_then(|at| text.get(at)).copied();
    let hump = |left: u8, right: u8| left.is_ascii_lowercase() && right.is_ascii_uppercase();
    let begins = match (byte(from.checked_sub(1)), byte(Some(from))) {
        (Some(left), Some(right)) if left.is_ascii_alphanumeric() => {
            hump(left, right) || !right.is_ascii() || is_escape(text, from)
        }
        _ => true,
    };
    let short = to - from <= SHORT_WORD;
    let ends = match (byte(to.checked_sub(1)), byte(Some(to))) {
        (Some(left), Some(right)) if short && left.is_ascii_alphanumeric() => {
            hump(left, right) || may_end_word(right)
        }
        _ => true,
    };
    begins && ends
}

/// Can a word have ended before this byte? Scripts without spaces count as another word.
pub(super) const fn may_end_word(byte: u8) -> bool {
    if byte.is_ascii() { !byte.is_ascii_alphanumeric() } else { byte >= 0xe0 }
}

/// Context words of so many bytes must stand alone.
pub(super) const SHORT_WORD: usize = 3;

/// A field's name without what separates its words.
pub(super) struct Name {
    bytes: [u8; Self::MAX],
    /// Bit n: a word begins at byte n.
    starts: u128,
    len: usize,
}

impl Name {
    /// More of a name isn't looked at.
    const MAX: usize = 120;

    pub(super) fn of(field: &str) -> Self {
        let mut name = Self { bytes: [0; Self::MAX], starts: 0, len: 0 };
        let mut before = b'_';
        let behind = field.bytes().skip(1).chain([b'_']);
        for (byte, next) in field.bytes().zip(behind) {
            let begins = is_separator(before) || begins_word(before, byte, next);
            if let Some(slot) = name.bytes.get_mut(name.len).filter(|_| !is_separator(byte)) {
                *slot = byte;
                name.starts |= u128::from(begins) << name.len;
                name.len += 1;
            }
            before = byte;
        }
        name.starts |= 1 << name.len;
        name
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Is this part of the name made of whole words? `cancelled_at` has no `cell`. A plural is the word, too.
    pub(super) fn has_word(&self, from: usize, to: usize) -> bool {
        let begins = |at: usize| self.starts >> at & 1 == 1;
        let plural =
            || self.bytes().get(to).is_some_and(|byte| matches!(byte, b's' | b'S')) && begins(to + 1);
        begins(from) && (begins(to) || plural())
    }
}

/// Does a word begin at the middle one of three bytes of a name, none of which separates? At a hump (`homePhone`, `IDNumber`),
/// where digits begin or end, and at each letter of a script without spaces.
const fn begins_word(before: u8, byte: u8, next: u8) -> bool {
    let upper = byte.is_ascii_uppercase();
    let hump = upper && (!before.is_ascii_uppercase() || next.is_ascii_lowercase());
    hump || before.is_ascii_digit() != byte.is_ascii_digit()
        || byte >= 0xe0
        || (before >= 0x80 && byte < 0x80)
}

/// What parts of a name are joined with.
pub(super) const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'_' | b'-' | b'.' | b' ')
}

/// Shannon entropy in bits a byte.
pub(super) fn entropy(value: &[u8]) -> f32 {
    let mut counts = [0_u16; 256];
    for byte in value {
        counts[usize::from(*byte)] = counts[usize::from(*byte)].saturating_add(1);
    }
    let total = f32::from(u16::try_from(value.len()).unwrap_or(u16::MAX));
    let sum: f32 = counts.iter().filter(|n| **n > 0).map(|n| f32::from(*n) * f32::from(*n).log2()).sum();
    if total > 0.0 { total.log2() - sum / total } else { 0.0 }
}
