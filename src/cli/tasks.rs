//! `consentry tasks`: what is still to be done upstream, and what was.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::check::refuse;
use super::output::{complain, say};
use super::registry::{self, Fault, open};
use crate::config::{self, Mode, Snapshot};
use crate::names::TenantId;
use crate::store::{About, TaskId, TaskOnRecord, Tasks as _, Told};

/// What to do with tasks.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists what is still to be done.
    List {
        /// For this tenant only.
        #[arg(long)]
        tenant: Option<String>,
        /// Also what is done.
        #[arg(long)]
        past: bool,
        /// Print one JSON object a line.
        #[arg(long)]
        json: bool,
        /// The configuration: a folder, or its `consentry.yaml`.
        #[arg(short, long, default_value = "config", env = "CONSENTRY_CONFIG")]
        config: PathBuf,
    },
    /// Has a task tried at once, as if it had never been tried.
    Retry {
        /// Its number.
        task: TaskId,
        /// The configuration: a folder, or its `consentry.yaml`.
        #[arg(short, long, default_value = "config", env = "CONSENTRY_CONFIG")]
        config: PathBuf,
    },
}

/// Carries it out.
pub(super) fn run(command: &Command) -> ExitCode {
    let (Command::List { config, .. } | Command::Retry { config, .. }) = command;
    match config::load(config, Mode::Check, 0) {
        Ok(snapshot) => registry::ended(carry_out(command, &snapshot)),
        Err(errors) => refuse(&errors),
    }
}

async fn carry_out(command: &Command, snapshot: &Snapshot) -> Result<ExitCode, Fault> {
    let store = open(&snapshot.state.store)?;
    match command {
        Command::List { tenant, past, json, .. } => {
            // A tenant that has left has tasks still.
            let tenant = tenant.as_deref().map(TenantId::new);
            for task in store.tasks(tenant.as_ref(), *past).await? {
                say(if *json { as_json(&task) } else { as_line(&task) });
            }
        }
        Command::Retry { task, .. } => {
            if !store.retry(*task).await? {
                complain("there is no such task that is not done");
                return Ok(ExitCode::from(1));
            }
            say("it is tried within a second, if the gateway runs");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What it is about, in words: kind and id, or the call.
fn about(task: &TaskOnRecord) -> (&str, &str) {
    match &task.task.about {
        About::Resource(resource) => (resource.kind.as_str(), &resource.id),
        About::Call { method, path, .. } => (method.as_str(), path),
    }
}

fn as_line(task: &TaskOnRecord) -> String {
    let (kind, id) = about(task);
    let told = task.told.map(|told| format!(", {}", told.as_str())).unwrap_or_default();
    let when = match task.ended {
        Some(ended) => format!("done {ended}"),
        None => format!("due {}", task.due),
    };
    let (aim, cause, progress) = (task.task.aim.as_str(), task.task.cause.as_str(), task.progress.as_str());
    format!(
        "{}\t{}\t{aim} ({cause})\t{}\t{kind}\t{id}\t{progress}{told}\ttried {} times\t{when}",
        task.id,
        task.task.tenant,
        task.task.about.upstream(),
        task.attempts
    )
}

fn as_json(task: &TaskOnRecord) -> String {
    let (kind, id) = about(task);
    serde_json::json!({
        "task": task.id.to_string(),
        "tenant": task.task.tenant.as_str(),
        "upstream": task.task.about.upstream().as_str(),
        "aim": task.task.aim.as_str(),
        "cause": task.task.cause.as_str(),
        "kind": kind,
        "id": id,
        "state": task.progress.as_str(),
        "told": task.told.map(Told::as_str),
        "sent": task.sent,
        "attempts": task.attempts,
        "queued": task.queued,
        "due": task.due,
        "done": task.ended,
    })
    .to_string()
}
