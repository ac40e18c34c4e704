//! `/v1/fine_tuning`: jobs, and the way to the graders.

use serde_json::{Map, Value, json};

use super::account::App;
use super::call::{Call, Fields};
use super::graders;
use super::ids;
use super::reply::{Answer, Fault};
use super::router::unknown;
use super::table::Paging;
use super::training::{self, Job};

pub(super) async fn route(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    match (call.method.as_str(), path) {
        ("POST", ["jobs"]) => create(app, call).await,
        ("GET", ["jobs"]) => list(app, call),
        ("GET", ["jobs", id]) => retrieve(app, id),
        ("POST", ["jobs", id, verb @ ("cancel" | "pause" | "resume")]) => control(app, id, verb),
        ("GET", ["jobs", id, "events"]) => logged(app, call, id, 20, |job| job.events.clone()),
        ("POST", ["alpha", "graders", verb @ ("run" | "validate")]) => graders::route(app, call, verb).await,
        ("GET", ["jobs", id, "checkpoints"]) => logged(app, call, id, 10, |job| job.checkpoints.clone()),
        _ => Err(unknown(call)),
    }
}

fn missing(id: &str) -> Fault {
    Fault::missing("fine-tune job", id).code("fine_tune_not_found")
}

async fn create(app: &App, call: &mut Call) -> Answer {
    let body = call.json().await?;
    let mut state = app.state();
    let model = body.required("model")?;
    state.check_model(model)?;
    let training_file = body.required("training_file")?;
    let named = [Some(training_file), body.text("validation_file")];
    for (file, param) in named.into_iter().zip(["training_file", "validation_file"]) {
        if let Some(file) = file.filter(|file| state.files.get(file).is_none()) {
            return Err(Fault::invalid(format!("invalid {param}: {file}"))
                .param(param)
                .code("file_not_found"));
        }
    }
    let suffix = body.text("suffix").unwrap_or_default();
    if suffix.chars().count() > 64 {
        return Err(Fault::invalid("'suffix' is longer than 64 characters.").param("suffix"));
    }
    let mut job = Job::new(model, training_file);
    job.suffix = suffix
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    job.validation_file = body.copy("validation_file");
    job.method = method(&body);
    job.hyperparameters = hyperparameters(&body);
    job.metadata = body.copy("metadata");
    job.integrations = body.get("integrations").cloned().unwrap_or_else(|| json!([]));
    job.seed = body.get("seed").cloned().unwrap_or_else(|| json!(42));
    let id = ids::letters("ftjob-", 24);
    job.tell("info", "message", &format!("Created fine-tuning job: {id}"), &json!({}));
    let shown = job.shown(&id);
    if state.jobs.insert(&id, job).is_some() {
        let known: std::collections::BTreeSet<_> = state.jobs.iter().map(|(id, _)| id.to_owned()).collect();
        state.live_jobs.retain(|id| known.contains(id));
    }
    state.live_jobs.insert(id);
    Ok(shown.into())
}

fn hyperparameters(body: &Map<String, Value>) -> Value {
    body.get("hyperparameters").filter(|value| value.is_object()).cloned().unwrap_or_else(
        || json!({"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"}),
    )
}

fn method(body: &Map<String, Value>) -> Value {
    let usual = || json!({"type": "supervised", "supervised": {"hyperparameters": hyperparameters(body)}});
    body.get("method").filter(|value| value.is_object()).cloned().unwrap_or_else(usual)
}

fn list(app: &App, call: &Call) -> Answer {
    let paging = Paging::of(call, 20, 100)?;
    let wanted = call.query_map("metadata");
    let state = app.state();
    let matching = state.jobs.iter().filter(|(_, job)| {
        wanted.iter().all(|(key, value)| job.metadata.get(key).and_then(Value::as_str) == Some(value))
    });
    Ok(paging.cut(matching.map(|(id, job)| (id.to_owned(), job.shown(id))))?.short().into())
}

fn retrieve(app: &App, id: &str) -> Answer {
    let mut state = app.state();
    let next = state.jobs.get(id).ok_or_else(|| missing(id))?.next();
    if app.options.step_by_poll {
        training::advance(app, &mut state, id, next);
    }
    Ok(state.jobs.get(id).ok_or_else(|| missing(id))?.shown(id).into())
}

fn control(app: &App, id: &str, verb: &str) -> Answer {
    let mut state = app.state();
    let job = state.jobs.get_mut(id).ok_or_else(|| missing(id))?;
    match (verb, job.status) {
        ("resume", "paused") => job.resume(),
        ("pause", "validating_files" | "queued" | "running") => job.pause(),
        ("cancel", "validating_files" | "queued" | "running" | "paused") => job.cancel(),
        (_, status) => return Err(Fault::invalid(format!("Job {id} is {status}: it can't {verb}."))),
    }
    let (shown, over) = (job.shown(id), job.is_over());
    if over {
        state.live_jobs.remove(id);
    }
    Ok(shown.into())
}

fn logged(app: &App, call: &Call, id: &str, usual: usize, what: fn(&Job) -> Vec<(String, Value)>) -> Answer {
    let paging = Paging::of(call, usual, 100)?;
    let state = app.state();
    let page = paging.cut(what(state.jobs.get(id).ok_or_else(|| missing(id))?))?;
    Ok(if usual == 20 { page.short() } else { page.full() }.into())
}
