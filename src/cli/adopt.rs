//! `consentry adopt`: an account that was in use before the gateway stood before it. What its lists show is assigned to tenants
//! by a table or by rules; what nobody is named for stays nobody's, and nobody sees it.
//!
//! Nothing is remembered of a run but what it recorded, page by page: a run that broke off is begun again, and passes over what
//! is on record. A place in a list would not do, since lists move while they are read.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;

use super::check::refuse;
use super::output::complain;
use super::registry::{self, Fault};
use crate::account::orphans::{self, Times};
use crate::account::{Account, Found, Shelf};
use crate::config::{self, Mode, Snapshot};
use crate::names::{Kind, RequestId, TenantId};
use crate::store::{
    Claim, Doomed as _, Intents as _, Making, OpenIntent, Origin, Owned, Ownership as _, Parent, Relation,
    Resource, Sqlite, StoreError,
};
use crate::upstream::Desk;

mod plan;
mod report;

use plan::{Assigned, Plan};
use report::Report;

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
    /// How far the upstream's clock may be off, in seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=3600))]
    skew: u64,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
    /// The configuration: a folder, or its `consentry.yaml`.
    #[arg(short, long, default_value = "config", env = "CONSENTRY_CONFIG")]
    config: PathBuf,
}

/// Carries it out.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let snapshot = match config::load(&arguments.config, Mode::Check, 1) {
        Ok(snapshot) => snapshot,
        Err(errors) => return refuse(&errors),
    };
    registry::ended(all(arguments, &snapshot))
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
    let bounds = &snapshot.listeners.data.bounds;
    let answered = account.patience();
    let over = bounds.request_body.saturating_add(answered).saturating_add(bounds.response_body);
    let adopting = Adopting {
        store: &store,
        plan,
        apply: arguments.apply,
        times: Times { now: Timestamp::now(), skew: Duration::from_secs(arguments.skew), answered, over },
        request: RequestId::fresh(),
        report: Report::new(arguments.json, arguments.apply, account.id().clone()),
        parts: HashMap::new(),
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
    /// It is on record, and nothing else was asked.
    Held,
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
    /// What the registry holds as the request that made these things known.
    request: RequestId,
    report: Report,
    /// What came of things that were adopted in this run: a dry run has it on no record.
    parts: HashMap<(Kind, String), TenantId>,
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
        let (mut from, mut pages) = (None, 0_u64);
        loop {
            let page = match self.account.page(shelf, from.as_deref()).await {
                Ok(page) => page,
                Err(refusal) => {
                    let log = refusal.log.as_ref().map(|log| format!(" ({})", log.as_str()));
                    let (code, log) = (refusal.reason.code(), log.unwrap_or_default());
                    complain(format_args!(
                        "{}: {} can't be read: {code}{log}",
                        self.account.id(),
                        shelf.operation()
                    ));
                    return Ok(false);
                }
            };
            pages += 1;
            self.page(shelf, page.found).await?;
            self.report.progress(shelf, pages);
            from = page.next;
            if from.is_none() {
                return Ok(true);
            }
        }
    }

    /// Assigns what a page shows: all of it is recorded, or nothing.
    async fn page(&mut self, shelf: &Shelf<'_>, found: Vec<Found>) -> Result<(), Fault> {
        // Behind the page, and before the registry: what an open call made is on record, or the call is here.
        let mut intents = self.store.open().await?;
        intents.retain(|one| one.intent.upstream == *self.account.id());
        let due = self.store.due(Timestamp::MAX, u32::MAX).await?.into_iter();
        let queued = due.filter(|one| one.doom.upstream == *self.account.id()).map(|one| one.doom.path);
        let beside = Beside { intents, queued: queued.collect() };
        let ids = found.iter().map(|one| one.id.clone()).collect();
        let owners = self.store.owners(self.account.id(), shelf.kind(), ids).await?;
        let mut decided = Vec::with_capacity(found.len());
        for (found, owner) in found.into_iter().zip(owners) {
            let fate = self.fate(&found, owner, &beside);
            let parts = match &fate {
                Fate::Adopted(tenant) => self.parts_of(&found, &tenant.clone()).await?,
                _ => Vec::new(),
            };
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
            None => self.parts.get(&key).cloned(),
        };
        match (held, assigned) {
            (Some(_), Assigned::Nobody) => Fate::Held,
            (Some(held), Assigned::To(tenant)) if held == tenant => Fate::Held,
            (Some(held), Assigned::To(_) | Assigned::Several(_)) => Fate::Conflict(held),
            (None, Assigned::Nobody) => Fate::Nobodys,
            (None, Assigned::Several(tenants)) => Fate::Ambiguous(tenants),
            (None, Assigned::To(_)) if self.is_doomed(found, beside) => Fate::Doomed,
            (None, Assigned::To(_)) if self.is_of_a_call(found, beside) => Fate::OfCall,
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

    /// Whether a call that is open may have made it. Of what tells no time, any that makes its kind.
    fn is_of_a_call(&self, found: &Found, beside: &Beside) -> bool {
        if found.made().is_none() {
            let mut operations =
                beside.intents.iter().filter_map(|open| self.account.operation(&open.intent.operation));
            return operations.any(|one| one.creates.iter().any(|made| made.kind == found.kind));
        }
        let read = (found.clone(), None);
        !orphans::orphan(self.account, &self.times, &beside.intents, read).by.is_empty()
    }

    /// What came of a thing is its owner's, as far as nobody else has it.
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
                (Some(owned), _) if owned.tenant == *tenant => Fate::Held,
                (Some(owned), _) => Fate::Conflict(owned.tenant),
                (None, Some(row)) if row != tenant => Fate::Ambiguous(vec![tenant.clone(), row.clone()]),
                (None, _) => {
                    self.parts.insert(key, tenant.clone());
                    Fate::Adopted(tenant.clone())
                }
            };
            parts.push((kind.clone(), id.clone(), fate));
        }
        Ok(parts)
    }

    /// Records a page. If one of its things came to be somebody's meanwhile, thing by thing.
    async fn record(&self, shelf: &Shelf<'_>, decided: &mut [Decided]) -> Result<(), Fault> {
        let claims = decided.iter().flat_map(|one| self.claims(shelf, one)).collect();
        match self.store.claim(claims).await {
            Ok(()) => return Ok(()),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        for one in decided {
            match self.store.claim(self.claims(shelf, one)).await {
                Ok(()) => {}
                Err(StoreError::Conflict) => {
                    let owner = self.store.owner(self.account.id(), &one.0.kind, &one.0.id).await?;
                    one.1 = owner.map_or(Fate::OfCall, |owned| Fate::Conflict(owned.tenant));
                    one.2.clear();
                }
                Err(error) => return Err(error.into()),
            }
        }
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
