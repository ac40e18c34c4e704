//! Central, eastern and south-eastern Europe.

use super::super::calendar::{is_date, is_short_date};
use super::super::sums::{Digits, compact, luhn_digits};

/// Polish PESEL: date (the month tells the century), weights 1 3 7 9 mod 10.
pub(crate) fn pl_pesel(text: &[u8]) -> bool {
    Digits::exactly(text, 11).is_some_and(|read| {
        let sum = read.weighted(&[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]);
        let month = read.number(2, 4);
        let century = [1900, 2000, 2100, 2200, 1800][(month / 20).min(4) as usize];
        is_date(century + read.number(0, 2), month % 20, read.number(4, 6))
            && (10 - sum % 10) % 10 == read.at(10)
    })
}

/// Polish NIP: weights 6 5 7 2 3 4 5 6 7 mod 11, never 10.
pub(crate) fn pl_nip(text: &[u8]) -> bool {
    Digits::exactly(text, 10)
        .is_some_and(|read| read.weighted(&[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == read.at(9))
}

/// Polish REGON of nine digits: weights 8 9 2 3 4 5 6 7 mod 11 mod 10.
pub(crate) fn pl_regon(text: &[u8]) -> bool {
    Digits::exactly(text, 9)
        .is_some_and(|read| read.weighted(&[8, 9, 2, 3, 4, 5, 6, 7]) % 11 % 10 == read.at(8))
}

/// Polish identity card: three letters and six digits, weights 7 3 1 · 7 3 1 7 3, the check digit first of the six.
pub(crate) fn pl_id_card(text: &[u8]) -> bool {
    let Some((code, 9)) = compact(text) else { return false };
    if !code[..3].iter().all(u8::is_ascii_uppercase) || !code[3..9].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let letters: u32 =
        code[..3].iter().zip([7, 3, 1]).map(|(byte, weight)| u32::from(byte - b'A' + 10) * weight).sum();
    let digits: u32 =
        code[4..9].iter().zip([7, 3, 1, 7, 3]).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
    (letters + digits) % 10 == u32::from(code[3] - b'0')
}

/// Czech or Slovak rodné číslo of ten digits: divisible by 11, month plus 50 for women, plus 20 or 70 when crowded.
pub(crate) fn cz_rodne_cislo(text: &[u8]) -> bool {
    Digits::exactly(text, 10).is_some_and(|read| {
        let month = match read.number(2, 4) {
            month @ 1..=12 => month,
            month @ (21..=32 | 51..=62 | 71..=82) => {
                (month - 1) % 10 + 1 + u64::from(matches!(month, 31 | 32 | 61 | 62 | 81 | 82)) * 10
            }
            _ => return false,
        };
        let number = read.number(0, 10);
        let old_exception = read.number(0, 9) % 11 == 10 && read.at(9) == 0;
        is_short_date(read.number(0, 2), month, read.number(4, 6))
            && (number.is_multiple_of(11) || old_exception)
    })
}

/// Romanian CNP: sex and century, date, county, weights 279146358279 mod 11.
pub(crate) fn ro_cnp(text: &[u8]) -> bool {
    Digits::exactly(text, 13).is_some_and(|read| {
        let rest = read.weighted(&[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
        read.at(0) != 0
            && is_short_date(read.number(1, 3), read.number(3, 5), read.number(5, 7))
            && (if rest == 10 { 1 } else { rest }) == read.at(12)
    })
}

/// Bulgarian EGN: date (month plus 20 before 1900, plus 40 since 2000), weights 2 4 8 5 10 9 7 3 6 mod 11 mod 10.
pub(crate) fn bg_egn(text: &[u8]) -> bool {
    Digits::exactly(text, 10).is_some_and(|read| {
        is_short_date(read.number(0, 2), read.number(2, 4) % 20, read.number(4, 6))
            && read.weighted(&[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == read.at(9)
    })
}

/// JMBG of the countries of former Yugoslavia (EMŠO in Slovenia): date, region, weights 7…2 7…2 mod 11.
pub(crate) fn jmbg(text: &[u8]) -> bool {
    Digits::exactly(text, 13).is_some_and(|read| {
        let check = (11 - read.weighted(&[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
        let year = read.number(4, 7);
        let year = if year > 800 { 1000 + year } else { 2000 + year };
        is_date(year, read.number(2, 4), read.number(0, 2)) && check == read.at(12)
    })
}

/// Hungarian TAJ: weights 3 7 mod 10.
pub(crate) fn hu_taj(text: &[u8]) -> bool {
    Digits::exactly(text, 9).is_some_and(|read| read.weighted(&[3, 7, 3, 7, 3, 7, 3, 7]) % 10 == read.at(8))
}

/// Hungarian tax number of a person: 8, days since 1867, weights 1…9 mod 11.
pub(crate) fn hu_tax_id(text: &[u8]) -> bool {
    Digits::exactly(text, 10)
        .is_some_and(|read| read.at(0) == 8 && read.weighted(&[1, 2, 3, 4, 5, 6, 7, 8, 9]) % 11 == read.at(9))
}

/// Greek AMKA: a date DDMMYY and Luhn.
pub(crate) fn gr_amka(text: &[u8]) -> bool {
    Digits::exactly(text, 11).is_some_and(|read| {
        is_short_date(read.number(4, 6), read.number(2, 4), read.number(0, 2)) && luhn_digits(read.as_slice())
    })
}

/// Greek AFM: weights 256…2 mod 11 mod 10.
pub(crate) fn gr_afm(text: &[u8]) -> bool {
    Digits::exactly(text, 9)
        .is_some_and(|read| read.weighted(&[256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10 == read.at(8))
}

/// Estonian isikukood and Lithuanian asmens kodas: sex and century, date, two-stage mod 11.
pub(crate) fn baltic_id(text: &[u8]) -> bool {
    Digits::exactly(text, 11).is_some_and(|read| {
        let first = read.weighted(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
        let second = read.weighted(&[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11;
        let check = if first < 10 { first } else { second % 10 };
        matches!(read.at(0), 1..=8)
            && is_short_date(read.number(1, 3), read.number(3, 5), read.number(5, 7))
            && check == read.at(10)
    })
}

/// Latvian personas kods: date and mod 11 of the old form, or the new form that starts with 32.
pub(crate) fn lv_pk(text: &[u8]) -> bool {
    Digits::exactly(text, 11).is_some_and(|read| {
        let sum = read.weighted(&[1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
        let old = is_short_date(read.number(4, 6), read.number(2, 4), read.number(0, 2))
            && (1101 - sum) % 11 % 10 == read.at(10);
        old || read.number(0, 2) == 32
    })
}

/// Russian INN: ten digits for a firm (one check), twelve for a person (two), mod 11 mod 10.
pub(crate) fn ru_inn(text: &[u8]) -> bool {
    let check = |read: &Digits, weights: &[u32], at: usize| read.weighted(weights) % 11 % 10 == read.at(at);
    Digits::exactly(text, 10).is_some_and(|read| check(&read, &[2, 4, 10, 3, 5, 9, 4, 6, 8], 9))
        || Digits::exactly(text, 12).is_some_and(|read| {
            check(&read, &[7, 2, 4, 10, 3, 5, 9, 4, 6, 8], 10)
                && check(&read, &[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8], 11)
        })
}

/// Russian SNILS: weights 9…1 mod 101 (100 counts as 0).
pub(crate) fn ru_snils(text: &[u8]) -> bool {
    Digits::exactly(text, 11).is_some_and(|read| {
        let sum = u64::from(read.weighted(&[9, 8, 7, 6, 5, 4, 3, 2, 1]));
        sum % 101 % 100 == read.number(9, 11)
    })
}

/// Ukrainian RNOKPP: days since 1899-12-31, serial, weights -1 5 7 9 4 6 10 5 7 mod 11 mod 10.
pub(crate) fn ua_rnokpp(text: &[u8]) -> bool {
    Digits::exactly(text, 10).is_some_and(|read| {
        // 10 stands for -1 mod 11.
        read.weighted(&[10, 5, 7, 9, 4, 6, 10, 5, 7]) % 11 % 10 == read.at(9)
    })
}
