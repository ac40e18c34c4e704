//! Keys are texts like any other: a finding in one doesn't pass, and two that were different stay so.

use std::sync::Arc;

use serde_json::Value;

use super::{censoring, plan};
use crate::body::json::{JsonTransform, Watch};
use crate::body::testkit::{address, blocked, cuts, everywhere, job, nothing_of, open, request, run, token};
use crate::body::{FactValue, Transform};
use crate::catalog::{Edit, EditAction};
use crate::names::Direction;
use crate::reason::Reason;

#[test]
fn keys_are_censored() {
    let body = format!(r#"{{"{}":1, "a\u0062":{{ "x {}" : [2], "plain":3}}}}"#, token(1), token(2));
    let outcome = everywhere(&censoring(&request()), body.as_bytes());
    assert_eq!(outcome.text(), r#"{"[TEST_TOKEN]":1, "a\u0062":{ "x [TEST_TOKEN]" : [2], "plain":3}}"#);
    let clean = r#" { "a" : { } , "b":[ {"c":[]} ], "\u00e9": "d", "x[1]":{"*":1,"A_B":2} } "#;
    assert_eq!(everywhere(&censoring(&request()), clean.as_bytes()).text(), clean);
    let escaped = token(3).replace('_', "\\u005f");
    let outcome = everywhere(&censoring(&request()), format!(r#"[{{"{escaped}":{{}}}}]"#).as_bytes());
    assert_eq!(outcome.text(), r#"[{"[TEST_TOKEN]":{}}]"#);
    let body = format!(r#"{{"{}":1}}"#, open(3).replace('\n', "\\n"));
    assert_eq!(everywhere(&censoring(&request()), body.as_bytes()).text(), r#"{"[TEST_OPEN]":1}"#);
}

#[test]
fn keys_that_would_become_equal_stay_different() {
    let body = format!(
        r#"{{"{}":1,"{}":2,"{}":3,"in":{{"{}":4,"[TEST_TOKEN]":5,"[TEST_TOKEN]#2":6}},"[TEST_TOKEN]":7}}"#,
        token(1),
        token(2),
        token(3),
        token(1),
    );
    let outcome = everywhere(&censoring(&request()), body.as_bytes());
    assert_eq!(
        outcome.text(),
        r#"{"[TEST_TOKEN]":1,"[TEST_TOKEN]#2":2,"[TEST_TOKEN]#3":3,"in":{"[TEST_TOKEN]":4,"[TEST_TOKEN]#2":5,"[TEST_TOKEN]#2#2":6},"[TEST_TOKEN]#4":7}"#
    );
    let again = everywhere(&censoring(&request()), &outcome.out);
    assert_eq!(again.out, outcome.out);
    let after = format!(r#"{{"[TEST_TOKEN]":1,"{}":2}}"#, token(1));
    let outcome = everywhere(&censoring(&request()), after.as_bytes());
    assert_eq!(outcome.text(), r#"{"[TEST_TOKEN]":1,"[TEST_TOKEN]#2":2}"#);
}

#[test]
fn addresses_as_keys_come_back_in_the_answer() {
    let asked = request();
    let body = format!(r#"{{"{}":1,"{}":2}}"#, address(1), address(2));
    let sent = everywhere(&censoring(&asked), body.as_bytes());
    assert!(!sent.text().contains('@'));
    let names: Vec<String> = serde_json::from_slice::<serde_json::Map<String, Value>>(&sent.out)
        .unwrap()
        .into_iter()
        .map(|(k, _)| k)
        .collect();
    assert_eq!(names.len(), 2);
    let back = job(asked.exchange, Direction::Response);
    assert_eq!(everywhere(&censoring(&back), &sent.out).text(), body);
}

#[test]
fn keys_of_what_is_edited_are_censored_too() {
    let edits = [
        Edit { at: "/gone".parse().unwrap(), action: EditAction::Remove },
        Edit { at: "/store".parse().unwrap(), action: EditAction::Set(Value::Bool(false)) },
    ];
    let plan = plan(&[Watch::opaque("/id".parse().unwrap())], &edits);
    let make = || Box::new(JsonTransform::new(request(), Arc::clone(&plan))) as Box<dyn Transform>;
    let body = format!(
        r#"{{"gone":{{"{0}":1}} ,"{0}":1 , "x":{{"{0}":[]}},"id":"{0}","{1}":null}}"#,
        token(1),
        token(2)
    );
    assert_eq!(
        everywhere(&make, body.as_bytes()).text(),
        format!(
            r#"{{ "[TEST_TOKEN]":1 , "x":{{"[TEST_TOKEN]":[]}},"id":"{}","[TEST_TOKEN]#2":null,"store":false}}"#,
            token(1)
        )
    );
}

/// A key that the plan names is its own business, whatever it looks like.
#[test]
fn a_key_that_decides_stays() {
    let pointer = format!("/{}", token(1)).parse().unwrap();
    let plan = plan(&[Watch::new(pointer)], &[]);
    let body = format!(r#"{{"{}":"x","{}":"y"}}"#, token(1), token(2));
    let mut transform = JsonTransform::new(request(), Arc::clone(&plan));
    let outcome = run(&mut transform, body.as_bytes().chunks(4));
    assert_eq!(outcome.text(), format!(r#"{{"{}":"x","[TEST_TOKEN]":"y"}}"#, token(1)));
    assert_eq!(transform.facts().first(0).and_then(FactValue::as_text), Some("x"));
}

#[test]
fn a_blocked_key_ends_the_body_and_nothing_of_a_broken_one_leaks() {
    let body = format!(r#"{{"fine":1,"{}":2}}"#, blocked());
    for pieces in cuts(body.as_bytes()) {
        let outcome = run(&mut *censoring(&request())(), pieces);
        assert_eq!(outcome.reason(), Some(Reason::ContentBlocked));
        nothing_of(&blocked(), &outcome.out);
    }
    let body = format!(r#"{{"fine":1,"{}":2}}"#, token(1));
    for end in 0..body.len() {
        for size in [1, 4, body.len()] {
            let outcome = run(&mut *censoring(&request())(), body.as_bytes()[..end].chunks(size));
            nothing_of(&token(1), &outcome.out);
        }
    }
}

#[test]
fn what_is_kept_in_mind_of_keys_is_bounded() {
    let objects: Vec<String> =
        (0..3000).map(|n| format!(r#"{{"{}":{{"{}":1}}}}"#, token(n), token(n + 1))).collect();
    let body = format!("[{}]", objects.join(","));
    let outcome = run(&mut *censoring(&request())(), body.as_bytes().chunks(1000));
    assert_eq!(outcome.reason(), None);
    assert!(outcome.held < 4096, "{}", outcome.held);
    let keys: Vec<String> = (0..70_000).map(|n| format!(r#""{}":1"#, token(n))).collect();
    let body = format!("{{{}}}", keys.join(","));
    let outcome = run(&mut *censoring(&request())(), body.as_bytes().chunks(16_000));
    assert_eq!(outcome.reason(), Some(Reason::RecordTooLarge));
}
