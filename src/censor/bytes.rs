//! Sets of bytes, and what may not stand beside a match.

use super::confirm::View;
use super::rules::Boundary;

/// A set of byte values.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    /// Every byte.
    pub(super) const fn all() -> Self {
        Self([u64::MAX; 4])
    }

    /// The bytes that a predicate names.
    pub(super) fn of(test: impl Fn(u8) -> bool) -> Self {
        let mut set = Self::default();
        (0..=u8::MAX).filter(|b| test(*b)).for_each(|b| set.insert(b));
        set
    }

    /// Adds a byte.
    pub(super) fn insert(&mut self, byte: u8) {
        if let Some(word) = self.0.get_mut(usize::from(byte >> 6)) {
            *word |= 1 << (byte & 63);
        }
    }

    /// Is the byte in the set?
    pub(super) const fn contains(&self, byte: u8) -> bool {
        self.0[(byte >> 6) as usize] >> (byte & 63) & 1 == 1
    }

    /// The bytes of both.
    pub(super) fn with(&self, other: &Self) -> Self {
        let mut both = *self;
        both.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine |= theirs);
        both
    }

    /// Is every byte of the other set in this one?
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).all(|(mine, theirs)| theirs & !mine == 0)
    }
}

impl std::fmt::Debug for ByteSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries((0..=u8::MAX).filter(|b| self.contains(*b)).map(char::from)).finish()
    }
}

/// What a look beside a match says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// Nothing forbidden stands there.
    Free,
    /// Something forbidden does.
    Taken,
    /// The text isn't complete, and the answer stands in what is to come.
    Unknown,
}

/// Is the byte in the boundary's set? `Number` needs a second look.
pub(super) const fn member(boundary: Boundary, byte: u8) -> bool {
    match boundary {
        Boundary::None => false,
        Boundary::Digit => byte.is_ascii_digit(),
        Boundary::Alnum | Boundary::Number => byte.is_ascii_alphanumeric(),
        Boundary::Word => byte.is_ascii_alphanumeric() || byte == b'_',
        Boundary::Token => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
        Boundary::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'/' | b'='),
    }
}

const fn joins_digits(byte: u8) -> bool {
    matches!(byte, b'.' | b'-' | b'/')
}

/// Digits between the commas of an amount.
const GROUP: usize = 3;

/// May a match begin behind this byte, as far as one byte can tell?
pub(super) const fn free_before_byte(boundary: Boundary, byte: u8) -> bool {
    !member(boundary, byte) || ends_escape(byte)
}

const fn ends_escape(byte: u8) -> bool {
    matches!(byte, b'n' | b'r' | b't' | b'm' | b'K')
}

/// Does an escape end here that stands for a blank, as in JSON inside a string (`\n`), or that colours a terminal's text?
pub(super) fn is_escape(text: &[u8], at: usize) -> bool {
    let back = |n: usize| at.checked_sub(n).and_then(|i| text.get(i)).copied();
    match back(1) {
        Some(b'n' | b'r' | b't') => back(2) == Some(b'\\'),
        Some(b'm' | b'K') => at.checked_sub(1).is_some_and(|end| is_sequence(text, end)),
        _ => false,
    }
}

/// Does a control sequence (ECMA-48, 5.4), or what stands for one in source and JSON, end here but for its last letter?
fn is_sequence(text: &[u8], end: usize) -> bool {
    const PARAMETERS: usize = 24;
    let before = text.get(end.saturating_sub(PARAMETERS)..end).unwrap_or_default();
    let parameters = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b';' | b':');
    let Some(open) = before.iter().rposition(|byte| !parameters(byte)) else { return false };
    let (before, rest) = before.split_at(open);
    let introducers = [b"\x1b".as_slice(), b"u001b", b"u001B", b"x1b", b"x1B", b"\\033", b"\\e"];
    rest.first() == Some(&b'[') && introducers.iter().any(|introducer| before.ends_with(introducer))
}

/// May a match begin at `start`?
pub(super) fn free_before(boundary: Boundary, view: &View<'_>, start: usize) -> bool {
    let back = |n: usize| start.checked_sub(n).and_then(|i| view.text.get(i)).copied();
    match (boundary, back(1)) {
        (Boundary::None, _) | (_, None) => true,
        (_, Some(byte)) if member(boundary, byte) => is_escape(view.text, start),
        (Boundary::Number, Some(byte)) if joins_digits(byte) => !back(2).is_some_and(|b| b.is_ascii_digit()),
        _ => true,
    }
}

/// May a match end at `end`?
pub(super) fn free_behind(boundary: Boundary, view: &View<'_>, end: usize) -> Beside {
    let missing = if view.complete { Beside::Free } else { Beside::Unknown };
    match (boundary, view.text.get(end)) {
        (Boundary::None, _) => Beside::Free,
        (_, None) => missing,
        (_, Some(byte)) if member(boundary, *byte) => Beside::Taken,
        (Boundary::Number, Some(byte)) if joins_digits(*byte) => match view.text.get(end + 1) {
            None => missing,
            Some(next) if next.is_ascii_digit() => Beside::Taken,
            Some(_) => Beside::Free,
        },
        (Boundary::Number, Some(b',')) => free_behind_comma(view, end),
        _ => Beside::Free,
    }
}

/// A comma joins the groups of an amount, or it and its decimals; elsewhere it ends a cell or an item.
fn free_behind_comma(view: &View<'_>, end: usize) -> Beside {
    let before = view.text.iter().take(end).rev().take(GROUP + 1).take_while(|b| b.is_ascii_digit()).count();
    if before > GROUP {
        return Beside::Free;
    }
    let rest = view.text.get(end + 1..).unwrap_or_default();
    let after = rest.iter().take(GROUP + 1).take_while(|b| b.is_ascii_digit()).count();
    match after {
        0 if rest.is_empty() && !view.complete => Beside::Unknown,
        1..=GROUP if after == rest.len() && !view.complete => Beside::Unknown,
        1..=GROUP => Beside::Taken,
        _ => Beside::Free,
    }
}

/// Does the value go on with an amount that a comma before it began: `1,` and then `234`?
pub(super) fn ends_amount(boundary: Boundary, text: &[u8], start: usize, end: usize) -> bool {
    let back = |n: usize| start.checked_sub(n).and_then(|i| text.get(i)).copied();
    boundary == Boundary::Number
        && back(1) == Some(b',')
        && back(2).is_some_and(|byte| byte.is_ascii_digit())
        && end - start <= GROUP
}

/// Bytes of what is written between the digits of a number and isn't ASCII: no-break spaces, hyphens and dashes of
/// other widths, the minus sign.
pub(super) const fn is_wide_joint(byte: u8) -> bool {
    matches!(byte, 0xC2 | 0xA0 | 0xE2 | 0x80 | 0x87 | 0x88 | 0x90..=0x95 | 0xAF | 0xEF | 0xBC | 0x8D)
}

/// The nearest character boundary at or behind `at`; `None` if the text isn't complete and the answer is to come.
pub(super) fn ceil_char(text: &[u8], at: usize, complete: bool) -> Option<usize> {
    let mut at = at;
    let inside = at.checked_sub(1).and_then(|i| text.get(i)).is_some_and(|b| *b >= 0x80);
    for _ in 0..3 {
        match text.get(at) {
            Some(byte) if byte & 0xc0 == 0x80 => at += 1,
            None if !complete && inside => return None,
            _ => break,
        }
    }
    Some(at)
}
