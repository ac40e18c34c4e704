//! Numbers of people and firms in Australia and New Zealand.

use super::sums::{Digits, compact};

/// Tax file number: weights 1 4 3 7 5 8 6 9 10 mod 11 (eight digits: 10 7 8 4 6 3 5 1).
pub(super) fn au_tfn(text: &[u8]) -> bool {
    Digits::exactly(text, 9)
        .is_some_and(|read| read.weighted(&[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11))
        || Digits::exactly(text, 8)
            .is_some_and(|read| read.weighted(&[10, 7, 8, 4, 6, 3, 5, 1]).is_multiple_of(11))
}

/// Business number: the first digit less one, weights 10 1 3 … 19 mod 89.
pub(super) fn au_abn(text: &[u8]) -> bool {
    Digits::exactly(text, 11).is_some_and(|read| {
        let sum = read.weighted(&[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
        read.at(0) != 0 && sum % 89 == 10
    })
}

/// Company number: weights 8…1 mod 10.
pub(super) fn au_acn(text: &[u8]) -> bool {
    Digits::exactly(text, 9)
        .is_some_and(|read| (10 - read.weighted(&[8, 7, 6, 5, 4, 3, 2, 1]) % 10) % 10 == read.at(8))
}

/// Medicare card: first digit 2-6, weights 1 3 7 9 1 3 7 9 mod 10, then an issue number and perhaps a person's.
pub(super) fn au_medicare(text: &[u8]) -> bool {
    let Some(read) = Digits::read(text).filter(|read| matches!(read.len(), 10 | 11)) else { return false };
    (2..=6).contains(&read.at(0)) && read.weighted(&[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == read.at(8)
}

/// Inland Revenue number: eight or nine digits, mod 11 in two stages.
pub(super) fn nz_ird(text: &[u8]) -> bool {
    let Some(read) = Digits::read(text).filter(|read| matches!(read.len(), 8 | 9)) else { return false };
    let number = read.number(0, read.len());
    if !(10_000_000..150_000_000).contains(&number) {
        return false;
    }
    let sum = |weights: [u64; 8]| {
        let body = number / 10;
        let total: u64 = weights
            .iter()
            .enumerate()
            .map(|(place, weight)| body / 10_u64.pow(7 - place as u32) % 10 * weight)
            .sum();
        (11 - total % 11) % 11
    };
    let check = match sum([3, 2, 7, 6, 5, 4, 3, 2]) {
        10 => sum([7, 4, 3, 2, 5, 2, 7, 6]),
        check => check,
    };
    check == number % 10
}

/// National health index: three letters (no I, O), four digits (mod 11), or since 2022 two digits and two letters.
pub(super) fn nz_nhi(text: &[u8]) -> bool {
    let Some((code, 7)) = compact(text) else { return false };
    let letter = |byte: u8| {
        b"ABCDEFGHJKLMNPQRSTUVWXYZ".iter().position(|known| *known == byte).map(|at| at as u32 + 1)
    };
    let value = |byte: u8| if byte.is_ascii_digit() { Some(u32::from(byte - b'0')) } else { letter(byte) };
    if !code[..3].iter().all(|byte| letter(*byte).is_some()) || !code[3..5].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let Some(sum) = code[..6]
        .iter()
        .zip([7, 6, 5, 4, 3, 2])
        .map(|(byte, weight)| value(*byte).map(|value| value * weight))
        .sum::<Option<u32>>()
    else {
        return false;
    };
    if code[6].is_ascii_digit() {
        let rest = sum % 11;
        rest != 0 && (11 - rest) % 10 == u32::from(code[6] - b'0')
    } else {
        value(code[6]) == Some(23 - sum % 23)
    }
}
