//! Scanners written in Rust, for what an automaton at a literal can't do well.
//!
//! Each looks at one place that the prefilter named and says what extent a value would have there. Like everything
//! that decides, it looks a bounded way back and forth.

mod email;
mod iban;
mod ip;
mod phone;
mod uri;

use super::bytes::ByteSet;
use super::confirm::View;
use super::generic::{self, Kind, Look};
use super::prefilter::{Beside, Literal, Run};
use super::rules::ScannerName;

/// A scanner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scanner {
    /// Anchored at `@`.
    Email,
    /// Anchored at the first digit.
    Ipv4,
    /// Anchored at the first `:`.
    Ipv6,
    /// Anchored at the first digit, behind two letters.
    Iban,
    /// Anchored at the first digit.
    Phone(phone::Form),
    /// Anchored at `://`.
    Uri(uri::Kind),
    /// Anchored at a word of a name that says its value is a secret.
    Assignment(Kind),
}

/// Where a matcher is asked.
#[derive(Clone, Debug)]
pub(super) enum Trigger {
    /// Where the literal begins.
    Literal(Literal),
    /// Where a run of digits begins.
    Digits {
        /// Fewest digits of a match.
        least: u8,
        /// What a scanner's value must look like around its first digit: expressions for what stands before it and
        /// what begins with it. A scanner may have several triggers; one of them must fit.
        looks: Option<(&'static str, &'static str)>,
    },
    /// At an `@`.
    At,
    /// At a `:` that an IPv6 address may have.
    Colon,
}

/// A scanner, and what the engine must know to ask it.
pub(super) struct Wiring {
    pub(super) scanner: Scanner,
    pub(super) triggers: Vec<Trigger>,
    /// What stands before the anchor and belongs to the value.
    pub(super) runs: Vec<Run>,
    /// Most bytes from the anchor to the value's end.
    pub(super) longest: usize,
}

const fn digits(least: u8, looks: (&'static str, &'static str)) -> Trigger {
    Trigger::Digits { least, looks: Some(looks) }
}

/// How a scanner is asked.
pub(super) fn wiring(name: ScannerName) -> Wiring {
    let folded =
        |word: &&str, held| Trigger::Literal(Literal::new(word.as_bytes(), |_| true, Beside::any(), held));
    let (scanner, triggers, runs, longest) = match name {
        ScannerName::Email => {
            let run = Run { set: email::local(), max: email::LOCAL_MAX };
            (Scanner::Email, vec![Trigger::At], vec![run], email::LONGEST)
        }
        ScannerName::Ipv4 => {
            (Scanner::Ipv4, vec![digits(4, ("", r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]"))], vec![], ip::LONGEST)
        }
        ScannerName::Ipv6 => {
            let run = Run { set: ByteSet::of(|b| b.is_ascii_hexdigit()), max: 5 };
            (Scanner::Ipv6, vec![Trigger::Colon], vec![run], ip::LONGEST)
        }
        ScannerName::Iban => {
            let run = Run { set: ByteSet::of(|b| b.is_ascii_alphabetic()), max: 2 };
            (Scanner::Iban, vec![digits(2, ("[A-Za-z]{2}", "[0-9]{2}"))], vec![run], iban::LONGEST)
        }
        ScannerName::Phone | ScannerName::PhoneNational => {
            let run = Run { set: ByteSet::of(|b| matches!(b, b'+' | b'(')), max: 2 };
            // A group may end at a letter, so the first group counts alone.
            let (form, triggers) = match name {
                ScannerName::Phone => {
                    (phone::Form::International, vec![digits(1, ("[+(]", "[0-9]")), digits(1, ("", "00"))])
                }
                _ => (phone::Form::National, vec![digits(1, ("", "[0-9]"))]),
            };
            (Scanner::Phone(form), triggers, vec![run], phone::LONGEST)
        }
        ScannerName::UriDatabase | ScannerName::UriMongodb | ScannerName::UriWeb => {
            let kind = match name {
                ScannerName::UriDatabase => uri::Kind::Database,
                ScannerName::UriMongodb => uri::Kind::Mongodb,
                _ => uri::Kind::Web,
            };
            let set =
                ByteSet::of(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'_' | b'.' | b':'));
            let run = Run { set, max: uri::SCHEME_MAX };
            (Scanner::Uri(kind), vec![folded(&"://", Some(run))], vec![run], uri::REST_MAX + uri::SCHEME_MAX)
        }
        ScannerName::AssignmentKey | ScannerName::AssignmentPassword => {
            let kind = if name == ScannerName::AssignmentKey { Kind::Key } else { Kind::Password };
            let triggers = generic::literals(kind).iter().map(|word| folded(word, None)).collect();
            (Scanner::Assignment(kind), triggers, vec![], generic::LONGEST)
        }
    };
    Wiring { scanner, triggers, runs, longest }
}

/// What a scanner sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nothing.
    No,
    /// It depends on what follows; nothing from `from` on may go out.
    Undecided { from: usize },
    /// A value, and where what belongs to it starts.
    Value { start: usize, value: usize, end: usize },
}

impl Shape {
    const fn whole(start: usize, end: usize) -> Self {
        Self::Value { start, value: start, end }
    }
}

impl Scanner {
    /// Looks at one place.
    pub(super) fn look(self, view: &View<'_>, at: usize) -> Shape {
        match self {
            Self::Email => email::look(view, at),
            Self::Ipv4 => ip::look_v4(view, at),
            Self::Ipv6 => ip::look_v6(view, at),
            Self::Iban => iban::look(view, at),
            Self::Phone(form) => phone::look(view, at, form),
            Self::Uri(kind) => uri::look(view, at, kind),
            Self::Assignment(kind) => match generic::look(view.text, view.complete, at, kind) {
                Look::No => Shape::No,
                Look::More { from } => Shape::Undecided { from },
                Look::Value { start, end } => Shape::whole(start, end),
            },
        }
    }
}
