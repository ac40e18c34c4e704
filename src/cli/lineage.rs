//! `consentry lineage`: what a resource came from, and what came of it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;

use super::output::{complain, say};
use super::registry::{self, Fault};
use crate::config::Snapshot;
use crate::lineage::Graph;
use crate::names::UpstreamId;
use crate::store::{Lineage as _, Resource, Sqlite};

/// Which lineage, and how it is shown.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The resource's id, as the API gives it.
    id: String,
    /// Its kind, by the profile: `file`, `model`, …; may be left out where one kind has this id.
    #[arg(long)]
    kind: Option<String>,
    /// The upstream account that it lies in; may be left out where one account has this id.
    #[arg(long)]
    upstream: Option<String>,
    /// How it is shown.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The configuration: a folder, or its `consentry.yaml`.
    #[arg(short, long, default_value = "config", env = "CONSENTRY_CONFIG")]
    config: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A tree.
    Text,
    /// One JSON document.
    Json,
    /// A picture for Graphviz: `| dot -Tsvg`.
    Dot,
}

/// Carries it out.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    registry::run(&arguments.config, async |snapshot| show(arguments, snapshot).await)
}

async fn show(arguments: &Arguments, snapshot: &Snapshot) -> Result<ExitCode, Fault> {
    let store = registry::open(&snapshot.state.store)?;
    let found = candidates(arguments, snapshot, &store).await?;
    let resource = match &*found {
        [] => {
            complain("nothing of this id is on record");
            return Ok(ExitCode::from(1));
        }
        [one] => one.clone(),
        several => {
            let several = several.iter().map(|r| format!("{} of `{}`", r.kind, r.upstream));
            let several = several.collect::<Vec<_>>().join(", ");
            let text =
                format!("several resources have this id; name one with `--kind` and `--upstream`: {several}");
            return Err(Fault::Said(text));
        }
    };
    let Some(graph) = Graph::read(&store, resource).await? else { return Ok(ExitCode::from(1)) };
    match arguments.format {
        Format::Text => say(graph.text().trim_end()),
        Format::Json => say(graph.json()),
        Format::Dot => say(graph.dot().trim_end()),
    }
    Ok(ExitCode::SUCCESS)
}

/// What has this id, of the kinds and accounts that may be meant.
async fn candidates(
    arguments: &Arguments,
    snapshot: &Snapshot,
    store: &Sqlite,
) -> Result<Vec<Resource>, Fault> {
    let upstreams: Vec<UpstreamId> = match &arguments.upstream {
        Some(name) => vec![registry::upstream(Some(name), snapshot)?],
        None => snapshot.upstreams.keys().cloned().collect(),
    };
    let mut found = Vec::new();
    for upstream in upstreams {
        let kinds = match &arguments.kind {
            Some(name) => vec![registry::kind(name, &upstream, snapshot)?],
            None => registry::kinds(&upstream, snapshot),
        };
        for kind in kinds {
            let resource = Resource { upstream: upstream.clone(), kind, id: arguments.id.clone() };
            if store.node(resource.clone()).await?.is_some() {
                found.push(resource);
            }
        }
    }
    Ok(found)
}
