//! Is it theirs?
//!
//! Every id that a request names is looked up before the upstream hears of the request. Foreign, unknown, ended and
//! malformed ids have one answer, which does not depend on which of them it was, and the upstream is asked in
//! none of these cases: there is nothing to tell them apart by. Names that an API shares by nature (base models)
//! are told from owned ones by the profile.

use std::sync::Arc;

use crate::catalog::{Catalog, IdClass, KindRule};
use crate::names::{Access, DatasetName, Kind, TenantId, UpstreamId, Via};
use crate::reason::{Reason, Refusal, SafeText};
use crate::store::{Granted, JudgedFor, Owned, Store, StoreError};

/// A resource that a request names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Named {
    /// Its kind, by the profile.
    pub kind: Kind,
    /// Its id, as the request gives it (decoded).
    pub id: String,
    /// What it has to have been made for; anything, if empty.
    pub labels: Vec<Arc<str>>,
    /// What the request does with it.
    pub access: Access,
    /// The place where it is named.
    pub via: Via,
    /// That place, by its index among those of the operation.
    pub at: usize,
}

/// What a request named, as it stands in the registry: what is made of it comes from there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// Its kind.
    pub kind: Kind,
    /// Its id, or that of the whole that it is a part of.
    pub id: String,
    /// The place where it was named.
    pub via: Via,
    /// That place, by its index among those of the operation; none, if a record of a file named it.
    pub at: Option<usize>,
}

impl Source {
    /// As a record of a file names it.
    #[must_use]
    pub fn of_record(self) -> Self {
        Self { at: None, ..self }
    }
}

/// A resource that somebody else shares with the caller.
#[derive(Clone, Debug)]
pub struct Borrowed {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub owner: TenantId,
    /// The data set of its owner that it belongs to.
    pub dataset: Option<DatasetName>,
    /// Everybody may read it, and the request does no more than that.
    pub public: bool,
}

/// What is known of the records of a resource that a request names.
#[derive(Clone, Debug)]
pub struct Mark {
    /// The place where it is named, by its index among those of the operation.
    pub at: usize,
    /// Whose it is.
    pub owner: TenantId,
    /// For which uses they were judged.
    pub judged: JudgedFor,
}

/// Proof that every resource a request names is the tenant's, shared with it for what the request does, or shared by
/// nature. Only [`entitle`] makes it.
#[derive(Debug)]
pub struct TenantScope {
    tenant: TenantId,
    datasets: Vec<DatasetName>,
    owned: Vec<Named>,
    borrowed: Vec<Borrowed>,
    recorded: Vec<Source>,
    marks: Vec<Mark>,
}

impl TenantScope {
    /// Whose it is.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The data sets of the resources that were named.
    #[must_use]
    pub fn datasets(&self) -> &[DatasetName] {
        &self.datasets
    }

    /// The owned resources that were named.
    #[must_use]
    pub fn owned(&self) -> &[Named] {
        &self.owned
    }

    /// What was named and belongs to somebody else, who shares it.
    #[must_use]
    pub fn borrowed(&self) -> &[Borrowed] {
        &self.borrowed
    }

    /// What was named, as it stands in the registry: a part that is not on record itself stands there as its whole.
    #[must_use]
    pub fn recorded(&self) -> &[Source] {
        &self.recorded
    }

    /// What is known of the records of each resource that was named and has an owner.
    #[must_use]
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Whether something was named that has an owner, and everybody may read all of it.
    #[must_use]
    pub fn public(&self) -> bool {
        self.owned.is_empty() && !self.borrowed.is_empty() && self.borrowed.iter().all(|one| one.public)
    }

    /// This scope and that of the records of the same request's file, whose places are those of other operations.
    ///
    /// # Errors
    /// If they are of two tenants, which is a mistake of ours.
    pub fn join(mut self, other: Self) -> Result<Self, Refusal> {
        if self.tenant != other.tenant {
            return Err(Refusal::new(Reason::Internal).log("scopes of two tenants were joined"));
        }
        self.datasets.extend(other.datasets);
        self.owned.extend(other.owned);
        self.borrowed.extend(other.borrowed);
        self.recorded.extend(other.recorded.into_iter().map(Source::of_record));
        Ok(self)
    }
}

/// A resource that is not the caller's, whatever the cause. `foreign` is for the metric alone.
#[derive(Debug)]
pub struct NotTheirs {
    /// The kind, for the answer's shape.
    pub kind: Kind,
    /// Somebody else owns it: counted as an attempt.
    pub foreign: bool,
}

/// Why a request is not entitled.
#[derive(Debug)]
pub enum Denied {
    /// Not theirs.
    NotTheirs(NotTheirs),
    /// The store can't tell.
    Store(StoreError),
}

impl Denied {
    /// The refusal, the same for every way not to be theirs.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::NotTheirs(_) => Refusal::new(Reason::ResourceUnknown),
            Self::Store(error) => store_refusal(error),
        }
    }
}

/// A store's failure as a refusal.
#[must_use]
pub fn store_refusal(error: &StoreError) -> Refusal {
    Refusal::new(error.reason()).log(fault(error))
}

/// A store's failure in words for the log.
#[must_use]
pub fn fault(error: &StoreError) -> SafeText {
    SafeText::from(match error {
        StoreError::Corrupt(_) => "the store is corrupt",
        StoreError::Full => "the store has no room left",
        StoreError::Conflict => "the upstream gave an id that belongs to another tenant",
        StoreError::ParentUnknown => "a claim names a parent that is not on record",
        StoreError::Closed => "the store is closed",
        StoreError::Failed(_) => "the store's medium failed",
        StoreError::Locked
        | StoreError::Served
        | StoreError::Newer { .. }
        | StoreError::Foreign
        | StoreError::Access(_)
        | StoreError::Taken => "the store can't be used",
    })
}

/// Whether an id may be seen by a tenant, and what is known of it.
#[derive(Debug)]
pub enum Sight {
    /// It is theirs, by the record of this id: its own, or that of what it is a part of.
    Theirs(Owned, String),
    /// Its owner shares it with them; the record is that of this id.
    Lent(Owned, Granted, String),
    /// Theirs by its name, whether or not anything has it.
    Named,
    /// Everybody's by nature.
    Shared,
    /// Not theirs.
    Hidden {
        /// Somebody else owns it.
        foreign: bool,
    },
}

/// An id that nobody has: no profile's pattern matches it.
const NOBODYS: &str = "\u{0}";

/// Looks up one id.
///
/// # Errors
/// If the store can't tell.
pub async fn sight(
    registry: &dyn Store,
    catalog: &Catalog,
    upstream: &UpstreamId,
    tenant: &TenantId,
    kind: &Kind,
    id: &str,
) -> Result<Sight, StoreError> {
    let rule = catalog.kind(kind);
    match rule.classify(id) {
        IdClass::Malformed => return Ok(Sight::Hidden { foreign: false }),
        IdClass::Shared => return Ok(Sight::Shared),
        IdClass::OfTenant if names(rule, id, tenant) => return Ok(Sight::Named),
        IdClass::OfTenant => return Ok(Sight::Hidden { foreign: false }),
        IdClass::Owned => {}
    }
    let mut foreign: Option<(Owned, &str)> = None;
    // A checkpoint is its model's owner's, whether or not it was seen before.
    for id in rule.registry_ids(id).iter() {
        let owned = match registry.cached(upstream, kind, id) {
            Some(owned) if owned.tenant == *tenant => Some(owned),
            // Warm, and somebody else's: as much work as for an id that nobody has, so that time tells nothing.
            Some(owned) => {
                registry.owner(upstream, kind, NOBODYS).await?;
                Some(owned)
            }
            None => registry.owner(upstream, kind, id).await?,
        };
        // What is on record under its own id is what that record says; the others are looked up all the same.
        match owned {
            Some(owned) if foreign.is_none() && owned.tenant == *tenant && !owned.ended => {
                return Ok(Sight::Theirs(owned, id.to_owned()));
            }
            Some(owned) => foreign = foreign.or(Some((owned, id))),
            None => {}
        }
    }
    // Whether it is shared is asked of every id that is not theirs, foreign or not: time tells nothing here either.
    let ids: Vec<String> = rule.registry_ids(id).iter().map(str::to_owned).collect();
    let granted = registry.granted(upstream, kind, ids, tenant).await?.into_iter().flatten();
    let widest = granted.reduce(|a, b| Granted { right: a.right.max(b.right), public: a.public || b.public });
    Ok(match (foreign, widest) {
        (Some((owned, id)), Some(granted)) if owned.tenant != *tenant && !owned.ended => {
            Sight::Lent(owned, granted, id.to_owned())
        }
        (Some((owned, _)), _) => Sight::Hidden { foreign: owned.tenant != *tenant },
        (None, _) => Sight::Hidden { foreign: false },
    })
}

/// Which of many ids of one kind (a page of a list) a tenant may see.
///
/// # Errors
/// If the store can't tell.
pub async fn visible(
    registry: &dyn Store,
    catalog: &Catalog,
    upstream: &UpstreamId,
    tenant: &TenantId,
    kind: &Kind,
    ids: &[&str],
) -> Result<Vec<bool>, StoreError> {
    let rule = catalog.kind(kind);
    let mut visible: Vec<bool> = ids
        .iter()
        .map(|id| match rule.classify(id) {
            IdClass::Shared => true,
            IdClass::OfTenant => names(rule, id, tenant),
            IdClass::Owned | IdClass::Malformed => false,
        })
        .collect();
    // Each id that has an owner, under each name that it may stand under in the registry.
    let asked: Vec<(usize, &str)> = ids
        .iter()
        .enumerate()
        .filter(|(_, id)| rule.classify(id) == IdClass::Owned)
        .flat_map(|(index, id)| rule.registry_ids(id).iter().map(move |id| (index, id)))
        .collect();
    let texts = |asked: &[(usize, &str)]| asked.iter().map(|(_, id)| (*id).to_owned()).collect::<Vec<_>>();
    let owners = registry.owners(upstream, kind, texts(&asked)).await?;
    let mut decided = vec![false; ids.len()];
    let mut rest = Vec::new();
    for (&(index, id), owned) in asked.iter().zip(owners) {
        // What is on record under its own id is what that record says.
        if decided[index] {
            continue;
        }
        if let Some(owned) = owned {
            decided[index] = true;
            visible[index] = owned.tenant == *tenant && !owned.ended;
            if owned.tenant != *tenant && !owned.ended {
                rest.extend(rule.registry_ids(ids[index]).iter().map(|id| (index, id)));
            }
        } else {
            rest.push((index, id));
        }
    }
    if rest.is_empty() {
        return Ok(visible);
    }
    let granted = registry.granted(upstream, kind, texts(&rest), tenant).await?;
    for (&(index, _), granted) in rest.iter().zip(granted) {
        visible[index] |= decided[index] && granted.is_some();
    }
    Ok(visible)
}

/// Whether an id of a kind whose ids name their tenants names this one.
fn names(rule: &KindRule, id: &str, tenant: &TenantId) -> bool {
    rule.tenant_of(id).is_some_and(|named| *named == *tenant.as_str())
}

fn fits(labels: &[Arc<str>], owned: &Owned) -> bool {
    labels.is_empty()
        || owned.label.as_ref().is_some_and(|label| labels.iter().any(|l| **l == *label.as_str()))
}

fn mark(owned: &Owned, at: usize) -> Mark {
    Mark { at, owner: owned.tenant.clone(), judged: owned.judged }
}

/// Checks every resource that a request names.
///
/// # Errors
/// With the first that is not theirs, or if the store can't tell.
pub async fn entitle(
    registry: &dyn Store,
    catalog: &Catalog,
    upstream: &UpstreamId,
    tenant: &TenantId,
    named: &[Named],
) -> Result<TenantScope, Denied> {
    let mut scope = TenantScope {
        tenant: tenant.clone(),
        datasets: Vec::new(),
        owned: Vec::new(),
        borrowed: Vec::new(),
        recorded: Vec::new(),
        marks: Vec::new(),
    };
    for Named { kind, id, labels, access, via, at } in named {
        let source = |id| Source { kind: kind.clone(), id, via: via.clone(), at: Some(*at) };
        let denied = |foreign| Err(Denied::NotTheirs(NotTheirs { kind: kind.clone(), foreign }));
        match sight(registry, catalog, upstream, tenant, kind, id).await.map_err(Denied::Store)? {
            Sight::Shared | Sight::Named => {}
            // A resource that was made for something else is answered like one that does not exist.
            Sight::Theirs(owned, _) | Sight::Lent(owned, ..) if !fits(labels, &owned) => {
                return denied(false);
            }
            // What is shown, but not for this, is answered so too: there is one answer.
            Sight::Lent(_, granted, _) if !granted.right.allows(*access) => return denied(true),
            Sight::Theirs(owned, recorded) => {
                scope.marks.push(mark(&owned, *at));
                scope.recorded.push(source(recorded));
                scope.datasets.extend(owned.dataset.clone());
                let (kind, id, via) = (kind.clone(), id.clone(), via.clone());
                scope.owned.push(Named { kind, id, labels: Vec::new(), access: *access, via, at: *at });
            }
            Sight::Lent(owned, granted, recorded) => {
                scope.marks.push(mark(&owned, *at));
                scope.recorded.push(source(recorded));
                scope.borrowed.push(Borrowed {
                    kind: kind.clone(),
                    id: id.clone(),
                    owner: owned.tenant,
                    dataset: owned.dataset,
                    // What is made with it is not what it is.
                    public: granted.public && *access == Access::Read,
                });
            }
            Sight::Hidden { foreign } => return denied(foreign),
        }
    }
    Ok(scope)
}

#[cfg(test)]
mod tests;
