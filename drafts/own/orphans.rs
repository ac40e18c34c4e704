//! `consentry orphans`: what the upstream account has and no record names, and which creating call may have made it. A gateway
//! that was killed between an upstream's answer and its record leaves such; nobody sees them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::check::refuse;
use super::output::{complain, say};
use super::registry::{self, Fault};
use crate::account::{Account, Found};
use crate::catalog::{Label as LabelOf, Operation, Undo};
use crate::config::{self, Mode, Snapshot};
use crate::names::UpstreamId;
use crate::reason::Refusal;
use crate::store::{
    Claim, Intents as _, Making, OpenIntent, Origin, Ownership as _, Resource, Sqlite, StoreError,
};
use crate::upstream::Desk;

/// Which orphans, and what becomes of them.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The upstream account; all of them, if none is named.
    #[arg(long)]
    upstream: Option<String>,
    /// Give what certainly came of one tenant's call to that tenant.
    #[arg(long)]
    assign: bool,
    /// Delete upstream what a call may have made and nobody was given, by the profile's `undo`.
    #[arg(long)]
    delete: bool,
    /// How far the upstream's clock may be off, in seconds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(i64).range(0..=3600))]
    skew: i64,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
    /// The configuration: a folder, or its `consentry.yaml`.
    #[arg(short, long, default_value = "config", env = "CONSENTRY_CONFIG")]
    config: PathBuf,
}

/// Carries it out.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let snapshot = match config::load(&arguments.config, Mode::Serve, 1) {
        Ok(snapshot) => snapshot,
        Err(errors) => return refuse(&errors),
    };
    registry::ended(all(arguments, &snapshot))
}

async fn all(arguments: &Arguments, snapshot: &Snapshot) -> Result<ExitCode, Fault> {
    let only = arguments.upstream.as_deref().map(|name| registry::upstream(Some(name), snapshot)).transpose()?;
    let store = registry::open(&snapshot.state.store)?;
    let mut left = 0;
    let mut accounts: Vec<UpstreamId> = snapshot.upstreams.keys().cloned().collect();
    accounts.sort_unstable();
    for id in accounts.into_iter().filter(|id| only.as_ref().is_none_or(|only| only == id)) {
        let Some(route) = snapshot.routes.iter().find(|route| route.upstream.id == id) else { continue };
        let account = Account::new(&route.upstream, &route.catalog, Desk::at_the_command_line());
        left += Looking { arguments, store: &store, account, upstream: id }.run().await?;
    }
    Ok(ExitCode::from(u8::from(left > 0)))
}

/// A resource that no record names, and the calls that may have made it.
struct Orphan {
    found: Found,
    /// Indexes of intents.
    by: Vec<usize>,
    undo: Option<Undo>,
}

/// What becomes of an orphan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Assigned,
    Deleted,
    /// Nobody sees it.
    Left,
}

struct Looking<'a> {
    arguments: &'a Arguments,
    store: &'a Sqlite,
    account: Account<'a>,
    upstream: UpstreamId,
}

impl Looking<'_> {
    /// Looks through one account. How many orphans are left.
    async fn run(&self) -> Result<usize, Fault> {
        // Before the account is looked at: what is made from here on is another's affair.
        let intents = self.intents().await?;
        let mut orphans = Vec::new();
        let (mut kinds, mut unread) = (Vec::new(), false);
        for (operation, list) in self.account.lists() {
            match self.account.read(operation, list).await {
                Ok(found) => {
                    kinds.push(list.kind.clone());
                    orphans.extend(self.unrecorded(found, &intents).await?);
                }
                Err(refusal) => {
                    unread = true;
                    complain(format_args!("{}: {} can't be read: {}", self.upstream, operation.id, words(&refusal)));
                }
            }
        }
        let certain = certain(&orphans, &intents);
        let mut left = 0;
        let mut open: HashMap<usize, bool> = HashMap::new();
        for (index, orphan) in orphans.iter().enumerate() {
            let fate = self.mend(orphan, certain.get(index).copied().flatten(), &intents, &mut open).await?;
            if fate == Fate::Left {
                left += 1;
                open.extend(orphan.by.iter().map(|intent| (*intent, true)));
            }
            self.tell(orphan, certain.get(index).copied().flatten(), &intents, fate);
        }
        let mending = self.arguments.assign || self.arguments.delete;
        let mut without = 0;
        for (index, intent) in intents.iter().enumerate() {
            let operation = self.account.operation(&intent.intent.operation);
            let seen = operation.is_some_and(|o| o.creates.iter().all(|c| kinds.contains(&c.kind)));
            if mending && seen && !unread && !open.get(&index).copied().unwrap_or_default() {
                // What it made is on record or gone, or it made nothing.
                self.store.settle(intent.id).await?;
            } else {
                without += 1;
            }
        }
        if without > 0 {
            complain(format_args!("{}: {without} creating calls are without outcome", self.upstream));
        }
        Ok(left)
    }

    /// The creating calls of gateways that ended without their outcome.
    async fn intents(&self) -> Result<Vec<OpenIntent>, StoreError> {
        let mut open = self.store.open().await?;
        open.retain(|one| one.left.is_some() && one.intent.upstream == self.upstream);
        Ok(open)
    }

    async fn unrecorded(&self, found: Vec<Found>, intents: &[OpenIntent]) -> Result<Vec<Orphan>, Fault> {
        let Some(kind) = found.first().map(|one| one.kind.clone()) else { return Ok(Vec::new()) };
        let ids = found.iter().map(|one| one.id.clone()).collect();
        let owners = self.store.owners(&self.upstream, &kind, ids).await?;
        let unknown = found.into_iter().zip(owners).filter(|(_, owner)| owner.is_none());
        Ok(unknown.map(|(found, _)| self.orphan(found, intents)).collect())
    }

    fn orphan(&self, found: Found, intents: &[OpenIntent]) -> Orphan {
        let skew = SignedDuration::from_secs(self.arguments.skew);
        let mut orphan = Orphan { found, by: Vec::new(), undo: None };
        for (index, intent) in intents.iter().enumerate() {
            let Some(operation) = self.account.operation(&intent.intent.operation) else { continue };
            let Some(creation) = operation.creates.iter().find(|c| c.kind == orphan.found.kind) else { continue };
            if in_time(intent, orphan.found.created(), skew) && fits(intent, operation, &orphan.found) {
                orphan.by.push(index);
                orphan.undo = orphan.undo.or_else(|| creation.undo.clone());
            }
        }
        orphan
    }

    async fn mend(
        &self,
        orphan: &Orphan,
        certain: Option<usize>,
        intents: &[OpenIntent],
        open: &mut HashMap<usize, bool>,
    ) -> Result<Fate, Fault> {
        if self.arguments.assign
            && let Some(intent) = certain.and_then(|index| intents.get(index))
        {
            let claim = Claim {
                resource: Resource {
                    upstream: self.upstream.clone(),
                    kind: orphan.found.kind.clone(),
                    id: orphan.found.id.clone(),
                },
                tenant: intent.intent.tenant.clone(),
                dataset: intent.intent.dataset.clone(),
                label: intent.intent.label.clone(),
                made: Making {
                    origin: Origin::Adopted,
                    operation: intent.intent.operation.clone(),
                    request: intent.intent.request,
                    from: intent.intent.from.clone(),
                },
            };
            self.store.claim(vec![claim]).await?;
            return Ok(Fate::Assigned);
        }
        let tenant = orphan.by.first().and_then(|index| intents.get(*index)).map(|one| &one.intent.tenant);
        if self.arguments.delete
            && let (Some(undo), Some(tenant)) = (&orphan.undo, tenant)
        {
            match self.account.take_back(undo, &orphan.found.id, tenant).await {
                Ok(true) => return Ok(Fate::Deleted),
                Ok(false) => complain("the upstream did not delete it"),
                Err(refusal) => complain(format_args!("the upstream did not delete it: {}", words(&refusal))),
            }
        }
        open.extend(orphan.by.iter().map(|index| (*index, true)));
        Ok(Fate::Left)
    }

    fn tell(&self, orphan: &Orphan, certain: Option<usize>, intents: &[OpenIntent], fate: Fate) {
        let by: Vec<&OpenIntent> = orphan.by.iter().filter_map(|index| intents.get(*index)).collect();
        let word = match (fate, certain) {
            (Fate::Assigned, _) => "assigned",
            (Fate::Deleted, _) => "deleted",
            (Fate::Left, Some(_)) => "certain",
            (Fate::Left, None) => "left",
        };
        let Found { kind, id, .. } = &orphan.found;
        if self.arguments.json {
            let by = by.iter().map(|one| {
                serde_json::json!({
                    "tenant": one.intent.tenant.as_str(),
                    "operation": one.intent.operation.as_str(),
                    "request": one.intent.request.to_string(),
                    "begun": one.begun,
                })
            });
            say(serde_json::json!({
                "upstream": self.upstream.as_str(), "kind": kind.as_str(), "id": id,
                "created": orphan.found.created(), "state": word, "by": by.collect::<Vec<_>>(),
            }));
            return;
        }
        let mut tenants: Vec<&str> = by.iter().map(|one| one.intent.tenant.as_str()).collect();
        tenants.sort_unstable();
        tenants.dedup();
        let whose = if tenants.is_empty() { "no call that is on record".to_owned() } else { tenants.join(" or ") };
        let made = orphan.found.created().map(|at| format!("made {at}")).unwrap_or_default();
        say(format_args!("{}\t{kind}\t{}\t{made}\tby {whose}\t{word}", self.upstream, id.escape_debug()));
    }
}

/// Whether a resource was made between the beginning of a call and the end of the gateway that made it.
fn in_time(intent: &OpenIntent, created: Option<Timestamp>, skew: SignedDuration) -> bool {
    let (Some(created), Some(left)) = (created, intent.left) else { return false };
    // Upstreams tell whole seconds.
    let begun = Timestamp::from_second(intent.begun.as_second()).unwrap_or(intent.begun);
    let within = |time: Timestamp, by: SignedDuration| time.checked_add(by).unwrap_or(time);
    within(begun, -skew) <= created && created <= within(left, skew)
}

/// Whether what a resource shows of itself is what the call said: under the same names, the same values.
fn fits(intent: &OpenIntent, operation: &Operation, found: &Found) -> bool {
    let told = |name: &str| found.shown.get(name).and_then(Value::as_str);
    let from = intent.intent.from.iter().all(|of| told(of.via.as_str()).is_none_or(|id| id == of.id));
    let label = operation.creates.iter().find_map(|creation| match &creation.label {
        Some(LabelOf::Value(place)) => Some(place.via()),
        Some(LabelOf::Same(_)) | None => None,
    });
    let said = intent.intent.label.as_ref().zip(label);
    from && said.is_none_or(|(said, at)| told(at.as_str()).is_none_or(|told| told == said.as_str()))
}

/// For each orphan the call that it certainly came of: all that may have made it say the same, and made no less than there is.
fn certain(orphans: &[Orphan], intents: &[OpenIntent]) -> Vec<Option<usize>> {
    let same = |a: usize, b: usize| match (intents.get(a), intents.get(b)) {
        (Some(a), Some(b)) => {
            let (a, b) = (&a.intent, &b.intent);
            (&a.tenant, &a.dataset, &a.label, &a.from, &a.operation)
                == (&b.tenant, &b.dataset, &b.label, &b.from, &b.operation)
        }
        _ => false,
    };
    let one = |orphan: &Orphan| -> Option<usize> {
        let first = *orphan.by.first()?;
        let agreed = orphan.by.iter().all(|other| same(first, *other));
        let claimed = orphans.iter().filter(|other| other.by.iter().any(|by| same(first, *by))).count();
        (agreed && claimed <= orphan.by.len()).then_some(first)
    };
    orphans.iter().map(one).collect()
}

fn words(refusal: &Refusal) -> String {
    let log = refusal.log.as_ref().map(|log| format!(" ({})", log.as_str())).unwrap_or_default();
    format!("{}{log}", refusal.reason.code())
}
