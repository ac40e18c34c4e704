//! An upstream account of any API that keeps things in collections: what is posted to one is made, listed, shown, deleted.
//! It tells nobody's things apart.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::upstream::{Arrived, Step, json as reply};

/// A collection.
#[derive(Clone, Copy)]
pub(crate) struct Collection {
    /// Where it is listed, and its things stand behind a slash.
    pub(crate) path: &'static str,
    /// Where a thing is posted.
    pub(crate) post: &'static str,
    /// The member of a thing that holds its id, and what makes one of a number.
    pub(crate) id: (&'static str, fn(u64) -> String),
    /// The member of a list that holds the things; none: the list is bare.
    pub(crate) items: Option<&'static str>,
    /// What a thing shows besides, by its number.
    pub(crate) more: fn(u64) -> Value,
}

/// The account. Its clones are the same.
#[derive(Clone)]
pub(crate) struct Shelf(&'static [Collection], Arc<Mutex<Vec<Thing>>>);

struct Thing {
    of: &'static str,
    id: String,
    shown: Value,
}

impl Shelf {
    pub(crate) fn new(collections: &'static [Collection]) -> Self {
        Self(collections, Arc::default())
    }

    /// Answers as the API does; what is asked beside the collections, `else` answers.
    pub(crate) fn answer(&self, up: &Arrived, other: impl FnOnce() -> Vec<Step>) -> Vec<Step> {
        let path = up.target().split('?').next().unwrap();
        let method = up.line.split(' ').next().unwrap();
        if method == "POST"
            && let Some(of) = self.0.iter().find(|of| of.post == path)
        {
            return reply(200, &self.make(of, up));
        }
        if method == "GET" && self.0.iter().any(|of| of.path == path) {
            return self.listed(path);
        }
        let found = self.0.iter().find_map(|of| Some((of, path.strip_prefix(of.path)?.strip_prefix('/')?)));
        let Some((of, rest)) = found else { return other() };
        let (id, part) = rest.split_once('/').unwrap_or((rest, ""));
        let mut things = self.1.lock().unwrap();
        let Some(at) = things.iter().position(|thing| thing.of == of.path && thing.id == id) else {
            drop(things);
            return other();
        };
        match (method, part) {
            ("DELETE", "") => {
                things.remove(at);
                reply(200, &json!({of.id.0: id, "deleted": true}))
            }
            ("GET", "") | ("POST", _) => reply(200, &things[at].shown),
            _ => reply(200, &json!({"data": [], "of": id})),
        }
    }

    /// All that a collection has.
    pub(crate) fn listed(&self, path: &str) -> Vec<Step> {
        let of = self.0.iter().find(|of| of.path == path).unwrap();
        let things = self.1.lock().unwrap();
        let all: Vec<Value> =
            things.iter().filter(|thing| thing.of == of.path).map(|thing| thing.shown.clone()).collect();
        reply(200, &of.items.map_or(json!(all), |items| json!({items: all})))
    }

    fn make(&self, of: &Collection, up: &Arrived) -> Value {
        let mut things = self.1.lock().unwrap();
        let number = u64::try_from(things.len()).unwrap() + 1;
        let id = of.id.1(number);
        let mut shown = serde_json::from_slice::<Value>(&up.body).unwrap_or_else(|_| json!({}));
        for (key, value) in (of.more)(number).as_object().unwrap() {
            shown[key] = value.clone();
        }
        shown[of.id.0] = json!(id);
        things.push(Thing { of: of.path, id, shown: shown.clone() });
        shown
    }
}
