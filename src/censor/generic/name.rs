//! The name of an assignment: does it say that its value is a secret?

use std::sync::LazyLock;

use super::words::{
    KEY_OTHERS, KEY_QUALIFIERS, NEUTRAL, NOT_SECRETS, PASSWORD_ENDS, PASSWORDS, SECRET_ENDS, SECRETS,
    TOKEN_OTHERS,
};
use super::{Ahead, Kind, Short};

/// How far back a name is read from the word in it, in bytes.
const BACK_MAX: usize = 48;
/// How far a name goes on behind the word's start, in bytes.
pub(super) const REST_MAX: usize = 64;

/// Words that code, which is written in English, rarely has.
const FOREIGN: &[&str] =
    &["senha", "passwort", "kennwort", "contrasena", "clave", "wachtwoord", "parola", "haslo", "heslo"];

/// A name and how it stands in the text.
pub(super) struct Name {
    /// Behind its last byte.
    pub(super) end: usize,
    /// The byte before it.
    pub(super) before: Option<u8>,
    /// `--name` of a command line.
    pub(super) flag: bool,
    /// The name alone doesn't say much: `?key=`.
    pub(super) weak: bool,
    /// As files of settings write it: `DB_PASSWORD`, `Password` between `;`.
    pub(super) config: bool,
    /// Without a letter in lower case.
    pub(super) upper: bool,
    /// It begins with a capital, as a label does.
    pub(super) capital: bool,
    /// A member of something, as in code: `user.password`.
    pub(super) code: bool,
}

fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// Reads the name around the word at `at`. `None`: not the last word of it, or nothing secret.
pub(super) fn read(ahead: &Ahead<'_>, at: usize, kind: Kind) -> Result<Option<Name>, Short> {
    let text = ahead.text;
    let low = at.saturating_sub(BACK_MAX);
    let back = text.get(low..at).unwrap_or(&[]).iter().rev().take_while(|byte| in_name(**byte)).count();
    let start = at - back;
    let foreign = text.get(at).is_some_and(|byte| *byte >= 0x80);
    let mut end = ahead.skip(at, REST_MAX, in_name)?;
    let first = text.get(at).copied().unwrap_or(0);
    for word in
        phrases(kind).iter().filter(|word| word.first().is_some_and(|b| b.eq_ignore_ascii_case(&first)))
    {
        let prefix =
            text.get(at..).unwrap_or(&[]).iter().zip(*word).all(|(one, two)| one.eq_ignore_ascii_case(two));
        if prefix && ahead.has(at, word)? {
            end = ahead.skip(at + word.len(), 2, |byte| byte.is_ascii_alphabetic())?;
            return Ok(Some(Name {
                end,
                before: before(text, start),
                flag: false,
                weak: false,
                config: true,
                upper: false,
                capital: true,
                code: false,
            }));
        }
    }
    if foreign || end - at >= REST_MAX {
        return Ok(None);
    }
    let name = text.get(start..end).unwrap_or(&[]);
    let (verdict, last) = classify(name, kind, before_words(text, start));
    // Only the last word of a name answers for it, so that each name is looked at once.
    // A literal may begin with the joint before its word: `_pat`.
    let joint = usize::from(text.get(at).is_some_and(|byte| !byte.is_ascii_alphanumeric()));
    if !matches!(verdict, Verdict::Secret | Verdict::Weak) || start + last > at + joint {
        return Ok(None);
    }
    let before = before(text, start);
    // The last part of a path: `module::private_key`, `arn:…:secret:`; but `$env:API_KEY`.
    if before == Some(b':')
        && (text.get(start.wrapping_sub(2)) == Some(&b':') || ahead.at(end)? == Some(b':'))
    {
        return Ok(None);
    }
    let flag = name.starts_with(b"-") || is_one_of(name, &["requirepass", "masterauth", "rootpw", "bindpw"]);
    let upper = !name.iter().any(u8::is_ascii_lowercase);
    let config = upper || flag || matches!(before, Some(b';' | b'?' | b'&'));
    let capital = name.first().is_some_and(u8::is_ascii_uppercase)
        || (kind == Kind::Password && is_one_of(name, FOREIGN));
    let weak = verdict == Verdict::Weak;
    Ok(Some(Name { end, before, flag, weak, config, upper, capital, code: before == Some(b'.') }))
}

/// Those of the literals that no name is made of: of several words, or not of ASCII.
fn phrases(kind: Kind) -> &'static [&'static [u8]] {
    fn of(kind: Kind) -> Vec<&'static [u8]> {
        let words = super::literals(kind).iter().filter(|word| word.contains(' ') || !word.is_ascii());
        words.map(|word| word.as_bytes()).collect()
    }
    static KEYS: LazyLock<Vec<&[u8]>> = LazyLock::new(|| of(Kind::Key));
    static PASSWORDS: LazyLock<Vec<&[u8]>> = LazyLock::new(|| of(Kind::Password));
    match kind {
        Kind::Key => &KEYS,
        Kind::Password => &PASSWORDS,
    }
}

fn before(text: &[u8], start: usize) -> Option<u8> {
    start.checked_sub(1).and_then(|at| text.get(at)).copied()
}

/// The word before the name, for names of several words: `api key`, `access token`.
fn before_words(text: &[u8], start: usize) -> &[u8] {
    let low = start.saturating_sub(24);
    let window = text.get(low..start).unwrap_or(&[]);
    let Some(window) = window.strip_suffix(b" ").or_else(|| window.strip_suffix(b".")) else { return &[] };
    let word = window.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    window.get(window.len() - word..).unwrap_or(&[])
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    No,
    Weak,
    Secret,
}

/// Reads the words of a name from its end. Returns the verdict and where the word that decided begins.
pub(super) fn classify(name: &[u8], kind: Kind, before: &[u8]) -> (Verdict, usize) {
    let mut words = [(0_usize, 0_usize); 8];
    let count = split(name, &mut words);
    let word = |index: usize| {
        words
            .get(index)
            .filter(|_| index < count)
            .and_then(|(start, end)| name.get(*start..*end))
            .unwrap_or(&[])
    };
    // `words` is in the order from the end.
    for index in 0..count {
        let here = word(index);
        let previous = if index + 1 < count { word(index + 1) } else { before };
        let verdict = match kind {
            Kind::Password => password_word(here),
            Kind::Key => key_word(here, previous),
        };
        if verdict != Verdict::No {
            return (verdict, words.get(index).map_or(0, |(start, _)| *start));
        }
        if !NEUTRAL.has(here) && !here.iter().all(u8::is_ascii_digit) {
            return (Verdict::No, 0);
        }
    }
    (Verdict::No, 0)
}

fn password_word(word: &[u8]) -> Verdict {
    let ends = PASSWORD_ENDS.iter().any(|end| {
        word.len() > end.len()
            && word
                .get(word.len() - end.len()..)
                .is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
    });
    if ends || PASSWORDS.has(word) { Verdict::Secret } else { Verdict::No }
}

fn key_word(word: &[u8], previous: &[u8]) -> Verdict {
    if SECRETS.has(word) {
        return Verdict::Secret;
    }
    let joined = |end: &&str| {
        word.len() > end.len()
            && word
                .get(word.len() - end.len()..)
                .is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
    };
    if SECRET_ENDS.iter().any(joined) {
        return if NOT_SECRETS.has(word) { Verdict::No } else { Verdict::Secret };
    }
    if is_one_of(word, &["token", "tokens"]) {
        return if TOKEN_OTHERS.has(previous) { Verdict::No } else { Verdict::Secret };
    }
    if is_one_of(word, &["key", "keys"]) {
        if KEY_OTHERS.has(previous) {
            return Verdict::No;
        }
        return if KEY_QUALIFIERS.has(previous) { Verdict::Secret } else { Verdict::Weak };
    }
    if is_one_of(word, &["auth"]) { Verdict::Weak } else { Verdict::No }
}

fn is_one_of(word: &[u8], list: &[&str]) -> bool {
    list.iter().any(|known| known.len() == word.len() && known.as_bytes().eq_ignore_ascii_case(word))
}

/// Cuts a name into words, from its end: at `_` and `-`, at humps, between letters and digits.
fn split(name: &[u8], words: &mut [(usize, usize); 8]) -> usize {
    let mut count = 0;
    let mut end = name.len();
    while end > 0 && count < words.len() {
        if !name.get(end - 1).is_some_and(u8::is_ascii_alphanumeric) {
            end -= 1;
            continue;
        }
        let mut start = end - 1;
        while start > 0 && !begins(name, start) {
            start -= 1;
        }
        if let Some(slot) = words.get_mut(count) {
            *slot = (start, end);
        }
        count += 1;
        end = start;
    }
    count
}

/// Does a word begin here?
fn begins(name: &[u8], at: usize) -> bool {
    let (Some(before), Some(here)) = (at.checked_sub(1).and_then(|index| name.get(index)), name.get(at))
    else {
        return true;
    };
    if !before.is_ascii_alphanumeric() || here.is_ascii_digit() != before.is_ascii_digit() {
        return true;
    }
    let next_is_lower = name.get(at + 1).is_some_and(u8::is_ascii_lowercase);
    here.is_ascii_uppercase() && (before.is_ascii_lowercase() || next_is_lower)
}
