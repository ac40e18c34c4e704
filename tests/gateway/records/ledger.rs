//! What the ledger says of single people decides about their records.

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::super::files::file_of;
use super::super::kit::gateway::GRANTED;
use super::super::kit::own::{Own, Running};
use super::super::kit::upstream::json as reply;
use super::super::kit::values::{FORM, form, upload};
use super::super::kit::{Arrived, Ask, Step};
use super::super::ledger::consent;
use super::{counts, line};

fn api() -> impl Fn(&Arrived) -> Vec<Step> + Send + Sync {
    let made = std::sync::atomic::AtomicUsize::new(0);
    move |up: &Arrived| {
        let n = made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let id = if up.target().ends_with("/parts") { format!("part_{n}") } else { format!("upload_{n}") };
        if up.target() == "/v1/files" {
            return reply(200, &json!({"id": format!("file-{n}"), "object": "file", "purpose": "fine-tune"}));
        }
        let file = json!({"id": format!("file-{n}"), "object": "file", "purpose": "fine-tune"});
        reply(200, &json!({"id": id, "object": "upload", "status": "completed", "file": file}))
    }
}

/// A record of somebody who said nothing in it.
fn silent(subject: &str) -> String {
    line(subject, &json!({"training_consent": null}))
}

/// W11, W1: what people withdrew is left out of the next file, whatever the record says; what they granted is enough where the
/// record is silent, and not where it says no; other people's, other tenants' and other uses' entries say nothing.
#[test]
fn w11_w1_the_ledger_decides_about_the_records_of_people() {
    let own = Own::new();
    let people = own.setup.tenant("people", &format!("{GRANTED}records: {{}}\n"));
    let strict = own.setup.tenant("strict", &format!("{GRANTED}records: {{ledger_only: true}}\n"));
    let hiding =
        own.setup.tenant("hiding", &format!("{GRANTED}records: {{when: {{withdrawn: anonymise}}}}\n"));
    let Running { gateway, upstream, .. } = own.start(api());
    let config = gateway.setup.config();
    let says = |verb: &str, tenant: &str, more: &[&str], names: &str| {
        let base = [verb, "--tenant", tenant, "--purpose", "train", "--subjects", "-"];
        let (status, told) = consent(&config, &[&base[..], more].concat(), names);
        assert_eq!(status, 0, "{told}");
    };
    let sent = |tenant, file: &str, dataset: Option<&str>| {
        let mut ask = upload("fine-tune", "set.jsonl", file.as_bytes());
        if let Some(name) = dataset {
            ask = ask.header("consentry-dataset", name);
        }
        gateway.as_(tenant).ask(&ask)
    };
    let arrived = || String::from_utf8(file_of(upstream.arrived().last().unwrap())).unwrap();
    let (ann, bea, cem, dee) = (
        line("ann", &json!({})),
        silent("bea"),
        line("cem", &json!({"training_consent": false})),
        silent("dee"),
    );
    let file = [&*ann, &*bea, &*cem, &*dee].concat();
    assert_eq!(counts(&sent(&people, &file, None).ok()), [1, 0, 3]);
    says("grant", "people", &[], "bea\ncem\n");
    says("grant", "strict", &[], "dee\n");
    assert_eq!(counts(&sent(&people, &file, None).ok()), [2, 0, 2], "a record's own no is not outweighed");
    assert_eq!(arrived(), [&*ann, &*bea].concat());
    says("withdraw", "people", &[], "ann\n");
    let answer = sent(&people, &file, None).ok();
    assert_eq!(counts(&answer), [1, 0, 3], "a record's own yes outweighs nothing");
    assert_eq!(arrived(), bea);
    let entry = &gateway.recorded(answer.header("x-request-id").unwrap())[0];
    let found = entry["judged"]["findings"].as_array().unwrap();
    assert!(found.contains(&json!({"finding": "withdrawn", "action": "drop", "count": 1})), "{entry}");
    // Another data set's withdrawal, and one of them all.
    says("withdraw", "people", &["--dataset", "support"], "bea\n");
    assert_eq!(counts(&sent(&people, &bea, None).ok()), [1, 0, 0]);
    sent(&people, &bea, Some("support")).refused(Reason::RecordRefused);
    // Where only the ledger's word counts, a record's yes does not.
    assert_eq!(counts(&sent(&strict, &file, None).ok()), [1, 0, 3]);
    assert_eq!(arrived(), dee);
    // What is over is no silence, and of two subjects each is asked.
    says("grant", "people", &["--from", "2020-01-01T00:00:00Z", "--until", "2021-01-01T00:00:00Z"], "eve\n");
    sent(&people, &line("eve", &json!({})), None).refused(Reason::RecordRefused);
    // Who withdrew is anonymous, if the tenant wants it so: even as the second subject of a record.
    says("withdraw", "hiding", &[], "ann\n");
    assert_eq!(counts(&sent(&hiding, &ann, None).ok()), [0, 1, 0]);
    let after: Value = serde_json::from_str(&arrived()).unwrap();
    assert_eq!(after["metadata"], json!({}));
    drop(gateway.stop());
}

/// The parts of an upload are asked about when they are put together, in the data set that the upload was opened for.
#[test]
fn an_upload_in_parts_is_judged_by_the_ledger_as_it_is_at_its_end() {
    let own = Own::new();
    let people = own.setup.tenant("people", &format!("{GRANTED}records: {{}}\n"));
    let Running { gateway, upstream, .. } = own.start(api());
    let caller = gateway.as_(&people);
    let (ann, bea) = (line("ann", &json!({})), line("bea", &json!({})));
    let file = format!("{ann}{bea}");
    let opened = json!({"purpose": "fine-tune", "filename": "set.jsonl", "bytes": file.len(), "mime_type": "application/jsonl"});
    let id = caller.ask(&Ask::json("/v1/uploads", &opened).header("consentry-dataset", "support")).ok().id();
    let body = form(&[("data", Some("part"), file.as_bytes())]);
    let part = caller.ask(&Ask::new("POST", format!("/v1/uploads/{id}/parts")).typed(FORM, body)).ok().id();
    let withdraw =
        ["withdraw", "--tenant", "people", "--purpose", "train", "--dataset", "support", "--subjects", "-"];
    let (status, told) = consent(&gateway.setup.config(), &withdraw, "ann\n");
    assert_eq!(status, 0, "{told}");
    let done =
        caller.ask(&Ask::json(format!("/v1/uploads/{id}/complete"), &json!({"part_ids": [part]}))).ok();
    assert_eq!(counts(&done), [1, 0, 1]);
    let part = upstream.arrived().into_iter().find(|up| up.target().ends_with("/parts")).unwrap();
    assert_eq!(file_of(&part), bea.as_bytes());
    drop(gateway.stop());
}
