//! Numbers of people and firms in the Americas.

use super::calendar::is_short_date;
use super::sums::{Digits, compact, luhn_digits};

/// Social security number: area 001-899 but 666, group and serial not zero (SSA, "SSN randomization"). The two numbers
/// that were printed in advertisements, and so are void, pass: where they stand, real ones do.
pub(super) fn us_ssn(text: &[u8]) -> bool {
    Digits::exactly(text, 9).is_some_and(|read| {
        let area = read.number(0, 3);
        area != 0 && area != 666 && area < 900 && read.number(3, 5) != 0 && read.number(5, 9) != 0
    })
}

/// Individual taxpayer number: 9xx and a group that the IRS assigns (50-65, 70-88, 90-92, 94-99).
pub(super) fn us_itin(text: &[u8]) -> bool {
    Digits::exactly(text, 9).is_some_and(|read| {
        read.at(0) == 9 && matches!(read.number(3, 5), 50..=65 | 70..=88 | 90..=92 | 94..=99)
    })
}

/// National provider identifier: Luhn with the prefix 80840 (CMS).
pub(super) fn us_npi(text: &[u8]) -> bool {
    Digits::exactly(text, 10).is_some_and(|read| {
        let prefixed: Vec<u8> = [8, 0, 8, 4, 0].iter().chain(read.as_slice()).copied().collect();
        matches!(read.at(0), 1 | 2) && luhn_digits(&prefixed)
    })
}

/// Medicare beneficiary identifier: 11 places, each of its own class (CMS: no S, L, O, I, B, Z).
pub(super) fn us_mbi(text: &[u8]) -> bool {
    let Some((code, 11)) = compact(text) else { return false };
    let letter = |byte: u8| byte.is_ascii_uppercase() && !b"SLOIBZ".contains(&byte);
    code.iter().zip(b"CAXNAXNAANN").all(|(byte, class)| match class {
        b'C' => matches!(byte, b'1'..=b'9'),
        b'N' => byte.is_ascii_digit(),
        b'A' => letter(*byte),
        _ => byte.is_ascii_digit() || letter(*byte),
    })
}

/// DEA registration: two letters, seven digits; (1+3+5) + 2(2+4+6) ends in the seventh.
pub(super) fn us_dea(text: &[u8]) -> bool {
    let Some((letters, digits)) = text.split_at_checked(2) else { return false };
    Digits::exactly(digits, 7).is_some_and(|read| {
        letters[0].is_ascii_alphabetic() && read.weighted(&[1, 2, 1, 2, 1, 2]) % 10 == read.at(6)
    })
}

/// Employer identification number: a prefix that the IRS has given out.
pub(super) fn us_ein(text: &[u8]) -> bool {
    Digits::exactly(text, 9).is_some_and(|read| {
        !matches!(read.number(0, 2), 0 | 7..=9 | 17..=19 | 28 | 29 | 49 | 69 | 70 | 78 | 79 | 89 | 96 | 97)
    })
}

/// Social insurance number: Luhn. Numbers that start with 0 or 8 aren't issued, but examples use them.
pub(super) fn ca_sin(text: &[u8]) -> bool {
    Digits::exactly(text, 9).is_some_and(|read| luhn_digits(read.as_slice()))
}

/// CPF: two digits mod 11, weights 10…2 and 11…2.
pub(super) fn br_cpf(text: &[u8]) -> bool {
    Digits::exactly(text, 11).is_some_and(|read| {
        let check = |sum: u32| sum * 10 % 11 % 10;
        check(read.weighted(&[10, 9, 8, 7, 6, 5, 4, 3, 2])) == read.at(9)
            && check(read.weighted(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2])) == read.at(10)
    })
}

/// CNPJ: two digits mod 11; since 2026 the first twelve places may be letters, valued as their ASCII code less 48
/// (Receita Federal, IN RFB 2.229/2024).
pub(super) fn br_cnpj(text: &[u8]) -> bool {
    let Some((code, 14)) = compact(text) else { return false };
    let value = |place: usize| u32::from(code[place].saturating_sub(b'0'));
    let check = |places: usize| {
        let sum: u32 = (0..places).map(|place| value(place) * ((places - 1 - place) as u32 % 8 + 2)).sum();
        match sum % 11 {
            0 | 1 => 0,
            rest => 11 - rest,
        }
    };
    code[12..14].iter().all(u8::is_ascii_digit)
        && code[..14].iter().any(|byte| *byte != code[0])
        && check(12) == value(12)
        && check(13) == value(13)
}

/// CUIT/CUIL: a known kind and mod 11.
pub(super) fn ar_cuit(text: &[u8]) -> bool {
    Digits::exactly(text, 11).is_some_and(|read| {
        let check = match 11 - read.weighted(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11 {
            11 => 0,
            10 => 9,
            check => check,
        };
        matches!(read.number(0, 2), 20 | 23..=27 | 30 | 33 | 34) && check == read.at(10)
    })
}

/// RUT: mod 11 with weights 2…7 from the right; 10 is written K.
pub(super) fn cl_rut(text: &[u8]) -> bool {
    let Some((code, len)) = compact(text) else { return false };
    let Some((check, body)) = code.get(..len).and_then(<[u8]>::split_last) else { return false };
    if !(7..=8).contains(&body.len()) || !body.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let sum: u32 = body
        .iter()
        .rev()
        .enumerate()
        .map(|(place, byte)| u32::from(byte - b'0') * (place as u32 % 6 + 2))
        .sum();
    let wanted = match 11 - sum % 11 {
        11 => b'0',
        10 => b'K',
        digit => b'0' + digit as u8,
    };
    *check == wanted && body.iter().any(|byte| *byte != body[0])
}

/// Colombian NIT: ten digits, weights 41 37 29 23 19 17 13 7 3 (DIAN).
pub(super) fn co_nit(text: &[u8]) -> bool {
    Digits::exactly(text, 10).is_some_and(|read| {
        let rest = read.weighted(&[41, 37, 29, 23, 19, 17, 13, 7, 3]) % 11;
        (if rest > 1 { 11 - rest } else { rest }) == read.at(9)
    })
}

/// CURP: 18 places, birth date, sex, state, and a check digit over an alphabet with Ñ after N.
pub(super) fn mx_curp(text: &[u8]) -> bool {
    let Some((code, 18)) = compact(text) else { return false };
    let letters = |from: usize, to: usize| code[from..to].iter().all(u8::is_ascii_uppercase);
    let digits = |from: usize, to: usize| code[from..to].iter().all(u8::is_ascii_digit);
    if !(letters(0, 4)
        && digits(4, 10)
        && letters(11, 16)
        && code[17].is_ascii_digit()
        && b"HMX".contains(&code[10]))
    {
        return false;
    }
    let two = |at: usize| u64::from(code[at] - b'0') * 10 + u64::from(code[at + 1] - b'0');
    let value = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'N' => u32::from(byte - b'A') + 10,
        _ => u32::from(byte - b'A') + 11,
    };
    let sum: u32 =
        code[..17].iter().enumerate().map(|(place, byte)| value(*byte) * (18 - place as u32)).sum();
    is_short_date(two(4), two(6), two(8)) && (10 - sum % 10) % 10 == u32::from(code[17] - b'0')
}

/// RFC of a person (13 places) or a firm (12): letters, a date, three places.
pub(super) fn mx_rfc(text: &[u8]) -> bool {
    let Some((code, len)) = compact(text) else { return false };
    let Some(start) = len.checked_sub(9).filter(|start| matches!(start, 3 | 4)) else { return false };
    let date = &code[start..start + 6];
    if !code[..start].iter().all(u8::is_ascii_uppercase) || !date.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let two = |at: usize| u64::from(date[at] - b'0') * 10 + u64::from(date[at + 1] - b'0');
    is_short_date(two(0), two(2), two(4))
}

/// Ecuador's cédula: province 01-24, 30 or 50, third digit 0-6, Luhn.
pub(super) fn ec_cedula(text: &[u8]) -> bool {
    Digits::exactly(text, 10).is_some_and(|read| {
        matches!(read.number(0, 2), 1..=24 | 30 | 50) && read.at(2) <= 6 && luhn_digits(read.as_slice())
    })
}

/// Uruguay's cédula: weights 2 9 8 7 6 3 4 mod 10.
pub(super) fn uy_ci(text: &[u8]) -> bool {
    Digits::exactly(text, 8)
        .is_some_and(|read| (10 - read.weighted(&[2, 9, 8, 7, 6, 3, 4]) % 10) % 10 == read.at(7))
}

/// Peru's RUC: kind 10, 15, 16, 17 or 20 and mod 11.
pub(super) fn pe_ruc(text: &[u8]) -> bool {
    Digits::exactly(text, 11).is_some_and(|read| {
        let check = (11 - read.weighted(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 10;
        matches!(read.number(0, 2), 10 | 15..=17 | 20) && check == read.at(10)
    })
}
