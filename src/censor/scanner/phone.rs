//! Telephone numbers: groups of digits with what people put between them.
//!
//! How long a number is depends on its country, and what follows it is often a number too (`+60 12-345 6789 2026`),
//! so every end of a group is tried and the longest that a numbering plan allows wins.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::Shape;
use crate::censor::bytes::{is_escape, is_wide_joint};
use crate::censor::confirm::View;
use crate::censor::validate;

/// Most bytes of a number with its separators.
pub(super) const LONGEST: usize = 48;
/// Most bytes between two groups.
const GAP_MAX: usize = 3;
/// How far before a number another one is looked for, in bytes: at least the windows of rules with context.
const CONTEXT: usize = 48;
/// Most digits that are read.
const DIGITS_MAX: usize = 17;

/// Which form is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::censor) enum Form {
    /// `+` or `00` and a country code.
    International,
    /// As dialled at home; the rule asks for context.
    National,
}

/// Looks at the first digit of a run.
pub(super) fn look(view: &View<'_>, at: usize, form: Form) -> Shape {
    let text = view.text;
    let back = |n: usize| at.checked_sub(n).and_then(|index| text.get(index)).copied();
    let start = match (back(2), back(1)) {
        (Some(b'+'), Some(b'(')) => at - 2,
        (_, Some(b'+' | b'(')) => at - 1,
        _ => at,
    };
    let plus = text.get(start) == Some(&b'+');
    let zeros = text.get(at) == Some(&b'0') && text.get(at + 1) == Some(&b'0');
    if !begins(text, start)
        || (form == Form::National && plus)
        || (form == Form::International && !plus && !zeros)
    {
        return Shape::No;
    }
    if form == Form::National && belongs_elsewhere(text, start) {
        return Shape::No;
    }
    let mut best = None;
    let mut walk = Walk { at, digits: 0, groups: 0 };
    loop {
        match walk.group(view, start) {
            Step::End { end } => {
                // `00` and digits in one piece is any number; it needs the context of the other form.
                let whole = form == Form::International && !plus && walk.groups < 2;
                if !whole && walk.plausible(text, start, end, form) {
                    best = Some(end);
                }
            }
            Step::Stop => break,
            Step::Short => return Shape::Undecided { from: start },
        }
    }
    best.map_or(Shape::No, |end| Shape::whole(start, end))
}

/// Not in the middle of a word or a number.
fn begins(text: &[u8], start: usize) -> bool {
    let back = |n: usize| start.checked_sub(n).and_then(|index| text.get(index)).copied();
    match back(1) {
        None => true,
        Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'_' | b'@') => {
            is_escape(text, start)
        }
        // `i-0098…`: a part of a name.
        Some(b'-') => !back(2).is_some_and(|byte| byte.is_ascii_alphanumeric()),
        Some(b'.' | b'/' | b':') => !back(2).is_some_and(|byte| byte.is_ascii_digit()),
        Some(_) => true,
    }
}

/// Words for a telephone, as far as they must be known here.
const WORDS: &[&str] = &[
    "phone", "tel", "mob", "cell", "call", "fax", "hp", "app", "sms", "contact", "handy", "dial", "ring",
    "gsm",
];

/// Was the word that the rule's context will see meant for something else? Another long number stands between, or a
/// sentence ended after it, and no word for a telephone follows.
fn belongs_elsewhere(text: &[u8], start: usize) -> bool {
    let low = start.saturating_sub(CONTEXT);
    let window = text.get(low..start).unwrap_or(&[]);
    static AUTOMATON: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        let kind = Some(aho_corasick::AhoCorasickKind::DFA);
        AhoCorasick::builder().ascii_case_insensitive(true).kind(kind).prefilter(false).build(WORDS).ok()
    });
    // The automaton is made of a few constants, so it is there.
    let speaks =
        |part: &[u8]| !part.is_ascii() || AUTOMATON.as_ref().is_none_or(|words| words.is_match(part));
    let letters = |part: &[u8]| part.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let number = window.iter().rposition(u8::is_ascii_digit).is_some_and(|last| {
        let joined = |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b' ' | b'-');
        let digits = window
            .iter()
            .take(last + 1)
            .rev()
            .take_while(joined)
            .filter(|byte| byte.is_ascii_digit())
            .count();
        let between = window.get(last + 1..).unwrap_or(&[]);
        digits > 6 && letters(between) > 3 && !speaks(between)
    });
    let sentence = window
        .windows(2)
        .rposition(|pair| matches!(pair, [b'.' | b'?' | b'!', b' ' | b'\n']))
        .is_some_and(|end| {
            let rest = window.get(end + 2..).unwrap_or(&[]);
            letters(rest) > 2 && !speaks(rest)
        });
    number || sentence
}

struct Walk {
    at: usize,
    digits: usize,
    groups: usize,
}

enum Step {
    /// A group ended.
    End { end: usize },
    /// Nothing more belongs to it.
    Stop,
    /// The text ended first.
    Short,
}

impl Walk {
    /// Steps over a gap and a group of digits.
    fn group(&mut self, view: &View<'_>, start: usize) -> Step {
        let mut at = self.at;
        let mut gap = 0;
        while self.groups > 0 && gap <= GAP_MAX {
            match byte(view, at) {
                Err(()) => return Step::Short,
                Ok(Some(b' ' | b'-' | b'.' | b'/' | b'(' | b')')) => gap += 1,
                Ok(Some(joint)) if is_wide_joint(joint) => gap += 1,
                Ok(Some(digit)) if digit.is_ascii_digit() => break,
                Ok(_) => return Step::Stop,
            }
            at += 1;
        }
        if gap > GAP_MAX || (self.groups > 0 && gap == 0) || at > start + LONGEST {
            return Step::Stop;
        }
        let mut end = at;
        loop {
            match byte(view, end) {
                Err(()) => return Step::Short,
                Ok(Some(digit)) if digit.is_ascii_digit() && self.digits < DIGITS_MAX => {
                    end += 1;
                    self.digits += 1;
                }
                Ok(Some(next)) if next.is_ascii_alphanumeric() || next == b'_' || next == b'@' => {
                    return Step::Stop;
                }
                Ok(_) => break,
            }
        }
        if end == at {
            return Step::Stop;
        }
        self.groups += 1;
        self.at = end;
        Step::End { end }
    }

    /// Could a number end here?
    fn plausible(&self, text: &[u8], start: usize, end: usize, form: Form) -> bool {
        let Some(number) = text.get(start..end) else { return false };
        match form {
            Form::International => validate::phone_international(number),
            Form::National => validate::phone_national(number) && !like_date(number),
        }
    }
}

fn byte(view: &View<'_>, at: usize) -> Result<Option<u8>, ()> {
    match view.text.get(at) {
        Some(byte) => Ok(Some(*byte)),
        None if view.complete => Ok(None),
        None => Err(()),
    }
}

/// `2026-01-02`, `02.01.2026`, `1.234.567`: a date or an amount.
fn like_date(number: &[u8]) -> bool {
    let mut groups = number.split(|byte| !byte.is_ascii_digit()).filter(|group| !group.is_empty());
    let lengths = (
        groups.next().map_or(0, <[u8]>::len),
        groups.next().map_or(0, <[u8]>::len),
        groups.next().map_or(0, <[u8]>::len),
    );
    let year = |group: &[u8]| group.starts_with(b"19") || group.starts_with(b"20");
    let three = groups.next().is_none();
    match lengths {
        (4, 1 | 2, 1 | 2) => year(number),
        // `2017-2022`: years.
        (4, 4, 0) => year(number) && number.get(number.len() - 4..).is_some_and(year),
        (1 | 2, 1 | 2, 4) => three && number.get(number.len() - 4..).is_some_and(year),
        (1..=3, 3, 3) => number.contains(&b'.') && !number.contains(&b' ') && !number.contains(&b'-'),
        _ => false,
    }
}
