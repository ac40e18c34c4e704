//! The pack in streams: whatever the cuts, the same is replaced as in the whole text.

use std::sync::Arc;

use aws_lc_rs::hmac;
use consentry::censor::{Context, Engine, Exchange, Piece, Side, TextStream};

/// The regions that a stream replaces, with the text cut at these places.
pub(crate) fn replaced(engine: &Arc<Engine>, text: &[u8], cuts: &[usize]) -> Vec<(usize, usize)> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"a tenant's key");
    let mut stream = TextStream::new(Arc::clone(engine), Exchange::new(Arc::new(key)), None, Side::Censor);
    let mut regions = Vec::new();
    let mut at = 0;
    let mut from = 0;
    for cut in cuts.iter().copied().chain([text.len()]) {
        stream.push(&text[from..cut]);
        from = cut;
        drain(&mut stream, &mut at, &mut regions);
    }
    stream.finish();
    drain(&mut stream, &mut at, &mut regions);
    assert_eq!(at, text.len(), "everything came out");
    regions
}

fn drain(stream: &mut TextStream, at: &mut usize, regions: &mut Vec<(usize, usize)>) {
    while let Some(piece) = stream.next() {
        match piece {
            Piece::Keep { len } => *at += len,
            Piece::Replace { len, .. } => {
                match regions.last_mut() {
                    // What is swallowed comes in parts.
                    Some((_, end)) if *end == *at => *end += len,
                    _ => regions.push((*at, *at + len)),
                }
                *at += len;
            }
            Piece::Block { .. } => panic!("nothing blocks by default"),
        }
    }
}

/// The regions that are found in the whole text, those that touch joined.
pub(crate) fn found(engine: &Engine, text: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    engine.scan(text, Context::default(), &mut found);
    let mut regions: Vec<(usize, usize)> = Vec::new();
    for finding in &found {
        match regions.last_mut() {
            Some((_, end)) if *end == finding.start => *end = finding.end,
            _ => regions.push((finding.start, finding.end)),
        }
    }
    regions
}

/// The most bytes that a stream has not given out yet after a word, and behind which word that was.
pub(crate) fn held_at_most<'t>(engine: &Arc<Engine>, text: &'t str) -> (usize, &'t str) {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"a tenant's key");
    let mut stream = TextStream::new(Arc::clone(engine), Exchange::new(Arc::new(key)), None, Side::Censor);
    let (mut at, mut regions) = (0, Vec::new());
    let mut most = (0, "");
    let mut end = 0;
    for word in text.split_inclusive(' ') {
        stream.push(word.as_bytes());
        end += word.len();
        drain(&mut stream, &mut at, &mut regions);
        if stream.held() > most.0 {
            most = (stream.held(), text.get(end.saturating_sub(60)..end).unwrap_or(word));
        }
    }
    assert_eq!(regions, [], "prose without a finding");
    most
}

/// What a model says when nobody asks it for anything private.
pub(crate) const PROSE: &str = "Sure, here is a short summary of what happened in March and April. The river rose early, \
and by the second week most of the lower fields stood under water; nobody had expected that much rain so soon after a \
dry winter. In May the council met to discuss the dam. According to its report, the main cause was not the rain alone: \
three of the seven gates had been closed for repairs since autumn, and a fourth one was stuck. You may want to read the \
whole report, which is about forty pages long, before you decide. \n\nTo answer your second question: yes, you can plant \
tomatoes again, but wait until the soil is warm. A good rule is to wait until the nights stay above ten degrees. Dig in \
some compost, about two hands per plant, and water them in the morning. If the leaves turn yellow, it could be a lack of \
iron or simply too much water. My name for that is Monday's disease, since everybody waters on Sunday. \n\n1. Choose a \
place with six hours of sun. \n2. Space the plants at least 50 cm apart. \n3. Tie them to a pole before they fall over. \
\n\nThe function you asked about takes a list and returns the sum of its items; call it with `sum(values)` and it gives \
you a number. If the list is empty, the result is zero. Note that it does not check whether every item is a number, so \
a text in the list raises an error, such as `TypeError: unsupported operand`. People with asthma, diabetes or a weak \
heart should see their doctor first, and so should everyone above 65. The street was named after a painter who lived \
from 1871 to 1934, and the house at its end is now a library. It opens at 9 and closes at 17, except on public holidays. \
Your password should be long, and it should not be the name of a pet. The token that you need is shown on the page of \
your account; keep it to yourself. Call me when you know more, or send an email to the address on the page. Best \
regards, and good luck with the garden! ";
