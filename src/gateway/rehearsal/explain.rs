//! Explains a decision before anything is sent: the same stages, the same registry and the same grants as a request's, with a
//! caller whose key is for everything.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::request::Parts;
use http_body::Body;
use jiff::Timestamp;

use super::super::granted::Granted;
use super::super::inbound::{self, Waiting};
use super::super::stages::Recognised;
use super::super::{records, way};
use super::{Rehearsal, flow, gather, ids};
use crate::censor::Exchange;
use crate::consent::{Fact, Question, Records, Signals};
use crate::isolation::{Denied, Named, TenantScope, entitle, store_refusal};
use crate::names::{DatasetName, Direction, Kind, OperationId, Purpose, RouteName, TenantId, UpstreamId};
use crate::reason::{Reason, Refusal};
use crate::store::Store;

/// What decides about a request.
#[derive(Debug, Default)]
pub struct Explained {
    /// Which way it would go.
    pub route: Option<(RouteName, UpstreamId)>,
    /// What was asked, if that was recognised.
    pub operation: Option<OperationId>,
    /// What it names, and whose that is.
    pub resources: Vec<(Kind, String, Whose)>,
    /// The uses that it makes of data, beyond answering it.
    pub purposes: BTreeSet<Purpose>,
    /// The data sets that it touches.
    pub datasets: BTreeSet<DatasetName>,
    /// The tenants whose consent is asked, the caller last, with what decides of each.
    pub facts: Vec<(TenantId, Vec<Fact>)>,
    /// Ids that the records of its file name; they are looked up while it passes, and not here.
    pub in_records: Vec<String>,
    /// Why it would go no further.
    pub refusal: Option<Refusal>,
}

/// Whose a resource is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The tenant's, or everybody's by nature (a base model).
    Theirs,
    /// Somebody's who shares it.
    Lent(TenantId),
    /// Not the tenant's: somebody else's, or nobody's.
    NotTheirs,
}

impl Rehearsal {
    /// Explains what would become of a request. Nothing is sent or recorded.
    pub async fn explain<B>(&self, store: &dyn Store, parts: Parts, body: B) -> Explained
    where
        B: Body<Data = Bytes> + Unpin + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut explained = Explained::default();
        explained.refusal = self.reasons(store, parts, body, &mut explained).await.err();
        explained
    }

    async fn reasons<B>(
        &self,
        store: &dyn Store,
        parts: Parts,
        body: B,
        explained: &mut Explained,
    ) -> Result<(), Refusal>
    where
        B: Body<Data = Bytes> + Unpin + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut request = self.recognised(parts)?;
        let route = &request.received.route;
        explained.route = Some((route.name.clone(), route.upstream.id.clone()));
        explained.operation = Some(request.operation().id.clone());
        request.store_granted = self.stores(store);
        let dataset = way::dataset(&request)?;
        let signals = Signals::of(&request.received.parts.headers);
        let exchange = Exchange::new(std::sync::Arc::clone(&request.tenant.secret));
        let job = way::job(&request, exchange, Direction::Request);
        way::plain_head(&request, &job)?;
        let (said, waiting) =
            inbound::read(&self.spools, &request, body, &job, !request.store_granted).await?;
        let seen = way::seen(&request, &said);
        explained.purposes = way::purposes(&request, &seen);
        if let Some(refuses) = request.operation().refuses.iter().find(|refuses| seen.holds(&refuses.when)) {
            return Err(Refusal::new(refuses.reason));
        }
        let named = seen.named()?;
        let scope = self.whose(store, &request, &named, explained).await?;
        explained.datasets = scope.datasets().iter().cloned().chain(dataset).collect();
        if seen.asks_to_store() && !request.store_granted && !request.tenant.store_turned_off {
            return Err(Refusal::new(Reason::ConsentMissing).detail("purpose `store`, scope tenant"));
        }
        let records = records::standing(self.live.snapshot(), &request, &seen, &scope);
        let datasets: Vec<DatasetName> = explained.datasets.iter().cloned().collect();
        let purposes = explained.purposes.clone();
        let question = Question { purposes: &purposes, datasets: &datasets, subjects: &[], signals, records };
        let granted = self.granted(store);
        explained.facts = granted.weigh(&self.tenant.id, &question, &scope)?;
        granted.permit(&self.tenant.id, &question, &scope)?;
        let mut sent = Vec::new();
        match waiting {
            Waiting::Nothing => Ok(()),
            Waiting::Held(held) => gather(held.into_censored().into_inner(), &mut sent).await,
            Waiting::Flowing(flowing) => {
                let asked = flowing.asked.clone();
                let flowed = flow(*flowing, &mut sent).await;
                explained.in_records = ids(&asked);
                flowed
            }
        }
    }

    fn granted<'a>(&'a self, store: &'a dyn Store) -> Granted<'a> {
        Granted { snapshot: self.live.snapshot(), store, now: Timestamp::now() }
    }

    /// Whether the tenant granted that the upstream stores.
    fn stores(&self, store: &dyn Store) -> bool {
        let purposes = BTreeSet::from([Purpose::Store]);
        let (signals, records) = (Signals::NONE, Records::NotAsked);
        let question = Question { purposes: &purposes, datasets: &[], subjects: &[], signals, records };
        self.granted(store).decide(&self.tenant.id, &question).is_ok()
    }

    /// Whose each of the resources is that a request names, one by one, and all of them together.
    async fn whose(
        &self,
        store: &dyn Store,
        request: &Recognised,
        named: &[Named],
        explained: &mut Explained,
    ) -> Result<TenantScope, Refusal> {
        let (catalog, upstream) = (request.received.catalog(), &request.received.route.upstream.id);
        for one in named {
            let alone = entitle(store, catalog, upstream, &self.tenant.id, std::slice::from_ref(one)).await;
            let whose = match alone {
                Ok(scope) => match scope.borrowed().first() {
                    Some(lent) => Whose::Lent(lent.owner.clone()),
                    None => Whose::Theirs,
                },
                Err(Denied::NotTheirs(_)) => Whose::NotTheirs,
                Err(Denied::Store(error)) => return Err(store_refusal(&error)),
            };
            explained.resources.push((one.kind.clone(), one.id.clone(), whose));
        }
        let scope = entitle(store, catalog, upstream, &self.tenant.id, named).await;
        scope.map_err(|denied| denied.refusal())
    }
}
