//! The items that go into a response, and those that come out.

use serde_json::{Map, Value, json};

use super::account::State;
use super::echo::{self, Spoken};
use super::ids;
use super::reply::Fault;

/// The items of `input`: a string is one message.
pub(super) fn input(body: &Map<String, Value>) -> Vec<(String, Value)> {
    items_of(body.get("input"))
}

/// Items with their ids, from a list of them or from a string.
pub(super) fn items_of(value: Option<&Value>) -> Vec<(String, Value)> {
    let items = match value {
        Some(Value::String(text)) => vec![json!({"role": "user", "content": text})],
        Some(Value::Array(items)) => items.clone(),
        _ => Vec::new(),
    };
    items
        .into_iter()
        .filter_map(|item| if let Value::Object(item) = item { Some(item) } else { None })
        .map(shown)
        .collect()
}

/// An item with an id, a type and its content as parts.
fn shown(mut item: Map<String, Value>) -> (String, Value) {
    if !item.contains_key("type") {
        item.insert("type".to_owned(), json!("message"));
    }
    let prefix = if item.get("type") == Some(&json!("message")) { "msg_" } else { "item_" };
    let id = item.get("id").and_then(Value::as_str).map_or_else(|| ids::hex(prefix, 48), str::to_owned);
    item.insert("id".to_owned(), json!(id));
    if let Some(Value::String(text)) = item.get("content") {
        let kind = if item.get("role") == Some(&json!("assistant")) { "output_text" } else { "input_text" };
        let parts = json!([{"type": kind, "text": text}]);
        item.insert("content".to_owned(), parts);
    }
    item.insert("status".to_owned(), json!("completed"));
    (id, Value::Object(item))
}

/// The conversation that a response is to be given in.
pub(super) fn conversation(body: &Map<String, Value>) -> Option<&str> {
    body.get("conversation").and_then(|value| value.get("id").unwrap_or(value).as_str())
}

/// Refuses what names a file, a vector store, a conversation or a response that isn't there.
pub(super) fn check(
    state: &State,
    body: &Map<String, Value>,
    items: &[(String, Value)],
) -> Result<(), Fault> {
    let previous = body.get("previous_response_id").and_then(Value::as_str);
    if let Some(id) = previous.filter(|id| state.responses.get(id).is_none()) {
        return Err(Fault::invalid(format!("Previous response with id '{id}' not found."))
            .param("previous_response_id")
            .code("previous_response_not_found"));
    }
    if let Some(id) = conversation(body).filter(|id| state.conversations.get(id).is_none()) {
        return Err(Fault::missing("conversation", id));
    }
    for (_, item) in items {
        for part in item.get("content").and_then(Value::as_array).into_iter().flatten() {
            if let Some(id) = part.get("file_id").and_then(Value::as_str) {
                state.file(id)?;
            }
        }
    }
    for tool in body.get("tools").and_then(Value::as_array).into_iter().flatten() {
        for id in tool.get("vector_store_ids").and_then(Value::as_array).into_iter().flatten() {
            let id = id.as_str().unwrap_or_default();
            if state.stores.get(id).is_none() {
                return Err(Fault::missing("vector store", id));
            }
        }
    }
    Ok(())
}

/// Who spoke last, and what; all that was said.
pub(super) fn last(items: &[(String, Value)]) -> (&'static str, String, String) {
    let said = |item: &Value| {
        let text = item.get("output").or_else(|| item.get("content")).map(echo::text_of);
        text.unwrap_or_default()
    };
    let all = items.iter().map(|(_, item)| said(item)).collect::<Vec<_>>().join("\n");
    let Some((_, item)) = items.last() else { return ("user", String::new(), all) };
    let role = if item["type"] == "function_call_output" { "tool" } else { "user" };
    (role, said(item), all)
}

/// What the model said as output items.
pub(super) fn output(said: &Spoken) -> Vec<Value> {
    if said.calls.is_empty() {
        let part = json!({"type": "output_text", "text": said.text, "annotations": [], "logprobs": []});
        return vec![json!({
            "id": ids::hex("msg_", 48), "type": "message", "status": "completed", "role": "assistant",
            "content": [part],
        })];
    }
    said.calls
        .iter()
        .map(|call| {
            json!({
                "id": ids::hex("fc_", 48), "type": "function_call", "status": "completed",
                "call_id": call.id, "name": call.name, "arguments": call.arguments,
            })
        })
        .collect()
}
