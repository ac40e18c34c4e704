//! The Nordic countries.

use super::super::calendar::{is_date, is_short_date};
use super::super::sums::{Digits, compact, luhn_digits};

/// Swedish personnummer or samordningsnummer (day plus 60): Luhn over the last ten digits, and a date.
pub(crate) fn se_personnummer(text: &[u8]) -> bool {
    let text = &text.iter().copied().filter(|byte| *byte != b'+').collect::<Vec<u8>>();
    let Some(read) = Digits::read(text).filter(|read| matches!(read.len(), 10 | 12)) else { return false };
    let start = read.len() - 10;
    let day = read.number(start + 4, start + 6);
    let day = if day > 60 { day - 60 } else { day };
    let century_holds = start == 0 || matches!(read.number(0, 2), 18..=20);
    let ten = read.as_slice().get(start..).unwrap_or(&[]);
    century_holds
        && is_short_date(read.number(start, start + 2), read.number(start + 2, start + 4), day)
        && luhn_digits(ten)
}

/// Finnish henkilötunnus: date, century sign, serial, and the rest mod 31 as a letter or digit.
pub(crate) fn fi_hetu(text: &[u8]) -> bool {
    let Some((&sign, rest)) = text.get(6..).and_then(<[u8]>::split_first) else { return false };
    let century = match sign.to_ascii_uppercase() {
        b'+' => 1800,
        b'-' | b'U'..=b'Y' => 1900,
        b'A'..=b'F' => 2000,
        _ => return false,
    };
    let (Some(date), Some((serial, [check]))) =
        (Digits::exactly(&text[..6], 6).or_else(|| Digits::read(&text[..6])), rest.split_at_checked(3))
    else {
        return false;
    };
    let Some(serial) = Digits::read(serial).filter(|read| read.len() == 3) else { return false };
    let number = date.number(0, 6) * 1000 + serial.number(0, 3);
    date.len() == 6
        && is_date(century + date.number(4, 6), date.number(2, 4), date.number(0, 2))
        && b"0123456789ABCDEFHJKLMNPRSTUVWXY"[(number % 31) as usize] == check.to_ascii_uppercase()
}

/// Norwegian fødselsnummer or D-number (day plus 40): two digits mod 11.
pub(crate) fn no_fodselsnummer(text: &[u8]) -> bool {
    Digits::exactly(text, 11).is_some_and(|read| {
        let day = read.number(0, 2) % 40;
        let month = read.number(2, 4) % 40;
        let check = |sum: u32| (11 - sum % 11) % 11;
        is_short_date(read.number(4, 6), month, day)
            && check(read.weighted(&[3, 7, 6, 1, 8, 9, 4, 5, 2])) == read.at(9)
            && check(read.weighted(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2])) == read.at(10)
    })
}

/// Danish CPR: a date. Numbers without a valid mod 11 have been given out since 2007, so it can't gate.
pub(crate) fn dk_cpr(text: &[u8]) -> bool {
    Digits::exactly(text, 10)
        .is_some_and(|read| is_short_date(read.number(4, 6), read.number(2, 4), read.number(0, 2)))
}

/// Icelandic kennitala: a date (day plus 40 for firms), mod 11 at place nine, century 8, 9 or 0 last.
pub(crate) fn is_kennitala(text: &[u8]) -> bool {
    let Some((_, 10)) = compact(text) else { return false };
    Digits::exactly(text, 10).is_some_and(|read| {
        let check = (11 - read.weighted(&[3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
        is_short_date(read.number(4, 6), read.number(2, 4), read.number(0, 2) % 40)
            && check == read.at(8)
            && matches!(read.at(9), 8 | 9 | 0)
    })
}
