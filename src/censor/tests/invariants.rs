//! The invariants of a censor, each able to fail.

use proptest::prelude::*;

use super::corpus::{Case, cases};
use super::*;

/// Every way to cut in two, whole, byte by byte, and in threes.
fn same_for_every_cut(engine: &Arc<Engine>, case: &Case) {
    let text = case.text.as_bytes();
    let expected = whole(engine, &exchange(), case.field, text);
    let check = |parts: &[&[u8]]| {
        let cuts: Vec<usize> = parts.iter().map(|p| p.len()).collect();
        let got = pieces(engine, &exchange(), case.field, Side::Censor, parts);
        assert_eq!(got.text(), expected.text(), "{:?} cut into {cuts:?}", case.text);
        assert_eq!(got, expected, "{:?} cut into {cuts:?}", case.text);
    };
    check(&[text]);
    let singles: Vec<&[u8]> = text.chunks(1).collect();
    check(&singles);
    let threes: Vec<&[u8]> = text.chunks(3).collect();
    check(&threes);
    // A long text is long because of its middle: cut there here and there.
    let far = |at: &usize| *at < 600 || *at + 600 > text.len() || at.is_multiple_of(97);
    for at in (0..=text.len()).filter(far) {
        check(&[&text[..at], &text[at..]]);
    }
}

#[test]
fn every_cut_of_the_corpus_gives_the_same() {
    let engine = engine();
    for case in cases() {
        same_for_every_cut(&engine, &case);
    }
}

#[test]
fn every_cut_with_another_policy() {
    let policies = [
        Policy::recommended().with("*", Action::Hash),
        Policy::recommended().with("*", Action::Pseudonym).with("secrets", Action::Block),
        Policy::recommended().with("pii", Action::Allow).with("jwt", Action::Mask { keep: 2 }),
        Policy::recommended().with("*", Action::Allow).with("private-key", Action::Block),
    ];
    for policy in policies {
        let engine = engine_with(&policy);
        for case in cases() {
            same_for_every_cut(&engine, &case);
        }
    }
}

#[test]
fn censoring_twice_changes_nothing_more() {
    let engine = engine_with(&Policy::recommended().with("stop-sign", Action::Allow));
    for case in cases() {
        let once = whole(&engine, &exchange(), case.field, case.text.as_bytes());
        let twice = whole(&engine, &exchange(), case.field, &once.out);
        assert_eq!(once.text(), twice.text(), "of {:?}", case.text);
    }
}

/// Pieces of findings and what may stand around them, in any order.
fn fragments() -> Vec<String> {
    let mut fragments: Vec<String> = cases().into_iter().map(|case| case.text).collect();
    for case in cases() {
        let chars: Vec<char> = case.text.chars().collect();
        fragments.extend([1, 2, 5, 12].iter().map(|n| chars.iter().take(chars.len() / n).collect()));
    }
    let glue = [
        "", " ", "-", "_", ".", "@", ":", "//", "=", "\"", "\\", "\n", "0", "12", "x", "é", "sk-", "eyJ",
        "-----", "://", "]", "[",
    ];
    fragments.extend(glue.map(str::to_owned));
    fragments.extend(glue.map(str::to_owned));
    fragments.retain(|f| f.len() < 400);
    fragments
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(fragments()), 1..7).prop_map(|parts| parts.concat())
}

fn cuts(len: usize) -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..=len, 0..12).prop_map(|mut cuts| {
        cuts.sort_unstable();
        cuts
    })
}

fn cut<'a>(text: &'a [u8], at: &[usize]) -> Vec<&'a [u8]> {
    let mut low = 0;
    let mut parts = Vec::new();
    for high in at.iter().copied().chain([text.len()]) {
        parts.push(&text[low..high]);
        low = high;
    }
    parts
}

/// The rules with some left out and some actions changed.
fn some_engine() -> impl Strategy<Value = Arc<Engine>> {
    let ids: Vec<String> = rules().iter().map(|rule| rule.spec.id.value.clone()).collect();
    let actions = [
        Action::Allow,
        Action::Redact,
        Action::Hash,
        Action::Pseudonym,
        Action::Mask { keep: 4 },
        Action::Block,
    ];
    prop::collection::vec((prop::sample::select(ids), prop::sample::select(actions.to_vec())), 0..8)
        .prop_map(|entries| engine_with(&Policy { entries }))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_of_any_text_gives_the_same(
        engine in some_engine(),
        (text, at) in text().prop_flat_map(|text| { let len = text.len(); (Just(text), cuts(len)) }),
        field in prop::sample::select(vec![None, None, Some("password"), Some("authorization"), Some("konto")]),
    ) {
        let expected = whole(&engine, &exchange(), field, text.as_bytes());
        let got = pieces(&engine, &exchange(), field, Side::Censor, &cut(text.as_bytes(), &at));
        prop_assert_eq!(got, expected);
        let singles: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        let expected = whole(&engine, &exchange(), field, text.as_bytes());
        let got = pieces(&engine, &exchange(), field, Side::Censor, &singles);
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn any_bytes_are_fine(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        text in text(),
        at in 0_usize..300,
    ) {
        let engine = engine();
        let mut mixed = bytes.clone();
        mixed.splice(at.min(bytes.len())..at.min(bytes.len()), text.bytes());
        let expected = whole(&engine, &exchange(), None, &mixed);
        let halves = cut(&mixed, &[mixed.len() / 3, mixed.len() / 2]);
        prop_assert_eq!(pieces(&engine, &exchange(), None, Side::Censor, &halves), expected);
    }

    #[test]
    fn valid_text_stays_valid(text in text()) {
        let engine = engine_with(&Policy::recommended().with("stop-sign", Action::Allow));
        let outcome = whole(&engine, &exchange(), None, text.as_bytes());
        prop_assert!(String::from_utf8(outcome.out).is_ok());
    }

    #[test]
    fn twice_is_once(text in text()) {
        // A value that is longer than any rule's bound may come within it when a part of it is replaced.
        prop_assume!(text.split_whitespace().all(|word| word.len() < 120));
        let engine = engine_with(&Policy::recommended().with("stop-sign", Action::Allow));
        let once = whole(&engine, &exchange(), None, text.as_bytes());
        let twice = whole(&engine, &exchange(), None, &once.out);
        prop_assert_eq!(once.text(), twice.text());
    }
}

/// What the engine that ships takes for granted about names.
#[test]
fn ordinary_names_mean_nothing_to_the_rules_that_ship() {
    let engine = Engine::compile(&RuleSet::builtin().unwrap(), &Policy::recommended()).unwrap();
    assert!(engine.is_ordinary(b"content") && engine.is_silent(b"created"));
    assert!(engine.is_ordinary(b"max_tokens") && !engine.is_silent(b"max_tokens"));
    assert!(!engine.is_ordinary(b"birthday") && !engine.is_ordinary(b""));
    let rule = "version: 1\nrules:\n  - id: xyz\n    description: x\n    groups: [pii]\n    severity: 1\n    action: redact\n    \
                keywords: [cont]\n    pattern: 'content'\n";
    let engine = Engine::compile(&RuleSet::parse("x.yaml", rule).unwrap(), &Policy::recommended()).unwrap();
    assert!(!engine.is_ordinary(b"content") && engine.is_silent(b"created"));
}
