//! What an answer brings into being is the caller's before the caller learns of it.

use crate::audit::Role;
use crate::body::{FactValue, Facts};
use crate::catalog::{Creation, IdClass, Place, Undo, Use};
use crate::isolation::{Borrowed, Source, TenantScope, fault, store_refusal, visible};
use crate::names::{DatasetName, Kind, Label, RequestId};
use crate::reason::{Reason, Refusal};
use crate::store::{Claim, Doom, Making, Origin, Parent, Relation, Resource, StoreError};
use crate::telemetry::Violation;

use super::effects::Open;
use super::shared::Shared;
use super::stages::Recognised;
use super::{target, undo};

/// What is known of a call when its answer comes.
pub(super) struct Claiming<'a> {
    pub(super) shared: &'a Shared,
    pub(super) request: &'a Recognised,
    /// The resources that the request named: the parents of what it made.
    pub(super) scope: &'a TenantScope,
    /// What the records of its file named.
    pub(super) named: Vec<Source>,
    /// What it set out to make.
    pub(super) begun: &'a Open,
    /// The data set that an upload was given to.
    pub(super) dataset: Option<&'a DatasetName>,
    /// What an upload was said to be for.
    pub(super) label: Option<&'a Label>,
    /// Which creations count (their conditions hold), by index.
    pub(super) creates: &'a [bool],
}

impl Claiming<'_> {
    fn id(&self) -> RequestId {
        self.request.received.id
    }

    fn note(&self, kind: &Kind, id: &str, role: Role) {
        let received = &self.request.received;
        received.touched.note(&received.route.upstream.id, kind, id, role);
    }

    fn resource(&self, creation: &Creation, id: &str) -> Resource {
        Resource {
            upstream: self.request.received.route.upstream.id.clone(),
            kind: creation.kind.clone(),
            id: id.to_owned(),
        }
    }

    /// Looks that an answer has the shape that the profile expects, and records what it names.
    pub(super) async fn record_whole(&self, facts: &Facts) -> Result<(), Refusal> {
        self.request.plan.expected.check(facts, self.creates)?;
        self.record(facts).await
    }

    /// What the answer says is there has to be the caller's. The watches of `shows` follow those of `yields`.
    async fn shown(&self, facts: &Facts) -> Result<(), Refusal> {
        let operation = self.request.operation();
        let received = &self.request.received;
        let first = operation.creates.len() + operation.yields.len();
        for (index, shown) in operation.shows.iter().enumerate() {
            let values = facts.at(first + index).filter(|value| **value != FactValue::Null);
            let ids: Option<Vec<&str>> = values.map(FactValue::as_text).collect();
            let Some(ids) = ids else {
                return Err(
                    Refusal::new(Reason::UpstreamUnexpected).log("an answer has no id where one should be")
                );
            };
            let (store, upstream) = (&*self.shared.store, &received.route.upstream.id);
            let tenant = &self.request.tenant.id;
            let seen = visible(store, received.catalog(), upstream, tenant, &shown.kind, &ids).await;
            if seen.map_err(|error| store_refusal(&error))?.contains(&false) {
                self.shared.metrics.violation(Some(tenant), Violation::ForeignInAnswer);
                return Err(
                    Refusal::new(Reason::UpstreamUnexpected).log("an answer shows what is not the caller's")
                );
            }
        }
        Ok(())
    }

    /// Records what the answer names. The watches of `facts` are `creates`, then `yields`.
    pub(super) async fn record(&self, facts: &Facts) -> Result<(), Refusal> {
        let operation = self.request.operation();
        self.shown(facts).await?;
        let creations = operation.creates.iter().zip(self.creates.iter().copied()).enumerate();
        let mut claims = Vec::new();
        let mut made = Vec::new();
        for (watch, (creation, _)) in creations.filter(|(_, (_, counts))| *counts) {
            for id in facts.at(watch).filter_map(|value| value.as_text()) {
                if self.owned_by_nature(creation, id) {
                    claims.push(self.claim(creation, id, Origin::Created));
                    made.push((creation, id.to_owned()));
                }
            }
        }
        for (index, creation) in operation.yields.iter().enumerate() {
            let watch = operation.creates.len() + index;
            for fact in facts.iter().filter(|fact| fact.watch == watch) {
                let Some(id) = fact.value.as_text().filter(|id| !id.is_empty()) else { continue };
                if !self.owned_by_nature(creation, id) || self.known(creation, id) {
                    continue;
                }
                let whose = self.item_of(creation, id, fact.item, facts);
                claims.push(match whose {
                    Some(item) => self.of_item(creation, id, item, &claims).await?,
                    None => self.claim(creation, id, Origin::Yielded),
                });
            }
        }
        if claims.is_empty() {
            return Ok(());
        }
        for claim in &claims {
            self.note(&claim.resource.kind, &claim.resource.id, Role::Created);
        }
        match self.commit(claims, !made.is_empty()).await {
            Ok(()) => Ok(()),
            Err(error) => {
                if matches!(error, StoreError::Conflict) {
                    let violation = if made.is_empty() {
                        Violation::ForeignInAnswer
                    } else {
                        Violation::ConflictingClaim
                    };
                    self.shared.metrics.violation(Some(&self.request.tenant.id), violation);
                }
                self.take_back(&made).await;
                Err(Refusal::new(error.reason()).log(fault(&error)))
            }
        }
    }

    /// What the call made, and that it is no longer under way: both are on record, or neither.
    async fn commit(&self, claims: Vec<Claim>, made: bool) -> Result<(), StoreError> {
        let Some(intent) = self.begun.id().filter(|_| made) else {
            return self.shared.store.claim(claims).await;
        };
        self.shared.store.claim_and_settle(claims, intent).await?;
        self.begun.settled();
        Ok(())
    }

    /// The item of a list that a fact stands in, unless the fact is the item itself.
    fn item_of<'f>(
        &self,
        creation: &Creation,
        id: &str,
        item: Option<u32>,
        facts: &'f Facts,
    ) -> Option<(&Kind, &'f str)> {
        let operation = self.request.operation();
        let list = operation.list.as_ref()?;
        let watch = self.request.plan.item?;
        let found = facts.iter().find(|fact| fact.watch == watch && fact.item == item && item.is_some())?;
        let of = found.value.as_text()?;
        (list.kind != creation.kind || of != id).then_some((&list.kind, of))
    }

    /// What an item of a list shows is the item's owner's, whoever looks at the list.
    async fn of_item(
        &self,
        creation: &Creation,
        id: &str,
        (kind, of): (&Kind, &str),
        claims: &[Claim],
    ) -> Result<Claim, Refusal> {
        let mut claim = self.claim(creation, id, Origin::Yielded);
        let upstream = &self.request.received.route.upstream.id;
        let here = claims.iter().any(|claim| claim.resource.kind == *kind && claim.resource.id == of);
        let owned =
            self.shared.store.owner(upstream, kind, of).await.map_err(|error| store_refusal(&error))?;
        if let Some(owned) = owned.filter(|owned| !owned.ended) {
            claim.tenant = owned.tenant;
            claim.dataset = owned.dataset;
        } else if !here {
            return Ok(claim);
        }
        let (kind, id) = (kind.clone(), of.to_owned());
        claim.made.from = vec![Parent { kind, id, relation: Relation::Derived, via: creation.via.clone() }];
        Ok(claim)
    }

    /// A base model's name in a place where fine-tuned ones stand is nobody's.
    fn owned_by_nature(&self, creation: &Creation, id: &str) -> bool {
        let rule = self.request.received.catalog().kind(&creation.kind);
        rule.classify(id) == IdClass::Owned
    }

    fn known(&self, creation: &Creation, id: &str) -> bool {
        let upstream = &self.request.received.route.upstream.id;
        let cached = self.shared.store.cached(upstream, &creation.kind, id);
        cached.is_some_and(|owned| owned.tenant == self.request.tenant.id)
    }

    fn claim(&self, creation: &Creation, id: &str, origin: Origin) -> Claim {
        let home = creation.lives_in.and_then(|at| self.request.operation().uses.get(at));
        let named = self.scope.recorded().iter().chain(&self.named);
        let named = named.filter(|of| home.is_none_or(|home| home.kind == of.kind));
        // What a list is paged by is no parent of what stands in it.
        let list = self.request.operation().list.as_ref().map(|list| &list.kind);
        let others = named.filter(|of| Some(&of.kind) != list && !(of.kind == creation.kind && of.id == id));
        let relation = if self.is_part(creation) { Relation::Part } else { Relation::Derived };
        let from = others.map(|of| Parent {
            kind: of.kind.clone(),
            id: of.id.clone(),
            relation,
            // What a call makes is told by the place where it names the other, and what comes by itself by its own.
            via: if origin == Origin::Created { &of.via } else { &creation.via }.clone(),
        });
        let lent = self.lent(origin);
        let dataset = match lent {
            Some(lent) => lent.dataset.as_ref(),
            None => self.dataset.or_else(|| self.scope.datasets().first()),
        };
        Claim {
            resource: self.resource(creation, id),
            tenant: lent.map_or(&self.request.tenant.id, |lent| &lent.owner).clone(),
            label: creation.label.as_ref().and_then(|_| self.label.cloned()),
            dataset: dataset.cloned(),
            made: Making {
                origin,
                operation: self.request.operation().id.clone(),
                request: self.id(),
                from: from.collect(),
            },
        }
    }

    /// Whether it is an item of a list that belongs to the resource in the path: it lives there.
    fn is_part(&self, creation: &Creation) -> bool {
        let list = self.request.operation().list.as_ref();
        creation.lives_in.is_some() || list.is_some_and(|list| list.inherited && list.kind == creation.kind)
    }

    /// What was asked for, if it is lent: what comes by itself belongs to the owner of that.
    fn lent(&self, origin: Origin) -> Option<&Borrowed> {
        if origin != Origin::Yielded {
            return None;
        }
        let uses = &self.request.operation().uses;
        let path = uses.iter().filter_map(|used| self.in_path(used));
        let asked = path.chain(uses.iter().filter_map(|used| self.in_query(used)));
        let borrowed = self.scope.borrowed();
        asked.filter_map(|(kind, id)| borrowed.iter().find(|lent| lent.kind == *kind && lent.id == id)).next()
    }

    fn in_path<'s>(&'s self, used: &'s Use) -> Option<(&'s Kind, &'s str)> {
        let Place::Path(name) = &used.place else { return None };
        Some((&used.kind, self.request.path.value(name)?))
    }

    fn in_query<'s>(&'s self, used: &'s Use) -> Option<(&'s Kind, &'s str)> {
        let Place::Query(name) = &used.place else { return None };
        Some((&used.kind, self.request.query.value(name)?))
    }

    /// What could not be recorded must not stay: it is queued for deletion, or, if the store can't do even that,
    /// deleted at once as far as the upstream lets us.
    async fn take_back(&self, made: &[(&Creation, String)]) {
        for (creation, id) in made {
            // An id that is on record, or of which the store can't tell, may be somebody's: an upstream may give the
            // same id twice. Nobody can see one that is not on record, so it does less harm to leave it.
            let upstream = &self.request.received.route.upstream.id;
            if !matches!(self.shared.store.owner(upstream, &creation.kind, id).await, Ok(None)) {
                tracing::warn!(request = %self.id(), "a resource that could not be recorded is left upstream");
                continue;
            }
            self.note(&creation.kind, id, Role::Undone);
            let Some(undo) = &creation.undo else { continue };
            let Some(path) = self.path_of(undo, id) else { continue };
            let doom = Doom {
                tenant: self.request.tenant.id.clone(),
                upstream: self.request.received.route.upstream.id.clone(),
                method: undo.method.clone(),
                path,
                request: self.id(),
            };
            match self.shared.store.doom(doom.clone(), self.begun.id()).await {
                Ok(_) => self.begun.settled(),
                Err(_) => {
                    undo::attempt(self.shared, &self.request.received.live, &doom).await;
                }
            }
        }
    }

    fn path_of(&self, undo: &Undo, id: &str) -> Option<String> {
        target::fill(&undo.template, |name| match name {
            "id" => Some(id),
            other => self.request.path.value(other),
        })
    }
}
