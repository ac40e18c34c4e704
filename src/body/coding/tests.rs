use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::{CodingLimits, Decoder};
use crate::body::testkit::{everywhere, run};
use crate::body::{DRAIN_STEP, Transform};
use crate::names::Direction;
use crate::reason::Reason;

fn coded(coding: &str, bytes: &[u8]) -> Vec<u8> {
    match coding {
        "gzip" => {
            let mut coder = GzEncoder::new(Vec::new(), Compression::default());
            coder.write_all(bytes).unwrap();
            coder.finish().unwrap()
        }
        "deflate" => {
            let mut coder = ZlibEncoder::new(Vec::new(), Compression::default());
            coder.write_all(bytes).unwrap();
            coder.finish().unwrap()
        }
        "br" => {
            let mut out = Vec::new();
            brotli::CompressorWriter::new(&mut out, 4096, 5, 22).write_all(bytes).unwrap();
            out
        }
        _ => zstd::encode_all(bytes, 3).unwrap(),
    }
}

const ALL: [&str; 4] = ["gzip", "deflate", "br", "zstd"];

fn limited(coding: &str, limits: CodingLimits) -> impl Fn() -> Box<dyn Transform> {
    move || Box::new(Decoder::new(coding, Direction::Request, limits).unwrap().unwrap())
}

fn decoder(coding: &str) -> impl Fn() -> Box<dyn Transform> {
    limited(coding, CodingLimits::default())
}

fn text(length: usize) -> Vec<u8> {
    let mut state = 7_u64;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            b"the quick brown fox jumps"[(state >> 40) as usize % 25]
        })
        .collect()
}

#[test]
fn every_coding_at_every_cut() {
    for coding in ALL {
        for length in [0, 1, 300] {
            let plain = text(length);
            let outcome = everywhere(&decoder(coding), &coded(coding, &plain));
            assert_eq!((outcome.reason(), outcome.out), (None, plain), "{coding} {length}");
        }
        assert_eq!(everywhere(&decoder(coding), b"").reason(), None, "{coding}: no body at all");
    }
}

#[test]
fn much_comes_out_step_by_step() {
    for coding in ALL {
        let plain = text(1_000_000);
        let body = coded(coding, &plain);
        let mut decoder = decoder(coding)();
        let (mut all, mut out) = (Vec::new(), Vec::new());
        decoder.push(&body, &mut out).unwrap();
        loop {
            assert!(out.len() <= DRAIN_STEP + 64 * 1024);
            all.append(&mut out);
            if !decoder.drain(&mut out).unwrap() {
                break;
            }
        }
        decoder.finish(&mut all).unwrap();
        assert!(all == plain, "{coding}");
    }
}

#[test]
fn two_codings_come_off_in_their_order() {
    let plain = text(500_000);
    for (header, first, second) in [
        ("gzip, br", "gzip", "br"),
        (" ZSTD ,identity,, x-gzip", "zstd", "gzip"),
        ("gzip,gzip", "gzip", "gzip"),
    ] {
        let body = coded(second, &coded(first, &plain));
        for size in [1000, body.len()] {
            let outcome = run(&mut *decoder(header)(), body.chunks(size));
            assert!(outcome.refusal.is_none() && outcome.out == plain, "{header}");
        }
    }
}

#[test]
fn what_is_known() {
    let new = |header: &str| Decoder::new(header, Direction::Request, CodingLimits::default());
    for header in ["", "identity", " , Identity ,"] {
        assert!(new(header).unwrap().is_none());
    }
    for header in ["compress", "gzip, br, zstd", "gzip;q=1", "aes128gcm", "gzip br"] {
        assert_eq!(new(header).err().unwrap().reason, Reason::CodingUnknown, "{header}");
    }
    let answer = Decoder::new("compress", Direction::Response, CodingLimits::default());
    assert_eq!(answer.err().unwrap().reason, Reason::UpstreamCoding);
}

#[test]
fn broken_truncated_and_followed_by_more() {
    for coding in ALL {
        let body = coded(coding, &text(400));
        for end in 1..body.len() {
            let outcome = run(&mut *decoder(coding)(), [&body[..end]]);
            assert_eq!(outcome.reason(), Some(Reason::CodingBroken), "{coding} cut at {end}");
        }
        for tail in [b"x".as_slice(), b"\0", b"garbage behind the end"] {
            let longer = [&body, tail].concat();
            for size in [1, 7, longer.len()] {
                let outcome = run(&mut *decoder(coding)(), longer.chunks(size));
                assert_eq!(outcome.reason(), Some(Reason::CodingBroken), "{coding} with {tail:?}");
            }
        }
        let mut flawed = body.clone();
        let middle = flawed.len() / 2;
        flawed[middle] ^= 0x55;
        let outcome = run(&mut *decoder(coding)(), [flawed.as_slice()]);
        // zstd without a checksum and brotli can't tell every flaw; what they give then is censored like anything else.
        assert!(
            outcome.reason() == Some(Reason::CodingBroken) || matches!(coding, "br" | "zstd"),
            "{coding}"
        );
        assert_eq!(
            run(&mut *decoder(coding)(), [b"plainly not coded".as_slice()]).reason(),
            Some(Reason::CodingBroken)
        );
    }
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
    raw.write_all(b"raw deflate, which nothing ends").unwrap();
    assert_eq!(
        run(&mut *decoder("deflate")(), [raw.finish().unwrap().as_slice()]).reason(),
        Some(Reason::CodingBroken)
    );
}

#[test]
fn members_and_frames_one_after_another() {
    for coding in ["gzip", "zstd"] {
        let body = [coded(coding, b"one "), coded(coding, b""), coded(coding, b"two")].concat();
        assert_eq!(everywhere(&decoder(coding), &body).out, b"one two");
    }
    for coding in ["deflate", "br"] {
        let body = [coded(coding, b"one "), coded(coding, b"two")].concat();
        assert_eq!(everywhere(&decoder(coding), &body).reason(), Some(Reason::CodingBroken));
    }
}

#[test]
fn gzip_headers_with_all_their_parts() {
    let mut coder = flate2::GzBuilder::new()
        .extra(vec![7; 300])
        .filename("a name")
        .comment("a comment")
        .mtime(1)
        .write(Vec::new(), Compression::fast());
    coder.write_all(b"text").unwrap();
    let body = coder.finish().unwrap();
    assert_eq!(everywhere(&decoder("gzip"), &body).out, b"text");
    let mut with_check = body.clone();
    with_check[3] |= 2;
    let header = body.len() - (4 + 2 + 8);
    let at = body.windows(10).position(|w| w == b"a comment\0").unwrap() + 10;
    assert!(at <= header + 4);
    let sum = crc32fast::hash(&with_check[..at]).to_le_bytes();
    with_check.splice(at..at, sum[..2].iter().copied());
    assert_eq!(everywhere(&decoder("gzip"), &with_check).out, b"text");
    with_check[at] ^= 1;
    assert_eq!(everywhere(&decoder("gzip"), &with_check).reason(), Some(Reason::CodingBroken));
    let mut reserved = body;
    reserved[3] |= 0x20;
    assert_eq!(run(&mut *decoder("gzip")(), [reserved.as_slice()]).reason(), Some(Reason::CodingBroken));
}

#[test]
fn bombs() {
    let zeros = vec![0; 6 << 20];
    for coding in ALL {
        let bomb = coded(coding, &zeros);
        let outcome = run(&mut *decoder(coding)(), [bomb.as_slice()]);
        assert_eq!(outcome.reason(), Some(Reason::CodingBomb), "{coding}");
        assert!(outcome.out.len() < 4 << 20, "{coding}: {} came out", outcome.out.len());
        let twice = format!("{coding}, {coding}");
        assert_eq!(
            run(&mut *decoder(&twice)(), [coded(coding, &bomb).as_slice()]).reason(),
            Some(Reason::CodingBomb)
        );
        let plain = text(100_000);
        let small = limited(coding, CodingLimits { size: 50_000, ratio: 100 });
        assert_eq!(run(&mut *small(), [coded(coding, &plain).as_slice()]).reason(), Some(Reason::CodingBomb));
        // What is small may be as repetitive as it likes.
        let plain = vec![b'a'; 1_000_000];
        assert!(run(&mut *decoder(coding)(), [coded(coding, &plain).as_slice()]).out == plain);
    }
}

/// Each of two codings kept to its ratio, so that both together went up to its square.
#[test]
fn codings_on_top_of_each_other_have_one_ratio() {
    // A block that hardly shrinks, often: the first coding makes it a fiftieth, the second that a fiftieth again.
    let (unit, size) = (text(2_000), 8 << 20);
    let plain: Vec<u8> = unit.iter().copied().cycle().take(size).collect();
    let mild = CodingLimits { size: 1 << 40, ratio: 400 };
    for (header, first, second) in
        [("deflate, gzip", "deflate", "gzip"), ("gzip, deflate", "gzip", "deflate")]
    {
        let between = coded(first, &plain);
        let body = coded(second, &between);
        let (inner, outer) = (size / between.len(), between.len() / body.len());
        assert!(inner < 400 && outer < 400 && inner * outer > 1_000, "{header}: {inner} and {outer}");
        for piece in [700, body.len()] {
            let outcome = run(&mut *limited(header, mild)(), body.chunks(piece));
            assert_eq!(outcome.reason(), Some(Reason::CodingBomb), "{header}");
            assert!(outcome.out.len() < 400 * body.len() + (1 << 20), "{header}: {}", outcome.out.len());
        }
    }
    // What isn't repetitive passes, however large.
    let body = coded("gzip", &coded("deflate", &text(2 << 20)));
    assert_eq!(run(&mut *decoder("deflate, gzip")(), body.chunks(10_000)).reason(), None);
}

#[test]
fn windows_of_zstd_are_bounded() {
    let mut coder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    coder.window_log(27).unwrap();
    coder.write_all(&text(1000)).unwrap();
    let body = coder.finish().unwrap();
    assert_eq!(run(&mut *decoder("zstd")(), [body.as_slice()]).reason(), Some(Reason::CodingBroken));
}
