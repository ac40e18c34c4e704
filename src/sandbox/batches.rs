//! `/v1/batches`: the lines of a file, each a request of its own.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::account::{App, State, seconds};
use super::call::{Call, Fields};
use super::content::Content;
use super::echo::Usage;
use super::files::File;
use super::ids;
use super::reply::{Answer, Fault};
use super::router::unknown;
use super::table::Paging;
use super::{chat, responses, text};

/// The paths that a batch can be for.
const ENDPOINTS: [&str; 5] =
    ["/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/completions", "/v1/moderations"];
/// The most lines of a batch.
const MOST_LINES: usize = 50_000;
/// States before the last.
const STEPS: u32 = 3;

/// A batch.
pub(super) struct Batch {
    shown: Value,
    steps: u32,
    since: Instant,
}

impl Batch {
    /// How many steps should have been made by now.
    pub(super) fn due(&self, now: Instant, step: Duration) -> u32 {
        let ran = now.saturating_duration_since(self.since);
        u32::try_from(ran.as_millis() / step.as_millis().max(1)).unwrap_or(u32::MAX)
    }

    fn is_over(&self) -> bool {
        matches!(self.shown["status"].as_str(), Some("completed" | "failed" | "cancelled"))
    }

    fn enter(&mut self, status: &str) {
        self.shown["status"] = json!(status);
        self.shown[format!("{status}_at")] = json!(seconds());
    }
}

fn missing(id: &str) -> Fault {
    Fault::missing("batch", id)
}

pub(super) async fn route(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    match (call.method.as_str(), path) {
        ("POST", []) => create(app, call).await,
        ("GET", []) => {
            let paging = Paging::of(call, 20, 100)?;
            let state = app.state();
            let all = state.batches.iter().map(|(id, batch)| (id.to_owned(), batch.shown.clone()));
            Ok(paging.cut(all)?.full().into())
        }
        ("GET", [id]) => {
            let mut state = app.state();
            let next = state.batches.get(id).ok_or_else(|| missing(id))?.steps + 1;
            if app.options.step_by_poll {
                advance(app, &mut state, id, next);
            }
            Ok(state.batches.get(id).ok_or_else(|| missing(id))?.shown.clone().into())
        }
        ("POST", [id, "cancel"]) => {
            let mut state = app.state();
            let batch = state.batches.get_mut(id).ok_or_else(|| missing(id))?;
            if batch.is_over() {
                let status = &batch.shown["status"];
                return Err(Fault::invalid(format!("Cannot cancel batch {id} with status {status}.")));
            }
            batch.shown["cancelling_at"] = json!(seconds());
            batch.enter("cancelled");
            let shown = batch.shown.clone();
            state.live_batches.remove(*id);
            Ok(shown.into())
        }
        _ => Err(unknown(call)),
    }
}

async fn create(app: &App, call: &mut Call) -> Answer {
    let body = call.json().await?;
    let endpoint = body.required("endpoint")?;
    if !ENDPOINTS.contains(&endpoint) {
        return Err(Fault::invalid(format!("Invalid 'endpoint': '{endpoint}'.")).param("endpoint"));
    }
    let input = body.required("input_file_id")?;
    let mut state = app.state();
    let file = state.file(input)?;
    if file.purpose != "batch" {
        let message = format!("Invalid purpose '{}' of {input}: it must be 'batch'.", file.purpose);
        return Err(Fault::invalid(message).param("input_file_id"));
    }
    let now = seconds();
    let id = ids::hex("batch_", 32);
    let shown = json!({
        "id": id, "object": "batch", "endpoint": endpoint, "model": null, "errors": null, "input_file_id": input,
        "completion_window": body.required("completion_window")?, "status": "validating", "output_file_id": null,
        "error_file_id": null, "created_at": now, "in_progress_at": null, "expires_at": now + 86_400,
        "finalizing_at": null, "completed_at": null, "failed_at": null, "expired_at": null,
        "cancelling_at": null, "cancelled_at": null, "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "usage": null, "metadata": body.copy("metadata"),
    });
    state.batches.insert(&id, Batch { shown: shown.clone(), steps: 0, since: Instant::now() });
    state.live_batches.insert(id);
    Ok(shown.into())
}

/// Brings a batch to where `due` steps bring it.
pub(super) fn advance(app: &App, state: &mut State, id: &str, due: u32) {
    let Some(mut batch) = state.batches.get(id).map(|batch| Batch { shown: batch.shown.clone(), ..*batch })
    else {
        state.live_batches.remove(id);
        return;
    };
    while batch.steps < due.min(STEPS) && !batch.is_over() {
        batch.steps += 1;
        match batch.steps {
            1 => validate(state, &mut batch),
            2 => run(app, state, &mut batch),
            _ => batch.enter("completed"),
        }
    }
    if batch.is_over() {
        state.live_batches.remove(id);
    }
    if let Some(place) = state.batches.get_mut(id) {
        *place = batch;
    }
}

fn lines(state: &State, batch: &Batch) -> Vec<Vec<u8>> {
    let file = batch.shown["input_file_id"].as_str().and_then(|id| state.files.get(id));
    let bytes = file.and_then(|file| file.content.bytes.clone()).unwrap_or_default();
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    lines.map(<[u8]>::to_vec).collect()
}

fn validate(state: &State, batch: &mut Batch) {
    let lines = lines(state, batch);
    let mut errors = Vec::new();
    if lines.is_empty() || lines.len() > MOST_LINES {
        errors.push(json!({"code": "invalid_input", "message": "The input file has no lines, or too many.",
            "line": null, "param": null}));
    }
    let endpoint = batch.shown["endpoint"].clone();
    for (number, line) in lines.iter().enumerate() {
        let problem = match serde_json::from_slice::<Map<String, Value>>(line) {
            Err(_) => "This line is not parseable as valid JSON.",
            Ok(line) if line.text("custom_id").is_none() => "Missing required parameter: 'custom_id'.",
            Ok(line) if line.get("url") != Some(&endpoint) => "The URL does not match the batch's endpoint.",
            Ok(line) if !line.get("body").is_some_and(Value::is_object) => {
                "Missing required parameter: 'body'."
            }
            Ok(_) => continue,
        };
        errors.push(
            json!({"code": "invalid_json_line", "message": problem, "line": number + 1, "param": null}),
        );
    }
    if errors.is_empty() {
        batch.shown["request_counts"]["total"] = json!(lines.len());
        batch.enter("in_progress");
    } else {
        errors.truncate(100);
        batch.shown["errors"] = json!({"object": "list", "data": errors});
        batch.enter("failed");
    }
}

fn run(app: &App, state: &mut State, batch: &mut Batch) {
    let endpoint = batch.shown["endpoint"].as_str().unwrap_or_default().to_owned();
    let (mut good, mut bad, mut counts) = (String::new(), String::new(), (0, 0));
    let mut usage = Usage::default();
    for line in lines(state, batch) {
        let Ok(line) = serde_json::from_slice::<Map<String, Value>>(&line) else { continue };
        let body = line.get("body").and_then(Value::as_object).cloned().unwrap_or_default();
        batch.shown["model"] = body.copy("model");
        let answer = one(app, state, &endpoint, &body);
        let (sink, status, body) = match answer {
            Ok(body) => {
                counts.0 += 1;
                usage.add(&body["usage"]);
                (&mut good, 200, body)
            }
            Err(fault) => {
                counts.1 += 1;
                (&mut bad, fault.status.as_u16(), fault.body())
            }
        };
        let response = json!({"status_code": status, "request_id": ids::hex("req_", 32), "body": body});
        let answered = json!({
            "id": ids::hex("batch_req_", 32), "custom_id": line.copy("custom_id"), "response": response, "error": null,
        });
        sink.push_str(&answered.to_string());
        sink.push('\n');
    }
    batch.shown["request_counts"]["completed"] = json!(counts.0);
    batch.shown["request_counts"]["failed"] = json!(counts.1);
    let id = batch.shown["id"].as_str().unwrap_or_default().to_owned();
    for (field, text, name) in [("output_file_id", good, "output"), ("error_file_id", bad, "error")] {
        if !text.is_empty() {
            let content = Content::of(text.as_bytes(), &app.budget);
            let file = File::new(&format!("{id}_{name}.jsonl"), "batch_output", content);
            batch.shown[field] = json!(state.add_file(file));
        }
    }
    batch.shown["usage"] = usage.response();
    batch.enter("finalizing");
}

fn one(app: &App, state: &mut State, endpoint: &str, body: &Map<String, Value>) -> Result<Value, Fault> {
    match endpoint {
        "/v1/chat/completions" => {
            let completion = chat::complete(state, body)?;
            if body.is_true("store") {
                state.store_chat(app, &completion, body)?;
            }
            Ok(completion.shown())
        }
        "/v1/responses" => Ok(responses::respond(state, body)?.0),
        "/v1/embeddings" => text::embed(state, body),
        "/v1/completions" => Ok(text::complete(state, body)?.0),
        _ => text::moderate(state, body),
    }
}
