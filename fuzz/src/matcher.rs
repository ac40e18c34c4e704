//! The engine: a text whole, and the same in pieces.

use std::sync::Arc;

use consentry::body::Job;
use consentry::censor::{Context, Exchange, Finding, Piece, Side, TextStream};
use consentry::names::Direction;

use super::input::Input;
use super::passed::shown;
use super::values::{self, ENGINE_COUNT, ENGINES};

const FIELDS: [Option<&str>; 6] = [
    None,
    Some("password"),
    Some("authorization"),
    Some("konto"),
    Some("account_number"),
    Some("birth_name"),
];

/// Runs an input.
pub fn run(data: &[u8]) {
    let Some(input) = Input::new(data) else { return };
    let text = input.body();
    let which = usize::from(input.one_of(ENGINE_COUNT));
    let engine = &ENGINES[which];
    let field = FIELDS[usize::from(input.beyond(ENGINE_COUNT)) % FIELDS.len()];
    let job = values::job(engine, Direction::Request);

    let mut found = Vec::new();
    engine.scan(&text, Context { field }, &mut found);
    let mut at = 0;
    for finding in &found {
        assert!(
            at <= finding.start && finding.start < finding.end && finding.end <= text.len(),
            "{finding:?}"
        );
        at = finding.end;
    }
    let whole = by_findings(&job, &found, &text);
    let cut = in_pieces(&values::job(engine, Direction::Request), field, Side::Censor, &input.pieces(&text));
    assert_eq!(whole.blocked, cut.blocked);
    if !whole.blocked {
        assert!(whole.out == cut.out, "whole and in pieces:\n{}\n{}", shown(&whole.out), shown(&cut.out));
        assert_eq!(job.exchange.tally(), cut.exchange.tally());
    }
    if which == 0 {
        values::absent(input.template, &whole.out);
        values::absent(input.template, &cut.out);
    }
    if whole.blocked {
        return;
    }
    if found.is_empty() {
        assert!(whole.out == text);
    }
    if std::str::from_utf8(&text).is_ok() {
        assert!(std::str::from_utf8(&whole.out).is_ok(), "it is no UTF-8 any more: {}", shown(&whole.out));
    }
    restored(&input, &text, field, which);
    // A field's value is masked anew; and a value that is longer than any rule's bound may come within it when a part of
    // it is replaced.
    let bounded = text.split(u8::is_ascii_whitespace).all(|word| word.len() < 120);
    if field.is_none() && bounded && which < 2 {
        twice(&job, &whole.out);
    }
}

fn twice(job: &Job, once: &[u8]) {
    let mut found = Vec::new();
    let again = values::censored(job, once, &mut found);
    let again = again.unwrap_or_else(|| panic!("what was censored blocks: {}", shown(once)));
    assert!(again == once, "once and twice:\n{}\n{}", shown(once), shown(&again));
}

/// An answer, in which names get their values back, whole and in pieces.
fn restored(input: &Input<'_>, text: &[u8], field: Option<&str>, which: usize) {
    let engine = &ENGINES[which];
    let whole = in_pieces(&values::answer(engine), field, Side::CensorAndRestore, &[text]);
    let cut = in_pieces(&values::answer(engine), field, Side::CensorAndRestore, &input.pieces(text));
    assert_eq!(whole.blocked, cut.blocked);
    assert!(
        whole.blocked || whole.out == cut.out,
        "an answer, whole and in pieces:\n{}\n{}",
        shown(&whole.out),
        shown(&cut.out)
    );
}

struct Outcome {
    out: Vec<u8>,
    blocked: bool,
    exchange: Exchange,
}

fn by_findings(job: &Job, found: &[Finding], text: &[u8]) -> Outcome {
    let exchange = job.exchange.clone();
    let (mut out, mut at) = (Vec::new(), 0);
    for finding in found {
        out.extend_from_slice(&text[at..finding.start]);
        at = finding.end;
        if exchange.replace(&job.engine, finding, &text[finding.start..at], job.side, &mut out).is_err() {
            return Outcome { out, blocked: true, exchange };
        }
    }
    out.extend_from_slice(&text[at..]);
    Outcome { out, blocked: false, exchange }
}

fn in_pieces(job: &Job, field: Option<&str>, side: Side, pieces: &[&[u8]]) -> Outcome {
    let engine = Arc::clone(&job.engine);
    let most = engine.hold_back();
    let mut stream = TextStream::new(engine, job.exchange.clone(), field, side);
    let mut outcome = Outcome { out: Vec::new(), blocked: false, exchange: job.exchange.clone() };
    let mut held: std::collections::VecDeque<u8> = std::collections::VecDeque::new();
    let mut pull = |stream: &mut TextStream, held: &mut std::collections::VecDeque<u8>| {
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
            assert!(held.len() <= most, "{} bytes are held", held.len());
        }
    };
    for piece in pieces {
        held.extend(*piece);
        stream.push(piece);
        pull(&mut stream, &mut held);
    }
    stream.finish();
    pull(&mut stream, &mut held);
    assert!(outcome.blocked || held.is_empty(), "the end withholds something");
    outcome
}
