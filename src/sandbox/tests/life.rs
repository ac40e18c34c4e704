use serde_json::{Value, json};

use super::{Running, start};
use crate::sandbox::leaks;

async fn until(sandbox: &Running, path: &str, wanted: &str) -> (Value, Vec<String>) {
    let mut states = Vec::new();
    for _ in 0..20 {
        let got = sandbox.get(path).await.json();
        let state = got["status"].as_str().unwrap().to_owned();
        if states.last() != Some(&state) {
            states.push(state.clone());
        }
        if state == wanted {
            return (got, states);
        }
    }
    panic!("{path} went through {states:?}, never {wanted}");
}

async fn job(sandbox: &Running, content: &str, more: &Value) -> (String, String) {
    let file = sandbox.upload("fine-tune", content).await;
    let mut ask = json!({"model": "gpt-4o-mini", "training_file": file});
    for (name, value) in more.as_object().unwrap() {
        ask[name] = value.clone();
    }
    let made = sandbox.post("/v1/fine_tuning/jobs", ask).await;
    assert_eq!(made.status, 200, "{}", made.text());
    (made.json()["id"].as_str().unwrap().to_owned(), file)
}

#[tokio::test]
async fn a_job_makes_a_model_and_leaks_on_the_way() {
    let sandbox = start(|_| {}).await;
    let (id, file) = job(&sandbox, "{\"messages\":[]}\n", &json!({"suffix": "My Suffix"})).await;
    let path = format!("/v1/fine_tuning/jobs/{id}");
    let (job, states) = until(&sandbox, &path, "succeeded").await;
    assert_eq!(states, ["queued", "running", "succeeded"]);
    let model = job["fine_tuned_model"].as_str().unwrap();
    assert!(model.starts_with("ft:gpt-4o-mini:sandbox-org:my-suffix:"), "{model}");
    assert_eq!(sandbox.get(&format!("/v1/models/{model}")).await.json()["id"], model);
    let result =
        sandbox.get(&format!("/v1/files/{}/content", job["result_files"][0].as_str().unwrap())).await;
    assert!(result.text().starts_with("step,"));

    let events = sandbox.get(&format!("{path}/events?limit=100")).await.json();
    let messages: Vec<_> =
        events["data"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap()).collect();
    let (key, token) = (leaks::provider_key(leaks::seed(&file)), leaks::repository_token(leaks::seed(&file)));
    assert_eq!(messages.iter().filter(|message| message.contains(&key)).count(), 1);
    assert!(
        !messages.iter().any(|message| message.contains(&token)),
        "the token never stands in one message"
    );
    let oldest_first: Vec<_> = messages.iter().rev().copied().collect();
    assert!(oldest_first.concat().contains(&token), "but in two that follow each other");

    let points = sandbox.get(&format!("{path}/checkpoints")).await.json();
    let point = points["data"][0]["fine_tuned_model_checkpoint"].as_str().unwrap();
    let ask = |model: &str| json!({"model": model, "messages": [{"role": "user", "content": "x"}]});
    assert_eq!(sandbox.post("/v1/chat/completions", ask(point)).await.status, 200);
    assert_eq!(sandbox.delete(&format!("/v1/models/{model}")).await.status, 200);
    assert_eq!(sandbox.post("/v1/chat/completions", ask(model)).await.status, 404);
    assert_eq!(sandbox.post("/v1/chat/completions", ask(point)).await.status, 404);
}

#[tokio::test]
async fn a_job_on_a_broken_file_fails_and_says_where() {
    let sandbox = start(|_| {}).await;
    let (id, _) = job(&sandbox, "{\"a\":1}\n\n{\"cut\n", &json!({})).await;
    let (job, _) = until(&sandbox, &format!("/v1/fine_tuning/jobs/{id}"), "failed").await;
    assert!(job["error"]["message"].as_str().unwrap().contains("Line 3"), "{}", job["error"]);
    let missing = json!({"model": "gpt-4o", "training_file": "file-none"});
    let refused = sandbox.post("/v1/fine_tuning/jobs", missing).await;
    assert!(refused.status == 400 && refused.text().contains("file-none"));
}

#[tokio::test]
async fn a_job_is_paused_resumed_and_cancelled() {
    let sandbox = start(|_| {}).await;
    let (id, _) = job(&sandbox, "{}\n", &json!({})).await;
    let path = format!("/v1/fine_tuning/jobs/{id}");
    assert_eq!(sandbox.post(&format!("{path}/pause"), json!({})).await.json()["status"], "paused");
    for _ in 0..8 {
        assert_eq!(sandbox.get(&path).await.json()["status"], "paused");
    }
    assert_eq!(sandbox.post(&format!("{path}/pause"), json!({})).await.status, 400);
    assert_eq!(sandbox.post(&format!("{path}/resume"), json!({})).await.json()["status"], "validating_files");
    assert_eq!(sandbox.post(&format!("{path}/cancel"), json!({})).await.json()["status"], "cancelled");
    assert_eq!(sandbox.post(&format!("{path}/resume"), json!({})).await.status, 400);
    assert_eq!(sandbox.get(&path).await.json()["fine_tuned_model"], Value::Null);
}

/// With time instead of polls.
#[tokio::test]
async fn a_job_goes_on_by_itself() {
    let sandbox = start(|options| (options.step_by_poll, options.step_ms) = (false, 5)).await;
    let (id, _) = job(&sandbox, "{}\n", &json!({})).await;
    tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    assert_eq!(sandbox.get(&format!("/v1/fine_tuning/jobs/{id}")).await.json()["status"], "succeeded");
}

#[tokio::test]
async fn a_batch_answers_each_line_and_tells_of_bad_ones() {
    let sandbox = start(|_| {}).await;
    let line = |id: &str, model: &str| {
        let body = json!({"model": model, "messages": [{"role": "user", "content": id}]});
        json!({"custom_id": id, "method": "POST", "url": "/v1/chat/completions", "body": body}).to_string()
    };
    let file =
        sandbox.upload("batch", &[line("one", "gpt-4o"), line("two", "no-such-model")].join("\n")).await;
    let ask = |file: &str| json!({"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"});
    let id = sandbox.post("/v1/batches", ask(&file)).await.json()["id"].as_str().unwrap().to_owned();
    let (batch, states) = until(&sandbox, &format!("/v1/batches/{id}"), "completed").await;
    assert_eq!(states, ["in_progress", "finalizing", "completed"]);
    assert_eq!(batch["request_counts"], json!({"total": 2, "completed": 1, "failed": 1}));
    let read = |field: &'static str| format!("/v1/files/{}/content", batch[field].as_str().unwrap());
    let good = sandbox.get(&read("output_file_id")).await.json();
    assert_eq!(good["response"]["body"]["choices"][0]["message"]["content"], "You said: one");
    let bad = sandbox.get(&read("error_file_id")).await.json();
    assert_eq!((&bad["custom_id"], &bad["response"]["status_code"]), (&json!("two"), &json!(404)));

    let broken = sandbox.upload("batch", "{\"custom_id\":\"x\"}\nnot json").await;
    let id = sandbox.post("/v1/batches", ask(&broken)).await.json()["id"].as_str().unwrap().to_owned();
    let (batch, _) = until(&sandbox, &format!("/v1/batches/{id}"), "failed").await;
    assert_eq!(batch["errors"]["data"][1]["line"], 2);
    assert_eq!(sandbox.post(&format!("/v1/batches/{id}/cancel"), json!({})).await.status, 400);
}

#[tokio::test]
async fn an_upload_is_put_together_in_the_order_that_is_asked_for() {
    let sandbox = start(|_| {}).await;
    let ask = json!({"filename": "a.txt", "purpose": "user_data", "bytes": 6, "mime_type": "text/plain"});
    let id = sandbox.post("/v1/uploads", ask).await.json()["id"].as_str().unwrap().to_owned();
    let mut parts = Vec::new();
    for text in ["def", "abc"] {
        let form = format!(
            "--cut\r\ncontent-disposition: form-data; name=\"data\"; filename=\"p\"\r\n\r\n{text}\r\n--cut--\r\n"
        );
        let part = sandbox.form(&format!("/v1/uploads/{id}/parts"), &form).await.json();
        parts.push(part["id"].as_str().unwrap().to_owned());
    }
    let short = sandbox.post(&format!("/v1/uploads/{id}/complete"), json!({"part_ids": [parts[0]]})).await;
    assert_eq!(short.status, 400, "the length does not match");
    let unknown =
        sandbox.post(&format!("/v1/uploads/{id}/complete"), json!({"part_ids": ["part_none"]})).await;
    assert!(unknown.status == 404 && unknown.text().contains("part_none"));
    let done = sandbox
        .post(&format!("/v1/uploads/{id}/complete"), json!({"part_ids": [parts[1], parts[0]]}))
        .await
        .json();
    let file = done["file"]["id"].as_str().unwrap();
    assert_eq!(sandbox.get(&format!("/v1/files/{file}/content")).await.text(), "abcdef");
    assert_eq!(sandbox.post(&format!("/v1/uploads/{id}/cancel"), json!({})).await.status, 400);
}

#[tokio::test]
async fn a_vector_store_is_searched() {
    let sandbox = start(|_| {}).await;
    let file = sandbox.upload("assistants", "ants and anteaters\nnothing else\n").await;
    let store = sandbox.post("/v1/vector_stores", json!({"name": "n", "file_ids": [file]})).await.json();
    let path = format!("/v1/vector_stores/{}", store["id"].as_str().unwrap());
    let hits = sandbox.post(&format!("{path}/search"), json!({"query": "Anteaters"})).await.json();
    assert_eq!((&hits["data"][0]["file_id"], &hits["data"][0]["score"]), (&json!(file), &json!(1.0)));
    let none = sandbox.post(&format!("{path}/search"), json!({"query": "lions"})).await.json();
    assert_eq!(none["data"], json!([]));
    assert_eq!(sandbox.post(&path, json!({"name": "m"})).await.json()["name"], "m");
    let group = sandbox.post(&format!("{path}/file_batches"), json!({"file_ids": [file]})).await.json();
    let group = format!("{path}/file_batches/{}/files", group["id"].as_str().unwrap());
    assert_eq!(sandbox.get(&group).await.json()["data"][0]["id"], file);
    assert_eq!(sandbox.post(&format!("{path}/files"), json!({"file_id": "file-none"})).await.status, 404);
    assert_eq!(sandbox.delete(&format!("{path}/files/{file}")).await.json()["deleted"], true);
    assert_eq!(sandbox.get(&format!("{path}/files")).await.json()["data"], json!([]));
}
