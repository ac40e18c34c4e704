use std::collections::BTreeSet;
use std::path::Path;

use http::Method;

use super::openai;
use crate::catalog::{Condition, EditAction, Operation, Paging, Place, Profile};
use crate::names::{OperationId, Purpose};
use crate::pointer::Pointer;
use crate::reason::Reason;

/// Method, path and operationId of every operation of the specification.
const SPECIFICATION: &str = include_str!("openai-operations.txt");

fn operation(id: &str) -> &'static Operation {
    openai().operation(&OperationId::new(id)).unwrap_or_else(|| panic!("no operation {id}"))
}

fn specification() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    SPECIFICATION.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut words = line.split(' ');
        (words.next().unwrap(), words.next().unwrap(), words.next().unwrap())
    })
}

/// `/v1/models/{model:slash}` as the specification writes it.
fn plain(template: &str) -> String {
    template.replace(":slash}", "}")
}

#[test]
fn every_operation_of_the_specification_is_named_at_its_place() {
    assert_eq!(specification().count(), 288);
    for (method, path, id) in specification() {
        let operation = operation(id);
        let path = path.split('?').next().unwrap();
        assert_eq!(operation.method.as_str(), method, "{id}");
        assert_eq!(plain(&operation.template), path, "{id}");
    }
}

#[test]
fn no_operation_is_named_that_the_specification_lacks() {
    let known: BTreeSet<&str> = specification().map(|(_, _, id)| id).collect();
    for operation in openai().operations() {
        for id in std::iter::once(&operation.id).chain(&operation.also) {
            // One operation of the specification takes a form or JSON: here they are two. And one has a path of its own in the SDKs.
            let id = id.as_str();
            let id = id.strip_suffix("_json").or_else(|| id.strip_suffix("_sdk")).unwrap_or(id);
            assert!(known.contains(id), "{id}");
        }
    }
}

/// Where the specification's own extract lies beside the sources, the list is current.
#[test]
fn the_list_is_that_of_the_extract() {
    let Some(extract) = std::env::var_os("CONSENTRY_OPENAI_OPERATIONS") else { return };
    let text = std::fs::read_to_string(Path::new(&extract)).unwrap();
    let operations: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let field = |op: &serde_json::Value, name: &str| op[name].as_str().unwrap().to_owned();
    let theirs: BTreeSet<_> =
        operations.iter().map(|op| (field(op, "method"), field(op, "path"), field(op, "op"))).collect();
    let ours: BTreeSet<_> =
        specification().map(|(m, p, id)| (m.to_owned(), p.to_owned(), id.to_owned())).collect();
    assert_eq!(theirs, ours);
}

#[test]
fn every_path_parameter_of_a_served_operation_is_checked() {
    for operation in openai().operations().iter().filter(|op| op.refused.is_none()) {
        for name in operation.template.split('{').skip(1) {
            let name = name.split(['}', ':']).next().unwrap();
            let used = operation.uses.iter().any(|u| matches!(&u.place, Place::Path(p) if **p == *name));
            assert!(used, "{} {name}", operation.id);
        }
    }
}

fn json_uses(operation: &Operation) -> BTreeSet<String> {
    let places = operation.uses.iter().filter_map(|u| match &u.place {
        Place::Json(pointer) => Some(pointer.to_string()),
        _ => None,
    });
    let refused = operation.refuses.iter().filter_map(|r| match &r.when.place {
        Place::Json(pointer) => Some(pointer.to_string()),
        _ => None,
    });
    let shared = operation.training.iter().filter_map(|t| match t.when.as_ref().map(|when| &when.place) {
        Some(Place::Json(pointer)) => Some(pointer.to_string()),
        _ => None,
    });
    places.chain(refused).chain(shared).collect()
}

/// What items name that are put into a conversation.
const CONVERSATION_ITEMS: &[&str] = &[
    "/items/*/id",
    "/items/*/approval_request_id",
    "/items/**/file_id",
    "/items/*/container_id",
    "/items/*/environment/container_id",
    "/items/*/environment/skills/*/skill_id",
    "/items/*/content/*/annotations/*/container_id",
    "/items/*/tools/*/container",
    "/items/*/tools/*/model",
    "/items/*/tools/*/vector_store_ids/*",
    "/items/*/tools/*/server_url",
    "/items/*/tools/*/connector_id",
    "/items/*/tools/*/tunnel_id",
    "/items/*/environment/network_policy/allowed_domains/*",
    "/items/*/tools/*/container/network_policy/allowed_domains/*",
    "/items/*/tools/*/environment/network_policy/allowed_domains/*",
];

/// What a run of an eval names.
const EVAL_RUN: &[&str] = &[
    "/data_source/model",
    "/data_source/source/id",
    "/data_source/source/type",
    "/data_source/sampling_params/tools/*/container",
    "/data_source/sampling_params/tools/*/container/file_ids/*",
    "/data_source/sampling_params/tools/*/environment/container_id",
    "/data_source/sampling_params/tools/*/environment/file_ids/*",
    "/data_source/sampling_params/tools/*/environment/skills/*/skill_id",
    "/data_source/sampling_params/tools/*/input_image_mask/file_id",
    "/data_source/sampling_params/tools/*/model",
    "/data_source/sampling_params/tools/*/server_url",
    "/data_source/sampling_params/tools/*/connector_id",
    "/data_source/sampling_params/tools/*/tunnel_id",
    "/data_source/sampling_params/tools/*/vector_store_ids/*",
];

/// The places of a response's request.
const RESPONSE: &[&str] = &[
    "/model",
    "/moderation/model",
    "/tools/*/model",
    "/previous_response_id",
    "/conversation",
    "/conversation/id",
    "/prompt/id",
    "/prompt/variables/*/file_id",
    "/input/*/id",
    "/input/*/approval_request_id",
    "/input/*/container_id",
    "/input/*/environment/container_id",
    "/input/**/file_id",
    "/tools/*/vector_store_ids/*",
    "/tools/*/container",
    "/tools/*/container/file_ids/*",
    "/tools/*/environment/container_id",
    "/tools/*/environment/file_ids/*",
    "/tools/*/environment/network_policy/allowed_domains/*",
    "/tools/*/container/network_policy/allowed_domains/*",
    "/tools/*/environment/skills/*/skill_id",
    "/tools/*/input_image_mask/file_id",
    "/tools/*/server_url",
    "/tools/*/connector_id",
    "/tools/*/tunnel_id",
];

/// The reference fields of the specification's request bodies, each checked, refused or a use to be granted.
#[test]
fn every_reference_field_is_looked_at() {
    let fields: [(&str, &[&str]); 24] = [
        (
            "createFineTuningJob",
            &[
                "/training_file",
                "/validation_file",
                "/model",
                "/method/reinforcement/grader/**/model",
                "/integrations/*/wandb/project",
            ],
        ),
        ("runGrader", &["/grader/**/model"]),
        ("validateGrader", &["/grader/**/model"]),
        ("createBatch", &["/input_file_id"]),
        ("completeUpload", &["/part_ids/*"]),
        ("createVectorStore", &["/file_ids/*"]),
        ("createVectorStoreFile", &["/file_id"]),
        ("createVectorStoreFileBatch", &["/file_ids/*", "/files/*/file_id"]),
        (
            "createChatCompletion",
            &[
                "/model",
                "/moderation/model",
                "/messages/**/file_id",
                "/messages/**/file_ids/*",
                "/previous_response_id",
                "/conversation_id",
                "/messages/*/audio/id",
                "/audio/voice",
                "/audio/voice/id",
                "/logprobs",
            ],
        ),
        ("createResponse", RESPONSE),
        ("createConversation", CONVERSATION_ITEMS),
        ("createConversationItems", CONVERSATION_ITEMS),
        ("CreateContainer", &["/file_ids/*", "/skills/*/skill_id", "/network_policy/allowed_domains/*"]),
        ("CreateContainerFile_json", &["/file_id"]),
        (
            "createImageEdit_json",
            &["/model", "/images", "/images/*", "/images/*/file_id", "/mask", "/mask/file_id", "/file_ids/*"],
        ),
        ("createEval", &["/testing_criteria/**/model", "/data_source_config/type"]),
        ("createEvalRun", EVAL_RUN),
        ("createSpeech", &["/model", "/voice", "/voice/id"]),
        ("createEmbedding", &["/model"]),
        (
            "createAssistant",
            &[
                "/model",
                "/tool_resources/*/file_ids/*",
                "/tool_resources/*/vector_store_ids/*",
                "/tool_resources/*/vector_stores/*/file_ids/*",
            ],
        ),
        (
            "createThread",
            &["/messages/**/file_id", "/tool_resources/*/file_ids/*", "/tool_resources/*/vector_store_ids/*"],
        ),
        ("createMessage", &["/content/**/file_id", "/attachments/*/file_id"]),
        (
            "createThreadAndRun",
            &[
                "/assistant_id",
                "/model",
                "/thread/messages/**/file_id",
                "/thread/tool_resources/*/file_ids/*",
                "/thread/tool_resources/*/vector_store_ids/*",
                "/thread/tool_resources/*/vector_stores/*/file_ids/*",
                "/tool_resources/*/file_ids/*",
                "/tool_resources/*/vector_store_ids/*",
            ],
        ),
        ("createRun", &["/assistant_id", "/model", "/additional_messages/**/file_id"]),
    ];
    for (id, expected) in fields {
        let found = json_uses(operation(id));
        for field in expected {
            assert!(found.contains(*field), "{id} {field}");
        }
    }
    for id in ["Getinputtokencounts", "Compactconversation"] {
        assert_eq!(json_uses(operation(id)), json_uses(operation("createResponse")), "{id}");
    }
}

#[test]
fn an_id_may_stand_where_an_object_may_stand_too() {
    let at = |text: &str| text.parse::<Pointer>().unwrap();
    let response = operation("createResponse");
    for place in ["/tools/*/container", "/conversation"] {
        assert!(response.holds_object(&at(place)) && !response.holds_list(&at(place)), "{place}");
    }
    let many = at("/tools/*/vector_store_ids");
    assert!(response.holds_list(&many) && !response.holds_object(&many));
    for (operation, place) in [
        (response, "/previous_response_id"),
        (operation("createFineTuningJob"), "/training_file"),
        (operation("createAssistant"), "/file_ids/*"),
    ] {
        assert!(!operation.holds_object(&at(place)) && !operation.holds_list(&at(place)), "{place}");
    }
}

#[test]
fn cursors_are_ids_to_be_checked() {
    for operation in openai().operations() {
        let Some(list) = &operation.list else { continue };
        let cursor = matches!(list.paging, Paging::Cursor { .. });
        let after = operation.uses.iter().find(|u| u.place == Place::Query("after".into()));
        assert_eq!(cursor, after.is_some_and(|u| u.kind == list.kind), "{}", operation.id);
        if cursor {
            assert!(
                ["after", "limit", "order"]
                    .iter()
                    .all(|n| operation.deciding_query.iter().any(|d| &**d == *n))
            );
        }
        if list.inherited && list.kind.as_str() != "file" {
            assert!(
                operation.yields.iter().any(|y| y.kind == list.kind),
                "{}: cursors nobody owns",
                operation.id
            );
        }
    }
}

fn needs(id: &str) -> Vec<(Purpose, Option<&'static Condition>)> {
    operation(id).training.iter().map(|t| (t.purpose, t.when.as_ref())).collect()
}

#[test]
fn training_uses_need_a_grant() {
    let file = needs("createFile");
    let train = file.iter().find(|(purpose, _)| *purpose == Purpose::Train).unwrap().1.unwrap();
    assert_eq!(train.place, Place::Form("purpose".into()));
    assert_eq!(train.values.iter().map(|v| &**v).collect::<Vec<_>>(), ["fine-tune", "vision"]);
    assert!(file.iter().any(|(purpose, when)| *purpose == Purpose::Evaluate && when.is_some()));
    let job = operation("createFineTuningJob");
    assert_eq!((job.training[0].purpose, &job.training[0].when), (Purpose::Train, &None));
    let of: Vec<_> = job.training[0].of.iter().map(|index| &job.uses[*index].place).collect();
    assert!(of.iter().all(|place| matches!(place, Place::Json(p) if p.to_string().ends_with("_file"))));
    assert_eq!(of.len(), 2);
    assert!(
        needs("resumeFineTuningJob")
            .iter()
            .any(|(purpose, when)| *purpose == Purpose::Train && when.is_none())
    );
    assert!(needs("runGrader").iter().any(|(purpose, when)| *purpose == Purpose::Evaluate && when.is_none()));
    assert!(needs("updateChatCompletion").iter().any(|(purpose, _)| *purpose == Purpose::Store));
}

#[test]
fn storing_is_off_unless_said_on_chats_and_on_unless_said_on_responses() {
    let store = |id: &str| operation(id).store.as_ref().map(|store| (store.at.to_string(), store.default));
    assert_eq!(store("createChatCompletion"), Some(("/store".to_owned(), false)));
    assert_eq!(store("createResponse"), Some(("/store".to_owned(), true)));
    assert_eq!(store("createEmbedding"), None);
}

#[test]
fn what_is_created_can_be_taken_back() {
    let undo = |id: &str| {
        let undo = operation(id).creates.iter().find_map(|created| created.undo.clone()).unwrap();
        format!("{} {}", undo.method, undo.template)
    };
    assert_eq!(undo("createFile"), "DELETE /v1/files/{id}");
    assert_eq!(undo("createFineTuningJob"), "POST /v1/fine_tuning/jobs/{id}/cancel");
    assert_eq!(
        undo("createVectorStoreFileBatch"),
        "POST /v1/vector_stores/{vector_store_id}/file_batches/{id}/cancel"
    );
    assert_eq!(undo("createResponse"), "DELETE /v1/responses/{id}");
}

#[test]
fn only_files_that_were_judged_as_batches_become_batches() {
    assert!(operation("createFile").creates[0].label.is_some());
    assert!(operation("completeUpload").creates[0].label.is_some());
    let input = &operation("createBatch").uses[0];
    assert_eq!(input.labels.iter().map(|l| &**l).collect::<Vec<_>>(), ["batch"]);
}

#[test]
fn batch_lines_are_requests() {
    let lines = operation("createFile").lines.as_ref().unwrap();
    let line = |method, url| openai().recognise_line(lines, method, url);
    assert_eq!(line("POST", "/v1/chat/completions").unwrap().operation.id.as_str(), "createChatCompletion");
    assert_eq!(line("POST", "/v1/responses").unwrap().operation.id.as_str(), "createResponse");
    assert_eq!(line("DELETE", "/v1/files/file-a").unwrap_err().reason, Reason::FieldNotAllowed);
    assert_eq!(line("POST", "/v1/files/../responses").unwrap_err().reason, Reason::PathNotCanonical);
    assert_eq!(line("GET", "/v1/nothing").unwrap_err().reason, Reason::OperationUnknown);
    assert_eq!(line("PO ST", "/v1/responses").unwrap_err().reason, Reason::OperationUnknown);
    assert_eq!(line("POST", "/v1/realtime/sessions").unwrap_err().reason, Reason::BypassRefused);
}

#[test]
fn the_shared_account_does_not_show() {
    let edited = |id: &str, at: &str| {
        let at: Pointer = at.parse().unwrap();
        operation(id).response_edits.iter().find(|edit| edit.at == at).map(|edit| edit.action.clone())
    };
    let zero = Some(EditAction::Replace(0.into()));
    assert_eq!(edited("createChatCompletion", "/usage/prompt_tokens_details/cached_tokens"), zero);
    assert_eq!(edited("createResponse", "/response/usage/input_tokens_details/cached_tokens"), zero);
    assert_eq!(
        edited("retrieveFineTuningJob", "/organization_id"),
        Some(EditAction::Replace("org-consentry".into()))
    );
    assert!(edited("listPaginatedFineTuningJobs", "/data/*/organization_id").is_some());
    let salted = |id: &str| -> BTreeSet<String> {
        let salt = operation(id).request_edits.iter().filter(|edit| edit.action == EditAction::Salt);
        salt.map(|edit| edit.at.to_string()).collect()
    };
    let all = BTreeSet::from(["/user", "/safety_identifier", "/prompt_cache_key"].map(str::to_owned));
    assert_eq!(salted("createChatCompletion"), all);
    assert_eq!(salted("createResponse"), all);
    assert!(salted("createImageEdit").contains("/user"));
}

#[test]
fn streamed_texts_have_channels() {
    let texts = |id: &str| -> BTreeSet<String> {
        operation(id)
            .channels
            .iter()
            .map(|c| format!("{} {}", c.event.as_deref().unwrap_or("*"), c.text))
            .collect()
    };
    let chat = texts("createChatCompletion");
    for text in [
        "* /choices/*/delta/content",
        "* /choices/*/delta/refusal",
        "* /choices/*/delta/tool_calls/*/function/arguments",
        "* /choices/*/delta/function_call/arguments",
        "* /choices/*/delta/reasoning_content",
    ] {
        assert!(chat.contains(text), "{text}");
    }
    assert_eq!(texts("createCompletion"), BTreeSet::from(["* /choices/*/text".to_owned()]));
    assert_eq!(texts("createResponse"), texts("getResponse"));
    for channel in &operation("createResponse").channels {
        let event = channel.event.as_deref().unwrap();
        assert_eq!(channel.whole, event.ends_with(".done"), "{event}");
    }
}

#[test]
fn a_key_for_training_may_see_its_files() {
    let file = operation("retrieveFile");
    assert!(file.serves(&[Purpose::Train]) && file.serves(&[Purpose::Inference]));
    assert!(!file.serves(&[Purpose::Statistics]) && !file.serves(&[]));
    assert!(!operation("createFineTuningJob").serves(&[Purpose::Inference]));
    assert!(!operation("createChatCompletion").serves(&[Purpose::Train]));
}

#[test]
fn the_format_has_a_schema() {
    let schema = schemars::schema_for!(Profile);
    let text = serde_json::to_string(&schema).unwrap();
    assert!(text.contains("\"additionalProperties\":false"), "{text}");
    assert!(schema.get("properties").unwrap().get("operations").is_some());
}

#[test]
fn every_operation_answers_to_its_method_only() {
    for operation in openai().operations().iter().filter(|op| op.refused.is_none()) {
        let path = operation.template.split('/').map(|s| if s.starts_with('{') { "x1" } else { s });
        let path = path.collect::<Vec<_>>().join("/");
        let put = openai().recognise(&Method::PUT, &path, None);
        assert_eq!(put.unwrap_err().reason, Reason::OperationUnknown, "{path}");
    }
}
