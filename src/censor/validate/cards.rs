//! Numbers of money and of devices: cards, accounts, banks.

use super::sums::{Digits, compact, luhn_digits, mod97};

/// Card number: Luhn, and an issuer range with a length that it issues (ISO/IEC 7812; the ranges as the schemes
/// publish them). Grouping is the pattern's business.
pub(super) fn card(text: &[u8]) -> bool {
    let Some(read) = Digits::read(text) else { return false };
    let digits = read.as_slice();
    if !(12..=19).contains(&digits.len()) || !luhn_digits(digits) {
        return false;
    }
    let zeros = digits.iter().filter(|digit| **digit == 0).count();
    zeros < digits.len() - 1 && issuer(read.number(0, 6), digits.len())
}

/// Does a scheme issue numbers of `len` digits that start with these six?
fn issuer(six: u64, len: usize) -> bool {
    ISSUERS.iter().any(|(first, last, shortest, longest)| {
        (*first..=*last).contains(&six) && (*shortest..=*longest).contains(&len)
    })
}

/// First and last six digits of a range, shortest and longest number in it.
const ISSUERS: &[(u64, u64, usize, usize)] = &[
    (400_000, 499_999, 16, 16), // Visa
    (400_000, 499_999, 13, 13),
    (400_000, 499_999, 19, 19),
    (510_000, 559_999, 16, 16), // Mastercard
    (222_100, 272_099, 16, 16),
    (340_000, 349_999, 15, 15), // American Express
    (370_000, 379_999, 15, 15),
    (300_000, 305_999, 14, 19), // Diners Club
    (360_000, 369_999, 14, 19),
    (380_000, 399_999, 14, 19),
    (601_100, 601_199, 16, 19), // Discover
    (644_000, 659_999, 16, 19),
    (352_800, 358_999, 16, 19), // JCB
    (620_000, 629_999, 16, 19), // UnionPay
    (810_000, 819_999, 16, 19),
    (220_000, 220_499, 16, 19), // Mir
    (500_000, 509_999, 12, 19), // Maestro, Elo, Verve
    (560_000, 589_999, 12, 19),
    (630_000, 639_999, 12, 19),
    (670_000, 679_999, 12, 19),
    (600_000, 609_999, 12, 19), // RuPay, Hipercard
    (353_000, 353_999, 16, 16), // RuPay with JCB
    (356_000, 356_999, 16, 16),
    (979_200, 979_299, 16, 16), // Troy
];

/// IBAN: the country's length and mod-97 (ISO 13616). Lengths from the SWIFT IBAN registry.
pub(super) fn iban(text: &[u8]) -> bool {
    let Some((buffer, len)) = compact(text) else { return false };
    let Some(code) = buffer.get(..len) else { return false };
    let (Some(country), Some(check)) = (code.get(..2), code.get(2..4)) else { return false };
    if !check.iter().all(u8::is_ascii_digit)
        || !IBAN_LENGTHS.iter().any(|(known, long)| country == *known && len == *long)
    {
        return false;
    }
    let turned = code.iter().skip(4).chain(code.iter().take(4)).copied();
    mod97(turned) == Some(1)
}

/// How many characters an IBAN of this country has, whatever the case of its two letters.
pub(crate) fn iban_length(country: &[u8]) -> Option<usize> {
    IBAN_LENGTHS.iter().find(|(known, _)| known.eq_ignore_ascii_case(country)).map(|(_, length)| *length)
}

/// Country and length of its IBANs.
const IBAN_LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// US bank routing number: weights 3-7-1 mod 10, and a Federal Reserve prefix (00-12, 21-32, 61-72, 80).
pub(super) fn aba_routing(text: &[u8]) -> bool {
    Digits::exactly(text, 9).is_some_and(|read| {
        matches!(read.number(0, 2), 0..=12 | 21..=32 | 61..=72 | 80)
            && read.weighted(&[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
    })
}

/// IMEI: 15 digits, Luhn (3GPP TS 23.003 annex B).
pub(super) fn imei(text: &[u8]) -> bool {
    Digits::exactly(text, 15).is_some_and(|read| luhn_digits(read.as_slice()))
}

/// BIC (ISO 9362): a real country code at characters 5 and 6.
pub(super) fn bic(text: &[u8]) -> bool {
    matches!(text.len(), 8 | 11)
        && text.get(4..6).is_some_and(|country| {
            let country = [country[0].to_ascii_uppercase(), country[1].to_ascii_uppercase()];
            OTHER_BIC_COUNTRIES.contains(&&country)
                || IBAN_LENGTHS.iter().any(|(known, _)| **known == country)
        })
}

/// Countries with BICs that have no IBAN.
const OTHER_BIC_COUNTRIES: &[&[u8; 2]] = &[
    b"US", b"CA", b"AU", b"NZ", b"JP", b"CN", b"HK", b"SG", b"MY", b"TH", b"ID", b"PH", b"VN", b"KR", b"TW",
    b"IN", b"BD", b"LK", b"NP", b"ZA", b"NG", b"KE", b"GH", b"MA", b"DZ", b"MX", b"AR", b"CL", b"CO", b"PE",
    b"UY", b"EC", b"PA", b"VE", b"BO", b"PY", b"JM", b"TT", b"BS", b"KY", b"BM", b"UZ", b"AM", b"KH", b"MM",
    b"LA", b"BN", b"MO", b"TZ", b"UG", b"ET", b"SN", b"CI", b"CM", b"ZM", b"ZW", b"MZ", b"AO", b"BW", b"NA",
    b"RW",
];
