//! The raw path of a request. What two readers could read differently is refused; what is left has one reading.
//!
//! Canonical is: RFC 3986 characters only; percent-encoding with upper-case digits, and never of a character that
//! needs none; no dot segment and no empty segment, encoded or not; no parameters (`;`). An encoded delimiter such
//! as `%3A` is canonical, because clients differ in it (`Uri.EscapeDataString` and `encodeURIComponent` encode the
//! colon of `ft:` names, Go's `PathEscape` and the OpenAI SDKs don't) and every reader decodes it alike.

use std::borrow::Cow;

use crate::reason::{Reason, Refusal};

/// What [`scan`] found on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scanned {
    /// `%2F` stands somewhere: only `{name:slash}` and `{name:rest}` take it.
    pub(super) encoded_slash: bool,
}

/// Bytes that may stand raw in a segment: unreserved, sub-delims without `;`, `:` and `@` (RFC 3986, 3.3).
pub(super) const fn stands_raw(byte: u8) -> bool {
    unreserved(byte)
        || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@')
}

/// RFC 3986, 2.3: characters that are the same encoded or not, so that encoding them has no reason but to hide them.
pub(super) const fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What `%XX` stands for, if its digits are there and in upper case.
pub(super) fn encoded(bytes: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = bytes else { return None };
    Some(digit(*high)? << 4 | digit(*low)?)
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// May this byte stand encoded? Not what needs no encoding, not controls, and not what decodes to a delimiter for a
/// reader that decodes too early or twice: `%`, `\`, `?`, `#`, `;`.
const fn may_be_encoded(byte: u8) -> bool {
    !unreserved(byte) && !byte.is_ascii_control() && !matches!(byte, b'%' | b'\\' | b'?' | b'#' | b';')
}

/// Table of what a raw byte is, so that the usual path costs one look-up a byte.
const RAW: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256 by the loop's condition")]
        let value = byte as u8;
        table[byte] = stands_raw(value);
        byte += 1;
    }
    table
};

/// Checks that a raw path has one reading.
///
/// # Errors
/// `path_not_canonical`, with what is wrong as its detail.
pub(super) fn scan(path: &str) -> Result<Scanned, Refusal> {
    let bytes = path.as_bytes();
    if bytes.first() != Some(&b'/') {
        return refuse("it does not start with a slash");
    }
    let mut scanned = Scanned { encoded_slash: false };
    let mut start = 1;
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        if RAW[usize::from(byte)] {
            at += 1;
        } else if byte == b'/' {
            whole_segment(bytes.get(start..at).unwrap_or_default())?;
            at += 1;
            start = at;
        } else if byte == b'%' {
            scanned.encoded_slash |= percent(bytes.get(at..).unwrap_or_default())?;
            at += 3;
        } else {
            return refuse(match byte {
                b'\\' => "it holds a backslash",
                b';' => "it holds path parameters",
                b'?' | b'#' => "it holds a delimiter",
                0..0x20 | 0x7F => "it holds a control character",
                0x80.. => "it holds a character beyond ASCII",
                _ => "it holds a character that has to be encoded",
            });
        }
    }
    dots(bytes.get(start..).unwrap_or_default())?;
    Ok(scanned)
}

/// A segment that another one follows.
fn whole_segment(segment: &[u8]) -> Result<(), Refusal> {
    if segment.is_empty() {
        return refuse("it has an empty segment");
    }
    dots(segment)
}

fn dots(segment: &[u8]) -> Result<(), Refusal> {
    if matches!(segment, b"." | b"..") {
        return refuse("it has a dot segment");
    }
    Ok(())
}

/// Checks one `%XX` and says whether it is a slash.
fn percent(bytes: &[u8]) -> Result<bool, Refusal> {
    match encoded(bytes) {
        Some(b'/') => Ok(true),
        Some(byte) if may_be_encoded(byte) => Ok(false),
        Some(_) => refuse("it encodes a character that needs or takes no encoding"),
        None => refuse("its percent-encoding is broken or in lower case"),
    }
}

/// Decodes a captured part of a path that [`scan`] accepted.
///
/// # Errors
/// `path_not_canonical` when it is not UTF-8, or has an empty or a dot segment once its slashes are decoded.
pub(super) fn decode(raw: &str) -> Result<Cow<'_, str>, Refusal> {
    if !raw.contains('%') {
        return Ok(Cow::Borrowed(raw));
    }
    let Ok(text) = percent_encoding::percent_decode_str(raw).decode_utf8() else {
        return refuse("its encoded characters are not UTF-8");
    };
    if text.chars().any(char::is_control) {
        return refuse("it holds a control character");
    }
    if text.contains('/') && text.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return refuse("its encoded slashes make an empty or a dot segment");
    }
    Ok(text)
}

/// The refusal of a path that can be read in two ways.
pub(super) fn refuse<T>(detail: &'static str) -> Result<T, Refusal> {
    Err(Refusal::new(Reason::PathNotCanonical).detail(detail))
}
