//! The strings of a document that is there as a whole and is known to be JSON: for readers that see texts and not bodies.

use super::escape;
use crate::reason::{Reason, Refusal};

/// JSON inside of JSON strings is read to this depth.
const DEPTH: usize = 4;

/// Goes through the values that are strings, in the order of the document; those that are JSON by themselves are gone
/// through in their turn. What `each` gives back takes the place of a string. None if nothing changes; then not a byte does.
///
/// # Errors
/// If the document is no JSON after all, or `each` refuses.
pub(crate) fn texts(
    document: &[u8],
    each: &mut dyn FnMut(&str) -> Result<Option<String>, Refusal>,
) -> Result<Option<Vec<u8>>, Refusal> {
    walk(document, DEPTH, each)
}

fn walk(
    document: &[u8],
    depth: usize,
    each: &mut dyn FnMut(&str) -> Result<Option<String>, Refusal>,
) -> Result<Option<Vec<u8>>, Refusal> {
    let broken = || Refusal::new(Reason::Internal).log("a censored document that is no JSON");
    let (mut out, mut copied, mut at) = (Vec::new(), 0, 0);
    let mut changed = false;
    while let Some(open) = memchr::memchr(b'"', document.get(at..).unwrap_or_default()) {
        let from = at + open + 1;
        let rest = document.get(from..).unwrap_or_default();
        let close = end_of_string(rest).ok_or_else(broken)?;
        let raw = rest.get(..close).unwrap_or_default();
        at = from + close + 1;
        if is_key(document.get(at..).unwrap_or_default()) {
            continue;
        }
        let mut text = Vec::new();
        escape::decode(raw, &mut text);
        let text = String::from_utf8(text).map_err(|_error| broken())?;
        let new = match inner(&text, depth) {
            true => walk(text.as_bytes(), depth - 1, each)?
                .map(|new| String::from_utf8(new).map_err(|_error| broken()))
                .transpose()?,
            false => each(&text)?,
        };
        if let Some(new) = new {
            out.extend_from_slice(document.get(copied..from).unwrap_or_default());
            escape::encode(new.as_bytes(), &mut out);
            copied = from + close;
            changed = true;
        }
    }
    if !changed {
        return Ok(None);
    }
    out.extend_from_slice(document.get(copied..).unwrap_or_default());
    Ok(Some(out))
}

/// Where the string ends whose contents begin here.
fn end_of_string(contents: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', contents.get(at..)?)?;
        if contents.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

fn is_key(behind: &[u8]) -> bool {
    behind.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b':')
}

/// Is this a document by itself?
fn inner(text: &str, depth: usize) -> bool {
    depth > 0
        && text.trim_start().starts_with(['{', '['])
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests;
