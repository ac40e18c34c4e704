//! How random does a text look?
//!
//! A secret in an assignment has no prefix to know it by, so its looks decide: entropy, how often the class of its
//! characters changes, and how often two letters follow each other that do so in words.

use super::placeholder::{
    holds_marker, is_constant, is_placeholder, is_reference, is_run, is_version_or_date,
};

/// Shannon entropy of the bytes, in bits a byte: 0 for one byte repeated, at most log2 of the length.
#[must_use]
pub fn entropy(text: &[u8]) -> f32 {
    if text.is_empty() {
        return 0.0;
    }
    let mut counts = [0_u32; 256];
    for byte in text {
        counts[usize::from(*byte)] += 1;
    }
    let len = text.len() as f32;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| *count as f32 / len)
        .map(|share| -share * share.log2())
        .sum()
}

/// Row by first letter, bit by second: the 275 pairs that make up 93 % of the pairs in the words of English
/// documentation and code (counted over Debian's documentation and Python's library).
const PAIRS: [u32; 26] = [
    0x13e_bd4e, 0x016_4b11, 0x01e_4d95, 0x016_4919, 0x1ff_f97f, 0x01e_4931, 0x016_6991, 0x01a_4111,
    0x2ae_f87f, 0x000_0010, 0x004_4111, 0x11c_4939, 0x014_d913, 0x03c_ed7d, 0x07e_fd6f, 0x11e_c991,
    0x010_0000, 0x13e_fd7d, 0x11c_fd95, 0x15e_f9bd, 0x00e_b97f, 0x000_0111, 0x002_4191, 0x00c_8010,
    0x00c_a800, 0x000_0110,
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Lower,
    Upper,
    Digit,
    Symbol,
}

pub(super) fn class(byte: u8) -> Class {
    match byte {
        b'a'..=b'z' => Class::Lower,
        b'A'..=b'Z' => Class::Upper,
        b'0'..=b'9' => Class::Digit,
        _ => Class::Symbol,
    }
}

/// What a text is made of.
pub(super) struct Looks {
    pub(super) lower: usize,
    pub(super) upper: usize,
    pub(super) digits: usize,
    /// `_`, `-`, `.`, `/`, `:`, space: what joins the parts of names.
    joints: usize,
    symbols: usize,
    /// Changes between lower, upper and digits; the capital that begins a word is none.
    changes: usize,
    pairs: usize,
    common: usize,
}

pub(super) fn looks(text: &[u8]) -> Looks {
    let mut looks =
        Looks { lower: 0, upper: 0, digits: 0, joints: 0, symbols: 0, changes: 0, pairs: 0, common: 0 };
    let mut before: Option<u8> = None;
    for &byte in text {
        match class(byte) {
            Class::Lower => looks.lower += 1,
            Class::Upper => looks.upper += 1,
            Class::Digit => looks.digits += 1,
            Class::Symbol if b"_-./: ".contains(&byte) => looks.joints += 1,
            Class::Symbol => looks.symbols += 1,
        }
        if let Some(before) = before {
            let (one, two) = (class(before), class(byte));
            let plain = one != Class::Symbol && two != Class::Symbol;
            if plain && one != two && !(one == Class::Upper && two == Class::Lower) {
                looks.changes += 1;
            }
            if before.is_ascii_alphabetic() && byte.is_ascii_alphabetic() {
                let row = PAIRS[usize::from(before.to_ascii_lowercase() - b'a') % 26];
                looks.pairs += 1;
                looks.common += (row >> (byte.to_ascii_lowercase() - b'a') & 1) as usize;
            }
        }
        before = Some(byte);
    }
    looks
}

impl Looks {
    fn letters(&self) -> usize {
        self.lower + self.upper
    }

    fn total(&self) -> usize {
        self.letters() + self.digits + self.joints + self.symbols
    }

    /// Letters of both cases, and digits in four places or more: no words, however its letters fall.
    fn scattered(&self, text: &[u8]) -> bool {
        let groups = text.chunk_by(|one, two| one.is_ascii_digit() == two.is_ascii_digit());
        self.lower > 0
            && self.upper > 0
            && groups.filter(|group| group.first().is_some_and(u8::is_ascii_digit)).count() > 3
    }

    /// Does it read like words: pairs of letters that words have, in runs?
    pub(super) fn wordlike(&self) -> bool {
        self.pairs >= 3 && self.common * 100 >= self.pairs * 78 && self.changes * 100 < self.total() * 30
    }
}

/// Has a digit: most random tokens do, words don't.
pub(super) fn has_digit(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit)
}

/// Digits and letters both, and no placeholder.
pub(super) fn mixed(text: &[u8]) -> bool {
    let looks = looks(text);
    let hexadecimal = text.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    looks.digits > 0
        && looks.letters() > 0
        && (hexadecimal || !looks.wordlike())
        && !is_run(text)
        && !holds_marker(text)
}

/// Lower, upper and digits, and not words: a token in base 62 or 64 that has no prefix of its own.
pub(crate) fn token_like(text: &[u8]) -> bool {
    let looks = looks(text);
    looks.lower > 0
        && looks.upper > 0
        && looks.digits > 0
        && !looks.wordlike()
        && !is_run(text)
        && !holds_marker(text)
}

/// What could be the value of a key, token or secret: random, and no name, path, version, date or number.
pub(crate) fn key_like(text: &[u8]) -> bool {
    let looks = looks(text);
    let len = text.len();
    if len < 8
        || (looks.digits == 0 && looks.symbols < 3 && (len < 20 || looks.upper < 4 || looks.lower < 4))
        || text.contains(&b' ')
        || is_placeholder(text)
        || is_reference(text)
        || is_constant(text)
    {
        return false;
    }
    let hexadecimal = text.iter().all(u8::is_ascii_hexdigit);
    if looks.letters() == 0 && looks.symbols < 2 {
        return false;
    }
    if hexadecimal {
        return len >= 12 && looks.digits > 0 && entropy(text) > 2.5;
    }
    if is_uuid(text) {
        return true;
    }
    let strong_symbols = looks.symbols - text.iter().filter(|byte| b"+=~".contains(byte)).count();
    if strong_symbols > 0 {
        return password_like(text) && (looks.digits > 0 || strong_symbols > 2);
    }
    let random = (!looks.wordlike() || (len > 23 && looks.scattered(text))) && !is_version_or_date(text);
    let enough = match len {
        0..=11 => looks.digits > 1 && looks.changes > 2 && entropy(text) > 2.7,
        12..=19 => looks.digits > 0 && looks.changes > 1 && entropy(text) > 2.9,
        _ => entropy(text) > 3.1 && (looks.digits > 0 || (looks.upper > 3 && looks.lower > 3)),
    };
    random && enough
}

/// What could be a password that somebody chose or a program made: two classes of characters or more, and no name,
/// template, path or word.
pub(crate) fn password_like(text: &[u8]) -> bool {
    let looks = looks(text);
    let len = text.len();
    let name = looks.symbols == 0 && looks.digits == 0;
    // Letters and joints only: a name, unless it can't be read.
    let unreadable = looks.letters() >= 8
        && looks.upper > 1
        && looks.lower > 1
        && looks.pairs >= 5
        && looks.common * 100 < looks.pairs * 60
        && looks.joints < 2;
    if len < 5
        || (name && !unreadable)
        || text.contains(&b' ')
        || is_placeholder(text)
        || is_reference(text)
        || is_version_or_date(text)
        || is_constant(text)
    {
        return false;
    }
    if name {
        return true;
    }
    if looks.letters() == 0 && looks.symbols == 0 {
        return (6..=16).contains(&len) && looks.joints == 0;
    }
    let closing = text.iter().filter(|byte| b"(){}[]<>;,'\"`|\\".contains(byte)).count();
    if closing > 1 && (looks.digits == 0 || closing * 4 > len) {
        return false;
    }
    if looks.symbols == 0 {
        return looks.letters() + looks.digits > 4;
    }
    looks.letters() + looks.digits >= 3
}

/// Eight, four, four, four and twelve hexadecimal digits.
pub(super) fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
