//! `/v1/fine_tuning/alpha/graders`: criteria that are tried on one answer, before a job is trained by them.

use serde_json::{Map, Value, json};

use super::account::{App, State};
use super::call::{Call, Fields};
use super::echo;
use super::reply::{Answer, Fault};

/// How deep graders may stand in one another.
const DEEPEST: usize = 4;

pub(super) async fn route(app: &App, call: &mut Call, verb: &str) -> Answer {
    let body = call.json().await?;
    let grader = body.get("grader").cloned().unwrap_or_default();
    let state = app.state();
    check(&state, &grader, DEEPEST)?;
    if verb == "validate" {
        return Ok(json!({"grader": grader}).into());
    }
    let sample = body.required("model_sample")?;
    Ok(graded(&grader, sample, &body.copy("item")).into())
}

/// A grader has a type and a name, and the models that it asks are there.
fn check(state: &State, grader: &Value, deeper: usize) -> Result<(), Fault> {
    let wrong = |what: &str| Fault::invalid(format!("Invalid grader: {what}.")).param("grader");
    let grader = grader.as_object().ok_or_else(|| wrong("it is no object"))?;
    if grader.text("type").is_none() || grader.text("name").is_none() {
        return Err(wrong("it has no 'type' or no 'name'"));
    }
    if let Some(model) = grader.text("model") {
        state.check_model(model)?;
    }
    let Some(inner) = grader.get("graders").and_then(Value::as_object) else { return Ok(()) };
    let deeper = deeper.checked_sub(1).ok_or_else(|| wrong("it is too deep"))?;
    inner.values().try_for_each(|each| check(state, each, deeper))
}

fn graded(grader: &Value, sample: &str, item: &Value) -> Value {
    let inner = grader["graders"].as_object().cloned().unwrap_or_default();
    let rewards: Map<String, Value> =
        inner.iter().map(|(name, each)| (name.clone(), json!(reward(each, sample, item)))).collect();
    let models: Map<String, Value> = std::iter::once(grader)
        .chain(inner.values())
        .filter_map(|each| each["model"].as_str())
        .map(|model| (model.to_owned(), json!({"total_tokens": echo::tokens(sample)})))
        .collect();
    let errors = [
        "formula_parse_error",
        "sample_parse_error",
        "truncated_observation_error",
        "unresponsive_reward_error",
        "invalid_variable_error",
        "other_error",
        "python_grader_server_error",
        "python_grader_runtime_error",
        "model_grader_server_error",
        "model_grader_refusal_error",
        "model_grader_parse_error",
    ];
    json!({
        "reward": reward(grader, sample, item), "sub_rewards": rewards, "model_grader_token_usage_per_model": models,
        "metadata": {
            "name": grader["name"], "type": grader["type"], "execution_time": 0.01, "scores": rewards,
            "errors": errors.map(|name| (name.to_owned(), json!(false))).into_iter().collect::<Map<_, _>>(),
            "token_usage": echo::tokens(sample), "sampled_model_name": grader["model"],
        },
    })
}

/// Texts that are compared are compared; several graders give their mean; a model likes everything that says something.
fn reward(grader: &Value, sample: &str, item: &Value) -> f64 {
    if let Some(inner) = grader["graders"].as_object().filter(|inner| !inner.is_empty()) {
        let count = u32::try_from(inner.len()).unwrap_or(u32::MAX);
        return inner.values().map(|each| reward(each, sample, item)).sum::<f64>() / f64::from(count);
    }
    let good = if grader["type"] == "string_check" {
        filled(&grader["input"], sample, item) == filled(&grader["reference"], sample, item)
    } else {
        !sample.is_empty()
    };
    f64::from(u8::from(good))
}

/// A template with what it names put in.
fn filled(template: &Value, sample: &str, item: &Value) -> String {
    let mut text = template.as_str().unwrap_or_default().replace("{{sample.output_text}}", sample);
    for (name, value) in item.as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text = text.replace(&format!("{{{{item.{name}}}}}"), &value);
    }
    text
}
