//! Tables in binary formats: Parquet and Arrow IPC. Texts are censored value by value, with the name of their column,
//! and only the pages and buffers in which something was found are written anew.

pub(crate) mod arrow;
mod codec;
pub(crate) mod parquet;

#[cfg(test)]
mod tests;

use crate::body::container::Contents;
use crate::body::kinds::is_text;
use crate::reason::{Reason, Refusal};

/// Bytes of a decimal number: 76 digits.
const LONGEST_NUMBER: usize = 32;

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Values {
    /// Numbers, times, nothing: no text.
    Other,
    /// Numbers in bytes that could be of any length.
    Number,
    /// Text.
    Text,
    /// Bytes that may be text.
    Bytes,
    /// Bytes of a fixed length that may be text.
    Fixed,
}

/// What a value becomes.
fn censored(
    contents: &mut dyn Contents,
    values: Values,
    column: &str,
    value: &[u8],
) -> Result<Option<Vec<u8>>, Refusal> {
    match values {
        Values::Other => Ok(None),
        // A number is short and is no text, but for a few by chance, in which nothing is found.
        Values::Number if value.len() <= LONGEST_NUMBER && !is_text(value) => Ok(None),
        Values::Number => match contents.text(None, value)? {
            None => Ok(None),
            Some(_) => Err(contents.refuse(Reason::ContentUninspectable, "a finding in a number")),
        },
        Values::Text if std::str::from_utf8(value).is_err() => {
            Err(contents.refuse(Reason::ContentNotUtf8, "a text in a table"))
        }
        Values::Text => contents.text(Some(column), value),
        Values::Bytes => contents.bytes(Some(column), value),
        Values::Fixed => match contents.bytes(Some(column), value)? {
            None => Ok(None),
            // Another value would have another length.
            Some(_) => {
                Err(contents.refuse(Reason::ContentUninspectable, "a finding in a value of fixed length"))
            }
        },
    }
}

/// The name that says what the values of a column are: that of the list or map, not of its inner parts.
fn context<'a>(path: &[&'a str]) -> &'a str {
    const INNER: &[&str] = &[
        "element",
        "item",
        "list",
        "array",
        "array_element",
        "bag",
        "key_value",
        "entries",
        "map",
        "key",
        "keys",
        "value",
        "values",
    ];
    let named = path.iter().rev().find(|name| !INNER.contains(name));
    named.or(path.last()).copied().unwrap_or_default()
}
