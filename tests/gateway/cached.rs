//! What the upstream tells of the account that its tenants share: how much of a prompt somebody had sent before.

use serde_json::{Value, json};

use super::kit::values::{chat, upload};
use super::kit::{Answer, Ask, Caller, house};

/// Every count of tokens in the account's cache, of a document, of JSON lines or of a stream's events.
fn counted(text: &str) -> Vec<u64> {
    let mut counts = Vec::new();
    match serde_json::from_str(text) {
        Ok(document) => walk(&document, &mut counts),
        Err(_lines) => {
            let lines = text.lines().map(|line| line.strip_prefix("data: ").unwrap_or(line));
            lines
                .filter_map(|line| serde_json::from_str(line).ok())
                .for_each(|line: Value| walk(&line, &mut counts));
        }
    }
    counts
}

fn walk(value: &Value, counts: &mut Vec<u64>) {
    match value {
        Value::Object(members) => {
            let told = |(key, value): (&String, &Value)| key.contains("cache").then(|| value.as_u64())?;
            counts.extend(members.iter().filter_map(told));
            members.values().for_each(|value| walk(value, counts));
        }
        Value::Array(elements) => elements.iter().for_each(|value| walk(value, counts)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The answer counts, and to nothing.
pub(crate) fn silent(what: &str, answer: Answer) -> Answer {
    let answer = answer.ok();
    let text = answer.text();
    let counts = counted(&text);
    assert!(!counts.is_empty() && counts.iter().all(|count| *count == 0), "{what}: {counts:?} {text}");
    answer
}

/// Asks for what stands there, of which the account shows more.
fn hidden(caller: &Caller<'_>, path: &str) {
    let shown = house().sandbox.ask(&Ask::get(path)).ok().text();
    assert!(counted(&shown).iter().any(|count| *count > 0), "{path}: {shown}");
    silent(path, caller.get(path));
}

const MODEL: &str = "gpt-4o-mini";

/// Chats and responses: answered, streamed, kept, listed.
#[test]
fn a_chat_or_a_response_does_not_tell_what_others_have_asked() {
    let caller = house().as_(house().keeping());
    let mut asks = chat("counted");
    asks["store"] = json!(true);
    let kept = silent("a chat", caller.post("/v1/chat/completions", &asks)).id();
    hidden(&caller, &format!("/v1/chat/completions/{kept}"));
    hidden(&caller, "/v1/chat/completions?limit=100");
    let changed = caller.post(&format!("/v1/chat/completions/{kept}"), &json!({"metadata": {"a": "b"}}));
    silent("a changed chat", changed);
    asks["stream"] = json!(true);
    asks["stream_options"] = json!({"include_usage": true});
    silent("a chat in events", caller.post("/v1/chat/completions", &asks));
    let mut asks = json!({"model": MODEL, "input": "counted", "store": true});
    let kept = silent("a response", caller.post("/v1/responses", &asks)).id();
    hidden(&caller, &format!("/v1/responses/{kept}"));
    asks["stream"] = json!(true);
    silent("a response in events", caller.post("/v1/responses", &asks));
    silent("a response again", caller.get(&format!("/v1/responses/{kept}?stream=true")));
}

/// A batch, with its lines, and the list of batches.
#[test]
fn a_batch_does_not_tell_what_others_have_asked() {
    let caller = house().as_(house().keeping());
    for (url, body) in
        [("/v1/chat/completions", chat("x")), ("/v1/responses", json!({"model": MODEL, "input": "x"}))]
    {
        let line = json!({"custom_id": "1", "method": "POST", "url": url, "body": body});
        let file = caller.ask(&upload("batch", "b.jsonl", format!("{line}\n").as_bytes())).id();
        let order = json!({"input_file_id": file, "endpoint": url, "completion_window": "24h"});
        let path = format!("/v1/batches/{}", caller.post("/v1/batches", &order).id());
        let ended = (0..20).map(|_| caller.get(&path).ok()).find(|seen| seen.at("/status") == "completed");
        hidden(&caller, &path);
        hidden(&caller, &format!("/v1/files/{}/content", ended.unwrap().at("/output_file_id")));
    }
    hidden(&caller, "/v1/batches?limit=100");
}

/// The times of a cancelled batch are times: the `cell` in `cancelled_at` makes no telephone number of one.
#[test]
fn a_batch_that_was_cancelled_is_shown_as_it_is() {
    let caller = house().as_(house().granted());
    let line = json!({"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": chat("x")});
    let file = caller.ask(&upload("batch", "b.jsonl", format!("{line}\n").as_bytes())).id();
    let order =
        json!({"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"});
    let path = format!("/v1/batches/{}", caller.post("/v1/batches", &order).id());
    let cancelled = caller.ask(&Ask::new("POST", format!("{path}/cancel"))).ok();
    assert!(cancelled.value()["cancelled_at"].is_u64(), "{cancelled}");
    assert_eq!(cancelled.text(), house().sandbox.ask(&Ask::get(path)).ok().text());
}

/// Runs, their steps and their streams, and the runs of evals.
#[test]
fn a_run_does_not_tell_what_others_have_asked() {
    let caller = house().as_(house().keeping());
    let assistant = caller.post("/v1/assistants", &json!({"model": MODEL})).id();
    let thread = caller.post("/v1/threads", &json!({"messages": [{"role": "user", "content": "x"}]})).id();
    let runs = format!("/v1/threads/{thread}/runs");
    let run = caller.post(&runs, &json!({"assistant_id": assistant})).id();
    hidden(&caller, &format!("{runs}/{run}"));
    hidden(&caller, &runs);
    hidden(&caller, &format!("{runs}/{run}/steps"));
    let step = caller.get(&format!("{runs}/{run}/steps")).ok().at("/data/0/id");
    hidden(&caller, &format!("{runs}/{run}/steps/{step}"));
    silent("a run in events", caller.post(&runs, &json!({"assistant_id": assistant, "stream": true})));
    let asks = json!({"data_source_config": {"type": "custom", "item_schema": {}}, "testing_criteria": []});
    let runs = format!("/v1/evals/{}/runs", caller.post("/v1/evals", &asks).id());
    let source = json!({"type": "file_content", "content": [{"item": {"a": 1}}]});
    let asks = json!({"name": "r", "data_source": {"type": "jsonl", "source": source}});
    let run = silent("a run of an eval", caller.post(&runs, &asks)).id();
    hidden(&caller, &format!("{runs}/{run}"));
    hidden(&caller, &runs);
    hidden(&caller, &format!("{runs}/{run}/output_items"));
    // Cancelled by the specification's path, and by that of the official SDKs.
    for path in [format!("{runs}/{run}"), format!("{runs}/{run}/cancel")] {
        let cancelled = silent("a cancelled run", caller.ask(&Ask::new("POST", path)));
        assert_eq!(cancelled.at("/status"), "canceled");
    }
}
