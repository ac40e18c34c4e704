//! The engine as a whole: the same result for every way to cut a text, and nothing found gets out.

mod corpus;
mod invariants;
mod overlap;

use std::sync::Arc;

use aws_lc_rs::hmac;

use super::*;

/// The rules of these tests: one of each kind.
pub(crate) fn rules() -> RuleSet {
    RuleSet::parse("tests/rules.yaml", include_str!("tests/rules.yaml")).unwrap()
}

pub(crate) fn engine() -> Arc<Engine> {
    engine_with(&Policy::recommended())
}

pub(crate) fn engine_with(policy: &Policy) -> Arc<Engine> {
    Arc::new(Engine::compile(&rules(), policy).unwrap())
}

pub(crate) fn exchange() -> Exchange {
    Exchange::new(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, b"a tenant's key")))
}

/// What came of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) out: Vec<u8>,
    pub(crate) blocked: bool,
    pub(crate) tally: Tally,
}

impl Outcome {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }
}

/// Censors a complete text by its findings.
pub(crate) fn whole(engine: &Engine, exchange: &Exchange, field: Option<&str>, text: &[u8]) -> Outcome {
    let mut found = Vec::new();
    engine.scan(text, Context { field }, &mut found);
    let (mut out, mut at, mut blocked) = (Vec::new(), 0, false);
    for finding in &found {
        assert!(at <= finding.start && finding.start < finding.end && finding.end <= text.len(), "{found:?}");
        out.extend_from_slice(&text[at..finding.start]);
        at = finding.end;
        if exchange
            .replace(engine, finding, &text[finding.start..finding.end], Side::Censor, &mut out)
            .is_err()
        {
            blocked = true;
            break;
        }
    }
    if !blocked {
        out.extend_from_slice(&text[at..]);
    }
    Outcome { out, blocked, tally: exchange.tally() }
}

/// Censors a text in pieces, as a body does.
pub(crate) fn pieces(
    engine: &Arc<Engine>,
    exchange: &Exchange,
    field: Option<&str>,
    side: Side,
    parts: &[&[u8]],
) -> Outcome {
    let mut stream = TextStream::new(Arc::clone(engine), exchange.clone(), field, side);
    let mut held: Vec<u8> = Vec::new();
    let mut outcome = Outcome { out: Vec::new(), blocked: false, tally: Tally::default() };
    let mut drain = |stream: &mut TextStream, held: &mut Vec<u8>| {
        while let Some(piece) = stream.next() {
            assert!(!outcome.blocked, "something comes after a block");
            match piece {
                Piece::Keep { len } => outcome.out.extend(held.drain(..len)),
                Piece::Replace { len, with, .. } => {
                    held.drain(..len);
                    outcome.out.extend_from_slice(with);
                }
                Piece::Block { .. } => outcome.blocked = true,
            }
        }
        if !outcome.blocked {
            assert_eq!(held.len(), stream.held());
            assert!(held.len() <= engine.hold_back(), "{} bytes are held", held.len());
        }
    };
    for part in parts {
        held.extend_from_slice(part);
        stream.push(part);
        drain(&mut stream, &mut held);
    }
    stream.finish();
    drain(&mut stream, &mut held);
    if !outcome.blocked {
        assert!(held.is_empty(), "the end withholds something");
    }
    outcome.tally = exchange.tally();
    outcome
}

/// Censors with the rules of these tests.
pub(crate) fn censored(text: &str) -> String {
    whole(&engine(), &exchange(), None, text.as_bytes()).text()
}
