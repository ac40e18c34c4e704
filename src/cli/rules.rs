//! `consentry rules`: what the detectors are, whether they hold, and what others' become here.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;

use super::output::complain;
use crate::censor::RuleSet;
use crate::diagnostic::Diagnostic;

mod check;
mod explain;
mod import;
mod list;

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Checks that rules do what they say: ids, examples, lengths, keywords, validators, references.
    Check(check::Arguments),
    /// Lists the rules.
    List(list::Arguments),
    /// Shows a rule, and with a text why it finds something there, or does not.
    Explain(explain::Arguments),
    /// Converts a `gitleaks.toml` into a rule file, and says what could not be carried over.
    Import(import::Arguments),
}

/// Carries it out.
pub(super) fn run(command: &Command) -> ExitCode {
    match command {
        Command::Check(arguments) => check::run(arguments),
        Command::List(arguments) => list::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
        Command::Import(arguments) => import::run(arguments),
    }
}

/// Rules from files, the texts that they were read from, and what is wrong with them.
#[derive(Default)]
pub(super) struct Read {
    pub(super) rules: RuleSet,
    pub(super) texts: Vec<(String, String)>,
    pub(super) errors: Vec<Diagnostic>,
}

impl Read {
    /// Adds the line of the text that an error is about.
    pub(super) fn with_source(&self, error: Diagnostic) -> Diagnostic {
        match self.texts.iter().find(|(name, _)| *name == error.file) {
            Some((_, text)) if error.source.is_none() => error.with_source(text),
            _ => error,
        }
    }
}

/// Reads rule files, and all of folders. An id may stand in one of them only.
pub(super) fn read(paths: &[PathBuf]) -> Result<Read, String> {
    let mut read = Read::default();
    for path in paths {
        for file in files(path)? {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(&file).map_err(|error| format!("{name}: {error}"))?;
            let (rules, errors) = RuleSet::parse_all(&name, &text);
            read.errors.extend(errors);
            read.texts.push((name, text));
            for rule in rules.split() {
                if let Err(error) = read.rules.extend(rule) {
                    let error = read.with_source(error);
                    read.errors.push(error);
                }
            }
        }
    }
    Ok(read)
}

/// The rule files of a folder, by name; or the file itself.
fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        let ending = file.extension().is_some_and(|e| e == "yaml" || e == "yml");
        let hidden = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if ending && !hidden && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() { Err(format!("{}: no rule files (*.yaml)", path.display())) } else { Ok(files) }
}

/// The rules that come with the program, and those of files, which win by their ids.
pub(super) fn all(paths: &[PathBuf]) -> Result<RuleSet, ExitCode> {
    let failed = |message: String| {
        complain(message);
        ExitCode::from(2)
    };
    let read = read(paths).map_err(failed)?;
    if !read.errors.is_empty() {
        return Err(refuse(&read.errors));
    }
    let wrong: Vec<Diagnostic> =
        read.rules.verify(usize::MAX).into_iter().map(|error| read.with_source(error)).collect();
    if !wrong.is_empty() {
        return Err(refuse(&wrong));
    }
    let builtin = RuleSet::builtin().map_err(|error| failed(error.to_string()))?;
    Ok(read.rules.or(builtin))
}

/// Prints what is wrong with rules; the exit status is that of bad data.
pub(super) fn refuse(errors: &[Diagnostic]) -> ExitCode {
    for error in errors {
        complain(error);
    }
    let s = if errors.len() == 1 { "" } else { "s" };
    complain(format_args!("{} fault{s} in the rules", errors.len()));
    ExitCode::from(64)
}
