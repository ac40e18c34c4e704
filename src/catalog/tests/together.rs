//! Together AI's profile, beside the list of what the official SDK calls.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::super::{Catalog, IdClass, Operation, Place};
use crate::names::{Kind, OperationId, Purpose};

/// Method, path and name of every operation.
const OPERATIONS: &str = include_str!("together-operations.txt");

static PROFILE: LazyLock<Catalog> = LazyLock::new(|| super::loaded(Catalog::builtin("together")));

fn operation(id: &str) -> &'static Operation {
    PROFILE.operation(&OperationId::new(id)).unwrap_or_else(|| panic!("no operation {id}"))
}

#[test]
fn every_operation_of_the_sdk_is_named_at_its_place_and_no_other() {
    let mut known = BTreeSet::new();
    for line in OPERATIONS.lines().filter(|line| !line.starts_with('#')) {
        let [method, path, id] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let operation = operation(id);
        let template = super::unnamed(&operation.template);
        assert_eq!((operation.method.as_str(), template.as_str()), (method, path), "{id}");
        known.insert(id);
    }
    assert_eq!(known.len(), 184);
    assert!(PROFILE.operations().iter().all(|operation| known.contains(operation.id.as_str())));
    assert_eq!(PROFILE.operations().iter().filter(|operation| operation.refused.is_none()).count(), 30);
}

#[test]
fn every_path_parameter_of_a_served_operation_is_checked() {
    assert_eq!(super::unchecked(&PROFILE), BTreeSet::new());
}

#[test]
fn what_was_trained_has_an_owner() {
    let class = |kind: &str, id: &str| PROFILE.kind(&Kind::new(kind)).classify(id);
    for (kind, id, expected) in [
        ("model", "meta-llama/Llama-3.3-70B-Instruct-Turbo", IdClass::Shared),
        ("model", "mistralai/Mistral-Small-24B-Instruct-2501", IdClass::Shared),
        ("model", "acme/Meta-Llama-3.1-8B-Instruct-Reference-mine-1a2b3c4d", IdClass::Owned),
        ("model", "acme/Meta-Llama-3.1-8B-Instruct-Reference-mine-1a2b3c4d:12", IdClass::Owned),
        ("model", "acme/Meta-Llama-3.1-8B-Instruct-Reference-mine-1A2B3C4D", IdClass::Malformed),
        ("model", "acme/../x", IdClass::Malformed),
        ("fine_tuning_job", "ft-01234567-89ab:30", IdClass::Owned),
    ] {
        assert_eq!(class(kind, id), expected, "{kind} {id}");
    }
    let parts = PROFILE.kind(&Kind::new("fine_tuning_job")).registry_ids("ft-01:30");
    assert_eq!(parts.whole, Some("ft-01"));
}

/// The fields by which a request names what is somebody's, or sends it to third parties.
#[test]
fn fields_that_name_something_are_looked_at() {
    let json = |id: &str| -> BTreeSet<String> {
        let operation = operation(id);
        let places = operation.uses.iter().map(|used| &used.place);
        let needs = operation.training.iter().filter_map(|need| need.when.as_ref().map(|when| &when.place));
        let refuses = operation.refuses.iter().map(|refuses| &refuses.when.place);
        let json = places.chain(needs).chain(refuses).filter_map(|place| match place {
            Place::Json(at) => Some(at.to_string()),
            _ => None,
        });
        json.collect()
    };
    for (id, fields) in [
        (
            "fine_tuning.create",
            &[
                "/training_file",
                "/validation_file",
                "/model",
                "/from_checkpoint",
                "/wandb_api_key",
                "/wandb_base_url",
                "/wandb_project_name",
                "/wandb_entity",
                "/hf_output_repo_name",
            ][..],
        ),
        ("fine_tuning.preview", &["/training_file", "/model"]),
        ("chat.completions.create", &["/model", "/safety_model", "/logprobs"]),
        ("completions.create", &["/model", "/safety_model", "/logprobs"]),
        (
            "evals.create",
            &[
                "/parameters/input_data_file_path",
                "/parameters/judge/model",
                "/parameters/model_to_evaluate/model",
                "/parameters/model_a/model",
                "/parameters/model_b/model",
                "/parameters/judge/external_base_url",
                "/parameters/model_b/external_api_token",
                "/parameters/model_a/model_source",
            ],
        ),
    ] {
        let found = json(id);
        for field in fields {
            assert!(found.contains(*field), "{id} {field}");
        }
    }
    let needs = |id: &str| operation(id).training.iter().map(|need| need.purpose).collect::<Vec<_>>();
    assert_eq!(needs("files.upload_whole"), [Purpose::Train, Purpose::Evaluate]);
}
