//! International bank account numbers: a country says how long they are, so the end is known from the start.

use super::Shape;
use crate::censor::bytes::is_wide_joint;
use crate::censor::confirm::View;
use crate::censor::validate;

/// Longest account number with its spaces, in bytes.
pub(super) const LONGEST: usize = 72;

/// A country's letters don't follow these: another word, or the middle of an id.
fn joins(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Looks at the first digit of a run: two letters before it name a country that has IBANs.
pub(super) fn look(view: &View<'_>, at: usize) -> Shape {
    let text = view.text;
    let Some(start) = at.checked_sub(2) else { return Shape::No };
    let Some(country) = text.get(start..at) else { return Shape::No };
    if start.checked_sub(1).and_then(|index| text.get(index)).is_some_and(joins) {
        return Shape::No;
    }
    let Some(length) = validate::iban_length(country) else { return Shape::No };
    let mut count = 2;
    let mut end = at;
    let mut gap = 0;
    while count < length {
        match text.get(end) {
            None if view.complete => return Shape::No,
            None => return Shape::Undecided { from: start },
            Some(byte) if byte.is_ascii_alphanumeric() => {
                // The two check digits.
                if count < 4 && !byte.is_ascii_digit() {
                    return Shape::No;
                }
                count += 1;
                gap = 0;
            }
            Some(b' ' | b'-') if gap < 3 => gap += 1,
            Some(byte) if gap < 3 && is_wide_joint(*byte) => gap += 1,
            Some(_) => return Shape::No,
        }
        end += 1;
    }
    match text.get(end) {
        None if !view.complete => Shape::Undecided { from: start },
        Some(byte) if byte.is_ascii_alphanumeric() => Shape::No,
        _ => Shape::whole(start, end),
    }
}
