//! Runs of an assistant on a thread, and their steps. A run is at its end at once, unless it waits for what its tools say.

use serde_json::{Map, Value, json};

use super::account::{App, State, seconds};
use super::assistants::Shown;
use super::call::{Call, Fields};
use super::echo;
use super::ids;
use super::reply::{Answer, Fault};
use super::router::unknown;
use super::run_stream;
use super::table::{Paging, Table};
use super::threads::{self, found};

/// A run with its steps.
pub(super) struct Run {
    shown: Shown,
    steps: Table<Shown>,
}

/// What was made of a run: what a stream tells of it.
pub(super) struct Told {
    pub(super) thread: Option<Value>,
    pub(super) run: Value,
    pub(super) step: Value,
    pub(super) message: Option<Value>,
}

pub(super) async fn route(app: &App, call: &mut Call, thread: &str, path: &[&str]) -> Answer {
    match (call.method.as_str(), path) {
        ("POST", []) => {
            let body = call.json().await?;
            let mut state = app.state();
            found(&mut state, thread)?;
            threads::say(app, &mut state, thread, body.get("additional_messages"))?;
            answer(app, &mut state, thread, &body, false)
        }
        ("GET", []) => {
            let paging = Paging::of(call, 20, 100)?;
            let mut state = app.state();
            let runs = found(&mut state, thread)?.runs.iter();
            Ok(paging.cut(runs.map(|(id, run)| (id.to_owned(), run.shown.value.clone())))?.full().into())
        }
        ("GET", [id]) => Ok(run(&mut app.state(), thread, id)?.shown.value.clone().into()),
        ("POST", [id]) => {
            let body = call.json().await?;
            let mut state = app.state();
            let run = run(&mut state, thread, id)?;
            run.shown.take(&body, &["metadata"]);
            Ok(run.shown.value.clone().into())
        }
        ("POST", [id, "cancel"]) => {
            let mut state = app.state();
            let run = run(&mut state, thread, id)?;
            if run.shown.value["status"] != "requires_action" {
                return Err(Fault::invalid(format!("Cannot cancel run '{id}': it is at its end.")));
            }
            run.shown.value["status"] = json!("cancelled");
            run.shown.value["required_action"] = Value::Null;
            Ok(run.shown.value.clone().into())
        }
        ("POST", [id, "submit_tool_outputs"]) => submit(app, call, thread, id).await,
        ("GET", [id, "steps"]) => {
            let paging = Paging::of(call, 20, 100)?;
            let mut state = app.state();
            let steps = run(&mut state, thread, id)?.steps.iter();
            Ok(paging.cut(steps.map(|(id, step)| (id.to_owned(), step.value.clone())))?.full().into())
        }
        ("GET", [id, "steps", step]) => {
            let mut state = app.state();
            let step_shown = run(&mut state, thread, id)?.steps.get(step);
            Ok(step_shown.ok_or_else(|| Fault::missing("run step", step))?.value.clone().into())
        }
        _ => Err(unknown(call)),
    }
}

fn run<'s>(state: &'s mut State, thread: &str, id: &str) -> Result<&'s mut Run, Fault> {
    found(state, thread)?.runs.get_mut(id).ok_or_else(|| Fault::missing("run", id))
}

/// `POST /v1/threads/runs`: a thread and a run on it.
pub(super) async fn with_thread(app: &App, call: &mut Call) -> Answer {
    let body = call.json().await?;
    let mut state = app.state();
    let thread = body.get("thread").and_then(Value::as_object).cloned().unwrap_or_default();
    let thread = threads::make(app, &mut state, &thread)?;
    answer(app, &mut state, &thread, &body, true)
}

fn answer(app: &App, state: &mut State, thread: &str, body: &Map<String, Value>, made: bool) -> Answer {
    let assistant = body.required("assistant_id")?;
    let known = state.assistants.get(assistant).ok_or_else(|| Fault::missing("assistant", assistant))?;
    let mut asked = body.clone();
    for name in ["model", "tools", "instructions"] {
        if asked.get(name).is_none_or(Value::is_null) {
            asked.insert(name.to_owned(), known.value[name].clone());
        }
    }
    let model = asked.required("model")?.to_owned();
    state.check_model(&model)?;
    let id = ids::letters("run_", 24);
    let shown = json!({
        "id": id, "object": "thread.run", "created_at": seconds(), "thread_id": thread, "assistant_id": assistant,
        "status": "in_progress", "required_action": null, "last_error": null, "expires_at": null,
        "started_at": seconds(), "cancelled_at": null, "failed_at": null, "completed_at": null,
        "incomplete_details": null, "model": model, "instructions": asked.copy("instructions"),
        "tools": asked.copy("tools"), "metadata": body.get("metadata").cloned().unwrap_or_else(|| json!({})),
        "usage": null, "temperature": 1.0, "top_p": 1.0, "max_prompt_tokens": null, "max_completion_tokens": null,
        "truncation_strategy": {"type": "auto", "last_messages": null}, "tool_choice": "auto",
        "parallel_tool_calls": true, "response_format": "auto",
    });
    let run = Run { shown: Shown::new(app, shown)?, steps: Table::default() };
    found(state, thread)?.runs.insert(&id, run);
    let (last, all) = threads::last(found(state, thread)?);
    let mut told = speak(app, state, thread, &id, &asked, ("user", &last, &all))?;
    if made {
        told.thread = state.threads.get(thread).map(|_| json!({
            "id": thread, "object": "thread", "created_at": seconds(), "metadata": {}, "tool_resources": {},
        }));
    }
    given(app, body, &told)
}

fn given(app: &App, body: &Map<String, Value>, told: &Told) -> Answer {
    if body.is_true("stream") {
        let model = told.run["model"].as_str().unwrap_or_default();
        return Ok(super::sse::reply(&app.options, model, run_stream::events(told)));
    }
    Ok(told.run.clone().into())
}

/// Lets the model answer: with a message, or with calls of tools that the run then waits for.
fn speak(
    app: &App,
    state: &mut State,
    thread: &str,
    id: &str,
    asked: &Map<String, Value>,
    (role, last, all): (&str, &str, &str),
) -> Result<Told, Fault> {
    let model = asked.text("model").unwrap_or_default();
    let usage = echo::prompt(state, all, "");
    let said = echo::speak(asked, model, role, last, usage);
    let total = said.usage.input + said.usage.output;
    let usage = json!({
        "prompt_tokens": said.usage.input, "completion_tokens": said.usage.output, "total_tokens": total,
        "prompt_token_details": {"cached_tokens": said.usage.cached, "cache_write_tokens": said.usage.input},
    });
    let (details, action, message) = if said.calls.is_empty() {
        let assistant = run(state, thread, id)?.shown.value["assistant_id"].clone();
        let message = threads::message(
            app,
            state,
            thread,
            json!({
                "role": "assistant", "content": [threads::text_part(&said.text)], "attachments": [],
                "assistant_id": assistant, "run_id": id, "metadata": {},
            }),
        )?;
        let details = json!({"type": "message_creation", "message_creation": {"message_id": message["id"]}});
        (details, Value::Null, Some(message))
    } else {
        let calls: Vec<Value> = said
            .calls
            .iter()
            .map(|call| {
                json!({
                    "id": call.id, "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments, "output": null},
                })
            })
            .collect();
        let action = json!({"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}});
        (json!({"type": "tool_calls", "tool_calls": calls}), action, None)
    };
    let waits = !action.is_null();
    let run = run(state, thread, id)?;
    let shown = &mut run.shown.value;
    shown["status"] = json!(if waits { "requires_action" } else { "completed" });
    shown["required_action"] = action;
    shown["completed_at"] = if waits { Value::Null } else { json!(seconds()) };
    shown["usage"] = usage.clone();
    let step_id = ids::letters("step_", 24);
    let step = json!({
        "id": step_id, "object": "thread.run.step", "created_at": seconds(), "thread_id": thread, "run_id": id,
        "assistant_id": shown["assistant_id"], "type": details["type"], "step_details": details,
        "status": if waits { "in_progress" } else { "completed" }, "last_error": null, "expired_at": null,
        "cancelled_at": null, "failed_at": null, "completed_at": shown["completed_at"], "metadata": {},
        "usage": usage,
    });
    let run_shown = shown.clone();
    run.steps.insert(&step_id, Shown::new(app, step.clone())?);
    Ok(Told { thread: None, run: run_shown, step, message })
}

async fn submit(app: &App, call: &mut Call, thread: &str, id: &str) -> Answer {
    let body = call.json().await?;
    let mut state = app.state();
    let waiting = run(&mut state, thread, id)?;
    let calls = waiting.shown.value["required_action"]["submit_tool_outputs"]["tool_calls"].clone();
    let calls = calls.as_array().cloned().unwrap_or_default();
    if calls.is_empty() {
        return Err(Fault::invalid(format!("Run '{id}' waits for no tool.")));
    }
    let mut outputs = Vec::new();
    for output in body.get("tool_outputs").and_then(Value::as_array).into_iter().flatten() {
        if !calls.iter().any(|call| Some(&call["id"]) == output.get("tool_call_id")) {
            return Err(Fault::invalid(format!("Run '{id}' made no such call.")).param("tool_outputs"));
        }
        outputs.extend(output.get("output").and_then(Value::as_str).map(str::to_owned));
    }
    let asked = waiting.shown.value.as_object().cloned().unwrap_or_default();
    let last = outputs.join("\n");
    let told = speak(app, &mut state, thread, id, &asked, ("tool", &last, &last))?;
    given(app, &body, &told)
}
