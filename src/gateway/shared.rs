//! What all requests share.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use dashmap::DashMap;
use foldhash::fast::RandomState;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::assembly::Assemblies;
use super::granted::Granted;
use super::live::Live;
use crate::audit::{Audit, Keyer};
use crate::body::spool::{SpoolBudget, Spools};
use crate::config::Tenant;
use crate::consent::{Permit, Question};
use crate::isolation::TenantScope;
use crate::listener::Shutdown;
use crate::names::TenantId;
use crate::reason::{Reason, Refusal};
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::upstream::Upstreams;

/// What all requests share.
pub(super) struct Shared {
    pub(super) live: ArcSwap<Live>,
    pub(super) store: Arc<dyn Store>,
    pub(super) audit: Arc<Audit>,
    /// Hashes the ids that the audit trail names.
    pub(super) keyer: Arc<Keyer>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) upstreams: Upstreams,
    spool: Spools,
    pub(super) assemblies: Assemblies,
    /// Waits for what goes on without its caller.
    pub(super) shutdown: OnceLock<Shutdown>,
    requests: Arc<Semaphore>,
    tenants: DashMap<TenantId, (usize, Arc<Semaphore>), RandomState>,
    /// What each tenant has of the spool.
    shares: DashMap<TenantId, SpoolBudget, RandomState>,
}

/// What a gateway works with.
pub struct Parts {
    /// The configuration to begin with.
    pub live: Arc<Live>,
    /// What is remembered.
    pub store: Arc<dyn Store>,
    /// Where decisions are recorded.
    pub audit: Arc<Audit>,
    /// Where it is counted.
    pub metrics: Arc<Metrics>,
    /// Where bodies wait.
    pub spool: Spools,
}

/// Held until the last byte of an answer.
pub struct Permits {
    _request: OwnedSemaphorePermit,
    _tenant: OwnedSemaphorePermit,
}

impl Shared {
    pub(super) fn new(parts: Parts) -> Self {
        let requests = parts.live.snapshot().listeners.data.bounds.requests;
        let keyer = Keyer::new(parts.live.snapshot().master.hmac("audit ids v1", None));
        Self {
            keyer: Arc::new(keyer),
            live: ArcSwap::new(parts.live),
            store: parts.store,
            audit: parts.audit,
            metrics: parts.metrics,
            upstreams: Upstreams::new(),
            spool: parts.spool,
            assemblies: Assemblies::default(),
            shutdown: OnceLock::new(),
            requests: Arc::new(Semaphore::new(requests)),
            tenants: DashMap::default(),
            shares: DashMap::default(),
        }
    }

    /// A place among all requests. Overload sheds; it never skips a check.
    pub(super) fn place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.requests).try_acquire_owned().map_err(|_full| {
            let mut refusal = Refusal::new(Reason::Overloaded);
            refusal.retry_after = Some(std::time::Duration::from_secs(1));
            refusal
        })
    }

    /// A place among the tenant's requests.
    pub(super) fn tenant_place(
        &self,
        request: OwnedSemaphorePermit,
        tenant: &Tenant,
    ) -> Result<Permits, Refusal> {
        let semaphore = self.semaphore(tenant);
        let place = semaphore.try_acquire_owned().map_err(|_full| {
            let mut refusal = Refusal::new(Reason::TenantOverLimit);
            refusal.retry_after = Some(std::time::Duration::from_secs(1));
            refusal
        })?;
        Ok(Permits { _request: request, _tenant: place })
    }

    /// Where the tenant's bodies wait: within its share, whatever the others need.
    pub(super) fn spools(&self, tenant: &Tenant) -> Spools {
        let share = self.shares.entry(tenant.id.clone()).or_insert_with(|| SpoolBudget::new(0));
        self.spool.within(share.limited_to(tenant.spool_bytes))
    }

    fn semaphore(&self, tenant: &Tenant) -> Arc<Semaphore> {
        if let Some(found) = self.tenants.get(&tenant.id)
            && found.0 == tenant.concurrency
        {
            return Arc::clone(&found.1);
        }
        // A changed limit begins anew: requests under way are counted by the old one until they end.
        let made = (tenant.concurrency, Arc::new(Semaphore::new(tenant.concurrency)));
        let semaphore = Arc::clone(&made.1);
        self.tenants.insert(tenant.id.clone(), made);
        semaphore
    }

    /// The grants in force now, whatever the request's own snapshot says: a withdrawal works at once.
    pub(super) fn granted<T>(&self, ask: impl FnOnce(&Granted<'_>) -> T) -> T {
        let live = self.live.load();
        ask(&Granted { snapshot: live.snapshot(), store: &*self.store, now: jiff::Timestamp::now() })
    }

    /// Asks for the caller's grants, and those of everyone who lends it something.
    pub(super) fn permit(
        &self,
        tenant: &TenantId,
        question: &Question<'_>,
        scope: &TenantScope,
    ) -> Result<Permit, Refusal> {
        self.granted(|granted| granted.permit(tenant, question, scope))
    }
}
