//! `/v1/messages`: the same model as behind the other API, in other shapes.

use serde_json::{Map, Value, json};

use super::{Held, missing, models, now};
use crate::sandbox::account::{App, State};
use crate::sandbox::call::{Call, Fields};
use crate::sandbox::content::{Budget, Content};
use crate::sandbox::echo::{self, Spoken, Usage};
use crate::sandbox::ids;
use crate::sandbox::reply::{Answer, Fault};
use crate::sandbox::router::unknown;
use crate::sandbox::sse;

pub(super) async fn route(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    match (call.method.as_str(), path) {
        ("POST", []) => {
            let body = call.json().await?;
            let shown = respond(&mut app.state(), &body, &app.budget)?;
            if body.is_true("stream") {
                let model = body.text("model").unwrap_or_default();
                return Ok(sse::reply(&app.options, model, events(&shown)));
            }
            Ok(shown.into())
        }
        ("POST", ["count_tokens"]) => {
            let body = call.json().await?;
            let state = app.state();
            check(&state.anthropic, &body)?;
            Ok(json!({"input_tokens": echo::tokens(&said(&body).1)}).into())
        }
        _ => Err(unknown(call)),
    }
}

/// What a request names has to be there.
fn check(held: &Held, body: &Map<String, Value>) -> Result<(), Fault> {
    models::check(body.required("model")?)?;
    held.check_files(&body.copy("messages"))?;
    held.check_files(&body.copy("system"))?;
    let container = body.get("container").and_then(|one| one.get("id").unwrap_or(one).as_str());
    if let Some(id) = container.filter(|id| held.containers.get(id).is_none()) {
        return Err(missing("container", id));
    }
    Ok(())
}

/// Who spoke last, and all that was said; the last text stands last.
fn said(body: &Map<String, Value>) -> (&'static str, String, String) {
    let messages = body.get("messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |message: &Value| {
        let content = &message["content"];
        let blocks = content.as_array().into_iter().flatten();
        let results = blocks.map(|block| echo::text_of(&block["content"])).filter(|text| !text.is_empty());
        let all: Vec<String> = std::iter::once(echo::text_of(content)).chain(results).collect();
        all.join("\n").trim_matches('\n').to_owned()
    };
    let all: Vec<String> = messages.iter().map(text).collect();
    let answers = messages.last().and_then(|last| last["content"].as_array()).into_iter().flatten();
    let role = if answers.into_iter().any(|block| block["type"] == "tool_result") { "tool" } else { "user" };
    (role, all.join("\n"), all.last().cloned().unwrap_or_default())
}

/// Answers; used by batches as well.
pub(super) fn respond(state: &mut State, body: &Map<String, Value>, budget: &Budget) -> Result<Value, Fault> {
    check(&state.anthropic, body)?;
    let model = body.required("model")?;
    if body.get("max_tokens").and_then(Value::as_u64).is_none() {
        return Err(Fault::invalid("max_tokens: Field required"));
    }
    let (role, all, last) = said(body);
    if last.is_empty() {
        return Err(Fault::invalid("messages: at least one message is required"));
    }
    let usage = echo::prompt(state, &all, "");
    let mut asked = body.clone();
    // What is called `auto` and `none` here are words there.
    if let Some(kind) = body.get("tool_choice").and_then(|choice| choice["type"].as_str()) {
        let choice = if kind == "any" { "required" } else { kind };
        asked.insert("tool_choice".to_owned(), json!(choice));
    }
    let said = echo::speak(&asked, model, role, &last, usage);
    let mut content = blocks(&said);
    let runs = body.get("tools").and_then(Value::as_array).into_iter().flatten();
    let container = runs
        .filter_map(|tool| tool["type"].as_str())
        .any(|kind| kind.starts_with("code_execution"))
        .then(|| ran(&mut state.anthropic, body, &mut content, budget));
    let reason = if said.calls.is_empty() { "end_turn" } else { "tool_use" };
    Ok(json!({
        "id": ids::letters("msg_", 24), "type": "message", "role": "assistant", "model": model, "content": content,
        "stop_reason": reason, "stop_sequence": null, "container": container,
        "usage": usage_of(&said.usage),
    }))
}

/// The tokens of an answer, by itself and by iteration, of which there is one.
fn usage_of(usage: &Usage) -> Value {
    let mut shown = json!({
        "input_tokens": usage.input, "output_tokens": usage.output,
        "cache_read_input_tokens": usage.cached, "cache_creation_input_tokens": usage.input,
        "cache_creation": {"ephemeral_5m_input_tokens": usage.input, "ephemeral_1h_input_tokens": 0},
    });
    let mut iteration = shown.clone();
    iteration["type"] = json!("message");
    shown["iterations"] = json!([iteration]);
    shown["service_tier"] = json!("standard");
    shown
}

fn blocks(said: &Spoken) -> Vec<Value> {
    if said.calls.is_empty() {
        return vec![json!({"type": "text", "text": said.text, "citations": null})];
    }
    let input = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| json!({}));
    said.calls
        .iter()
        .map(|call| {
            let id = ids::letters("toolu_", 24);
            json!({"type": "tool_use", "id": id, "name": call.name, "input": input(&call.arguments)})
        })
        .collect()
}

/// A program ran in a container, and left a file there.
fn ran(held: &mut Held, body: &Map<String, Value>, content: &mut Vec<Value>, budget: &Budget) -> Value {
    let named = body.get("container").and_then(|one| one.get("id").unwrap_or(one).as_str());
    let id = named.map_or_else(|| ids::letters("container_", 24), str::to_owned);
    held.containers.insert(&id, ());
    let file = held.add_file("made.txt", Content::of(b"made in a container\n", budget), true);
    content.push(json!({
        "type": "bash_code_execution_tool_result", "tool_use_id": ids::letters("srvtoolu_", 24),
        "content": {
            "type": "bash_code_execution_result", "stdout": "", "stderr": "", "return_code": 0,
            "content": [{"type": "bash_code_execution_output", "file_id": file}],
        },
    }));
    json!({"id": id, "expires_at": now()})
}

/// All events of a message.
fn events(message: &Value) -> Vec<String> {
    let mut events = Vec::new();
    let mut push = |kind: &str, mut event: Value| {
        event["type"] = json!(kind);
        events.push(sse::named(kind, &event));
    };
    let mut begun = message.clone();
    begun["content"] = json!([]);
    begun["stop_reason"] = Value::Null;
    begun["usage"]["output_tokens"] = json!(1);
    push("message_start", json!({"message": begun}));
    for (index, block) in message["content"].as_array().into_iter().flatten().enumerate() {
        let mut empty = block.clone();
        let (kind, key, text) = match block["type"].as_str() {
            Some("text") => {
                empty["text"] = json!("");
                ("text_delta", "text", block["text"].as_str().unwrap_or_default().to_owned())
            }
            Some("tool_use") => {
                empty["input"] = json!({});
                ("input_json_delta", "partial_json", block["input"].to_string())
            }
            _ => ("text_delta", "text", String::new()),
        };
        push("content_block_start", json!({"index": index, "content_block": empty}));
        for piece in echo::pieces(&text) {
            push("content_block_delta", json!({"index": index, "delta": {"type": kind, key: piece}}));
        }
        push("content_block_stop", json!({"index": index}));
    }
    let usage = json!({
        "output_tokens": message["usage"]["output_tokens"],
        "cache_read_input_tokens": message["usage"]["cache_read_input_tokens"],
        "iterations": message["usage"]["iterations"],
    });
    let delta = json!({
        "stop_reason": message["stop_reason"], "stop_sequence": null, "container": message["container"],
    });
    push("message_delta", json!({"delta": delta, "usage": usage}));
    push("message_stop", json!({}));
    events
}
