//! What stands for a secret and is none: placeholders, references, names of constants, versions and dates.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::shape::{Class, class, looks};
use super::words::{HOLLOW, MARKERS, REFERENCES};

/// Does `text` only stand for a secret? Templates (`${X}`, `<x>`, `{{x}}`, `%s`, `$X`), placeholder words with no more
/// than a counter beside them, one byte repeated, alphabets and digits written out.
#[must_use]
pub fn is_placeholder(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    is_template(text) || is_run(text) || is_hollow(text) || holds_marker(text)
}

fn is_template(text: &[u8]) -> bool {
    let enclosed = match (text.first(), text.last()) {
        (Some(b'<'), Some(b'>')) | (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')) => true,
        (Some(b'%'), Some(b'%')) | (Some(b'_'), Some(b'_')) | (Some(b'@'), Some(b'@')) => {
            let name = text.get(1..text.len() - 1).unwrap_or(&[]);
            text.len() > 3 && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte))
        }
        _ => false,
    };
    let variable = text.first() == Some(&b'$')
        && text.get(1..).is_some_and(|name| {
            name.starts_with(b"{")
                || name.starts_with(b"(")
                || (name.first().is_some_and(u8::is_ascii_alphabetic)
                    && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
                    && (name.iter().all(|byte| !byte.is_ascii_lowercase()) || looks(name).wordlike()))
        });
    let format =
        text.starts_with(b"%") && text.len() <= 4 && text.last().is_some_and(u8::is_ascii_alphabetic);
    enclosed || variable || format || text.iter().enumerate().any(|(at, byte)| opens(*byte, text.get(at..)))
}

/// Does a part of a template begin with this byte?
#[inline]
fn opens(byte: u8, rest: Option<&[u8]>) -> bool {
    let parts: &[&[u8]] = match byte {
        b'$' => &[b"${", b"$("],
        b'{' => &[b"{{"],
        b'}' => &[b"}}"],
        b'<' => &[b"<%"],
        b'#' => &[b"#{"],
        b'%' => &[b"%("],
        b'.' => &[b"..."],
        b'*' => &[b"****"],
        0xE2 => &["…".as_bytes()],
        _ => return false,
    };
    rest.is_some_and(|rest| parts.iter().any(|part| rest.starts_with(part)))
}

/// One or two bytes nearly throughout, or a run of the alphabet or the digits.
pub(super) fn is_run(text: &[u8]) -> bool {
    // What makes up two thirds of a text is left when each byte is struck out against another.
    let (mut seen, mut leader, mut lead) = ([0_u64; 4], 0, 0_usize);
    for byte in text {
        let byte = byte.to_ascii_lowercase();
        seen[usize::from(byte >> 6)] |= 1 << (byte & 63);
        if lead == 0 {
            leader = byte;
        }
        lead = if byte == leader { lead + 1 } else { lead - 1 };
    }
    let kinds: u32 = seen.iter().map(|word| word.count_ones()).sum();
    let most = text.iter().filter(|byte| byte.to_ascii_lowercase() == leader).count();
    let steps =
        text.windows(2).filter(|pair| pair[1] == pair[0].wrapping_add(1) || pair[1] == pair[0]).count();
    let len = text.len();
    len > 2 && (kinds == 1 || (len > 7 && (kinds <= 2 || most * 3 >= len * 2 || steps * 5 >= (len - 1) * 4)))
}

/// All words are hollow, and what is beside them is a short counter.
fn is_hollow(text: &[u8]) -> bool {
    let mut letters = 0;
    let mut longest = 0;
    let mut digits = 0;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match class(byte) {
            Class::Lower | Class::Upper => {
                let end = word_end(text, at);
                if !is_hollow_word(text.get(at..end).unwrap_or(&[])) {
                    return false;
                }
                letters += end - at;
                longest = longest.max(end - at);
                at = end;
                continue;
            }
            Class::Digit => digits += 1,
            Class::Symbol if b"_-. :/#,'\"()[]<>".contains(&byte) => {}
            Class::Symbol => return false,
        }
        at += 1;
    }
    longest > 2 && digits <= 4 && letters > digits
}

/// Where the word that begins at `at` ends: at a change of case that begins another, or at what is no letter.
fn word_end(text: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let (Some(before), Some(here)) = (text.get(end - 1), text.get(end)) {
        let next_is_lower = text.get(end + 1).is_some_and(u8::is_ascii_lowercase);
        let hump = here.is_ascii_uppercase() && (before.is_ascii_lowercase() || next_is_lower);
        if !here.is_ascii_alphabetic() || hump {
            break;
        }
        end += 1;
    }
    end
}

/// One of [`HOLLOW`], or two of them in one.
fn is_hollow_word(word: &[u8]) -> bool {
    let first = |part: &[u8]| part.first().map_or(0, |byte| byte | 0x20);
    let known = |part: &[u8]| {
        let may = |hollow: &&&str| hollow.len() == part.len() && first(hollow.as_bytes()) == first(part);
        HOLLOW.iter().filter(may).any(|hollow| hollow.as_bytes().eq_ignore_ascii_case(part))
    };
    let one_letter = word.iter().all(|byte| byte.eq_ignore_ascii_case(&word[0]));
    known(word)
        || (one_letter && word.len() > 2)
        || (3..word.len().saturating_sub(1)).any(|cut| {
            word.split_at_checked(cut)
                .is_some_and(|(head, tail)| known(head) && known(tail) && tail.len() > 1)
        })
}

/// Something inside says that this is no secret, whatever is around it.
pub(super) fn holds_marker(text: &[u8]) -> bool {
    static AUTOMATON: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        let kind = Some(aho_corasick::AhoCorasickKind::DFA);
        AhoCorasick::builder().ascii_case_insensitive(true).kind(kind).prefilter(false).build(MARKERS).ok()
    });
    match &*AUTOMATON {
        Some(automaton) => automaton.is_match(text),
        // It is made of a few constants, so it is there.
        None => true,
    }
}

/// The opposite of [`is_placeholder`].
pub(super) fn not_placeholder(text: &[u8]) -> bool {
    !is_placeholder(text)
}

/// `POSTGRES_SCRAM_SHA_256`: the name of a constant.
pub(super) fn is_constant(text: &[u8]) -> bool {
    let plain = text.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_');
    plain && text.contains(&b'_') && looks(text).wordlike()
}

/// Refers to a secret kept elsewhere, or to code: a path, an address, a call, members of a thing.
pub(super) fn is_reference(text: &[u8]) -> bool {
    let starts =
        |start: &str| text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()));
    // `@name@`, `&anchor`, `*alias`: a sign and a word.
    let sign = matches!(text.first(), Some(b'@' | b'&' | b'*'))
        && text.iter().skip(1).all(|byte| byte.is_ascii_alphanumeric() || b"_-.@".contains(byte))
        && !text.iter().any(u8::is_ascii_digit);
    if sign || REFERENCES.iter().any(|start| starts(start)) {
        // A base64 value may start with `/`: what doesn't read like words is no path.
        let looks = looks(text);
        return !(text.first() == Some(&b'/') && looks.digits > 0 && looks.upper > 0 && !looks.wordlike());
    }
    let call =
        text.contains(&b'(') && (text.last() == Some(&b')') || text.windows(2).any(|pair| pair == b"()"));
    // `tests/ui/*.rs`.
    let slashes = text.iter().filter(|byte| **byte == b'/').count();
    let path = slashes > 1 && text.iter().all(|byte| byte.is_ascii_lowercase() || b"/_-.*".contains(byte));
    let scoped = text.windows(2).any(|pair| pair == b"::" || pair == b"->");
    let mut parts = text.split(|byte| *byte == b'.');
    let members = text.contains(&b'.')
        && parts.all(|part| {
            let first_is_letter =
                part.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
            let plain = part.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_[]\"'()".contains(byte));
            let looks = looks(part);
            first_is_letter && plain && (part.len() < 4 || looks.wordlike() || looks.digits == 0)
        });
    call || scoped || members || path
}

/// `1.22.3-rc1`, `2026-11-22T10:00:00Z`, `10.2.3.4`.
pub(super) fn is_version_or_date(text: &[u8]) -> bool {
    let start = usize::from(matches!(text.first(), Some(b'v' | b'V')));
    let digits_and_joints =
        text.iter().skip(start).take_while(|byte| byte.is_ascii_digit() || b".-:/T ".contains(byte)).count();
    let joints = text.iter().filter(|byte| b".-:/".contains(byte)).count();
    text.get(start).is_some_and(u8::is_ascii_digit)
        && joints > 1
        && digits_and_joints * 3 >= text.len() * 2
        && text.len() < 32
}
