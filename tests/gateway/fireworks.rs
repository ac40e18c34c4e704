//! Fireworks AI's API before one account that two tenants share: whose a thing is, its name says.

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::kit::own::{Own, Running};
use super::kit::upstream::json as reply;
use super::kit::values::{FORM, form, record};
use super::kit::{Answer, Arrived, Ask, Caller, Step};

const BASE: &str = "accounts/fireworks/models/llama-v3p1-8b-instruct";

fn at(path: &str) -> String {
    format!("/v1/accounts/shared/{path}")
}

/// The account: it makes what it is told to, under the name that it is told, and has everything that is asked for.
fn account(up: &Arrived) -> Vec<Step> {
    let (path, query) = up.target().split_once('?').unwrap_or((up.target(), ""));
    let path = path.trim_start_matches("/inference").trim_start_matches("/v1/");
    let said = serde_json::from_slice::<Value>(&up.body).unwrap_or_else(|_| json!({}));
    let made = query.rsplit_once("JobId=").map(|(_, id)| id).or_else(|| said["datasetId"].as_str());
    match (up.line.split(' ').next().unwrap(), path) {
        ("POST", "chat/completions") => {
            let usage = json!({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 7}});
            let message = json!({"role": "assistant", "content": "yes"});
            reply(
                200,
                &json!({"id": "c", "choices": [{"index": 0, "message": message}], "usage": usage, "perf_metrics": {"cached-prompt-tokens": 7}}),
            )
        }
        ("POST", path) if made.is_some() && path.starts_with("accounts/") => {
            let mut shown = said.clone();
            shown["name"] = json!(format!("{path}/{}", made.unwrap()));
            shown["createdBy"] = json!("owner of the account");
            shown["trainerLogsSignedUrl"] = json!("https://storage.example/logs?signature=x");
            reply(200, &shown)
        }
        ("DELETE", _) => reply(200, &json!({})),
        (_, path) => {
            reply(200, &json!({"name": path.split(':').next().unwrap(), "createdBy": "owner of the account"}))
        }
    }
}

fn start() -> Running {
    Own::speaking("fireworks").start(account)
}

fn upload(caller: &Caller<'_>, dataset: &str) -> Answer {
    let body = form(&[("file", Some("a.jsonl"), &record("x").repeat(3))]);
    caller.ask(&Ask::new("POST", at(&format!("datasets/{dataset}:upload"))).typed(FORM, body))
}

fn trains(dataset: &str, output: &str) -> Value {
    json!({"dataset": dataset, "baseModel": BASE, "outputModel": output})
}

/// Calls that name something: the kind, the method, the path and the body, with `ID` where the name goes.
fn calls() -> Vec<(&'static str, &'static str, String, Value)> {
    let none = Value::Null;
    let job = |id: &str| at(&format!("supervisedFineTuningJobs?supervisedFineTuningJobId={id}"));
    let chat = json!({"model": "accounts/shared/models/ID", "messages": [{"role": "user", "content": "x"}]});
    let own = "accounts/shared/datasets/globex--d";
    let mut warm = trains(own, "globex--m");
    warm["warmStartFrom"] = json!("accounts/shared/models/ID");
    let mut evaluated = trains(own, "globex--m");
    evaluated["evaluationDataset"] = json!("accounts/shared/datasets/ID");
    vec![
        ("dataset", "POST", at("datasets"), json!({"datasetId": "ID", "dataset": {"format": "CHAT"}})),
        (
            "dataset",
            "POST",
            at("datasets"),
            json!({"datasetId": "globex--e", "dataset": {}, "sourceDatasetId": "ID"}),
        ),
        (
            "dataset",
            "POST",
            at("datasets"),
            json!({"datasetId": "globex--e", "dataset": {"splitted": {"sourceDatasetId": "ID"}}}),
        ),
        ("dataset", "GET", at("datasets/ID"), none.clone()),
        ("dataset", "DELETE", at("datasets/ID"), none.clone()),
        ("dataset", "POST", at("datasets/ID:validateUpload"), json!({})),
        ("dataset", "POST", job("globex--j"), trains("accounts/shared/datasets/ID", "globex--m")),
        ("dataset", "POST", job("globex--j"), evaluated),
        (
            "dataset",
            "POST",
            at("dpoJobs?dpoJobId=globex--j"),
            json!({"dataset": "accounts/shared/datasets/ID", "trainingConfig": {"outputModel": "globex--m"}}),
        ),
        ("supervised_fine_tuning_job", "POST", job("ID"), trains(own, "globex--m")),
        ("supervised_fine_tuning_job", "GET", at("supervisedFineTuningJobs/ID"), none.clone()),
        ("supervised_fine_tuning_job", "DELETE", at("supervisedFineTuningJobs/ID"), none.clone()),
        ("supervised_fine_tuning_job", "POST", at("supervisedFineTuningJobs/ID:cancel"), json!({})),
        ("supervised_fine_tuning_job", "POST", at("supervisedFineTuningJobs/ID:resume"), json!({})),
        ("dpo_job", "GET", at("dpoJobs/ID"), none.clone()),
        ("own_model", "GET", at("models/ID"), none.clone()),
        ("own_model", "DELETE", at("models/ID"), none),
        ("model", "POST", job("globex--j"), trains(own, "ID")),
        ("model", "POST", job("globex--j"), warm),
        ("model", "POST", "/v1/chat/completions".to_owned(), chat.clone()),
        ("model", "POST", "/inference/v1/chat/completions".to_owned(), chat),
        (
            "model",
            "POST",
            "/v1/messages".to_owned(),
            json!({"model": "accounts/shared/models/ID", "max_tokens": 9, "messages": []}),
        ),
        (
            "model",
            "POST",
            "/v1/completions".to_owned(),
            json!({"model": "accounts/shared/models/ID", "prompt": "x"}),
        ),
    ]
}

/// S3: in each place, another's name is answered as one that never was, and the account hears of neither: not whether it is taken,
/// and not by a name that says nothing.
#[test]
fn s3_what_another_named_is_answered_as_unknown() {
    let running = start();
    let (alice, bob) = (running.acme(), running.globex());
    for caller in [&alice, &bob] {
        let name = caller.tenant.name.clone();
        caller
            .post(&at("datasets"), &json!({"datasetId": format!("{name}--d"), "dataset": {"format": "CHAT"}}))
            .ok();
        upload(caller, &format!("{name}--d")).ok();
        let job = at(&format!("supervisedFineTuningJobs?supervisedFineTuningJobId={name}--j"));
        let made = caller
            .post(&job, &trains(&format!("accounts/shared/datasets/{name}--d"), &format!("{name}--m")))
            .ok();
        assert_eq!(made.at("/createdBy"), "consentry");
        assert_eq!(made.at("/trainerLogsSignedUrl"), "");
        let asks = json!({"model": format!("accounts/shared/models/{name}--m"), "messages": [{"role": "user", "content": "x"}]});
        let told = caller.post("/inference/v1/chat/completions", &asks).ok();
        assert_eq!(told.at("/usage/prompt_tokens_details/cached_tokens"), "0");
        assert!(told.value().get("perf_metrics").is_none(), "{told}");
        caller.get(&at(&format!("supervisedFineTuningJobs/{name}--j"))).ok();
    }
    let came = running.upstream.arrived().len();
    let mut compared = 0;
    for (kind, method, path, body) in calls() {
        let ask = |id: &str| {
            let ask = Ask::new(method, path.replace("ID", id));
            bob.ask(&if body.is_null() {
                ask
            } else {
                ask.typed("application/json", body.to_string().replace("ID\"", &format!("{id}\"")))
            })
        };
        // The SDK's own field ends like the place of a name: only values are names.
        let foreign = ask("acme--d").refused(Reason::ResourceUnknown);
        assert_eq!(ask("nobody--x").comparable(), foreign.comparable(), "{kind} {method} {path}");
        assert_eq!(ask("reviews").comparable(), foreign.comparable(), "{kind} {method} {path}");
        compared += 1;
    }
    assert_eq!(compared, 23);
    upload(&bob, "acme--d").refused(Reason::ResourceUnknown);
    assert_eq!(running.upstream.arrived().len(), came);
    // What is deleted is gone for its owner alone; the name stays its tenant's.
    alice.delete(&at("models/acme--m")).ok();
}

/// T1, S4: no training and nothing to third parties without a grant, nothing past the gateway, no list of everybody's.
#[test]
fn t1_s4_what_is_trained_shared_or_led_past_the_gateway() {
    let own = Own::speaking("fireworks");
    let nobody = own.setup.tenant("nobody", "");
    let running = own.start(account);
    let caller = running.gateway.as_(&nobody);
    caller.post(&at("datasets"), &json!({"datasetId": "nobody--d", "dataset": {}})).ok();
    upload(&caller, "nobody--d").refused(Reason::ConsentMissing);
    let job = |name: &str| at(&format!("supervisedFineTuningJobs?supervisedFineTuningJobId={name}--j"));
    caller.post(&job("nobody"), &trains("nobody--d", "nobody--m")).refused(Reason::ConsentMissing);
    let acme = running.acme();
    let with = |key: &str, value: Value| {
        let mut asks = trains("acme--d", "acme--m");
        asks[key] = value;
        asks
    };
    acme.post(&job("acme"), &with("wandbConfig", json!({"enabled": true}))).refused(Reason::ConsentMissing);
    for (key, value) in [
        ("awsS3Config", json!({"credentialsSecret": "accounts/shared/secrets/s3"})),
        ("azureBlobStorageConfig", json!({"credentialsSecret": "accounts/shared/secrets/s3"})),
        ("metricsFileSignedUrl", json!("https://storage.example/x")),
    ] {
        acme.post(&job("acme"), &with(key, value)).refused(Reason::FieldNotAllowed);
    }
    acme.post(&at("supervisedFineTuningJobs"), &trains("acme--d", "acme--m")).refused(Reason::FieldMissing);
    for list in ["datasets", "models", "supervisedFineTuningJobs", "dpoJobs"] {
        acme.get(&at(list)).refused(Reason::OperationRefused);
    }
    acme.post(&at("datasets/acme--d:getUploadEndpoint"), &json!({})).refused(Reason::BypassRefused);
    acme.get(&at("models/acme--m:getDownloadEndpoint")).refused(Reason::BypassRefused);
    acme.get(&at("secrets")).refused(Reason::BypassRefused);
    assert_eq!(running.upstream.arrived().len(), 1);
}
