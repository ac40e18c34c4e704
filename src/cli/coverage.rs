//! `consentry coverage`: for every operation of the loaded profiles, which checks each direction goes through. It is generated
//! from what the gateway works with, so that a cell can't say more than is done.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::check::refuse;
use super::output::say;
use crate::config::{self, Mode};
use crate::gateway::{Live, coverage};

/// Of which configuration, and in which form.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The configuration: a folder, or its `consentry.yaml`.
    #[arg(short, long, default_value = "config", env = "CONSENTRY_CONFIG")]
    config: PathBuf,
    /// The form.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A table for people (Markdown).
    Text,
    /// One object a line.
    Json,
}

/// Prints it.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let live = config::load(&arguments.config, Mode::Check, 0)
        .and_then(|snapshot| Live::new(snapshot).map_err(|error| vec![error]));
    let live = match live {
        Ok(live) => live,
        Err(errors) => return refuse(&errors),
    };
    let rows = coverage::of(&live);
    match arguments.format {
        Format::Text => say(coverage::table(&rows)),
        Format::Json => {
            for row in &rows {
                say(serde_json::json!(row));
            }
        }
    }
    ExitCode::SUCCESS
}
