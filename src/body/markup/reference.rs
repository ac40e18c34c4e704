//! Character references: `&#64;`, `&#x40;`, `&amp;`, as XML has them and as readers of HTML understand them.

use super::Dialect;
use crate::body::mapped::{Decoded, Style};

/// Longer ones are not read: those that are written so want to be overlooked.
pub(super) const LONGEST: usize = 1024;

/// What stands at an `&`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// The beginning of a reference, perhaps.
    Cut,
    /// None: so many bytes stand for themselves.
    No(usize),
    /// So many bytes stand for a character.
    Is(usize, char),
    /// A reference of so many bytes to an entity that nothing here declares.
    Unknown(usize),
    /// Not well-formed.
    Wrong,
}

/// Reads what stands at the `&` that a text begins with. `complete`: there is no more of it.
pub(super) fn read(text: &[u8], complete: bool, dialect: Dialect, attribute: bool) -> Reference {
    let read = match dialect {
        Dialect::Xml => xml(text),
        Dialect::Html => html(text, complete, attribute),
    };
    match (read, dialect) {
        (Reference::Cut, Dialect::Xml) if complete => Reference::Wrong,
        (Reference::Cut, Dialect::Html) if complete => Reference::No(1),
        (read, _) => read,
    }
}

fn digits(text: &[u8], from: usize, radix: u32) -> (usize, u32) {
    let mut code = 0_u32;
    let mut at = from;
    while let Some(digit) = text.get(at).and_then(|byte| char::from(*byte).to_digit(radix)) {
        code = code.saturating_mul(radix).saturating_add(digit).min(0x11_0000);
        at += 1;
    }
    (at, code)
}

/// Where the digits begin, and what they are.
fn radix(text: &[u8], hex: &[u8]) -> (usize, u32) {
    match text.get(2) {
        Some(byte) if hex.contains(byte) => (3, 16),
        _ => (2, 10),
    }
}

fn xml(text: &[u8]) -> Reference {
    let Some(second) = text.get(1) else { return Reference::Cut };
    if *second == b'#' {
        let (from, radix) = radix(text, b"x");
        let (at, code) = digits(text, from, radix);
        return match text.get(at) {
            None => Reference::Cut,
            Some(b';') if at > from => match char::from_u32(code) {
                Some(c) if is_xml_char(c) => Reference::Is(at + 1, c),
                _ => Reference::Wrong,
            },
            Some(_) => Reference::Wrong,
        };
    }
    let len = text.get(1..).unwrap_or_default().iter().take_while(|byte| is_name_byte(**byte)).count();
    match text.get(1 + len) {
        None => Reference::Cut,
        Some(b';') if len > 0 && is_name_start(*second) => {
            let name = text.get(1..=len).unwrap_or_default();
            let c = match name {
                b"amp" => '&',
                b"lt" => '<',
                b"gt" => '>',
                b"quot" => '"',
                b"apos" => '\'',
                _ => return Reference::Unknown(len + 2),
            };
            Reference::Is(len + 2, c)
        }
        Some(_) => Reference::Wrong,
    }
}

fn html(text: &[u8], complete: bool, attribute: bool) -> Reference {
    if text.get(1) == Some(&b'#') {
        let (from, radix) = radix(text, b"xX");
        let (at, code) = digits(text, from, radix);
        return match text.get(at) {
            None if !complete => Reference::Cut,
            _ if at == from => Reference::No(1),
            Some(b';') => Reference::Is(at + 1, html_char(code)),
            _ => Reference::Is(at, html_char(code)),
        };
    }
    let run = text.get(1..).unwrap_or_default();
    let len = run.iter().take(NAME).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    if len == run.len() && len < NAME && !complete {
        return Reference::Cut;
    }
    let name = run.get(..len).unwrap_or_default();
    if run.get(len) == Some(&b';')
        && let Some(c) = named(name)
    {
        return Reference::Is(len + 2, c);
    }
    // The old names need no semicolon.
    let old = (2..=len).rev().find_map(|len| Some((len, old(run.get(..len)?)?)));
    match old {
        Some((len, _))
            if attribute && run.get(len).is_some_and(|b| *b == b'=' || b.is_ascii_alphanumeric()) =>
        {
            Reference::No(1)
        }
        Some((len, c)) => Reference::Is(len + 1, c),
        None => Reference::No(1),
    }
}

/// The longest name that is known, and one.
const NAME: usize = 32;

/// HTML, 13.2.5.80: what a number stands for.
fn html_char(code: u32) -> char {
    const WINDOWS: [u16; 32] = [
        0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152,
        0x8d, 0x017d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122,
        0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178,
    ];
    let code = match code {
        0 => 0xfffd,
        0x80..=0x9f => usize::try_from(code - 0x80)
            .ok()
            .and_then(|at| WINDOWS.get(at))
            .map_or(code, |unit| u32::from(*unit)),
        code => code,
    };
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// XML 1.0, production 2.
pub(super) const fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Characters of XML names, as far as bytes tell.
pub(super) const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'-' | b'.' | 0x80..)
}

pub(super) const fn is_name_start(byte: u8) -> bool {
    is_name_byte(byte) && !byte.is_ascii_digit() && !matches!(byte, b'-' | b'.')
}

/// The names of U+00A0 to U+00FF, in order. Readers know them without a semicolon.
const LATIN: [&str; 96] = [
    "nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf", "laquo",
    "not", "shy", "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute", "micro", "para", "middot",
    "cedil", "sup1", "ordm", "raquo", "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",
    "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave", "Eacute", "Ecirc", "Euml", "Igrave", "Iacute",
    "Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute", "Ocirc", "Otilde", "Ouml", "times", "Oslash",
    "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN", "szlig", "agrave", "aacute", "acirc", "atilde",
    "auml", "aring", "aelig", "ccedil", "egrave", "eacute", "ecirc", "euml", "igrave", "iacute", "icirc",
    "iuml", "eth", "ntilde", "ograve", "oacute", "ocirc", "otilde", "ouml", "divide", "oslash", "ugrave",
    "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml",
];

fn old(name: &[u8]) -> Option<char> {
    match name {
        b"amp" | b"AMP" => return Some('&'),
        b"lt" | b"LT" => return Some('<'),
        b"gt" | b"GT" => return Some('>'),
        b"quot" | b"QUOT" => return Some('"'),
        b"COPY" => return Some('\u{a9}'),
        b"REG" => return Some('\u{ae}'),
        _ => {}
    }
    let at = LATIN.iter().position(|known| known.as_bytes() == name)?;
    char::from_u32(0xa0 + u32::try_from(at).ok()?)
}

/// Names with a semicolon: the old ones, every name of an ASCII character, and the usual signs of a text.
fn named(name: &[u8]) -> Option<char> {
    if let Some(c) = old(name) {
        return Some(c);
    }
    Some(match name {
        b"Tab" => '\t',
        b"NewLine" => '\n',
        b"excl" => '!',
        b"num" => '#',
        b"dollar" => '$',
        b"percnt" => '%',
        b"apos" => '\'',
        b"lpar" => '(',
        b"rpar" => ')',
        b"ast" | b"midast" => '*',
        b"plus" => '+',
        b"comma" => ',',
        b"period" => '.',
        b"sol" => '/',
        b"colon" => ':',
        b"semi" => ';',
        b"equals" => '=',
        b"quest" => '?',
        b"commat" => '@',
        b"lsqb" | b"lbrack" => '[',
        b"bsol" => '\\',
        b"rsqb" | b"rbrack" => ']',
        b"Hat" => '^',
        b"lowbar" | b"UnderBar" => '_',
        b"grave" | b"DiacriticalGrave" => '`',
        b"lcub" | b"lbrace" => '{',
        b"verbar" | b"vert" | b"VerticalLine" => '|',
        b"rcub" | b"rbrace" => '}',
        b"NonBreakingSpace" => '\u{a0}',
        b"ensp" => '\u{2002}',
        b"emsp" => '\u{2003}',
        b"thinsp" | b"ThinSpace" => '\u{2009}',
        b"zwnj" => '\u{200c}',
        b"zwj" => '\u{200d}',
        b"hyphen" | b"dash" => '\u{2010}',
        b"ndash" => '\u{2013}',
        b"mdash" => '\u{2014}',
        b"lsquo" => '\u{2018}',
        b"rsquo" => '\u{2019}',
        b"ldquo" => '\u{201c}',
        b"rdquo" => '\u{201d}',
        b"bull" | b"bullet" => '\u{2022}',
        b"hellip" => '\u{2026}',
        b"euro" => '\u{20ac}',
        b"trade" => '\u{2122}',
        _ => return None,
    })
}

/// Reads a text that is there as a whole. `declared`: there may be entities that are declared elsewhere.
///
/// # Errors
/// With the first reference that can't be read.
pub(super) fn decode(
    text: &[u8],
    (dialect, declared): (Dialect, bool),
    attribute: bool,
    style: Style,
    into: &mut impl Decoded,
) -> Result<(), Reference> {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest) {
        let (plain, reference) = rest.split_at(at);
        into.plain(plain, style);
        let found = read(reference, true, dialect, attribute);
        let (len, c) = match found {
            Reference::Is(len, c) => (len, Some(c)),
            Reference::No(len) | Reference::Unknown(len) => (len, None),
            Reference::Cut | Reference::Wrong => return Err(found),
        };
        if len > LONGEST || matches!(found, Reference::Unknown(_)) && !declared {
            return Err(found);
        }
        let (raw, after) = reference.split_at(len.min(reference.len()));
        match c {
            Some(c) => into.escape(raw, c.encode_utf8(&mut [0; 4]).as_bytes(), style),
            None => into.plain(raw, style),
        }
        rest = after;
    }
    into.plain(rest, style);
    Ok(())
}

#[cfg(test)]
mod tests;
