//! A list of the account that shows all of a kind, page after page.

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
enum Turns {
    /// There is one.
    Never,
    /// By the last item's id.
    After(u32),
    /// By numbers, until there are no more or the total is reached.
    Numbers { begins: Begins, size: Option<(String, u32)>, total: Option<String> },
}

/// A page.
#[derive(Debug, Default)]
pub struct Page {
    /// What has an owner, in the order of the list.
    pub found: Vec<Found>,
    /// Where the next one begins; none, if this is the last.
    pub next: Option<String>,
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
    pub(super) fn query(&self, from: Option<&str>) -> Option<String> {
        match &self.turns {
            Turns::Never => None,
            Turns::After(max) => Some(match from {
                Some(after) => format!("limit={max}&after={}", utf8_percent_encode(after, NON_ALPHANUMERIC)),
                None => format!("limit={max}"),
            }),
            Turns::Numbers { begins, size, .. } => {
                let (Begins::Page(name) | Begins::Offset(name)) = begins;
                let first = if matches!(begins, Begins::Page(_)) { "1" } else { "0" };
                let size = size.as_ref().map(|(name, size)| format!("&{name}={size}")).unwrap_or_default();
                Some(format!("{name}={}{size}", from.unwrap_or(first)))
            }
        }
    }

    /// Reads a page.
    pub(super) fn read(&self, answer: &Value, from: Option<&str>) -> Result<Page, Refusal> {
        let places = shown::at(answer, &self.items);
        let items = places.first().and_then(|items| items.as_array());
        let items = items.ok_or_else(|| unexpected("a list's answer has no items"))?;
        let (mut found, mut last) = (Vec::with_capacity(items.len()), None);
        for item in items {
            let id = shown::at(item, &self.id).first().and_then(|id| shown::text(id));
            let id = id.ok_or_else(|| unexpected("a list's item has no id"))?;
            last = Some(id.clone());
            if self.rule.classify(&id) == IdClass::Owned {
                let (kind, yields) = (self.rule.kind().clone(), self.yields(item));
                found.push(Found { kind, id, shown: item.clone(), yields });
            }
        }
        let next = self.next(answer, from, last, items.len());
        // A page that does not lead on would be read for ever.
        Ok(Page { found, next: next.filter(|next| Some(&**next) != from) })
    }

    fn next(&self, answer: &Value, from: Option<&str>, last: Option<String>, items: usize) -> Option<String> {
        match &self.turns {
            Turns::Never => None,
            Turns::After(_) => last.filter(|_| answer.get("has_more") == Some(&Value::Bool(true))),
            Turns::Numbers { .. } if items == 0 => None,
            Turns::Numbers { begins, size, total } => {
                let at: u64 = from.and_then(|from| from.parse().ok()).unwrap_or_default();
                let items = u64::try_from(items).unwrap_or(u64::MAX);
                let total = total.as_ref().and_then(|name| answer.get(name)).and_then(Value::as_u64);
                let (next, read) = match begins {
                    Begins::Page(_) => {
                        let page = at.max(1);
                        let size = size.as_ref().map_or(items, |(_, size)| u64::from(*size));
                        (page + 1, (page - 1).saturating_mul(size).saturating_add(items))
                    }
                    Begins::Offset(_) => (at + items, at + items),
                };
                let ends = match total {
                    Some(total) => read >= total,
                    None => answer.get("next").is_none_or(Value::is_null),
                };
                (!ends).then(|| next.to_string())
            }
        }
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

fn turns(list: &ListShape) -> Turns {
    match &list.paging {
        Paging::None => Turns::Never,
        Paging::Cursor { max, .. } => Turns::After(*max),
        Paging::Numbers(numbers) => Turns::Numbers {
            begins: numbers.begins.clone(),
            size: Some((numbers.size.to_string(), numbers.max)),
            total: Some(numbers.total.to_string()),
        },
    }
}
