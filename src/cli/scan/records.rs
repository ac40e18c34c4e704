//! The strings at a place of a JSON record, and where they stand in it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::pointer::Step;

/// Objects and arrays inside each other that a place may lead through.
const DEEPEST: usize = 128;

/// Why a line is no record: the column, or that it is nested too deep.
pub(super) enum Wrong {
    NotJson(usize),
    TooDeep,
}

/// A string of a record.
pub(super) struct Found<'a> {
    /// The place, as keys behind slashes.
    pub(super) at: &'a str,
    /// The nearest key above it.
    pub(super) field: Option<&'a str>,
    /// What it says.
    pub(super) text: &'a str,
    /// Where it stands in the record, with its quotes.
    pub(super) token: Range<usize>,
}

/// Visits every string at a place.
pub(super) fn strings(line: &str, steps: &[Step], visit: &mut impl FnMut(&Found<'_>)) -> Result<(), Wrong> {
    let value: &RawValue = serde_json::from_str(line).map_err(|error| Wrong::NotJson(error.column()))?;
    let mut look = Look { line, at: String::new(), depth: 0, visit };
    look.value(value.get(), steps)
}

struct Look<'a, V> {
    line: &'a str,
    at: String,
    depth: usize,
    visit: &'a mut V,
}

impl<V: FnMut(&Found<'_>)> Look<'_, V> {
    fn value(&mut self, raw: &str, steps: &[Step]) -> Result<(), Wrong> {
        let Some((step, rest)) = steps.split_first() else { return self.leaf(raw) };
        if *step == Step::Deep {
            self.value(raw, rest)?;
        }
        match raw.as_bytes().first() {
            Some(b'{') => {
                let members: Members<'_> = serde_json::from_str(raw).map_err(|e| self.wrong(raw, &e))?;
                for (key, child) in &members.0 {
                    self.child(key, child.get(), step, (steps, rest))?;
                }
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(raw).map_err(|e| self.wrong(raw, &e))?;
                for (index, child) in items.iter().enumerate() {
                    self.child(&index.to_string(), child.get(), step, (steps, rest))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn child(
        &mut self,
        key: &str,
        raw: &str,
        step: &Step,
        (steps, rest): (&[Step], &[Step]),
    ) -> Result<(), Wrong> {
        let next = match step {
            Step::Key(wanted) if **wanted != *key => return Ok(()),
            Step::Key(_) | Step::Any => rest,
            Step::Deep => steps,
        };
        if self.depth == DEEPEST {
            return Err(Wrong::TooDeep);
        }
        let length = self.at.len();
        self.at.push('/');
        self.at.push_str(key);
        self.depth += 1;
        let result = self.value(raw, next);
        self.depth -= 1;
        self.at.truncate(length);
        result
    }

    fn leaf(&mut self, raw: &str) -> Result<(), Wrong> {
        if !raw.starts_with('"') {
            return Ok(());
        }
        let text: Text<'_> = serde_json::from_str(raw).map_err(|error| self.wrong(raw, &error))?;
        let start = self.offset(raw);
        let plain = |key: &&str| key.parse::<usize>().is_err();
        let field = self.at.rsplit('/').find(plain).filter(|key| !key.is_empty());
        (self.visit)(&Found { at: &self.at, field, text: &text.0, token: start..start + raw.len() });
        Ok(())
    }

    /// Where a part of the line begins in it.
    fn offset(&self, part: &str) -> usize {
        part.as_ptr().addr().saturating_sub(self.line.as_ptr().addr())
    }

    fn wrong(&self, raw: &str, error: &serde_json::Error) -> Wrong {
        Wrong::NotJson(self.offset(raw) + error.column())
    }
}

/// A string, borrowed if it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// All members of an object: what stands twice is looked at twice.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(key), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    members.push((key, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}
