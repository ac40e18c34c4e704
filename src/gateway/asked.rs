//! What the records of a file ask for: each id that they name has to be the caller's, and each use that they make granted,
//! before the record goes on.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::shared::Shared;
use super::stages::Recognised;
use super::touched::Touched;
use crate::config::Route;
use crate::consent::{Question, Records, Signals};
use crate::isolation::{Denied, Named, NotTheirs, Source, TenantScope, entitle};
use crate::names::{DatasetName, Purpose, TenantId};
use crate::reason::{Reason, Refusal};
use crate::telemetry::Violation;

/// What was asked for since the last look.
#[derive(Clone, Default)]
pub(super) struct Asked(Arc<Mutex<Items>>);

/// Resources and uses.
#[derive(Debug, Default)]
struct Items {
    named: HashSet<Named>,
    purposes: BTreeSet<Purpose>,
}

/// Different resources that may be named between two looks: between two pieces of a file that flows, in a whole file that
/// was put together from parts.
const MOST: usize = 65_536;

impl Asked {
    /// A record names a resource.
    ///
    /// # Errors
    /// If there are too many.
    pub(super) fn name(&self, named: Named) -> Result<(), Refusal> {
        let mut items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if items.named.len() >= MOST && !items.named.contains(&named) {
            return Err(Refusal::new(Reason::RecordTooLarge).detail("the file names too many resources"));
        }
        items.named.insert(named);
        Ok(())
    }

    /// A record makes a use that has to be granted.
    pub(super) fn use_for(&self, purpose: Purpose) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).purposes.insert(purpose);
    }

    /// The resources that were named since the last look.
    pub(super) fn named(&self) -> Vec<Named> {
        self.take().named.into_iter().collect()
    }

    fn take(&self) -> Items {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What the records of a file named, all along its way: what the file says it needs.
#[derive(Clone, Default)]
pub(super) struct Sources(Arc<Mutex<HashSet<Source>>>);

impl Sources {
    /// Adds what was found to be the caller's.
    ///
    /// # Errors
    /// If there are too many.
    fn add(&self, scope: &TenantScope) -> Result<(), Refusal> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(scope.recorded().iter().cloned().map(Source::of_record));
        if all.len() > MOST {
            return Err(Refusal::new(Reason::RecordTooLarge).detail("the file names too many resources"));
        }
        Ok(())
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Source> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Who asks: as much of a request as outlives it.
#[derive(Clone)]
pub(super) struct Asker {
    shared: Arc<Shared>,
    route: Arc<Route>,
    tenant: TenantId,
    touched: Touched,
    /// The data set of the file.
    dataset: Option<DatasetName>,
    signals: Signals,
    sources: Sources,
}

impl Asker {
    pub(super) fn new(shared: &Arc<Shared>, request: &Recognised, dataset: Option<DatasetName>) -> Self {
        Self {
            shared: Arc::clone(shared),
            route: Arc::clone(&request.received.route),
            tenant: request.tenant.id.clone(),
            touched: request.received.touched.clone(),
            dataset,
            signals: Signals::of(&request.received.parts.headers),
            sources: Sources::default(),
        }
    }

    /// What was named, as it comes.
    pub(super) fn sources(&self) -> Sources {
        self.sources.clone()
    }

    /// Checks what was asked for since the last time.
    ///
    /// # Errors
    /// If something is not theirs, or a use was not granted.
    pub(super) async fn admit(&self, asked: &Asked) -> Result<TenantScope, Refusal> {
        let Items { named, purposes } = asked.take();
        let named: Vec<Named> = named.into_iter().collect();
        let Self { shared, route, tenant, .. } = self;
        let scope = entitle(&*shared.store, &route.catalog, &route.upstream.id, tenant, &named).await;
        let scope = scope.map_err(|denied| {
            if matches!(&denied, Denied::NotTheirs(NotTheirs { foreign: true, .. })) {
                shared.metrics.violation(Some(tenant), Violation::CrossTenantId);
            }
            denied.refusal()
        })?;
        self.touched.used(&route.upstream.id, &scope);
        self.sources.add(&scope)?;
        if !purposes.is_empty() {
            let mut datasets = scope.datasets().to_vec();
            datasets.extend(self.dataset.clone());
            // The records of a data set are asked about with the request that carries it.
            let (signals, records) = (self.signals, Records::NotAsked);
            let question =
                Question { purposes: &purposes, datasets: &datasets, subjects: &[], signals, records };
            shared.permit(tenant, &question, &scope)?;
        }
        Ok(scope)
    }
}
