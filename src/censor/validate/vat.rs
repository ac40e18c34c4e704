//! Value-added-tax numbers of the European Union, Britain, Norway and Switzerland.

use super::europe;
use super::sums::{Digits, compact, luhn_digits, mod11_10};

/// A VAT number with its country prefix: the country's length, and its check where it is known here.
pub(super) fn eu_vat(text: &[u8]) -> bool {
    let Some((buffer, len)) = compact(text) else { return false };
    let (Some(country), Some(body)) = (buffer.get(..2), buffer.get(2..len)) else { return false };
    let digits = |count: usize| Digits::exactly(body, count);
    let mod11 = |count: usize, weights: &[u32]| digits(count).map(|read| read.weighted(weights) % 11);
    match country {
        b"AT" => body.first() == Some(&b'U') && body.len() == 9 && austrian(&body[1..]),
        b"BE" => digits(10).is_some_and(|read| 97 - read.number(0, 8) % 97 == read.number(8, 10)),
        b"BG" => digits(9).is_some() || digits(10).is_some(),
        b"CY" => body.len() == 9 && body[..8].iter().all(u8::is_ascii_digit) && body[8].is_ascii_uppercase(),
        b"CZ" => [8, 9, 10].into_iter().any(|count| digits(count).is_some()),
        b"DE" => digits(9).is_some_and(|read| read.at(0) != 0 && mod11_10(read.as_slice())),
        b"DK" => mod11(8, &[2, 7, 6, 5, 4, 3, 2, 1]) == Some(0),
        b"EE" => digits(9)
            .is_some_and(|read| (10 - read.weighted(&[3, 7, 1, 3, 7, 1, 3, 7]) % 10) % 10 == read.at(8)),
        b"EL" | b"GR" => europe::gr_afm(body),
        b"ES" => body.len() == 9 && spanish(body),
        b"FI" => digits(8)
            .is_some_and(|read| (11 - read.weighted(&[7, 9, 10, 5, 8, 4, 2]) % 11) % 11 == read.at(7)),
        b"FR" => body.len() == 11 && french(body),
        b"GB" | b"XI" => [9, 12].into_iter().any(|count| digits(count).is_some()),
        b"HR" => digits(11).is_some_and(|read| mod11_10(read.as_slice())),
        b"HU" => {
            digits(8).is_some_and(|read| (10 - read.weighted(&[9, 7, 3, 1, 9, 7, 3]) % 10) % 10 == read.at(7))
        }
        b"IE" => {
            europe::ie_pps(body)
                || (body.len() == 8 && body[0].is_ascii_digit() && body[2..7].iter().all(u8::is_ascii_digit))
        }
        b"IT" => digits(11).is_some_and(|read| luhn_digits(read.as_slice())),
        b"LT" => digits(9).is_some() || digits(12).is_some(),
        b"LU" => digits(8).is_some_and(|read| read.number(0, 6) % 89 == read.number(6, 8)),
        b"LV" => digits(11).is_some(),
        b"MT" => digits(8)
            .is_some_and(|read| 37 - read.weighted(&[3, 4, 6, 7, 8, 9]) % 37 == read.number(6, 8) as u32),
        b"NL" => {
            body.len() == 12 && body[9] == b'B' && body[..9].iter().chain(&body[10..]).all(u8::is_ascii_digit)
        }
        b"PL" => europe::pl_nip(body),
        b"PT" => europe::pt_nif(body),
        b"RO" => body.len() >= 6 && Digits::read(body).is_some_and(|read| read.len() <= 10),
        b"SE" => digits(12).is_some_and(|read| luhn_digits(read.as_slice().get(..10).unwrap_or(&[]))),
        b"SI" => {
            digits(8).is_some_and(|read| (11 - read.weighted(&[8, 7, 6, 5, 4, 3, 2]) % 11) % 10 == read.at(7))
        }
        b"SK" => digits(10).is_some_and(|read| read.number(0, 10).is_multiple_of(11)),
        b"CH" => body.starts_with(b"E") && swiss(body),
        b"NO" => mod11(9, &[3, 2, 7, 6, 5, 4, 3, 2, 1]) == Some(0),
        _ => false,
    }
}

/// Luhn-like with 96 in place of the final zero (UID).
fn austrian(body: &[u8]) -> bool {
    Digits::exactly(body, 8).is_some_and(|read| {
        let sum: u32 = (0..7).map(|at| read.at(at) << (at % 2)).map(|value| value / 10 + value % 10).sum();
        (96 - sum) % 10 == read.at(7)
    })
}

fn spanish(body: &[u8]) -> bool {
    let company = b"ABCDEFGHJNPQRSUVW".contains(&body[0]) && body[1..8].iter().all(u8::is_ascii_digit);
    company || europe::es_nif(body) || europe::es_nie(body)
}

/// Key of two digits over a SIREN that passes Luhn; keys with letters are taken as they are.
fn french(body: &[u8]) -> bool {
    let Some(siren) = Digits::exactly(&body[2..], 9) else { return false };
    match Digits::read(&body[..2]).filter(|key| key.len() == 2) {
        Some(key) => (12 + 3 * (siren.number(0, 9) % 97)) % 97 == key.number(0, 2),
        None => luhn_digits(siren.as_slice()),
    }
}

/// CHE and nine digits (the dots are gone), mod 11; MWST, TVA or IVA may follow.
fn swiss(body: &[u8]) -> bool {
    body.get(1..10)
        .and_then(|digits| Digits::exactly(digits, 9))
        .is_some_and(|read| (11 - read.weighted(&[5, 4, 3, 2, 7, 6, 5, 4]) % 11) % 11 == read.at(8))
}
