//! What canaries are made of: ids, documents with a value at a place, words that fulfil a condition.

use http::Method;
use serde_json::{Map, Value};

use crate::catalog::{Catalog, Condition, IdClass, Operation, Place};
use crate::names::Kind;
use crate::pointer::{Pointer, Step};

/// Ids of the forms that APIs use. The first that a kind takes for an owned one stands for it.
const IDS: &[&str] = &[
    "canary0001",
    "ft:canary:canary:canary:canary0001",
    "voice_canary0001",
    "4711",
    "0d2f6c1e-7b53-4a8e-9c64-1f0e5a7b9c3d",
    "canary/canary0001",
    "asst_canary0001",
    "thread_canary0001",
    "msg_canary0001",
    "run_canary0001",
    "step_canary0001",
];

/// An id that somebody could own.
pub(super) fn id(catalog: &Catalog, kind: &Kind) -> Option<&'static str> {
    let rule = catalog.kind(kind);
    IDS.iter().copied().find(|id| rule.classify(id) == IdClass::Owned)
}

/// The operation's path with an id for each parameter.
pub(super) fn path(catalog: &Catalog, operation: &Operation) -> Option<String> {
    super::super::target::fill(&operation.template, |name| {
        let used = operation.uses.iter().find(|u| matches!(&u.place, Place::Path(at) if **at == *name));
        used.map_or(Some("canary"), |used| id(catalog, &used.kind))
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
