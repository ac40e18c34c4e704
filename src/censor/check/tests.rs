//! Every way in which a rule can break its word, each with the rule that does so.

use super::check;
use crate::censor::RuleSet;

/// A rule that holds, as the lines of its file.
const SOUND: &str = "\
version: 1
rules:
  - id: card
    description: A card
    groups: [pii]
    severity: 5
    action: redact
    keywords: [card-]
    pattern: 'card-(?P<value>[0-9]{16})'
    right: digit
    validator: luhn
    references: ['https://example.org/cards']
    examples: [['card-4111', '111111111111']]
    negative_examples: [['card-', '4111']]
";

/// What is wrong with the sound rule after a change of it, as `line:column message`.
fn complaints(from: &str, to: &str) -> Vec<String> {
    assert!(SOUND.contains(from), "{from}");
    let (rules, errors) = RuleSet::parse_all("a.yaml", &SOUND.replace(from, to));
    let all = errors.into_iter().chain(check(&rules));
    all.map(|d| format!("{}:{} {} {}", d.line, d.column, d.message, d.help.unwrap_or_default())).collect()
}

/// Exactly one fault, at a place, with these words.
fn one(from: &str, to: &str, place: &str, words: &str) {
    let found = complaints(from, to);
    let [found] = found.as_slice() else { panic!("{from} -> {to}: {found:#?}") };
    assert!(found.starts_with(&format!("{place} rule `card`: ")) && found.contains(words), "{found}");
}

#[test]
fn a_sound_rule_holds() {
    assert_eq!(complaints("id: card", "id: card"), Vec::<String>::new());
}

#[test]
fn an_example_that_is_not_found() {
    one(
        "[['card-4111', '111111111111']]",
        "[['card-4111111111111111'], ['cart-41']]",
        "13:43",
        "isn't found",
    );
}

#[test]
fn a_negative_example_that_is_found() {
    one("[['card-', '4111']]", "[['card-41', '11111111111111']]", "14:25", "is found, although");
}

#[test]
fn no_example_at_all() {
    one("    examples: [['card-4111', '111111111111']]\n", "", "3:9", "there is no example");
}

#[test]
fn no_reference() {
    one("references: ['https://example.org/cards']", "references: []", "3:9", "no reference");
}

#[test]
fn a_match_that_no_keyword_begins() {
    one("'card-(?P", "'(?:card|[a-c]ash)-(?P", "9:14", "begins with none of the keywords");
    one("'card-(?P", "'(?:card-|car:)(?P", "9:14", "such as `car:`");
}

#[test]
fn case_counts_only_where_the_pattern_says_so() {
    assert_eq!(complaints("'card-(?P", "'(?i:card-)(?P"), Vec::<String>::new());
    one("'card-(?P", "'[Cc]ar(?i:d)-?(?P", "9:14", "begins with none of the keywords");
}

#[test]
fn a_keyword_that_another_one_begins() {
    one("keywords: [card-]", "keywords: [card-, car]", "9:14", "`card-` is not needed: `car` begins it");
}

#[test]
fn a_longest_length_that_does_not_hold() {
    one(
        "right: digit",
        "right: digit\n    max_length: 20",
        "3:9",
        "shorter than the pattern's longest match, 21 bytes",
    );
}

#[test]
fn a_scanner_finds_more_than_is_said() {
    let keyword =
        "keywords: [card-]\n    pattern: 'card-(?P<value>[0-9]{16})'\n    right: digit\n    validator: luhn";
    let text = SOUND.replace("['card-4111', '111111111111']", "['ann@', 'example.org']");
    let text = text.replace(keyword, "scanner: email\n    max_length: 9");
    let (rules, _) = RuleSet::parse_all("a.yaml", &text);
    let found: Vec<String> = check(&rules).iter().map(ToString::to_string).collect();
    assert!(found.iter().any(|f| f.contains("shorter than what the scanner finds")), "{found:?}");
}

#[test]
fn a_validator_that_no_example_reaches() {
    // The example is found by its context word, whatever the check digit.
    let context = "validator: luhn\n    context: {words: [visa], mode: boost}\n    left: none";
    let example = "examples: [['visa card-4111', '111111111112']]";
    let text = SOUND
        .replace("validator: luhn", context)
        .replace("examples: [['card-4111', '111111111111']]", example);
    let (rules, errors) = RuleSet::parse_all("a.yaml", &text);
    assert!(errors.is_empty(), "{errors:?}");
    let found: Vec<String> = check(&rules).iter().map(ToString::to_string).collect();
    assert!(
        matches!(found.as_slice(), [one] if one.contains("no example has a value that the validator `luhn` accepts")),
        "{found:?}"
    );
}

#[test]
fn a_validator_that_decides_nothing() {
    // Sixteen digits always have a digit.
    one(
        "validator: luhn",
        "validator: has_digit",
        "11:16",
        "nothing shows that the validator `has_digit` decides",
    );
}

#[test]
fn a_rule_that_does_not_compile_is_named_with_its_place() {
    one("[0-9]{16}", "[0-9]+", "9:14", "a match could be of any length");
}

#[test]
fn every_fault_of_every_rule_is_told() {
    let second = SOUND
        .split_once("rules:\n")
        .unwrap()
        .1
        .replace("[0-9]{16}", "[0-9]{15}")
        .replace("id: card", "id: bad");
    let third = SOUND.split_once("rules:\n").unwrap().1;
    let (rules, errors) = RuleSet::parse_all("a.yaml", &format!("{SOUND}{second}{third}"));
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!((errors[0].line, errors[0].column), (27, 9), "{}", errors[0]);
    assert!(errors[0].message.contains("rule `card` is already defined in a.yaml:3"), "{}", errors[0]);
    let found = check(&rules);
    assert!(!found.is_empty() && found.iter().all(|d| d.message.starts_with("rule `bad`: ")), "{found:?}");
}

#[test]
fn the_longest_match_is_the_automatons() {
    use crate::censor::pattern::{Automaton, parse};
    for (pattern, longest) in [("a", 1), ("(?:ab){2,5}c?", 11), ("[a-z]{0,64}", 64), ("(?:a{3}|b{0,9}x)", 10)]
    {
        let automaton = Automaton::forward(&parse(pattern).unwrap()).unwrap();
        assert_eq!(automaton.longest(), Some(longest), "{pattern}");
    }
    assert_eq!(Automaton::forward(&parse("ab*").unwrap()).unwrap().longest(), None);
}

/// A label is told from other words by the bytes that it begins with.
#[test]
fn a_label_that_is_too_short_or_too_long() {
    for (from, to) in [
        ("id: card", "id: x"),
        ("id: card", "id: c-"),
        ("id: card", "id: an-id-that-is-longer-than-any-label-can-be"),
        ("groups: [pii]", "groups: [pii]\n    entity: AB"),
    ] {
        let found = complaints(from, to);
        assert!(matches!(found.as_slice(), [one] if one.contains("has 3 to 40")), "{to}: {found:#?}");
    }
    let named = complaints("id: card", "id: an-id-that-is-longer-than-any-label-can-be\n    entity: CARD");
    assert_eq!(named, Vec::<String>::new());
}
