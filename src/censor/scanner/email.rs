//! E-mail addresses, as people and programs write them: the dot-atom form of RFC 5322 with a domain of RFC 1035.

use super::Shape;
use crate::censor::bytes::ByteSet;
use crate::censor::confirm::View;

/// Longest local part (RFC 5321 4.5.3.1.1).
pub(in crate::censor) const LOCAL_MAX: usize = 64;
/// Longest domain (RFC 1035 2.3.4).
const DOMAIN_MAX: usize = 253;
/// Longest from the `@` on.
pub(super) const LONGEST: usize = DOMAIN_MAX + 1;

/// What a local part is made of here: of RFC 5322's `atext` the signs that are used in earnest.
const fn in_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'')
}

const fn in_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')
}

/// The bytes that must be held while an `@` may follow.
pub(in crate::censor) fn local() -> ByteSet {
    ByteSet::of(in_local)
}

/// Looks at an `@`.
pub(super) fn look(view: &View<'_>, at: usize) -> Shape {
    let text = view.text;
    let low = at.saturating_sub(LOCAL_MAX);
    let Some(before) = text.get(low..at) else { return Shape::No };
    let run = before.iter().rev().take_while(|b| in_local(**b)).count();
    let run = before.get(before.len() - run..).unwrap_or_default();
    let skip = run.iter().take_while(|b| matches!(b, b'.' | b'-' | b'\'' | b'%' | b'+')).count();
    let Some(local) = run.get(skip..).filter(|l| !l.is_empty() && l.last() != Some(&b'.')) else {
        return Shape::No;
    };
    let start = at - local.len();
    if in_credentials(text, start) {
        return Shape::No;
    }
    let rest = text.get(at + 1..).unwrap_or_default();
    let domain = rest.iter().take(DOMAIN_MAX).take_while(|b| in_domain(**b)).count();
    if domain == rest.len() && domain < DOMAIN_MAX && !view.complete {
        return Shape::Undecided { from: start };
    }
    match domain_end(rest.get(..domain).unwrap_or_default()) {
        Some(end) => Shape::whole(start, at + 1 + end),
        None => Shape::No,
    }
}

/// In `scheme://user:password@host` the password is no local part.
fn in_credentials(text: &[u8], start: usize) -> bool {
    let low = start.saturating_sub(80);
    let before = text.get(low..start).unwrap_or_default();
    let token = before
        .iter()
        .rev()
        .take_while(|b| !b.is_ascii_whitespace() && !matches!(b, b'"' | b'<' | b'('))
        .count();
    let token = before.get(before.len() - token..).unwrap_or_default();
    before.last() == Some(&b':') && token.windows(3).any(|w| w == b"://")
}

/// How much of these bytes is a domain with a top level that could exist.
fn domain_end(bytes: &[u8]) -> Option<usize> {
    let mut end = None;
    let mut at = 0;
    for (index, label) in bytes.split(|b| *b == b'.').enumerate() {
        let sound = !label.is_empty() && label.len() <= 63 && label.first() != Some(&b'-');
        if !sound {
            break;
        }
        let top = label.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        let coded = label.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"xn--"));
        if index > 0 && (2..=24).contains(&top) && (top == label.len() || label.get(top) == Some(&b'-')) {
            end = Some(at + top);
        }
        if index > 0 && coded && label.last() != Some(&b'-') {
            end = Some(at + label.len());
        }
        at += label.len() + 1;
    }
    end
}
