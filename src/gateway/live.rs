//! The configuration in force: a snapshot and what the gateway compiled from it. A request keeps the one it began with.

use std::sync::Arc;

use crate::body::Limits;
use crate::config::Snapshot;
use crate::diagnostic::Diagnostic;

use super::plan::Plans;

/// A configuration in force.
pub struct Live {
    snapshot: Snapshot,
    plans: Plans,
    /// The bounds of the formats.
    pub(super) body_limits: Arc<Limits>,
}

impl Live {
    /// Compiles what requests need of a snapshot.
    ///
    /// # Errors
    /// If the places of an operation can't be compiled.
    pub fn new(snapshot: Snapshot) -> Result<Self, Diagnostic> {
        let mut plans = Plans::default();
        for route in &snapshot.routes {
            plans.add(&route.name, route.catalog.operations()).map_err(|(operation, error)| {
                Diagnostic::whole(route.catalog.name(), format!("operation `{operation}`: {error}"))
            })?;
        }
        let body_limits = Limits {
            depth: snapshot.limits.depth,
            record: snapshot.limits.record_bytes,
            event: snapshot.limits.record_bytes,
            ..Limits::default()
        };
        Ok(Self { snapshot, plans, body_limits: Arc::new(body_limits) })
    }

    /// The snapshot.
    #[must_use]
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub(super) const fn plans(&self) -> &Plans {
        &self.plans
    }
}
