//! `/v1/evals`: criteria, and runs that are done as soon as they are asked for.

use serde_json::{Map, Value, json};

use super::account::{App, State, seconds};
use super::assistants::Shown;
use super::call::{Call, Fields};
use super::echo;
use super::ids;
use super::reply::{Answer, Fault, Reply};
use super::router::unknown;
use super::table::{Paging, Table};

/// How many records of a run are looked at.
const MOST_RECORDS: usize = 100;

/// An evaluation with its runs.
pub(super) struct Eval {
    shown: Shown,
    runs: Table<EvalRun>,
}

/// A run with what came of each record.
struct EvalRun {
    shown: Shown,
    items: Table<Shown>,
}

pub(super) async fn route(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    match (call.method.as_str(), path) {
        ("POST", []) => create(app, call).await,
        ("GET", []) => {
            let paging = Paging::of(call, 20, 100)?.usually_oldest_first(call);
            let state = app.state();
            let all = state.evals.iter().map(|(id, eval)| (id.to_owned(), eval.shown.value.clone()));
            Ok(paging.cut(all)?.full().into())
        }
        ("GET", [id]) => Ok(found(&mut app.state(), id)?.shown.value.clone().into()),
        ("POST", [id]) => {
            let body = call.json().await?;
            let mut state = app.state();
            let eval = found(&mut state, id)?;
            eval.shown.take(&body, &["name", "metadata"]);
            Ok(eval.shown.value.clone().into())
        }
        ("DELETE", [id]) => {
            app.state().evals.remove(id).ok_or_else(|| missing(id))?;
            Ok(json!({"eval_id": id, "object": "eval.deleted", "deleted": true}).into())
        }
        (_, [id, "runs", rest @ ..]) => runs(app, call, id, rest).await,
        _ => Err(unknown(call)),
    }
}

fn missing(id: &str) -> Fault {
    Fault::missing("eval", id)
}

fn found<'s>(state: &'s mut State, id: &str) -> Result<&'s mut Eval, Fault> {
    state.evals.get_mut(id).ok_or_else(|| missing(id))
}

async fn create(app: &App, call: &mut Call) -> Answer {
    let body = call.json().await?;
    let mut state = app.state();
    for criterion in body.get("testing_criteria").and_then(Value::as_array).into_iter().flatten() {
        if let Some(model) = criterion.get("model").and_then(Value::as_str) {
            state.check_model(model)?;
        }
    }
    let config = body.get("data_source_config").cloned();
    let config = config.ok_or_else(|| Fault::invalid("Missing required parameter: 'data_source_config'."))?;
    let id = ids::hex("eval_", 32);
    let value = json!({
        "id": id, "object": "eval", "created_at": seconds(), "name": body.text("name").unwrap_or("Eval"),
        "data_source_config": {"type": config["type"], "schema": config["item_schema"]},
        "testing_criteria": body.copy("testing_criteria"), "metadata": body.copy("metadata"),
    });
    let shown = Shown::new(app, value.clone())?;
    state.evals.insert(&id, Eval { shown, runs: Table::default() });
    Ok(Reply::Created(value))
}

async fn runs(app: &App, call: &mut Call, eval: &str, path: &[&str]) -> Answer {
    let gone = |id: &str| Fault::missing("eval run", id);
    match (call.method.as_str(), path) {
        ("POST", []) => run(app, call, eval).await,
        ("GET", []) => {
            let paging = Paging::of(call, 20, 100)?.usually_oldest_first(call);
            let mut state = app.state();
            let all = found(&mut state, eval)?.runs.iter();
            Ok(paging.cut(all.map(|(id, run)| (id.to_owned(), run.shown.value.clone())))?.full().into())
        }
        ("GET", [id]) => {
            let mut state = app.state();
            Ok(found(&mut state, eval)?.runs.get(id).ok_or_else(|| gone(id))?.shown.value.clone().into())
        }
        // The specification's path, and that of the official SDKs.
        ("POST", [id] | [id, "cancel"]) => {
            let mut state = app.state();
            let run = found(&mut state, eval)?.runs.get_mut(id).ok_or_else(|| gone(id))?;
            run.shown.value["status"] = json!("canceled");
            Ok(run.shown.value.clone().into())
        }
        ("DELETE", [id]) => {
            found(&mut app.state(), eval)?.runs.remove(id).ok_or_else(|| gone(id))?;
            Ok(json!({"run_id": id, "object": "eval.run.deleted", "deleted": true}).into())
        }
        ("GET", [id, "output_items"]) => {
            let paging = Paging::of(call, 20, 100)?.usually_oldest_first(call);
            let mut state = app.state();
            let run = found(&mut state, eval)?.runs.get(id).ok_or_else(|| gone(id))?;
            let all = run.items.iter().map(|(id, item)| (id.to_owned(), item.value.clone()));
            Ok(paging.cut(all)?.full().into())
        }
        ("GET", [id, "output_items", item]) => {
            let mut state = app.state();
            let run = found(&mut state, eval)?.runs.get(id).ok_or_else(|| gone(id))?;
            let item = run.items.get(item).ok_or_else(|| Fault::missing("output item", item))?;
            Ok(item.value.clone().into())
        }
        _ => Err(unknown(call)),
    }
}

/// The records of a run: what the request holds, or the lines of a file.
fn records(state: &State, source: &Value) -> Result<Vec<Value>, Fault> {
    match source["type"].as_str() {
        Some("file_content") => {
            let content = source["content"].as_array().into_iter().flatten();
            Ok(content.map(|record| record["item"].clone()).collect())
        }
        Some("file_id") => {
            let file = state.file(source["id"].as_str().unwrap_or_default())?;
            let text =
                String::from_utf8_lossy(file.content.bytes.as_deref().unwrap_or_default()).into_owned();
            let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            Ok(lines.map(|record| record.get("item").cloned().unwrap_or(record)).collect())
        }
        // The account's own: what anybody stored.
        Some("stored_completions") => Ok(state.chats.iter().map(|(id, _)| json!({"id": id})).collect()),
        Some("responses") => Ok(state.responses.iter().map(|(id, _)| json!({"id": id})).collect()),
        _ => Err(Fault::invalid("Unknown 'data_source.source.type'.").param("data_source")),
    }
}

async fn run(app: &App, call: &mut Call, eval: &str) -> Answer {
    let body = call.json().await?;
    let source = body.get("data_source").and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
    let mut state = app.state();
    found(&mut state, eval)?;
    let model = source.text("model").unwrap_or("gpt-4o-mini").to_owned();
    state.check_model(&model)?;
    let records = records(&state, &source.copy("source"))?;
    let id = ids::hex("evalrun_", 32);
    let tokens: usize = records.iter().map(|record| echo::tokens(&record.to_string())).sum();
    let value = json!({
        "id": id, "object": "eval.run", "eval_id": eval, "status": "completed", "model": model,
        "name": body.text("name").unwrap_or("Run"), "created_at": seconds(), "metadata": body.copy("metadata"),
        "report_url": format!("https://platform.openai.com/evaluations/{eval}?project_id=proj_sandboxshared&run_id={id}"),
        "result_counts": {"total": records.len(), "passed": records.len(), "failed": 0, "errored": 0},
        "per_model_usage": [{
            "model_name": model, "invocation_count": records.len(), "prompt_tokens": tokens,
            "completion_tokens": 0, "total_tokens": tokens, "cached_tokens": tokens / 2,
        }],
        "per_testing_criteria_results": [], "data_source": source, "error": null,
    });
    let mut items = Table::default();
    for (number, record) in records.into_iter().take(MOST_RECORDS).enumerate() {
        let item = ids::hex("outputitem_", 32);
        let shown = json!({
            "id": item, "object": "eval.run.output_item", "created_at": seconds(), "run_id": id, "eval_id": eval,
            "status": "pass", "datasource_item_id": number, "datasource_item": record, "results": [],
            "sample": {
                "input": [], "output": [{"role": "assistant", "content": record.to_string()}], "model": model,
                "finish_reason": "stop", "error": null, "temperature": 1.0, "max_completion_tokens": 16,
                "top_p": 1.0, "seed": 7,
                "usage": {"total_tokens": 9, "completion_tokens": 1, "prompt_tokens": 8, "cached_tokens": 8},
            },
        });
        items.insert(&item, Shown::new(app, shown)?);
    }
    let shown = Shown::new(app, value.clone())?;
    found(&mut state, eval)?.runs.insert(&id, EvalRun { shown, items });
    Ok(Reply::Created(value))
}
