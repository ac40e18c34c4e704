//! `consentry rules import`: a `gitleaks.toml` becomes a rule file.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::super::output::{complain, say};
use super::refuse;
use crate::censor::import::{Imported, Note, gitleaks};

/// What to import, and where to.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// The `gitleaks.toml`.
    file: PathBuf,
    /// Where the rule file goes; default: standard output. A file that is there is not overwritten.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How that is told which could not be carried over, on standard error.
    #[arg(long, value_enum, default_value_t = Report::Text)]
    report: Report,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Report {
    /// For people, a line each.
    Text,
    /// `{"file":"…","line":n,"rule":"…","carried":bool,"why":"…"}`, one a line.
    Json,
}

/// Largest file that is read.
const LARGEST: u64 = 16 << 20;

/// Imports it. What can't be carried over is told and is no error.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let name = arguments.file.display().to_string();
    let text = match read(&arguments.file) {
        Ok(text) => text,
        Err(error) => {
            complain(format_args!("{name}: {error}"));
            return ExitCode::from(2);
        }
    };
    let imported = match gitleaks(&name, &text) {
        Ok(imported) => imported,
        Err(error) => return refuse(&[error]),
    };
    let written = match &arguments.out {
        None => {
            say(imported.yaml.trim_end());
            Ok(())
        }
        Some(path) => write(path, &imported.yaml),
    };
    if let Err(message) = written {
        complain(message);
        return ExitCode::from(2);
    }
    match arguments.report {
        Report::Text => told(&name, &imported),
        Report::Json => imported.notes.iter().for_each(|note| error_line(&object(&name, note).to_string())),
    }
    ExitCode::SUCCESS
}

fn read(path: &Path) -> std::io::Result<String> {
    let size = std::fs::metadata(path)?.len();
    if size > LARGEST {
        return Err(std::io::Error::other(format!("has {size} bytes, more than {LARGEST}")));
    }
    std::fs::read_to_string(path)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("{}: {error}", path.display()))
}

fn told(file: &str, imported: &Imported) {
    for note in &imported.notes {
        let rule = note.rule.as_ref().map(|id| format!("rule `{id}`: ")).unwrap_or_default();
        let fate = if note.dropped { "not carried over: " } else { "" };
        error_line(&format!("{file}:{}: {rule}{fate}{}", note.line, note.why));
    }
    let dropped = imported.notes.iter().filter(|note| note.dropped).count();
    let differences = imported.notes.len() - dropped;
    complain(format_args!(
        "{} rule(s) written, {dropped} not carried over, {differences} difference(s)",
        imported.rules
    ));
}

fn object(file: &str, note: &Note) -> serde_json::Value {
    serde_json::json!({
        "file": file, "line": note.line, "rule": note.rule, "carried": !note.dropped, "why": note.why,
    })
}

fn error_line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
