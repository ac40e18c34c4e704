use proptest::prelude::*;
use serde_json::value::RawValue;

use super::censoring;
use crate::body::json::token::{Fault, Tokenizer};
use crate::body::testkit::{everywhere, request};
use crate::reason::Reason;

fn read(text: &[u8], pieces: usize) -> Result<(), Fault> {
    let mut tokens = Tokenizer::new(128, 1024);
    for piece in text.chunks(pieces) {
        let mut at = 0;
        while tokens.next(piece, &mut at)?.is_some() {}
        assert_eq!(at, piece.len());
    }
    tokens.finish().map(|_| ())
}

/// What an independent parser says: `serde_json`, which looks at surrogates only where it decodes, and at the size of
/// numbers, which is none of the grammar's business.
fn is_json(text: &str) -> bool {
    let grammar = serde_json::from_str::<Box<RawValue>>(text).is_ok();
    let decoded = serde_json::from_str::<serde_json::Value>(text);
    let halves = decoded.is_err_and(|error| {
        error.to_string().contains("surrogate") || error.to_string().contains("hex escape")
    });
    grammar && !halves
}

#[test]
fn what_is_json() {
    for text in [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1.5e+10",
        "1E9",
        "0.1",
        "\"\"",
        "[]",
        "{}",
        " [ ] ",
        "\t{\r\n}\n",
        r#"{"a":[1,{"b":null}],"c":"\u00e9\ud83d\ude00\/\"\\\b\f\n\r\t"}"#,
        "[[[[1]]]]",
        r#"{"":""}"#,
        "\"é😀\"",
    ] {
        assert!(is_json(text));
        for pieces in 1..=text.len() {
            assert_eq!(read(text.as_bytes(), pieces), Ok(()), "{text} by {pieces}");
        }
    }
}

#[test]
fn what_is_not() {
    for text in [
        "",
        " ",
        "nul",
        "nulll",
        "True",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "0x1",
        "NaN",
        "Infinity",
        "\"",
        "\"\\",
        "\"\\u12\"",
        "\"\\x\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud800x\"",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{",
        "}",
        "{]",
        "[}",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{'a':1}",
        "{1:2}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1}}",
        "1 2",
        "{}{}",
        "[] []",
        "\"a\nb\"",
        "\"\u{1}\"",
        "/**/1",
        "1//",
        "\u{feff}1",
        "\"a\"b",
    ] {
        assert!(!is_json(text), "{text}");
        for pieces in 1..=text.len().max(1) {
            assert!(read(text.as_bytes(), pieces).is_err(), "{text} by {pieces}");
        }
    }
}

#[test]
fn refusals_have_their_reasons() {
    let make = censoring(&request());
    for (body, reason) in [
        (r#"{"a":}"#.to_owned(), Reason::ContentMalformed),
        (r#"{"a":1"#.to_owned(), Reason::ContentTruncated),
        (String::new(), Reason::ContentTruncated),
        ("\u{feff}{}".to_owned(), Reason::ContentMalformed),
        ("[".repeat(129), Reason::ContentTooDeep),
        ("1".repeat(1025), Reason::RecordTooLarge),
        (format!("{{\"{}\":1}}", "k".repeat(70_000)), Reason::RecordTooLarge),
    ] {
        if body.len() < 2000 {
            assert_eq!(everywhere(&make, body.as_bytes()).reason(), Some(reason), "{body}");
        }
        for size in [1000, 64 * 1024] {
            let outcome = crate::body::testkit::run(&mut *make(), body.as_bytes().chunks(size));
            assert_eq!(outcome.reason(), Some(reason));
        }
    }
    for body in [b"\"\xff\"".as_slice(), b"\"\xc3\"", b"[\"\xed\xa0\x80\"]"] {
        assert_eq!(everywhere(&make, body).reason(), Some(Reason::ContentNotUtf8));
    }
    let deep = format!("{}{}", "[".repeat(128), "]".repeat(128));
    assert_eq!(everywhere(&make, deep.as_bytes()).reason(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn agrees_with_serde_json(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"\\u00e9\"", "\\ud83d", "\\ude00", "\\", "/", "1", "0", "-", ".",
                "e", "E+", "true", "fals", "e", "null", " ", "\n", "\t", "\"key\":", "é", "\u{1f600}", "\"\\ud83d\\ude00\"",
            ]),
            0..12,
        ),
        pieces in 1_usize..9,
    ) {
        let text = words.concat();
        prop_assert_eq!(read(text.as_bytes(), pieces).is_ok(), is_json(&text), "{}", text);
    }

    #[test]
    fn agrees_on_values_with_a_flaw(value in super::values::value(), at in any::<prop::sample::Index>(), byte in any::<u8>(), pieces in 1_usize..20) {
        let mut text = serde_json::to_vec(&value).unwrap();
        prop_assert!(read(&text, pieces).is_ok());
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(text) = std::str::from_utf8(&text) {
            prop_assert_eq!(read(text.as_bytes(), pieces).is_ok(), is_json(text), "{}", text);
        }
    }
}
