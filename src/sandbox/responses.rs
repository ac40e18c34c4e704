//! `/v1/responses`.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::account::{App, State, seconds};
use super::call::{Call, Fields};
use super::content::Kept;
use super::conversations;
use super::echo;
use super::ids;
use super::reply::{Answer, Fault, Reply};
use super::response_items;
use super::response_stream;
use super::router::unknown;
use super::table::Paging;

/// A stored response with its input.
pub(super) struct Stored {
    shown: Value,
    /// What a background response becomes.
    later: Option<Value>,
    input: Vec<(String, Value)>,
    _kept: Kept,
}

pub(super) async fn route(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    match (call.method.as_str(), path) {
        ("POST", []) => create(app, call).await,
        ("POST", ["input_tokens"]) => {
            let body = call.json().await?;
            let count = echo::tokens(&response_items::last(&response_items::input(&body)).2);
            Ok(json!({"object": "response.input_tokens", "input_tokens": count}).into())
        }
        ("POST", ["compact"]) => compact(app, call).await,
        ("GET", [id]) => retrieve(app, call, id),
        ("DELETE", [id]) => {
            app.state().responses.remove(id).ok_or_else(|| missing(id))?;
            Ok(json!({"id": id, "object": "response", "deleted": true}).into())
        }
        ("POST", [id, "cancel"]) => cancel(app, id),
        ("GET", [id, "input_items"]) => {
            let paging = Paging::of(call, 20, 100)?;
            let state = app.state();
            let stored = state.responses.get(id).ok_or_else(|| missing(id))?;
            Ok(paging.cut(stored.input.clone())?.full().into())
        }
        _ => Err(unknown(call)),
    }
}

fn missing(id: &str) -> Fault {
    Fault::invalid(format!("Response with id '{id}' not found.")).status(StatusCode::NOT_FOUND)
}

async fn create(app: &App, call: &mut Call) -> Answer {
    let body = call.json().await?;
    let background = body.is_true("background");
    let mut state = app.state();
    let (shown, input) = respond(&mut state, &body)?;
    let id = shown["id"].as_str().unwrap_or_default().to_owned();
    if let Some(conversation) = response_items::conversation(&body) {
        let said = response_items::items_of(Some(&shown["output"]));
        conversations::add(app, &mut state, conversation, input.iter().cloned().chain(said))?;
    }
    let model = shown["model"].as_str().unwrap_or_default().to_owned();
    let stores = shown["store"] == true;
    if background && !stores {
        return Err(Fault::invalid("Background mode needs 'store' to be true.").param("background"));
    }
    let mut now = shown.clone();
    if background {
        now["status"] = json!("queued");
        now["output"] = json!([]);
        now["usage"] = Value::Null;
    }
    if stores {
        let size = body.values().map(|value| value.to_string().len()).sum::<usize>();
        let kept = app.budget.reserve(size * 3).ok_or_else(|| Fault::invalid("The sandbox is full."))?;
        let later = background.then(|| shown.clone());
        state.responses.insert(&id, Stored { shown: now.clone(), later, input, _kept: kept });
    }
    if body.is_true("stream") {
        return Ok(super::sse::reply(&app.options, &model, response_stream::events(&shown)));
    }
    Ok(Reply::Json(now))
}

/// Answers; used by batches as well. Gives the response and its input items.
pub(super) fn respond(
    state: &mut State,
    body: &Map<String, Value>,
) -> Result<(Value, Vec<(String, Value)>), Fault> {
    let model = body.required("model")?;
    state.check_model(model)?;
    let items = response_items::input(body);
    if items.is_empty() {
        return Err(Fault::invalid("Missing required parameter: 'input'.").param("input"));
    }
    response_items::check(state, body, &items)?;
    let (role, last, all) = response_items::last(&items);
    let usage = echo::prompt(state, &all, body.text("prompt_cache_key").unwrap_or_default());
    let said = echo::speak(body, model, role, &last, usage);
    let or =
        |name: &str, usual: Value| body.get(name).filter(|value| !value.is_null()).cloned().unwrap_or(usual);
    let shown = json!({
        "id": ids::hex("resp_", 48), "object": "response", "created_at": seconds(), "status": "completed",
        "background": or("background", json!(false)), "completed_at": seconds(), "error": null,
        "incomplete_details": null, "instructions": body.copy("instructions"),
        "max_output_tokens": body.copy("max_output_tokens"), "model": model,
        "output": response_items::output(&said), "parallel_tool_calls": or("parallel_tool_calls", json!(true)),
        "conversation": response_items::conversation(body).map(|id| json!({"id": id})),
        "previous_response_id": body.copy("previous_response_id"), "prompt_cache_key": body.copy("prompt_cache_key"),
        "reasoning": {"effort": null, "summary": null}, "safety_identifier": body.copy("safety_identifier"),
        "service_tier": "default", "store": or("store", json!(true)), "temperature": or("temperature", json!(1.0)),
        "text": or("text", json!({"format": {"type": "text"}})), "tool_choice": or("tool_choice", json!("auto")),
        "tools": or("tools", json!([])), "top_p": or("top_p", json!(1.0)), "truncation": "disabled",
        "usage": said.usage.response(), "user": body.copy("user"), "metadata": or("metadata", json!({})),
    });
    Ok((shown, items))
}

fn retrieve(app: &App, call: &Call, id: &str) -> Answer {
    let mut state = app.state();
    let stored = state.responses.get_mut(id).ok_or_else(|| missing(id))?;
    if let Some(done) = stored.later.take() {
        stored.shown = done;
    }
    if call.query("stream") == Some("true") {
        let model = stored.shown["model"].as_str().unwrap_or_default();
        let from = call.query("starting_after").and_then(|text| text.parse::<usize>().ok());
        let events = response_stream::events(&stored.shown);
        let rest = events.into_iter().skip(from.map_or(0, |after| after.saturating_add(1))).collect();
        return Ok(super::sse::reply(&app.options, model, rest));
    }
    Ok(stored.shown.clone().into())
}

fn cancel(app: &App, id: &str) -> Answer {
    let mut state = app.state();
    let stored = state.responses.get_mut(id).ok_or_else(|| missing(id))?;
    if stored.later.take().is_none() {
        return Err(Fault::invalid(format!(
            "Cannot cancel response '{id}': it is not running in the background."
        )));
    }
    stored.shown["status"] = json!("cancelled");
    Ok(stored.shown.clone().into())
}

async fn compact(app: &App, call: &mut Call) -> Answer {
    let body = call.json().await?;
    let mut state = app.state();
    let (shown, input) = respond(&mut state, &body)?;
    let output: Vec<_> = input.into_iter().map(|(_, item)| item).collect();
    let id = ids::hex("resp_", 48);
    Ok(json!({
        "id": id, "object": "response.compaction", "created_at": seconds(), "output": output, "usage": shown["usage"],
    })
    .into())
}
