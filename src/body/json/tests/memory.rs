//! What a document costs beyond its own bytes.

use std::io::Write;
use std::process::Command;
use std::sync::Arc;

use crate::body::FactValue;
use crate::body::json::{JsonPlan, read};
use crate::body::testkit::request;
use crate::reason::Reason;

/// The most memory that this process ever had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn words() -> Arc<JsonPlan> {
    let [method, url] = ["/method", "/url"].map(|at| at.parse().unwrap());
    Arc::new(JsonPlan::reading(&[&method, &url]).unwrap())
}

#[test]
#[ignore = "run by reading_costs_no_tree, in a process of its own"]
fn reads_a_document_of_small_values() {
    let items = "[],".repeat(5_000_000);
    let body = format!(r#"{{"method":"POST","body":{{"input":[{items}[]]}},"url":"/v1/x"}}"#);
    let (job, words) = (request(), words());
    let before = peak();
    let facts = read(&job, &words, body.as_bytes()).unwrap();
    assert_eq!(facts.first(1), Some(&FactValue::Text("/v1/x".into())));
    writeln!(std::io::stdout(), "grew by {} KiB", peak() - before).unwrap();
}

/// A tree of five million empty arrays took 65 times the bytes of the document.
#[test]
fn reading_costs_no_tree() {
    let test = "body::json::tests::memory::reads_a_document_of_small_values";
    let mut child = Command::new(std::env::current_exe().unwrap());
    let child = child.args(["--exact", test, "--ignored", "--nocapture"]).output().unwrap();
    let said = String::from_utf8(child.stdout).unwrap();
    let grew = said.lines().find_map(|line| line.split_once("grew by ")?.1.strip_suffix(" KiB"));
    let grew: u64 = grew.unwrap_or_else(|| panic!("{said}")).parse().unwrap();
    assert!(grew < 4096, "{grew} KiB");
}

#[test]
fn reading_is_as_strict_as_everything_else() {
    let reason = |body: &str| read(&request(), &words(), body.as_bytes()).err().map(|refusal| refusal.reason);
    assert_eq!(reason(r#"{"method":1,"x":[1e999,{"method":2}],"url":null}"#), None);
    assert_eq!(reason(r#"{"method":"a","method":"b"}"#), Some(Reason::FieldAmbiguous));
    assert_eq!(reason(r#"{"method":"a"} x"#), Some(Reason::ContentMalformed));
    assert_eq!(reason(r#"{"method":"a""#), Some(Reason::ContentTruncated));
    assert_eq!(reason(&"[".repeat(1000)), Some(Reason::ContentTooDeep));
}
