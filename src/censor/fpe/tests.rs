use std::collections::BTreeSet;

use aes::{Aes128, Aes192};
use data_encoding::HEXLOWER;
use fpe::ff1::FF1;

use super::super::validate::by_name as named;
use super::*;

const KEY: &str = "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94";
const TWEAK: &[u8] = b"9876543210";

fn key() -> [u8; 32] {
    HEXLOWER.decode(KEY.as_bytes()).unwrap().try_into().unwrap()
}

fn cipher() -> Cipher {
    Cipher::new(&key()).unwrap()
}

fn other(entity: &str, value: &str) -> Option<String> {
    let valid = named(match entity {
        "CREDIT_CARD" => "card",
        "IBAN_CODE" => "iban",
        "NHS" => "uk_nhs",
        _ => "none",
    });
    let mut steps = 100_000;
    let other = cipher().replace(entity, value.as_bytes(), valid, &mut steps)?;
    Some(String::from_utf8(other).unwrap())
}

/// The decimal samples of NIST's FF1samples.pdf: 1, 2, 4, 5, 7 and 8.
#[test]
fn nist_samples() {
    let (short, middle, long) = (&key()[..16], HEXLOWER.decode(&KEY.as_bytes()[..48]).unwrap(), key());
    let digits = Numerals { number: 123_456_789, count: 10 };
    let (small, mid) = (FF1::<Aes128>::new(short, 10).unwrap(), FF1::<Aes192>::new(&middle, 10).unwrap());
    let large = FF1::<Aes256>::new(&long, 10).unwrap();
    let samples = [
        (small.encrypt(&[], &digits), 2_433_477_484),
        (small.encrypt(TWEAK, &digits), 6_124_200_773),
        (mid.encrypt(&[], &digits), 2_830_668_132),
        (mid.encrypt(TWEAK, &digits), 2_496_655_549),
        (large.encrypt(&[], &digits), 6_657_667_009),
        (large.encrypt(TWEAK, &digits), 1_001_623_463),
    ];
    for (came, wanted) in samples {
        assert_eq!(came.unwrap(), Numerals { number: wanted, count: 10 });
    }
    let back = Numerals { number: 1_001_623_463, count: 10 };
    assert_eq!(large.decrypt(TWEAK, &back).unwrap(), digits);
}

/// Uneven halves, leading zeros, the longest that fits: what was encrypted is decrypted to the same.
#[test]
fn every_length_comes_back() {
    let cipher = FF1::<Aes256>::new(&key(), 10).unwrap();
    for count in 6..=SLOTS_MAX {
        for number in [0, 1, power(count) / 3, power(count) - 1] {
            let digits = Numerals { number, count };
            let there = cipher.encrypt(b"x", &digits).unwrap();
            assert!(there.number < power(count));
            assert_eq!(cipher.decrypt(b"x", &there).unwrap(), digits, "{count} digits");
        }
    }
}

#[test]
fn a_card_keeps_its_issuer_its_separators_and_its_check_digit() {
    let valid = named("card").unwrap();
    for card in ["4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", "30569309025904"] {
        let other = other("CREDIT_CARD", card).unwrap();
        assert!(valid(other.as_bytes()), "{other}");
        assert_ne!(other, card);
        let issuer = |text: &str| text.chars().filter(char::is_ascii_digit).take(6).collect::<String>();
        assert_eq!(issuer(&other), issuer(card), "{other}");
        let form = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "9");
        assert_eq!(form(&other), form(card));
    }
    // However it is written, it is the same card.
    let plain = |text: String| text.replace([' ', '-'], "");
    let spaced = other("CREDIT_CARD", "4111 1111 1111 1111").map(plain);
    assert_eq!(spaced, other("CREDIT_CARD", "4111111111111111"));
}

#[test]
fn an_iban_keeps_its_country_and_its_check() {
    let valid = named("iban").unwrap();
    for iban in [
        "DE89 3704 0044 0532 0130 00",
        "GB82WEST12345698765432",
        "FR1420041010050500013M02606",
        "NO9386011117947",
        "MT84MALT011000012345MTLCAST001S",
    ] {
        let other = other("IBAN_CODE", iban).unwrap();
        assert!(valid(other.as_bytes()), "{other}");
        assert_eq!(other.get(..2), iban.get(..2));
        assert_ne!(other.get(4..), iban.get(4..));
        for (a, b) in other.bytes().zip(iban.bytes()) {
            assert_eq!(
                (a.is_ascii_digit(), a.is_ascii_alphabetic()),
                (b.is_ascii_digit(), b.is_ascii_alphabetic())
            );
        }
    }
}

#[test]
fn a_telephone_number_keeps_all_but_its_last_six_digits() {
    for number in ["+1 (415) 555-0132", "+49 151 23456789", "+60123456789"] {
        let other = other("PHONE_NUMBER", number).unwrap();
        assert_ne!(other, number);
        let at = number.rmatch_indices(|c: char| c.is_ascii_digit()).nth(5).unwrap().0;
        assert_eq!(other.get(..at), number.get(..at));
    }
}

#[test]
fn a_check_that_the_original_passes_is_passed_by_the_other() {
    let valid = named("uk_nhs").unwrap();
    assert!(valid(b"943 476 5919"));
    let other = other("NHS", "943 476 5919").unwrap();
    assert!(valid(other.as_bytes()) && other != "943 476 5919", "{other}");
    // What doesn't pass it was found by its context: nobody checks it.
    assert!(super::tests::other("NHS", "943 476 5918").is_some());
}

/// No two values of a shape become the same, and none becomes itself.
#[test]
fn it_is_a_permutation_of_what_is_valid() {
    let valid = named("card").unwrap();
    let cards = (0..20_000_u32).map(|n| format!("411111{n:010}")).filter(|card| valid(card.as_bytes()));
    let (mut from, mut to) = (0, BTreeSet::new());
    for card in cards {
        from += 1;
        let other = other("CREDIT_CARD", &card).unwrap();
        assert_ne!(card, other);
        to.insert(other);
    }
    assert!(from > 1500);
    assert_eq!(from, to.len());
}

#[test]
fn what_has_too_few_values_or_is_no_number_has_no_other() {
    for value in [
        "12345",
        "12-34",
        "",
        "MARY",
        "jane.roe1985@mail",
        "A1B2CDEFGH",
        "12:34:56",
        "１２３４５６７",
        "0123456789012345678901234567890123456",
    ] {
        assert_eq!(other("X", value), None, "{value}");
    }
    assert!(other("X", "123456").is_some());
    assert!(other("X", "C01X00T47").is_some());
    // An exchange that has no steps left.
    assert_eq!(cipher().replace("X", b"123456", None, &mut 0), None);
}

#[test]
fn a_number_gets_no_leading_zero_and_loses_none() {
    for n in 0..200 {
        assert_ne!(other("X", &format!("{}", 100_000 + n)).unwrap().as_bytes()[0], b'0');
        assert_eq!(other("X", &format!("{:07}", 900_000 + n)).unwrap().as_bytes()[0], b'0');
    }
}

#[test]
fn another_key_and_another_prefix_give_another_value() {
    let mine = other("CREDIT_CARD", "4111111111111111").unwrap();
    let mut steps = 1000;
    let theirs = Cipher::new(&[7; 32]).unwrap().replace("CREDIT_CARD", b"4111111111111111", None, &mut steps);
    assert_ne!(theirs.unwrap(), mine.as_bytes());
    assert_ne!(
        other("PHONE_NUMBER", "+49 151 23456789").unwrap()[10..],
        other("PHONE_NUMBER", "+49 152 23456789").unwrap()[10..]
    );
}
