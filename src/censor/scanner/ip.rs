//! IP addresses in text form: four octets, and the forms of RFC 4291 section 2.2.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Shape;
use crate::censor::bytes::is_escape;
use crate::censor::bytes::{Beside, free_behind};
use crate::censor::confirm::View;
use crate::censor::rules::Boundary;

/// Longest text form: `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255`.
const V6_MAX: usize = 45;
const V4_MAX: usize = 15;
/// Longest of both.
pub(super) const LONGEST: usize = V6_MAX;

fn parse<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Looks at the first digit of a run.
pub(super) fn look_v4(view: &View<'_>, at: usize) -> Shape {
    let text = view.text;
    let back = |n: usize| at.checked_sub(n).and_then(|i| text.get(i)).copied();
    // A version (`v1.2.3.4`), a fifth number before it, a longer word.
    let joined = back(1).is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_'));
    if (joined && !is_escape(text, at)) || is_called_version(text, at) || follows_decimal(text, at) {
        return Shape::No;
    }
    let rest = text.get(at..).unwrap_or_default();
    let run = rest.iter().take(V4_MAX + 2).take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    if run == rest.len() && run < V4_MAX + 2 && !view.complete {
        return if may_be_v4(rest) { Shape::Undecided { from: at } } else { Shape::No };
    }
    let mut quad = rest.get(..run).unwrap_or_default();
    if let Some(head) = quad.strip_suffix(b".") {
        quad = head;
    }
    match parse::<Ipv4Addr>(quad) {
        Some(_) => close(view, at, at + quad.len(), at + run),
        None => Shape::No,
    }
}

/// Words whose four numbers with dots are no address.
const VERSIONS: &[&str] = &[
    "version", "versions", "ver", "firmware", "fw", "build", "release", "rev", "revision", "section",
    "chapter", "clause", "oid",
];

/// Does a word for a version stand right before it: `Version="`, `firmware `, `AssemblyVersion("`?
fn is_called_version(text: &[u8], at: usize) -> bool {
    let low = at.saturating_sub(28);
    let window = text.get(low..at).unwrap_or_default();
    let joint =
        |byte: &u8| matches!(byte, b' ' | b'=' | b':' | b'"' | b'\'' | b'(' | b'>' | b'`' | b'\\' | b'#');
    let gap = window.iter().rev().take(6).take_while(|byte| joint(byte)).count();
    let window = window.get(..window.len() - gap).unwrap_or_default();
    let run = window.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = window.get(window.len() - run..).unwrap_or_default();
    let is = |known: &&str| known.as_bytes().eq_ignore_ascii_case(word);
    // `AssemblyVersion`, `fileVersion`.
    let tail = word.get(word.len().saturating_sub(7)..).unwrap_or_default();
    gap > 0 && (VERSIONS.iter().any(is) || tail.eq_ignore_ascii_case(b"version"))
}

/// `2.12 3.51.98.32`: the numbers of a drawing, written without what could be left out.
fn follows_decimal(text: &[u8], at: usize) -> bool {
    let window = text.get(at.saturating_sub(12)..at).unwrap_or_default();
    let Some(window) = window.strip_suffix(b" ") else { return false };
    let run = window.iter().rev().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let number = window.get(window.len() - run..).unwrap_or_default();
    run < window.len()
        && number.len() > 1
        && number.iter().filter(|byte| **byte == b'.').count() == 1
        && number.last().is_some_and(u8::is_ascii_digit)
}

/// Could these digits and dots become four octets?
fn may_be_v4(bytes: &[u8]) -> bool {
    let mut parts = bytes.split(|b| *b == b'.');
    parts.clone().count() <= 5 && parts.all(|part| part.len() <= 3)
}

const fn in_v6(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')
}

/// Looks at a `:`; only the first of an address answers, or the second of a leading `::`.
pub(super) fn look_v6(view: &View<'_>, at: usize) -> Shape {
    let text = view.text;
    let low = at.saturating_sub(5);
    let before = text.get(low..at).unwrap_or_default();
    let group = before.iter().rev().take_while(|b| b.is_ascii_hexdigit()).count();
    let back = |n: usize| at.checked_sub(n).and_then(|i| text.get(i)).copied();
    let start = if group == 0 && back(1) == Some(b':') { at - 1 } else { at - group };
    let prior = start.checked_sub(1).and_then(|i| text.get(i));
    let joined = prior.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'.'));
    if group > 4 || (joined && !is_escape(text, start)) {
        return Shape::No;
    }
    let rest = text.get(start..).unwrap_or_default();
    let run = rest.iter().take(V6_MAX + 1).take_while(|b| in_v6(**b)).count();
    if run == rest.len() && run <= V6_MAX && !view.complete {
        return Shape::Undecided { from: start };
    }
    let mut address = rest.get(..run).unwrap_or_default();
    while let Some(head) =
        address.strip_suffix(b".").or_else(|| address.strip_suffix(b":").filter(|h| !h.ends_with(b":")))
    {
        address = head;
    }
    match parse::<Ipv6Addr>(address) {
        Some(_) if address.len() > 2 => close(view, start, start + address.len(), start + run),
        _ => Shape::No,
    }
}

/// An address, if what follows the run of its bytes doesn't make it part of something else.
fn close(view: &View<'_>, start: usize, end: usize, run: usize) -> Shape {
    match free_behind(Boundary::Word, view, run) {
        Beside::Free => Shape::whole(start, end),
        Beside::Taken => Shape::No,
        Beside::Unknown => Shape::Undecided { from: start },
    }
}
