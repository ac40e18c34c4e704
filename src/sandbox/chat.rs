//! `POST /v1/chat/completions`.

use serde_json::{Map, Value, json};

use super::account::{App, State, seconds};
use super::call::{Call, Fields};
use super::chat_stream;
use super::echo::{self, Spoken, Usage};
use super::ids;
use super::reply::{Answer, Fault, Reply};

/// The most answers to one prompt.
const MOST_CHOICES: u64 = 16;

/// An answered chat.
pub(super) struct Completion {
    pub(super) id: String,
    pub(super) created: u64,
    pub(super) model: String,
    pub(super) choices: Vec<Spoken>,
    pub(super) usage: Usage,
    pub(super) logprobs: bool,
}

pub(super) async fn create(app: &App, call: &mut Call) -> Answer {
    let body = call.json().await?;
    let mut state = app.state();
    let completion = complete(&mut state, &body)?;
    if body.is_true("store") {
        state.store_chat(app, &completion, &body)?;
    }
    if body.is_true("stream") {
        let options = body.get("stream_options").and_then(Value::as_object);
        let usage = options.is_some_and(|options| options.is_true("include_usage"));
        let events = chat_stream::events(&completion, usage);
        return Ok(super::sse::reply(&app.options, &completion.model, events));
    }
    Ok(Reply::Json(completion.shown()))
}

/// Answers a chat; used by batches as well.
pub(super) fn complete(state: &mut State, body: &Map<String, Value>) -> Result<Completion, Fault> {
    let model = body.required("model")?;
    state.check_model(model)?;
    let messages = body.get("messages").and_then(Value::as_array).filter(|messages| !messages.is_empty());
    let messages = messages
        .ok_or_else(|| Fault::invalid("Missing required parameter: 'messages'.").param("messages"))?;
    let mut said = String::new();
    for message in messages {
        let role = message.get("role").and_then(Value::as_str);
        let role = role.ok_or_else(|| Fault::invalid("Every message needs a 'role'.").param("messages"))?;
        let content = message.get("content").unwrap_or(&Value::Null);
        for part in content.as_array().into_iter().flatten() {
            if let Some(id) = part.get("file").and_then(|file| file.get("file_id")).and_then(Value::as_str) {
                state.file(id)?;
            }
        }
        said.push_str(role);
        said.push_str(&echo::text_of(content));
    }
    let last = messages.last().unwrap_or(&Value::Null);
    let (role, text) = (last.get("role").and_then(Value::as_str).unwrap_or_default(), last.get("content"));
    let text = text.map(echo::text_of).unwrap_or_default();
    let usage = echo::prompt(state, &said, body.text("prompt_cache_key").unwrap_or_default());
    let many = body.get("n").and_then(Value::as_u64).unwrap_or(1).clamp(1, MOST_CHOICES);
    let choices: Vec<_> = (0..many).map(|_| echo::speak(body, model, role, &text, usage)).collect();
    let output = choices.iter().map(|choice| choice.usage.output).sum();
    Ok(Completion {
        id: ids::letters("chatcmpl-", 29),
        created: seconds(),
        model: model.to_owned(),
        choices,
        usage: Usage { output, ..usage },
        logprobs: body.is_true("logprobs"),
    })
}

impl Completion {
    pub(super) fn shown(&self) -> Value {
        let choices: Vec<_> =
            self.choices.iter().enumerate().map(|(index, said)| self.choice(index, said)).collect();
        json!({
            "id": self.id, "object": "chat.completion", "created": self.created, "model": self.model,
            "choices": choices, "usage": self.usage.chat(), "service_tier": "default",
            "system_fingerprint": "fp_sandbox0001",
        })
    }

    fn choice(&self, index: usize, said: &Spoken) -> Value {
        let mut message =
            json!({"role": "assistant", "content": said.text, "refusal": null, "annotations": []});
        if !said.calls.is_empty() {
            message["content"] = Value::Null;
            message["tool_calls"] = said
                .calls
                .iter()
                .map(|call| {
                    let function = json!({"name": call.name, "arguments": call.arguments});
                    json!({"id": call.id, "type": "function", "function": function})
                })
                .collect();
        }
        let logprobs = if self.logprobs { logprobs(&echo::pieces(&said.text)) } else { Value::Null };
        json!({"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish(said)})
    }
}

/// Why the model stopped.
pub(super) fn finish(said: &Spoken) -> &'static str {
    if said.calls.is_empty() { "stop" } else { "tool_calls" }
}

/// Tokens with their bytes: the text once more, in another shape.
pub(super) fn logprobs(pieces: &[String]) -> Value {
    let token = |piece: &String| json!({"token": piece, "logprob": -0.01, "bytes": piece.as_bytes(), "top_logprobs": []});
    json!({"content": pieces.iter().map(token).collect::<Vec<_>>(), "refusal": null})
}
