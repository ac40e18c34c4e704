//! An expression as text, as short as it reads well.

use std::fmt::Write as _;

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

/// The expression as it stands in a rule file.
pub(super) fn text(elements: &[Hir]) -> String {
    let mut out = String::new();
    sequence(elements, &mut out);
    out
}

fn one(hir: &Hir, out: &mut String) {
    match hir.kind() {
        HirKind::Empty => out.push_str("(?:)"),
        HirKind::Look(_) => {}
        HirKind::Literal(literal) => literal_text(&literal.0, out),
        HirKind::Class(class) => class_text(class, out),
        HirKind::Repetition(repetition) => repeated(repetition, out),
        HirKind::Capture(capture) => {
            out.push_str("(?P<value>");
            one(&capture.sub, out);
            out.push(')');
        }
        HirKind::Concat(parts) => sequence(parts, out),
        HirKind::Alternation(parts) => {
            out.push_str("(?:");
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    out.push('|');
                }
                one(part, out);
            }
            out.push(')');
        }
    }
}

/// Elements one behind the other. Letters of either case are gathered: `(?i:key)`.
fn sequence(parts: &[Hir], out: &mut String) {
    let mut rest = parts;
    while let Some((first, others)) = rest.split_first() {
        let folded = rest.iter().take_while(|part| pair(part).is_some()).count();
        if folded < 2 {
            one(first, out);
            rest = others;
            continue;
        }
        out.push_str("(?i:");
        rest.iter().take(folded).filter_map(pair).for_each(|letter| out.push(char::from(letter)));
        out.push(')');
        rest = rest.get(folded..).unwrap_or_default();
    }
}

/// The letter, if it stands there in either case.
fn pair(hir: &Hir) -> Option<u8> {
    let HirKind::Class(Class::Bytes(class)) = hir.kind() else { return None };
    match class.ranges() {
        [upper, lower] => {
            let single = upper.start() == upper.end() && lower.start() == lower.end();
            let cases =
                upper.start().is_ascii_uppercase() && lower.start() == upper.start().to_ascii_lowercase();
            (single && cases).then_some(lower.start())
        }
        _ => None,
    }
}

fn repeated(repetition: &Repetition, out: &mut String) {
    let several = match repetition.sub.kind() {
        HirKind::Literal(literal) => literal.0.len() > 1,
        HirKind::Concat(_) | HirKind::Repetition(_) | HirKind::Empty => true,
        _ => false,
    };
    if several {
        out.push_str("(?:");
    }
    one(&repetition.sub, out);
    if several {
        out.push(')');
    }
    let _ = match (repetition.min, repetition.max) {
        (0, Some(1)) => write!(out, "?"),
        (0, None) => write!(out, "*"),
        (1, None) => write!(out, "+"),
        (min, None) => write!(out, "{{{min},}}"),
        (min, Some(max)) if min == max => write!(out, "{{{min}}}"),
        (min, Some(max)) => write!(out, "{{{min},{max}}}"),
    };
}

fn literal_text(bytes: &[u8], out: &mut String) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return bytes.iter().for_each(|byte| byte_text(*byte, false, out));
    };
    for c in text.chars() {
        match u8::try_from(c) {
            Ok(byte) if byte.is_ascii() => byte_text(byte, false, out),
            _ => out.push(c),
        }
    }
}

fn byte_text(byte: u8, in_class: bool, out: &mut String) {
    let special = if in_class { br"\]^-[&~".contains(&byte) } else { br"\.+*?()|[]{}^$#".contains(&byte) };
    let _ = match byte {
        b'\n' => write!(out, "\\n"),
        b'\r' => write!(out, "\\r"),
        b'\t' => write!(out, "\\t"),
        b' '..=b'~' if special => write!(out, "\\{}", char::from(byte)),
        b' '..=b'~' => write!(out, "{}", char::from(byte)),
        other => write!(out, "\\x{other:02x}"),
    };
}

fn class_text(class: &Class, out: &mut String) {
    match class {
        Class::Bytes(class) => {
            let mut class = class.clone();
            let all = class.ranges().last().is_some_and(|range| range.end() == u8::MAX);
            out.push('[');
            if all && class.ranges().len() > 1 {
                class.negate();
                out.push('^');
            }
            for range in class.iter() {
                byte_text(range.start(), true, out);
                if range.end() > range.start() {
                    if range.end() > range.start() + 1 {
                        out.push('-');
                    }
                    byte_text(range.end(), true, out);
                }
            }
            out.push(']');
        }
        // Only where an expression turns it on itself, and that is refused before.
        Class::Unicode(_) => out.push_str("(?:)"),
    }
}
