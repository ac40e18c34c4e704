//! Together AI's API before one account that two tenants share.

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::kit::own::{Own, Running};
use super::kit::shelf::{Collection, Shelf};
use super::kit::upstream::json as reply;
use super::kit::values::{FORM, form, mark, record};
use super::kit::{Answer, Arrived, Ask, Caller, Step};

const BASE: &str = "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference";

const ACCOUNT: &[Collection] = &[
    Collection {
        path: "/v1/files",
        post: "/v1/files/upload",
        id: ("id", |n| format!("file-{n:08}-0000-4000-8000-000000000000")),
        items: Some("data"),
        more: |_| json!({"object": "file"}),
    },
    Collection {
        path: "/v1/fine-tunes",
        post: "/v1/fine-tunes",
        id: ("id", |n| format!("ft-{n:08}-0000")),
        items: Some("data"),
        more: |n| json!({"user_id": "66a1shared", "owner_address": "0xshared", "status": "completed", "model_output_name": format!("shared/Llama-mine-{n:08x}")}),
    },
    Collection {
        path: "/v1/evaluation",
        post: "/v1/evaluation",
        id: ("workflow_id", |n| format!("eval-{n:04}-{:010}", n * 7)),
        items: None,
        more: |n| json!({"owner_id": "66a1shared", "results": {"result_file_id": format!("file-r{n:07}-0000")}}),
    },
];

fn account(shelf: &Shelf, up: &Arrived) -> Vec<Step> {
    shelf.answer(up, || match up.target() {
        "/v1/models" => reply(
            200,
            &json!([{"id": BASE}, {"id": "shared/Llama-mine-00000002"}, {"id": "shared/Llama-mine-00000005"}, {"id": "shared/Llama-old-ffffffff"}]),
        ),
        "/v1/chat/completions" => {
            let usage = json!({"prompt_tokens": 9, "cached_tokens": 7, "prompt_tokens_details": {"cached_tokens": 7}});
            let message = json!({"role": "assistant", "content": "yes"});
            reply(200, &json!({"id": "o1", "choices": [{"index": 0, "message": message, "logprobs": {"tokens": ["yes"]}}], "usage": usage}))
        }
        _ => reply(404, &json!({"error": {"message": "there is no such thing in account shared", "type": "x", "param": null, "code": null}})),
    })
}

fn start() -> Running {
    let mut own = Own::speaking("together");
    let grants = "consent:\n  grants:\n    - {purpose: train, scope: tenant, evidence: a test}\n    - {purpose: train, scope: {dataset: \"*\"}, evidence: a test}\n    - {purpose: evaluate, scope: tenant, evidence: a test}\n    - {purpose: evaluate, scope: {dataset: \"*\"}, evidence: a test}\nopaque: [fine_tuning.content]\n";
    (own.acme, own.globex) = (own.setup.tenant("acme", grants), own.setup.tenant("globex", grants));
    let shelf = Shelf::new(ACCOUNT);
    own.start(move |up| account(&shelf, up))
}

fn upload(caller: &Caller<'_>, purpose: &str) -> Answer {
    let lines = record("x").repeat(3);
    let fields = [
        ("purpose", None, purpose.as_bytes()),
        ("file_name", None, b"a.jsonl".as_slice()),
        ("file", Some("a.jsonl"), &lines),
    ];
    caller.ask(&Ask::new("POST", "/v1/files/upload").typed(FORM, form(&fields)))
}

struct Made {
    file: String,
    job: String,
    model: String,
    evaluation: String,
}

fn evaluates(file: &str, model: &str) -> Value {
    let judge = json!({"model": model, "model_source": "serverless", "system_template": "judge"});
    json!({"type": "score", "parameters": {"input_data_file_path": file, "judge": judge, "max_score": 5, "min_score": 1}})
}

fn make(caller: &Caller<'_>) -> Made {
    let file = upload(caller, "fine-tune").id();
    let job = caller.post("/v1/fine-tunes", &json!({"training_file": file, "model": BASE})).ok();
    let evaluation = caller.post("/v1/evaluation", &evaluates(&file, BASE)).ok().at("/workflow_id");
    Made { file, job: job.id(), model: job.at("/model_output_name"), evaluation }
}

fn calls(own: &Made) -> Vec<(&'static str, &'static str, String, Value)> {
    let none = Value::Null;
    let job = |file: &str, model: &str| json!({"training_file": file, "model": model});
    let asks = |key: &str| json!({"messages": [{"role": "user", "content": "x"}], "model": BASE, key: "ID"});
    let to = |path: &str| path.to_owned();
    vec![
        ("file", "GET", to("/v1/files/ID"), none.clone()),
        ("file", "GET", to("/v1/files/ID/content"), none.clone()),
        ("file", "DELETE", to("/v1/files/ID"), none.clone()),
        ("file", "POST", to("/v1/fine-tunes"), job("ID", BASE)),
        (
            "file",
            "POST",
            to("/v1/fine-tunes"),
            json!({"training_file": own.file, "validation_file": "ID", "model": BASE}),
        ),
        ("file", "POST", to("/v1/fine-tunes/preview"), job("ID", BASE)),
        ("file", "POST", to("/v1/evaluation"), evaluates("ID", BASE)),
        ("job", "GET", to("/v1/fine-tunes/ID"), none.clone()),
        ("job", "DELETE", to("/v1/fine-tunes/ID"), none.clone()),
        ("job", "POST", to("/v1/fine-tunes/ID/cancel"), none.clone()),
        ("job", "GET", to("/v1/fine-tunes/ID/events"), none.clone()),
        ("job", "GET", to("/v1/fine-tunes/ID/checkpoints"), none.clone()),
        ("job", "GET", to("/v1/fine-tunes/ID/metrics"), none.clone()),
        ("job", "GET", to("/v1/finetune/download?ft_id=ID"), none.clone()),
        ("job", "POST", to("/v1/fine-tunes"), json!({"training_file": own.file, "from_checkpoint": "ID"})),
        ("job", "POST", to("/v1/fine-tunes"), json!({"training_file": own.file, "from_checkpoint": "ID:7"})),
        ("model", "POST", to("/v1/chat/completions"), asks("model")),
        ("model", "POST", to("/v1/chat/completions"), asks("safety_model")),
        ("model", "POST", to("/v1/completions"), json!({"model": "ID", "prompt": "x"})),
        ("model", "POST", to("/v1/embeddings"), json!({"model": "ID", "input": "x"})),
        ("model", "POST", to("/v1/rerank"), json!({"model": "ID", "query": "x", "documents": ["x"]})),
        ("model", "POST", to("/v1/fine-tunes"), job(&own.file, "ID")),
        ("model", "POST", to("/v1/evaluation"), evaluates(&own.file, "ID")),
        ("evaluation", "GET", to("/v1/evaluation/ID"), none.clone()),
        ("evaluation", "GET", to("/v1/evaluation/ID/status"), none),
    ]
}

/// S3: in each place, another's id is answered as one that never was, and the account hears of neither.
#[test]
fn s3_what_another_has_in_the_account_is_answered_as_unknown() {
    let running = start();
    let (alice, bob) = (running.acme(), running.globex());
    let (made, own) = (make(&alice), make(&bob));
    assert_eq!(
        (made.model.as_str(), own.model.as_str()),
        ("shared/Llama-mine-00000002", "shared/Llama-mine-00000005")
    );
    let mut compared = 0;
    for (kind, method, path, body) in calls(&own) {
        let (foreign, never) = match kind {
            "file" => (&made.file, "file-99999999-0000-4000-8000-000000000000"),
            "job" => (&made.job, "ft-99999999-0000"),
            "model" => (&made.model, "shared/Llama-mine-99999999"),
            _ => (&made.evaluation, "eval-9999-0000000000"),
        };
        let ask = |id: &str| {
            let ask = Ask::new(method, path.replace("ID", id));
            bob.ask(&if body.is_null() {
                ask
            } else {
                ask.typed(
                    "application/json",
                    body.to_string().replace("ID\"", &format!("{id}\"")).replace("ID:7", &format!("{id}:7")),
                )
            })
        };
        let unknown = ask(never).refused(Reason::ResourceUnknown);
        assert_eq!(ask(foreign).comparable(), unknown.comparable(), "{method} {path} {body}");
        let up = running.upstream.arrived();
        assert!(up.iter().all(|up| !up.line.contains(never) && !up.text().contains(never)), "{path}");
        compared += 1;
    }
    assert_eq!(compared, 25);
    for (list, hers, his) in [
        ("files", &made.file, &own.file),
        ("fine-tunes", &made.job, &own.job),
        ("evaluation", &made.evaluation, &own.evaluation),
    ] {
        let seen = bob.get(&format!("/v1/{list}")).ok().text();
        assert!(seen.contains(his.as_str()) && !seen.contains(hers.as_str()), "{list}: {seen}");
        assert!(!seen.contains("66a1shared") && !seen.contains("0xshared"), "{seen}");
    }
    let models = bob.get("/v1/models").ok().text();
    assert!(
        models.contains(BASE) && !models.contains(&made.model) && !models.contains("ffffffff"),
        "{models}"
    );
    // Her own are hers.
    let asks = json!({"model": made.model, "messages": [{"role": "user", "content": "x"}]});
    let told = alice.post("/v1/chat/completions", &asks).ok();
    assert_eq!(
        (told.at("/usage/cached_tokens"), told.at("/usage/prompt_tokens_details/cached_tokens")),
        ("0".to_owned(), "0".to_owned())
    );
    assert_eq!(told.at("/choices/0/logprobs"), "null");
    alice
        .post(
            "/v1/fine-tunes",
            &json!({"training_file": made.file, "from_checkpoint": format!("{}:7", made.job)}),
        )
        .ok();
    alice.get(&format!("/v1/evaluation/{}", made.evaluation)).ok();
}

/// T1, S4: training needs a grant, and so does what goes to third parties; what goes past the gateway does not go.
#[test]
fn t1_s4_what_is_trained_shared_or_led_past_the_gateway() {
    let own = Own::speaking("together");
    let nobody = own.setup.tenant("nobody", "");
    let shelf = Shelf::new(ACCOUNT);
    let running = own.start(move |up| account(&shelf, up));
    let caller = running.gateway.as_(&nobody);
    for purpose in ["fine-tune", "calibration", "eval"] {
        upload(&caller, purpose).refused(Reason::ConsentMissing);
    }
    let acme = running.acme();
    let file = upload(&acme, "fine-tune").id();
    for (key, value) in [
        ("wandb_project_name", "p"),
        ("wandb_base_url", "https://wandb.example"),
        ("wandb_entity", "e"),
        ("hf_output_repo_name", "r"),
    ] {
        let mut asks = json!({"training_file": file, "model": BASE});
        asks[key] = json!(value);
        acme.post("/v1/fine-tunes", &asks).refused(Reason::ConsentMissing);
    }
    upload(&acme, "batch-api").refused(Reason::FieldNotAllowed);
    acme.post("/v1/batches", &json!({"input_file_id": file})).refused(Reason::OperationRefused);
    acme.post("/v1/files", &json!({})).refused(Reason::BypassRefused);
    acme.get(&format!("/v1/fine-tunes/{}/download-tokenized-dataset", mark())).refused(Reason::BypassRefused);
    let asks = json!({"model": BASE, "logprobs": 1, "messages": [{"role": "user", "content": "x"}]});
    acme.post("/v1/chat/completions", &asks).refused(Reason::FieldNotAllowed);
    assert_eq!(running.upstream.arrived().len(), 1);
}
