//! Anthropic's API before the sandbox: what a message names, what a list is asked for, what usage tells.

use serde_json::{Value, json};

use super::cached::silent;
use super::kit::values::{FORM, form, mark};
use super::kit::{Answer, Ask, Caller, house};

const MODEL: &str = "claude-sandbox-4";

fn ask(caller: &Caller<'_>, ask: Ask) -> Answer {
    caller.ask(&ask.header("anthropic-version", "2023-06-01"))
}

fn post(caller: &Caller<'_>, target: &str, body: &Value) -> Answer {
    ask(caller, Ask::json(target, body))
}

fn get(caller: &Caller<'_>, target: &str) -> Answer {
    ask(caller, Ask::get(target))
}

fn file(caller: &Caller<'_>) -> String {
    let body = form(&[("file", Some("a.txt"), mark().as_bytes())]);
    ask(caller, Ask::new("POST", "/v1/files").typed(FORM, body)).id()
}

fn message() -> Value {
    json!({"model": MODEL, "max_tokens": 9, "messages": [{"role": "user", "content": mark()}]})
}

/// What a list of the tenant's files shows.
fn listed(caller: &Caller<'_>, query: &str) -> Vec<String> {
    let list = get(caller, &format!("/v1/files?beta=true{query}")).ok().value();
    list["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// S3: files that are asked for by their ids, as the SDK writes them: each is looked up, and those of others are like none.
#[test]
fn s3_files_are_listed_by_the_ids_that_are_the_callers() {
    let (alice, bob) = (house().anthropic(house().granted()), house().anthropic(house().granted()));
    let (first, second, his) = (file(&alice), file(&alice), file(&bob));
    assert_eq!(listed(&alice, "").len(), 2);
    assert_eq!(listed(&alice, &format!("&ids%5B%5D={first}")), [first.as_str()]);
    let both = listed(&alice, &format!("&ids%5B%5D={first}&ids[]={second}&ids%5b%5d={his}"));
    assert!(both.len() == 2 && both.contains(&first) && both.contains(&second), "{both:?}");
    let never = format!("file_{}", mark().replace("mark-", ""));
    let foreign = get(&bob, &format!("/v1/files?ids%5B%5D={first}")).ok();
    let unknown = get(&bob, &format!("/v1/files?ids%5B%5D={never}")).ok();
    assert_eq!(foreign.comparable(), unknown.comparable());
    assert!(!foreign.text().contains(&his), "an id that is not the caller's does not mean all: {foreign}");
    assert!(house().sandbox.journal(&never).is_empty());
    // An id is one id, whatever else some reader would make of it.
    assert!(listed(&alice, &format!("&ids%5B%5D={first},{second}")).is_empty());
    for query in [
        format!("ids={first}"),
        format!("ids[0]={first}"),
        format!("ids[][]={first}"),
        format!("ids%5B%5D={first}%25"),
    ] {
        let refused = get(&alice, &format!("/v1/files?{query}"));
        assert!([400, 403].contains(&refused.status), "{query}: {refused}");
    }
    let many: String = (0..101).map(|n| format!("&ids%5B%5D=file_{n}")).collect();
    assert_eq!(get(&alice, &format!("/v1/files?beta=true{many}")).status, 400);
}

/// S3: a tool that a message defines names a model as one in the list of tools does, by itself and in a batch.
#[test]
fn s3_a_tool_that_a_message_defines_names_no_model_of_others() {
    let caller = house().anthropic(house().granted());
    let with = |model: &str| {
        let tool = json!({"type": "tool_definition", "definition": {"type": "advisor_20260301", "name": "advisor", "model": model}});
        let mut asks = message();
        asks["messages"] = json!([{"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "tool_addition", "tool": tool}]}]);
        asks
    };
    let never = format!("ft:{MODEL}:acme::{}", mark());
    for (target, body) in [
        ("/v1/messages", with(&never)),
        ("/v1/messages/count_tokens", with(&never)),
        ("/v1/messages/batches", json!({"requests": [{"custom_id": "1", "params": with(&never)}]})),
    ] {
        let refused = post(&caller, target, &body);
        assert_eq!(
            (refused.status, refused.at("/error/type")),
            (404, "not_found_error".to_owned()),
            "{target}: {refused}"
        );
    }
    assert!(house().sandbox.journal(&never).is_empty());
    post(&caller, "/v1/messages", &with(MODEL)).ok();
}

/// How much of a prompt others of the account have sent: in a message, in its events, in each iteration, in a batch's results.
#[test]
fn a_message_does_not_tell_what_others_have_asked() {
    let caller = house().anthropic(house().granted());
    let mut asks = message();
    let told = silent("a message", post(&caller, "/v1/messages", &asks));
    assert!(told.value()["usage"]["iterations"][0]["cache_creation"].is_object(), "{told}");
    asks["stream"] = json!(true);
    let told = silent("a message in events", post(&caller, "/v1/messages", &asks));
    assert_eq!(told.text().matches("\"iterations\"").count(), 2, "{told}");
    let batch = json!({"requests": [{"custom_id": "1", "params": message()}]});
    let id = post(&caller, "/v1/messages/batches", &batch).id();
    get(&caller, &format!("/v1/messages/batches/{id}")).ok();
    let told = silent("a batch's results", get(&caller, &format!("/v1/messages/batches/{id}/results")));
    assert!(told.text().contains("\"iterations\""), "{told}");
}
