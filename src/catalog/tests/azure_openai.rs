//! Azure OpenAI's profile, beside the operations of its specifications.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::super::{Catalog, IdClass, Operation, Place};
use crate::names::{Kind, OperationId, Purpose};

/// Method, path and name of every operation.
const SPECIFICATION: &str = include_str!("azure-openai-operations.txt");

static PROFILE: LazyLock<Catalog> = LazyLock::new(|| super::loaded(Catalog::builtin("azure-openai")));

fn operation(id: &str) -> &'static Operation {
    PROFILE.operation(&OperationId::new(id)).unwrap_or_else(|| panic!("no operation {id}"))
}

#[test]
fn every_operation_of_the_specifications_is_named_at_its_place() {
    let mut known = BTreeSet::new();
    for line in SPECIFICATION.lines().filter(|line| !line.starts_with('#')) {
        let [method, path, id] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let operation = operation(id);
        assert_eq!(
            (operation.method.as_str(), super::unnamed(&operation.template)),
            (method, path.to_owned()),
            "{id}"
        );
        known.insert(id);
    }
    assert_eq!(known.len(), 29);
    let more = PROFILE.operations().iter().filter(|operation| operation.refused.is_none());
    let more: Vec<_> = more.map(|operation| operation.id.as_str()).filter(|id| !known.contains(id)).collect();
    // A line of a batch, and a path of the SDK.
    assert_eq!(more, ["audioSpeech_create", "Batch_Line"]);
}

#[test]
fn every_path_parameter_of_a_served_operation_is_checked() {
    assert_eq!(super::unchecked(&PROFILE), BTreeSet::new());
}

/// Each call says which version of the API it means, and names one model, wherever that stands.
#[test]
fn a_deployment_is_looked_up_in_the_path_and_in_the_body() {
    for operation in PROFILE.operations().iter().filter(|operation| operation.refused.is_none()) {
        let line = operation.id.as_str() == "Batch_Line";
        assert_eq!(operation.query.iter().any(|name| &**name == "api-version"), !line, "{}", operation.id);
        let of_deployment = operation.uses.iter().filter(|used| used.kind == Kind::new("deployment"));
        let expected = match &*operation.template {
            path if path.starts_with("/openai/deployments/") => 2,
            "/chat/completions" => 1,
            _ => 0,
        };
        assert_eq!(of_deployment.count(), expected, "{}", operation.id);
    }
}

/// Without it the resource answers that there is no such thing.
#[test]
fn the_gateways_own_calls_say_which_version_they_mean() {
    assert_eq!(PROFILE.own_query(), Some("api-version=2024-10-21"));
}

#[test]
fn what_was_trained_has_an_owner() {
    let class = |kind: &str, id: &str| PROFILE.kind(&Kind::new(kind)).classify(id);
    for (kind, id, expected) in [
        ("deployment", "gpt-4o", IdClass::Shared),
        ("deployment", "ft-acme", IdClass::Owned),
        ("deployment", "FT-acme", IdClass::Malformed),
        ("deployment", "..", IdClass::Malformed),
        ("model", "gpt-4o-mini-2024-07-18", IdClass::Shared),
        ("model", "gpt-4o-mini-2024-07-18.ft-0e208cf33a6a466994aff31a08aba678", IdClass::Owned),
        ("model", "gpt-4o-mini-2024-07-18.ft-0e208cf3-ours:ckpt-step-88", IdClass::Owned),
        ("model", "gpt-4o-mini.FT-0e208cf3", IdClass::Malformed),
        ("model", "ft:gpt-4o-mini:acme::0e20", IdClass::Malformed),
    ] {
        assert_eq!(class(kind, id), expected, "{kind} {id}");
    }
}

#[test]
fn training_needs_a_grant() {
    let needs = |id: &str| operation(id).training.iter().map(|need| need.purpose).collect::<Vec<_>>();
    assert_eq!(needs("Files_Upload"), [Purpose::Train]);
    assert_eq!(needs("UploadFile_Start"), [Purpose::Train]);
    assert_eq!(needs("FineTuning_Create"), [Purpose::Train, Purpose::Share]);
    assert_eq!(operation("FineTuning_Create").training[0].of.len(), 2);
}

/// Indexes, blobs and addresses that the resource reads with its own rights.
#[test]
fn what_has_no_owner_is_refused() {
    let refused = |id: &str, at: &str| {
        let places = operation(id).refuses.iter().map(|refuses| &refuses.when.place);
        places.filter(|place| matches!(place, Place::Json(place) if place.to_string() == at)).count() == 1
    };
    for id in ["ChatCompletions_Create", "Batch_Line"] {
        assert!(
            refused(id, "/data_sources") && refused(id, "/dataSources") && refused(id, "/logprobs"),
            "{id}"
        );
    }
    assert!(refused("Batch_Create", "/input_blob") && refused("Batch_Create", "/output_folder"));
    assert!(operation("Files_Import").refused.is_some());
}
