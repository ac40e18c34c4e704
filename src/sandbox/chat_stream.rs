//! A chat completion as events: small deltas; several choices or tool calls take turns.

use serde_json::{Value, json};

use super::chat::{Completion, finish, logprobs};
use super::echo::{self, Spoken};
use super::sse;

/// All events, with the usage as a last one if that is wanted.
pub(super) fn events(completion: &Completion, usage: bool) -> Vec<String> {
    let chunk = |choices: Value, total: Value| {
        let mut chunk = json!({
            "id": completion.id, "object": "chat.completion.chunk", "created": completion.created,
            "model": completion.model, "service_tier": "default", "system_fingerprint": "fp_sandbox0001",
            "choices": choices,
        });
        if usage {
            chunk["usage"] = total;
        }
        sse::data(&chunk)
    };
    let each =
        completion.choices.iter().enumerate().map(|(index, said)| choice(index, said, completion.logprobs));
    let mut events: Vec<_> =
        in_turns(each.collect()).into_iter().map(|one| chunk(json!([one]), Value::Null)).collect();
    if usage {
        events.push(chunk(json!([]), completion.usage.chat()));
    }
    events.push("data: [DONE]\n\n".to_owned());
    events
}

fn choice(index: usize, said: &Spoken, with_logprobs: bool) -> Vec<Value> {
    let delta = |delta: Value, logprobs: Value, finish: Value| json!({"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish});
    let plain = |value: Value| delta(value, Value::Null, Value::Null);
    let mut deltas = Vec::new();
    if said.calls.is_empty() {
        deltas.push(plain(json!({"role": "assistant", "content": "", "refusal": null})));
        for piece in echo::pieces(&said.text) {
            let logprobs = if with_logprobs { logprobs(std::slice::from_ref(&piece)) } else { Value::Null };
            deltas.push(delta(json!({"content": piece}), logprobs, Value::Null));
        }
    } else {
        deltas.push(plain(json!({"role": "assistant", "content": null, "refusal": null})));
        let calls = said.calls.iter().enumerate().map(|(number, call)| {
            let function = json!({"name": call.name, "arguments": ""});
            let first = json!({"index": number, "id": call.id, "type": "function", "function": function});
            let pieces = echo::pieces(&call.arguments).into_iter();
            let rest = pieces.map(move |piece| json!({"index": number, "function": {"arguments": piece}}));
            std::iter::once(first).chain(rest).collect()
        });
        deltas.extend(in_turns(calls.collect()).into_iter().map(|part| plain(json!({"tool_calls": [part]}))));
    }
    deltas.push(delta(json!({}), Value::Null, json!(finish(said))));
    deltas
}

/// One of each list, then the next of each, until all are empty.
fn in_turns(lists: Vec<Vec<Value>>) -> Vec<Value> {
    let mut lists: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
    let mut all = Vec::new();
    loop {
        let before = all.len();
        all.extend(lists.iter_mut().filter_map(Iterator::next));
        if all.len() == before {
            return all;
        }
    }
}
