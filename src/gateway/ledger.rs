//! Tells the audit trail what was recorded in the consent ledger. The command line records beside a gateway that runs, and one process
//! alone writes the trail: so what was not told yet is looked for.

use std::sync::Arc;
use std::time::Duration;

use super::shared::Shared;
use crate::audit::Mark;
use crate::listener::Shutdown;
use crate::store::Recorded;

/// How often the ledger is looked at.
const ROUND: Duration = Duration::from_secs(1);

/// How many entries are told in a round.
const AT_ONCE: u32 = 1_000;

/// Goes on until the process stops; what is not told by then is told by the next one. An entry is told again if the process
/// is killed between the trail's answer and the store's.
pub(super) async fn tell(shared: Arc<Shared>, shutdown: Shutdown) {
    loop {
        let more = match round(&shared).await {
            Ok(told) => told >= AT_ONCE as usize,
            Err(error) => {
                tracing::warn!(%error, "the audit trail can't be told of the consent ledger");
                false
            }
        };
        tokio::select! {
            () = shutdown.begun() => return,
            () = tokio::time::sleep(if more { Duration::ZERO } else { ROUND }) => {}
        }
    }
}

async fn round(shared: &Shared) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
    let untold = shared.store.untold(AT_ONCE).await?;
    let Some(last) = untold.last().map(|last| last.number) else { return Ok(0) };
    for recorded in &untold {
        shared.audit.mark(&mark(recorded)).await?;
    }
    shared.store.told(last).await?;
    Ok(untold.len())
}

fn mark(recorded: &Recorded) -> Mark {
    let entry = &recorded.entry;
    Mark::Consent {
        tenant: entry.tenant.clone(),
        change: entry.change.as_str(),
        purposes: entry.purposes.iter().copied().collect(),
        entry: recorded.number,
        link: recorded.hash,
    }
}
