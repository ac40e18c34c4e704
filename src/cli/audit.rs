//! `consentry audit verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::output::{complain, say};

/// What to do with the audit trail.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Checks the hash chain of every entry, from the first to the head.
    Verify {
        /// The folder of the trail.
        #[arg(default_value = "config/data/audit")]
        folder: PathBuf,
    },
}

/// Carries it out.
pub(super) fn run(command: &Command) -> ExitCode {
    let Command::Verify { folder } = command;
    match crate::audit::verify(folder, None) {
        Ok(summary) => {
            say(text(&summary));
            ExitCode::SUCCESS
        }
        Err(broken) => {
            complain(broken);
            ExitCode::from(1)
        }
    }
}

/// A verified trail in words.
pub(super) fn text(summary: &crate::audit::Summary) -> String {
    let decisions: Vec<String> =
        summary.decisions.iter().map(|(what, count)| format!("{count} {what}")).collect();
    let span = match (&summary.first, &summary.last) {
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        _ => String::new(),
    };
    format!(
        "ok: {} entries in {} segment(s){span}; {}; head {}",
        summary.entries,
        summary.segments,
        decisions.join(", "),
        summary.head
    )
}
