//! Numbers of people in the countries of Europe, west to east.

mod east;
mod north;

pub(super) use east::{
    baltic_id, bg_egn, cz_rodne_cislo, gr_afm, gr_amka, hu_taj, hu_tax_id, jmbg, lv_pk, pl_id_card, pl_nip,
    pl_pesel, pl_regon, ro_cnp, ru_inn, ru_snils, ua_rnokpp,
};
pub(super) use north::{dk_cpr, fi_hetu, is_kennitala, no_fodselsnummer, se_personnummer};

use super::calendar::is_short_date;
use super::sums::{Digits, compact, mod11_10};

/// NINO: prefixes HMRC never uses (D F I Q U V anywhere, O second, and seven pairs), suffix A-D.
pub(super) fn uk_nino(text: &[u8]) -> bool {
    let Some((code, len)) = compact(text) else { return false };
    let (first, second) = (code[0], code[1]);
    matches!(len, 8 | 9)
        && first.is_ascii_uppercase()
        && second.is_ascii_uppercase()
        && !b"DFIQUV".contains(&first)
        && !b"DFIOQUV".contains(&second)
        && !matches!(&[first, second], b"BG" | b"GB" | b"KN" | b"NK" | b"NT" | b"TN" | b"ZZ")
        && code[2..8].iter().all(u8::is_ascii_digit)
        && (len == 8 || matches!(code[8], b'A'..=b'D'))
}

/// NHS number: weights 10…2 mod 11; 10 is never issued.
pub(super) fn uk_nhs(text: &[u8]) -> bool {
    Digits::exactly(text, 10).is_some_and(|read| {
        let check = 11 - read.weighted(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        check != 10 && check % 11 == read.at(9)
    })
}

/// Unique taxpayer reference: the first digit checks the nine after it (weights 6 7 8 9 10 5 4 3 2 mod 11).
pub(super) fn uk_utr(text: &[u8]) -> bool {
    Digits::exactly(text, 10).is_some_and(|read| {
        let sum: u32 =
            [6, 7, 8, 9, 10, 5, 4, 3, 2].iter().zip(1..).map(|(weight, at)| weight * read.at(at)).sum();
        b"21987654321"[(sum % 11) as usize] == b'0' + read.at(0) as u8
    })
}

/// German tax number of a person: ISO 7064 MOD 11,10; of the first ten digits one stands two or three times, and
/// not zero first (BZSt).
pub(super) fn de_tax_id(text: &[u8]) -> bool {
    let Some(read) = Digits::exactly(text, 11) else { return false };
    let mut counts = [0_u8; 10];
    for digit in read.as_slice().iter().take(10) {
        counts[usize::from(*digit) % 10] += 1;
    }
    let repeated = counts.iter().filter(|count| **count > 1).count();
    let most = counts.iter().max().copied().unwrap_or(0);
    read.at(0) != 0 && repeated == 1 && matches!(most, 2 | 3) && mod11_10(read.as_slice())
}

/// German identity card or passport: nine places and a check digit by ICAO weights 7-3-1 (the digit may be left out).
pub(super) fn de_id_card(text: &[u8]) -> bool {
    let Some((code, len)) = compact(text) else { return false };
    if !matches!(len, 9 | 10) || !b"CFGHJKLMNPRTVWXYZ0123456789".contains(&code[0]) {
        return false;
    }
    let body_is_plain =
        code[..9].iter().all(|byte| byte.is_ascii_digit() || b"CFGHJKLMNPRTVWXYZ".contains(byte));
    body_is_plain
        && code[..9].iter().any(u8::is_ascii_digit)
        && (len == 9 || u32::from(code[9].wrapping_sub(b'0')) == super::travel::icao_check(&code[..9]))
}

/// German pension number: area, birth date, letter, serial, check (weights 2 1 2 5 7 1 2 1 2 1 2 1, digit sums).
pub(super) fn de_pension(text: &[u8]) -> bool {
    let Some((code, 12)) = compact(text) else { return false };
    if !code[8].is_ascii_uppercase() || !code[..8].iter().chain(&code[9..12]).all(u8::is_ascii_digit) {
        return false;
    }
    let letter = u32::from(code[8] - b'A') + 1;
    let digit = |at: usize| u32::from(code[at] - b'0');
    let flat = (0..8).map(digit).chain([letter / 10, letter % 10]).chain((9..11).map(digit));
    let sum: u32 = flat
        .zip([2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1])
        .map(|(value, weight)| value * weight / 10 + value * weight % 10)
        .sum();
    let two = |at: usize| u64::from(digit(at) * 10 + digit(at + 1));
    is_short_date(two(6), two(4), two(2).clamp(1, 31)) && sum % 10 == digit(11)
}

/// German health insurance number: a letter and nine digits, weights 1-2, digit sums, mod 10.
pub(super) fn de_health(text: &[u8]) -> bool {
    let Some((code, 10)) = compact(text) else { return false };
    if !code[0].is_ascii_uppercase() || !code[1..10].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let letter = u32::from(code[0] - b'A') + 1;
    let flat =
        [letter / 10, letter % 10].into_iter().chain(code[1..9].iter().map(|byte| u32::from(byte - b'0')));
    let sum: u32 = flat
        .enumerate()
        .map(|(place, digit)| digit << (place % 2))
        .map(|value| value / 10 + value % 10)
        .sum();
    sum % 10 == u32::from(code[9] - b'0')
}

/// French NIR: 13 places (Corsica 2A, 2B) and 97 less their remainder; month 01-12 or one of the special values.
pub(super) fn fr_nir(text: &[u8]) -> bool {
    let Some((code, 15)) = compact(text) else { return false };
    let (mut number, mut key) = (0_u64, 0_u64);
    for (place, byte) in code[..15].iter().enumerate() {
        let digit = match (place, byte) {
            (6, b'A' | b'B') if code[5] == b'2' => 0,
            (_, b'0'..=b'9') => u64::from(byte - b'0'),
            _ => return false,
        };
        if place < 13 { number = number * 10 + digit } else { key = key * 10 + digit }
    }
    // 2A counts as 19, 2B as 18 (INSEE); read above as 20.
    let number = match code[6] {
        b'A' => number - 1_000_000,
        b'B' => number - 2_000_000,
        _ => number,
    };
    let month = u64::from(code[3] - b'0') * 10 + u64::from(code[4] - b'0');
    matches!(code[0], b'1'..=b'4' | b'7' | b'8')
        && matches!(month, 1..=12 | 20 | 30..=42 | 50..=99)
        && 97 - number % 97 == key
}

/// The letters of Spanish numbers, by remainder mod 23.
const SPANISH: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

/// Spanish NIF: up to eight digits and a letter by mod 23.
pub(super) fn es_nif(text: &[u8]) -> bool {
    let Some((code, 9)) = compact(text) else { return false };
    let Some(read) = Digits::exactly(&code[..8], 8) else { return false };
    SPANISH[(read.number(0, 8) % 23) as usize] == code[8]
}

/// Spanish NIE: X, Y or Z for a leading 0, 1 or 2, then as [`es_nif`].
pub(super) fn es_nie(text: &[u8]) -> bool {
    let Some((code, 9)) = compact(text) else { return false };
    let Some(lead) = b"XYZ".iter().position(|letter| *letter == code[0]) else { return false };
    let Some(read) = Digits::read(&code[1..8]).filter(|read| read.len() == 7) else { return false };
    SPANISH[((lead as u64 * 10_000_000 + read.number(0, 7)) % 23) as usize] == code[8]
}

/// Spanish social security number: twelve digits, the last two are the rest mod 97 of the ten before.
pub(super) fn es_nss(text: &[u8]) -> bool {
    Digits::exactly(text, 12).is_some_and(|read| {
        let (province, serial) = (read.number(0, 2), read.number(2, 10));
        let number = if serial < 10_000_000 { serial + province * 10_000_000 } else { read.number(0, 10) };
        number % 97 == read.number(10, 12)
    })
}

/// Italian fiscal code: 16 places with omocodia letters, month letter, day, and a check letter over odd and even places.
pub(super) fn it_fiscal_code(text: &[u8]) -> bool {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let Some((code, 16)) = compact(text) else { return false };
    let digit_or_stand_in = |byte: u8| byte.is_ascii_digit() || b"LMNPQRSTUV".contains(&byte);
    let shape = code[..16].iter().zip(b"AAAAAANNANNANNNA").all(|(byte, class)| match class {
        b'A' => byte.is_ascii_uppercase(),
        _ => digit_or_stand_in(*byte),
    });
    let value = |byte: u8| usize::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' });
    if !shape || !b"ABCDEHLMPRST".contains(&code[8]) {
        return false;
    }
    let sum: u32 = code[..15]
        .iter()
        .enumerate()
        .map(|(place, byte)| if place % 2 == 0 { ODD[value(*byte) % 26] } else { value(*byte) as u32 })
        .sum();
    sum % 26 == u32::from(code[15] - b'A')
}

/// Dutch BSN: weights 9…2 and -1, divisible by 11; eight or nine digits.
pub(super) fn nl_bsn(text: &[u8]) -> bool {
    let Some(read) = Digits::read(text).filter(|read| matches!(read.len(), 8 | 9)) else { return false };
    let number = read.number(0, read.len());
    let digit = |power: u32| (number / 10_u64.pow(power) % 10) as i64;
    let sum: i64 = (1..9).map(|place| digit(place) * i64::from(place + 1)).sum::<i64>() - digit(0);
    number > 9_999_999 && sum % 11 == 0 && read.as_slice().iter().any(|digit| *digit != read.as_slice()[0])
}

/// Belgian national number: birth date, serial, and 97 less the rest mod 97 (a 2 in front for births since 2000).
pub(super) fn be_nrn(text: &[u8]) -> bool {
    Digits::exactly(text, 11).is_some_and(|read| {
        let (number, check) = (read.number(0, 9), read.number(9, 11));
        let month = read.number(2, 4) % 20;
        month <= 12
            && read.number(4, 6) <= 31
            && (97 - number % 97 == check || 97 - (2_000_000_000 + number) % 97 == check)
    })
}

/// Austrian social insurance number: weights 3 7 9 · 5 8 4 2 1 6 mod 11, then a birth date DDMMYY (month 13 allowed).
pub(super) fn at_svnr(text: &[u8]) -> bool {
    Digits::exactly(text, 10).is_some_and(|read| {
        read.at(0) != 0
            && read.weighted(&[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == read.at(3)
            && (1..=31).contains(&read.number(4, 6))
            && (1..=15).contains(&read.number(6, 8))
    })
}

/// Swiss AHV number: 756 and an EAN-13 check digit.
pub(super) fn ch_ahv(text: &[u8]) -> bool {
    Digits::exactly(text, 13).is_some_and(|read| {
        let sum = read.weighted(&[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]);
        read.number(0, 3) == 756 && (10 - sum % 10) % 10 == read.at(12)
    })
}

/// Portuguese NIF: first digit 1-3, 5, 6, 8 or 9 (45 for non-residents), weights 9…2 mod 11.
pub(super) fn pt_nif(text: &[u8]) -> bool {
    Digits::exactly(text, 9).is_some_and(|read| {
        let rest = read.weighted(&[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        (matches!(read.at(0), 1..=3 | 5 | 6 | 8 | 9) || read.number(0, 2) == 45)
            && (if rest < 2 { 0 } else { 11 - rest }) == read.at(8)
    })
}

/// Irish PPS: seven digits, a check letter mod 23, and since 2013 one more letter that counts nine times.
pub(super) fn ie_pps(text: &[u8]) -> bool {
    let Some((code, len)) = compact(text) else { return false };
    if !matches!(len, 8 | 9)
        || !code[..7].iter().all(u8::is_ascii_digit)
        || !code[7..len].iter().all(u8::is_ascii_uppercase)
    {
        return false;
    }
    let digits: u32 = code[..7]
        .iter()
        .zip([8, 7, 6, 5, 4, 3, 2])
        .map(|(byte, weight)| u32::from(byte - b'0') * weight)
        .sum();
    let extra = if len == 9 && code[8] != b'W' { u32::from(code[8] - b'A' + 1) * 9 } else { 0 };
    b"WABCDEFGHIJKLMNOPQRSTUV"[((digits + extra) % 23) as usize] == code[7]
}
