//! `consentry audit`: whether the trail holds, and what it says that left.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::check::refuse;
use super::output::{complain, say};
use crate::audit::{Passed, Window};
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
    /// Says what passed in a stretch of time, and to whom: what has to be told after a breach.
    Breach(Breach),
}

/// Of which time, of whom, and in which form.
#[derive(Debug, Args)]
pub(super) struct Breach {
    /// From then on (RFC 3339).
    #[arg(long)]
    from: Timestamp,
    /// Before then. By default until now.
    #[arg(long)]
    to: Option<Timestamp>,
    /// When the breach became known: the clocks run from then. By default from now.
    #[arg(long)]
    known: Option<Timestamp>,
    /// Of this tenant only.
    #[arg(long)]
    tenant: Option<String>,
    /// The form.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The configuration: a folder, or its `consentry.yaml`.
    #[arg(short, long, default_value = "config", env = "CONSENTRY_CONFIG")]
    config: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// To the supervisory authority (GDPR, Article 33).
const AUTHORITY: SignedDuration = SignedDuration::from_hours(72);
/// To those who are affected (what `otso` promises, O6).
const AFFECTED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Carries it out.
pub(super) fn run(command: &Command) -> ExitCode {
    let (folder, config) = match command {
        Command::Verify { folder, config } => (folder, config),
        Command::Breach(asked) => return breach(asked),
    };
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

fn breach(asked: &Breach) -> ExitCode {
    let now = Timestamp::now();
    let to = asked.to.unwrap_or(now);
    if to <= asked.from {
        complain("`--to` lies behind `--from`");
        return ExitCode::from(64);
    }
    let (master, state) = match sealed_state(&asked.config) {
        Ok(sealed) => sealed,
        Err(errors) => return refuse(&errors),
    };
    let window = Window { from: asked.from, to, tenant: asked.tenant.clone() };
    let (passed, trail) = match crate::audit::breach(&state.audit, Some(&master.audit_seal()), &window) {
        Ok(told) => told,
        Err(broken) => {
            complain(broken);
            return ExitCode::from(1);
        }
    };
    let known = asked.known.unwrap_or(now);
    let [authority, affected] = [AUTHORITY, AFFECTED].map(|time| known.saturating_add(time).unwrap_or(known));
    if asked.format == Format::Json {
        say(json!({
            "from": asked.from, "to": to, "known": known,
            "tell_the_authority_by": authority, "tell_who_is_affected_by": affected,
            "tenants": passed, "head": trail.head,
        }));
        return ExitCode::SUCCESS;
    }
    say(format_args!(
        "{} to {to}, by a trail that holds (head {})\nknown since {known}: the authority is told by {authority}, who is affected by {affected}",
        asked.from, trail.head
    ));
    for (tenant, of) in &passed {
        say(lines(tenant, of));
    }
    if passed.is_empty() {
        say("nothing passed");
    }
    ExitCode::SUCCESS
}

/// What passed for a tenant, in words.
fn lines(tenant: &str, of: &Passed) -> String {
    let counts = |counts: &BTreeMap<String, u64>| {
        let all: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        if all.is_empty() { "none".to_owned() } else { all.join(", ") }
    };
    format!(
        "\n{tenant}: {} requests, {} to {}\n  to: {}\n  operations: {}\n  bytes sent: {}; records that passed: {}; resources touched: {}\n  found: {}\n  found and passed as it was: {}",
        of.requests,
        of.first,
        of.last,
        counts(&of.routes),
        counts(&of.operations),
        of.bytes_in,
        of.records,
        of.resources,
        counts(&of.found),
        of.found_and_passed
    )
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
