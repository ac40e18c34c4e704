//! `consentry rules list`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::super::output::say;
use super::all;
use crate::censor::rules::Rule;

/// Which rules, and in which form.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Only these.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// The form.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Rule files or folders of them; a rule replaces the built-in one of its id.
    #[arg(long, value_name = "PATH")]
    rules: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Rules of the group `secrets`.
    Secret,
    /// All others.
    Personal,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A line each, in columns.
    Table,
    /// One object a line.
    Json,
}

/// Prints them, ordered by id.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let rules = match all(&arguments.rules) {
        Ok(rules) => rules,
        Err(code) => return code,
    };
    let wanted = |rule: &&Rule| {
        let secret = if rule.spec.is_secret() { Kind::Secret } else { Kind::Personal };
        arguments.kind.is_none_or(|kind| kind == secret)
    };
    let listed: Vec<&Rule> = rules.iter().filter(wanted).collect();
    match arguments.format {
        Format::Table => say(table(&listed)),
        Format::Json => listed.iter().for_each(|rule| say(object(rule))),
    }
    ExitCode::SUCCESS
}

fn table(rules: &[&Rule]) -> String {
    let head = ["ID", "ENTITY", "ACTION", "SEVERITY", "DESCRIPTION"].map(str::to_owned);
    let rows = rules.iter().map(|rule| {
        let spec = &rule.spec;
        let action = spec.action.action().to_string();
        [spec.id.value.clone(), spec.label(), action, spec.severity.to_string(), spec.description.clone()]
    });
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn object(rule: &Rule) -> serde_json::Value {
    let spec = &rule.spec;
    serde_json::json!({
        "id": spec.id.value,
        "entity": spec.label(),
        "kind": if spec.is_secret() { "secret" } else { "personal" },
        "description": spec.description,
        "groups": spec.groups,
        "severity": spec.severity,
        "action": spec.action.action().to_string(),
        "file": rule.file,
        "line": rule.location.line(),
    })
}
