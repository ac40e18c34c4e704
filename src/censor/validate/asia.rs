//! Numbers of people and firms in Asia and Africa.

use super::calendar::{is_date, is_short_date};
use super::sums::{Digits, compact, luhn_digits, verhoeff};

/// Aadhaar: twelve digits, the first 2-9, Verhoeff, no palindrome (UIDAI).
pub(super) fn in_aadhaar(text: &[u8]) -> bool {
    Digits::exactly(text, 12).is_some_and(|read| {
        let digits = read.as_slice();
        read.at(0) > 1 && !digits.iter().eq(digits.iter().rev()) && verhoeff(text)
    })
}

/// PAN: five letters, the fourth the kind of holder, four digits, a letter.
pub(super) fn in_pan(text: &[u8]) -> bool {
    let Some((code, 10)) = compact(text) else { return false };
    code[..5].iter().chain(&code[9..10]).all(u8::is_ascii_uppercase)
        && code[5..9].iter().all(u8::is_ascii_digit)
        && code[5..9] != *b"0000"
        && b"ABCEFGHJLPT".contains(&code[3])
}

/// GSTIN: state 01-38 or 96-99, a PAN, an entity digit, Z, and a check character mod 36.
pub(super) fn in_gstin(text: &[u8]) -> bool {
    let Some((code, 15)) = compact(text) else { return false };
    let Some(state) = Digits::read(&code[..2]) else { return false };
    let value = |byte: u8| (byte as char).to_digit(36).unwrap_or(0);
    let sum: u32 = code[..14]
        .iter()
        .enumerate()
        .map(|(place, byte)| value(*byte) * (place as u32 % 2 + 1))
        .map(|product| product / 36 + product % 36)
        .sum();
    matches!(state.number(0, 2), 1..=38 | 96..=99)
        && in_pan(&code[2..12])
        && (36 - sum % 36) % 36 == value(code[14])
}

/// Singapore NRIC, FIN and the M series: weights 2 7 6 5 4 3 2, a letter table for each series.
pub(super) fn sg_nric(text: &[u8]) -> bool {
    let Some((code, 9)) = compact(text) else { return false };
    let Some(read) = Digits::read(&code[1..8]).filter(|read| read.len() == 7) else { return false };
    let sum = read.weighted(&[2, 7, 6, 5, 4, 3, 2]);
    let letter = match code[0] {
        b'S' => b"JZIHGFEDCBA"[(sum % 11) as usize],
        b'T' => b"JZIHGFEDCBA"[((sum + 4) % 11) as usize],
        b'F' => b"XWUTRQPNMLK"[(sum % 11) as usize],
        b'G' => b"XWUTRQPNMLK"[((sum + 4) % 11) as usize],
        b'M' => b"XWUTRQPNJLK"[((sum + 3) % 11) as usize],
        _ => return false,
    };
    letter == code[8]
}

/// MyKad: a birth date, a place code (states 01-16 and 21-59, 82; countries 60-99 with gaps), a serial. No check digit.
pub(super) fn my_nric(text: &[u8]) -> bool {
    Digits::exactly(text, 12).is_some_and(|read| {
        is_short_date(read.number(0, 2), read.number(2, 4), read.number(4, 6))
            && matches!(read.number(6, 8), 1..=16 | 21..=68 | 71..=72 | 74..=79 | 82..=93 | 98..=99)
    })
}

/// Saudi national id (1…) or iqama (2…): ten digits, Luhn.
pub(super) fn sa_id(text: &[u8]) -> bool {
    Digits::exactly(text, 10).is_some_and(|read| matches!(read.at(0), 1 | 2) && luhn_digits(read.as_slice()))
}

/// Emirates id: 784, a birth year, a serial, Luhn.
pub(super) fn ae_id(text: &[u8]) -> bool {
    Digits::exactly(text, 15).is_some_and(|read| {
        read.number(0, 3) == 784 && (1900..=2035).contains(&read.number(3, 7)) && luhn_digits(read.as_slice())
    })
}

/// Egyptian national id: century 2 or 3, a date, a governorate 01-35 or 88.
pub(super) fn eg_id(text: &[u8]) -> bool {
    Digits::exactly(text, 14).is_some_and(|read| {
        let century = match read.at(0) {
            2 => 1900,
            3 => 2000,
            _ => return false,
        };
        is_date(century + read.number(1, 3), read.number(3, 5), read.number(5, 7))
            && matches!(read.number(7, 9), 1..=35 | 88)
    })
}

/// Israeli identity number: Luhn over nine digits.
pub(super) fn il_id(text: &[u8]) -> bool {
    Digits::exactly(text, 9).is_some_and(|read| luhn_digits(read.as_slice()))
}

/// Iranian national code: weights 10…2 mod 11.
pub(super) fn ir_id(text: &[u8]) -> bool {
    Digits::exactly(text, 10).is_some_and(|read| {
        let rest = read.weighted(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        (if rest < 2 { rest } else { 11 - rest }) == read.at(9)
    })
}

/// Turkish identity number: two check digits mod 10.
pub(super) fn tr_id(text: &[u8]) -> bool {
    Digits::exactly(text, 11).is_some_and(|read| {
        let odd = read.weighted(&[1, 0, 1, 0, 1, 0, 1, 0, 1]);
        let even = read.weighted(&[0, 1, 0, 1, 0, 1, 0, 1]);
        read.at(0) != 0
            && (odd * 7 + 90 - even) % 10 == read.at(9)
            && (odd + even + read.at(9)) % 10 == read.at(10)
    })
}

/// Kuwaiti civil id: century 1-3, a date, weights 2 1 6 3 7 9 10 5 8 4 2 mod 11.
pub(super) fn kw_id(text: &[u8]) -> bool {
    Digits::exactly(text, 12).is_some_and(|read| {
        matches!(read.at(0), 1..=3)
            && is_short_date(read.number(1, 3), read.number(3, 5), read.number(5, 7))
            && 11 - read.weighted(&[2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11 == read.at(11)
    })
}

/// Chinese resident identity (GB 11643): province, date, ISO 7064 MOD 11-2 with X for ten.
pub(super) fn cn_ric(text: &[u8]) -> bool {
    let Some((code, 18)) = compact(text) else { return false };
    let Some(read) = Digits::read(&code[..17]) else { return false };
    let sum = read.weighted(&[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    matches!(read.number(0, 2), 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83 | 91)
        && (1880..=2035).contains(&read.number(6, 10))
        && is_date(read.number(6, 10), read.number(10, 12), read.number(12, 14))
        && b"10X98765432"[(sum % 11) as usize] == code[17]
}

/// Hong Kong identity card: one or two letters, six digits, a check digit or A, weights 9…1 mod 11.
pub(super) fn hk_id(text: &[u8]) -> bool {
    let Some((code, len)) = compact(text) else { return false };
    let Some(letters) = len.checked_sub(7).filter(|letters| matches!(letters, 1 | 2)) else { return false };
    if !code[..letters].iter().all(u8::is_ascii_uppercase)
        || !code[letters..len - 1].iter().all(u8::is_ascii_digit)
    {
        return false;
    }
    if !matches!(code[len - 1], b'0'..=b'9' | b'A') {
        return false;
    }
    let value = |byte: u8| (byte as char).to_digit(36).unwrap_or(0);
    // A missing first letter counts as a space, 36.
    let blank = if letters == 1 { 36 * 9 } else { 0 };
    let sum: u32 = code[..len].iter().rev().zip(1..).map(|(byte, weight)| value(*byte) * weight).sum();
    (sum + blank).is_multiple_of(11)
}

/// Taiwanese identity number: a letter for the county, sex or residence, weights 1 9 8…1 1 mod 10.
pub(super) fn tw_id(text: &[u8]) -> bool {
    const COUNTY: [u32; 26] = [
        10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30, 31,
        33,
    ];
    let Some((code, 10)) = compact(text) else { return false };
    let Some(read) = Digits::read(&code[1..10]).filter(|read| read.len() == 9) else { return false };
    if !code[0].is_ascii_uppercase() || !matches!(read.at(0), 1 | 2 | 8 | 9) {
        return false;
    }
    let county = COUNTY[usize::from(code[0] - b'A') % 26];
    (county / 10 + county % 10 * 9 + read.weighted(&[8, 7, 6, 5, 4, 3, 2, 1, 1])).is_multiple_of(10)
}

/// Korean resident registration number: a date and a digit for century and sex. Numbers of 2020 and later have no
/// check digit, so the written form with its hyphen is not gated by one.
pub(super) fn kr_rrn(text: &[u8]) -> bool {
    Digits::exactly(text, 13).is_some_and(|read| {
        let century = match read.at(6) {
            1 | 2 | 5 | 6 => 1900,
            3 | 4 | 7 | 8 => 2000,
            _ => 1800,
        };
        is_date(century + read.number(0, 2), read.number(2, 4), read.number(4, 6))
    })
}

/// As [`kr_rrn`], with the check digit of the numbers until 2020 (weights 2…9 2…5 mod 11; two more for foreigners).
pub(super) fn kr_rrn_bare(text: &[u8]) -> bool {
    Digits::exactly(text, 13).is_some_and(|read| {
        let rest = read.weighted(&[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11;
        let check = (11 - rest) % 10;
        let foreign = (13 - rest) % 10;
        kr_rrn(text) && (read.at(12) == check || (matches!(read.at(6), 5..=8) && read.at(12) == foreign))
    })
}

/// Korean business registration number: weights 1 3 7 1 3 7 1 3 5 and the tens of the last product.
pub(super) fn kr_brn(text: &[u8]) -> bool {
    Digits::exactly(text, 10).is_some_and(|read| {
        let sum = read.weighted(&[1, 3, 7, 1, 3, 7, 1, 3, 5]) + read.at(8) * 5 / 10;
        (10 - sum % 10) % 10 == read.at(9)
    })
}

/// Japanese My Number: twelve digits, weights 2…7 2…6 from the right mod 11.
pub(super) fn jp_my_number(text: &[u8]) -> bool {
    Digits::exactly(text, 12).is_some_and(|read| {
        let rest = read.weighted(&[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
        (if rest < 2 { 0 } else { 11 - rest }) == read.at(11)
    })
}

/// Thai identity number: thirteen digits, weights 13…2 mod 11.
pub(super) fn th_id(text: &[u8]) -> bool {
    Digits::exactly(text, 13).is_some_and(|read| {
        let sum = read.weighted(&[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
        (1..=8).contains(&read.at(0)) && (11 - sum % 11) % 10 == read.at(12)
    })
}

/// Indonesian NIK: province 11-96, a birth date (day plus 40 for women), a serial that is not zero.
pub(super) fn id_nik(text: &[u8]) -> bool {
    Digits::exactly(text, 16).is_some_and(|read| {
        let day = read.number(6, 8);
        (11..=96).contains(&read.number(0, 2))
            && is_short_date(read.number(10, 12), read.number(8, 10), if day > 40 { day - 40 } else { day })
            && read.number(12, 16) != 0
    })
}

/// Vietnamese citizen id: province 001-096, century and sex, year, serial.
pub(super) fn vn_cccd(text: &[u8]) -> bool {
    Digits::exactly(text, 12)
        .is_some_and(|read| (1..=96).contains(&read.number(0, 3)) && matches!(read.at(3), 0..=3))
}

/// Kazakh IIN: a date, century and sex, two-stage mod 11.
pub(super) fn kz_iin(text: &[u8]) -> bool {
    Digits::exactly(text, 12).is_some_and(|read| {
        let first = read.weighted(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) % 11;
        let second = read.weighted(&[3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) % 11;
        let check = if first == 10 { second } else { first };
        is_short_date(read.number(0, 2), read.number(2, 4), read.number(4, 6))
            && matches!(read.at(6), 1..=6)
            && check == read.at(11)
    })
}

/// Sri Lankan NIC: year and day of the year (plus 500 for women), nine digits with V or X, or twelve digits.
pub(super) fn lk_nic(text: &[u8]) -> bool {
    let day_holds = |day: u64| matches!(day, 1..=366 | 501..=866);
    match text.split_last() {
        Some((b'V' | b'v' | b'X' | b'x', digits)) => {
            Digits::exactly(digits, 9).is_some_and(|read| day_holds(read.number(2, 5)))
        }
        _ => Digits::exactly(text, 12)
            .is_some_and(|read| (1900..=2035).contains(&read.number(0, 4)) && day_holds(read.number(4, 7))),
    }
}

/// South African identity number: a date, citizenship 0-2, Luhn.
pub(super) fn za_id(text: &[u8]) -> bool {
    Digits::exactly(text, 13).is_some_and(|read| {
        is_short_date(read.number(0, 2), read.number(2, 4), read.number(4, 6))
            && read.at(10) < 3
            && luhn_digits(read.as_slice())
    })
}
