//! A run as events, in the order of the real API.

use serde_json::{Value, json};

use super::echo;
use super::runs::Told;
use super::sse;

/// All events of a run.
pub(super) fn events(told: &Told) -> Vec<String> {
    let mut events = Vec::new();
    if let Some(thread) = &told.thread {
        events.push(sse::named("thread.created", thread));
    }
    let state = |value: &Value, status: &str| {
        let mut value = value.clone();
        value["status"] = json!(status);
        value
    };
    for (event, status) in [("created", "queued"), ("queued", "queued"), ("in_progress", "in_progress")] {
        let mut run = state(&told.run, status);
        run["required_action"] = Value::Null;
        run["usage"] = Value::Null;
        events.push(sse::named(&format!("thread.run.{event}"), &run));
    }
    let mut step = state(&told.step, "in_progress");
    if told.message.is_none() {
        step["step_details"]["tool_calls"] = json!([]);
    }
    events.push(sse::named("thread.run.step.created", &step));
    events.push(sse::named("thread.run.step.in_progress", &step));
    match &told.message {
        Some(said) => message(&mut events, said),
        None => calls(&mut events, &told.step),
    }
    if told.message.is_some() {
        events.push(sse::named("thread.run.step.completed", &told.step));
    }
    let end = told.run["status"].as_str().unwrap_or_default();
    events.push(sse::named(&format!("thread.run.{end}"), &told.run));
    events.push("event: done\ndata: [DONE]\n\n".to_owned());
    events
}

fn message(events: &mut Vec<String>, said: &Value) {
    let mut begun = said.clone();
    begun["status"] = json!("in_progress");
    begun["content"] = json!([]);
    events.push(sse::named("thread.message.created", &begun));
    events.push(sse::named("thread.message.in_progress", &begun));
    for piece in echo::pieces(said["content"][0]["text"]["value"].as_str().unwrap_or_default()) {
        let content = json!([{"index": 0, "type": "text", "text": {"value": piece}}]);
        let delta =
            json!({"id": said["id"], "object": "thread.message.delta", "delta": {"content": content}});
        events.push(sse::named("thread.message.delta", &delta));
    }
    events.push(sse::named("thread.message.completed", said));
}

fn calls(events: &mut Vec<String>, step: &Value) {
    let mut delta = |call: Value| {
        let details = json!({"type": "tool_calls", "tool_calls": [call]});
        let delta =
            json!({"id": step["id"], "object": "thread.run.step.delta", "delta": {"step_details": details}});
        events.push(sse::named("thread.run.step.delta", &delta));
    };
    for (index, call) in step["step_details"]["tool_calls"].as_array().into_iter().flatten().enumerate() {
        let function = json!({"name": call["function"]["name"], "arguments": "", "output": null});
        delta(json!({"index": index, "id": call["id"], "type": "function", "function": function}));
        for piece in echo::pieces(call["function"]["arguments"].as_str().unwrap_or_default()) {
            delta(json!({"index": index, "type": "function", "function": {"arguments": piece}}));
        }
    }
}
