//! What a request says at the places that decide, wherever they are: path, query, headers, JSON, form.

use std::collections::BTreeSet;

use http::HeaderMap;

use super::plan::Plan;
use crate::body::{FactValue, Facts};
use crate::catalog::{self, Condition, Operation, Params, Place};
use crate::isolation::Named;
use crate::names::{Kind, Label, Purpose};
use crate::pointer::{Pointer, Step};
use crate::reason::{Reason, Refusal};

/// Everything that was read of a request.
pub(super) struct Seen<'a> {
    pub(super) plan: &'a Plan,
    pub(super) path: &'a Params,
    pub(super) query: &'a Params,
    pub(super) headers: &'a HeaderMap,
    /// Of the JSON body; the watch is an index into the plan's.
    pub(super) json: &'a Facts,
    /// Of the form; the watch is an index into its fields.
    pub(super) form: &'a Facts,
}

/// A value at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value<'a> {
    Text(&'a str),
    Null,
    Object,
    List,
    /// A scalar that is too long to be an id or a word.
    TooLong,
}

impl<'a> From<&'a FactValue> for Value<'a> {
    fn from(value: &'a FactValue) -> Self {
        match value {
            FactValue::Null => Self::Null,
            FactValue::Composite => Self::Object,
            FactValue::List => Self::List,
            scalar => scalar.as_text().map_or(Self::TooLong, Self::Text),
        }
    }
}

impl Seen<'_> {
    fn values(&self, place: &Place) -> Vec<Value<'_>> {
        match place {
            Place::Path(name) => self.path.value(name).map(Value::Text).into_iter().collect(),
            Place::Query(name) => {
                let params = self.query.iter().filter(|p| **p.name() == **name);
                params.map(|p| Value::Text(p.value())).collect()
            }
            Place::Header(name) => self
                .headers
                .get_all(name)
                .iter()
                .map(|v| v.to_str().map_or(Value::TooLong, Value::Text))
                .collect(),
            Place::Json(at) => {
                let watch = self.plan.watch(at);
                watch.map(|w| self.json.at(w).map(Value::from).collect()).unwrap_or_default()
            }
            Place::Form(name) => {
                let field = field(&self.plan.operation, name);
                field.map(|f| self.form.at(f).map(Value::from).collect()).unwrap_or_default()
            }
        }
    }

    /// Whether a condition holds. What it can't know it takes for fulfilled: an object or a list where it asks for any value, or
    /// for any but some, and what stands for a list.
    pub(super) fn holds(&self, condition: &Condition) -> bool {
        if !self.is_listed(&condition.place, false) {
            return true;
        }
        let values = self.values(&condition.place);
        let said = values.iter().filter(|v| **v != Value::Null);
        let mut any = false;
        for value in said {
            any = true;
            let fits = match value {
                Value::Text(text) if !condition.except.is_empty() => {
                    condition.except.iter().all(|v| **v != **text)
                }
                Value::Text(text) if condition.values.is_empty() => *text != "false",
                // White space around it is nothing to many a reader: `" "` is an empty text.
                Value::Text(text) => {
                    let bare = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
                    condition.values.iter().any(|v| **v == **text || **v == *bare)
                }
                Value::TooLong | Value::Object | Value::List => condition.values.is_empty(),
                Value::Null => false,
            };
            if fits {
                return true;
            }
        }
        !any && condition.absent
    }

    /// Every resource that the request names.
    ///
    /// # Errors
    /// If a required one is missing, or a place holds something that is no id.
    pub(super) fn named(&self) -> Result<Vec<Named>, Unnamed> {
        let mut named = Vec::new();
        let mut filled = Vec::new();
        for (at, used) in self.plan.operation.uses.iter().enumerate() {
            let before = named.len();
            let no_id = || Unnamed { why: Reason::ResourceUnknown, kind: Some(used.kind.clone()) };
            if !self.is_listed(&used.place, true) {
                return Err(no_id());
            }
            for value in self.values(&used.place) {
                match value {
                    Value::Text(id) if !id.is_empty() => {
                        named.push(Named {
                            kind: used.kind.clone(),
                            id: id.to_owned(),
                            labels: used.labels.clone(),
                            access: used.access,
                            via: used.via.clone(),
                            at,
                        });
                    }
                    // Absent as far as an API is concerned.
                    Value::Null => {}
                    // `tools[].container` is an id or an object whose ids have places of their own; `vector_store_ids` one or many.
                    Value::Object if self.within(&used.place, Operation::holds_object) => {}
                    Value::List if self.within(&used.place, Operation::holds_list) => {}
                    Value::Text(_) | Value::Object | Value::List | Value::TooLong => return Err(no_id()),
                }
            }
            if used.required && named.len() == before {
                return Err(Unnamed::MISSING);
            }
            filled.push(named.len() > before);
        }
        let one_of = &self.plan.operation.one_of;
        if !one_of.is_empty() && !one_of.iter().any(|at| filled.get(*at) == Some(&true)) {
            return Err(Unnamed::MISSING);
        }
        Ok(named)
    }

    /// The uses that the request makes of data, beyond being answered, by the profile.
    pub(super) fn purposes(&self) -> BTreeSet<Purpose> {
        let training = self.plan.operation.training.iter();
        training
            .filter(|training| training.when.as_ref().is_none_or(|when| self.holds(when)))
            .map(|training| training.purpose)
            .collect()
    }

    /// Whether the request says, in so many words, that the upstream may keep it.
    pub(super) fn asks_to_store(&self) -> bool {
        let Some(store) = &self.plan.operation.store else { return false };
        let said = self.plan.watch(&store.at).and_then(|w| self.json.at(w).next());
        said.is_some_and(|value| !matches!(value, FactValue::Null | FactValue::Bool(false)))
    }

    /// Whether the request asks for an answer in events.
    pub(super) fn asks_to_stream(&self) -> bool {
        let Some(Place::Json(at)) = &self.plan.operation.stream else { return false };
        let said = self.plan.watch(at).and_then(|w| self.json.at(w).next());
        said.is_some_and(|value| !matches!(value, FactValue::Null | FactValue::Bool(false)))
    }

    /// Whether a condition is about the flag that says that the upstream may keep the request.
    pub(super) fn about_store(&self, condition: &Condition) -> bool {
        let store = self.plan.operation.store.as_ref();
        store.is_some_and(|store| condition.place == Place::Json(store.at.clone()))
    }

    /// What a new resource is said to be for, if some use of it depends on that. Other words are not kept: they are the caller's.
    pub(super) fn label(&self) -> Option<Label> {
        let said = self.said()?;
        self.plan.labels.iter().find(|label| ***label == *said).map(|label| Label::new(label))
    }

    /// What a new resource is said to be for, in the caller's own words.
    pub(super) fn said(&self) -> Option<&str> {
        let places = self.plan.operation.creates.iter().filter_map(|creation| match &creation.label {
            Some(catalog::Label::Value(place)) => Some(place),
            Some(catalog::Label::Same(_)) | None => None,
        });
        places.filter_map(|place| self.text(place)).next()
    }

    /// Whether what holds the values of a place is a list, if they stand in one. Many a server reads the keys of an object, or
    /// the letters of a text, as the elements of a list: ids that nobody looked up. `or_one`: one id in the list's place, where
    /// that is a place of ids, too.
    fn is_listed(&self, place: &Place, or_one: bool) -> bool {
        let Place::Json(at) = place else { return true };
        let Some(holder) = holder(at) else { return true };
        let watch = self.plan.watch(&holder);
        let mut held = watch.into_iter().flat_map(|watch| self.json.at(watch));
        let of_ids = |used: &catalog::Use| used.place == Place::Json(holder.clone());
        let one = or_one && self.plan.operation.uses.iter().any(of_ids);
        held.all(|value| match value {
            FactValue::List | FactValue::Null => true,
            FactValue::Composite => false,
            FactValue::Text(_) | FactValue::Number(_) | FactValue::Bool(_) | FactValue::TooLong => one,
        })
    }

    fn within(&self, place: &Place, may: impl Fn(&Operation, &Pointer) -> bool) -> bool {
        matches!(place, Place::Json(at) if may(&self.plan.operation, at))
    }

    /// The text at a place, if there is one.
    pub(super) fn text(&self, place: &Place) -> Option<&str> {
        self.values(place).into_iter().find_map(|value| match value {
            Value::Text(text) => Some(text),
            Value::Null | Value::Object | Value::List | Value::TooLong => None,
        })
    }
}

/// Why the resources of a request could not be named.
pub(super) struct Unnamed {
    why: Reason,
    /// The kind that the place is for, whose words for what never was the answer has.
    pub(super) kind: Option<Kind>,
}

impl Unnamed {
    const MISSING: Self = Self { why: Reason::FieldMissing, kind: None };
}

impl From<Unnamed> for Refusal {
    fn from(unnamed: Unnamed) -> Self {
        Self::new(unnamed.why)
    }
}

/// What holds the elements of which each is an id.
pub(super) fn holder(at: &Pointer) -> Option<Pointer> {
    let (last, before) = at.steps().split_last()?;
    (*last == Step::Any).then(|| Pointer::from(before.to_vec()))
}

/// The index of a form's field.
pub(super) fn field(operation: &Operation, name: &str) -> Option<usize> {
    operation.request.fields().iter().position(|field| *field.name == *name)
}

#[cfg(test)]
mod tests;
