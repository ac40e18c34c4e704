//! Pages of lists, taken apart and put together again. Items stay as the upstream wrote them, byte for byte.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::catalog::{ListShape, Paging};
use crate::pointer::{Pointer, Step};
use crate::reason::{Reason, Refusal};

/// A JSON object whose members keep their order and their bytes. A repeated key is an error: readers disagree on
/// which one counts.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members: Vec<(String, &'de RawValue)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    if members.iter().any(|(k, _)| *k == key) {
                        return Err(serde::de::Error::custom("repeated key"));
                    }
                    members.push((key, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visit)
    }
}

/// One page of an upstream's list.
pub(super) struct Page<'a> {
    members: Vec<(String, &'a RawValue)>,
    /// Which of them holds the items. None: the upstream has none, and leaves it out.
    items_at: Option<usize>,
    /// The items with their ids.
    pub(super) items: Vec<Item<'a>>,
    /// The upstream has more.
    pub(super) has_more: bool,
}

/// One item of a list.
#[derive(Clone)]
pub(super) struct Item<'a> {
    /// Its id.
    pub(super) id: String,
    raw: &'a RawValue,
}

impl Item<'_> {
    /// The item, kept beyond the page it came in.
    pub(super) fn to_owned(&self) -> Kept {
        Kept { id: self.id.clone(), raw: self.raw.get().to_owned() }
    }
}

/// An item kept from an earlier page.
pub(super) struct Kept {
    /// Its id.
    pub(super) id: String,
    raw: String,
}

impl Kept {
    /// The item, as the upstream wrote it.
    pub(super) fn text(&self) -> &str {
        &self.raw
    }
}

fn unexpected(what: &'static str) -> Refusal {
    Refusal::new(Reason::UpstreamUnexpected).log(what)
}

/// The one key that a list's items stand under.
fn key(pointer: &Pointer) -> Result<&str, Refusal> {
    match pointer.steps() {
        [Step::Key(key)] => Ok(key),
        _ => Err(unexpected("the profile's items are not a member of the answer")),
    }
}

/// Takes a page apart.
pub(super) fn read<'a>(shape: &ListShape, body: &'a [u8]) -> Result<Page<'a>, Refusal> {
    let Members(members) = serde_json::from_slice(body)
        .map_err(|_error| unexpected("a list's answer is not one JSON object"))?;
    let items_key = key(&shape.items)?;
    let items_at = members.iter().position(|(key, _)| key == items_key);
    let raws: Vec<&'a RawValue> = match items_at.and_then(|at| members.get(at)) {
        Some((_, items)) => serde_json::from_str(items.get())
            .map_err(|_error| unexpected("a list's items are not an array"))?,
        None if shape.omits_empty => Vec::new(),
        None => return Err(unexpected("a list's answer has no items")),
    };
    let items = raws.into_iter().map(|raw| item(shape, raw)).collect::<Result<_, _>>()?;
    let has_more = members.iter().any(|(key, value)| key == "has_more" && value.get() == "true");
    Ok(Page { members, items_at, items, has_more })
}

/// One item by itself.
pub(super) fn lone(shape: &ListShape, body: &[u8]) -> Result<Kept, Refusal> {
    let raw: &RawValue = serde_json::from_slice(body).map_err(|_error| unexpected("an item is not JSON"))?;
    item(shape, raw).map(|item| item.to_owned())
}

fn item<'a>(shape: &ListShape, raw: &'a RawValue) -> Result<Item<'a>, Refusal> {
    let mut at = raw;
    for step in shape.id.steps() {
        let Step::Key(key) = step else { return Err(unexpected("the profile's id is not a plain place")) };
        let Members(members) =
            serde_json::from_str(at.get()).map_err(|_error| unexpected("a list's item is not an object"))?;
        at = members
            .into_iter()
            .find(|(k, _)| **k == **key)
            .map(|(_, value)| value)
            .ok_or_else(|| unexpected("a list's item has no id"))?;
    }
    let id = match serde_json::from_str::<serde_json::Value>(at.get()) {
        Ok(serde_json::Value::String(id)) => id,
        Ok(serde_json::Value::Number(id)) => id.to_string(),
        _ => return Err(unexpected("a list's item has an id that is neither text nor number")),
    };
    Ok(Item { id, raw })
}

impl Page<'_> {
    /// Puts the page together with other items: the answer that the caller would get if the account were theirs alone.
    pub(super) fn with(&self, shape: &ListShape, items: &[Kept], has_more: bool) -> Vec<u8> {
        let size: usize = items.iter().map(|i| i.raw.len() + 1).sum();
        let mut out = String::with_capacity(size + 256);
        out.push('{');
        for (index, (key, value)) in self.members.iter().enumerate() {
            let of_items = Some(index) == self.items_at;
            if of_items && items.is_empty() && shape.omits_empty {
                continue;
            }
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&quoted(key));
            out.push(':');
            if of_items {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    out.push_str(&item.raw);
                }
                out.push(']');
                continue;
            }
            match (&shape.paging, key.as_str()) {
                (_, "has_more") => out.push_str(if has_more { "true" } else { "false" }),
                (Paging::Cursor { .. }, "first_id") => out.push_str(&id(items.first())),
                (Paging::Cursor { .. }, "last_id") => out.push_str(&id(items.last())),
                // Counts of the account tell of the others.
                (_, "total" | "count" | "total_count") => out.push_str(&items.len().to_string()),
                _ => out.push_str(value.get()),
            }
        }
        out.push('}');
        out.into_bytes()
    }
}

fn id(item: Option<&Kept>) -> String {
    item.map_or_else(|| "null".to_owned(), |item| quoted(&item.id))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
