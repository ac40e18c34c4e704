//! String values are censored on their decoded text; everything else stays byte for byte.

use proptest::prelude::*;
use serde_json::Value;

use super::censoring;
use crate::body::testkit::{
    address, blocked, censored, cuts, everywhere, exchange, job, nothing_of, open, pieces, quoted, request,
    response, run, token,
};
use crate::censor::Exchange;
use crate::names::Direction;
use crate::reason::Reason;

/// A string that came in one piece was read to its flaw before it was looked at, one in pieces before.
#[test]
fn what_is_wrong_first_is_told_at_every_cut() {
    let mut job = request();
    job.limits = std::sync::Arc::new(crate::body::Limits { key: 20, ..crate::body::Limits::default() });
    let (long, value) = ("x".repeat(30), blocked());
    for flaw in ["\n", "\\x", "\\u12g", "\\ud800x"] {
        for (body, reason) in [
            (format!("{{\"{long}{flaw}\":1}}"), Reason::RecordTooLarge),
            (format!("{{\"x{flaw}{long}\":1}}"), Reason::ContentMalformed),
            (format!("{{\"a\":\"{value} and {flaw}\"}}"), Reason::ContentBlocked),
            (format!("{{\"a\":\"b{flaw} {value} and\"}}"), Reason::ContentMalformed),
            (format!("{{\"a\":\"{value}\" {flaw}"), Reason::ContentBlocked),
        ] {
            assert_eq!(everywhere(&censoring(&job), body.as_bytes()).reason(), Some(reason), "{body}");
        }
    }
}

/// Texts with and without findings.
pub(super) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z ]{0,30}",
        1 => any::<String>(),
        1 => Just("\\ud83d \u{1f600} \"quoted\" \n".to_owned()),
        1 => (0_u64..5).prop_map(token),
        2 => ("[a-z \"\\\\é]{0,12}", 0_u64..5, "[ .,\\n\"]{1,3}[a-z]{0,8}").prop_map(|(a, n, b)| format!("{a} {}{b}", token(n))),
        1 => ("[a-z ]{0,12}", 0_u64..5).prop_map(|(a, n)| format!("{a} {} {}", address(n), address(n + 1))),
        1 => (0_u64..5).prop_map(quoted),
        1 => (1_u64..5).prop_map(|lines| format!("a {} b", open(lines))),
        1 => Just("tok_ZX".to_owned()),
    ]
}

pub(super) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i16>().prop_map(|n| Value::from(f64::from(n) / 4.0)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec(("[a-z_]{0,6}|birth_name|é\"", inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Writes a value in one of the ways that mean the same: with white space, and with characters escaped.
pub(super) fn write(value: &Value, style: u64, out: &mut String) {
    let mut style = style;
    write_as(value, &mut style, out);
}

fn roll(style: &mut u64, of: u64) -> bool {
    *style = style.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*style >> 33).is_multiple_of(of)
}

fn space(style: &mut u64, out: &mut String) {
    if roll(style, 4) {
        out.push_str(if roll(style, 2) { " " } else { "\n\t" });
    }
}

fn write_as(value: &Value, style: &mut u64, out: &mut String) {
    space(style, out);
    match value {
        Value::String(text) => write_text(text, style, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_as(item, style, out);
            }
            space(style, out);
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (at, (key, value)) in members.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                space(style, out);
                write_text(key, style, out);
                space(style, out);
                out.push(':');
                write_as(value, style, out);
            }
            space(style, out);
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
    space(style, out);
}

fn write_text(text: &str, style: &mut u64, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        if c < ' ' || c == '"' || c == '\\' || roll(style, 12) {
            match c {
                '"' | '\\' | '/' if roll(style, 2) => {
                    out.push('\\');
                    out.push(c);
                }
                '\n' if roll(style, 2) => out.push_str("\\n"),
                _ => c
                    .encode_utf16(&mut [0; 2])
                    .iter()
                    .for_each(|unit| out.push_str(&format!("\\u{unit:04X}"))),
            }
        } else {
            out.push(c);
        }
    }
    out.push('"');
}

/// What has to come of a value: every string by itself, in the order of the document.
pub(super) fn expected(value: &Value, field: Option<&str>, exchange: &Exchange) -> Value {
    match value {
        Value::String(text) => Value::from(censored(exchange, field, text)),
        Value::Array(items) => items.iter().map(|item| expected(item, field, exchange)).collect(),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(key, value)| {
                    let field = if key.is_empty() { None } else { Some(key.as_str()) };
                    (key.clone(), expected(value, field, exchange))
                })
                .collect(),
        ),
        Value::Number(number) => {
            let text = number.to_string();
            let text = text.strip_suffix(".0").unwrap_or(&text);
            // Under other names a number as short as these is none of the test's findings.
            let censored = if text.len() < 3 { text.to_owned() } else { censored(exchange, field, text) };
            if censored == text { value.clone() } else { Value::from(censored) }
        }
        Value::Null | Value::Bool(_) => value.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_document_is_censored_string_by_string(
        value in value(),
        style in any::<u64>(),
        sizes in prop::collection::vec(1_usize..40, 1..6),
        response in any::<bool>(),
    ) {
        let mut body = String::new();
        write(&value, style, &mut body);
        prop_assert_eq!(&serde_json::from_str::<Value>(&body).unwrap(), &value);
        let expected = expected(&value, None, &exchange());
        // An answer restores what its own exchange named, so names are only compared for requests.
        let direction = if response && !body.contains('@') && !body.contains("q=") { Direction::Response } else { Direction::Request };
        let job = job(exchange(), direction);
        let make = censoring(&job);
        let whole = run(&mut *make(), [body.as_bytes()]);
        prop_assert_eq!(whole.reason(), None);
        prop_assert_eq!(&serde_json::from_slice::<Value>(&whole.out).unwrap(), &expected);
        if expected == value {
            prop_assert_eq!(whole.text(), &body);
        }
        let cut = run(&mut *make(), pieces(body.as_bytes(), &sizes));
        prop_assert_eq!(cut.text(), whole.text());
        for n in 0..5 {
            nothing_of(&token(n), &whole.out);
        }
    }
}

/// RPBLC-hq/DAM#5: only the messages of users were looked at.
#[test]
fn every_cut_of_a_document_with_everything() {
    let body = format!(
        r#" {{ "plain" : "text", "escaped":"caf\u00e9 \ud83d\ude00 \/ \"{}\" \\", "n":[-1.50e+3,0,true,null],
            "token": "a {} b", "\u0065scaped key": "\u0074ok_{}", "mail":["{}", {{"deep":"{}\n"}}], "open":"{}", "":"" }} "#,
        "tok_short",
        token(1),
        &token(2)[4..],
        address(1),
        address(1),
        open(3).replace('\n', "\\n"),
    );
    let outcome = everywhere(&censoring(&request()), body.as_bytes());
    let value: Value = serde_json::from_slice(&outcome.out).unwrap();
    assert_eq!(value["token"], "a [TEST_TOKEN] b");
    assert_eq!(value["escaped key"], "[TEST_TOKEN]");
    assert_eq!(value["open"], "[TEST_OPEN]");
    assert_eq!(value["mail"][0].as_str().unwrap().to_owned() + "\n", value["mail"][1]["deep"]);
    assert!(
        outcome.text().contains(
            r#""escaped":"caf\u00e9 \ud83d\ude00 \/ \"tok_short\" \\", "n":[-1.50e+3,0,true,null],"#
        )
    );
    for value in [token(1), token(2), open(3)] {
        nothing_of(&value, &outcome.out);
    }
}

/// apache/apisix#13528: the escaped text was judged, and the model saw the decoded one.
#[test]
fn escapes_inside_a_finding_do_not_hide_it() {
    for n in 0..4 {
        let escaped: String = token(n)
            .chars()
            .enumerate()
            .map(|(at, c)| if at % 3 == 0 { format!("\\u{:04x}", c as u32) } else { c.to_string() })
            .collect();
        let body = format!(r#"{{"a":"\t{escaped}\u00e9"}}"#);
        let outcome = everywhere(&censoring(&request()), body.as_bytes());
        assert_eq!(outcome.text(), r#"{"a":"\t[TEST_TOKEN]\u00e9"}"#);
    }
}

#[test]
fn restored_values_are_escaped() {
    let job = request();
    let asked = run(
        &mut *censoring(&job)(),
        [serde_json::json!({"p": quoted(3), "m": address(4)}).to_string().as_bytes()],
    );
    let asked: Value = serde_json::from_slice(&asked.out).unwrap();
    let (name, mail) = (asked["p"].as_str().unwrap(), asked["m"].as_str().unwrap());
    assert_ne!(name, quoted(3));
    let answer = format!(r#"{{"text":"you are {name}, {mail} \u263a"}}"#);
    let back = super::super::super::testkit::job(job.exchange, Direction::Response);
    let outcome = everywhere(&censoring(&back), answer.as_bytes());
    let value: Value = serde_json::from_slice(&outcome.out).unwrap();
    assert_eq!(value["text"], format!("you are {}, {} \u{263a}", quoted(3), address(4)));
    assert!(outcome.text().contains("\\u263a"));
}

#[test]
fn restored_values_fit_into_json_inside_a_string() {
    let job = request();
    let asked = run(&mut *censoring(&job)(), [serde_json::json!({ "p": quoted(3) }).to_string().as_bytes()]);
    let asked: Value = serde_json::from_slice(&asked.out).unwrap();
    let inner = serde_json::json!({ "to": asked["p"], "n": 1 }).to_string();
    let answer = serde_json::json!({"arguments": format!(" {inner}"), "text": format!("{{ {}", asked["p"].as_str().unwrap())});
    let back = super::super::super::testkit::job(job.exchange, Direction::Response);
    let outcome = everywhere(&censoring(&back), answer.to_string().as_bytes());
    let value: Value = serde_json::from_slice(&outcome.out).unwrap();
    let inner: Value = serde_json::from_str(value["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(inner, serde_json::json!({ "to": quoted(3), "n": 1 }));
    assert_eq!(value["text"], format!("{{ {}", quoted(3)));
}

#[test]
fn a_blocked_value_ends_the_body() {
    let body = format!(r#"{{"a":"fine","b":"x {} y","c":"{}"}}"#, blocked(), token(1));
    for (job, reason) in [(request(), Reason::ContentBlocked), (response(), Reason::UpstreamContentBlocked)] {
        let outcome = everywhere(&censoring(&job), body.as_bytes());
        assert_eq!(outcome.reason(), Some(reason));
        assert_eq!(outcome.refusal.unwrap().detail.unwrap().as_str(), "rule test-blocked");
        for pieces in cuts(body.as_bytes()) {
            let outcome = run(&mut *censoring(&job)(), pieces);
            nothing_of(&blocked(), &outcome.out);
            assert!(!outcome.text().contains("\"c\""));
        }
    }
}

#[test]
fn a_broken_off_body_leaks_nothing() {
    let body = format!(r#"{{"a":"text {} and {} more"}}"#, token(1), open(4).replace('\n', "\\n"));
    for end in 0..body.len() {
        for size in [1, 7, body.len()] {
            let outcome = run(&mut *censoring(&request())(), body.as_bytes()[..end].chunks(size));
            assert_eq!(outcome.reason(), Some(Reason::ContentTruncated));
            nothing_of(&token(1), &outcome.out);
            nothing_of(&open(4), &outcome.out);
        }
    }
}

#[test]
fn the_nearest_key_is_the_context() {
    let body =
        r#"{"birth_name":"Erika Mustermann","x":{"birth_name":["Erika","Max"],"y":"Erika"},"z":"Max"}"#;
    let outcome = everywhere(&censoring(&request()), body.as_bytes());
    let value: Value = serde_json::from_slice(&outcome.out).unwrap();
    assert!(value["birth_name"].as_str().unwrap().contains("****"), "{value}");
    assert!(value["x"]["birth_name"][1].as_str().unwrap().contains("****"), "{value}");
    assert_eq!(value["x"]["y"], "Erika");
    assert_eq!(value["z"], "Max");
}

/// BerriAI/litellm#24419: long bodies were held, several times.
#[test]
fn memory_does_not_grow_with_the_length_of_a_string() {
    let text = format!("lorem ipsum \\n dolor {} sit ", token(1)).repeat(40_000);
    let body = format!(r#"{{"a":["{text}"],"b":"c"}}"#);
    let outcome = run(&mut *censoring(&request())(), body.as_bytes().chunks(16 * 1024));
    assert_eq!(outcome.reason(), None);
    assert!(outcome.held < 8 * 1024, "{} bytes were held", outcome.held);
    assert_eq!(outcome.out.len(), body.len() - 40_000 * (token(1).len() - "[TEST_TOKEN]".len()));
    let whole = run(&mut *censoring(&request())(), [body.as_bytes()]);
    assert!(whole.out == outcome.out);
}
