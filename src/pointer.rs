//! Places in a JSON document: RFC 6901 pointers with two wildcards, `*` (any one key or index)
//! and `**` (any number of levels, none included). `/messages/*/content/*/file/file_id`,
//! `/**/file_id`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One step of a [`Pointer`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// An object's key (decoded text), or an array's index in decimal.
    Key(Box<str>),
    /// Any one key or index.
    Any,
    /// Any number of levels, none included.
    Deep,
}

/// A place in a JSON document. The default is the document itself.
#[derive(Clone, Default, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Pointer(Vec<Step>);

/// Why a text is not a [`Pointer`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a JSON pointer is empty or starts with `/` (RFC 6901), with `~0` and `~1` as its only escapes")]
pub struct NotAPointer;

impl Pointer {
    /// The steps from the root.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// What stands at this place in a document, in the document's order.
    #[must_use]
    pub fn find<'v>(&self, document: &'v serde_json::Value) -> Vec<&'v serde_json::Value> {
        let mut found = Vec::new();
        find(&self.0, document, &mut found);
        found
    }

    /// The place that `inner` names in the document that stands at this place.
    #[must_use]
    pub fn join(&self, inner: &Self) -> Self {
        Self([self.0.as_slice(), inner.0.as_slice()].concat())
    }
}

fn find<'v>(steps: &[Step], value: &'v serde_json::Value, found: &mut Vec<&'v serde_json::Value>) {
    use serde_json::Value;
    let Some((step, rest)) = steps.split_first() else {
        found.push(value);
        return;
    };
    if *step == Step::Deep {
        find(rest, value, found);
    }
    let on = if *step == Step::Deep { steps } else { rest };
    match (step, value) {
        (Step::Key(key), Value::Object(members)) => {
            if let Some(member) = members.get(&**key) {
                find(on, member, found);
            }
        }
        (Step::Key(key), Value::Array(items)) => {
            if let Some(item) = key.parse::<usize>().ok().and_then(|index| items.get(index)) {
                find(on, item, found);
            }
        }
        (Step::Any | Step::Deep, Value::Object(members)) => {
            members.values().for_each(|value| find(on, value, found));
        }
        (Step::Any | Step::Deep, Value::Array(items)) => {
            items.iter().for_each(|value| find(on, value, found));
        }
        _ => {}
    }
}

impl From<Vec<Step>> for Pointer {
    fn from(steps: Vec<Step>) -> Self {
        Self(steps)
    }
}

impl TryFrom<String> for Pointer {
    type Error = NotAPointer;

    fn try_from(text: String) -> Result<Self, NotAPointer> {
        text.as_str().parse()
    }
}

impl std::str::FromStr for Pointer {
    type Err = NotAPointer;

    fn from_str(text: &str) -> Result<Self, NotAPointer> {
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let Some(rest) = text.strip_prefix('/') else {
            return Err(NotAPointer);
        };
        rest.split('/').map(step).collect::<Result<_, _>>().map(Self)
    }
}

fn step(token: &str) -> Result<Step, NotAPointer> {
    match token {
        "*" => Ok(Step::Any),
        "**" => Ok(Step::Deep),
        _ => {
            let mut key = String::with_capacity(token.len());
            let mut chars = token.chars();
            while let Some(c) = chars.next() {
                key.push(match c {
                    '~' => match chars.next() {
                        Some('0') => '~',
                        Some('1') => '/',
                        _ => return Err(NotAPointer),
                    },
                    other => other,
                });
            }
            Ok(Step::Key(key.into_boxed_str()))
        }
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.to_string()
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.0 {
            match step {
                Step::Any => f.write_str("/*")?,
                Step::Deep => f.write_str("/**")?,
                Step::Key(key) => write!(f, "/{}", key.replace('~', "~0").replace('/', "~1"))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Pointer;

    #[test]
    fn places_are_found_in_a_document() {
        let document = json!({"a": [{"id": 1}, {"id": 2, "b": {"id": 3}}], "id": 4, "~/": 5});
        let at = |text: &str| {
            let pointer: Pointer = text.parse().unwrap();
            pointer.find(&document).into_iter().cloned().collect::<Vec<_>>()
        };
        assert_eq!(at("/a/*/id"), [json!(1), json!(2)]);
        assert_eq!(at("/a/1/b/id"), [json!(3)]);
        assert_eq!(at("/~0~1"), [json!(5)]);
        let mut deep = at("/**/id").iter().filter_map(serde_json::Value::as_u64).collect::<Vec<_>>();
        deep.sort_unstable();
        assert_eq!(deep, [1, 2, 3, 4]);
        assert!(at("/a/x").is_empty() && at("/id/x").is_empty() && at("/a/7").is_empty());
        assert_eq!(at(""), [document]);
    }
}
