//! `/v1/threads`: conversations of the Assistants API, and the messages in them.

use serde_json::{Map, Value, json};

use super::account::{App, State, seconds};
use super::assistants::{Shown, check_resources};
use super::call::{Call, Fields};
use super::echo;
use super::ids;
use super::reply::{Answer, Fault};
use super::router::unknown;
use super::runs::{self, Run};
use super::table::{Paging, Table};

/// A thread with what was said in it and done for it.
pub(super) struct Thread {
    shown: Shown,
    pub(super) messages: Table<Shown>,
    pub(super) runs: Table<Run>,
}

pub(super) async fn route(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    match (call.method.as_str(), path) {
        ("POST", []) => {
            let body = call.json().await?;
            let mut state = app.state();
            let id = make(app, &mut state, &body)?;
            shown(&state, &id)
        }
        ("POST", ["runs"]) => runs::with_thread(app, call).await,
        ("GET", [id]) => shown(&app.state(), id),
        ("POST", [id]) => {
            let body = call.json().await?;
            let mut state = app.state();
            let thread = found(&mut state, id)?;
            thread.shown.take(&body, &["metadata", "tool_resources"]);
            let mut value = thread.shown.value.clone();
            check_resources(&mut state, &mut value)?;
            found(&mut state, id)?.shown.value = value;
            shown(&state, id)
        }
        ("DELETE", [id]) => {
            app.state().threads.remove(id).ok_or_else(|| missing(id))?;
            Ok(json!({"id": id, "object": "thread.deleted", "deleted": true}).into())
        }
        (_, [id, "messages", rest @ ..]) => messages(app, call, id, rest).await,
        (_, [id, "runs", rest @ ..]) => runs::route(app, call, id, rest).await,
        _ => Err(unknown(call)),
    }
}

fn missing(id: &str) -> Fault {
    Fault::missing("thread", id)
}

/// A thread that must be there.
pub(super) fn found<'s>(state: &'s mut State, id: &str) -> Result<&'s mut Thread, Fault> {
    state.threads.get_mut(id).ok_or_else(|| missing(id))
}

/// A thread as it is shown.
pub(super) fn shown(state: &State, id: &str) -> Answer {
    Ok(state.threads.get(id).ok_or_else(|| missing(id))?.shown.value.clone().into())
}

/// Makes a thread as a request describes it; returns its id.
pub(super) fn make(app: &App, state: &mut State, body: &Map<String, Value>) -> Result<String, Fault> {
    let id = ids::letters("thread_", 24);
    let mut shown = Shown::new(
        app,
        json!({"id": id, "object": "thread", "created_at": seconds(), "metadata": {}, "tool_resources": {}}),
    )?;
    shown.take(body, &["metadata", "tool_resources"]);
    check_resources(state, &mut shown.value)?;
    state.threads.insert(&id, Thread { shown, messages: Table::default(), runs: Table::default() });
    say(app, state, &id, body.get("messages"))?;
    Ok(id)
}

/// Adds the messages of a request to a thread.
pub(super) fn say(app: &App, state: &mut State, id: &str, messages: Option<&Value>) -> Result<(), Fault> {
    for message in messages.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object) {
        add(app, state, id, message)?;
    }
    Ok(())
}

fn add(app: &App, state: &mut State, thread: &str, body: &Map<String, Value>) -> Result<Value, Fault> {
    let content = match body.get("content") {
        Some(Value::String(text)) => json!([text_part(text)]),
        Some(Value::Array(parts)) => parts.iter().map(part).collect(),
        _ => return Err(Fault::invalid("Missing required parameter: 'content'.").param("content")),
    };
    let images =
        content.as_array().into_iter().flatten().filter_map(|part| part["image_file"].get("file_id"));
    let attached = body.get("attachments").and_then(Value::as_array).into_iter().flatten();
    for file in images.chain(attached.filter_map(|one| one.get("file_id"))).filter_map(Value::as_str) {
        state.file(file)?;
    }
    let role = body.text("role").unwrap_or("user");
    message(
        app,
        state,
        thread,
        json!({
            "role": role, "content": content, "attachments": body.copy("attachments"), "assistant_id": null,
            "run_id": null, "metadata": body.get("metadata").cloned().unwrap_or_else(|| json!({})),
        }),
    )
}

/// Adds a message of which everything but its id is known.
pub(super) fn message(app: &App, state: &mut State, thread: &str, fields: Value) -> Result<Value, Fault> {
    let id = ids::letters("msg_", 24);
    let mut value = json!({
        "id": id, "object": "thread.message", "created_at": seconds(), "thread_id": thread, "status": "completed",
        "completed_at": seconds(), "incomplete_at": null, "incomplete_details": null,
    });
    if let (Some(value), Value::Object(fields)) = (value.as_object_mut(), fields) {
        value.extend(fields);
    }
    let kept = Shown::new(app, value.clone())?;
    found(state, thread)?.messages.insert(&id, kept);
    Ok(value)
}

/// A text as a part of a message.
pub(super) fn text_part(text: &str) -> Value {
    json!({"type": "text", "text": {"value": text, "annotations": []}})
}

fn part(part: &Value) -> Value {
    match part.get("text").and_then(Value::as_str) {
        Some(text) => text_part(text),
        None => part.clone(),
    }
}

/// Who spoke last in a thread, and what; and all that was said.
pub(super) fn last(thread: &Thread) -> (String, String) {
    let said = |message: &Value| {
        let parts = message["content"].as_array().into_iter().flatten();
        let texts: Vec<_> = parts.filter_map(|part| part["text"]["value"].as_str()).collect();
        echo::text_of(&json!(texts.join("\n")))
    };
    let all: Vec<String> = thread.messages.iter().map(|(_, message)| said(&message.value)).collect();
    (all.last().cloned().unwrap_or_default(), all.join("\n"))
}

async fn messages(app: &App, call: &mut Call, thread: &str, path: &[&str]) -> Answer {
    let gone = |id: &str| Fault::missing("message", id);
    match (call.method.as_str(), path) {
        ("POST", []) => {
            let body = call.json().await?;
            let mut state = app.state();
            found(&mut state, thread)?;
            Ok(add(app, &mut state, thread, &body)?.into())
        }
        ("GET", []) => {
            let paging = Paging::of(call, 20, 100)?;
            let run = call.query("run_id").map(str::to_owned);
            let mut state = app.state();
            let all = found(&mut state, thread)?.messages.iter();
            let of = |message: &Value| run.as_ref().is_none_or(|run| message["run_id"] == **run);
            let all =
                all.filter(|(_, one)| of(&one.value)).map(|(id, one)| (id.to_owned(), one.value.clone()));
            Ok(paging.cut(all)?.full().into())
        }
        ("GET", [id]) => {
            let mut state = app.state();
            Ok(found(&mut state, thread)?.messages.get(id).ok_or_else(|| gone(id))?.value.clone().into())
        }
        ("POST", [id]) => {
            let body = call.json().await?;
            let mut state = app.state();
            let message = found(&mut state, thread)?.messages.get_mut(id).ok_or_else(|| gone(id))?;
            message.take(&body, &["metadata"]);
            Ok(message.value.clone().into())
        }
        ("DELETE", [id]) => {
            found(&mut app.state(), thread)?.messages.remove(id).ok_or_else(|| gone(id))?;
            Ok(json!({"id": id, "object": "thread.message.deleted", "deleted": true}).into())
        }
        _ => Err(unknown(call)),
    }
}
