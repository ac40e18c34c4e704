//! What an answer brings into being is the caller's before the caller learns of it.

use std::collections::{HashMap, HashSet};

use crate::audit::Role;
use crate::body::{FactValue, Facts};
use crate::catalog::{Creation, IdClass, Place, Undo, Use};
use crate::isolation::{Borrowed, Sight, Source, TenantScope, fault, sight, store_refusal, visible};
use crate::names::{DatasetName, Kind, Label, RequestId};
use crate::pointer::{Pointer, Step};
use crate::reason::{Reason, Refusal};
use crate::store::{Claim, Doom, JudgedFor, Making, Origin, Parent, Relation, Resource, StoreError};
use crate::telemetry::Violation;

use super::effects::Open;
use super::records;
use super::shared::Shared;
use super::stages::Recognised;
use super::undo;

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
        self.keep(facts, self.request.plan.expected.check(facts, self.creates)).await
    }

    /// Records what the answer names. The watches of `facts` are `creates`, then `yields`, then `shows`.
    pub(super) async fn record(&self, facts: &Facts) -> Result<(), Refusal> {
        self.keep(facts, Ok(())).await
    }

    /// Records what the answer names, or takes back what it says was made: nothing stays that its maker is not told of.
    async fn keep(&self, facts: &Facts, expected: Result<(), Refusal>) -> Result<(), Refusal> {
        let made = self.made(facts);
        let kept = match expected {
            Ok(()) => self.claims(facts, &made).await,
            Err(refusal) => Err(refusal),
        };
        if kept.is_err() {
            self.take_back(&made).await;
        }
        kept
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

    /// What the answer says was made.
    fn made(&self, facts: &Facts) -> Vec<(&Creation, String)> {
        let creations = self.request.operation().creates.iter().zip(self.creates.iter().copied()).enumerate();
        let counted = creations.filter(|(_, (_, counts))| *counts);
        let ids =
            counted.flat_map(|(watch, (creation, _))| facts.at(watch).map(move |value| (creation, value)));
        let ids = ids.filter_map(|(creation, value)| Some((creation, value.as_text()?)));
        ids.filter(|(creation, id)| self.owned_by_nature(creation, id))
            .map(|(creation, id)| (creation, id.to_owned()))
            .collect()
    }

    /// An id that is none of its kind's can be neither recorded nor checked: it is not told where it has to be one, and
    /// one that names a tenant has to name the caller.
    fn told(&self, facts: &Facts) -> Result<(), Refusal> {
        let operation = self.request.operation();
        let counts = |at: usize| self.creates.get(at).copied().unwrap_or(true);
        let places = operation.creates.iter().chain(&operation.yields).enumerate();
        for (watch, creation) in places.filter(|(watch, _)| counts(*watch)) {
            let rule = self.request.received.catalog().kind(&creation.kind);
            for id in facts.at(watch).filter_map(|value| value.as_text()).filter(|id| !id.is_empty()) {
                let told = match rule.classify(id) {
                    IdClass::Owned | IdClass::Shared => true,
                    IdClass::Malformed => !creation.required,
                    IdClass::OfTenant => {
                        rule.tenant_of(id).is_some_and(|named| *named == *self.request.tenant.id.as_str())
                    }
                };
                if !told {
                    return Err(Refusal::new(Reason::UpstreamUnexpected)
                        .log("an answer has an id that is none of its kind's"));
                }
            }
        }
        Ok(())
    }

    /// What comes by itself and the caller sees already (its own, lent to it, public): that is on record.
    async fn seen(&self, facts: &Facts) -> Result<HashSet<(&Kind, String)>, Refusal> {
        let operation = self.request.operation();
        let received = &self.request.received;
        let mut asked: HashMap<&Kind, Vec<&str>> = HashMap::new();
        for (index, creation) in operation.yields.iter().enumerate().filter(|(_, one)| !self.is_part(one)) {
            let ids = facts.at(operation.creates.len() + index).filter_map(|value| value.as_text());
            let ids = ids.filter(|id| self.owned_by_nature(creation, id) && !self.known(creation, id));
            asked.entry(&creation.kind).or_default().extend(ids);
        }
        let mut seen = HashSet::new();
        for (kind, ids) in asked.into_iter().filter(|(_, ids)| !ids.is_empty()) {
            let (store, upstream, tenant) =
                (&*self.shared.store, &received.route.upstream.id, &self.request.tenant.id);
            let visible = visible(store, received.catalog(), upstream, tenant, kind, &ids).await;
            let visible = visible.map_err(|error| store_refusal(&error))?;
            // What is seen through the whole that it is a part of may not be on record itself.
            let texts = ids.iter().map(|id| (*id).to_owned()).collect();
            let owners = store.owners(upstream, kind, texts).await.map_err(|error| store_refusal(&error))?;
            let on_record =
                ids.iter().zip(visible).zip(owners).filter(|((_, sees), owned)| *sees && owned.is_some());
            seen.extend(on_record.map(|((id, _), _)| (kind, (*id).to_owned())));
        }
        Ok(seen)
    }

    async fn claims(&self, facts: &Facts, made: &[(&Creation, String)]) -> Result<(), Refusal> {
        let operation = self.request.operation();
        self.told(facts)?;
        self.shown(facts).await?;
        let seen = self.seen(facts).await?;
        let mut claims: Vec<Claim> =
            made.iter().map(|(creation, id)| self.claim(creation, id, Origin::Created)).collect();
        for (index, creation) in operation.yields.iter().enumerate() {
            let watch = operation.creates.len() + index;
            for fact in facts.iter().filter(|fact| fact.watch == watch) {
                let Some(id) = fact.value.as_text().filter(|id| !id.is_empty()) else { continue };
                let known = self.known(creation, id) || seen.contains(&(&creation.kind, id.to_owned()));
                if known || !self.owned_by_nature(creation, id) {
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
        self.commit(claims, !made.is_empty()).await.map_err(|error| {
            if matches!(error, StoreError::Conflict) {
                let violation =
                    if made.is_empty() { Violation::ForeignInAnswer } else { Violation::ConflictingClaim };
                self.shared.metrics.violation(Some(&self.request.tenant.id), violation);
            }
            Refusal::new(error.reason()).log(fault(&error))
        })
    }

    /// What the call made, and that it is no longer under way: both are on record, or neither. An answer that goes on may
    /// name more, so its end decides.
    async fn commit(&self, claims: Vec<Claim>, made: bool) -> Result<(), StoreError> {
        let Some(intent) = self.begun.id().filter(|_| made && !self.begun.going()) else {
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
        let items = list.items.join(&Pointer::from(vec![Step::Any]));
        if !creation.at.steps().starts_with(items.steps()) {
            return None;
        }
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
        let received = &self.request.received;
        let (store, upstream, tenant) =
            (&*self.shared.store, &received.route.upstream.id, &self.request.tenant.id);
        let here = claims.iter().any(|claim| claim.resource.kind == *kind && claim.resource.id == of);
        let sight = sight(store, received.catalog(), upstream, tenant, kind, of).await;
        let of = match sight.map_err(|error| store_refusal(&error))? {
            Sight::Theirs(owned, recorded) | Sight::Lent(owned, _, recorded) => {
                claim.tenant = owned.tenant;
                claim.dataset = owned.dataset;
                recorded
            }
            Sight::Shared | Sight::Named | Sight::Hidden { .. } if here => of.to_owned(),
            // The items of a resource that was asked for belong to its owner.
            Sight::Shared | Sight::Named | Sight::Hidden { .. }
                if self.request.operation().list.as_ref().is_some_and(|list| list.inherited) =>
            {
                return Ok(claim);
            }
            Sight::Shared | Sight::Named | Sight::Hidden { .. } => {
                return Err(Refusal::new(Reason::UpstreamUnexpected)
                    .log("an item of a list is no longer the caller's to see"));
            }
        };
        claim.made.from = vec![Parent {
            kind: kind.clone(),
            id: of,
            relation: Relation::Derived,
            via: creation.via.clone(),
        }];
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
        let named = self.scope.recorded().iter().chain(&self.named);
        // What a list is paged by is no parent of what stands in it.
        let list = self.request.operation().list.as_ref().map(|list| &list.kind);
        let others = named.filter(|of| Some(&of.kind) != list && !(of.kind == creation.kind && of.id == id));
        let lent = self.lent(creation, origin);
        let from = others.map(|of| Parent {
            kind: of.kind.clone(),
            id: of.id.clone(),
            relation: if self.lives_in(creation, of) { Relation::Part } else { Relation::Derived },
            // What a call makes is told by the place where it names the other, and what comes by itself by its own.
            via: if origin == Origin::Created { &of.via } else { &creation.via }.clone(),
        });
        let dataset = match lent {
            Some(lent) => lent.dataset.as_ref(),
            None => self.dataset.or_else(|| self.scope.datasets().first()),
        };
        Claim {
            resource: self.resource(creation, id),
            tenant: lent.map_or(&self.request.tenant.id, |lent| &lent.owner).clone(),
            label: creation.label.as_ref().and_then(|_| self.label.cloned()),
            judged: match origin {
                Origin::Created => records::judged_for(self.request, self.scope),
                Origin::Yielded | Origin::Adopted => JudgedFor::NOTHING,
            },
            dataset: dataset.cloned(),
            made: Making {
                origin,
                operation: self.request.operation().id.clone(),
                request: self.id(),
                from: from.collect(),
            },
        }
    }

    /// Whether it lives in a resource that the request names, and not only in something that was named.
    fn is_part(&self, creation: &Creation) -> bool {
        creation.lives_in.is_some() || self.is_item(creation)
    }

    /// Whether it is an item of a list that belongs to the resource in the path.
    fn is_item(&self, creation: &Creation) -> bool {
        let list = self.request.operation().list.as_ref();
        list.is_some_and(|list| list.inherited && list.kind == creation.kind)
    }

    /// Whether it lives in what was named there: with that it is shared, so the place decides, and not the kind alone.
    fn lives_in(&self, creation: &Creation, of: &Source) -> bool {
        let Some(at) = of.at else { return false };
        let used = self.request.operation().uses.get(at);
        let in_path = used.is_some_and(|used| matches!(used.place, Place::Path(_)));
        creation.lives_in == Some(at) || self.is_item(creation) && in_path
    }

    /// What was asked for, if it is lent: what comes by itself belongs to the owner of that.
    fn lent(&self, creation: &Creation, origin: Origin) -> Option<&Borrowed> {
        if origin != Origin::Yielded {
            return None;
        }
        let uses = &self.request.operation().uses;
        let borrowed = self.scope.borrowed();
        let find =
            |(kind, id): (&Kind, &str)| borrowed.iter().find(|lent| lent.kind == *kind && lent.id == id);
        let home = creation.lives_in.and_then(|at| uses.get(at));
        if let Some(home) = home.and_then(|used| self.in_path(used).or_else(|| self.in_query(used))) {
            return find(home);
        }
        let path = uses.iter().filter_map(|used| self.in_path(used));
        path.chain(uses.iter().filter_map(|used| self.in_query(used))).find_map(find)
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
        let intent = self.begun.id().filter(|_| !self.begun.going());
        for (nth, (creation, id)) in made.iter().enumerate() {
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
            // With the last of them all is on record.
            let settles = intent.filter(|_| nth + 1 == made.len());
            match self.shared.store.doom(doom.clone(), settles).await {
                Ok(_) if settles.is_some() => self.begun.settled(),
                Ok(_) => {}
                Err(_) => {
                    undo::attempt(self.shared, &self.request.received.live, &doom).await;
                }
            }
        }
    }

    fn path_of(&self, undo: &Undo, id: &str) -> Option<String> {
        crate::catalog::fill(&undo.template, |name| match name {
            "id" => Some(id),
            other => self.request.path.value(other),
        })
    }
}
