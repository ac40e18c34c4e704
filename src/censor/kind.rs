//! Kinds of bytes, few enough for tables of pairs.

/// How many kinds there are.
pub(super) const KINDS: usize = 20;
/// The kind of a byte that isn't there.
pub(super) const NONE: usize = 19;

/// A set of kinds.
pub(super) type KindSet = u32;
/// Of each kind of a first byte: the kinds that a second byte may have.
pub(super) type PairSet = [KindSet; KINDS];

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
        b'0' => 0,
        b'1' => 1,
        b'2' => 2,
        b'3'..=b'9' => 3,
        b'a'..=b'f' => 4,
        b'g'..=b'z' => 5,
        b'A'..=b'F' => 6,
        b'G'..=b'Z' => 7,
        b' ' | b'\t' => 8,
        b'-' => 9,
        b'.' => 10,
        b':' => 11,
        b'/' => 12,
        b',' => 13,
        b'(' | b')' => 14,
        b'+' => 15,
        b'\n' | b'\r' => 16,
        0x80.. => 17,
        _ => 18,
    }
}
