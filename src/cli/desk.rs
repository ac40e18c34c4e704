//! What the commands that look into an upstream account have in common.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::output::complain;
use crate::account::orphans::Times;
use crate::account::{Account, Bounds, Shelf};
use crate::config::Snapshot;
use crate::names::UpstreamId;
use crate::reason::Refusal;
use crate::store::{Doomed as _, Sqlite, StoreError};

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

/// The paths of what the gateway is about to delete.
pub(super) async fn queued(store: &Sqlite, upstream: &UpstreamId) -> Result<HashSet<String>, StoreError> {
    let due = store.due(Timestamp::MAX, u32::MAX).await?;
    let ours = due.into_iter().filter(|one| one.doom.upstream == *upstream);
    Ok(ours.map(|one| one.doom.path).collect())
}
