//! The kinds of resources that a specification knows: those of path parameters, and those of collections to which it posts.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::openapi::document::{Described, Document, Stands};
use crate::openapi::fields::Fields;
use crate::openapi::words::{self, Says};

/// What is known of a kind's ids.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ids {
    /// Every place says whole number.
    pub(super) integer: bool,
    /// Every place says UUID.
    pub(super) uuid: bool,
    /// They are names that people choose.
    pub(super) named: bool,
}

/// The kinds.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    /// By name.
    pub(super) known: BTreeMap<String, Ids>,
    names: Vec<String>,
    /// The kind that a path ends in: `/files/{file_id}` is of `file`, and so is what `/files` lists.
    collections: BTreeMap<String, String>,
}

/// The literal segment before a parameter, if that is what stands there.
fn before<'p>(path: &'p str, parameter: &str) -> Option<&'p str> {
    let segments: Vec<&str> = path.split('/').collect();
    let at = segments.iter().position(|segment| segment.contains(&format!("{{{parameter}}}")))?;
    let literals = segments.get(..at)?.iter().rev();
    literals.copied().find(|segment| !segment.is_empty() && !segment.contains('{'))
}

/// Parameters that are called by what they are, not by what they are of.
const BARE: [&str; 8] = ["name", "key", "slug", "number", "index", "hash", "identifier", "resource"];

/// The kind of what a path parameter names.
pub(super) fn of_parameter(path: &str, parameter: &str) -> String {
    let collection = before(path, parameter).map(words::kind_of).filter(|kind| !kind.is_empty());
    let kind = match words::says(parameter, &[]) {
        Says::IdOf(kind) => match &collection {
            // A `batch_id` behind `file_batches` is a file batch's.
            Some(longer) if longer.ends_with(&format!("_{kind}")) => longer.clone(),
            _ => kind,
        },
        Says::Id => collection.unwrap_or_default(),
        _ if BARE.contains(&words::snake(parameter).as_str()) => collection.unwrap_or_default(),
        _ => words::snake(parameter),
    };
    if kind.is_empty() { "resource".to_owned() } else { kind }
}

/// The names of a path's parameters.
pub(super) fn parameters(path: &str) -> Vec<&str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
}

/// The path without the slash at its end.
fn trimmed(path: &str) -> &str {
    path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path)
}

impl Kinds {
    /// Collects them.
    pub(super) fn of(document: &Document, operations: &[Described<'_>]) -> Self {
        let mut kinds = Self::default();
        for operation in operations {
            for parameter in parameters(&operation.path) {
                if fixed(document, operation, parameter) {
                    continue;
                }
                let kind = of_parameter(&operation.path, parameter);
                let fields = schema(operation, parameter).map(|schema| Fields::of(document, schema));
                let field = fields.as_ref().and_then(|fields| fields.all.first());
                let ids = Ids {
                    integer: field.is_some_and(|field| field.integer),
                    uuid: field.is_some_and(|field| field.uuid),
                    named: BARE.contains(&words::snake(parameter).as_str()),
                };
                kinds.add(&kind, ids);
                let path = trimmed(&operation.path);
                let end = format!("/{{{parameter}}}");
                if let Some(collection) = path.strip_suffix(&end) {
                    kinds.collections.entry(collection.to_owned()).or_insert(kind);
                }
            }
        }
        for operation in operations.iter().filter(|operation| operation.method == "POST") {
            let last = trimmed(&operation.path).rsplit('/').next().unwrap_or_default();
            if !last.contains('{') && words::plural(last) && kinds.collection(&operation.path).is_none() {
                kinds.posted(document, operation, last);
            }
        }
        kinds.names = kinds.known.keys().cloned().collect();
        kinds
    }

    /// A collection to which things are posted that no path names.
    fn posted(&mut self, document: &Document, operation: &Described<'_>, last: &str) {
        let schema = operation.response.iter().find_map(|media| media.schema);
        let fields = schema.map(|schema| Fields::of(document, schema));
        if let Some(id) = fields.as_ref().and_then(|fields| fields.at(&["id"])).filter(|id| id.open) {
            let kind = words::kind_of(last);
            self.add(&kind, Ids { integer: id.integer, uuid: id.uuid, named: false });
            self.collections.insert(trimmed(&operation.path).to_owned(), kind);
        }
    }

    fn add(&mut self, kind: &str, ids: Ids) {
        let known = self.known.entry(kind.to_owned()).or_insert(ids);
        known.integer &= ids.integer;
        known.uuid &= ids.uuid;
        known.named |= ids.named;
    }

    /// The names of all kinds.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// What a collection holds.
    pub(super) fn collection(&self, path: &str) -> Option<&str> {
        self.collections.get(trimmed(path)).map(String::as_str)
    }

    /// The kind that a name stands for, if it is that of a resource. `around` is what it stands in, for a bare `id`.
    pub(super) fn named(&self, name: &str, integer: bool, around: Option<&str>) -> Option<String> {
        match words::says(name, &self.names) {
            Says::IdOf(kind) => Some(kind),
            Says::Id => around.map(words::kind_of).filter(|kind| !kind.is_empty()),
            Says::Called(kind) => {
                let numbers = self.known.get(&kind).is_some_and(|ids| ids.integer);
                (numbers || !integer).then_some(kind)
            }
            Says::Nothing => None,
        }
    }
}

/// The schema of a path parameter.
fn schema<'d>(operation: &Described<'d>, parameter: &str) -> Option<&'d Value> {
    let mut path = operation.parameters.iter().filter(|p| p.stands == Stands::Path);
    path.find(|p| p.name == parameter)?.schema
}

/// Whether a path parameter has one of a few values, so that it names no resource.
pub(super) fn fixed(document: &Document, operation: &Described<'_>, parameter: &str) -> bool {
    let fields = schema(operation, parameter).map(|schema| Fields::of(document, schema));
    let field = fields.as_ref().and_then(|fields| fields.all.first());
    field.is_some_and(|field| !field.open && (field.boolean || !field.values.is_empty()))
}
