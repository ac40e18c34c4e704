//! doccano's profile, beside the server's own table of URLs.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::super::{BodyShape, Catalog, Operation, Place};
use crate::names::OperationId;

/// Method, path and name of every operation of the table. `tests/run-clients.sh doccano` compares it with the server.
const TABLE: &str = include_str!("doccano-operations.txt");

static PROFILE: LazyLock<Catalog> = LazyLock::new(|| Catalog::builtin("doccano").unwrap());

fn operation(id: &str) -> &'static Operation {
    PROFILE.operation(&OperationId::new(id)).unwrap_or_else(|| panic!("no operation {id}"))
}

fn lines() -> impl Iterator<Item = [&'static str; 3]> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split(' ').collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("{line}")))
}

#[test]
fn every_operation_of_the_table_is_named_at_its_place() {
    for [method, path, id] in lines() {
        let operation = operation(id);
        assert_eq!((operation.method.as_str(), &*operation.template), (method, path), "{id}");
    }
    assert_eq!(lines().count(), 147);
}

/// What the profile has beside the table: the files of examples, which the server gives to anybody.
#[test]
fn nothing_is_served_that_the_table_does_not_have() {
    let known: BTreeSet<&str> = lines().map(|[_, _, id]| id).collect();
    let more = PROFILE.operations().iter().map(|operation| operation.id.as_str());
    assert_eq!(more.filter(|id| !known.contains(id)).collect::<Vec<_>>(), ["media_of_upload"]);
}

#[test]
fn every_path_parameter_of_a_served_operation_is_checked() {
    let mut bare = BTreeSet::new();
    for operation in PROFILE.operations().iter().filter(|operation| operation.refused.is_none()) {
        for name in operation.template.split('{').skip(1) {
            let name = name.split(['}', ':']).next().unwrap();
            if !operation.uses.iter().any(|used| matches!(&used.place, Place::Path(path) if **path == *name))
            {
                bare.insert(format!("{} {name}", operation.id));
            }
        }
    }
    assert_eq!(bare.into_iter().collect::<Vec<_>>(), ["media_of_upload name"]);
}

/// The fields by which the server takes a number for something of the whole account, wherever they can be written.
#[test]
fn fields_that_name_something_are_looked_up() {
    let named = |id: &str, at: &str| {
        operation(id)
            .uses
            .iter()
            .any(|used| matches!(&used.place, Place::Json(place) if place.to_string() == at))
    };
    for (label, fields) in [
        ("category", &["/label"][..]),
        ("span", &["/label"]),
        ("text", &[]),
        ("relation", &["/type", "/from_id", "/to_id"]),
        ("bbox", &["/label"]),
        ("segmentation", &["/label"]),
    ] {
        for call in ["post_{}_list", "put_{}_detail", "patch_{}_detail"] {
            let id = call.replace("{}", label);
            for field in fields.iter().chain(&["/example"]) {
                assert!(named(&id, field), "{id} {field}");
            }
        }
    }
    for operation in PROFILE.operations() {
        let bulk = operation.method == "DELETE" && operation.request == BodyShape::Json;
        assert!(!bulk || named(operation.id.as_str(), "/ids/*"), "{}", operation.id);
    }
    assert!(named("post_upload", "/uploadIds/*"));
}

/// A box's `uuid` is unique in the account: one that somebody has would be told by an error of its own.
#[test]
fn what_is_unique_in_the_account_is_taken_out() {
    for id in ["post_bbox_list", "put_bbox_detail", "patch_segmentation_detail", "post_segmentation_list"] {
        let edits = &operation(id).request_edits;
        assert!(edits.iter().any(|edit| edit.at.to_string() == "/uuid"), "{id}");
    }
}
