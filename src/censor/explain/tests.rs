//! Each stage says no to a text of its own, and none shows what stands there.

use super::{Stage, explain};
use crate::censor::RuleSet;

const RULES: &str = r#"
version: 1
rules:
  - id: token
    description: A token
    groups: [secrets]
    severity: 5
    action: allow
    keywords: ["tok_"]
    pattern: 'tok_(?P<value>[a-z0-9]{8,20})'
    right: token
    min_entropy: 2.0
    validator: has_digit
    stop_words: [sample]
    allow: ['^z+9zzzy']
    context: {words: [vault], window: 20}
  - id: number
    description: A number
    groups: [pii]
    severity: 5
    action: redact
    anchor: digits
    min_digits: 6
    pattern: '[0-9]{6}'
    left: number
    right: number
  - id: secret-field
    description: A field
    groups: [secrets]
    severity: 5
    action: redact
    fields: [passcode]
    pattern: '[^ ]{4,20}'
"#;

fn refusals(id: &str, field: Option<&str>, text: &str) -> Vec<(Stage, String)> {
    let rules = RuleSet::parse("a.yaml", RULES).unwrap();
    let places = explain(&rules, id, text.as_bytes(), field).unwrap();
    for place in &places {
        let value = text.get(place.start..place.end).unwrap();
        assert_eq!(value.is_empty(), place.masked.is_empty(), "{place:?}");
        let clear = place.masked.trim_start_matches('*');
        assert!(clear.len() <= value.len() / 4 || id == "number", "{place:?}");
        let told = format!("{place:?}");
        assert!(value.len() < 6 || !told.contains(value), "{told}");
    }
    places.into_iter().filter_map(|place| place.refused).collect()
}

fn one(id: &str, text: &str, stage: Stage, words: &str) {
    let found = refusals(id, None, text);
    assert!(
        matches!(found.as_slice(), [(s, why)] if *s == stage && why.contains(words)),
        "{text}: {found:?}"
    );
}

#[test]
fn a_found_value_is_refused_by_nobody() {
    assert_eq!(refusals("token", None, "vault tok_abcd1234wxyz ."), []);
    assert_eq!(refusals("number", None, "no 123456, yes"), []);
    assert_eq!(refusals("secret-field", Some("user_passcode"), "hunter22"), []);
}

#[test]
fn every_stage_is_named() {
    one("token", "nothing here", Stage::Prefilter, "none of the keywords");
    one("token", "vault TOK_abcd1234wxyz", Stage::Prefilter, "`tok_` stands in the text");
    one("token", "vault xtok_abcd1234wxyz", Stage::Boundary, "`left`");
    one("token", "vault tok_abc!", Stage::Pattern, "does not match beyond its byte 3");
    one("token", "vault tok_abc", Stage::Pattern, "not whole where the text ends");
    one("token", "vault tok_abcd1234wxyz_", Stage::Boundary, "`right`");
    one("token", "vault tok_abcdefghijk", Stage::Validator, "`has_digit` does not accept it");
    one("token", "vault tok_aaaaaaaa1", Stage::Entropy, "0.50 bits a byte, and 2.00 are needed");
    one("token", "the tok_abcd1234wxyz", Stage::Context, "in the 20 bytes before it");
    one("token", "vault tok_sample1234", Stage::StopWord, "stop words");
    one("token", "vault tok_z9zzzyabcd", Stage::Allow, "`^z+9zzzy` matches it");
    one("token", "vault tok_[EMAIL_ADDRESS]", Stage::Pattern, "");
    one("number", "12345", Stage::Prefilter, "no number of 6 digits");
    one("number", "1.123456", Stage::Boundary, "`left`");
    one("secret-field", "hunter22", Stage::Prefilter, "no field's name was given");
    let found = refusals("secret-field", Some("passcode"), "two words");
    assert!(matches!(found.as_slice(), [(Stage::Pattern, _)]), "{found:?}");
    let found = refusals("secret-field", Some("name"), "hunter22");
    assert!(
        matches!(found.as_slice(), [(Stage::Prefilter, why)] if why.contains("none of the rule's")),
        "{found:?}"
    );
}
