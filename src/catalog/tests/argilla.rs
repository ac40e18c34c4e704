//! Argilla's profile, beside the list of what the official SDK calls.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::super::{Catalog, IdClass, Operation, Place};
use crate::names::{Kind, OperationId, Purpose};

/// Method, path and name of every operation.
const OPERATIONS: &str = include_str!("argilla-operations.txt");

static PROFILE: LazyLock<Catalog> = LazyLock::new(|| super::loaded(Catalog::builtin("argilla")));

fn operation(id: &str) -> &'static Operation {
    PROFILE.operation(&OperationId::new(id)).unwrap_or_else(|| panic!("no operation {id}"))
}

#[test]
fn every_operation_of_the_sdk_is_named_at_its_place() {
    let mut known = BTreeSet::new();
    for line in OPERATIONS.lines().filter(|line| !line.starts_with('#')) {
        let [method, path, id] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let operation = operation(id);
        let template = super::unnamed(&operation.template);
        assert_eq!((operation.method.as_str(), template.as_str()), (method, path), "{id}");
        known.insert(id);
    }
    assert_eq!(known.len(), 55);
    let served = PROFILE.operations().iter().filter(|operation| operation.refused.is_none());
    let more: Vec<&str> =
        served.map(|operation| operation.id.as_str()).filter(|id| !known.contains(id)).collect();
    // What the server's schema has beside them.
    assert_eq!(more, ["metadata-properties.list", "responses.update", "responses.delete", "suggestions.put"]);
}

#[test]
fn every_path_parameter_of_a_served_operation_is_checked() {
    assert_eq!(super::unchecked(&PROFILE), BTreeSet::new());
    let served = PROFILE.operations().iter().filter(|operation| operation.refused.is_none());
    assert!(served.clone().all(|operation| operation.purpose == Purpose::Annotate));
    assert_eq!(served.count(), 43);
}

#[test]
fn fields_that_name_something_are_looked_up() {
    let named = |id: &str, kind: &str, at: &str| {
        operation(id).uses.iter().any(|used| {
            used.kind == Kind::new(kind)
                && matches!(&used.place, Place::Json(place) if place.to_string() == at)
        })
    };
    for (id, kind, at) in [
        ("workspaces.create", "workspace_name", "/name"),
        ("datasets.create", "workspace", "/workspace_id"),
        ("datasets.update", "workspace", "/workspace_id"),
        ("fields.create", "dataset", "/dataset_id"),
        ("questions.update", "dataset", "/dataset_id"),
        ("records.bulk_create", "record", "/items/*/id"),
        ("records.bulk_upsert", "dataset", "/items/*/dataset_id"),
        ("records.bulk_upsert", "question", "/items/*/suggestions/*/question_id"),
        ("records.update_many", "response", "/items/*/responses/*/id"),
        ("records.search", "record", "/query/vector/record_id"),
        ("records.update", "question", "/suggestions/*/question_id"),
        ("responses.create", "record", "/record_id"),
        ("suggestions.put", "question", "/question_id"),
    ] {
        assert!(named(id, kind, at), "{id} {at}");
    }
}

/// The names of workspaces are the account's, and each once: one that is taken must not be told by an error of its own.
#[test]
fn the_name_of_a_workspace_begins_with_its_tenants() {
    let name = PROFILE.kind(&Kind::new("workspace_name"));
    assert_eq!(name.tenant_of("acme--reviews"), Some("acme"));
    assert_eq!(name.classify("acme--reviews"), IdClass::OfTenant);
    for other in ["reviews", "--reviews", "acme--", "acme-reviews"] {
        assert_eq!(name.classify(other), IdClass::Malformed, "{other}");
    }
}
