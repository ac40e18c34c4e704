//! What stands at watched places.

use proptest::prelude::*;
use serde_json::Value;

use super::plan;
use crate::body::json::{JsonTransform, Watch};
use crate::body::testkit::{cuts, everywhere, request, run, token};
use crate::body::{FactValue, Facts, Limits, Transform};
use crate::pointer::{Pointer, Step};
use crate::reason::Reason;

fn at(pointer: &str) -> Pointer {
    pointer.parse().unwrap()
}

fn facts(body: &str, watches: &[Watch]) -> Facts {
    let plan = plan(watches, &[]);
    let mut all: Option<Facts> = None;
    for pieces in cuts(body.as_bytes()) {
        let mut transform = JsonTransform::new(request(), plan.clone());
        let outcome = run(&mut transform, pieces);
        assert_eq!(outcome.reason(), None, "{body}");
        let facts = transform.take_facts();
        assert_eq!(all.get_or_insert_with(|| facts.clone()), &facts);
    }
    all.unwrap()
}

fn texts(facts: &Facts, watch: usize) -> Vec<String> {
    facts.at(watch).map(|value| value.as_text().map_or_else(|| format!("{value:?}"), str::to_owned)).collect()
}

#[test]
fn values_are_decoded_and_keys_are_too() {
    let body = r#"{"\u0073tore":true,"model":"gpt\u002d4","n":-1.5e3,"x":null,"tools":[{"id":"a"},{"id":7},{"id":{"id":"no"}},"id"],
        "deep":{"list":[[{"file_id":"f1"}],{"file_id":["f2"],"more":{"file_id":"f3"}}]},"file_id":"f0"}"#;
    let watches =
        ["/store", "/model", "/n", "/x", "/tools/*/id", "/**/file_id", "/tools", "/tools/1/id", "/missing"]
            .map(|p| Watch::new(at(p)));
    let facts = facts(body, &watches);
    assert_eq!(texts(&facts, 0), ["true"]);
    assert_eq!(texts(&facts, 1), ["gpt-4"]);
    assert_eq!(texts(&facts, 2), ["-1.5e3"]);
    assert_eq!(facts.first(3), Some(&FactValue::Null));
    assert_eq!(texts(&facts, 4), ["a", "7", "Composite"]);
    assert_eq!(texts(&facts, 5), ["f1", "List", "f3", "f0"]);
    assert_eq!(texts(&facts, 6), ["List"]);
    assert_eq!(texts(&facts, 7), ["7"]);
    assert_eq!(facts.first(8), None);
}

#[test]
fn facts_are_what_was_sent_and_ids_stay() {
    let secret = token(1);
    let body = format!(r#"{{"id":"{secret}","text":"{secret}","n\u0061me":"x {secret}"}}"#);
    let watches = [Watch::opaque(at("/id")), Watch::new(at("/text")), Watch::opaque(at("/name"))];
    let facts = facts(&body, &watches);
    assert_eq!(texts(&facts, 0), [secret.as_str()]);
    assert_eq!(texts(&facts, 1), [secret.as_str()]);
    assert_eq!(texts(&facts, 2), [format!("x {secret}")]);
    let plan = plan(&watches, &[]);
    let make = || Box::new(JsonTransform::new(request(), plan.clone())) as Box<dyn Transform>;
    let expected = format!(r#"{{"id":"{secret}","text":"[TEST_TOKEN]","n\u0061me":"x {secret}"}}"#);
    assert_eq!(everywhere(&make, body.as_bytes()).text(), expected);
}

#[test]
fn a_long_value_is_no_id() {
    let mut job = request();
    job.limits = std::sync::Arc::new(Limits { fact: 20, ..Limits::default() });
    let body = format!(
        r#"{{"id":"12345 \u0041 {}","short":"1234567890123456789","n":123456789012345678901}}"#,
        token(1)
    );
    let watches = [Watch::opaque(at("/id")), Watch::opaque(at("/short")), Watch::new(at("/n"))];
    let plan = plan(&watches, &[]);
    for pieces in cuts(body.as_bytes()) {
        let mut transform = JsonTransform::new(job.clone(), plan.clone());
        let outcome = run(&mut transform, pieces);
        assert_eq!(outcome.text(), body.replace(&token(1), "[TEST_TOKEN]"));
        assert_eq!(texts(transform.facts(), 0), ["TooLong"]);
        assert_eq!(texts(transform.facts(), 1), ["1234567890123456789"]);
        assert_eq!(texts(transform.facts(), 2), ["TooLong"]);
    }
}

#[test]
fn a_key_that_decides_stands_once() {
    let refused = |body: &str, watch: &str| {
        let plan = plan(&[Watch::new(at(watch))], &[]);
        let make = || Box::new(JsonTransform::new(request(), plan.clone())) as Box<dyn Transform>;
        everywhere(&make, body.as_bytes()).reason()
    };
    let ambiguous = Some(Reason::FieldAmbiguous);
    assert_eq!(refused(r#"{"a":1,"a":2}"#, "/a"), ambiguous);
    assert_eq!(refused(r#"{"a":1,"\u0061":2}"#, "/a"), ambiguous);
    assert_eq!(refused(r#"{"a":{},"a":{"b":1}}"#, "/a/b"), ambiguous);
    assert_eq!(refused(r#"{"a":{"b":1,"c":2,"b":3}}"#, "/a/b"), ambiguous);
    assert_eq!(refused(r#"{"x":[{"b":1,"b":3}]}"#, "/**/b"), ambiguous);
    assert_eq!(refused(r#"{"x":[{"b":1},{"b":3}],"b":2}"#, "/**/b"), None);
    assert_eq!(refused(r#"{"c":1,"c":2,"a":{"d":1,"d":2}}"#, "/a/b"), None);
    // Go's `encoding/json` folds case, the long s and the Kelvin sign included, and takes the last of the two.
    assert_eq!(refused(r#"{"a":1,"A":2}"#, "/a"), ambiguous);
    assert_eq!(refused(r#"{"A":2}"#, "/a"), ambiguous);
    assert_eq!(refused("{\"\u{17f}tore\":true}", "/store"), ambiguous);
    assert_eq!(refused("{\"to\u{212a}en\":1}", "/token"), ambiguous);
    assert_eq!(refused(r#"{"B":{"A":2},"äa":1}"#, "/a"), None);
    assert_eq!(refused(r#"{"a":{"x":{"a":1}}}"#, "/a/b"), None);
}

#[test]
fn too_many_values_are_refused() {
    let body = format!("[{}1]", "1,".repeat(20_000));
    let plan = plan(&[Watch::new(at("/*"))], &[]);
    let outcome = run(&mut JsonTransform::new(request(), plan), [body.as_bytes()]);
    assert_eq!(outcome.reason(), Some(Reason::RecordTooLarge));
}

/// The same by recursion over a parsed document.
fn found<'a>(value: &'a Value, steps: &[Step], out: &mut Vec<&'a Value>) {
    let Some((step, rest)) = steps.split_first() else {
        out.push(value);
        return;
    };
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    match step {
        Step::Deep => {
            found(value, rest, out);
            children.iter().for_each(|(_, child)| found(child, steps, out));
        }
        Step::Any => children.iter().for_each(|(_, child)| found(child, rest, out)),
        Step::Key(key) => {
            children
                .iter()
                .filter(|(name, _)| **name == **key)
                .for_each(|(_, child)| found(child, rest, out));
        }
    }
}

fn small() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![Just(Value::Null), (0..9).prop_map(Value::from), "[a-c]{0,2}".prop_map(Value::from)];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[abc]|0", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_automaton_finds_what_recursion_finds(
        value in small(),
        pointers in prop::collection::vec(
            prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "0", "*", "**"]), 0..5), 1..4),
        size in 1_usize..30,
    ) {
        let watches: Vec<Watch> =
            pointers.iter().map(|steps| Watch::new(at(&steps.iter().map(|step| format!("/{step}")).collect::<String>()))).collect();
        let mut transform = JsonTransform::new(request(), plan(&watches, &[]));
        let body = value.to_string();
        let outcome = run(&mut transform, body.as_bytes().chunks(size));
        prop_assert_eq!(outcome.text(), &body);
        for (watch, place) in watches.iter().enumerate() {
            let mut expected = Vec::new();
            found(&value, place.at.steps(), &mut expected);
            // Several ways through `**` to one value make one fact.
            let mut seen: Vec<*const Value> = Vec::new();
            expected.retain(|value| {
                let fresh = !seen.contains(&std::ptr::from_ref(*value));
                seen.push(std::ptr::from_ref(*value));
                fresh
            });
            let mut expected: Vec<String> = expected.iter().map(|value| match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Null => "Null".to_owned(),
                Value::Array(_) => "List".to_owned(),
                _ => "Composite".to_owned(),
            }).collect();
            let mut told = texts(transform.facts(), watch);
            expected.sort();
            told.sort();
            prop_assert_eq!(told, expected, "{} in {}", place.at, body);
        }
    }
}
