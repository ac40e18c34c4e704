use proptest::prelude::*;

use crate::listener::sniff::Sniffer;

/// Whether any section conflicts, when the bytes come in these pieces and something is always in flight.
fn conflict(pieces: &[&[u8]]) -> bool {
    let mut sniffer = Sniffer::new();
    pieces.iter().fold(false, |found, piece| sniffer.read(piece, false) | found)
}

const CASES: [(&str, bool); 12] = [
    ("GET / HTTP/1.1\r\nhost: a\r\n\r\n", false),
    ("\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\ncontent-length: 0\r\n\r\n", false),
    ("POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabcPOST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc", false),
    ("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", true),
    ("POST / HTTP/1.1\ntransfer-encoding: chunked\ncontent-length:3\n\n", true),
    ("POST / HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 3\r\n\r\nabc", true),
    (
        "POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\nabPOST / HTTP/1.1\r\ncontent-length: 1\r\nTE: x\r\nCONTENT-LENGTH: 1\r\n\r\n",
        true,
    ),
    // In a body it is data.
    (
        "POST / HTTP/1.1\r\ncontent-length: 64\r\n\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n",
        false,
    ),
    // Other headers that begin alike.
    (
        "POST / HTTP/1.1\r\ncontent-length: 0\r\nx-content-length: 3\r\ntransfer-encodings: chunked\r\n\r\n",
        false,
    ),
    ("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", false),
    ("POST / HTTP/1.1\r\ncontent-length: 5\r\n", false),
    (
        "POST / HTTP/1.1\r\nx: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\ncontent-length: 1\r\nContent-length: 1\r\n\r\n",
        true,
    ),
];

#[test]
fn conflicts_are_seen_under_every_chunking() {
    for (text, expected) in CASES {
        let bytes = text.as_bytes();
        assert_eq!(conflict(&[bytes]), expected, "{text}");
        let single: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(conflict(&single), expected, "byte by byte: {text}");
        for cut in 0..bytes.len() {
            let (before, after) = bytes.split_at(cut);
            assert_eq!(conflict(&[before, after]), expected, "cut at {cut}: {text}");
        }
    }
}

#[test]
fn after_a_chunked_body_it_looks_again_when_nothing_is_in_flight() {
    let chunked = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let both = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n";
    let mut sniffer = Sniffer::new();
    assert!(!sniffer.read(chunked, true));
    assert!(!sniffer.read(chunked, true));
    assert!(sniffer.read(both, true));
}

proptest! {
    #[test]
    fn chunking_never_matters(bytes in proptest::collection::vec(
        prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'c'), Just(b':'), any::<u8>()], 0..200), cut in 0_usize..200) {
        let cut = cut.min(bytes.len());
        let (before, after) = bytes.split_at(cut);
        prop_assert_eq!(conflict(&[before, after]), conflict(&[&bytes]));
    }
}
