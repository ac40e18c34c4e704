//! Ends what has stood upstream for as long as its tenant lets it, with what was made of it: unknown to everybody from then on, and
//! deleted upstream by the queue of tasks. Ending and queueing are one transaction, so a crash leaves both or neither.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::live::Live;
use super::shared::Shared;
use crate::catalog::{Catalog, Life};
use crate::config::Tenant;
use crate::listener::Shutdown;
use crate::names::{Kind, RequestId, UpstreamId};
use crate::store::{About, Aim, Cause, Resource, StoreError, Task, Towards};

/// How often it is looked for.
const ROUND: Duration = Duration::from_secs(5);

/// How many of a tenant's things of a kind are ended in a round. What is left is ended in the next ones.
const AT_ONCE: u32 = 64;

/// The most steps of a lineage that are followed.
const STEPS: u32 = 100_000;

/// Looks for ever.
pub(super) async fn run(shared: Arc<Shared>, shutdown: Shutdown) {
    loop {
        if let Err(error) = round(&shared).await {
            tracing::warn!(%error, "what is over can't be ended");
        }
        tokio::select! {
            () = shutdown.begun() => return,
            () = tokio::time::sleep(ROUND) => {}
        }
    }
}

async fn round(shared: &Shared) -> Result<(), StoreError> {
    let live = shared.live.load_full();
    let now = Timestamp::now();
    for tenant in live.snapshot().tenants.values() {
        for (kind, kept) in &tenant.retention {
            let kept = SignedDuration::try_from(*kept).unwrap_or(SignedDuration::MAX);
            let Ok(before) = now.checked_sub(kept) else { continue };
            for (upstream, catalog) in accounts(&live, kind) {
                let over = shared.store.older(&tenant.id, upstream, kind, before, AT_ONCE).await?;
                for resource in over {
                    end(shared, tenant, catalog, resource).await?;
                }
            }
        }
    }
    Ok(())
}

/// The accounts that have things of a kind, each once.
fn accounts<'l>(live: &'l Live, kind: &Kind) -> Vec<(&'l UpstreamId, &'l Catalog)> {
    let mut accounts: Vec<(&UpstreamId, &Catalog)> = Vec::new();
    for route in &live.snapshot().routes {
        let known = accounts.iter().any(|(known, _)| **known == route.upstream.id);
        if !known && route.catalog.lives().contains_key(kind) {
            accounts.push((&route.upstream.id, &route.catalog));
        }
    }
    accounts
}

/// Ends a thing, and what its tenant made of it.
async fn end(
    shared: &Shared,
    tenant: &Tenant,
    catalog: &Catalog,
    resource: Resource,
) -> Result<(), StoreError> {
    let edges = shared.store.lineage(resource.clone(), Towards::Children, STEPS).await?;
    let mut seen = HashSet::from([resource.clone()]);
    let mut over = vec![resource];
    for child in edges.into_iter().map(|edge| edge.child) {
        if !child.ended && child.tenant == tenant.id && seen.insert(child.resource.clone()) {
            over.push(child.resource);
        }
    }
    // What was made last goes first: nothing stands upstream without what it was made of.
    over.reverse();
    let request = RequestId::fresh();
    let tasks = over.iter().filter_map(|resource| {
        let aim = aim(catalog.lives().get(&resource.kind)?)?;
        let (tenant, about) = (tenant.id.clone(), About::Resource(resource.clone()));
        Some(Task { tenant, cause: Cause::Retention, aim, about, request })
    });
    let tasks = tasks.collect();
    // While a call makes something of one of them, it is left for the next round.
    shared.store.erase(&tenant.id, over, tasks, request).await.map(drop)
}

/// How things of a kind are ended upstream, if they can be.
fn aim(life: &Life) -> Option<Aim> {
    if life.delete.is_some() {
        return Some(Aim::Delete);
    }
    (life.cancel.is_some() && life.show.is_some()).then_some(Aim::Cancel)
}
