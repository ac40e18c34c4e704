//! `consentry profile`: API profiles and the specifications that they are made from.

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use super::check::refuse;
use super::output::complain;
use crate::openapi::Document;

mod draft;

/// What to do with profiles.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Writes a first profile from an OpenAPI file, and marks what a person has to decide.
    Draft(draft::Arguments),
}

/// Does it.
pub(super) fn run(command: &Command) -> ExitCode {
    match command {
        Command::Draft(arguments) => draft::run(arguments),
    }
}

/// Largest file that is read.
const LARGEST: u64 = 64 << 20;

fn read(path: &Path) -> std::io::Result<String> {
    let size = std::fs::metadata(path)?.len();
    if size > LARGEST {
        return Err(std::io::Error::other(format!("has {size} bytes, more than {LARGEST}")));
    }
    std::fs::read_to_string(path)
}

/// The specification in a file, or the exit status after it was told why there is none.
fn specification(path: &Path) -> Result<Document, ExitCode> {
    let name = path.display().to_string();
    let text = read(path).map_err(|error| {
        complain(format_args!("{name}: {error}"));
        ExitCode::from(2)
    })?;
    Document::parse(&name, &text).map_err(|error| refuse(&[error]))
}
