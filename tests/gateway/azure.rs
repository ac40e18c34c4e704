//! Azure OpenAI before one resource: the sandbox, behind a front that speaks Azure's paths.

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::kit::own::{Own, Running};
use super::kit::sandbox::Sandbox;
use super::kit::upstream::{answer, json as reply};
use super::kit::values::{FORM, form, mark, record};
use super::kit::{Answer, Arrived, Ask, Caller, Step};

const VERSION: &str = "api-version=2024-10-21";

/// Asks the sandbox what Azure's front is asked.
fn front(sandbox: &Sandbox, up: &Arrived) -> Vec<Step> {
    let (path, query) = up.target().split_once('?').unwrap_or((up.target(), ""));
    let query: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    let others: Vec<&str> = query.iter().copied().filter(|pair| *pair != VERSION).collect();
    if others.len() + 1 != query.len() {
        return reply(404, &json!({"error": {"code": "404", "message": "Resource not found"}}));
    }
    let path = path.strip_prefix("/openai").unwrap();
    let path = match path.strip_prefix("/deployments/") {
        Some(rest) => rest.split_once('/').unwrap().1,
        None => path.trim_start_matches('/'),
    };
    let method = match up.line.split(' ').next().unwrap() {
        "GET" => "GET",
        "DELETE" => "DELETE",
        _ => "POST",
    };
    let mut ask = Ask::new(method, format!("/v1/{path}?{}", others.join("&")));
    // Lines, and the batch that they are for, have paths without a version there.
    ask.body = up.text().replace("\"/chat/completions\"", "\"/v1/chat/completions\"").into_bytes();
    if let Some(content_type) = up.header("content-type") {
        ask = ask.header("content-type", content_type);
    }
    let told = sandbox.ask(&ask);
    let created = method == "POST" && matches!(path, "files" | "fine_tuning/jobs");
    let content_type = told.header("content-type").unwrap_or("application/json").to_owned();
    let headers =
        [("content-type", content_type.as_str()), ("location", "https://acme-shared.example/openai/x")];
    vec![Step::Send(answer(
        if created && told.status == 200 { 201 } else { told.status },
        &headers,
        told.body,
    ))]
}

fn start() -> Running {
    let own = Own::speaking("azure-openai");
    let sandbox = Sandbox::start();
    own.start(move |up| front(&sandbox, up))
}

fn at(path: &str) -> String {
    let and = if path.contains('?') { '&' } else { '?' };
    format!("/openai/{path}{and}{VERSION}")
}

fn post(caller: &Caller<'_>, path: &str, body: &Value) -> Answer {
    caller.post(&at(path), body)
}

fn upload(caller: &Caller<'_>, purpose: &str, lines: &[u8]) -> Answer {
    let body = form(&[("purpose", None, purpose.as_bytes()), ("file", Some("a.jsonl"), lines)]);
    caller.ask(&Ask::new("POST", at("files")).typed(FORM, body))
}

fn line(model: &str) -> Vec<u8> {
    let body = json!({"model": model, "messages": [{"role": "user", "content": "x"}]});
    let line = json!({"custom_id": "1", "method": "POST", "url": "/chat/completions", "body": body});
    format!("{line}\n").into_bytes()
}

/// One of everything.
struct Made {
    file: String,
    lines: String,
    job: String,
    batch: String,
    upload: String,
    part: String,
}

fn make(caller: &Caller<'_>) -> Made {
    let file = upload(caller, "fine-tune", &record("x").repeat(12)).id();
    let lines = upload(caller, "batch", &line("gpt-4o-mini")).id();
    let job = post(caller, "fine_tuning/jobs", &json!({"model": "gpt-4o-mini", "training_file": file})).id();
    let order = json!({"input_file_id": lines, "endpoint": "/chat/completions", "completion_window": "24h"});
    let batch = post(caller, "batches", &order).id();
    let open = json!({"purpose": "assistants", "filename": "x.txt", "bytes": 10, "mime_type": "text/plain"});
    let upload = post(caller, "uploads", &open).id();
    let data = Ask::new("POST", at(&format!("uploads/{upload}/parts")));
    let part = caller.ask(&data.typed(FORM, form(&[("data", Some("d"), b"0123456789")]))).id();
    Made { file, lines, job, batch, upload, part }
}

/// Calls that name a kind's id: method, path and body, with `ID` where it goes.
fn calls(own: &Made) -> Vec<(&'static str, &'static str, String, Value)> {
    let none = Value::Null;
    let chat = |model: &str| json!({"model": model, "messages": [{"role": "user", "content": "x"}]});
    vec![
        ("file", "GET", "files/ID".into(), none.clone()),
        ("file", "GET", "files/ID/content".into(), none.clone()),
        ("file", "DELETE", "files/ID".into(), none.clone()),
        ("file", "POST", "fine_tuning/jobs".into(), json!({"model": "gpt-4o-mini", "training_file": "ID"})),
        (
            "file",
            "POST",
            "fine_tuning/jobs".into(),
            json!({"model": "gpt-4o-mini", "training_file": own.file, "validation_file": "ID"}),
        ),
        ("lines", "POST", "batches".into(), json!({"input_file_id": "ID", "endpoint": "/chat/completions"})),
        ("job", "GET", "fine_tuning/jobs/ID".into(), none.clone()),
        ("job", "DELETE", "fine_tuning/jobs/ID".into(), none.clone()),
        ("job", "POST", "fine_tuning/jobs/ID/cancel".into(), none.clone()),
        ("job", "GET", "fine_tuning/jobs/ID/events".into(), none.clone()),
        ("job", "GET", "fine_tuning/jobs/ID/checkpoints".into(), none.clone()),
        ("job", "GET", "fine_tuning/jobs?after=ID".into(), none.clone()),
        ("batch", "GET", "batches/ID".into(), none.clone()),
        ("batch", "POST", "batches/ID/cancel".into(), none.clone()),
        ("batch", "GET", "batches?after=ID".into(), none.clone()),
        ("upload", "POST", "uploads/ID/cancel".into(), none.clone()),
        ("upload", "POST", "uploads/ID/complete".into(), json!({"part_ids": []})),
        ("part", "POST", format!("uploads/{}/complete", own.upload), json!({"part_ids": ["ID"]})),
        ("deployment", "POST", "deployments/ID/chat/completions".into(), chat("gpt-4o-mini")),
        ("deployment", "POST", "deployments/gpt-4o-mini/chat/completions".into(), chat("ID")),
        ("deployment", "POST", "deployments/ID/embeddings".into(), json!({"input": "x"})),
        ("model", "GET", "models/ID".into(), none),
        ("model", "POST", "fine_tuning/jobs".into(), json!({"model": "ID", "training_file": own.file})),
    ]
}

/// S3: in each place, another's id is answered as one that never was, and the resource hears of neither.
#[test]
fn s3_what_another_has_in_the_resource_is_answered_as_unknown() {
    let running = start();
    let (alice, bob) = (running.acme(), running.globex());
    let (made, own) = (make(&alice), make(&bob));
    let known = "ft-acme".to_owned();
    let model = "gpt-4o-mini-2024-07-18.ft-0e208cf33a6a4669".to_owned();
    let mut compared = 0;
    for (kind, method, path, body) in calls(&own) {
        let (foreign, never) = match kind {
            "file" => (&made.file, format!("file-{}", mark())),
            "lines" => (&made.lines, format!("file-{}", mark())),
            "job" => (&made.job, format!("ftjob-{}", mark())),
            "batch" => (&made.batch, format!("batch_{}", mark())),
            "upload" => (&made.upload, format!("upload_{}", mark())),
            "part" => (&made.part, format!("part_{}", mark())),
            "deployment" => (&known, format!("ft-{}", mark())),
            _ => (&model, format!("gpt-4o-mini.ft-{}", mark())),
        };
        let ask = |id: &str| {
            let ask = Ask::new(method, at(&path.replace("ID", id)));
            bob.ask(&if body.is_null() {
                ask
            } else {
                ask.typed("application/json", body.to_string().replace("\"ID\"", &json!(id).to_string()))
            })
        };
        let unknown = ask(&never).refused(Reason::ResourceUnknown);
        assert_eq!(ask(foreign).comparable(), unknown.comparable(), "{method} {path} {body}");
        let up = running.upstream.arrived();
        assert!(up.iter().all(|up| !up.line.contains(&never) && !up.text().contains(&never)), "{path}");
        compared += 1;
    }
    assert_eq!(compared, 23);
    for (list, hers, his) in [
        ("files", &made.file, &own.file),
        ("batches", &made.batch, &own.batch),
        ("fine_tuning/jobs", &made.job, &own.job),
    ] {
        let seen = bob.get(&at(list)).ok();
        assert!(seen.text().contains(his.as_str()) && !seen.text().contains(hers.as_str()), "{list}: {seen}");
        assert_eq!(seen.header("location"), None);
    }
    for path in [
        format!("files/{}", made.file),
        format!("fine_tuning/jobs/{}", made.job),
        format!("batches/{}", made.batch),
    ] {
        let seen = alice.get(&at(&path)).ok();
        assert!(!seen.text().contains("org-"), "{seen}");
    }
    bob.ask(
        &Ask::new("POST", at(&format!("uploads/{}/complete", own.upload)))
            .typed("application/json", json!({"part_ids": [own.part]}).to_string()),
    )
    .ok();
}

/// What goes up by a deployment, and what never does.
#[test]
fn s3_a_deployment_is_asked_and_what_it_could_read_is_not() {
    let running = start();
    let caller = running.acme();
    let mut asks = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello"}], "user": "someone", "user_security_context": {"source_ip": "192.0.2.7"}});
    let told = post(&caller, "deployments/gpt-4o-mini/chat/completions", &asks).ok();
    assert_eq!(told.at("/choices/0/message/content"), "You said: hello");
    assert_eq!(told.at("/usage/prompt_tokens_details/cached_tokens"), "0");
    let came = running.upstream.arrived().pop().unwrap();
    assert!(
        came.target().contains(VERSION)
            && !came.text().contains("someone")
            && !came.text().contains("192.0.2.7"),
        "{came:?}"
    );
    asks["stream"] = json!(true);
    assert!(post(&caller, "deployments/gpt-4o-mini/chat/completions", &asks).ok().text().contains("[DONE]"));
    for field in ["data_sources", "dataSources"] {
        let mut asks = asks.clone();
        asks[field] = json!([{"type": "azure_search", "parameters": {"endpoint": "https://search.example", "index_name": "all"}}]);
        post(&caller, "deployments/gpt-4o-mini/chat/completions", &asks).refused(Reason::FieldNotAllowed);
    }
    post(
        &caller,
        "files/import",
        &json!({"purpose": "batch", "filename": "x", "content_url": "https://x.example"}),
    )
    .refused(Reason::OperationRefused);
    caller.get("/openai/v1/files").refused(Reason::OperationUnknown);
    // A line of a batch names its deployment as a request does.
    upload(&caller, "batch", &line(&format!("ft-{}", mark()))).refused(Reason::ResourceUnknown);
    let order = json!({"endpoint": "/chat/completions", "input_blob": "https://blob.example/x"});
    post(&caller, "batches", &order).refused(Reason::FieldNotAllowed);
}

/// T1: nothing is trained on, or uploaded for it, without a grant.
#[test]
fn t1_training_needs_a_grant_there_too() {
    let own = Own::speaking("azure-openai");
    let nobody = own.setup.tenant("nobody", "");
    let sandbox = Sandbox::start();
    let running = own.start(move |up| front(&sandbox, up));
    let caller = running.gateway.as_(&nobody);
    upload(&caller, "fine-tune", &record("x")).refused(Reason::ConsentMissing);
    let open = json!({"purpose": "fine-tune", "filename": "x.jsonl", "bytes": 10, "mime_type": "text/plain"});
    post(&caller, "uploads", &open).refused(Reason::ConsentMissing);
    let file = upload(&caller, "batch", &line("gpt-4o-mini")).id();
    let order = json!({"model": "gpt-4o-mini", "training_file": file});
    post(&caller, "fine_tuning/jobs", &order).refused(Reason::ConsentMissing);
    assert_eq!(running.upstream.arrived().len(), 1);
}
