//! `consentry audit verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::check::refuse;
use super::output::{complain, say};
use crate::config::sealed_state;

/// What to do with the audit trail.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Checks the hash chain of every entry, from the first to the head, and the head's seal.
    Verify {
        /// The folder of the trail, if it is not where the configuration says.
        folder: Option<PathBuf>,
        /// The configuration whose master key the head is sealed with. With a folder alone, the seal is not checked.
        #[arg(short, long, env = "CONSENTRY_CONFIG")]
        config: Option<PathBuf>,
    },
}

/// Carries it out.
pub(super) fn run(command: &Command) -> ExitCode {
    let Command::Verify { folder, config } = command;
    let (folder, seal) = match (folder, config) {
        (Some(folder), None) => (folder.clone(), None),
        (folder, config) => {
            let config = config.clone().unwrap_or_else(|| PathBuf::from("config"));
            match sealed_state(&config) {
                Ok((master, state)) => (folder.clone().unwrap_or(state.audit), Some(master.audit_seal())),
                Err(errors) => return refuse(&errors),
            }
        }
    };
    match crate::audit::verify(&folder, seal.as_ref()) {
        Ok(summary) => {
            say(text(&summary, seal.is_some()));
            ExitCode::SUCCESS
        }
        Err(broken) => {
            complain(broken);
            ExitCode::from(1)
        }
    }
}

/// A verified trail in words.
pub(super) fn text(summary: &crate::audit::Summary, sealed: bool) -> String {
    let decisions: Vec<String> =
        summary.decisions.iter().map(|(what, count)| format!("{count} {what}")).collect();
    let span = match (&summary.first, &summary.last) {
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        _ => String::new(),
    };
    format!(
        "ok: {} entries in {} segment(s){span}; {}; seal {}; head {}",
        summary.entries,
        summary.segments,
        decisions.join(", "),
        if sealed { "checked" } else { "not checked, for want of --config" },
        summary.head
    )
}
