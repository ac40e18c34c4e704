//! Files that are written from the code are what the code writes.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use consentry::reason::{Blame, Reason};

use super::{read, root};

/// Compares a file with what it should be, or writes it anew.
fn current(path: &str, wanted: &str) {
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
         as `operation_unknown`.\n\n{table}"
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
