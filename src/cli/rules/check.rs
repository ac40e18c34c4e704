//! `consentry rules check`: do rules do what they say?

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::super::output::{complain, say};
use super::{Read, read, refuse};
use crate::censor::{RuleSet, check};
use crate::diagnostic::Diagnostic;

/// Which rules.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Rule files, and folders of them; none: the rules that come with the program.
    paths: Vec<PathBuf>,
}

/// Says every fault of every rule, in the order of the files.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let given = if arguments.paths.is_empty() { builtin() } else { read(&arguments.paths) };
    let read = match given {
        Ok(read) => read,
        Err(message) => {
            complain(message);
            return ExitCode::from(2);
        }
    };
    let faults = check(&read.rules).into_iter().map(|fault| read.with_source(fault));
    let mut all: Vec<Diagnostic> = read.errors.iter().cloned().chain(faults).collect();
    let place = |fault: &Diagnostic| read.texts.iter().position(|(name, _)| *name == fault.file);
    all.sort_by_key(|fault| (place(fault), fault.line, fault.column));
    if !all.is_empty() {
        return refuse(&all);
    }
    let count = |number: fn(&crate::censor::rules::RuleSpec) -> usize| -> usize {
        read.rules.iter().map(|rule| number(&rule.spec)).sum()
    };
    let found = count(|spec| spec.examples.len() + spec.field_examples.len());
    let not = count(|spec| spec.negative_examples.len() + spec.negative_field_examples.len());
    say(format_args!(
        "ok: {} rule(s) in {} file(s), {found} example(s), {not} negative one(s)",
        read.rules.len(),
        read.texts.len(),
    ));
    ExitCode::SUCCESS
}

fn builtin() -> Result<Read, String> {
    let rules = RuleSet::builtin().map_err(|error| error.to_string())?;
    let texts = RuleSet::builtin_files().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    Ok(Read { rules, texts, errors: Vec::new() })
}
