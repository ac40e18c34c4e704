//! JSON inside strings: what is found is found on the innermost text, whatever escapes stand around it.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::censoring;
use super::values::{expected, value, write};
use crate::body::testkit::{
    address, blocked, censored, cuts, everywhere, exchange, job, nothing_of, open, pieces, quoted, request,
    run, token,
};
use crate::names::Direction;
use crate::reason::Reason;

/// A text inside so many strings.
fn inside(text: &str, times: usize) -> String {
    (0..times).fold(text.to_owned(), |text, _| json!({ "in": text }).to_string())
}

/// The text that is inside so many strings.
fn outside(body: &str, times: usize) -> String {
    (0..times).fold(body.to_owned(), |body, _| {
        serde_json::from_str::<Value>(&body).unwrap()["in"].as_str().unwrap().to_owned()
    })
}

/// With every character written as an escape.
fn hidden(text: &str) -> String {
    text.chars().map(|c| format!("\\u{:04x}", c as u32)).collect()
}

#[test]
fn a_finding_is_found_at_every_depth() {
    for depth in 1..=4 {
        let inner = format!(
            r#"{{"a":"x {} y\n","n":[1,true,7712345678901, 2],"{}":{{}}}}"#,
            hidden(&token(1)),
            hidden(&token(2))
        );
        let body = inside(&inner, depth);
        let outcome = everywhere(&censoring(&request()), body.as_bytes());
        let out = outside(outcome.text(), depth);
        assert_eq!(
            out, r#"{"a":"x [TEST_TOKEN] y\n","n":[1,true,7712345678901, 2],"[TEST_TOKEN]":{}}"#,
            "depth {depth}"
        );
    }
}

#[test]
fn numbers_inside_strings_become_strings_there() {
    let number = ["77", "1234567890"].concat();
    let body = inside(&format!(r#"{{"n":[{number} ,1],"account":12345}}"#), 2);
    let out = outside(everywhere(&censoring(&request()), body.as_bytes()).text(), 2);
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["n"], json!(["[TEST_NUMBER]", 1]));
    assert!(value["account"].as_str().unwrap().starts_with("TEST_ACCOUNT_"));
    let body = json!({"account": format!("[12345, {number}]")}).to_string();
    let outcome = everywhere(&censoring(&request()), body.as_bytes());
    assert!(outcome.text().contains("TEST_ACCOUNT_"), "{}", outcome.text());
}

#[test]
fn a_document_that_was_written_as_a_string_twice() {
    let once = json!(json!({"to": "@", "k": token(1)}).to_string()).to_string();
    let body = json!({"arguments": once.replace('@', &hidden(&token(2)))}).to_string();
    let outcome = everywhere(&censoring(&request()), body.as_bytes());
    let value: Value = serde_json::from_slice(&outcome.out).unwrap();
    let once: String = serde_json::from_str(value["arguments"].as_str().unwrap()).unwrap();
    let inner: Value = serde_json::from_str(&once).unwrap();
    assert_eq!(inner, json!({"to": "[TEST_TOKEN]", "k": "[TEST_TOKEN]"}));
}

#[test]
fn what_only_looks_like_json_is_text() {
    let number = ["77", "1234567890"].concat();
    for text in [
        format!("{{name}} has {} and", token(1)),
        format!("[{}", token(1)),
        format!("[t{} x", token(1)),
        format!("[tru {}", token(1)),
        format!("[2024-01-01] {} [", token(1)),
        format!("[1, {number} {number}"),
        format!("[\"a\", {number}-{number}, {}]", token(1)),
        format!("{{\"a\":1}} and {}", token(1)),
        format!("{{\"a\":1}}\n{{\"{}\":2}}\n[\"{}\"] {}", token(1), token(2), token(3)),
        format!("{{\"a\" = \"{}\"}}", token(1)),
        format!("{{\"account\" {}", "12345"),
        format!("{{\"a\": \"line\nof {} \\d \\u12 \\ud83d\", \\", token(1)),
        format!("{{\"a\": \"{} never ends \\", token(1)),
        format!("{{\"{} never ends", token(1)),
        format!("[{number}"),
        format!("[\"{}\"", open(3)),
        format!(" \" {}", token(1)),
        format!("\"{}\"", token(1)),
        "\"".to_owned(),
        " [".to_owned(),
        "[1.".to_owned(),
        "{\"a".to_owned(),
        format!("[{}", " ".repeat(10_000)),
        format!("[1{}", " ".repeat(10_000)),
        format!("[{}", "1".repeat(5_000)),
    ] {
        let body = json!({"a": text}).to_string();
        let outcome = if text.len() < 1000 {
            everywhere(&censoring(&request()), body.as_bytes())
        } else {
            run(&mut *censoring(&request())(), body.as_bytes().chunks(7))
        };
        let value: Value = serde_json::from_slice(&outcome.out).unwrap();
        let expected = censored(&exchange(), None, &text);
        let quoted =
            expected.replace("[1, [TEST", "[1, \"[TEST").replace("[[TEST_NUMBER]", "[\"[TEST_NUMBER]\"");
        let out = value["a"].as_str().unwrap();
        assert!(out == expected || out == quoted, "{text}\n{out}\n{expected}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_document_in_a_string_is_censored_as_one_by_itself(
        inner in prop::collection::vec(value(), 1..4),
        style in any::<u64>(),
        depth in 1_usize..4,
        sizes in prop::collection::vec(1_usize..40, 1..6),
    ) {
        let inner = Value::from(inner);
        let mut text = String::new();
        write(&inner, style, &mut text);
        let body = inside(&text, depth);
        let whole = run(&mut *censoring(&request())(), [body.as_bytes()]);
        prop_assert_eq!(whole.reason(), None);
        let out = outside(whole.text(), depth);
        let expected = expected(&inner, Some("in"), &exchange());
        prop_assert_eq!(&serde_json::from_str::<Value>(&out).unwrap(), &expected);
        if expected == inner {
            prop_assert_eq!(whole.text(), &body);
        }
        let cut = run(&mut *censoring(&request())(), pieces(body.as_bytes(), &sizes));
        prop_assert_eq!(cut.text(), whole.text());
        let again = run(&mut *censoring(&request())(), [&*whole.out]);
        prop_assert_eq!(again.text(), whole.text());
    }

    /// Texts that begin like JSON and go on as they like: the output doesn't depend on the cuts, and no planted
    /// value gets out.
    #[test]
    fn texts_that_are_nearly_json(
        parts in prop::collection::vec(prop_oneof![
            Just("{".to_owned()), Just("[".to_owned()), Just("}".to_owned()), Just("]".to_owned()),
            Just("\"".to_owned()), Just(":".to_owned()), Just(",".to_owned()), Just("\\".to_owned()),
            Just("\\u00".to_owned()), Just("41".to_owned()), Just(" ".to_owned()), Just("tru".to_owned()),
            Just("true".to_owned()), Just("1.5e".to_owned()), Just("\n".to_owned()), Just("\"k\":".to_owned()),
            "[a-z]{1,5}", (0_u64..4).prop_map(|n| format!(" {} ", token(n))),
        ], 0..24),
        array in any::<bool>(),
        sizes in prop::collection::vec(1_usize..12, 1..6),
    ) {
        let text = format!("{}{}", if array { "[" } else { "{" }, parts.concat());
        let body = json!({"a": text}).to_string();
        let whole = run(&mut *censoring(&request())(), [body.as_bytes()]);
        prop_assert_eq!(whole.reason(), None);
        prop_assert!(serde_json::from_slice::<Value>(&whole.out).is_ok());
        let cut = run(&mut *censoring(&request())(), pieces(body.as_bytes(), &sizes));
        prop_assert_eq!(cut.text(), whole.text());
        for n in 0..4 {
            nothing_of(&token(n), &whole.out);
        }
    }
}

#[test]
fn restored_values_are_escaped_for_every_level() {
    let asked = request();
    let sent = run(&mut *censoring(&asked)(), [inside(&json!({"q": quoted(1)}).to_string(), 2).as_bytes()]);
    let text = outside(sent.text(), 2);
    assert!(!text.contains("q="));
    let back = job(asked.exchange, Direction::Response);
    let outcome = everywhere(&censoring(&back), &sent.out);
    assert_eq!(outside(outcome.text(), 2), json!({"q": quoted(1)}).to_string());
}

#[test]
fn what_a_rule_swallows_by_its_name_is_not_read_as_json() {
    let body = json!({"birth_name": "[\"Erika\", 1]", "x": "[\"Erika\", 1]"}).to_string();
    let outcome = everywhere(&censoring(&request()), body.as_bytes());
    let value: Value = serde_json::from_slice(&outcome.out).unwrap();
    assert!(!value["birth_name"].as_str().unwrap().contains("Erika"));
    assert_eq!(value["x"], "[\"Erika\", 1]");
}

#[test]
fn nothing_leaks_from_a_nested_text_that_is_blocked_or_breaks_off() {
    let body = inside(&format!(r#"{{"a":"{}"}}"#, hidden(&blocked())), 2);
    for pieces in cuts(body.as_bytes()) {
        assert_eq!(run(&mut *censoring(&request())(), pieces).reason(), Some(Reason::ContentBlocked));
    }
    let inner = format!(r#"{{"{}":"{} {}"}}"#, token(1), address(1), open(2).replace('\n', "\\n"));
    let body = inside(&inner, 1);
    for end in 0..body.len() {
        for size in [1, 5, body.len()] {
            let outcome = run(&mut *censoring(&request())(), body.as_bytes()[..end].chunks(size));
            nothing_of(&token(1), &outcome.out);
            nothing_of(&open(2), &outcome.out);
        }
    }
}

#[test]
fn memory_does_not_grow_with_a_nested_document() {
    let items: Vec<String> =
        (0..20_000).map(|n| json!({"n": n, "t": format!("x {}", token(n))}).to_string()).collect();
    let body = inside(&format!("[{}]", items.join(", ")), 2);
    let outcome = run(&mut *censoring(&request())(), body.as_bytes().chunks(4000));
    assert_eq!(outcome.reason(), None);
    assert!(outcome.held < 16 * 1024, "{}", outcome.held);
    let value: Value = serde_json::from_str(&outside(outcome.text(), 2)).unwrap();
    assert_eq!(value[19_999]["t"], "x [TEST_TOKEN]");
}
