//! Tells the audit trail what an operator did by commands beside the gateway: the trail has one writer, and it is here. The notes
//! wait in the store, so that none is lost; one that was told just before the gateway was killed is told again.

use std::sync::Arc;
use std::time::Duration;

use super::shared::Shared;
use crate::audit::{Keyer, Mark};
use crate::listener::Shutdown;
use crate::store::Deed;

/// How often it is looked for.
const ROUND: Duration = Duration::from_secs(1);

/// How many are told at once.
const AT_ONCE: u32 = 256;

/// Tells for ever.
pub(super) async fn run(shared: Arc<Shared>, shutdown: Shutdown) {
    loop {
        while tell(&shared).await {}
        tokio::select! {
            () = shutdown.begun() => return,
            () = tokio::time::sleep(ROUND) => {}
        }
    }
}

/// Tells the oldest. Whether there may be more.
async fn tell(shared: &Shared) -> bool {
    let deeds = match shared.store.untold_deeds(AT_ONCE).await {
        Ok(deeds) => deeds,
        Err(error) => {
            tracing::warn!(%error, "what was done by hand can't be read");
            return false;
        }
    };
    let Some(through) = deeds.last().map(|deed| deed.number) else { return false };
    let more = deeds.len() == AT_ONCE as usize;
    let marks: Vec<Mark> = deeds.into_iter().map(|deed| mark(&shared.keyer, deed)).collect();
    if let Err(error) = shared.audit.marks(&marks).await {
        tracing::warn!(%error, "the audit trail can't record what was done by hand; it waits in the store");
        return false;
    }
    match shared.store.deeds_told(through).await {
        Ok(()) => more,
        Err(error) => {
            tracing::warn!(%error, "that the audit trail has what was done by hand can't be recorded");
            false
        }
    }
}

fn mark(keyer: &Keyer, deed: Deed) -> Mark {
    let Deed { number, at, what, tenant, resource, request } = deed;
    let resource = resource.map(|one| {
        let id = keyer.resource(&one.upstream, &one.kind, &one.id);
        (one.kind, id)
    });
    Mark::ByHand { deed: number, at, what: what.as_str(), tenant, resource, request }
}
