//! How often four bytes are seen beside each other, to choose by which part of itself a keyword is looked for.
//!
//! `frequency/pairs.txt` has a row for each first byte and a column for each second: how often the pair was seen in 20 MB
//! of prose, code, JSON and logs, as a digit of base 36 for half a bit each. Bytes are folded as the prefilter folds
//! them, by setting the bit 0x20, which leaves 64 of the ASCII range.
//!
//! `frequency/quads.txt` has the 8192 that were seen most in 45 MB of program sources, documents, manuals, JSON and logs, in
//! order, with such a digit behind each: letters of one word follow each other more often than their pairs let expect.

use std::collections::HashMap;
use std::sync::LazyLock;

const PAIRS: &str = include_str!("frequency/pairs.txt");
const QUADS: &str = include_str!("frequency/quads.txt");
const SYMBOLS: usize = 64;
/// What four bytes have at most that are not among those seen most.
const RARE: f32 = -16.0;
/// What a pair has that was never seen, or that holds a byte outside ASCII.
const UNSEEN: f32 = -23.5;

struct Table {
    pairs: Vec<f32>,
    singles: Vec<f32>,
    /// By their bytes, the first in the lowest place.
    quads: HashMap<u32, f32>,
}

/// The share that a digit stands for, as a power of two.
fn bits(digit: u32) -> f32 {
    UNSEEN + f32::from(u8::try_from(digit).unwrap_or(0)) / 2.0
}

fn quad(entry: &[u8; 5]) -> Option<(u32, f32)> {
    let [a, b, c, d, digit] = *entry;
    Some((u32::from_le_bytes([a, b, c, d]) | 0x2020_2020, bits(char::from(digit).to_digit(36)?)))
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let digits = PAIRS.bytes().filter_map(|b| char::from(b).to_digit(36));
    let pairs: Vec<f32> = digits.map(bits).collect();
    let singles =
        pairs.chunks(SYMBOLS).map(|row| row.iter().map(|bits| bits.exp2()).sum::<f32>().log2()).collect();
    let quads = QUADS.lines().flat_map(|line| line.as_bytes().as_chunks().0).filter_map(quad).collect();
    Table { pairs, singles, quads }
});

fn symbol(byte: u8) -> Option<usize> {
    match byte {
        0x20..=0x3f => Some(usize::from(byte) - 0x20),
        0x60..=0x7f => Some(usize::from(byte) - 0x40),
        _ => None,
    }
}

fn pair(a: u8, b: u8) -> f32 {
    let at = symbol(a).zip(symbol(b)).map(|(a, b)| a * SYMBOLS + b);
    at.and_then(|at| TABLE.pairs.get(at)).copied().unwrap_or(UNSEEN)
}

fn single(byte: u8) -> f32 {
    symbol(byte).and_then(|at| TABLE.singles.get(at)).copied().unwrap_or(UNSEEN / 2.0)
}

/// The share of places where four folded bytes are seen, by what is known of their pairs.
pub(super) fn gram(gram: u32) -> f32 {
    if let Some(seen) = TABLE.quads.get(&gram) {
        return seen.exp2();
    }
    let [a, b, c, d] = gram.to_le_bytes();
    (pair(a, b) + pair(b, c) + pair(c, d) - single(b) - single(c)).min(RARE).exp2()
}
