//! Label Studio's profile, beside the server's own schema.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::super::{Catalog, Operation, Place};
use crate::names::OperationId;

/// Method, path and operationId of every operation of the schema.
const SPECIFICATION: &str = include_str!("label-studio-operations.txt");

static PROFILE: LazyLock<Catalog> = LazyLock::new(|| Catalog::builtin("label-studio").unwrap());

fn operation(id: &str) -> &'static Operation {
    PROFILE.operation(&OperationId::new(id)).unwrap_or_else(|| panic!("no operation {id}"))
}

/// A path without the names of its parameters, and without the slash at its end that may stand there or not.
fn plain(path: &str) -> String {
    let mut parts = path.trim_end_matches('/').split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |path, part| path + "{}" + part.split_once('}').map_or("", |(_, rest)| rest))
}

#[test]
fn every_operation_of_the_schema_is_named_at_its_place() {
    let lines = SPECIFICATION.lines().filter(|line| !line.starts_with('#'));
    let mut count = 0;
    for line in lines {
        let [method, path, id] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let operation = operation(id);
        assert_eq!(operation.method.as_str(), method, "{id}");
        assert_eq!(plain(&operation.template), plain(path), "{id}");
        count += 1;
    }
    assert_eq!(count, 190);
}

/// What stands in a path is looked up; the name of an upload is not its id, and is looked up by the project before it.
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
    assert_eq!(bare.into_iter().collect::<Vec<_>>(), ["data_upload_of_project name"]);
}

/// The JSON places that an operation looks up, refuses or takes out.
fn handled(operation: &Operation) -> BTreeSet<String> {
    let places = operation.uses.iter().map(|used| &used.place);
    let places = places.chain(operation.refuses.iter().map(|refusal| &refusal.when.place));
    let places = places.filter_map(|place| match place {
        Place::Json(at) => Some(at.to_string()),
        Place::Path(_) | Place::Query(_) | Place::Header(_) | Place::Form(_) => None,
    });
    places.chain(operation.request_edits.iter().map(|edit| edit.at.to_string())).collect()
}

/// Fields by which a request would name what is another's, or do more than it says. Each was open once.
#[test]
fn what_was_open_once_is_looked_at() {
    let storages = ["s3", "gcs", "azure", "redis"];
    let creates = storages.iter().flat_map(|kind| {
        [format!("api_storages_{kind}_create"), format!("api_storages_export_{kind}_create")]
    });
    let changes = storages.iter().flat_map(|kind| {
        [format!("api_storages_{kind}_partial_update"), format!("api_storages_export_{kind}_partial_update")]
    });
    let mut wanted: Vec<(String, &str)> = creates.chain(changes).map(|id| (id, "/id")).collect();
    for key in ["/aws_access_key_id", "/aws_secret_access_key"] {
        for id in ["create", "validate_create", "partial_update"] {
            wanted.push((format!("api_storages_s3_{id}"), key));
            wanted.push((format!("api_storages_export_s3_{id}"), key));
        }
    }
    for field in [
        "/start_training_on_annotation_update",
        "/min_annotations_to_start_training",
        "/evaluate_predictions_automatically",
    ] {
        wanted.push(("api_projects_create".to_owned(), field));
        wanted.push(("api_projects_partial_update".to_owned(), field));
    }
    wanted.push(("api_dm_actions_create".to_owned(), "/view"));
    wanted.push(("api_tasks_annotations_create".to_owned(), "/unique_id"));
    wanted.push(("api_annotations_partial_update".to_owned(), "/unique_id"));
    wanted.push(("api_projects_exports_convert_create".to_owned(), "/export_type"));
    for (id, field) in wanted {
        assert!(handled(operation(&id)).contains(field), "{id} {field}");
    }
}

/// Whatever brings tasks in without lines that are read says so: a body of JSON, a look into a bucket, a file that is read again.
#[test]
fn tasks_that_nobody_reads_as_records_are_named() {
    for operation in PROFILE.operations() {
        let id = operation.id.as_str();
        let syncs = id.starts_with("api_storages_") && id.ends_with("_sync_create") && !id.contains("export");
        let brings =
            ["api_tasks_create", "api_tasks_partial_update", "api_projects_reimport", "api_ml_train_create"];
        assert_eq!(!operation.unjudged.is_empty(), syncs || brings.contains(&id), "{id}");
    }
    assert_eq!(PROFILE.operations().iter().filter(|operation| !operation.unjudged.is_empty()).count(), 9);
}
