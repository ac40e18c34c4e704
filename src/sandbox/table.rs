//! Objects in the order of their making, found by id, listed in pages; bounded.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::call::Call;
use super::reply::Fault;

/// How many objects of one kind are kept; the oldest goes when one more comes.
const MOST: usize = 10_000;

/// A table of objects.
pub(super) struct Table<T> {
    places: HashMap<String, u64>,
    rows: BTreeMap<u64, (String, T)>,
    next: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { places: HashMap::new(), rows: BTreeMap::new(), next: 0 }
    }
}

impl<T> Table<T> {
    /// Adds an object; returns the one that had to go for it.
    pub(super) fn insert(&mut self, id: &str, object: T) -> Option<T> {
        let replaced = self.remove(id);
        self.places.insert(id.to_owned(), self.next);
        self.rows.insert(self.next, (id.to_owned(), object));
        self.next += 1;
        if self.rows.len() <= MOST {
            return replaced;
        }
        let (_, (oldest, object)) = self.rows.pop_first()?;
        self.places.remove(&oldest);
        Some(object)
    }

    pub(super) fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(self.places.get(id)?).map(|(_, object)| object)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.rows.get_mut(self.places.get(id)?).map(|(_, object)| object)
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<T> {
        self.rows.remove(&self.places.remove(id)?).map(|(_, object)| object)
    }

    /// Oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &T)> {
        self.rows.values().map(|(id, object)| (id.as_str(), object))
    }
}

/// Which page of a list is asked for.
pub(super) struct Paging {
    limit: usize,
    after: Option<String>,
    before: Option<String>,
    newest_first: bool,
}

impl Paging {
    /// Reads `limit`, `after`, `before` and `order`.
    pub(super) fn of(call: &Call, usual: usize, most: usize) -> Result<Self, Fault> {
        Self::by(call, (usual, most), ["after", "before"])
    }

    /// The same, of an API that calls its cursors otherwise: behind an item, and before one.
    pub(super) fn by(
        call: &Call,
        (usual, most): (usize, usize),
        [after, before]: [&str; 2],
    ) -> Result<Self, Fault> {
        let limit = match call.query("limit") {
            None => usual,
            Some(text) => text.parse().ok().filter(|limit| (1..=most).contains(limit)).ok_or_else(|| {
                Fault::invalid(format!(
                    "Invalid 'limit': expected an integer from 1 to {most}, got '{text}'."
                ))
                .param("limit")
            })?,
        };
        let newest_first = match call.query("order") {
            None | Some("desc") => true,
            Some("asc") => false,
            Some(other) => {
                let message = format!("Invalid 'order': '{other}' is not one of 'asc' and 'desc'.");
                return Err(Fault::invalid(message).param("order"));
            }
        };
        let named = |name| call.query(name).map(str::to_owned);
        Ok(Self { limit, after: named(after), before: named(before), newest_first })
    }

    /// How many items a page has.
    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    /// The page of a list that begins after an id, or ends before one.
    #[cfg(test)]
    pub(super) fn new(
        limit: usize,
        after: Option<String>,
        before: Option<String>,
        newest_first: bool,
    ) -> Self {
        Self { limit, after, before, newest_first }
    }

    /// Oldest first, unless the caller asks otherwise.
    pub(super) fn usually_oldest_first(mut self, call: &Call) -> Self {
        self.newest_first = call.query("order") == Some("desc");
        self
    }

    /// Cuts the page out of all items, given oldest first with their ids.
    pub(super) fn cut(&self, items: impl IntoIterator<Item = (String, Value)>) -> Result<Page, Fault> {
        let mut items: Vec<_> = items.into_iter().collect();
        if self.newest_first {
            items.reverse();
        }
        let place = |cursor: &str, name: &'static str| {
            items.iter().position(|(id, _)| id == cursor).ok_or_else(|| {
                Fault::invalid(format!("Invalid '{name}': no object with id '{cursor}'.")).param(name)
            })
        };
        let from = self.after.as_deref().map_or(Ok(0), |id| place(id, "after").map(|at| at + 1))?;
        let to = self.before.as_deref().map_or(Ok(items.len()), |id| place(id, "before"))?;
        let (from, to, has_more) = if self.before.is_some() && self.after.is_none() {
            let from = to.saturating_sub(self.limit);
            (from, to, from > 0)
        } else {
            let end = to.min(from.saturating_add(self.limit));
            (from.min(end), end, end < to)
        };
        Ok(Page { items: items.drain(from..to).collect(), has_more })
    }
}

/// One page of a list.
pub(super) struct Page {
    items: Vec<(String, Value)>,
    has_more: bool,
}

impl Page {
    /// With `first_id` and `last_id`.
    pub(super) fn full(self) -> Value {
        let first = self.items.first().map(|(id, _)| id.clone());
        let last = self.items.last().map(|(id, _)| id.clone());
        let has_more = self.has_more;
        json!({
            "object": "list", "data": self.into_data(), "first_id": first, "last_id": last, "has_more": has_more,
        })
    }

    /// With them, and without the word that it is a list.
    pub(super) fn bare(self) -> Value {
        let mut page = self.full();
        if let Some(page) = page.as_object_mut() {
            page.remove("object");
        }
        page
    }

    /// Without them.
    pub(super) fn short(self) -> Value {
        let has_more = self.has_more;
        json!({"object": "list", "data": self.into_data(), "has_more": has_more})
    }

    fn into_data(self) -> Vec<Value> {
        self.items.into_iter().map(|(_, value)| value).collect()
    }
}
