//! What canaries are made of: ids, documents with a value at a place, words that fulfil a condition.

use http::Method;
use serde_json::{Map, Value};

use crate::catalog::{Catalog, Condition, IdClass, Operation, Place};
use crate::names::Kind;
use crate::pointer::{Pointer, Step};

mod spelt;

/// Ids of the forms that APIs use. The first that a kind takes for an owned one stands for it.
const IDS: &[&str] = &[
    "canary0001",
    "canary0002",
    "ft:canary:canary:canary:canary0001",
    "voice_canary0001",
    "4711",
    "4712",
    "0d2f6c1e-7b53-4a8e-9c64-1f0e5a7b9c3d",
    "canary/canary0001",
    "asst_canary0001",
    "thread_canary0001",
    "msg_canary0001",
    "run_canary0001",
    "step_canary0001",
];

/// An id that somebody could own: one of a known form, or one that is spelt by the kind's pattern. Of a kind that nobody
/// owns, one that is everybody's.
pub(super) fn id(catalog: &Catalog, kind: &Kind) -> Option<String> {
    let rule = catalog.kind(kind);
    let of = |class| IDS.iter().copied().find(|id| rule.classify(id) == class).map(str::to_owned);
    of(IdClass::Owned).or_else(|| spelt::by(rule, "canary")).or_else(|| of(IdClass::Shared))
}

/// What stands at the other places of a request: another id, where more than one is known.
pub(super) fn another(catalog: &Catalog, kind: &Kind) -> Option<String> {
    let rule = catalog.kind(kind);
    let of = |class| IDS.iter().rev().copied().find(|id| rule.classify(id) == class).map(str::to_owned);
    of(IdClass::Owned).or_else(|| spelt::by(rule, "canary2")).or_else(|| of(IdClass::Shared))
}

/// The operation's path with an id for each parameter, and that of [`id`] at one place.
pub(super) fn path(catalog: &Catalog, operation: &Operation, at: Option<&Place>) -> Option<String> {
    let mut ids: Vec<(&str, String)> = Vec::new();
    for used in &operation.uses {
        if let Place::Path(name) = &used.place {
            let of = if at == Some(&used.place) { id } else { another };
            ids.push((name, of(catalog, &used.kind)?));
        }
    }
    crate::catalog::fill(&operation.template, |name| {
        Some(ids.iter().find(|(known, _)| *known == name).map_or("canary", |(_, id)| id))
    })
}

/// Puts a value at a place of a document. What stands in its way gives way.
pub(super) fn put(document: &mut Value, at: &Pointer, value: Value) {
    let mut here = document;
    for step in at.steps() {
        here = match step {
            // No level at all is a number of levels, too.
            Step::Deep => continue,
            Step::Any => {
                if !here.is_array() {
                    *here = Value::Array(vec![Value::Null]);
                }
                match here.get_mut(0) {
                    Some(first) => first,
                    None => return,
                }
            }
            Step::Key(key) => {
                if !here.is_object() {
                    *here = Value::Object(Map::new());
                }
                let Some(object) = here.as_object_mut() else { return };
                object.entry(key.to_string()).or_insert(Value::Null)
            }
        };
    }
    *here = value;
}

/// What stands at a place, in a document that [`put`] made.
pub(super) fn get<'v>(document: &'v Value, at: &Pointer) -> Option<&'v Value> {
    at.steps().iter().try_fold(document, |here, step| match step {
        Step::Deep => Some(here),
        Step::Any => here.get(0),
        Step::Key(key) => here.get(&**key),
    })
}

/// A word that fulfils a condition.
pub(super) fn fulfilling(condition: &Condition) -> String {
    match condition.values.first() {
        Some(value) => value.to_string(),
        None if condition.except.is_empty() => "true".to_owned(),
        None => "canary".to_owned(),
    }
}

/// The words that the profile names for a field of a form.
pub(super) fn words<'o>(operation: &'o Operation, field: &str) -> Vec<&'o str> {
    let about = operation.conditions().filter(|c| matches!(&c.place, Place::Form(name) if **name == *field));
    let mut words: Vec<&str> = Vec::new();
    for condition in about {
        for word in condition.values.iter().chain(&condition.except) {
            if !words.contains(&&**word) {
                words.push(word);
            }
        }
    }
    words
}

/// A request that may stand in a line of a file of requests.
pub(super) fn line(operation: &Operation, shape: &crate::catalog::Lines, body: Value) -> Value {
    let mut line = Value::Null;
    put(&mut line, &shape.method, Value::from(operation.method.as_str()));
    put(&mut line, &shape.url, Value::from(&*operation.template));
    put(&mut line, &shape.body, body);
    debug_assert_eq!(operation.method, Method::POST);
    line
}
