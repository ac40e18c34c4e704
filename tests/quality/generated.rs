//! Records with planted values: how much of them is found, and how much else.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use consentry::censor::{Context, Engine, Finding};
use serde_json::Value;

/// A decoded string of a record and what is planted in it.
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) labels: Vec<Label>,
}

/// Where a planted value stands.
pub(crate) struct Label {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) kind: String,
}

impl Label {
    /// Types in capitals are personal data.
    fn secret(&self) -> bool {
        self.kind.bytes().any(|byte| byte.is_ascii_lowercase())
    }
}

/// Runs the generator; about `megabytes` of records, decoded string by string.
pub(crate) fn texts(directory: &Path, seed: u32, megabytes: f32) -> Vec<Text> {
    both(directory, seed, megabytes).0
}

/// The decoded strings of the records, and the file as it is.
pub(crate) fn both(directory: &Path, seed: u32, megabytes: f32) -> (Vec<Text>, Text) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/quality/gen_jsonl.py");
    let out = directory.join(format!("records-{seed}.jsonl"));
    let status = Command::new("python3")
        .arg(script)
        .args(["--seed", &seed.to_string(), "--mb", &megabytes.to_string(), "--out"])
        .arg(&out)
        .status();
    assert!(status.expect("python3 makes the records").success());
    let records = std::fs::read_to_string(&out).unwrap();
    let labels = std::fs::read_to_string(out.with_extension("jsonl.labels")).unwrap();
    let mut planted: BTreeMap<(usize, String), Vec<Label>> = BTreeMap::new();
    let mut raw = Vec::new();
    for line in labels.lines() {
        let label: Value = serde_json::from_str(line).unwrap();
        let number = |name: &str| usize::try_from(label[name].as_u64().unwrap()).unwrap();
        let text = |name: &str| label[name].as_str().unwrap().to_owned();
        let place = (number("line"), text("pointer"));
        let (start, end): (usize, usize) = serde_json::from_value(label["raw"].clone()).unwrap();
        raw.push(Label { start, end, kind: text("type") });
        planted.entry(place).or_default().push(Label {
            start: number("start"),
            end: number("end"),
            kind: text("type"),
        });
    }
    let mut texts = Vec::new();
    for (line, record) in records.lines().enumerate() {
        let record: Value = serde_json::from_str(record).unwrap();
        for (index, message) in record["messages"].as_array().unwrap().iter().enumerate() {
            let labels = planted.remove(&(line, format!("/messages/{index}/content"))).unwrap_or_default();
            texts.push(Text { text: message["content"].as_str().unwrap().to_owned(), labels });
        }
    }
    assert!(planted.is_empty(), "every label has its text");
    (texts, Text { text: records, labels: raw })
}

/// What an engine makes of texts.
#[derive(Default)]
pub(crate) struct Score {
    pub(crate) bytes: usize,
    /// Covered and labelled bytes.
    pub(crate) secrets: (usize, usize),
    pub(crate) personal: (usize, usize),
    pub(crate) false_findings: usize,
    /// Type → covered and labelled bytes.
    pub(crate) by_kind: BTreeMap<String, (usize, usize)>,
    /// What was found wrongly or not wholly, a few of each.
    pub(crate) notes: Vec<String>,
}

pub(crate) fn score(engine: &Engine, texts: &[Text]) -> Score {
    let mut score = Score::default();
    let mut found = Vec::new();
    for text in texts {
        engine.scan(text.text.as_bytes(), Context::default(), &mut found);
        score.bytes += text.text.len();
        for label in &text.labels {
            let covered = found.iter().map(|finding| overlap(finding, label)).sum::<usize>();
            let labelled = label.end - label.start;
            let side = if label.secret() { &mut score.secrets } else { &mut score.personal };
            for (have, all) in [side, score.by_kind.entry(label.kind.clone()).or_default()] {
                *have += covered;
                *all += labelled;
            }
            if covered < labelled {
                score.notes.push(format!(
                    "{} not wholly: {}",
                    label.kind,
                    around(&text.text, label.start, label.end)
                ));
            }
        }
        for finding in &found {
            if text.labels.iter().all(|label| overlap(finding, label) == 0) {
                score.false_findings += 1;
                let id = &engine.rule(finding.rule).id;
                score.notes.push(format!("{id} falsely: {}", around(&text.text, finding.start, finding.end)));
            }
        }
    }
    score
}

fn overlap(finding: &Finding, label: &Label) -> usize {
    finding.end.min(label.end).saturating_sub(finding.start.max(label.start))
}

fn around(text: &str, start: usize, end: usize) -> String {
    let low = start.saturating_sub(32);
    let part = text.as_bytes().get(low..end.min(start + 80)).unwrap_or_default();
    format!("{:?}", String::from_utf8_lossy(part))
}
