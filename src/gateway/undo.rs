//! Takes back upstream what must not stay there: creations that could not be recorded. The queue is the store's, so that
//! a crash does not forget it.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;

use super::head;
use super::live::Live;
use super::shared::Shared;
use crate::listener::Shutdown;
use crate::names::RequestId;
use crate::store::Doom;
use crate::upstream::{Cleared, Head};

/// How often the queue is looked at.
const ROUND: Duration = Duration::from_secs(5);

/// How many undos are tried in a round.
const AT_ONCE: u32 = 16;

/// Works on the queue for ever.
pub(super) async fn run(shared: Arc<Shared>, shutdown: Shutdown) {
    left_open(&shared).await;
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            () = tokio::time::sleep(ROUND) => {}
        }
        round(&shared).await;
        if let Ok(waiting) = shared.store.waiting().await {
            shared.metrics.undos_waiting(waiting);
        }
    }
}

/// Creating calls of an earlier process whose outcome is not known. What they made is nobody's, so nobody sees it.
async fn left_open(shared: &Shared) {
    match shared.store.open().await {
        Ok(open) if open.is_empty() => {}
        Ok(open) => {
            for left in &open {
                tracing::warn!(
                    request = %left.intent.request,
                    tenant = %left.intent.tenant,
                    operation = %left.intent.operation,
                    "a creating call had no answer before the process ended: what it made, if anything, is nobody's"
                );
            }
        }
        Err(error) => tracing::warn!(%error, "the open intents can't be read"),
    }
}

async fn round(shared: &Shared) {
    let Ok(due) = shared.store.due(Timestamp::now(), AT_ONCE).await else { return };
    for attempt in due {
        let live = shared.live.load_full();
        if let Some(of) = &attempt.of {
            match shared.store.owner(&of.upstream, &of.kind, &of.id).await {
                // It came to be somebody's since it was queued.
                Ok(Some(owned)) if !owned.ended => {
                    drop(shared.store.done(attempt.id).await);
                    continue;
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
        let outcome = if self::attempt(shared, &live, &attempt.doom).await {
            shared.store.done(attempt.id).await
        } else {
            // 10 s, 20 s, 40 s … up to an hour.
            let wait = (10_i64 << attempt.attempts.min(9)).min(3600);
            let again = Timestamp::now().checked_add(jiff::SignedDuration::from_secs(wait));
            shared.store.postpone(attempt.id, again.unwrap_or(Timestamp::MAX)).await
        };
        if let Err(error) = outcome {
            tracing::warn!(%error, "the queue of undos can't be written");
            return;
        }
    }
}

/// Tries one undo. True: it is done, or there is nothing to undo.
pub(super) async fn attempt(shared: &Shared, live: &Live, doom: &Doom) -> bool {
    let snapshot = live.snapshot();
    let Some(route) = snapshot.routes.iter().find(|r| r.upstream.id == doom.upstream) else { return false };
    let Ok(uri) = head::target(&route.upstream, &doom.path, None, None) else { return false };
    let headers = head::own(HeaderMap::new(), &route.upstream, RequestId::fresh());
    let cleared = Cleared::taking_back(Head { method: doom.method.clone(), uri, headers }, &doom.tenant);
    match shared.upstreams.dispatch(&route.upstream, snapshot.generation, cleared).await {
        Ok(response) => response.status().is_success() || response.status() == StatusCode::NOT_FOUND,
        Err(_refusal) => false,
    }
}
