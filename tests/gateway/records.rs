//! Consent record by record: what a data set's records say of themselves decides which of them go up, and the upstream has
//! the filtered whole or nothing.

use std::sync::atomic::{AtomicUsize, Ordering};

use consentry::reason::Reason;
use serde_json::{Value, json};

use super::files::file_of;
use super::kit::gateway::GRANTED;
use super::kit::own::{Own, Running};
use super::kit::upstream::{json as reply, plain};
use super::kit::values::{FORM, form, mail, upload};
use super::kit::{Answer, Ask, Caller, Tenant};

mod named;
mod unjudged;

/// A gateway with one tenant more, whose records are judged so.
fn judging(records: &str) -> (Running, Tenant) {
    let own = Own::new();
    let tenant = own.setup.tenant("people", &format!("{GRANTED}{records}"));
    (own.start(plain), tenant)
}

/// A line of somebody who consented, with more in its metadata.
fn line(subject: &str, metadata: &Value) -> String {
    let mut all = json!({"subject_id": subject, "training_consent": true});
    all.as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
    let record = json!({"messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "yes"}], "metadata": all});
    format!("{record}\n")
}

fn counts(answer: &Answer) -> [u64; 3] {
    ["kept", "anonymised", "dropped"].map(|what| {
        let told = answer.header(&format!("consentry-records-{what}"));
        told.unwrap_or_else(|| panic!("nothing is told of {what}")).parse().unwrap()
    })
}

fn train(caller: &Caller<'_>, file: &str) -> Answer {
    caller.ask(&upload("fine-tune", "set.jsonl", file.as_bytes()))
}

/// O3, W1: of some thousand records, those that may be used so arrive byte for byte, and nothing of the others; what became
/// of them is told, counted and recorded.
#[test]
fn w1_o3_records_that_may_not_be_used_so_are_left_out() {
    let (Running { gateway, upstream, .. }, people) = judging("records: {}\n");
    let caller = gateway.as_(&people);
    let (mut file, mut expected, mut report) = (String::new(), String::new(), String::new());
    let kinds: [(Value, Option<&str>); 9] = [
        (json!({}), None),
        (json!({"training_consent": false}), Some("said_no")),
        (json!({"content_usage": "train-ai=n"}), Some("flags_contradict")),
        (json!({"age": 12}), Some("minor")),
        (json!({"birth_date": "2015-04-01"}), Some("minor")),
        (json!({"birth_date": "1/2/1980"}), Some("unreadable")),
        (json!({"subject_id": null}), Some("no_subject")),
        (json!({"consent": {"pii_principal_id": "someone-else"}}), Some("two_subjects")),
        (json!({"training_consent": null}), Some("unknown")),
    ];
    for number in 1..=3000_usize {
        let (metadata, finding) = &kinds[(number * 7 + number / 10) % kinds.len()];
        let line = line(&format!("person-{number}"), metadata).replace(':', " : ");
        match finding {
            None => expected.push_str(&line),
            Some(finding) => {
                report.push_str(&format!(
                    "{{\"record\":{number},\"action\":\"drop\",\"finding\":\"{finding}\"}}\n"
                ));
            }
        }
        file.push_str(&line);
    }
    let answer = train(&caller, &file).ok();
    let arrived = upstream.one();
    assert!(file_of(&arrived) == expected.as_bytes(), "what arrived is something else");
    let (kept, dropped) = (expected.lines().count() as u64, report.lines().count() as u64);
    assert_eq!(counts(&answer), [kept, 0, dropped]);
    let entry = &gateway.recorded(answer.header("x-request-id").unwrap())[0];
    assert_eq!(entry["records"], json!({"passed": kept, "censored": 0, "dropped": dropped, "anonymised": 0}));
    let hash = data_encoding::HEXLOWER
        .encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, report.as_bytes()).as_ref());
    assert_eq!(entry["judged"]["report"], json!(hash), "the trail shows which records were meant");
    let minors = report.lines().filter(|line| line.contains("minor")).count();
    let told = entry["judged"]["findings"].as_array().unwrap();
    assert!(told.contains(&json!({"finding": "minor", "action": "drop", "count": minors})), "{told:?}");
    super::kit::eventually(|| {
        let labels = [("tenant", "people"), ("finding", "minor"), ("action", "drop")];
        gateway.metric("consentry_record_findings_total", &labels) == minors as f64
    });
    let outcome =
        |outcome| gateway.metric("consentry_records_total", &[("tenant", "people"), ("outcome", outcome)]);
    assert_eq!((outcome("passed"), outcome("dropped")), (kept as f64, dropped as f64));
    // Somebody else's records are not judged, nor are the tenant's own where they train nobody.
    let other = gateway.as_(&people);
    let plain = other.ask(&upload("user_data", "set.jsonl", line("a", &json!({"age": 3})).as_bytes())).ok();
    assert_eq!(plain.header("consentry-records-kept"), None);
    drop(gateway.stop());
}

/// O5: after withdrawal, what is still used is anonymised.
#[test]
fn o5_what_is_used_after_withdrawal_is_anonymous() {
    let (Running { gateway, upstream, .. }, people) =
        judging("records: {when: {said_no: anonymise, minor: anonymise}}\n");
    let caller = gateway.as_(&people);
    let address = mail("ann.berger");
    let withdrawn = |said: &str| {
        let metadata = json!({
            "consent": {"status": "ConsentWithdrawn", "pii_principal_id": "p-7f3a", "record_id": "r-1"},
            "birth_date": "1980-02-03", "topic": "a",
        });
        let record = json!({"messages": [{"role": "user", "content": said}], "metadata": metadata});
        format!("{record}\n")
    };
    let kept = line("p-1", &json!({}));
    let file = format!("{}{kept}{}", withdrawn(&format!("write to {address}")), withdrawn("I am p-7f3a"));
    let answer = train(&caller, &file).ok();
    assert_eq!(counts(&answer), [1, 1, 1]);
    let arrived = String::from_utf8(file_of(&upstream.one())).unwrap();
    let before: Value = serde_json::from_str(file.lines().next().unwrap()).unwrap();
    assert_eq!(before["metadata"]["consent"]["pii_principal_id"], "p-7f3a");
    let mut lines = arrived.lines();
    let after: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!(
        after["messages"][0]["content"], "write to [EMAIL_ADDRESS]",
        "no pseudonym stands for anybody"
    );
    assert_eq!(after["metadata"], json!({"topic": "a"}));
    assert_eq!(lines.next(), Some(kept.trim_end()));
    assert_eq!(lines.next(), None);
    for gone in [&*address, "p-7f3a", "1980-02-03", "r-1"] {
        assert!(!arrived.contains(gone), "{gone}");
    }
    let entry = &gateway.recorded(answer.header("x-request-id").unwrap())[0];
    assert_eq!(entry["records"]["anonymised"], 1);
    let still = json!({"finding": "still_named", "action": "drop", "count": 1});
    assert!(entry["judged"]["findings"].as_array().unwrap().contains(&still));
    drop(gateway.stop());
}

/// O2: each of the five is flagged, its record is dropped, or the file is blocked.
#[test]
fn o2_special_categories_are_flagged_dropped_or_block_the_file() {
    let own = Own::new();
    let with = |name: &str, action: &str| {
        own.setup.tenant(name, &format!("{GRANTED}records: {{when: {{special_category: {action}}}}}\n"))
    };
    let (flags, drops, blocks) = (with("flags", "pass"), with("drops", "drop"), with("blocks", "refuse"));
    // What one tenant owns is not another's: each upload has an id of its own.
    let made = AtomicUsize::new(0);
    let Running { gateway, upstream, .. } = own.start(move |_| {
        let id = format!("file-{}", made.fetch_add(1, Ordering::Relaxed));
        reply(200, &json!({"id": id, "object": "file", "purpose": "fine-tune"}))
    });
    let five = [
        ("diagnosis", "type 2 diabetes"),
        ("ethnicity", "Bumiputera"),
        ("political_party", "Green movement"),
        ("religion", "Buddhist"),
        ("sexual_orientation", "bisexual"),
    ];
    let innocent = line("p-1", &json!({}));
    for (at, (field, value)) in five.iter().enumerate() {
        let file = format!("{innocent}{}", line("p-2", &json!({*field: value})));
        let answer = train(&gateway.as_(&flags), &file).ok();
        assert_eq!(counts(&answer), [2, 0, 0], "{field}");
        let arrived = String::from_utf8(file_of(upstream.arrived().last().unwrap())).unwrap();
        assert!(!arrived.contains(value), "the censor takes {field} out: {arrived}");
        let entry = &gateway.recorded(answer.header("x-request-id").unwrap())[0];
        assert_eq!(
            entry["judged"]["findings"],
            json!([{"finding": "special_category", "action": "pass", "count": 1}]),
            "{field}"
        );
        assert_eq!(counts(&train(&gateway.as_(&drops), &file).ok()), [1, 0, 1], "{field}");
        assert_eq!(file_of(upstream.arrived().last().unwrap()), innocent.as_bytes(), "{field}");
        let refused = train(&gateway.as_(&blocks), &file).refused(Reason::RecordRefused);
        assert!(refused.text().contains("line 2"), "{}", refused.text());
        assert_eq!(upstream.arrived().len(), 2 * (at + 1), "nothing of a refused file goes up");
    }
    // What the record says of itself counts as well.
    let flagged = format!("{innocent}{}", line("p-2", &json!({"special_category": "health"})));
    assert_eq!(counts(&train(&gateway.as_(&drops), &flagged).ok()), [1, 0, 1]);
    drop(gateway.stop());
}

/// P1: three jurisdictions, and one that nobody knows.
#[test]
fn p1_silence_is_consent_where_the_law_says_so() {
    let (Running { gateway, upstream, .. }, people) = judging("records: {opt_out: [US], opt_in: [US-IL]}\n");
    let silent = |place: &str| line("p-1", &json!({"training_consent": null, "jurisdiction": place}));
    let file = ["US-CA", "EU", "US-IL", "Atlantis"].map(silent).concat();
    let answer = train(&gateway.as_(&people), &file).ok();
    assert_eq!(counts(&answer), [1, 0, 3]);
    assert_eq!(file_of(&upstream.one()), silent("US-CA").as_bytes());
    let no = line("p-1", &json!({"training_consent": false, "jurisdiction": "US"}));
    train(&gateway.as_(&people), &no).refused(Reason::RecordRefused);
    drop(gateway.stop());
}

/// A file is never half-forwarded: if its last record stops it, the upstream heard of none.
#[test]
fn a_refused_file_leaves_nothing_upstream() {
    let (Running { gateway, upstream, .. }, people) = judging("records: {when: {minor: refuse}}\n");
    let caller = gateway.as_(&people);
    let good = line("p-1", &json!({}));
    let file = format!("{}{}", good.repeat(9000), line("p-2", &json!({"age": 15})));
    for ask in [
        upload("fine-tune", "set.jsonl", file.as_bytes()),
        Ask::new("POST", "/v1/files").typed(
            FORM,
            form(&[("file", Some("x.jsonl"), file.as_bytes()), ("purpose", None, b"fine-tune")]),
        ),
    ] {
        let answer = caller.ask(&ask).refused(Reason::RecordRefused);
        assert!(answer.text().contains("line 9001"), "{}", answer.text());
    }
    assert!(upstream.arrived().is_empty());
    // A file of which nothing is left, and one that is not read record by record.
    train(&caller, &line("p-1", &json!({"training_consent": false}))).refused(Reason::RecordRefused);
    caller.ask(&upload("vision", "set.txt", b"just a text")).refused(Reason::RecordsUnreadable);
    assert!(upstream.arrived().is_empty());
    // Key by key, so that no two readers see two subjects.
    let twice = good.replace("\"subject_id\":\"p-1\"", "\"subject_id\":\"p-1\",\"subject_id\":\"p-2\"");
    train(&caller, &twice).refused(Reason::FieldAmbiguous);
    assert!(upstream.arrived().is_empty());
    drop(gateway.stop());
}

/// Consent fields don't reach an upstream that refuses keys that it doesn't know.
#[test]
fn what_the_tenant_names_is_taken_out_of_every_record() {
    let (Running { gateway, upstream, .. }, people) =
        judging("records: {remove: [/metadata], fields: {subject: [/metadata/subject_id]}}\n");
    let file = format!("{}{}", line("p-1", &json!({})), line("p-2", &json!({"age": 7})));
    assert_eq!(counts(&train(&gateway.as_(&people), &file).ok()), [1, 0, 1]);
    let arrived: Value = serde_json::from_slice(&file_of(&upstream.one())).unwrap();
    assert_eq!(arrived.as_object().unwrap().keys().collect::<Vec<_>>(), ["messages"]);
    drop(gateway.stop());
}

/// The parts of an upload are one data set.
#[test]
fn an_upload_in_parts_is_judged_as_one_file() {
    let own = Own::new();
    let people = own.setup.tenant("people", &format!("{GRANTED}records: {{}}\n"));
    let running = own.start(|up| {
        let id = if up.target().ends_with("/parts") { "part_1" } else { "upload_1" };
        let file = json!({"id": "file-1", "object": "file", "purpose": "fine-tune"});
        reply(200, &json!({"id": id, "object": "upload", "status": "completed", "file": file}))
    });
    let Running { gateway, upstream, .. } = running;
    let caller = gateway.as_(&people);
    let (good, bad) = (line("p-1", &json!({})), line("p-2", &json!({"age": 15})));
    let file = format!("{bad}{good}{bad}");
    let opened = json!({"purpose": "fine-tune", "filename": "set.jsonl", "bytes": file.len(), "mime_type": "application/jsonl"});
    let id = caller.ask(&Ask::json("/v1/uploads", &opened)).ok().id();
    let (head, tail) = file.split_at(bad.len() + 17);
    let ids = [head, tail].map(|part| {
        let body = form(&[("data", Some("part"), part.as_bytes())]);
        caller.ask(&Ask::new("POST", format!("/v1/uploads/{id}/parts")).typed(FORM, body)).ok().id()
    });
    let done = caller.ask(&Ask::json(format!("/v1/uploads/{id}/complete"), &json!({"part_ids": ids}))).ok();
    assert_eq!(counts(&done), [1, 0, 2]);
    let part = upstream.arrived().into_iter().find(|up| up.target().ends_with("/parts")).unwrap();
    assert_eq!(file_of(&part), good.as_bytes());
    drop(gateway.stop());
}
