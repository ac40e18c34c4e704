//! Items with one labelled value each, in the ways they are written in the field, and items that only look like them.
//!
//! `field/` makes them from what providers and states say of their formats, independent of this project's patterns, so
//! that a pattern that is too narrow fails here.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use consentry::censor::{Context, Engine};
use serde::Deserialize;

use crate::generated::{Label, Text};

/// An item as the generator writes it.
#[derive(Deserialize)]
pub(crate) struct Item {
    text: String,
    class: String,
    side: String,
    context: String,
    labels: Vec<(usize, usize)>,
}

impl Item {
    /// The item as another test takes it.
    pub(crate) fn text(&self) -> Text {
        let label =
            |(start, end): &(usize, usize)| Label { start: *start, end: *end, kind: self.class.clone() };
        Text { text: self.text.clone(), labels: self.labels.iter().map(label).collect() }
    }
}

/// Covered and labelled bytes.
pub(crate) type Cover = (usize, usize);

/// What an engine makes of items.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) by_side: BTreeMap<String, Cover>,
    pub(crate) by_class: BTreeMap<String, Cover>,
    pub(crate) by_context: BTreeMap<String, Cover>,
    pub(crate) harmless: usize,
    pub(crate) flagged: usize,
    /// What was missed or flagged.
    pub(crate) notes: Vec<String>,
}

/// Runs the generator.
pub(crate) fn items(directory: &Path, seed: u32, rounds: u32) -> Vec<Item> {
    let out = directory.join(format!("items-{seed}.jsonl"));
    let status = Command::new("python3")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/quality"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .args(["-m", "field", "--seed", &seed.to_string(), "--rounds", &rounds.to_string(), "--out"])
        .arg(&out)
        .status();
    assert!(status.expect("python3 makes the items").success());
    let text = std::fs::read_to_string(&out).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn run(engine: &Engine, items: &[Item]) -> Outcome {
    let mut outcome = Outcome::default();
    let mut found = Vec::new();
    for item in items {
        engine.scan(item.text.as_bytes(), Context::default(), &mut found);
        if item.labels.is_empty() {
            outcome.harmless += 1;
            if let Some(finding) = found.first() {
                outcome.flagged += 1;
                let rule = &engine.rule(finding.rule).id;
                outcome.notes.push(format!("{rule} in {}: {:?}", item.class, item.text));
            }
            continue;
        }
        for (start, end) in &item.labels {
            let covered: usize =
                found.iter().map(|f| f.end.min(*end).saturating_sub(f.start.max(*start))).sum();
            for (map, key) in [
                (&mut outcome.by_side, item.side.clone()),
                (&mut outcome.by_class, format!("{} {}", item.side, item.class)),
                (&mut outcome.by_context, format!("{} {}", item.side, item.context)),
            ] {
                let entry = map.entry(key).or_default();
                entry.0 += covered;
                entry.1 += end - start;
            }
            if covered < end - start {
                let text: String = item.text.chars().take(160).collect();
                outcome.notes.push(format!("{} not wholly, in {}: {text:?}", item.class, item.context));
            }
        }
    }
    outcome
}
