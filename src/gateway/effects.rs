//! What a call does upstream and the registry has to know: that something is about to be made, that it is settled, that
//! something ended.

use http::StatusCode;

use super::shared::Shared;
use super::stages::Recognised;
use crate::audit::Role;
use crate::isolation::{TenantScope, store_refusal};
use crate::reason::Refusal;
use crate::store::{Intent, IntentId, Resource};

/// Records that a creating call is about to be made: what stays open after a crash may be an orphan.
pub(super) async fn begin(
    shared: &Shared,
    request: &Recognised,
    creates: &[bool],
) -> Result<Option<IntentId>, Refusal> {
    if !creates.contains(&true) {
        return Ok(None);
    }
    let intent = Intent {
        tenant: request.tenant.id.clone(),
        upstream: request.received.route.upstream.id.clone(),
        operation: request.operation().id.clone(),
        request: request.received.id,
    };
    shared.store.begin(intent).await.map(Some).map_err(|error| store_refusal(&error))
}

/// Closes an intent whose effect is on record, or that certainly had none. Where the upstream's answer was lost it stays open.
pub(super) async fn settle(shared: &Shared, begun: Option<IntentId>, known: bool) {
    let Some(intent) = begun else { return };
    if known && let Err(error) = shared.store.settle(intent).await {
        tracing::warn!(%error, "an intent could not be settled");
    }
}

/// The resource that a successful call ended.
pub(super) fn ended(request: &Recognised, scope: &TenantScope, status: StatusCode) -> Option<Resource> {
    let used = request.operation().uses.get(request.operation().ends?)?;
    // An id that the upstream no longer has is ended as well.
    if !(status.is_success() || status == StatusCode::NOT_FOUND) {
        return None;
    }
    let owned = scope.owned().iter().find(|named| named.kind == used.kind)?;
    let received = &request.received;
    received.touched.note(&received.route.upstream.id, &owned.kind, &owned.id, Role::Ended);
    Some(Resource {
        upstream: request.received.route.upstream.id.clone(),
        kind: owned.kind.clone(),
        id: owned.id.clone(),
    })
}
