//! The resources that a request touches, noted where each becomes known, for the request's entry in the audit trail.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::audit::{Keyer, Named, Role};
use crate::isolation::TenantScope;
use crate::names::{Kind, UpstreamId};

/// Notes of one request; its clones are the same notes.
#[derive(Clone)]
pub(super) struct Touched(Arc<Notes>);

struct Notes {
    keyer: Arc<Keyer>,
    named: Mutex<Vec<Named>>,
}

impl Touched {
    pub(super) fn new(keyer: &Arc<Keyer>) -> Self {
        Self(Arc::new(Notes { keyer: Arc::clone(keyer), named: Mutex::default() }))
    }

    /// Notes a resource. Its id is kept as a keyed hash alone.
    pub(super) fn note(&self, upstream: &UpstreamId, kind: &Kind, id: &str, role: Role) {
        let named = Named { kind: kind.clone(), id: self.0.keyer.resource(upstream, kind, id), role };
        let mut all = self.all();
        if !all.contains(&named) {
            all.push(named);
        }
    }

    /// Notes what a request was found to be entitled to.
    pub(super) fn used(&self, upstream: &UpstreamId, scope: &TenantScope) {
        for used in scope.owned() {
            self.note(upstream, &used.kind, &used.id, Role::Used);
        }
        for used in scope.borrowed() {
            self.note(upstream, &used.kind, &used.id, Role::Used);
        }
    }

    /// What was noted so far.
    pub(super) fn named(&self) -> Vec<Named> {
        self.all().clone()
    }

    fn all(&self) -> MutexGuard<'_, Vec<Named>> {
        self.0.named.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
