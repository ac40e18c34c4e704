//! The query of a request. Parameters that decide (name a resource, page a list, fulfil a condition) have one
//! reading for every reader that we know of; others have to be listed by the operation.

use std::borrow::Cow;
use std::sync::Arc;

use super::path;
use super::{Operation, Param, Params};
use crate::reason::{Reason, Refusal};

/// Reads a raw query.
///
/// # Errors
/// `query_ambiguous`, and `field_not_allowed` for a parameter that the operation does not list.
pub(super) fn read(raw: &str, operation: &Operation) -> Result<Params, Refusal> {
    if raw.bytes().any(|b| !b.is_ascii_graphic() || matches!(b, b'#' | b'\\')) {
        return refuse("it holds a character that has to be encoded");
    }
    let pairs = raw.split('&').filter(|pair| !pair.is_empty());
    let mut params = Params::with_capacity(pairs.clone().count());
    for pair in pairs {
        hidden_pairs(pair, operation)?;
        let (raw_name, raw_value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(raw_name)?;
        let value = decode(raw_value)?;
        let name = match deciding(&name, operation) {
            Some(deciding) => {
                named_plainly(deciding, raw_name, operation, &params)?;
                plain(raw_value)?;
                Arc::clone(deciding)
            }
            None => {
                listed(&name, operation)?;
                Arc::from(&*name)
            }
        };
        params.push(Param::new(name, raw_value, &value));
    }
    Ok(params)
}

/// Old readers take `;` for `&`: a deciding parameter may not hide behind one.
fn hidden_pairs(pair: &str, operation: &Operation) -> Result<(), Refusal> {
    if !pair.contains(';') {
        return Ok(());
    }
    for hidden in pair.split(';') {
        let name = decode(hidden.split('=').next().unwrap_or_default())?;
        if deciding(&name, operation).is_some() {
            return refuse("a semicolon separates parameters for some readers only");
        }
    }
    Ok(())
}

/// The deciding parameter that this name is, for the most lenient of readers: some fold the case, some take
/// `after[]`, `after[0]` or `after.x` for `after`, some cut white space, some make an underscore of a dot.
fn deciding<'o>(name: &str, operation: &'o Operation) -> Option<&'o Arc<str>> {
    let plain = name.trim_matches(|c: char| c.is_ascii_whitespace() || c.is_control());
    operation.deciding_query.iter().find(|known| {
        let (known, name) = (known.as_bytes(), plain.as_bytes());
        let same =
            |(k, n): (&u8, &u8)| k.eq_ignore_ascii_case(n) || (*k == b'_' && matches!(n, b'.' | b' ' | b'_'));
        name.len() >= known.len()
            && known.iter().zip(name).all(same)
            && matches!(name.get(known.len()), None | Some(b'[' | b'.' | 0))
    })
}

/// A deciding parameter's name is written plainly, and stands once; that of a list of ids stands once for each, and SDKs encode
/// its brackets.
fn named_plainly(
    name: &Arc<str>,
    raw_name: &str,
    operation: &Operation,
    before: &Params,
) -> Result<(), Refusal> {
    let listed = operation.only.as_ref().is_some_and(|only| only.query == *name && only.is_repeated());
    let bracketed =
        || raw_name.replace("%5B", "[").replace("%5D", "]").replace("%5b", "[").replace("%5d", "]");
    if raw_name != &**name && !(listed && bracketed() == **name) {
        return refuse("a deciding parameter is written in a way that some readers take for another");
    }
    if !listed && before.get(name).is_some() {
        return refuse("a deciding parameter stands more than once");
    }
    Ok(())
}

/// A deciding parameter's value is written plainly.
fn plain(raw_value: &str) -> Result<(), Refusal> {
    let mut bytes = raw_value.as_bytes();
    while let [first, tail @ ..] = bytes {
        bytes = match (first, path::encoded(bytes)) {
            (b'%', Some(byte)) if !path::unreserved(byte) && !byte.is_ascii_control() && byte != b'%' => {
                tail.get(2..).unwrap_or_default()
            }
            (b'%' | b'+' | b';', _) => return refuse("a deciding parameter's encoding is not canonical"),
            _ => tail,
        };
    }
    Ok(())
}

fn listed(name: &str, operation: &Operation) -> Result<(), Refusal> {
    let base = name.split('[').next().unwrap_or(name);
    if operation.query.iter().any(|known| **known == *base) {
        return Ok(());
    }
    Err(Refusal::new(Reason::FieldNotAllowed).detail("the operation does not take a parameter of the query"))
}

/// Decodes as forms are: `+` is a space.
fn decode(raw: &str) -> Result<Cow<'_, str>, Refusal> {
    if !raw.contains(['%', '+']) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut bytes = raw.as_bytes();
    while let Some(at) = memchr::memchr(b'%', bytes) {
        let two = bytes.get(at + 1..at + 3).unwrap_or_default();
        if two.len() != 2 || !two.iter().all(u8::is_ascii_hexdigit) {
            return refuse("its percent-encoding is broken");
        }
        bytes = bytes.get(at + 3..).unwrap_or_default();
    }
    let spaced = raw.replace('+', " ");
    match percent_encoding::percent_decode_str(&spaced).decode_utf8() {
        Ok(text) => Ok(Cow::Owned(text.into_owned())),
        Err(_) => refuse("its encoded characters are not UTF-8"),
    }
}

fn refuse<T>(detail: &'static str) -> Result<T, Refusal> {
    Err(Refusal::new(Reason::QueryAmbiguous).detail(detail))
}
