//! How often four bytes are seen beside each other, to choose by which part of itself a keyword is looked for.
//!
//! `frequency/pairs.txt` has a row for each first byte and a column for each second: how often the pair was seen in 20 MB
//! of prose, code, JSON and logs, as a digit of base 36 for half a bit each. Bytes are folded as the prefilter folds
//! them, by setting the bit 0x20, which leaves 64 of the ASCII range.

use std::sync::LazyLock;

const PAIRS: &str = include_str!("frequency/pairs.txt");
const SYMBOLS: usize = 64;
/// What a pair has that was never seen, or that holds a byte outside ASCII.
const UNSEEN: f32 = -23.5;

struct Table {
    pairs: Vec<f32>,
    singles: Vec<f32>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let digits = PAIRS.bytes().filter_map(|b| char::from(b).to_digit(36));
    let pairs: Vec<f32> =
        digits.map(|digit| UNSEEN + f32::from(u8::try_from(digit).unwrap_or(0)) / 2.0).collect();
    let singles =
        pairs.chunks(SYMBOLS).map(|row| row.iter().map(|bits| bits.exp2()).sum::<f32>().log2()).collect();
    Table { pairs, singles }
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
    let [a, b, c, d] = gram.to_le_bytes();
    (pair(a, b) + pair(b, c) + pair(c, d) - single(b) - single(c)).exp2()
}
