//! Faults in a profile: one entry of the deployment's is changed, by operation and key. The walk reads the same profile.

use serde_json::Value;

use super::{Rig, Said, conformance};

const OPENAI: &str = include_str!("../../../config/apis/openai.yaml");

/// The profile with a change.
fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut profile: Value = serde_saphyr::from_str(OPENAI).unwrap();
    change(&mut profile);
    // What is JSON is YAML.
    serde_json::to_string_pretty(&profile).unwrap()
}

/// An entry that has to be there.
fn entry<'v>(profile: &'v mut Value, path: &[&str]) -> &'v mut Value {
    path.iter().fold(profile, |here, key| match here {
        Value::Object(object) => object.get_mut(*key).unwrap_or_else(|| panic!("no `{key}` of {path:?}")),
        _ => panic!("no `{key}` of {path:?}"),
    })
}

/// Takes away what stands at a place of the entries of a list: one JSON pointer of one kind.
fn without(list: &mut Value, kind: &str, pointer: &str) {
    let mut gone = 0;
    for used in list.as_array_mut().unwrap().iter_mut().filter(|used| used["kind"] == kind) {
        if let Some(places) = used.get_mut("json").and_then(Value::as_array_mut) {
            let before = places.len();
            places.retain(|place| place != pointer);
            gone += before - places.len();
        }
    }
    assert_eq!(gone, 1, "no {pointer} of {kind}");
    list.as_array_mut()
        .unwrap()
        .retain(|used| used.get("json").is_none_or(|places| places != &serde_json::json!([])));
}

/// Walks a deployment with this profile.
fn with(profile: &str) -> Said {
    let rig = Rig::new();
    std::fs::create_dir(rig.setup.config().join("apis")).unwrap();
    rig.setup.file("apis/openai.yaml", profile);
    let gateway = rig.start();
    conformance(&gateway, gateway.data.port(), &["--wait", "3"])
}

#[test]
fn a_profile_without_a_change_is_not_a_fault() {
    let said = with(&changed(|_| {}));
    assert_eq!(said.status, 0, "{}", said.text);
}

#[test]
fn files_of_a_new_vector_store_that_are_not_looked_up() {
    let said = with(&changed(|profile| {
        without(entry(profile, &["operations", "createVectorStore", "uses"]), "file", "/file_ids/*");
    }));
    said.found("place", "createVectorStore");
}

#[test]
fn files_in_a_response_that_are_not_looked_up() {
    let said = with(&changed(|profile| {
        without(entry(profile, &["parts", "response_input", "uses"]), "file", "/input/**/file_id");
    }));
    said.found("place", "createResponse");
}

#[test]
fn an_earlier_response_that_is_not_looked_up() {
    let said = with(&changed(|profile| {
        without(entry(profile, &["parts", "response_input", "uses"]), "response", "/previous_response_id");
    }));
    said.found("place", "createResponse");
}

#[test]
fn a_list_without_a_filter() {
    let said = with(&changed(|profile| {
        let operation = entry(profile, &["operations", "listFiles"]).as_object_mut().unwrap();
        operation.remove("list").unwrap();
    }));
    said.found("apart", "listFiles");
}

/// Walks some operations of a deployment that has this profile, by the published one: what an operator finds who compares a
/// deployment with what it should be.
fn deployed(profile: &str, operations: &[&str]) -> Said {
    let rig = Rig::new();
    std::fs::create_dir(rig.setup.config().join("apis")).unwrap();
    rig.setup.file("apis/openai.yaml", profile);
    let gateway = rig.start();
    std::fs::remove_dir_all(gateway.setup.config().join("apis")).unwrap();
    let mut more = vec!["--wait", "3"];
    more.extend(operations.iter().flat_map(|id| ["--operation", id]));
    conformance(&gateway, gateway.data.port(), &more)
}

/// An id of the path that nobody looks up.
fn unlooked(profile: &mut Value, operation: &str) {
    let entry = entry(profile, &["operations", operation]).as_object_mut().unwrap();
    let uses = entry.get_mut("uses").unwrap().as_array_mut().unwrap();
    let at = uses.iter().position(|used| used.get("path").is_some()).unwrap();
    let name = uses.remove(at)["path"].clone();
    if uses.is_empty() {
        entry.remove("uses");
    }
    entry.insert("plain".to_owned(), serde_json::json!([name]));
}

/// Finds a place that the deployment does not look up.
#[track_caller]
fn finds_unlooked(operation: &str) {
    deployed(&changed(|profile| unlooked(profile, operation)), &[operation]).found("place", operation);
}

/// Finds a place in a body that the deployment does not look up.
#[track_caller]
fn finds_without(operation: &str, kind: &str, pointer: &str) {
    let profile =
        changed(|profile| without(entry(profile, &["operations", operation, "uses"]), kind, pointer));
    deployed(&profile, &[operation]).found("place", operation);
}

#[test]
fn a_file_by_its_id() {
    finds_unlooked("retrieveFile");
}

#[test]
fn the_content_of_a_file_by_its_id() {
    finds_unlooked("downloadFile");
}

#[test]
fn a_vector_store_by_its_id() {
    finds_unlooked("getVectorStore");
}

#[test]
fn a_search_of_anothers_vector_store() {
    finds_unlooked("searchVectorStore");
}

#[test]
fn a_job_by_its_id() {
    finds_unlooked("retrieveFineTuningJob");
}

#[test]
fn a_job_that_is_paused_by_another() {
    finds_unlooked("pauseFineTuningJob");
}

#[test]
fn a_response_by_its_id() {
    finds_unlooked("getResponse");
}

#[test]
fn a_trained_model_by_its_name() {
    finds_unlooked("retrieveModel");
}

#[test]
fn a_batch_over_anothers_file() {
    finds_without("createBatch", "file", "/input_file_id");
}

#[test]
fn a_job_on_anothers_file() {
    let profile = changed(|profile| {
        let operation = entry(profile, &["operations", "createFineTuningJob"]);
        without(entry(operation, &["uses"]), "file", "/training_file");
        // A grant can't be asked for what is not looked up.
        let of = operation.pointer_mut("/needs/0/of").unwrap().as_array_mut().unwrap();
        of.retain(|place| place != "/training_file");
    });
    deployed(&profile, &["createFineTuningJob"]).found("place", "createFineTuningJob");
}

#[test]
fn an_embedding_by_anothers_model() {
    finds_without("createEmbedding", "model", "/model");
}

#[test]
fn anothers_file_in_a_vector_store() {
    finds_without("createVectorStoreFile", "file", "/file_id");
}

#[test]
fn jobs_of_all_in_a_list() {
    let profile = changed(|profile| {
        let operation = entry(profile, &["operations", "listPaginatedFineTuningJobs"]);
        operation.as_object_mut().unwrap().remove("list").unwrap();
    });
    deployed(&profile, &["listPaginatedFineTuningJobs"]).found("apart", "listPaginatedFineTuningJobs");
}

#[test]
fn a_kind_whose_ids_are_everybodys() {
    let profile = changed(|profile| {
        let kind = entry(profile, &["kinds", "vector_store"]).as_object_mut().unwrap();
        kind.insert("shared".to_owned(), serde_json::json!(["vs_.*"]));
        kind.insert("owned".to_owned(), serde_json::json!(["vsnone_[a-z]{4}"]));
    });
    deployed(&profile, &["getVectorStore"]).found("place", "getVectorStore");
}

#[test]
fn other_words_for_what_is_not_there() {
    let profile = changed(|profile| {
        let message = entry(profile, &["kinds", "file", "not_found", "message"]);
        *message = "That file is not yours.".into();
    });
    deployed(&profile, &["retrieveFile"]).found("place", "retrieveFile");
}

#[test]
fn an_operation_that_the_deployment_serves_and_should_not() {
    let profile = changed(|profile| {
        let groups = entry(profile, &["refused"]).as_array_mut().unwrap();
        let gone =
            groups.iter_mut().filter_map(|group| group["operations"].as_object_mut()?.remove("list-users"));
        assert_eq!(gone.count(), 1);
        let operations = entry(profile, &["operations"]).as_object_mut().unwrap();
        let served = serde_json::json!({"match": "GET /v1/organization/users", "response": "json"});
        operations.insert("listUsers".to_owned(), served);
    });
    deployed(&profile, &["list-users"]).found("refused", "list-users");
}

#[test]
fn some_faults_are_refused_at_load() {
    let refused = |change: &dyn Fn(&mut Value), says: &str| {
        let setup = Rig::new().setup;
        std::fs::create_dir(setup.config().join("apis")).unwrap();
        setup.file("apis/openai.yaml", &changed(change));
        setup.write();
        let (status, text) = setup.check();
        assert_eq!(status, 64, "{text}");
        assert!(text.contains(says), "{text}");
    };
    let gone = |operation: &'static str| {
        move |profile: &mut Value| {
            entry(profile, &["operations", operation]).as_object_mut().unwrap().remove("uses").unwrap();
        }
    };
    refused(&gone("retrieveFile"), "file_id");
    refused(&gone("deleteFile"), "file_id");
    refused(
        &|profile| {
            let first = entry(profile, &["operations", "retrieveFile", "match"]);
            *first = "GET /v1/files/{id}".into();
        },
        "id",
    );
}
