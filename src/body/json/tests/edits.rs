//! Edits on the way.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::plan;
use crate::body::json::{JsonPlan, JsonTransform, PlanError, Watch};
use crate::body::testkit::{Outcome, everywhere, pieces, request, run, token};
use crate::body::{Limits, Transform};
use crate::catalog::{Edit, EditAction};
use crate::reason::Reason;

fn edit(pointer: &str, action: EditAction) -> Edit {
    Edit { at: pointer.parse().unwrap(), action }
}

fn edited(body: &str, edits: &[Edit]) -> Outcome {
    let plan = plan(&[], edits);
    let make = || Box::new(JsonTransform::new(request(), plan.clone())) as Box<dyn Transform>;
    everywhere(&make, body.as_bytes())
}

#[test]
fn members_are_removed_with_their_commas() {
    let remove = [edit("/x", EditAction::Remove)];
    for (body, expected) in [
        (r#"{"x":1}"#, "{}"),
        (r#"{ "x" : 1 }"#, "{ }"),
        (r#"{"x":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{"a":2,"x":1}"#, r#"{"a":2}"#),
        (r#"{"a":2 , "\u0078": [1,{"x":"y"}] , "b":{"x":3}}"#, r#"{"a":2  , "b":{"x":3}}"#),
        (r#"{"a":"x"}"#, r#"{"a":"x"}"#),
        ("[]", "[]"),
        (r#" {"x":-1.5e3} "#, " {} "),
        (r#"{"x":"a\"b\u00e9","y":null}"#, r#"{"y":null}"#),
    ] {
        assert_eq!(edited(body, &remove).text(), expected);
    }
    let all = [edit("/*", EditAction::Remove)];
    assert_eq!(edited(r#"{"a":1,"b":[2],"c":"d"}"#, &all).text(), "{}");
    assert_eq!(edited(r#"[1 , {"a":2}, "x" ]"#, &all).text(), "[  ]");
    let deep = [edit("/**/x", EditAction::Remove)];
    assert_eq!(
        edited(r#"{"a":[{"x":1,"b":{"x":2,"c":3}}],"x":{"x":1}}"#, &deep).text(),
        r#"{"a":[{"b":{"c":3}}]}"#
    );
    let second = [edit("/1", EditAction::Remove)];
    assert_eq!(edited("[1,2,3]", &second).text(), "[1,3]");
}

#[test]
fn removed_and_replaced_values_are_facts_all_the_same() {
    let edits = [edit("/store", EditAction::Set(json!(false))), edit("/meta", EditAction::Remove)];
    let watches = ["/store", "/meta/id", "/meta/text"].map(|p| Watch::new(p.parse().unwrap()));
    let plan = plan(&watches, &edits);
    let body = r#"{"store":true,"meta":{"id":"a\u0062","text":"t"},"z":1}"#;
    for size in 1..body.len() {
        let mut transform = JsonTransform::new(request(), plan.clone());
        assert_eq!(run(&mut transform, body.as_bytes().chunks(size)).text(), r#"{"store":false,"z":1}"#);
        let facts: Vec<_> =
            transform.facts().iter().map(|fact| (fact.watch, fact.value.as_text().unwrap())).collect();
        assert_eq!(facts, [(0, "true"), (1, "ab"), (2, "t")]);
    }
}

#[test]
fn values_are_set_where_they_are_and_where_they_are_not() {
    let set = [edit("/store", EditAction::Set(json!(false)))];
    for (body, expected) in [
        (r#"{"store":true}"#, r#"{"store":false}"#),
        (r#"{"a":1, "st\u006fre" : {"x":[1]} }"#, r#"{"a":1, "st\u006fre" : false }"#),
        ("{}", r#"{"store":false}"#),
        (r#"{ "a" : 1 }"#, r#"{ "a" : 1 ,"store":false}"#),
        (r#"{"a":{"store":1}}"#, r#"{"a":{"store":1},"store":false}"#),
        (r#"{"store":null}"#, r#"{"store":false}"#),
    ] {
        assert_eq!(edited(body, &set).text(), expected);
    }
    for body in ["[]", "1", "null", "\"store\""] {
        assert_eq!(edited(body, &set).reason(), Some(Reason::ContentMalformed), "{body}");
    }
    let replace = [edit("/store", EditAction::Replace(json!({"a": "é\n"})))];
    assert_eq!(edited(r#"{"store":1}"#, &replace).text(), r#"{"store":{"a":"é\n"}}"#);
    assert_eq!(edited(r#"{"a":1}"#, &replace).text(), r#"{"a":1}"#);
    assert_eq!(edited("[1]", &replace).text(), "[1]");
}

#[test]
fn values_are_set_below_what_is_not_there() {
    let set = [
        edit("/a/b/c", EditAction::Set(json!(1))),
        edit("/a/b/d", EditAction::Set(json!("x"))),
        edit("/a/e", EditAction::Set(json!([]))),
    ];
    for (body, expected) in [
        ("{}", json!({"a": {"b": {"c": 1, "d": "x"}, "e": []}})),
        (r#"{"a":null,"z":0}"#, json!({"a": {"b": {"c": 1, "d": "x"}, "e": []}, "z": 0})),
        (r#"{"a":{"e":7}}"#, json!({"a": {"e": [], "b": {"c": 1, "d": "x"}}})),
        (r#"{"a":{"b":{"d":{}}}}"#, json!({"a": {"b": {"d": "x", "c": 1}, "e": []}})),
        (r#"{"a":{"b":null}}"#, json!({"a": {"b": {"c": 1, "d": "x"}, "e": []}})),
    ] {
        assert_eq!(serde_json::from_str::<Value>(edited(body, &set).text()).unwrap(), expected, "{body}");
    }
    assert_eq!(edited(r#"{"a":"text"}"#, &set).reason(), Some(Reason::ContentMalformed));
    assert_eq!(edited(r#"{"a":{"b":[]}}"#, &set).reason(), Some(Reason::ContentMalformed));
    let each = [edit("/m/*/x", EditAction::Set(json!(0)))];
    assert_eq!(edited(r#"{"m":[{},{"x":1},"s",[]]}"#, &each).text(), r#"{"m":[{"x":0},{"x":0},"s",[]]}"#);
    assert_eq!(edited("{}", &each).text(), "{}");
}

#[test]
fn removing_and_adding_together() {
    let edits = [edit("/a", EditAction::Remove), edit("/z", EditAction::Set(json!(1)))];
    assert_eq!(edited(r#"{"a":1}"#, &edits).text(), r#"{"z":1}"#);
    assert_eq!(edited(r#"{"a":1,"b":2}"#, &edits).text(), r#"{"b":2,"z":1}"#);
}

#[test]
fn salted_values_differ_by_value_and_key() {
    let salt = [edit("/key", EditAction::Salt)];
    let salted = |body: &str| edited(body, &salt);
    let one = salted(r#"{"key":"a\u0062"}"#);
    assert_eq!(one.text(), salted(r#"{"key":"ab"}"#).text());
    assert_ne!(one.text(), salted(r#"{"key":"ac"}"#).text());
    assert_eq!(one.text().len(), r#"{"key":""}"#.len() + 32);
    let number = salted(r#"{"key":12,"b":3}"#);
    assert_eq!(number.text(), salted(r#"{"key":"12","b":3}"#).text());
    assert_eq!(salted(r#"{"key":null}"#).text(), r#"{"key":null}"#);
    assert_eq!(salted(r#"{"key":{}}"#).reason(), Some(Reason::ContentMalformed));
    assert_eq!(
        salted(&format!(r#"{{"key":"{}"}}"#, "a".repeat(5000))).reason(),
        Some(Reason::RecordTooLarge)
    );
    let mut job = request();
    job.rewrite.salt = None;
    let unsalted = run(&mut JsonTransform::new(job, plan(&[], &salt)), [br#"{"key":"a"}"#.as_slice()]);
    assert_eq!(unsalted.reason(), Some(Reason::Internal));
}

#[test]
fn urls_are_rebased_and_still_censored() {
    let rebase = [edit("/**/next", EditAction::Rebase)];
    let mut job = request();
    job.limits = std::sync::Arc::new(Limits { fact: 200, ..Limits::default() });
    let plan = plan(&[Watch::new("/next".parse().unwrap())], &rebase);
    let make = || Box::new(JsonTransform::new(job.clone(), plan.clone())) as Box<dyn Transform>;
    let long = "x".repeat(300);
    for (url, expected) in [
        (
            "https:\\/\\/api.example/v1/files?after=a\\u0026b",
            "https://gateway.example/x/v1/files?after=a&b".to_owned(),
        ),
        ("HTTPS://API.example/v1", "https://gateway.example/x/v1".to_owned()),
        ("https://api.example/v1#x", "https://gateway.example/x/v1#x".to_owned()),
        ("https://api.example/v11", "https://api.example/v11".to_owned()),
        ("https://api.example/V1/x", "https://api.example/V1/x".to_owned()),
        ("https://api.example.evil/v1", "https://api.example.evil/v1".to_owned()),
        ("https:\\/\\/other.example\\/v1", "https:\\/\\/other.example\\/v1".to_owned()),
        (
            &format!("https://api.example/v1/?t={}", token(1)),
            "https://gateway.example/x/v1/?t=[TEST_TOKEN]".to_owned(),
        ),
        (&format!("\\/{}", token(1)), "\\/[TEST_TOKEN]".to_owned()),
        (&format!("{long}{}", token(1)), format!("{long}{}", token(1))),
        (&format!("{long} {}", token(1)), format!("{long} [TEST_TOKEN]")),
    ] {
        let body = format!(r#"{{"next":"{url}","other":"https://api.example/v1"}}"#);
        let expected = format!(r#"{{"next":"{expected}","other":"https://api.example/v1"}}"#);
        assert_eq!(everywhere(&make, body.as_bytes()).text(), expected);
    }
}

#[test]
fn what_does_not_compile() {
    let compile = |edits: &[Edit]| JsonPlan::compile(&[], edits).map(|_| ());
    assert_eq!(compile(&[edit("", EditAction::Remove)]), Err(PlanError::RemovesRoot));
    let two = [edit("/a/*/x/p", EditAction::Set(json!(1))), edit("/a/b/x/q", EditAction::Set(json!(1)))];
    assert_eq!(compile(&two), Err(PlanError::Conflict("x".into())));
    let many: Vec<Edit> =
        (0..12).map(|n| edit(&format!("/**/k{n}/*/*/*/**/l{n}/*/*/**/m{n}"), EditAction::Remove)).collect();
    assert_eq!(compile(&many), Err(PlanError::TooLarge));
}

/// The same on a parsed document.
fn edit_value(value: &mut Value, steps: &[&str], action: &EditAction) {
    let Some((step, rest)) = steps.split_first() else { return };
    if rest.is_empty() {
        match (value, action) {
            (Value::Object(members), EditAction::Remove) => {
                members.retain(|key, _| *step != "*" && key != step);
            }
            (Value::Array(items), EditAction::Remove) => {
                let mut at = 0;
                items.retain(|_| {
                    at += 1;
                    *step != "*" && (at - 1).to_string() != *step
                });
            }
            (Value::Object(members), EditAction::Replace(new)) => {
                members
                    .iter_mut()
                    .filter(|(key, _)| *step == "*" || key == step)
                    .for_each(|(_, value)| *value = new.clone());
            }
            (Value::Array(items), EditAction::Replace(new)) => {
                let chosen = |at: usize| *step == "*" || at.to_string() == *step;
                items
                    .iter_mut()
                    .enumerate()
                    .filter(|(at, _)| chosen(*at))
                    .for_each(|(_, item)| *item = new.clone());
            }
            _ => {}
        }
        return;
    }
    match value {
        Value::Object(members) => {
            members
                .iter_mut()
                .filter(|(key, _)| *step == "*" || key == step)
                .for_each(|(_, value)| edit_value(value, rest, action));
        }
        Value::Array(items) => {
            let chosen = |at: usize| *step == "*" || at.to_string() == *step;
            items
                .iter_mut()
                .enumerate()
                .filter(|(at, _)| chosen(*at))
                .for_each(|(_, item)| edit_value(item, rest, action));
        }
        _ => {}
    }
}

fn small() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![Just(Value::Null), (0..9).prop_map(Value::from), "[a-c]{0,2}".prop_map(Value::from)];
    leaf.prop_recursive(4, 30, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[abc]", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_edit_does_what_it_does_to_a_parsed_document(
        value in small(),
        steps in prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "0", "1", "*"]), 1..4),
        remove in any::<bool>(),
        style in any::<u64>(),
        sizes in prop::collection::vec(1_usize..20, 1..5),
    ) {
        let action = if remove { EditAction::Remove } else { EditAction::Replace(json!({"new": [true]})) };
        let mut expected = value.clone();
        edit_value(&mut expected, &steps, &action);
        let mut body = String::new();
        super::values::write(&value, style, &mut body);
        let pointer: String = steps.iter().map(|step| format!("/{step}")).collect();
        let plan = plan(&[], &[edit(&pointer, action)]);
        let outcome = run(&mut JsonTransform::new(request(), plan), pieces(body.as_bytes(), &sizes));
        prop_assert_eq!(outcome.reason(), None);
        prop_assert_eq!(serde_json::from_str::<Value>(outcome.text()).unwrap(), expected.clone(), "{} in {}", pointer, body);
        if expected == value {
            prop_assert_eq!(outcome.text(), &body);
        }
    }
}
