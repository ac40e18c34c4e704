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

    /// The place that `inner` names in the document that stands at this place.
    #[must_use]
    pub fn join(&self, inner: &Self) -> Self {
        Self([self.0.as_slice(), inner.0.as_slice()].concat())
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
