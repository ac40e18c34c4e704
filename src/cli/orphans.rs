//! `consentry orphans`: the calls whose outcome was lost, and what stands upstream that nobody owns. A gateway that was killed
//! between an upstream's answer and its record leaves such a call, and perhaps such a thing; nobody sees it.

use std::collections::HashSet;
use std::process::ExitCode;

use clap::ValueEnum;

use super::desk::{self, Look};
use super::output::complain;
use super::registry::{self, Fault};
use crate::account::orphans::{self, Call, Orphan, Times, Unseen, Verdict};
use crate::account::{Account, Found, Shelf};
use crate::config::Snapshot;
use crate::names::{Kind, TenantId, UpstreamId};
use crate::store::{
    Claim, Deeds as _, Doomed as _, Intents as _, JudgedFor, Making, OpenIntent, Origin, Owned,
    Ownership as _, Resource, Sqlite, StoreError,
};
use crate::upstream::Desk;

mod report;

use report::Report;

/// Which orphans, and what becomes of them.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The upstream account; all of them, if none is named.
    #[arg(long)]
    upstream: Option<String>,
    /// Mend: give to its tenant what certainly came of one tenant's call, take back upstream what certainly came of a call of one
    /// of several tenants, and close the calls of which nothing is left. `--mend=end` takes back the certain ones as well.
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "claim")]
    mend: Option<Mend>,
    /// With `--mend`: close also the calls that made what the API has no list of. Nobody owns that or sees it.
    #[arg(long, requires = "mend")]
    close_unlisted: bool,
    #[command(flatten)]
    look: Look,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mend {
    /// What certainly came of one tenant's call is that tenant's from now on.
    Claim,
    /// Everything that certainly came of a call is taken back upstream.
    End,
}

/// Carries it out.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    registry::run(&arguments.look.config, async |snapshot| all(arguments, snapshot).await)
}

async fn all(arguments: &Arguments, snapshot: &Snapshot) -> Result<ExitCode, Fault> {
    let only =
        arguments.upstream.as_deref().map(|name| registry::upstream(Some(name), snapshot)).transpose()?;
    let store = registry::open(&snapshot.state.store)?;
    let report = Report::new(arguments.look.json);
    let mut left = 0;
    let mut accounts: Vec<UpstreamId> = snapshot.upstreams.keys().cloned().collect();
    accounts.sort_unstable();
    for id in accounts.into_iter().filter(|id| only.as_ref().is_none_or(|only| only == id)) {
        let Some(account) = Account::of(snapshot, &id, Desk::of_the_operator()) else { continue };
        let times = arguments.look.times(&account, snapshot);
        left += Looking { arguments, store: &store, account, times, report: &report }.run().await?;
    }
    Ok(ExitCode::from(u8::from(left > 0)))
}

/// What became of an orphan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is its tenant's.
    Claimed,
    /// It is gone.
    Deleted,
    /// The gateway will go on trying to delete it.
    Queued,
    /// It is as it was: nobody sees it.
    Left,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It is closed: what it made is on record or gone, or it made nothing.
    Closed,
    /// Somebody may wait for its answer.
    UnderWay,
    /// The upstream may be at it.
    Settling,
    /// It waits for the operator's word.
    Open,
    /// What it made, if anything, can't be looked for.
    Unseen(Unseen),
    /// A list could not be read.
    Unread,
}

/// What was read of an account.
#[derive(Default)]
struct Read {
    orphans: Vec<Orphan>,
    intents: Vec<OpenIntent>,
    /// Lists that could not be read to their end.
    unread: HashSet<Kind>,
}

struct Looking<'a> {
    arguments: &'a Arguments,
    store: &'a Sqlite,
    account: Account,
    times: Times,
    report: &'a Report,
}

impl Looking<'_> {
    /// Looks through one account. How much is left that came of a call.
    async fn run(&self) -> Result<usize, Fault> {
        let read = self.read().await?;
        let verdicts = orphans::verdicts(&self.times, &read.orphans, &read.intents);
        let makers = orphans::makers(&read.orphans, &verdicts);
        // What a list that was cut short does not show may be left as well.
        let mut left = read.unread.len();
        let (mut busy, mut settled) = (HashSet::new(), HashSet::new());
        for ((orphan, verdict), call) in read.orphans.iter().zip(verdicts).zip(makers) {
            let fate = self.mend(orphan, verdict, call.and_then(|call| read.intents.get(call))).await?;
            match fate {
                Fate::Claimed => settled.extend(call),
                Fate::Deleted | Fate::Queued => {}
                Fate::Left => {
                    left += usize::from(verdict != Verdict::Nobody);
                    busy.extend(orphan.by.iter().copied());
                }
            }
            self.report.orphan(self.account.id(), orphan, verdict, fate, &read.intents);
        }
        for (index, intent) in read.intents.iter().enumerate() {
            let outcome = if settled.contains(&index) {
                Outcome::Closed
            } else {
                self.close(intent, busy.contains(&index), &read).await?
            };
            left += usize::from(!matches!(outcome, Outcome::Closed | Outcome::UnderWay));
            self.report.call(intent, outcome);
        }
        Ok(left)
    }

    /// Reads what nobody owns, and the calls that may have made it.
    async fn read(&self) -> Result<Read, Fault> {
        let mut read = Read::default();
        let mut found = Vec::new();
        for shelf in self.account.shelves() {
            if !self.list(&shelf, &mut found).await? {
                read.unread.insert(shelf.kind().clone());
            }
        }
        // After the lists: what a call made that has begun since then is in none of them. And before the registry is asked
        // once more: what such a call made is on record, or it is open still.
        let mut intents = self.store.open().await?;
        intents.retain(|one| one.intent.upstream == *self.account.id());
        let queued = desk::queued(self.store, self.account.id()).await?;
        for (thing, _) in found {
            let Some(thing) = self.unowned(vec![thing]).await?.pop() else { continue };
            let unread = |kind: &Kind| read.unread.contains(kind);
            let orphan = orphans::orphan(&self.account, &self.times, &intents, thing, unread);
            let doomed = orphan.undo.as_ref().is_some_and(|undo| {
                let path = crate::catalog::fill(&undo.template, |_| Some(&orphan.found.id));
                path.is_some_and(|path| queued.contains(&path))
            });
            // The gateway is about to delete it.
            if !doomed {
                read.orphans.push(orphan);
            }
        }
        read.intents = intents;
        Ok(read)
    }

    /// Adds what a list shows and nobody owns. False: it could not be read to its end.
    async fn list(&self, shelf: &Shelf<'_>, found: &mut Vec<(Found, Option<Owned>)>) -> Result<bool, Fault> {
        let mut walk = self.account.walk(shelf, self.arguments.look.bounds());
        loop {
            match walk.page().await {
                Ok(Some(mut page)) => {
                    // What is held until all lists are read has to be small.
                    self.account.forget_the_rest(shelf.kind(), &mut page);
                    found.extend(self.unowned(page).await?);
                    self.report.progress(shelf, walk.pages());
                }
                Ok(None) => return Ok(true),
                Err(refusal) => {
                    desk::unread(&self.account, shelf, &refusal);
                    return Ok(false);
                }
            }
        }
    }

    /// Those that are on no record, and those that were deleted and are there.
    async fn unowned(&self, found: Vec<Found>) -> Result<Vec<(Found, Option<Owned>)>, StoreError> {
        let Some(kind) = found.first().map(|one| one.kind.clone()) else { return Ok(Vec::new()) };
        let ids = found.iter().map(|one| one.id.clone()).collect();
        let owners = self.store.owners(self.account.id(), &kind, ids).await?;
        let pairs = found.into_iter().zip(owners);
        Ok(pairs.filter(|(_, owner)| owner.as_ref().is_none_or(|owned| owned.ended)).collect())
    }

    async fn mend(
        &self,
        orphan: &Orphan,
        verdict: Verdict,
        call: Option<&OpenIntent>,
    ) -> Result<Fate, Fault> {
        let Some(how) = self.arguments.mend else { return Ok(Fate::Left) };
        let ends = match verdict {
            Verdict::UnderWay | Verdict::Ambiguous | Verdict::Nobody => return Ok(Fate::Left),
            Verdict::Certain if how == Mend::Claim && call.is_none() => return Ok(Fate::Left),
            Verdict::Certain => how == Mend::End,
            Verdict::Contested => true,
        };
        match call.filter(|_| !ends) {
            Some(call) => self.claim(orphan, call).await,
            None => self.end(orphan).await,
        }
    }

    /// Gives it to whom the call was made for, and closes the call: both, or neither.
    async fn claim(&self, orphan: &Orphan, call: &OpenIntent) -> Result<Fate, Fault> {
        let intent = &call.intent;
        let claim = Claim {
            resource: self.resource(orphan),
            tenant: intent.tenant.clone(),
            dataset: intent.dataset.clone(),
            label: intent.label.clone(),
            judged: JudgedFor::NOTHING,
            made: Making {
                origin: Origin::Created,
                operation: intent.operation.clone(),
                request: intent.request,
                from: intent.from.clone(),
            },
        };
        match self.store.give(claim, call.id).await {
            Ok(()) => Ok(Fate::Claimed),
            Err(StoreError::Conflict) => {
                complain("one of them came to be somebody's meanwhile, or its call was closed: look again");
                Ok(Fate::Left)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Queues its deletion, and tries it at once. Should this end here, the gateway goes on.
    async fn end(&self, orphan: &Orphan) -> Result<Fate, Fault> {
        let Some(undo) = orphan.undo.as_ref().filter(|_| !orphan.by.is_empty()) else {
            return Ok(Fate::Left);
        };
        let resource = self.resource(orphan);
        let (upstream, kind) = (resource.upstream.clone(), resource.kind.clone());
        let request = crate::names::RequestId::fresh();
        let doom = self.account.doom(undo, &resource.id, &TenantId::new("operator"), request);
        let Some(doom) = doom else { return Ok(Fate::Left) };
        // It may have come to light meanwhile, for the owner of what shows it.
        let Some(queued) = self.store.take_back(resource, doom.clone()).await? else { return Ok(Fate::Left) };
        match self.account.undo(&doom).await {
            Ok(true) => {
                self.store.done(queued).await?;
                Ok(Fate::Deleted)
            }
            Ok(false) => Ok(Fate::Queued),
            Err(refusal) => {
                complain(format_args!("{upstream}: a {kind} is not deleted yet: {}", desk::words(&refusal)));
                Ok(Fate::Queued)
            }
        }
    }

    /// Closes a call of which nothing is left, if that can be known.
    async fn close(&self, intent: &OpenIntent, busy: bool, read: &Read) -> Result<Outcome, Fault> {
        match self.times.of(intent) {
            Call::UnderWay => return Ok(Outcome::UnderWay),
            Call::Settling => return Ok(Outcome::Settling),
            Call::Lost => {}
        }
        if busy {
            return Ok(Outcome::Open);
        }
        let operation = self.account.operation(&intent.intent.operation);
        let makes = |kind: &Kind| operation.is_some_and(|one| one.creates.iter().any(|c| c.kind == *kind));
        // That there is no list of the one kind does not close what made the other, whose list could not be read.
        if read.unread.iter().any(makes) || operation.is_none() && !read.unread.is_empty() {
            return Ok(Outcome::Unread);
        }
        match orphans::seen(&self.account, intent) {
            Err(unseen) if !self.arguments.close_unlisted => return Ok(Outcome::Unseen(unseen)),
            Ok(()) | Err(_) => {}
        }
        if self.arguments.mend.is_none() {
            return Ok(Outcome::Open);
        }
        self.store.close(intent).await?;
        Ok(Outcome::Closed)
    }

    fn resource(&self, orphan: &Orphan) -> Resource {
        let Found { kind, id, .. } = &orphan.found;
        Resource { upstream: self.account.id().clone(), kind: kind.clone(), id: id.clone() }
    }
}
