//! A list of the account that shows all of a kind, page after page.

use std::sync::Arc;

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::shown::{self, Found};
use super::unexpected;
use crate::catalog::{Begins, BodyShape, Catalog, IdClass, KindRule, ListShape, Operation, Paging};
use crate::names::{Kind, OperationId};
use crate::pointer::{Pointer, Step};
use crate::reason::Refusal;

/// Items of a page that an API gives by numbers and names no bound for.
const USUAL: u32 = 100;

/// A list that shows all of a kind.
pub struct Shelf<'a> {
    operation: &'a Operation,
    rule: &'a KindRule,
    items: Pointer,
    id: Pointer,
    turns: Turns,
}

/// How one page leads to the next.
#[derive(Clone, Debug)]
pub(super) enum Turns {
    /// There is one.
    Never,
    /// By the last item's id, in the parameter of this name.
    After { name: Arc<str>, max: u32 },
    /// By numbers, until there are no more or the total is reached.
    Numbers { begins: Begins, size: Option<(String, u32)>, total: Option<String> },
}

/// Where a page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// What the query says; nothing for the first page.
    at: Option<String>,
    /// Items on the pages before.
    before: u64,
    /// The page before said that there is one.
    promised: bool,
}

impl Place {
    /// Whether the list may have ended before it: then the account may know no such page.
    pub(super) const fn may_be_missing(&self) -> bool {
        self.at.is_some() && !self.promised
    }
}

/// A page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// What has an owner, in the order of the list.
    pub(super) found: Vec<Found>,
    /// The ids of all items.
    pub(super) ids: Vec<String>,
    /// Where the next one begins; none, if this is the last.
    pub(super) next: Option<Place>,
}

impl<'a> Shelf<'a> {
    /// Those of a profile.
    pub(super) fn all(catalog: &'a Catalog) -> impl Iterator<Item = Self> {
        catalog.operations().iter().filter_map(|operation| Self::of(catalog, operation))
    }

    fn of(catalog: &'a Catalog, operation: &'a Operation) -> Option<Self> {
        let whole = operation.refused.is_none()
            && operation.method == Method::GET
            && operation.response == BodyShape::Json
            && !operation.template.contains('{')
            && !operation.uses.iter().any(|used| used.required);
        if !whole {
            return None;
        }
        if let Some(list) = operation.list.as_ref().filter(|list| !list.inherited) {
            let (items, id) = (list.items.clone(), list.id.clone());
            return Some(Self { operation, rule: catalog.kind(&list.kind), items, id, turns: turns(list) });
        }
        // A list that is the tenant's by the API's own filter is the account's without it.
        let only = operation.only.as_ref()?;
        let shown = operation.shows.iter().find(|shown| shown.kind == only.kind)?;
        let steps = shown.at.steps();
        let star = steps.iter().rposition(|step| *step == Step::Any)?;
        let (items, id) = (steps.get(..star)?.to_vec(), steps.get(star + 1..)?.to_vec());
        let takes = |name: &str| operation.query.iter().any(|known| **known == *name);
        let turns = if takes("page") {
            let size = takes("page_size").then(|| ("page_size".to_owned(), USUAL));
            Turns::Numbers { begins: Begins::Page("page".into()), size, total: None }
        } else {
            Turns::Never
        };
        let rule = catalog.kind(&only.kind);
        Some(Self { operation, rule, items: Pointer::from(items), id: Pointer::from(id), turns })
    }

    /// The kind of its items.
    #[must_use]
    pub const fn kind(&self) -> &Kind {
        self.rule.kind()
    }

    /// The operation.
    #[must_use]
    pub const fn operation(&self) -> &OperationId {
        &self.operation.id
    }

    /// Whether its items show what came of them.
    #[must_use]
    pub const fn shows_more(&self) -> bool {
        !self.operation.yields.is_empty()
    }

    pub(super) fn template(&self) -> &str {
        &self.operation.template
    }

    /// The query of a page.
    pub(super) fn query(&self, from: &Place) -> Option<String> {
        self.turns.query(from)
    }

    /// Reads a page.
    pub(super) fn read(&self, answer: &Value, from: &Place) -> Result<Page, Refusal> {
        let places = shown::at(answer, &self.items);
        let items = places.first().and_then(|items| items.as_array());
        let items = items.ok_or_else(|| unexpected("a list's answer has no items"))?;
        let (mut found, mut ids) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
        for item in items {
            let id = shown::at(item, &self.id).first().and_then(|id| shown::text(id));
            let id = id.ok_or_else(|| unexpected("a list's item has no id"))?;
            ids.push(id.clone());
            if self.rule.classify(&id) == IdClass::Owned {
                let (kind, yields) = (self.rule.kind().clone(), self.yields(item));
                found.push(Found { kind, id, shown: item.clone(), yields });
            }
        }
        let next = self.turns.next(answer, from, &ids)?;
        Ok(Page { found, ids, next })
    }

    /// What an item shows that came of it.
    fn yields(&self, item: &Value) -> Vec<(Kind, String, crate::names::Via)> {
        let steps: Vec<Step> = self.items.steps().iter().cloned().chain([Step::Any]).collect();
        let mut all = Vec::new();
        for creation in &self.operation.yields {
            let Some(rest) = creation.at.steps().strip_prefix(&*steps) else { continue };
            let place = Pointer::from(rest.to_vec());
            for id in shown::at(item, &place).into_iter().filter_map(shown::text).filter(|id| !id.is_empty())
            {
                all.push((creation.kind.clone(), id, creation.via.clone()));
            }
        }
        all
    }
}

impl Turns {
    fn query(&self, from: &Place) -> Option<String> {
        match self {
            Self::Never => None,
            Self::After { name, max } => Some(match &from.at {
                Some(after) => {
                    let after = utf8_percent_encode(after, NON_ALPHANUMERIC);
                    format!("limit={max}&{name}={after}")
                }
                None => format!("limit={max}"),
            }),
            Self::Numbers { begins, size, .. } => {
                let (Begins::Page(name) | Begins::Offset(name)) = begins;
                let first = if matches!(begins, Begins::Page(_)) { "1" } else { "0" };
                let size = size.as_ref().map(|(name, size)| format!("&{name}={size}")).unwrap_or_default();
                Some(format!("{name}={}{size}", from.at.as_deref().unwrap_or(first)))
            }
        }
    }

    /// Where the page behind this one begins. An answer by which a list would count as read that is cut short is an error.
    fn next(&self, answer: &Value, from: &Place, ids: &[String]) -> Result<Option<Place>, Refusal> {
        match self {
            Self::Never => match goes_on(answer) {
                Some(true) => {
                    Err(unexpected("the list has more pages, and the profile does not say how to read them"))
                }
                Some(false) | None => Ok(None),
            },
            Self::After { .. } => match (answer.get("has_more").and_then(Value::as_bool), ids.last()) {
                (Some(false), _) | (None, None) => Ok(None),
                (Some(true), None) => Err(unexpected("the list says that it goes on, and shows nothing")),
                (more, Some(last)) => {
                    let at = Some(last.clone());
                    Ok(Some(Place { at, before: 0, promised: more.is_some() }))
                }
            },
            Self::Numbers { begins, total, .. } => {
                let read = from.before.saturating_add(u64::try_from(ids.len()).unwrap_or(u64::MAX));
                let total = total.as_ref().map(|name| answer.get(name).and_then(Value::as_u64));
                let more = match total {
                    Some(None) => return Err(unexpected("the list does not count its items")),
                    Some(Some(total)) => Some(read < total),
                    None => goes_on(answer),
                };
                match more {
                    Some(false) => return Ok(None),
                    None if ids.is_empty() => return Ok(None),
                    Some(true) if ids.is_empty() => {
                        return Err(unexpected("the list says that it goes on, and shows nothing"));
                    }
                    Some(true) | None => {}
                }
                let at = match begins {
                    Begins::Page(_) => {
                        let page: u64 = from.at.as_ref().and_then(|page| page.parse().ok()).unwrap_or(1);
                        page.saturating_add(1)
                    }
                    Begins::Offset(_) => read,
                };
                Ok(Some(Place { at: Some(at.to_string()), before: read, promised: more.is_some() }))
            }
        }
    }
}

/// Whether an answer says that there is a page behind it, under one of the usual names.
fn goes_on(answer: &Value) -> Option<bool> {
    let more = answer.get("has_more").and_then(Value::as_bool);
    let mut named = ["next", "next_page", "next_page_token"].into_iter().filter_map(|name| answer.get(name));
    let leads = |next: &Value| match next {
        Value::Null | Value::Bool(false) => false,
        Value::String(next) => !next.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::Array(_) | Value::Object(_) => true,
    };
    match (more, named.next().map(leads)) {
        (None, None) => None,
        (more, next) => Some(more == Some(true) || next == Some(true)),
    }
}

fn turns(list: &ListShape) -> Turns {
    match &list.paging {
        Paging::None => Turns::Never,
        Paging::Cursor { after, max, .. } => Turns::After { name: Arc::clone(after), max: *max },
        Paging::Numbers(numbers) => Turns::Numbers {
            begins: numbers.begins.clone(),
            size: Some((numbers.size.to_string(), numbers.max)),
            total: Some(numbers.total.to_string()),
        },
    }
}

#[cfg(test)]
mod tests;
