//! No file of the repository holds anything that looks like a real credential, not even a fake one: scanners of the world
//! would report it, and people would get used to that. Tests put theirs together from parts.

use std::fs;

use regex::bytes::Regex;

use super::{files, none, root};

/// Shapes of whole credentials. Prefixes alone stand in rules and documents, and are fine.
const SHAPES: [(&str, &str); 14] = [
    ("an AWS access key", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    ("an Anthropic key", r"\bsk-ant-[a-z]{3,5}[0-9]{2}-[A-Za-z0-9_-]{80,}"),
    ("an OpenAI key", r"\bsk-[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}"),
    ("a GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36}\b"),
    ("a fine-grained GitHub token", r"\bgithub_pat_[A-Za-z0-9_]{60,}"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("a Slack token", r"\bxox[abeoprs]-[0-9]{10,}-[0-9A-Za-z-]{20,}"),
    ("a Google key", r"\bAIza[A-Za-z0-9_-]{35}\b"),
    ("a Hugging Face token", r"\bhf_[A-Za-z]{34}\b"),
    ("a Stripe key", r"\b[rs]k_live_[A-Za-z0-9]{20,}"),
    ("an npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("a private key", r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40,}"),
    ("a signed token", r"\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{30,}"),
    ("a key of this gateway", r"\bcsk_[A-Za-z0-9]{49}\b"),
];

fn shapes() -> Vec<(&'static str, Regex)> {
    SHAPES.iter().map(|(what, shape)| (*what, Regex::new(shape).unwrap())).collect()
}

#[test]
fn no_credential_stands_in_the_repository() {
    let shapes = shapes();
    let mut complaints = Vec::new();
    for file in files() {
        let text = fs::read(root().join(&file)).unwrap();
        for (what, shape) in &shapes {
            if let Some(found) = shape.find(&text) {
                let line = text[..found.start()].iter().filter(|byte| **byte == b'\n').count() + 1;
                complaints.push(format!("{file}:{line} holds {what}"));
            }
        }
    }
    none("put it together from parts at run time", &complaints);
}

#[test]
fn the_shapes_find_what_they_are_for() {
    let examples = [
        ["AK", "IA", "Q3EGSTWVX7JRM2KA"].concat(),
        ["gh", "p_", &"a1B2".repeat(9)].concat(),
        ["sk-", "proj-", &"x".repeat(24), "T3Blb", "kFJ", &"y".repeat(24)].concat(),
        ["-----BEGIN ", "PRIVATE KEY-----\n", &"QUJD".repeat(12)].concat(),
        ["csk", "_", &"A".repeat(49)].concat(),
    ];
    let shapes = shapes();
    for example in &examples {
        let found = shapes.iter().filter(|(_, shape)| shape.is_match(example.as_bytes())).count();
        assert_eq!(found, 1, "{} shapes find an example of {} bytes", found, example.len());
    }
}
