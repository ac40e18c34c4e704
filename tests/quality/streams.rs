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
