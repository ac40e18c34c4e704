//! A resource as the account shows it.

use jiff::Timestamp;
use serde_json::Value;

use crate::names::{Kind, Via};
use crate::pointer::{Pointer, Step};

/// Names under which APIs tell when something was made.
const MADE: [&str; 7] = [
    "created_at",
    "created",
    "createdAt",
    "create_time",
    "creation_time",
    "creation_timestamp",
    "inserted_at",
];

/// From here on a number counts milliseconds: as seconds it is the year 5138.
const MILLISECONDS: i64 = 100_000_000_000;

/// A longer text is no id and no word.
const LONG: usize = 1024;

/// A resource as the account's list shows it.
#[derive(Clone, PartialEq)]
pub struct Found {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// All that the list shows of it.
    pub shown: Value,
    /// What came of it by itself, as the list shows it: kind, id, and the place that names it.
    pub yields: Vec<(Kind, String, Via)>,
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Found").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Found {
    /// When it was made, if the list says so: seconds, milliseconds or a time of RFC 3339, under one of the usual names.
    #[must_use]
    pub fn made(&self) -> Option<Timestamp> {
        let said = MADE.iter().find_map(|name| self.shown.get(name))?;
        match said {
            Value::Number(number) => {
                let number = number.as_i64().or_else(|| {
                    let text = number.to_string();
                    text.split_once('.').and_then(|(whole, _)| whole.parse().ok())
                })?;
                if number >= MILLISECONDS {
                    Timestamp::from_millisecond(number).ok()
                } else {
                    Timestamp::from_second(number).ok()
                }
            }
            Value::String(time) => time.parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Leaves of what the list shows the time of its making, and the short texts and numbers under these names.
    pub(super) fn keep(&mut self, names: &[&str]) {
        let Value::Object(members) = &mut self.shown else { return };
        members.retain(|name, value| {
            let named = MADE.contains(&&**name) || names.contains(&&**name);
            named && text(value).is_some_and(|text| text.len() <= LONG)
        });
        // What is left is small; what it stood in is not.
        self.shown = Value::Object(std::mem::take(members).into_iter().collect());
        self.yields = Vec::new();
    }

    /// A text, or a number as text, that it shows under a name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        text(self.shown.get(name)?)
    }

    /// The texts, and the numbers as texts, that it shows at a place.
    #[must_use]
    pub fn texts(&self, place: &Pointer) -> Vec<String> {
        at(&self.shown, place).into_iter().filter_map(text).collect()
    }
}

/// A string, or a number as text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The values at a place.
pub(super) fn at<'v>(value: &'v Value, pointer: &Pointer) -> Vec<&'v Value> {
    let mut found = Vec::new();
    walk(value, pointer.steps(), &mut found);
    found
}

fn walk<'v>(value: &'v Value, steps: &[Step], found: &mut Vec<&'v Value>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(value);
        return;
    };
    match step {
        Step::Key(key) => {
            let inner = match value {
                Value::Array(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
                _ => value.get(&**key),
            };
            inner.into_iter().for_each(|inner| walk(inner, rest, found));
        }
        Step::Any => children(value).for_each(|inner| walk(inner, rest, found)),
        Step::Deep => {
            walk(value, rest, found);
            children(value).for_each(|inner| walk(inner, steps, found));
        }
    }
}

fn children(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(members) => Box::new(members.values()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Box::new(std::iter::empty()),
    }
}
