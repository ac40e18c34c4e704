//! Check digits: the sums that many numbering schemes share.

use crate::censor::bytes::is_wide_joint;

/// Longest number this room reads, in digits.
const LONGEST: usize = 40;

/// A number's digits, most significant first, with the separators gone.
#[derive(Clone, Copy)]
pub(super) struct Digits {
    digits: [u8; LONGEST],
    len: usize,
}

impl Digits {
    /// The digits of `text`. `None` when another byte than a digit or a separator is in it, or too many digits.
    pub(super) fn read(text: &[u8]) -> Option<Digits> {
        let mut read = Digits { digits: [0; LONGEST], len: 0 };
        let mut rest = text;
        while let Some((&byte, behind)) = rest.split_first() {
            let (digit, behind) = match rest {
                // A digit of full width, U+FF10 to U+FF19.
                [0xEF, 0xBC, last @ 0x90..=0x99, behind @ ..] => (last - 0x90, behind),
                _ if byte.is_ascii_digit() => (byte - b'0', behind),
                _ if is_separator(byte) => {
                    rest = behind;
                    continue;
                }
                _ => return None,
            };
            *read.digits.get_mut(read.len)? = digit;
            read.len += 1;
            rest = behind;
        }
        Some(read)
    }

    /// As [`Digits::read`], when there are exactly `len` digits and they are not all the same.
    pub(super) fn exactly(text: &[u8], len: usize) -> Option<Digits> {
        Digits::read(text).filter(|read| read.len == len && !read.one_digit_repeated())
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        self.digits.get(..self.len).unwrap_or(&[])
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The digit at `index`, 0 beyond the end.
    pub(super) fn at(&self, index: usize) -> u32 {
        self.as_slice().get(index).map_or(0, |digit| u32::from(*digit))
    }

    /// The number that the digits `from..to` spell.
    pub(super) fn number(&self, from: usize, to: usize) -> u64 {
        let part = self.as_slice().get(from..to).unwrap_or(&[]);
        part.iter().fold(0, |sum, digit| sum * 10 + u64::from(*digit))
    }

    /// The sum of digit times weight, over the shorter of both.
    pub(super) fn weighted(&self, weights: &[u32]) -> u32 {
        self.as_slice().iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum()
    }

    fn one_digit_repeated(&self) -> bool {
        let digits = self.as_slice();
        digits.first().is_some_and(|first| digits.iter().all(|digit| digit == first))
    }
}

/// Bytes people put between the digits of one number. Which of them may stand where is the pattern's business.
pub(super) fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b'/' | b'(' | b')' | b'\t') || is_wide_joint(byte)
}

/// `text` without separators, upper case; `None` when it has more than `LONGEST` characters or other bytes.
pub(super) fn compact(text: &[u8]) -> Option<([u8; LONGEST], usize)> {
    let mut out = [0; LONGEST];
    let mut len = 0;
    for &byte in text {
        if byte.is_ascii_alphanumeric() {
            *out.get_mut(len)? = byte.to_ascii_uppercase();
            len += 1;
        } else if !is_separator(byte) {
            return None;
        }
    }
    Some((out, len))
}

/// Luhn (ISO/IEC 7812-1 annex B) over all digits of a number that is not one digit repeated.
pub(super) fn luhn(text: &[u8]) -> bool {
    Digits::read(text)
        .is_some_and(|read| read.len() > 1 && !read.one_digit_repeated() && luhn_digits(read.as_slice()))
}

pub(super) fn luhn_digits(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(*digit) << (place % 2);
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Verhoeff (1969), the dihedral group of order 10.
pub(super) fn verhoeff(text: &[u8]) -> bool {
    Digits::read(text).is_some_and(|read| read.len() > 1 && verhoeff_digits(read.as_slice()))
}

fn verhoeff_digits(digits: &[u8]) -> bool {
    let mut check = 0;
    for (place, digit) in digits.iter().rev().enumerate() {
        check = dihedral(check, permuted(usize::from(*digit), place % 8));
    }
    check == 0
}

/// Product in the dihedral group D5: 0..=4 are turns, 5..=9 are turns after a flip.
fn dihedral(left: usize, right: usize) -> usize {
    match (left < 5, right < 5) {
        (true, true) => (left + right) % 5,
        (true, false) => 5 + (left + right - 5) % 5,
        (false, true) => 5 + (left - 5 + 5 - right) % 5,
        (false, false) => (left + 5 - right) % 5,
    }
}

/// Verhoeff's permutation (1 5 8 9 4 2 7 0)(3 6), applied `times`.
fn permuted(mut digit: usize, times: usize) -> usize {
    const ONCE: [usize; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    for _ in 0..times {
        digit = ONCE[digit % 10];
    }
    digit
}

/// ISO 7064 MOD 11,10 over 11 digits (German tax number, Croatian OIB, German VAT with 9).
pub(super) fn iso7064_mod11_10(text: &[u8]) -> bool {
    Digits::exactly(text, 11).is_some_and(|read| mod11_10(read.as_slice()))
}

pub(super) fn mod11_10(digits: &[u8]) -> bool {
    let Some((last, head)) = digits.split_last() else { return false };
    let product = head.iter().fold(10, |product, digit| {
        let sum = (u32::from(*digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == u32::from(*last)
}

/// The remainder mod 97 of a text of digits and letters (A = 10 … Z = 35), ISO 7064 MOD 97-10 as IBAN and LEI use it.
pub(crate) fn mod97(text: impl Iterator<Item = u8>) -> Option<u32> {
    let mut rest = 0;
    for byte in text {
        let value = (byte as char).to_digit(36)?;
        rest = if value > 9 { (rest * 100 + value) % 97 } else { (rest * 10 + value) % 97 };
    }
    Some(rest)
}
