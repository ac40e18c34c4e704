//! Content codings, and the pump that drives them, with the coders' own decoders as the second readers.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use consentry::body::coding::{CodingLimits, Decoder};
use consentry::body::json::JsonPlan;
use consentry::body::jsonl::JsonlTransform;
use consentry::body::pump::{Bounds, Pump};
use consentry::body::{Chain, Job, Pass, Transform};
use consentry::names::Direction;
use futures_util::FutureExt;
use http_body::Frame;
use http_body_util::StreamBody;

use super::input::Input;
use super::passed::{Outcome, Treatment, shown};
use super::values::{self, ENGINES};

const CODINGS: [&str; 6] = ["gzip", "deflate", "br", "zstd", "deflate, gzip", "gzip, br"];
/// What a body may become: little, so that inputs reach it.
const LIMITS: CodingLimits = CodingLimits { size: 1 << 21, ratio: 100 };

/// Runs an input.
pub fn run(data: &[u8]) {
    let Some(input) = Input::new(data) else { return };
    let header = CODINGS[usize::from(input.one_of(6))];
    let body = input.body();
    match input.beyond(6) % 3 {
        0 => as_it_is(&input, header, &body),
        1 => round_trip(&input, header, &body),
        _ => lines(&input, header, &body),
    }
}

fn decoder(header: &str) -> Decoder {
    Decoder::new(header, Direction::Request, LIMITS).unwrap().unwrap()
}

/// The bytes are taken for coded ones.
fn as_it_is(input: &Input<'_>, header: &str, body: &[u8]) {
    let whole = decoded(input, header, body);
    assert!(whole.out.len() as u64 <= LIMITS.size + (1 << 19), "{} bytes came out", whole.out.len());
    if whole.refusal.is_none() && !body.is_empty() && !header.contains(',') {
        let other = other(header, body, whole.out.len() + 1);
        assert!(
            other.as_ref() == Some(&whole.out),
            "another reader has another text of it: {}",
            shown(&whole.out)
        );
    }
}

/// What was coded is decoded.
fn round_trip(input: &Input<'_>, header: &str, body: &[u8]) {
    let coded = coded(header, body);
    let whole = decoded(input, header, &coded);
    if body.len() < 1 << 20 {
        assert_eq!(whole.refusal, None);
        assert!(whole.out == body);
    }
}

/// Lines of JSON under a coding, through the pump as well.
fn lines(input: &Input<'_>, header: &str, body: &[u8]) {
    let coded = coded(header, body);
    let job = || values::job(&ENGINES[0], Direction::Request);
    let plan = Arc::new(JsonPlan::empty());
    let plain =
        |job: Job| -> Box<dyn Transform> { Box::new(JsonlTransform::censoring(job, Arc::clone(&plan))) };
    let chained = |job: Job| -> Box<dyn Transform> {
        Box::new(Chain::new(decoder(header), JsonlTransform::censoring(job, Arc::clone(&plan))))
    };
    let treatment = Treatment { many_reasons: true, ..Treatment::new(&job, &chained) };
    let whole = treatment.check(input, &coded);
    let uncoded = Treatment::new(&job, &plain).run([body]);
    assert_eq!(
        whole.refusal.is_some(),
        uncoded.refusal.is_some(),
        "{:?} and {:?}",
        whole.refusal,
        uncoded.refusal
    );
    if whole.refusal.is_none() {
        assert!(whole.out == uncoded.out, "under a coding:\n{}\n{}", shown(&uncoded.out), shown(&whole.out));
    }
    let pieces: Vec<Result<_, Infallible>> = input
        .pieces(&coded)
        .into_iter()
        .map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    let bounds = Bounds::within(Direction::Request, 1 << 30, Duration::from_secs(60));
    let transform = JsonlTransform::censoring(job(), Arc::clone(&plan));
    let body = StreamBody::new(futures_util::stream::iter(pieces));
    let mut pump = Pump::new(body, Some(decoder(header)), transform, bounds);
    let (mut out, mut refused) = (Vec::new(), false);
    loop {
        match pump.next().now_or_never().expect("everything is there") {
            Ok(Some(piece)) => out.extend_from_slice(&piece),
            Ok(None) => break,
            Err(_refusal) => {
                refused = true;
                break;
            }
        }
    }
    values::absent(input.template, &out);
    assert_eq!(refused, whole.refusal.is_some());
    assert!(refused || out == whole.out, "through the pump:\n{}\n{}", shown(&whole.out), shown(&out));
}

fn decoded(input: &Input<'_>, header: &str, body: &[u8]) -> Outcome {
    let job = || values::job(&ENGINES[0], Direction::Request);
    let make = |_: Job| -> Box<dyn Transform> { Box::new(Chain::new(decoder(header), Pass)) };
    let treatment = Treatment { many_reasons: true, finds: false, ..Treatment::new(&job, &make) };
    let whole = treatment.check(input, body);
    assert!(whole.is_clean() || whole.refusal.is_some());
    whole
}

fn coded(header: &str, bytes: &[u8]) -> Vec<u8> {
    header.split(", ").fold(bytes.to_vec(), |bytes, coding| one(coding, &bytes))
}

fn one(coding: &str, bytes: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::fast();
    match coding {
        "gzip" => {
            let mut coder = flate2::write::GzEncoder::new(Vec::new(), level);
            coder.write_all(bytes).unwrap();
            coder.finish().unwrap()
        }
        "deflate" => {
            let mut coder = flate2::write::ZlibEncoder::new(Vec::new(), level);
            coder.write_all(bytes).unwrap();
            coder.finish().unwrap()
        }
        "br" => {
            let mut out = Vec::new();
            let mut coder = brotli::CompressorWriter::new(&mut out, 4096, 1, 18);
            coder.write_all(bytes).unwrap();
            drop(coder);
            out
        }
        _ => {
            let mut coder = zstd::Encoder::new(Vec::new(), 1).unwrap();
            coder.write_all(bytes).unwrap();
            coder.finish().unwrap()
        }
    }
}

/// What the coder's own decoder reads, up to so many bytes. None: it does not decode.
#[expect(clippy::disallowed_types, reason = "the second reader")]
fn other(header: &str, bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let most = most as u64;
    match header {
        "gzip" => flate2::read::MultiGzDecoder::new(bytes).take(most).read_to_end(&mut out),
        "deflate" => {
            let zlib = flate2::read::ZlibDecoder::new(bytes).take(most).read_to_end(&mut out);
            // Many send it without the wrapper that it has.
            if zlib.is_ok() {
                zlib
            } else {
                out.clear();
                flate2::read::DeflateDecoder::new(bytes).take(most).read_to_end(&mut out)
            }
        }
        "br" => brotli::Decompressor::new(bytes, 4096).take(most).read_to_end(&mut out),
        _ => zstd::Decoder::new(bytes).ok()?.take(most).read_to_end(&mut out),
    }
    .ok()?;
    Some(out)
}
