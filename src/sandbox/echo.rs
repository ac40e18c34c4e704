//! The model: it says back what it was told last, calls tools when it is asked to, and counts tokens.

use serde_json::{Map, Value, json};

use super::account::State;
use super::call::Fields;
use super::leaks;

/// How the shared prefix of the account counts towards the cache.
const ALWAYS_CACHED: usize = 8;

/// What the model answers.
pub(super) struct Spoken {
    /// The text; empty when it calls tools.
    pub(super) text: String,
    /// The tools it calls.
    pub(super) calls: Vec<ToolCall>,
    pub(super) usage: Usage,
}

/// A call of a function.
pub(super) struct ToolCall {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
}

/// Tokens, at four bytes each.
#[derive(Clone, Copy, Default)]
pub(super) struct Usage {
    pub(super) input: usize,
    pub(super) cached: usize,
    pub(super) output: usize,
}

impl Usage {
    /// Adds what an answer shows of its own, as chat completions or as responses do.
    pub(super) fn add(&mut self, shown: &Value) {
        let tokens = |names: [&str; 2]| {
            let said = names.iter().find_map(|name| shown.pointer(name)?.as_u64());
            usize::try_from(said.unwrap_or_default()).unwrap_or_default()
        };
        self.input += tokens(["/prompt_tokens", "/input_tokens"]);
        self.output += tokens(["/completion_tokens", "/output_tokens"]);
        let cached = ["/prompt_tokens_details/cached_tokens", "/input_tokens_details/cached_tokens"];
        self.cached += tokens(cached);
    }

    /// As chat completions show it.
    pub(super) fn chat(self) -> Value {
        json!({
            "prompt_tokens": self.input, "completion_tokens": self.output,
            "total_tokens": self.input + self.output,
            "prompt_tokens_details": {"cached_tokens": self.cached, "cache_write_tokens": self.input, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        })
    }

    /// As responses show it.
    pub(super) fn response(self) -> Value {
        json!({
            "input_tokens": self.input,
            "input_tokens_details": {"cached_tokens": self.cached, "cache_write_tokens": self.input},
            "output_tokens": self.output, "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": self.input + self.output,
        })
    }
}

/// How many tokens a text is.
pub(super) fn tokens(text: &str) -> usize {
    text.len().div_ceil(4)
}

/// Counts a prompt, and finds out whether anybody sent it before.
pub(super) fn prompt(state: &mut State, text: &str, salt: &str) -> Usage {
    let input = tokens(text) + ALWAYS_CACHED;
    let seen = state.prompt_is_cached(leaks::seed(&format!("{salt}\n{text}")));
    Usage { input, cached: if seen { input } else { ALWAYS_CACHED }, output: 0 }
}

/// The text of a message's content: a string, or parts of which some hold text.
pub(super) fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part.get("text")?.as_str()).collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

/// Answers `last`, the text that came last and who said it.
pub(super) fn speak(body: &Map<String, Value>, model: &str, role: &str, last: &str, usage: Usage) -> Spoken {
    let tools = tools(body);
    let forced = match body.get("tool_choice") {
        Some(Value::String(choice)) => choice == "required",
        Some(Value::Object(_)) => true,
        _ => false,
    };
    let asked = last.contains("tool") || last.contains("call");
    let wanted =
        body.text("tool_choice") != Some("none") && role == "user" && !tools.is_empty() && (forced || asked);
    let mut spoken = Spoken { text: String::new(), calls: Vec::new(), usage };
    if wanted {
        let many = if last.contains("every tool") { tools.len() } else { 1 };
        spoken.calls = tools.iter().take(many).map(|tool| call(tool, last)).collect();
    } else {
        spoken.text =
            if role == "tool" { format!("The tool said: {last}") } else { format!("You said: {last}") };
        if model == "sandbox-leaky" {
            spoken.text.push_str(&leaks::confession());
        }
    }
    let arguments = spoken.calls.iter().map(|call| tokens(&call.arguments)).sum::<usize>();
    spoken.usage.output = tokens(&spoken.text) + arguments;
    spoken
}

/// The functions on offer: of chat (`{function: {name, parameters}}`) or of responses (`{name, parameters}`).
fn tools(body: &Map<String, Value>) -> Vec<&Map<String, Value>> {
    let list = body.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let chosen =
        body.get("tool_choice").and_then(|choice| choice.get("function").unwrap_or(choice).get("name"));
    list.iter()
        .filter_map(|tool| tool.get("function").unwrap_or(tool).as_object())
        .filter(|tool| tool.text("name").is_some())
        .filter(|tool| chosen.is_none_or(|chosen| tool.get("name") == Some(chosen)))
        .collect()
}

/// A call that puts the text into every string that the function takes.
fn call(tool: &Map<String, Value>, text: &str) -> ToolCall {
    let properties =
        tool.get("parameters").and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    let mut arguments = Map::new();
    for (name, schema) in properties.into_iter().flatten() {
        let value = match schema.get("type").and_then(Value::as_str) {
            Some("number" | "integer") => json!(7),
            Some("boolean") => json!(true),
            Some("array") => json!([text]),
            Some("object") => json!({"text": text}),
            _ => json!(text),
        };
        arguments.insert(name.clone(), value);
    }
    if arguments.is_empty() {
        arguments.insert("text".to_owned(), json!(text));
    }
    ToolCall {
        id: super::ids::letters("call_", 24),
        name: tool.text("name").unwrap_or_default().to_owned(),
        arguments: Value::Object(arguments).to_string(),
    }
}

/// Cuts a text into small pieces of 1 to 7 characters, never inside a character.
pub(super) fn pieces(text: &str) -> Vec<String> {
    let mut lengths = [3, 1, 5, 2, 7, 1, 4].into_iter().cycle();
    let mut rest = text.chars();
    let mut pieces = Vec::new();
    loop {
        let piece: String = rest.by_ref().take(lengths.next().unwrap_or(1)).collect();
        if piece.is_empty() {
            return pieces;
        }
        pieces.push(piece);
    }
}
