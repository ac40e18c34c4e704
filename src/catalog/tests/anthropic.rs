//! Anthropic's profile, beside the list of what the official SDK calls.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::super::{Catalog, EditAction, Operation, Paging, Place};
use crate::names::{OperationId, Purpose};
use crate::reason::{Reason, Refusal};

/// Method, path and name of every operation.
const OPERATIONS: &str = include_str!("anthropic-operations.txt");

static PROFILE: LazyLock<Catalog> = LazyLock::new(|| Catalog::builtin("anthropic").unwrap());

fn operation(id: &str) -> &'static Operation {
    PROFILE.operation(&OperationId::new(id)).unwrap_or_else(|| panic!("no operation {id}"))
}

#[test]
fn every_operation_of_the_sdk_is_named_at_its_place_and_no_other() {
    let lines = OPERATIONS.lines().filter(|line| !line.starts_with('#'));
    let mut known = BTreeSet::new();
    for line in lines {
        let [method, path, id] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let operation = operation(id);
        assert_eq!((operation.method.as_str(), &*operation.template), (method, path), "{id}");
        known.insert(id);
    }
    assert_eq!(known.len(), 271);
    for operation in PROFILE.operations() {
        assert!(known.contains(operation.id.as_str()), "{}", operation.id);
    }
    assert_eq!(PROFILE.operations().iter().filter(|operation| operation.refused.is_none()).count(), 15);
}

#[test]
fn every_path_parameter_of_a_served_operation_is_checked() {
    for operation in PROFILE.operations().iter().filter(|operation| operation.refused.is_none()) {
        for name in operation.template.split('{').skip(1) {
            let name = name.split('}').next().unwrap();
            let used = |place: &Place| matches!(place, Place::Path(path) if **path == *name);
            assert!(operation.uses.iter().any(|one| used(&one.place)), "{} {name}", operation.id);
        }
    }
}

/// The JSON places that an operation looks up, refuses, or asks a grant for.
fn handled(operation: &Operation) -> BTreeSet<String> {
    let places = operation.uses.iter().map(|used| &used.place);
    let places = places.chain(operation.refuses.iter().map(|refuses| &refuses.when.place));
    let needs = operation.training.iter().filter_map(|need| need.when.as_ref().map(|when| &when.place));
    let json = places.chain(needs).filter_map(|place| match place {
        Place::Json(at) => Some(at.to_string()),
        _ => None,
    });
    json.collect()
}

/// What a message can name: the request by itself, one whose tokens are counted, and each one of a batch.
#[test]
fn the_requests_of_a_batch_are_judged_like_requests() {
    let one = handled(operation("messages.create"));
    for place in [
        "/model",
        "/messages/**/file_id",
        "/system/**/file_id",
        "/container",
        "/container/id",
        "/container/skills/*/skill_id",
        "/mcp_servers/*/url",
        "/diagnostics/previous_message_id",
        "/fallbacks/*/model",
        "/messages/**/definition/model",
        "/thread",
    ] {
        assert!(one.contains(place), "{place}");
    }
    assert_eq!(handled(operation("messages.count_tokens")), one);
    let batch: BTreeSet<String> = one.iter().map(|at| format!("/requests/*/params{at}")).collect();
    assert_eq!(handled(operation("messages.batches.create")), batch);
    for id in ["messages.create", "messages.count_tokens", "messages.batches.create"] {
        let needs: Vec<Purpose> = operation(id).training.iter().map(|need| need.purpose).collect();
        assert_eq!(needs, [Purpose::Share], "{id}");
    }
}

#[test]
fn the_shared_account_does_not_show() {
    let edited = |id: &str, at: &str| {
        let edits = operation(id).response_edits.iter().filter(|edit| edit.at.to_string() == at);
        edits.map(|edit| edit.action.clone()).next()
    };
    let zero = Some(EditAction::Replace(0.into()));
    for at in [
        "/usage/cache_read_input_tokens",
        "/message/usage/cache_creation/*",
        "/usage/iterations/*/cache_creation/*",
    ] {
        assert_eq!(edited("messages.create", at), zero, "{at}");
    }
    assert_eq!(edited("messages.batches.results", "/result/message/usage/cache_read_input_tokens"), zero);
    for id in ["messages.batches.create", "messages.batches.retrieve", "messages.batches.cancel"] {
        assert_eq!(edited(id, "/results_url"), Some(EditAction::Rebase), "{id}");
    }
    assert_eq!(edited("messages.batches.list", "/data/*/results_url"), Some(EditAction::Rebase));
    let salted = operation("messages.create").request_edits.iter().find(|e| e.action == EditAction::Salt);
    assert_eq!(salted.unwrap().at.to_string(), "/metadata/user_id");
}

#[test]
fn its_cursors_have_names_of_their_own() {
    for id in ["messages.batches.list", "models.list"] {
        let list = operation(id).list.as_ref().unwrap();
        let Paging::Cursor { after, before, .. } = &list.paging else { panic!("{id}") };
        assert_eq!((&**after, &**before), ("after_id", "before_id"), "{id}");
    }
    let only = operation("files.list").only.as_ref().unwrap();
    assert_eq!((&*only.query, only.at_most), ("ids[]", 100));
}

/// Its own shape of errors: as an answer, and as the event that ends a stream.
#[test]
fn a_refusal_is_an_error_of_its_clients() {
    let answer = PROFILE.error(&Refusal::new(Reason::ConsentMissing), "req-1", None);
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer.status, 403);
    assert_eq!((&body["type"], &body["error"]["type"]), (&"error".into(), &"permission_error".into()));
    assert_eq!(
        (answer.headers["request-id"].as_bytes(), &body["request_id"]),
        (b"req-1".as_slice(), &"req-1".into())
    );
    assert_eq!(answer.headers["x-should-retry"], "false");
}
