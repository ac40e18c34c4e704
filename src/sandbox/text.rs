//! Completions of the old kind, embeddings and moderations.

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use super::account::{App, State, seconds};
use super::call::{Call, Fields};
use super::echo::{self, Usage};
use super::ids;
use super::leaks;
use super::reply::{Answer, Fault};
use super::sse;

/// How long an embedding is unless the caller says.
const DIMENSIONS: u64 = 16;
/// Everything that a text can be blamed for.
const CATEGORIES: [&str; 13] = [
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
];

pub(super) async fn completion(app: &App, call: &mut Call) -> Answer {
    let body = call.json().await?;
    let (shown, texts) = complete(&mut app.state(), &body)?;
    if !body.is_true("stream") {
        return Ok(shown.into());
    }
    let chunk = |index: usize, text: &str, finish: Value| {
        let choice = json!({"text": text, "index": index, "logprobs": null, "finish_reason": finish});
        let fields = ["id", "created", "model"].map(|name| shown[name].clone());
        sse::data(&json!({
            "id": fields[0], "object": "text_completion", "created": fields[1], "model": fields[2], "choices": [choice],
        }))
    };
    let mut events = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        events.extend(echo::pieces(text).iter().map(|piece| chunk(index, piece, Value::Null)));
        events.push(chunk(index, "", json!("stop")));
    }
    events.push("data: [DONE]\n\n".to_owned());
    Ok(sse::reply(&app.options, body.text("model").unwrap_or_default(), events))
}

/// Answers each prompt; gives the completion and its texts.
pub(super) fn complete(state: &mut State, body: &Map<String, Value>) -> Result<(Value, Vec<String>), Fault> {
    let model = body.required("model")?;
    state.check_model(model)?;
    let prompts = texts(body, "prompt")?;
    let usage = echo::prompt(state, &prompts.join("\n"), "");
    let said: Vec<_> =
        prompts.iter().map(|prompt| echo::speak(body, model, "user", prompt, usage).text).collect();
    let usage = Usage { output: said.iter().map(|text| echo::tokens(text)).sum(), ..usage };
    let choice = |(index, text): (usize, &String)| json!({"text": text, "index": index, "logprobs": null, "finish_reason": "stop"});
    let shown = json!({
        "id": ids::letters("cmpl-", 29), "object": "text_completion", "created": seconds(), "model": model,
        "choices": said.iter().enumerate().map(choice).collect::<Vec<_>>(), "usage": usage.chat(),
    });
    Ok((shown, said))
}

/// A string, a list of strings, or tokens.
fn texts(body: &Map<String, Value>, name: &'static str) -> Result<Vec<String>, Fault> {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let texts: Vec<_> = match body.get(name) {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) if items.iter().any(Value::is_number) => vec![plain(&json!(items))],
        Some(Value::Array(items)) => items.iter().map(plain).collect(),
        _ => Vec::new(),
    };
    if texts.is_empty() || texts.len() > 2048 {
        return Err(Fault::invalid(format!("'{name}' must be a text or 1 to 2048 texts.")).param(name));
    }
    Ok(texts)
}

pub(super) async fn embeddings(app: &App, call: &mut Call) -> Answer {
    let body = call.json().await?;
    Ok(embed(&mut app.state(), &body)?.into())
}

/// One vector for each text, the same for the same text.
pub(super) fn embed(state: &mut State, body: &Map<String, Value>) -> Result<Value, Fault> {
    let model = body.required("model")?;
    state.check_model(model)?;
    let texts = texts(body, "input")?;
    let length = body.get("dimensions").and_then(Value::as_u64).unwrap_or(DIMENSIONS).clamp(1, 3072);
    let vector = |text: &str| {
        let mut seed = leaks::seed(text);
        let next = |_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            f32::from(i16::try_from(seed >> 49).unwrap_or_default()) / 32_768.0
        };
        (0..length).map(next).collect::<Vec<f32>>()
    };
    let base64 = body.text("encoding_format") == Some("base64");
    let shown = |text: &String| {
        let vector = vector(text);
        if !base64 {
            return json!(vector);
        }
        json!(BASE64.encode(&vector.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>()))
    };
    let data = texts
        .iter()
        .enumerate()
        .map(|(index, text)| json!({"object": "embedding", "index": index, "embedding": shown(text)}));
    let tokens = texts.iter().map(|text| echo::tokens(text)).sum::<usize>();
    Ok(json!({
        "object": "list", "data": data.collect::<Vec<_>>(), "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }))
}

pub(super) async fn moderations(app: &App, call: &mut Call) -> Answer {
    let body = call.json().await?;
    Ok(moderate(&mut app.state(), &body)?.into())
}

/// Flags every text that has the word `kill` in it.
pub(super) fn moderate(state: &mut State, body: &Map<String, Value>) -> Result<Value, Fault> {
    let model = body.text("model").unwrap_or("omni-moderation-latest");
    state.check_model(model)?;
    let inputs = match body.get("input") {
        Some(Value::Array(parts)) if parts.iter().any(Value::is_object) => vec![echo::text_of(&json!(parts))],
        _ => texts(body, "input")?,
    };
    let results = inputs.iter().map(|text| {
        let bad = text.contains("kill");
        let each = |value: fn(bool) -> Value| {
            CATEGORIES
                .iter()
                .map(|name| ((*name).to_owned(), value(bad && name.starts_with("violence"))))
                .collect::<Map<_, _>>()
        };
        json!({
            "flagged": bad, "categories": each(Value::from),
            "category_scores": each(|bad| json!(if bad { 0.9 } else { 0.001 })),
            "category_applied_input_types": each(|_| json!(["text"])),
        })
    });
    Ok(json!({"id": ids::letters("modr-", 29), "model": model, "results": results.collect::<Vec<_>>()}))
}
