//! Assignments to names that say they hold a secret: `DB_PASSWORD=…`, `"apiKey": "…"`, `the token is …`.
//!
//! A regular expression for this costs more than all other rules together, and can't tell a quoted value from a bare
//! one, nor words from noise. So it is read by hand, from a word of the name ([`literals`]) in three steps: the name,
//! what stands between it and its value, and the value. The looks of the value decide
//! ([`key_like`](super::validate), [`password_like`](super::validate)).

mod name;
#[cfg(test)]
mod tests;
mod value;
mod words;

use super::validate::{is_placeholder, key_like, password_like, token_like};

/// What the name says about the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Made by a program: key, token, secret.
    Key,
    /// Chosen by a person, perhaps: password, passphrase.
    Password,
}

/// What a look at one place says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// No assignment.
    No,
    /// It depends on what follows the text; nothing from `from` on may go out before that is known.
    More {
        /// Where the value begins, or would.
        from: usize,
    },
    /// A value: its first byte and the one behind its last.
    Value {
        /// First byte.
        start: usize,
        /// Behind the last byte.
        end: usize,
    },
}

/// Most bytes from the word to the end of its value.
pub(super) const LONGEST: usize = name::REST_MAX + value::BETWEEN_MAX + value::VALUE_MAX;

/// The words whose places must be looked at, in lower case; ASCII case doesn't count.
pub(super) const fn literals(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Key => words::KEY_LITERALS,
        Kind::Password => words::PASSWORD_LITERALS,
    }
}

/// The text ended before a question was answered.
struct Short;

/// Bytes ahead; an end that isn't the text's own is [`Short`].
#[derive(Clone, Copy)]
struct Ahead<'a> {
    text: &'a [u8],
    complete: bool,
}

impl Ahead<'_> {
    /// The byte there, `None` behind the end of a complete text.
    fn at(&self, at: usize) -> Result<Option<u8>, Short> {
        match self.text.get(at) {
            Some(byte) => Ok(Some(*byte)),
            None if self.complete => Ok(None),
            None => Err(Short),
        }
    }

    /// Do these bytes stand there, whatever their ASCII case?
    fn has(&self, at: usize, wanted: &[u8]) -> Result<bool, Short> {
        for (index, byte) in wanted.iter().enumerate() {
            match self.at(at + index)? {
                Some(found) if found.eq_ignore_ascii_case(byte) => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Behind at most `most` bytes that `test` takes.
    fn skip(&self, at: usize, most: usize, test: impl Fn(u8) -> bool) -> Result<usize, Short> {
        let mut end = at;
        while end < at + most && self.at(end)?.is_some_and(&test) {
            end += 1;
        }
        Ok(end)
    }
}

/// Looks at one of [`literals`] that stands at `at`.
pub(super) fn look(text: &[u8], complete: bool, at: usize, kind: Kind) -> Look {
    let ahead = Ahead { text, complete };
    let name = match name::read(&ahead, at, kind) {
        Err(Short) => return Look::More { from: text.len() },
        Ok(None) => return Look::No,
        Ok(Some(name)) => name,
    };
    let start = match value::find(&ahead, &name) {
        Err(Short) => return Look::More { from: name.end.min(text.len()) },
        Ok(None) => return Look::No,
        Ok(Some(start)) => start,
    };
    match value::extent(&ahead, &start) {
        Err(Short) => Look::More { from: start.at },
        Ok(end) => judge(text, kind, &name, &start, end),
    }
}

fn judge(text: &[u8], kind: Kind, name: &name::Name, start: &value::Start, end: usize) -> Look {
    let Some(value) = text.get(start.at..end) else { return Look::No };
    let assigned = matches!(start.manner, value::Manner::Assigned | value::Manner::Paired);
    let holds = match kind {
        Kind::Key if name.weak && assigned && !start.is_query() => {
            value.len() >= 24
                && (token_like(value) || hexadecimal(value) || pair_of_ids(value))
                && key_like(value)
        }
        Kind::Key if name.weak => value.len() >= 20 && key_like(value),
        Kind::Key => key_like(value),
        Kind::Password => password_like(value) || (dotted(value) && said(name, start)),
    };
    let holds = holds
        && match start.manner {
            value::Manner::Assigned => true,
            value::Manner::Paired => start.is_quoted(),
            value::Manner::Spoken => spoken(value, kind),
            // `ENV DB_PASSWORD …`.
            value::Manner::Bare => bare(value, kind) || (name.upper && spoken(value, kind)),
            value::Manner::Cell => cell(value, kind),
        };
    // Bare code calls functions.
    if holds && (start.is_quoted() || !calls(value)) {
        Look::Value { start: start.at, end }
    } else {
        Look::No
    }
}

/// `function(argument`, `(expression`, `list[index`: code, cut at a blank.
fn calls(value: &[u8]) -> bool {
    let Some(open) = value.iter().position(|byte| matches!(byte, b'(' | b'[')) else { return false };
    value
        .get(..open)
        .is_some_and(|name| name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.:!$".contains(byte)))
        && value.iter().filter(|byte| !byte.is_ascii_alphanumeric() && !b"_.:()[]$,".contains(byte)).count()
            < 2
}

/// Is this said in a text or in settings, and not in code, where two words with a dot are an object's member?
const fn said(name: &name::Name, start: &value::Start) -> bool {
    let manner = matches!(start.manner, value::Manner::Spoken | value::Manner::Bare | value::Manner::Cell);
    !name.code && (start.is_quoted() || start.is_query() || name.config || name.capital || manner)
}

/// A cell or a remark in brackets is a value and nothing else: code goes on in other ways.
fn cell(value: &[u8], kind: Kind) -> bool {
    let padding = value.iter().rev().take_while(|byte| **byte == b'=').count();
    let body = value.get(..value.len() - padding).unwrap_or(value);
    bare(value, kind) && !body.iter().any(|byte| b"(){}[]=,;|".contains(byte))
}

/// Two words, a dot and a number: `Sunset.Tiger61` is a password where code would have an object and its member.
fn dotted(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| *byte == b'.');
    let word = |part: &[u8]| {
        let digits = part.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        part.len() - digits >= 3
            && part.iter().take(part.len() - digits).all(u8::is_ascii_alphabetic)
            && digits < 5
    };
    let numbered = value.last().is_some_and(u8::is_ascii_digit);
    numbered
        && parts.by_ref().take(2).all(word)
        && parts.next().is_none()
        && value.contains(&b'.')
        && !is_placeholder(value)
}

fn hexadecimal(value: &[u8]) -> bool {
    value.len() >= 32 && value.iter().all(u8::is_ascii_hexdigit)
}

/// Hexadecimal digits on both sides of a colon, as key ids and secrets are joined.
fn pair_of_ids(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| *byte == b':');
    let id =
        |part: &[u8]| part.len() >= 16 && part.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    parts.by_ref().take(2).filter(|part| id(part)).count() == 2 && parts.next().is_none()
}

/// Without anything between name and value, it must look like nothing but a secret.
fn bare(value: &[u8], kind: Kind) -> bool {
    let symbols = value.iter().filter(|byte| b"!#$%&*+@^=~?".contains(byte)).count();
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    match kind {
        Kind::Key => {
            (value.len() >= 16 && digits > 1 && (token_like(value) || hexadecimal(value)))
                || (value.len() >= 20 && digits > 2 && key_like(value))
        }
        Kind::Password => {
            let capitals = value.iter().filter(|byte| byte.is_ascii_uppercase()).count();
            let mixed = token_like(value) || symbols > 0 || (digits > 1 && capitals > 0);
            value.len() >= 8 && digits > 0 && mixed && spoken(value, kind)
        }
    }
}

/// In prose the value must look more like a secret than in an assignment.
fn spoken(value: &[u8], kind: Kind) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = value.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let symbols = value.len() - digits - letters;
    match kind {
        Kind::Key => value.len() >= 10 && digits > 0,
        Kind::Password => value.len() >= 6 && letters > 0 && (digits > 0 || symbols > 0) && value.is_ascii(),
    }
}
