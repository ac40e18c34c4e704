//! How good are the rules that come with the program?
//!
//! `CONSENTRY_QUALITY=1 cargo test --test quality -- --nocapture` prints the tables.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what it measured, and ends where it can't"
)]

mod contexts;
mod generated;
mod ordinary;
mod streams;

use std::sync::{Arc, OnceLock};

use consentry::censor::{Engine, Policy, RuleSet};

fn rules() -> &'static RuleSet {
    static RULES: OnceLock<RuleSet> = OnceLock::new();
    RULES.get_or_init(|| RuleSet::builtin().unwrap())
}

fn engine() -> Arc<Engine> {
    static ENGINE: OnceLock<Arc<Engine>> = OnceLock::new();
    let compile = || Arc::new(Engine::compile(rules(), &Policy::recommended()).unwrap());
    Arc::clone(ENGINE.get_or_init(compile))
}

fn percent((have, all): (usize, usize)) -> f64 {
    100.0 * have as f64 / all.max(1) as f64
}

/// Floor: 97 % of the labelled bytes in every context; the pack reaches more than 99.
#[test]
fn every_rule_covers_its_values_in_every_context() {
    let outcome = contexts::run(rules(), &engine());
    for (id, texts) in &outcome.misses {
        println!("{id}: {} e.g. {:?}", texts.len(), texts.first());
    }
    for (context, counts) in &outcome.by_context {
        println!("{context}: {:.2} % of {} bytes", percent(*counts), counts.1);
    }
    for (context, counts) in &outcome.by_context {
        assert!(percent(*counts) >= 99.0, "{context}: {:.2} %", percent(*counts));
    }
}

/// Floors: 97 % of secrets, 97 % of personal data, three false findings in a megabyte.
#[test]
fn planted_values_are_covered_and_little_else() {
    let directory = tempfile::tempdir().unwrap();
    let texts: Vec<generated::Text> =
        [1, 2].iter().flat_map(|seed| generated::texts(directory.path(), *seed, 1.0)).collect();
    let score = generated::score(&engine(), &texts);
    let megabytes = score.bytes as f64 / 1e6;
    let false_rate = score.false_findings as f64 / megabytes;
    println!(
        "secrets {:.2} %, personal {:.2} %, {false_rate:.2} false/MB of {megabytes:.2} MB",
        percent(score.secrets),
        percent(score.personal)
    );
    for (kind, counts) in score.by_kind.iter().filter(|(_, counts)| counts.0 < counts.1) {
        println!("{kind}: {:.2} %", percent(*counts));
    }
    for note in score.notes.iter().take(40) {
        println!("{note}");
    }
    assert!(percent(score.secrets) >= 99.0 && percent(score.personal) >= 99.0 && false_rate <= 1.0);
}

/// Floors: one secret in a megabyte, five pieces of personal data in a megabyte beyond addresses that are truly there
/// (authors' mail, example networks).
#[test]
fn ordinary_text_raises_no_alarm() {
    let alarms = ordinary::run(&engine());
    let megabytes = alarms.bytes as f64 / 1e6;
    assert!(megabytes > 1.0, "no text to look at on this machine");
    let sum = |list: &std::collections::BTreeMap<String, (usize, String)>, skip: &[&str]| -> usize {
        list.iter().filter(|(id, _)| !skip.contains(&id.as_str())).map(|(_, (count, _))| count).sum()
    };
    // Private keys of test suites are private keys.
    let secrets = sum(&alarms.secrets, &["private-key", "jwt", "htpasswd-hash"]);
    let personal = sum(&alarms.personal, &["EMAIL_ADDRESS", "IP_ADDRESS", "IP_ADDRESS_V6", "MAC_ADDRESS"]);
    println!("{megabytes:.1} MB");
    for (id, (count, example)) in alarms.secrets.iter().chain(&alarms.personal) {
        println!("{id} {count}, as in {example}");
    }
    assert!((secrets as f64) < megabytes, "{secrets} secrets in {megabytes:.1} MB");
    assert!((personal as f64) < 5.0 * megabytes, "{personal} pieces of personal data in {megabytes:.1} MB");
}

/// Invariant 1, with the whole pack: cut anywhere, the same is replaced.
#[test]
fn streams_replace_what_is_found_in_the_whole_text() {
    let directory = tempfile::tempdir().unwrap();
    let engine = engine();
    for (index, text) in generated::texts(directory.path(), 7, 0.15).iter().enumerate() {
        let bytes = text.text.as_bytes();
        let whole = streams::found(&engine, bytes);
        let every: Vec<usize> = (1..bytes.len()).collect();
        assert_eq!(streams::replaced(&engine, bytes, &every), whole, "byte by byte: {:?}", text.text);
        // Cuts at distances that differ from text to text, and around every planted value.
        let strided: Vec<usize> = (1..bytes.len()).step_by(7 + index % 61).collect();
        assert_eq!(streams::replaced(&engine, bytes, &strided), whole, "strides: {:?}", text.text);
        for label in &text.labels {
            let middle = label.start + (label.end - label.start) / 2;
            for cut in [
                label.start.saturating_sub(1),
                label.start,
                label.start + 1,
                middle,
                label.end - 1,
                label.end,
            ] {
                let cuts: Vec<usize> =
                    [cut].into_iter().filter(|cut| (1..bytes.len()).contains(cut)).collect();
                assert_eq!(streams::replaced(&engine, bytes, &cuts), whole, "cut at {cut}: {:?}", text.text);
            }
        }
    }
}
