//! What a call does upstream and the registry has to know: that something is about to be made, that it is settled, that
//! something ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;

use super::shared::Shared;
use super::stages::Recognised;
use crate::audit::Role;
use crate::isolation::{Source, TenantScope, store_refusal};
use crate::names::{DatasetName, Label};
use crate::reason::Refusal;
use crate::store::{Intent, IntentId, Parent, Relation, Resource};

/// What a call set out to make, as long as it is not on record what became of it. Its clones are the same.
#[derive(Clone, Default)]
pub(super) struct Open(Option<Arc<Intention>>);

struct Intention {
    id: IntentId,
    settled: AtomicBool,
    /// The answer's body is under way, and may name more.
    going: AtomicBool,
}

impl Open {
    /// The intent, if it is still open.
    pub(super) fn id(&self) -> Option<IntentId> {
        self.0.as_ref().filter(|one| !one.settled.load(Ordering::Acquire)).map(|one| one.id)
    }

    /// It was settled together with what it made.
    pub(super) fn settled(&self) {
        if let Some(one) = &self.0 {
            one.settled.store(true, Ordering::Release);
        }
    }

    /// The answer was begun and is not at its end: that decides.
    pub(super) fn goes_on(&self) {
        if let Some(one) = &self.0 {
            one.going.store(true, Ordering::Release);
        }
    }

    /// Whether it was begun and is not at its end.
    pub(super) fn going(&self) -> bool {
        self.0.as_ref().is_some_and(|one| one.going.load(Ordering::Acquire))
    }
}

/// What is known of a thing that is about to be made.
pub(super) struct About<'a> {
    pub(super) scope: &'a TenantScope,
    pub(super) dataset: Option<&'a DatasetName>,
    pub(super) label: Option<&'a Label>,
    /// A keyed hash of what the caller said that it is for.
    pub(super) said: Option<String>,
}

fn parent(request: &Recognised, of: &Source) -> Parent {
    let lives_there = request.operation().creates.iter().any(|c| c.lives_in.is_some() && c.lives_in == of.at);
    Parent {
        kind: of.kind.clone(),
        id: of.id.clone(),
        relation: if lives_there { Relation::Part } else { Relation::Derived },
        via: of.via.clone(),
    }
}

/// Records that a creating call is about to be made: what stays open after a crash may be an orphan.
pub(super) async fn begin(
    shared: &Shared,
    request: &Recognised,
    creates: &[bool],
    about: About<'_>,
) -> Result<Open, Refusal> {
    if !creates.contains(&true) {
        return Ok(Open::default());
    }
    let intent = Intent {
        tenant: request.tenant.id.clone(),
        upstream: request.received.route.upstream.id.clone(),
        operation: request.operation().id.clone(),
        request: request.received.id,
        dataset: about.dataset.or_else(|| about.scope.datasets().first()).cloned(),
        label: about.label.filter(|_| request.operation().creates.iter().any(|c| c.label.is_some())).cloned(),
        said: about.said,
        from: about.scope.recorded().iter().map(|of| parent(request, of)).collect(),
    };
    let id = shared.store.begin(intent).await.map_err(|error| store_refusal(&error))?;
    let intention = Intention { id, settled: AtomicBool::new(false), going: AtomicBool::new(false) };
    Ok(Open(Some(Arc::new(intention))))
}

/// Closes an intent whose effect is on record, or that certainly had none. Where the upstream's answer was lost it stays
/// open, for the operator, and where it is still under way it waits for its end.
pub(super) async fn settle(shared: &Shared, open: &Open, known: bool) {
    match known {
        _ if open.going() => {}
        true => close(shared, open).await,
        false => lose(shared, open).await,
    }
}

/// Nobody will hear any more what came of it.
pub(super) async fn lose(shared: &Shared, open: &Open) {
    let Some(intent) = open.id() else { return };
    if let Err(error) = shared.store.lose(intent).await {
        tracing::warn!(%error, "that an answer was lost could not be recorded");
    }
}

/// The answer came to its end: whatever it made is on record.
pub(super) async fn close(shared: &Shared, open: &Open) {
    let Some(intent) = open.id() else { return };
    match shared.store.settle(intent).await {
        Ok(()) => open.settled(),
        Err(error) => tracing::warn!(%error, "an intent could not be settled"),
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
