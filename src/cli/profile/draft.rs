//! `consentry profile draft`: an OpenAPI file becomes a first profile.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::super::output::{complain, say};
use super::specification;
use crate::openapi;

/// From what, and where to.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// The specification, OpenAPI 3.0 or 3.1, in YAML or JSON.
    file: PathBuf,
    /// The profile's name; default: that of the file.
    #[arg(long)]
    name: Option<String>,
    /// Where the profile goes; default: standard output. A file that is there is not overwritten.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Drafts it.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let document = match specification(&arguments.file) {
        Ok(document) => document,
        Err(status) => return status,
    };
    let name = arguments.name.clone().unwrap_or_else(|| named(&arguments.file));
    let draft = openapi::draft(&document, &name);
    match &arguments.out {
        None => say(draft.yaml.trim_end()),
        Some(path) => {
            if let Err(error) = write(path, &draft.yaml) {
                complain(format_args!("{}: {error}", path.display()));
                return ExitCode::from(2);
            }
        }
    }
    let left = if draft.left_out > 0 { format!(", {} left out", draft.left_out) } else { String::new() };
    complain(format_args!(
        "{} operation(s) served, {} refused{left}; {} to decide, each behind `# decide:`",
        draft.served, draft.refused, draft.decisions
    ));
    ExitCode::SUCCESS
}

/// The file's name without its endings.
fn named(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.split('.').next().unwrap_or_default().to_owned();
    if name.is_empty() { "api".to_owned() } else { name }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}
