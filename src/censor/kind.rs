//! Kinds of bytes, few enough for tables of pairs.

/// How many kinds there are.
pub(super) const KINDS: usize = 16;
/// The kind of a byte that isn't there.
pub(super) const NONE: usize = 15;

/// Of each kind of a first byte: the kinds that a second byte may have.
pub(super) type PairSet = [u16; KINDS];

/// A byte's kind.
pub(super) fn kind(byte: u8) -> usize {
    usize::from(TABLE[usize::from(byte)])
}

const TABLE: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = classify(byte as u8);
        byte += 1;
    }
    table
};

const fn classify(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'f' => 1,
        b'g'..=b'z' => 2,
        b'A'..=b'F' => 3,
        b'G'..=b'Z' => 4,
        b' ' | b'\t' => 5,
        b'-' => 6,
        b'.' => 7,
        b':' => 8,
        b'/' => 9,
        b',' => 10,
        b'(' | b')' => 11,
        b'+' => 12,
        0x80.. => 13,
        _ => 14,
    }
}
