//! What edits add where it is missing.

use std::collections::BTreeMap;

use super::{PlanError, text_of};
use crate::catalog::Edit;
use crate::pointer::Step;

/// What a `Set` has yet to add below some object.
#[derive(Clone, Copy)]
pub(super) struct Missing<'a> {
    /// The steps from there.
    pub(super) rest: &'a [Step],
    /// The value.
    pub(super) value: &'a serde_json::Value,
    /// The edit itself.
    pub(super) edit: &'a Edit,
}

/// The members to add, by key: `"key":value`, where the value of a key with more steps behind it is an object.
pub(super) fn members<'a>(missing: &[Missing<'a>]) -> Result<Vec<(&'a str, Vec<u8>)>, PlanError> {
    let mut by_key: BTreeMap<&'a str, Vec<Missing<'a>>> = BTreeMap::new();
    for one in missing {
        if let Some((Step::Key(key), rest)) = one.rest.split_first() {
            by_key.entry(key).or_default().push(Missing { rest, ..*one });
        }
    }
    by_key.into_iter().map(|(key, below)| Ok((key, member(key, &below)?))).collect()
}

fn member(key: &str, below: &[Missing<'_>]) -> Result<Vec<u8>, PlanError> {
    let Some(first) = below.first() else { return Ok(Vec::new()) };
    let mut text = text_of(&serde_json::Value::from(key), &first.edit.at)?.into_vec();
    text.push(b':');
    if let Some(set) = below.iter().find(|one| one.rest.is_empty()) {
        text.extend_from_slice(&text_of(set.value, &set.edit.at)?);
        return Ok(text);
    }
    let inner: Vec<Vec<u8>> = members(below)?.into_iter().map(|(_, text)| text).collect();
    text.push(b'{');
    text.extend_from_slice(&inner.join(&b','));
    text.push(b'}');
    Ok(text)
}
