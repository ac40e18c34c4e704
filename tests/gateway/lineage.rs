//! What came from what: recorded as it passes, and shown by the command.

use consentry::names::{Kind, UpstreamId};
use consentry::store::{Options, Ownership as _, Resource, Right, Share, Shared, Shares as _, Sqlite};
use serde_json::{Value, json};

use super::kit::process::Process;
use super::kit::values::{chat, mark, record, upload};
use super::kit::{Ask, Caller, Tenant, house};

/// `consentry lineage`, beside the shared gateway.
fn lineage(arguments: &[&str]) -> (i32, String) {
    let config = house().gateway.setup.config();
    let all =
        [&["lineage"], arguments, &["--upstream", "sandbox", "--config", config.to_str().unwrap()]].concat();
    let mut process = Process::start(&all, &[]);
    (process.wait().code().unwrap(), process.written())
}

/// The steps of one direction: parent, the place, child.
fn steps(kind: &str, id: &str, towards: &str) -> Vec<[String; 3]> {
    let (status, told) = lineage(&[id, "--kind", kind, "--format", "json"]);
    assert_eq!(status, 0, "{told}");
    let graph: Value = serde_json::from_str(&told).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let edges = graph[towards].as_array().unwrap().iter();
    edges.map(|e| [text(&e["parent"]["id"]), text(&e["via"]), text(&e["child"]["id"])]).collect()
}

fn ended(caller: &Caller<'_>, path: &str, status: &str) -> Value {
    for _ in 0..20 {
        let seen = caller.get(path).ok().value();
        if seen["status"] == status {
            return seen;
        }
    }
    panic!("{path} never ends");
}

fn line(model: &str) -> String {
    let mut body = chat("in a batch");
    body["model"] = json!(model);
    json!({"custom_id": mark(), "method": "POST", "url": "/v1/chat/completions", "body": body}).to_string()
}

fn step(parent: &str, via: &str, child: &str) -> [String; 3] {
    [parent, via, child].map(str::to_owned)
}

/// File, job, checkpoint, model, batch, output: one chain, each with the place that says so.
#[test]
fn a_lineage_leads_from_the_file_to_the_output() {
    let caller = house().as_(house().granted());
    let file = caller.ask(&upload("fine-tune", "train.jsonl", &record("chain").repeat(12))).id();
    let order = json!({"model": "gpt-4o-mini", "training_file": file, "validation_file": file});
    let job = caller.post("/v1/fine_tuning/jobs", &order).id();
    let model =
        ended(&caller, &format!("/v1/fine_tuning/jobs/{job}"), "succeeded")["fine_tuned_model"].clone();
    let model = model.as_str().unwrap();
    let checkpoints = caller.get(&format!("/v1/fine_tuning/jobs/{job}/checkpoints")).ok();
    let (checkpoint, kept) =
        (checkpoints.at("/data/0/id"), checkpoints.at("/data/0/fine_tuned_model_checkpoint"));
    // So long that the upload has begun before the last line comes, which alone names the model.
    let lines = [line("gpt-4o-mini").as_str(); 6_000].join("\n") + "\n" + &line(model) + "\n";
    let lines = caller.ask(&upload("batch", "lines.jsonl", lines.as_bytes())).ok().id();
    let order =
        json!({"input_file_id": lines, "endpoint": "/v1/chat/completions", "completion_window": "24h"});
    let batch = caller.post("/v1/batches", &order).id();
    let output = ended(&caller, &format!("/v1/batches/{batch}"), "completed")["output_file_id"].clone();
    let output = output.as_str().unwrap();

    let into = steps("file", &file, "into");
    for wanted in [
        step(&file, "training_file", &job),
        step(&job, "fine_tuned_model", model),
        step(&job, "id", &checkpoint),
        step(&checkpoint, "fine_tuned_model_checkpoint", &kept),
        step(model, "model", &lines),
        step(&lines, "input_file_id", &batch),
        step(&batch, "output_file_id", output),
    ] {
        assert!(into.contains(&wanted), "{wanted:?} is not in {into:#?}");
    }
    // And back again.
    let from = steps("file", output, "from");
    assert_eq!(from.first(), Some(&step(&batch, "output_file_id", output)));
    assert!(from.contains(&step(&file, "training_file", &job)), "{from:#?}");
    let (status, tree) = lineage(&[&job]);
    assert_eq!(status, 0, "{tree}");
    assert!(
        tree.contains(&format!("  file {file} (")) && tree.contains(&format!("  model {model} (")),
        "{tree}"
    );
    let (_, dot) = lineage(&[&job, "--format", "dot"]);
    assert!(dot.contains(&format!("\"file/{file}\" -> \"fine_tuning_job/{job}\"")), "{dot}");
    // What nobody made is told so, and asked for by name.
    assert_eq!(lineage(&["file-nobodys"]), (1, "consentry: nothing of this id is on record".to_owned()));
    let (status, told) = lineage(&[&job, "--kind", "fine_tuning_jo"]);
    assert!(status == 64 && told.contains("did you mean `fine_tuning_job`?"), "{told}");
}

/// A list shows what its items yielded: it came from them, and is their owner's, whoever looks at the list first.
#[test]
fn what_a_list_shows_comes_from_its_item_and_is_the_items_owners() {
    let (a, b) = (house().granted(), house().granted());
    let (alice, bob) = (house().as_(a), house().as_(b));
    let file = alice.ask(&upload("fine-tune", "train.jsonl", &record("listed").repeat(12))).id();
    let order = json!({"model": "gpt-4o-mini", "training_file": file});
    let job = alice.post("/v1/fine_tuning/jobs", &order).id();
    // It ends without anybody's look through the gateway.
    let path = format!("/v1/fine_tuning/jobs/{job}");
    let model = (0..20).find_map(|_| {
        let seen = house().sandbox.ask(&Ask::new("GET", path.as_str())).ok().value();
        // The name is told before the model is there.
        let over = seen["status"] == "succeeded";
        seen["fine_tuned_model"].as_str().filter(|_| over).map(str::to_owned)
    });
    let model = model.unwrap();
    let store = house().gateway.setup.config().join("data/consentry.db");
    let options = Options { cache: 0, readers: 1, exclusive: false, ..Options::serving(store) };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = Sqlite::open(&options).unwrap();
    let lent = Share {
        resource: Resource {
            upstream: UpstreamId::new("sandbox"),
            kind: Kind::new("fine_tuning_job"),
            id: job.clone(),
        },
        with: consentry::store::Audience::Tenant(consentry::names::TenantId::new(&b.name)),
        right: Right::Read,
        until: None,
        recorded_by: "a test".to_owned(),
    };
    assert_eq!(runtime.block_on(store.share(lent)).unwrap(), Shared::Recorded);

    let page = bob.get("/v1/fine_tuning/jobs").ok();
    assert_eq!((page.at("/data/0/id"), page.at("/data/0/fine_tuned_model")), (job.clone(), model.clone()));
    let owner = |tenant: &Tenant| {
        let owned = runtime.block_on(store.owner(&UpstreamId::new("sandbox"), &Kind::new("model"), &model));
        assert_eq!(owned.unwrap().unwrap().tenant.as_str(), tenant.name);
    };
    owner(a);
    let mut body = chat("hello");
    body["model"] = json!(model);
    bob.post("/v1/chat/completions", &body).refused(consentry::reason::Reason::ResourceUnknown);
    alice.post("/v1/chat/completions", &body).ok();
    assert_eq!(steps("model", &model, "from").first(), Some(&step(&job, "fine_tuned_model", &model)));
}
