//! Values at places of a JSON document: found, put there, taken away.

use serde_json::{Map, Value};

use crate::pointer::{Pointer, Step};

/// Every value that stands at a place.
pub(super) fn all<'v>(document: &'v Value, at: &Pointer) -> Vec<&'v Value> {
    let mut found = Vec::new();
    collect(document, at.steps(), &mut found);
    found
}

fn collect<'v>(here: &'v Value, steps: &[Step], found: &mut Vec<&'v Value>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(here);
        return;
    };
    match step {
        Step::Key(key) => {
            let index = || key.parse::<usize>().ok().and_then(|index| here.get(index));
            if let Some(next) = here.get(&**key).or_else(index) {
                collect(next, rest, found);
            }
        }
        Step::Any => children(here).for_each(|next| collect(next, rest, found)),
        Step::Deep => {
            collect(here, rest, found);
            children(here).for_each(|next| collect(next, steps, found));
        }
    }
}

fn children(here: &Value) -> impl Iterator<Item = &Value> {
    here.as_array().into_iter().flatten().chain(here.as_object().into_iter().flat_map(Map::values))
}

/// Puts a value at a place. A wildcard goes to the first element that is there; what stands in the way gives way.
pub(super) fn put(document: &mut Value, at: &Pointer, value: Value) {
    let mut here = document;
    for step in at.steps() {
        here = match step {
            // No level at all is a number of levels, too; but a list stays one.
            Step::Deep if here.as_array().is_none_or(Vec::is_empty) => continue,
            Step::Deep | Step::Any => {
                if here.as_array().is_none_or(Vec::is_empty) {
                    *here = Value::Array(vec![Value::Null]);
                }
                match here.get_mut(0) {
                    Some(first) => first,
                    None => return,
                }
            }
            Step::Key(key) => {
                let index = key.parse::<usize>().ok().filter(|index| here.get(index).is_some());
                if let Some(index) = index {
                    match here.get_mut(index) {
                        Some(next) => next,
                        None => return,
                    }
                } else {
                    if !here.is_object() {
                        *here = Value::Object(Map::new());
                    }
                    let Some(object) = here.as_object_mut() else { return };
                    object.entry(key.to_string()).or_insert(Value::Null)
                }
            }
        };
    }
    *here = value;
}

/// Takes away what stands at a place.
pub(super) fn clear(document: &mut Value, at: &Pointer) {
    clear_steps(document, at.steps());
}

fn clear_steps(here: &mut Value, steps: &[Step]) {
    let Some((step, rest)) = steps.split_first() else {
        *here = Value::Null;
        return;
    };
    match (step, here) {
        (Step::Key(key), Value::Object(object)) => {
            if let Some(next) = object.get_mut(&**key) {
                clear_steps(next, rest);
            }
        }
        (Step::Key(key), Value::Array(items)) => {
            if let Some(next) = key.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                clear_steps(next, rest);
            }
        }
        (Step::Any, Value::Array(items)) => items.iter_mut().for_each(|next| clear_steps(next, rest)),
        (Step::Any, Value::Object(object)) => object.values_mut().for_each(|next| clear_steps(next, rest)),
        (Step::Deep, here) => {
            clear_steps(here, rest);
            match here {
                Value::Array(items) => items.iter_mut().for_each(|next| clear_steps(next, steps)),
                Value::Object(object) => object.values_mut().for_each(|next| clear_steps(next, steps)),
                _ => {}
            }
        }
        _ => {}
    }
}

/// Whether a place without wildcards is one of those that a place with them names.
pub(super) fn within(at: &Pointer, wide: &Pointer) -> bool {
    fits(at.steps(), wide.steps())
}

fn fits(at: &[Step], wide: &[Step]) -> bool {
    match (at.split_first(), wide.split_first()) {
        (None, None) => true,
        (_, Some((Step::Deep, rest))) => {
            fits(at, rest) || at.split_first().is_some_and(|(_, more)| fits(more, wide))
        }
        (Some((_, at)), Some((Step::Any, wide))) => fits(at, wide),
        (Some((one, at)), Some((other, wide))) => one == other && fits(at, wide),
        _ => false,
    }
}

/// An id as it stands in JSON, or a scalar as text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
