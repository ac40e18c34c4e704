//! A response as events, in the real order and numbered.

use serde_json::{Value, json};

use super::echo;
use super::sse;

/// Events with their sequence numbers.
struct Sequence {
    events: Vec<String>,
}

impl Sequence {
    fn push(&mut self, kind: &str, fields: Value) {
        let mut event = json!({"type": kind, "sequence_number": self.events.len()});
        if let (Some(event), Value::Object(fields)) = (event.as_object_mut(), fields) {
            event.extend(fields);
        }
        self.events.push(sse::named(kind, &event));
    }
}

/// All events of a completed response.
pub(super) fn events(response: &Value) -> Vec<String> {
    let mut begun = response.clone();
    begun["status"] = json!("in_progress");
    begun["output"] = json!([]);
    begun["usage"] = Value::Null;
    begun["completed_at"] = Value::Null;
    let mut sequence = Sequence { events: Vec::new() };
    sequence.push("response.created", json!({"response": begun}));
    sequence.push("response.in_progress", json!({"response": begun}));
    for (index, item) in response["output"].as_array().into_iter().flatten().enumerate() {
        if item["type"] == "message" {
            message(&mut sequence, index, item);
        } else {
            function_call(&mut sequence, index, item);
        }
    }
    sequence.push("response.completed", json!({"response": response}));
    sequence.events
}

fn message(sequence: &mut Sequence, index: usize, item: &Value) {
    let id = &item["id"];
    let part = &item["content"][0];
    let text = part["text"].as_str().unwrap_or_default();
    let mut begun = item.clone();
    begun["status"] = json!("in_progress");
    begun["content"] = json!([]);
    sequence.push("response.output_item.added", json!({"output_index": index, "item": begun}));
    let place = |more: Value| {
        let mut fields = json!({"item_id": id, "output_index": index, "content_index": 0});
        if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more) {
            fields.extend(more);
        }
        fields
    };
    let empty = json!({"type": "output_text", "text": "", "annotations": [], "logprobs": []});
    sequence.push("response.content_part.added", place(json!({"part": empty})));
    for piece in echo::pieces(text) {
        sequence.push("response.output_text.delta", place(json!({"delta": piece, "logprobs": []})));
    }
    sequence.push("response.output_text.done", place(json!({"text": text, "logprobs": []})));
    sequence.push("response.content_part.done", place(json!({"part": part})));
    sequence.push("response.output_item.done", json!({"output_index": index, "item": item}));
}

fn function_call(sequence: &mut Sequence, index: usize, item: &Value) {
    let id = &item["id"];
    let mut begun = item.clone();
    begun["status"] = json!("in_progress");
    begun["arguments"] = json!("");
    sequence.push("response.output_item.added", json!({"output_index": index, "item": begun}));
    for piece in echo::pieces(item["arguments"].as_str().unwrap_or_default()) {
        let fields = json!({"item_id": id, "output_index": index, "delta": piece});
        sequence.push("response.function_call_arguments.delta", fields);
    }
    let fields = json!({
        "item_id": id, "output_index": index, "name": item["name"], "arguments": item["arguments"],
    });
    sequence.push("response.function_call_arguments.done", fields);
    sequence.push("response.output_item.done", json!({"output_index": index, "item": item}));
}
