//! What an answer brings into being is the caller's before the caller learns of it.

use crate::audit::Role;
use crate::body::{FactValue, Facts};
use crate::catalog::{Creation, IdClass, Place, Undo, Use};
use crate::isolation::{Borrowed, TenantScope, fault, store_refusal, visible};
use crate::names::{DatasetName, Kind, Label, RequestId};
use crate::reason::{Reason, Refusal};
use crate::store::{Claim, Doom, Origin, Parent, Relation, Resource, StoreError};
use crate::telemetry::Violation;

use super::shared::Shared;
use super::stages::Recognised;
use super::{target, undo};

/// What is known of a call when its answer comes.
pub(super) struct Claiming<'a> {
    pub(super) shared: &'a Shared,
    pub(super) request: &'a Recognised,
    /// The resources that the request named: the parents of what it made.
    pub(super) scope: &'a TenantScope,
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
            for id in facts.at(watch).filter_map(|value| value.as_text()).filter(|id| !id.is_empty()) {
                if self.owned_by_nature(creation, id) && !self.known(creation, id) {
                    claims.push(self.claim(creation, id, Origin::Yielded));
                }
            }
        }
        if claims.is_empty() {
            return Ok(());
        }
        for claim in &claims {
            self.note(&claim.resource.kind, &claim.resource.id, Role::Created);
        }
        match self.shared.store.claim(claims).await {
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
        let named =
            self.scope.recorded().iter().filter(|(kind, _)| home.is_none_or(|home| home.kind == *kind));
        // What a list is paged by is no parent of what stands in it.
        let list = self.request.operation().list.as_ref().map(|list| &list.kind);
        let parents = named.filter(|(kind, of)| Some(kind) != list && !(*kind == creation.kind && of == id));
        let relation = if self.is_part(creation) { Relation::Part } else { Relation::Derived };
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
            parents: parents
                .map(|(kind, id)| Parent { kind: kind.clone(), id: id.clone(), relation })
                .collect(),
            origin,
            operation: self.request.operation().id.clone(),
            request: self.id(),
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
            if self.shared.store.doom(doom.clone(), None).await.is_err() {
                undo::attempt(self.shared, &self.request.received.live, &doom).await;
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
