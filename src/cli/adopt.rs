//! `consentry adopt`: an account that was in use before the gateway stood before it. What its lists show is assigned to tenants
//! by a table or by rules; what nobody is named for stays nobody's, and nobody sees it.
//!
//! Nothing is remembered of a run but what it recorded, page by page: a run that broke off is begun again, and passes over what
//! is on record. A place in a list would not do, since lists move while they are read.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::desk::{self, Look};
use super::registry::{self, Fault};
use crate::account::orphans::{self, Call, Times};
use crate::account::{Account, Bounds, Found, Shelf};
use crate::config::Snapshot;
use crate::names::{Kind, RequestId, TenantId};
use crate::store::{
    Claim, Deeds as _, Intents as _, JudgedFor, Making, OpenIntent, Origin, Owned, Ownership as _, Parent,
    Relation, Resource, Sqlite, StoreError,
};
use crate::upstream::Desk;

mod plan;
mod report;

use plan::{Assigned, Plan};
use report::Report;

/// So far apart may the account's clock and the gateway's be, however wrong a time zone is, when what is new has to be told from
/// what is old.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is whose.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A table of owners: CSV with the columns `kind,id,tenant`. It goes before the rules.
    #[arg(long, value_name = "FILE", required_unless_present = "rules")]
    owners: Option<PathBuf>,
    /// Rules in YAML: of this kind, what shows this pattern at this place is this tenant's.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Record it. Without this, the command shows what it would record.
    #[arg(long)]
    apply: bool,
    /// The upstream account; it can be left out if there is only one.
    #[arg(long)]
    upstream: Option<String>,
    #[command(flatten)]
    look: Look,
}

/// Carries it out.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    registry::run(&arguments.look.config, async |snapshot| all(arguments, snapshot).await)
}

async fn all(arguments: &Arguments, snapshot: &Snapshot) -> Result<ExitCode, Fault> {
    let id = registry::upstream(arguments.upstream.as_deref(), snapshot)?;
    let Some(account) = Account::of(snapshot, &id, Desk::of_the_operator()) else {
        return Err(Fault::Said(format!("no route leads to the upstream `{id}`")));
    };
    let plan = Plan::read(arguments.owners.as_deref(), arguments.rules.as_deref(), &account, snapshot)
        .map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Fault::Said(format!("nothing was assigned:\n{}", lines.join("\n")))
        })?;
    let store = registry::open(&snapshot.state.store)?;
    let adopting = Adopting {
        store: &store,
        plan,
        apply: arguments.apply,
        times: arguments.look.times(&account, snapshot),
        bounds: arguments.look.bounds(),
        request: RequestId::fresh(),
        report: Report::new(arguments.look.json, arguments.apply, account.id().clone()),
        parts: HashMap::new(),
        whole: true,
        seen: HashSet::new(),
        account: &account,
    };
    adopting.run().await
}

/// What becomes of something that the account shows.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    /// It becomes this tenant's.
    Adopted(TenantId),
    /// It is on record as this tenant's, and nothing else was asked.
    Held(TenantId),
    /// It is on record as this tenant's, and another was named.
    Conflict(TenantId),
    /// Several tenants are named.
    Ambiguous(Vec<TenantId>),
    /// It was this tenant's until it was deleted: its id is nobody's for ever.
    Ended(TenantId),
    /// A call whose outcome is open may have made it: `consentry orphans` says whose it is.
    OfCall,
    /// The gateway is about to delete it.
    Doomed,
    /// Whoever owns what it is a part of owns it.
    Part,
    /// It came of another thing whose owner is open, or that can't be ruled out.
    OfAnother,
    /// Nobody is named.
    Nobodys,
}

/// Why a row of the table came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    /// The account's list does not show it.
    NotFound,
    /// The API has no list of its kind.
    NotListed,
    /// The list could not be read.
    Unread,
}

/// What is on record beside a page.
struct Beside {
    intents: Vec<OpenIntent>,
    /// The paths of what the gateway is about to delete.
    queued: HashSet<String>,
}

/// An item, its fate, and what came of it: kind, id and fate.
type Decided = (Found, Fate, Vec<(Kind, String, Fate)>);

struct Adopting<'a> {
    store: &'a Sqlite,
    account: &'a Account,
    plan: Plan,
    apply: bool,
    times: Times,
    bounds: Bounds,
    /// What the registry holds as the request that made these things known.
    request: RequestId,
    report: Report,
    /// What came of things that the lists have shown, and whose it is by that: none while the thing's own owner is open.
    parts: HashMap<(Kind, String), Option<TenantId>>,
    /// Every list that shows what came of its things was read to its end.
    whole: bool,
    /// Rows of the table whose thing was seen.
    seen: HashSet<(Kind, String)>,
}

impl Adopting<'_> {
    async fn run(mut self) -> Result<ExitCode, Fault> {
        let account = self.account;
        let mut shelves = account.shelves();
        // What comes of a thing is its owner's: that has to be known when its own list is read.
        shelves.sort_by_key(|shelf| !shelf.shows_more());
        let mut unread = HashSet::new();
        for shelf in &shelves {
            if !self.shelf(shelf).await? {
                self.whole &= !shelf.shows_more();
                unread.insert(shelf.kind().clone());
            }
        }
        let rows: Vec<_> = self.plan.rows().filter(|(row, _)| !self.seen.contains(*row)).collect();
        for ((kind, id), row) in rows {
            let missing = if unread.contains(kind) {
                Missing::Unread
            } else if shelves.iter().any(|shelf| shelf.kind() == kind) {
                Missing::NotFound
            } else {
                Missing::NotListed
            };
            self.report.missing(kind, id, row, missing);
        }
        Ok(self.report.end(self.request, unread.len()))
    }

    /// Goes through one list. False: it could not be read to its end.
    async fn shelf(&mut self, shelf: &Shelf<'_>) -> Result<bool, Fault> {
        let mut walk = self.account.walk(shelf, self.bounds);
        loop {
            match walk.page().await {
                Ok(Some(page)) => {
                    self.page(shelf, page).await?;
                    self.report.progress(shelf, walk.pages());
                }
                Ok(None) => return Ok(true),
                Err(refusal) => {
                    desk::unread(self.account, shelf, &refusal);
                    return Ok(false);
                }
            }
        }
    }

    /// Assigns what a page shows: all of it is recorded, or nothing.
    async fn page(&mut self, shelf: &Shelf<'_>, found: Vec<Found>) -> Result<(), Fault> {
        // Behind the page, and before the registry: what an open call made is on record, or the call is here.
        let mut intents = self.store.open().await?;
        intents.retain(|one| one.intent.upstream == *self.account.id());
        let beside = Beside { intents, queued: desk::queued(self.store, self.account.id()).await? };
        let ids = found.iter().map(|one| one.id.clone()).collect();
        let owners = self.store.owners(self.account.id(), shelf.kind(), ids).await?;
        let mut decided = Vec::with_capacity(found.len());
        for (found, owner) in found.into_iter().zip(owners) {
            let fate = self.fate(&found, owner, &beside);
            let parts = self.parts(&found, &fate).await?;
            decided.push((found, fate, parts));
        }
        if self.apply {
            self.record(shelf, &mut decided).await?;
        }
        for (found, fate, parts) in &decided {
            self.report.thing(&found.kind, &found.id, fate);
            for (kind, id, fate) in parts {
                self.report.thing(kind, id, fate);
            }
        }
        Ok(())
    }

    /// What becomes of a thing.
    fn fate(&mut self, found: &Found, owner: Option<Owned>, beside: &Beside) -> Fate {
        let key = (found.kind.clone(), found.id.clone());
        let assigned = self.plan.of(found);
        self.seen.extend(self.plan.has(&key).then(|| key.clone()));
        if self.account.rule(&found.kind).is_some_and(|rule| rule.registry_ids(&found.id).whole.is_some()) {
            return Fate::Part;
        }
        let held = match owner {
            Some(owned) if owned.ended => return Fate::Ended(owned.tenant),
            Some(owned) => Some(owned.tenant),
            None => match self.parts.get(&key) {
                Some(None) if !matches!(assigned, Assigned::Nobody) => return Fate::OfAnother,
                Some(whose) => whose.clone(),
                None => None,
            },
        };
        match (held, assigned) {
            (Some(held), Assigned::Nobody) => Fate::Held(held),
            (Some(held), Assigned::To(tenant)) if held == tenant => Fate::Held(held),
            (Some(held), Assigned::To(_) | Assigned::Several(_)) => Fate::Conflict(held),
            (None, Assigned::Nobody) => Fate::Nobodys,
            (None, Assigned::Several(tenants)) => Fate::Ambiguous(tenants),
            (None, Assigned::To(_)) if self.is_doomed(found, beside) => Fate::Doomed,
            (None, Assigned::To(_)) if self.is_of_a_call(found, beside) => Fate::OfCall,
            (None, Assigned::To(_)) if self.may_be_of_another(found) => Fate::OfAnother,
            (None, Assigned::To(tenant)) => Fate::Adopted(tenant),
        }
    }

    fn is_doomed(&self, found: &Found, beside: &Beside) -> bool {
        let operations = self.account.catalogs().flat_map(crate::catalog::Catalog::operations);
        let creations = operations.flat_map(|one| &one.creates).filter(|one| one.kind == found.kind);
        creations.filter_map(|one| one.undo.as_ref()).any(|undo| {
            let path = crate::catalog::fill(&undo.template, |_| Some(&found.id));
            path.is_some_and(|path| beside.queued.contains(&path))
        })
    }

    /// Whether a call that is open may have made it. Of what the table names by its id only one that somebody may wait for: who
    /// wrote the row knows better than a rule what came of a lost call.
    fn is_of_a_call(&self, found: &Found, beside: &Beside) -> bool {
        let margin = self.times.skew.saturating_add(DAY);
        let mut suspects = orphans::suspects(self.account, margin, &beside.intents, found).into_iter();
        let named = self.plan.has(&(found.kind.clone(), found.id.clone()));
        suspects.any(|call| !named || self.times.of(call) != Call::Lost)
    }

    /// Whether it may have come of a thing since the list was read that would show it, or of one in a list that was not read to
    /// its end. The table may name it all the same.
    fn may_be_of_another(&self, found: &Found) -> bool {
        if self.plan.has(&(found.kind.clone(), found.id.clone())) || !self.account.brings_forth(&found.kind) {
            return false;
        }
        let horizon = orphans::before(self.times.now, self.times.skew.saturating_add(DAY));
        !self.whole || found.made().is_none_or(|made| made > horizon)
    }

    /// What came of a thing is its owner's, as far as nobody else has it; and nobody's to give away while that is open.
    async fn parts(&mut self, found: &Found, fate: &Fate) -> Result<Vec<(Kind, String, Fate)>, StoreError> {
        let whose = match fate {
            Fate::Adopted(tenant) => return self.parts_of(found, &tenant.clone()).await,
            // Who owns nothing by the lists' word may be named for what came of it.
            Fate::Nobodys | Fate::Part => return Ok(Vec::new()),
            Fate::Held(tenant) | Fate::Conflict(tenant) | Fate::Ended(tenant) => Some(tenant.clone()),
            Fate::Ambiguous(_) | Fate::OfCall | Fate::Doomed | Fate::OfAnother => None,
        };
        for (kind, id, _) in &found.yields {
            self.parts.entry((kind.clone(), id.clone())).or_insert_with(|| whose.clone());
        }
        Ok(Vec::new())
    }

    async fn parts_of(
        &mut self,
        found: &Found,
        tenant: &TenantId,
    ) -> Result<Vec<(Kind, String, Fate)>, StoreError> {
        let mut parts = Vec::new();
        for (kind, id, _) in &found.yields {
            let key = (kind.clone(), id.clone());
            let whole = self.account.rule(kind).is_some_and(|rule| rule.registry_ids(id).whole.is_some());
            if whole || !self.account.has_owner(kind, id) || self.parts.contains_key(&key) {
                continue;
            }
            self.seen.extend(self.plan.has(&key).then(|| key.clone()));
            let owner = self.store.owner(self.account.id(), kind, id).await?;
            let fate = match (owner, self.plan.row(&key)) {
                (Some(owned), _) if owned.ended => Fate::Ended(owned.tenant),
                (Some(owned), _) if owned.tenant == *tenant => Fate::Held(owned.tenant),
                (Some(owned), _) => Fate::Conflict(owned.tenant),
                (None, Some(row)) if row != tenant => Fate::Ambiguous(vec![tenant.clone(), row.clone()]),
                (None, _) => {
                    self.parts.insert(key, Some(tenant.clone()));
                    Fate::Adopted(tenant.clone())
                }
            };
            parts.push((kind.clone(), id.clone(), fate));
        }
        Ok(parts)
    }

    /// Records a page. If one of its things came to be somebody's meanwhile, thing by thing.
    async fn record(&mut self, shelf: &Shelf<'_>, decided: &mut [Decided]) -> Result<(), Fault> {
        let claims = decided.iter().flat_map(|one| self.claims(shelf, one)).collect();
        match self.store.adopt(claims).await {
            Ok(()) => return Ok(()),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        for one in decided {
            match self.store.adopt(self.claims(shelf, one)).await {
                Ok(()) => {}
                Err(StoreError::Conflict) => self.came_to_be_somebodys(one).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Nothing of it was recorded: what came of it is not its tenant's either.
    async fn came_to_be_somebodys(&mut self, (found, fate, parts): &mut Decided) -> Result<(), Fault> {
        let owner = self.store.owner(self.account.id(), &found.kind, &found.id).await?;
        *fate = owner.map_or(Fate::OfAnother, |owned| Fate::Conflict(owned.tenant));
        for (kind, id, _) in std::mem::take(parts) {
            self.parts.remove(&(kind, id));
        }
        self.parts(found, &fate.clone()).await?;
        Ok(())
    }

    /// The claims of a thing, and of what came of it.
    fn claims(&self, shelf: &Shelf<'_>, (found, fate, parts): &Decided) -> Vec<Claim> {
        let Fate::Adopted(tenant) = fate else { return Vec::new() };
        let claim = |kind: &Kind, id: &str, label, from| Claim {
            resource: Resource { upstream: self.account.id().clone(), kind: kind.clone(), id: id.to_owned() },
            tenant: tenant.clone(),
            dataset: None,
            label,
            judged: JudgedFor::NOTHING,
            made: Making {
                origin: Origin::Adopted,
                operation: shelf.operation().clone(),
                request: self.request,
                from,
            },
        };
        let mut claims = vec![claim(&found.kind, &found.id, self.account.label(found), Vec::new())];
        for (kind, id, via) in &found.yields {
            let ours = |part: &(Kind, String, Fate)| {
                part.0 == *kind && part.1 == *id && matches!(part.2, Fate::Adopted(_))
            };
            if parts.iter().any(ours) {
                let (whole, relation, via) = (found.kind.clone(), Relation::Derived, via.clone());
                let parent = Parent { kind: whole, id: found.id.clone(), relation, via };
                claims.push(claim(kind, id, None, vec![parent]));
            }
        }
        claims
    }
}
