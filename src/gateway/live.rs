//! The configuration in force: a snapshot and what the gateway compiled from it. A request keeps the one it began with.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::analyser::Client;
use crate::body::Limits;
use crate::config::Snapshot;
use crate::diagnostic::Diagnostic;
use crate::names::TenantId;

use super::plan::Plans;
use super::records::{RecordPlan, RecordPlans};

/// A configuration in force.
pub struct Live {
    snapshot: Snapshot,
    plans: Plans,
    records: RecordPlans,
    /// The clients of the analysers, by name.
    analysers: BTreeMap<String, Client>,
    /// The bounds of the formats.
    pub(super) body_limits: Arc<Limits>,
}

impl Live {
    /// Compiles what requests need of a snapshot.
    ///
    /// # Errors
    /// If the places of an operation, or of a tenant's records, can't be compiled.
    pub fn new(snapshot: Snapshot) -> Result<Self, Diagnostic> {
        let mut plans = Plans::default();
        for route in &snapshot.routes {
            plans.add(&route.name, route.catalog.operations()).map_err(|(operation, error)| {
                Diagnostic::whole(route.catalog.name(), format!("operation `{operation}`: {error}"))
            })?;
        }
        let mut records = RecordPlans::new();
        for (id, wanted) in
            snapshot.tenants.values().filter_map(|tenant| Some((&tenant.id, tenant.records.as_ref()?)))
        {
            let plan = RecordPlan::new(wanted).map_err(|error| {
                Diagnostic::whole(&format!("tenants/{id}.yaml"), format!("`records`: {error}"))
            })?;
            records.insert(id.clone(), Arc::new(plan));
        }
        let body_limits = Limits {
            depth: snapshot.limits.depth,
            record: snapshot.limits.record_bytes,
            event: snapshot.limits.record_bytes,
            ..Limits::default()
        };
        let mut analysers = BTreeMap::new();
        for (name, settings) in &snapshot.analysers {
            analysers.insert(name.clone(), Client::new(settings.clone())?);
        }
        Ok(Self { snapshot, plans, records, analysers, body_limits: Arc::new(body_limits) })
    }

    /// The snapshot.
    #[must_use]
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Asks an analyser.
    pub(super) fn analyser(&self, name: &str) -> Option<&Client> {
        self.analysers.get(name)
    }

    /// How a tenant's records are read, if they are judged.
    pub(super) fn records(&self, tenant: &TenantId) -> Option<&Arc<RecordPlan>> {
        self.records.get(tenant)
    }

    pub(super) const fn plans(&self) -> &Plans {
        &self.plans
    }
}
