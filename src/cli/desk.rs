//! What the commands that look into an upstream account have in common.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::output::complain;
use crate::account::orphans::Times;
use crate::account::{Account, Bounds, Found, Shelf};
use crate::catalog::Undo;
use crate::config::Snapshot;
use crate::names::{Kind, UpstreamId};
use crate::reason::Refusal;
use crate::store::{About, Aim, Resource, Sqlite, StoreError, Tasks as _};

/// How far and how long it is looked.
#[derive(Debug, clap::Args)]
pub(super) struct Look {
    /// How far the upstream's clock may be off, in seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=3600))]
    skew: u64,
    /// How many things one list may show. A longer one counts as unread.
    #[arg(long, value_name = "THINGS", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    most: u64,
    /// How long the reading of one list may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..=604_800))]
    within: u64,
    /// Print one JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
    /// The configuration: a folder, or its `consentry.yaml`.
    #[arg(short, long, default_value = "config", env = "CONSENTRY_CONFIG")]
    pub(super) config: PathBuf,
}

impl Look {
    pub(super) fn bounds(&self) -> Bounds {
        let things = usize::try_from(self.most).unwrap_or(usize::MAX);
        Bounds { things, time: Duration::from_secs(self.within) }
    }

    pub(super) fn times(&self, account: &Account, snapshot: &Snapshot) -> Times {
        Times {
            now: Timestamp::now(),
            skew: Duration::from_secs(self.skew),
            sent: snapshot.listeners.data.bounds.request_body,
            answered: account.patience(),
        }
    }
}

/// Says that a list can't be read, and why.
pub(super) fn unread(account: &Account, shelf: &Shelf<'_>, refusal: &Refusal) {
    let why = words(refusal);
    complain(format_args!("{}: {} can't be read: {why}", account.id(), shelf.operation()));
}

/// A refusal, in words.
pub(super) fn words(refusal: &Refusal) -> String {
    let log = refusal.log.as_ref().map(|log| format!(" ({})", log.as_str())).unwrap_or_default();
    format!("{}{log}", refusal.reason.code())
}

/// What the gateway is about to delete.
#[derive(Default)]
pub(super) struct Queued {
    resources: HashSet<(Kind, String)>,
    paths: HashSet<String>,
}

impl Queued {
    pub(super) async fn read(store: &Sqlite, upstream: &UpstreamId) -> Result<Self, StoreError> {
        let mut queued = Self::default();
        for task in store.due(Timestamp::MAX, u32::MAX).await? {
            if task.task.aim == Aim::Watch || task.task.about.upstream() != upstream {
                continue;
            }
            match task.task.about {
                About::Resource(Resource { kind, id, .. }) => {
                    queued.resources.insert((kind, id));
                }
                About::Call { path, .. } => {
                    queued.paths.insert(path);
                }
            }
        }
        Ok(queued)
    }

    /// Whether it is this thing, which one of these calls would take back.
    pub(super) fn has<'u>(&self, found: &Found, mut undos: impl Iterator<Item = &'u Undo>) -> bool {
        self.resources.contains(&(found.kind.clone(), found.id.clone()))
            || undos.any(|undo| {
                let path = crate::catalog::fill(&undo.template, |_| Some(&found.id));
                path.is_some_and(|path| self.paths.contains(&path))
            })
    }
}
