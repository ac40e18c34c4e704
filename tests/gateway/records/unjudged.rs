//! Records that nobody judged are put to no use, wherever they stand.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::super::files::file_of;
use super::super::kit::own::{Own, Running};
use super::super::kit::upstream::json as reply;
use super::super::kit::values::upload;
use super::super::kit::{Answer, Arrived, Ask, Caller, Gateway, Step, Tenant};
use super::{counts, line};

/// Training and evaluation are granted.
const ALL: &str = "consent:
  grants:
    - {purpose: train, scope: tenant, evidence: a test}
    - {purpose: train, scope: {dataset: \"*\"}, evidence: a test}
    - {purpose: evaluate, scope: tenant, evidence: a test}
    - {purpose: evaluate, scope: {dataset: \"*\"}, evidence: a test}
";

/// An API that gives everything an id of its own.
fn counting() -> impl Fn(&Arrived) -> Vec<Step> + Send + Sync {
    let made = AtomicUsize::new(1);
    move |up: &Arrived| {
        let n = made.fetch_add(1, Ordering::Relaxed);
        let target = up.target().to_owned();
        let id = match target.split('/').nth(2).unwrap_or_default() {
            "files" => format!("file-{n}"),
            "fine_tuning" => format!("ftjob-{n}"),
            "evals" if target.ends_with("/runs") => format!("evalrun_{n}"),
            "evals" => format!("eval_{n}"),
            _ => return reply(200, &json!({"id": n, "project": 1})),
        };
        reply(200, &json!({"id": id, "object": "thing", "purpose": "fine-tune"}))
    }
}

/// Two tenants of an API, of which the first has its records judged.
fn two_of(
    api: &str,
    purposes: &str,
    script: impl Fn(&Arrived) -> Vec<Step> + Send + Sync + 'static,
) -> (Running, Tenant, Tenant) {
    let mut own = Own::new();
    own.setup.routes = own.setup.routes.replace("api: openai", &format!("api: {api}"));
    let judged = own.setup.tenant_for("people", purposes, &format!("{ALL}records: {{}}\n"));
    let other = own.setup.tenant_for("others", purposes, ALL);
    (own.start(script), judged, other)
}

/// Refused for records that nobody judged, in whatever shape the API has for errors.
fn unjudged(answer: &Answer) {
    assert_eq!(answer.status, 415, "{}", answer.text());
    assert!(answer.text().contains(Reason::RecordsUnreadable.code()), "{}", answer.text());
}

fn train_on(caller: &Caller<'_>, file: &str) -> Answer {
    caller.post("/v1/fine_tuning/jobs", &json!({"model": "gpt-4o-mini", "training_file": file}))
}

/// A new configuration of a tenant comes into force.
fn reload(gateway: &Gateway, tenant: &str, change: impl Fn(&str) -> String) {
    let path = gateway.setup.config().join(format!("tenants/{tenant}.yaml"));
    let text = change(&std::fs::read_to_string(path).unwrap());
    gateway.setup.file(&format!("tenants/{tenant}.yaml"), &text);
    gateway.process.signal("HUP");
    gateway.process.line("the configuration was reloaded");
}

/// The records of an evaluation may stand in the request itself.
#[test]
fn records_in_the_body_of_an_evaluation_are_refused_where_records_are_judged() {
    let (Running { gateway, upstream, .. }, people, others) =
        two_of("openai", "[train, evaluate]", counting());
    let item = json!({"item": {"subject_id": "p-1", "training_consent": false, "input": "x"}});
    let source = |source: Value| json!({"data_source": {"type": "jsonl", "source": source}});
    let content = source(json!({"type": "file_content", "content": [item]}));
    let grader = json!({"grader": {"type": "string_check"}, "item": item["item"], "model_sample": "x"});
    let eval = json!({"name": "e", "data_source_config": {"type": "custom"}});
    let (judged, free) = (gateway.as_(&people), gateway.as_(&others));
    let runs = |caller: &Caller<'_>| format!("/v1/evals/{}/runs", caller.post("/v1/evals", &eval).ok().id());
    let (of_people, of_others) = (runs(&judged), runs(&free));
    let came = upstream.arrived().len();
    judged.post(&of_people, &content).refused(Reason::RecordsUnreadable);
    judged.post("/v1/fine_tuning/alpha/graders/run", &grader).refused(Reason::RecordsUnreadable);
    assert_eq!(upstream.arrived().len(), came, "nothing of it went up");
    free.post(&of_others, &content).ok();
    free.post("/v1/fine_tuning/alpha/graders/run", &grader).ok();
    // A file that was judged for evaluation is as good as ever.
    let file = judged.ask(&upload("evals", "set.jsonl", line("p-1", &json!({})).as_bytes())).ok().id();
    judged.post(&of_people, &source(json!({"type": "file_id", "id": file}))).ok();
    let trained = judged.ask(&upload("fine-tune", "set.jsonl", line("p-1", &json!({})).as_bytes())).ok().id();
    judged
        .post(&of_people, &source(json!({"type": "file_id", "id": trained})))
        .refused(Reason::RecordsUnreadable);
    drop(gateway.stop());
}

/// Tasks and examples in JSON, and what a server fetches by itself.
#[test]
fn records_in_the_bodies_of_annotation_apis_are_refused_where_records_are_judged() {
    let script = |up: &Arrived| match (
        up.target().split('?').next().unwrap_or_default(),
        up.target().contains("project="),
    ) {
        ("/api/tasks/", true) => {
            let project = up.target().rsplit('=').next().unwrap().parse::<u64>().unwrap();
            let task = json!({"id": project * 100, "project": project});
            reply(200, &json!({"tasks": [task]}))
        }
        ("/api/projects/", _) => {
            let project = if up.text().contains("second") { 2 } else { 1 };
            reply(201, &json!({"id": project}))
        }
        (target, _) if target.ends_with("00/") => {
            reply(200, &json!({"id": 100, "project": if target.contains("200") {2} else {1}}))
        }
        _ => reply(200, &json!({"id": 777, "project": up.value()["project"]})),
    };
    let (Running { gateway, upstream, .. }, people, others) =
        two_of("label-studio", "[annotate, train]", script);
    for (tenant, title, project, refused) in [(&people, "first", 1, true), (&others, "second", 2, false)] {
        let caller = gateway.as_(tenant);
        caller.post("/api/projects/", &json!({"title": title})).ok();
        caller.get(&format!("/api/tasks/?project={project}")).ok();
        let data = json!({"subject_id": "p-1", "training_consent": false});
        let task = json!({"project": project, "data": data});
        let came = upstream.arrived().len();
        let made = caller.post("/api/tasks/", &task);
        let mut patch = Ask::json(format!("/api/tasks/{project}00/"), &json!({"data": data}));
        patch.method = "PATCH";
        let changed = caller.ask(&patch);
        let again =
            caller.post(&format!("/api/projects/{project}/reimport"), &json!({"file_upload_ids": []}));
        if refused {
            for answer in [made, changed, again] {
                unjudged(&answer);
            }
            assert_eq!(upstream.arrived().len(), came, "nothing of it went up");
        } else {
            for answer in [made, changed, again] {
                answer.ok();
            }
        }
    }
    drop(gateway.stop());
    let script = |up: &Arrived| {
        let id = if up.text().contains("second") { 2 } else { 1 };
        reply(201, &json!({"id": id, "text": "x", "tags": []}))
    };
    let (Running { gateway, .. }, people, others) = two_of("doccano", "[annotate, train]", script);
    for (tenant, name, project) in [(&people, "first", 1), (&others, "second", 2)] {
        let caller = gateway.as_(tenant);
        caller.post("/v1/projects", &json!({"name": name, "project_type": "Seq2seq"})).ok();
        let example = json!({"text": format!("of the {name}"), "meta": {"subject_id": "p-1"}});
        let made = caller.post(&format!("/v1/projects/{project}/examples"), &example);
        if project == 1 {
            unjudged(&made);
        } else {
            made.ok();
        }
    }
    drop(gateway.stop());
}

/// A file that came before records were judged, and what was made of it, is trained on no more.
#[test]
fn what_came_before_records_were_judged_is_not_trained_on() {
    let own = Own::new();
    let people = own.setup.tenant("people", ALL);
    let Running { gateway, upstream, .. } = own.start(counting());
    let caller = gateway.as_(&people);
    let file = line("p-1", &json!({}));
    let send = |purpose: &str| caller.ask(&upload(purpose, "set.jsonl", file.as_bytes())).ok().id();
    let before = send("fine-tune");
    let job_before = train_on(&caller, &before).ok().id();
    let resume = |job: &str| caller.ask(&Ask::new("POST", format!("/v1/fine_tuning/jobs/{job}/resume")));
    resume(&job_before).ok();
    reload(&gateway, "people", |text| format!("{text}records: {{}}\n"));
    let came = upstream.arrived().len();
    train_on(&caller, &before).refused(Reason::RecordsUnreadable);
    resume(&job_before).refused(Reason::RecordsUnreadable);
    assert_eq!(upstream.arrived().len(), came);
    let (judged, other) = (send("fine-tune"), send("user_data"));
    let job = train_on(&caller, &judged).ok().id();
    resume(&job).ok();
    train_on(&caller, &other).refused(Reason::RecordsUnreadable);
    let both = json!({"model": "gpt-4o-mini", "training_file": judged, "validation_file": before});
    caller.post("/v1/fine_tuning/jobs", &both).refused(Reason::RecordsUnreadable);
    // It is on record, and not in memory.
    let setup = gateway.stop();
    let gateway = setup.start();
    let caller = gateway.as_(&people);
    train_on(&caller, &judged).ok();
    train_on(&caller, &before).refused(Reason::RecordsUnreadable);
    drop(gateway.stop());
}

fn packed(name: &str, body: &[u8]) -> Vec<u8> {
    if name.ends_with(".zip") {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.start_file("inside.txt", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(body).unwrap();
        return zip.finish().unwrap().into_inner();
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(body).unwrap();
    gzip.finish().unwrap()
}

/// `other_files: pass` is for files that hold no records: what a file is called makes none of it.
#[test]
fn other_files_are_none_that_hold_records() {
    let own = Own::new();
    let people = own.setup.tenant("people", &format!("{ALL}records: {{other_files: pass}}\n"));
    let Running { gateway, upstream, .. } = own.start(counting());
    let caller = gateway.as_(&people);
    let (good, bad) = (line("p-1", &json!({})), line("p-2", &json!({"age": 9})));
    let lines = format!("{bad}{good}");
    for name in ["set.txt", "set.json", "set.csv", "set.html", "set", "set.bin"] {
        let answer = caller.ask(&upload("vision", name, lines.as_bytes())).ok();
        assert_eq!(counts(&answer), [1, 0, 1], "{name}");
        assert_eq!(file_of(upstream.arrived().last().unwrap()), good.as_bytes(), "{name}");
    }
    let came = upstream.arrived().len();
    for name in ["set.jsonl.gz", "set.gz", "set.zip"] {
        caller
            .ask(&upload("vision", name, &packed(name, lines.as_bytes())))
            .refused(Reason::RecordsUnreadable);
    }
    assert_eq!(upstream.arrived().len(), came);
    // What holds none passes, and is not said to have been judged.
    let answer = caller.ask(&upload("vision", "note.txt", b"just a text")).ok();
    assert_eq!(answer.header("consentry-records-unread"), Some("1"));
    assert_eq!(answer.header("consentry-records-kept"), None, "nothing was judged");
    let entry = &gateway.recorded(answer.header("x-request-id").unwrap())[0];
    assert_eq!(entry["judged"]["unread"], 1, "{entry}");
    // It may be used as long as the policy lets such files pass.
    let file = answer.id();
    train_on(&caller, &file).ok();
    reload(&gateway, "people", |text| text.replace("other_files: pass", "other_files: refuse"));
    train_on(&caller, &file).refused(Reason::RecordsUnreadable);
    drop(gateway.stop());
}

/// A consent object in which nothing can be read is no silence.
#[test]
fn what_stands_where_consent_does_is_read() {
    let own = Own::new();
    let policy = "records: {opt_out: [US], when: {unreadable: pass}}\n";
    let people = own.setup.tenant("people", &format!("{ALL}{policy}"));
    let Running { gateway, upstream, .. } = own.start(counting());
    let caller = gateway.as_(&people);
    let silent = |more: Value| {
        let mut record = json!({"messages": [{"role": "user", "content": "hello"}], "subject_id": "p-1", "jurisdiction": "US"});
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        format!("{record}\n")
    };
    let kept = [
        json!({}),
        json!({"consent": null}),
        json!({"consent": {}}),
        json!({"consent": true}),
        json!({"consent": {"status": "ConsentGiven", "controller": "us"}}),
        json!({"consent": {"jurisdiction": "US"}}),
        json!({"metadata": {"consent": "yes"}}),
    ];
    let left_out = [
        json!({"consent": false}),
        json!({"consent": "withdrawn"}),
        json!({"consent": [true]}),
        json!({"consent": {"given": false}}),
        json!({"consent": {"train": "no"}}),
        json!({"consent": {"said": "something"}}),
        json!({"consent": {"jurisdiction": "US", "training": false}}),
        json!({"consent": {"jurisdiction": "US", "share": false}}),
        json!({"metadata": {"consent": "no"}}),
        json!({"metadata": {"consent": {"train-ai": "n"}}}),
        json!({"metadata": {"consent": {"status": "train-ai=N"}}}),
        json!({"metadata": {"content_usage": "train-ai=no"}}),
    ];
    let file: String = kept.iter().chain(&left_out).map(|more| silent(more.clone())).collect();
    let answer = caller.ask(&upload("fine-tune", "set.jsonl", file.as_bytes())).ok();
    let expected: String = kept.iter().map(|more| silent(more.clone())).collect();
    assert_eq!(String::from_utf8(file_of(upstream.arrived().last().unwrap())).unwrap(), expected);
    assert_eq!(counts(&answer), [kept.len() as u64, 0, left_out.len() as u64]);
    drop(gateway.stop());
}
