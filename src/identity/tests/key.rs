use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::identity::{KeyHash, NotAKey, Tagger};

#[test]
fn a_key_has_its_shape_and_no_two_are_alike() {
    let mut seen = HashSet::new();
    for _ in 0..200 {
        let key = ApiKey::generate().unwrap();
        let text = key.expose_secret();
        assert_eq!(text.len(), 53);
        assert!(text.starts_with("csk_") && text[4..].bytes().all(|b| b.is_ascii_alphanumeric()));
        ApiKey::parse(text).unwrap();
        assert!(seen.insert(text.to_owned()));
    }
    // Every character of base62 comes up, none far more often than others.
    let counts = seen.iter().flat_map(|key| key[4..47].bytes()).fold([0_u32; 128], |mut counts, byte| {
        counts[usize::from(byte)] += 1;
        counts
    });
    let used: Vec<_> = counts.into_iter().filter(|count| *count > 0).collect();
    assert_eq!(used.len(), 62);
    assert!(used.iter().all(|count| (70..240).contains(count)), "{used:?}");
}

#[test]
fn what_is_not_a_key_is_told() {
    let key = ApiKey::generate().unwrap();
    let text = key.expose_secret();
    assert_eq!(ApiKey::parse("hello"), Err(NotAKey::Prefix));
    assert_eq!(ApiKey::parse(&text[..52]), Err(NotAKey::Shape));
    assert_eq!(ApiKey::parse(&format!("{text}0")), Err(NotAKey::Shape));
    assert_eq!(ApiKey::parse(&format!("{}-{}", &text[..20], &text[21..])), Err(NotAKey::Shape));
    assert_eq!(ApiKey::parse(&format!("csk_{}é", &text[4..51])), Err(NotAKey::Shape));
}

proptest! {
    #[test]
    fn one_changed_character_breaks_the_checksum(place in 4_usize..53, with in "[0-9A-Za-z]") {
        let key = ApiKey::generate().unwrap();
        let mut text = key.expose_secret().to_owned();
        text.replace_range(place..=place, &with);
        let same = text == key.expose_secret();
        prop_assert_eq!(ApiKey::parse(&text).is_ok(), same);
    }

    #[test]
    fn parsing_never_panics(text in ".*") {
        let _anything = ApiKey::parse(&text);
        let _anything = text.parse::<KeyHash>();
        let _anything = text.parse::<crate::identity::SubjectName>();
    }
}

#[test]
fn a_hash_depends_on_the_key_and_the_master_key_and_survives_its_text() {
    let (key, other) = (ApiKey::generate().unwrap(), ApiKey::generate().unwrap());
    let hash =
        |hasher: &KeyHasher, key: &SecretString| hasher.hash(ApiKey::parse(key.expose_secret()).unwrap());
    let elsewhere = hkdf::Salt::new(hkdf::HKDF_SHA256, b"").extract(b"another master key");
    let elsewhere = KeyHasher::derive(&elsewhere).unwrap();
    assert!(hash(&hasher(), &key).matches(&hash(&hasher(), &key)));
    assert!(!hash(&hasher(), &key).matches(&hash(&hasher(), &other)));
    assert!(!hash(&hasher(), &key).matches(&hash(&elsewhere, &key)));
    let text = hash(&hasher(), &key).to_string();
    assert!(text.starts_with("v1:") && text.len() == 67, "{text}");
    assert_eq!(text.parse::<KeyHash>().unwrap(), hash(&hasher(), &key));
    for wrong in ["", "v1:", "v2:00", &text[..66], &text.to_uppercase(), &text[3..]] {
        wrong.parse::<KeyHash>().unwrap_err();
    }
    assert!(!format!("{:?}", ApiKey::parse(key.expose_secret())).contains(&key.expose_secret()[4..]));
}

#[test]
fn a_tag_stands_for_an_address_and_does_not_show_it() {
    let tagger = Tagger::derive(&master()).unwrap();
    let tag = |text: &str| tagger.address(text.parse().unwrap()).to_string();
    assert_eq!(tag("192.0.2.1"), tag("::ffff:192.0.2.1"));
    assert_ne!(tag("192.0.2.1"), tag("192.0.2.2"));
    assert_eq!(tag("192.0.2.1").len(), 16);
    assert_ne!(tagger.user_agent(&[192, 0, 2, 1]).to_string(), tag("192.0.2.1"), "kinds are apart");
}
