//! Files that are written from the code are what the code writes.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use consentry::config::schema::KeptBy;
use consentry::reason::{Blame, Reason};

use super::{read, root};

/// Compares a file with what it should be, or writes it anew.
pub(crate) fn current(path: &str, wanted: &str) {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(root().join(path), wanted).unwrap();
        return;
    }
    let hint = "`UPDATE=1 cargo test --test tidy` writes it anew";
    assert!(root().join(path).exists(), "{path} is missing; {hint}");
    let written = read(path);
    let line = written.lines().zip(wanted.lines()).position(|(old, new)| old != new);
    let line = line.unwrap_or_else(|| written.lines().count().min(wanted.lines().count())) + 1;
    assert!(written == wanted, "{path} is not what the code writes, from line {line} on; {hint}");
}

#[test]
fn the_schemas_of_the_configuration_are_current() {
    for (name, schema) in consentry::config::schemas() {
        let text = serde_json::to_string_pretty(&schema).unwrap();
        current(&format!("config/{name}"), &format!("{text}\n"));
    }
}

#[test]
fn the_metrics_are_documented() {
    current("docs/metrics.md", &consentry::telemetry::document());
}

#[test]
fn the_coverage_of_the_example_is_current() {
    let output = Command::new(env!("CARGO_BIN_EXE_consentry"))
        .args(["coverage", "--config", "config"])
        .env("OPENAI_API_KEY", "none")
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "consentry coverage: {}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8(output.stdout).unwrap();
    let text = format!(
        "# Coverage\n\nWritten by `consentry coverage --config config`: for every operation of the example's API profile, where ids are \
         checked, which purposes have to be granted, and how each body is read. An operation that is not here is refused \
         as `operation_unknown`.\n\n`tests/run-clients.sh openai-python openai-node` calls each of them with the official SDKs, as two \
         tenants before the sandbox; the audit trail has to name every one.\n\n{table}"
    );
    current("docs/coverage.md", &format!("{}\n", text.trim_end()));
}

#[test]
fn the_reasons_are_documented() {
    let mut text = String::from(
        "# Reasons\n\nWritten from `src/reason.rs`. A request that does not pass has exactly one of these. The code is the `code` of the error's \
         body, the label `reason` of `consentry_blocked_total` and the `reason` of the audit entry.\n\n\
         | Code | Status | Whose doing | What the caller is told |\n|---|---|---|---|\n",
    );
    for reason in Reason::ALL {
        let blame = match reason.blame() {
            Blame::Client => "caller",
            Blame::Upstream => "upstream",
            Blame::Policy => "policy",
            Blame::Us => "gateway",
        };
        let _ok =
            writeln!(text, "| `{reason}` | {} | {blame} | {} |", reason.status().as_u16(), reason.title());
    }
    current("docs/reasons.md", &text);
}

#[test]
fn the_promises_are_documented() {
    let policies = consentry::config::Policy::builtin().unwrap();
    let mut text = String::from(
        "# Promises\n\nWritten from `config/policies/*.yaml`. Each row is a promise of a privacy policy: what keeps it, and the tests that fail if \
         it is broken. *Not yet* is what a policy says and the gateway does not enforce. How policies work is in [policies.md](policies.md).\n",
    );
    for policy in &policies {
        let _ok = write!(
            text,
            "\n## {}\n\n`policy: {}`, version {}\n\n| Id | Promise | State | Kept by | Shown by |\n|---|---|---|---|---|\n",
            policy.title, policy.name, policy.version
        );
        for promise in &policy.promises {
            let kept: Vec<String> = promise.kept_by.iter().map(kept_by).collect();
            let shown: Vec<String> = promise.shown_by.iter().map(|test| shown_by(test)).collect();
            let _ok = writeln!(
                text,
                "| {} | {} | {} | {} | {} |",
                promise.id,
                promise.words,
                promise.kept().as_str(),
                kept.join("; "),
                shown.join(", ")
            );
        }
    }
    current("docs/promises.md", &text);
}

fn kept_by(kept: &KeptBy) -> String {
    match kept {
        KeptBy::Option(at) => format!("setting `{at}`"),
        KeptBy::Always(words) => format!("always: [{words}](../ARCHITECTURE.md)"),
        KeptBy::Platform(setting) => format!("consentry.yaml: `{setting}`"),
        KeptBy::Tenant(setting) => format!("the tenant's file: `{setting}`"),
        KeptBy::Command(command) => format!("`{command}`"),
        KeptBy::Document(path) => format!("[{path}](../{path})"),
        KeptBy::NotYet(words) => format!("*not yet:* {words}"),
    }
}

/// A test as a link; the test of the documents looks for the name in the file.
fn shown_by(test: &str) -> String {
    let (path, name) = test.split_once("::").unwrap();
    format!("[`{name}`](../{path})")
}

/// Every test that a policy names is there, and every invariant.
#[test]
fn what_policies_name_is_there() {
    let architecture = read("ARCHITECTURE.md");
    let mut complaints = Vec::new();
    for policy in consentry::config::Policy::builtin().unwrap() {
        for promise in &policy.promises {
            for test in &promise.shown_by {
                let (path, name) = test.split_once("::").unwrap();
                let text = std::fs::read_to_string(root().join(path)).unwrap_or_default();
                let marked = ["#[test]\nfn ", "#[tokio::test]\nasync fn ", "\ndef "];
                // Attributes may stand between.
                let there = marked.iter().any(|start| text.contains(&format!("{start}{name}(")))
                    || text.contains(&format!("]\nfn {name}("));
                if !there {
                    complaints.push(format!("{}: {test} is no test", promise.id));
                }
                // A test says which row it is about.
                let row = format!("{}_", promise.id.to_lowercase());
                if !name.contains(&row) && !text.contains(&promise.id) {
                    complaints.push(format!("{}: {test} does not name its row", promise.id));
                }
            }
            for kept in &promise.kept_by {
                let missing = match kept {
                    KeptBy::Always(words) => !architecture.contains(&format!("**{words}**")),
                    KeptBy::Document(path) => !root().join(path).is_file(),
                    _ => false,
                };
                if missing {
                    complaints.push(format!("{}: {kept:?} is not there", promise.id));
                }
            }
        }
    }
    super::none("config/policies names", &complaints);
}
