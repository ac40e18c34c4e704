//! Which call may have made what stands upstream and on no record? Pure: it looks at what was read and decides nothing else.
//!
//! A resource fits a call that makes its kind if it was made while the call was under way, and shows of itself what the call
//! said: what it is for, what it was made from. That is certain only if no other caller's call fits, and there are no more
//! such resources than calls.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Account, Found};
use crate::catalog::{self, Creation, Operation, Undo};
use crate::store::{OpenIntent, Owned};

/// The times that decide.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Now.
    pub now: Timestamp,
    /// How far the upstream's clock may be off.
    pub skew: Duration,
    /// The longest that a call may take until its answer begins.
    pub answered: Duration,
    /// The longest that it may take to its end.
    pub over: Duration,
}

/// What is known of a call whose outcome is not on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Somebody may wait for its answer.
    UnderWay,
    /// Nobody does, and the upstream may be at it.
    Settling,
    /// Nobody does: what it made is there by now, or it made nothing.
    Lost,
}

impl Times {
    /// What is known of a call.
    #[must_use]
    pub fn of(&self, intent: &OpenIntent) -> Call {
        if intent.lost.is_none() && self.now < after(intent.begun, self.over) {
            Call::UnderWay
        } else if self.now < after(intent.begun, self.answered + self.skew) {
            Call::Settling
        } else {
            Call::Lost
        }
    }

    /// Whether something that was made then can have been made by a call.
    fn cover(&self, intent: &OpenIntent, made: Option<Timestamp>) -> bool {
        let Some(made) = made else { return false };
        // Upstreams tell whole seconds.
        let begun = Timestamp::from_second(intent.begun.as_second()).unwrap_or(intent.begun);
        before(begun, self.skew) <= made && made <= after(intent.begun, self.answered + self.skew)
    }
}

fn after(time: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn before(time: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// What stands upstream, and the calls that may have made it.
#[derive(Debug)]
pub struct Orphan {
    /// As the account shows it.
    pub found: Found,
    /// Whose it was until it was deleted, if it is on record so.
    pub was: Option<Owned>,
    /// Those calls, by index.
    pub by: Vec<usize>,
    /// How it is taken back.
    pub undo: Option<Undo>,
}

/// What is known of where an orphan came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A call that is under way may have made it.
    UnderWay,
    /// It came of this call, or of one that said the same for the same tenant.
    Certain(usize),
    /// It came of one of several.
    Ambiguous,
    /// No call that is on record made it.
    Nobody,
}

/// Finds the calls that may have made what nobody owns.
#[must_use]
pub fn orphan(
    account: &Account,
    times: &Times,
    intents: &[OpenIntent],
    (found, was): (Found, Option<Owned>),
) -> Orphan {
    let mut orphan = Orphan { found, was, by: Vec::new(), undo: None };
    for (index, intent) in intents.iter().enumerate() {
        let Some(operation) = account.operation(&intent.intent.operation) else { continue };
        let Some(creation) = operation.creates.iter().find(|c| c.kind == orphan.found.kind) else { continue };
        let made = times.cover(intent, orphan.found.made());
        if made && fits(account, operation, creation, intent, &orphan.found) {
            orphan.by.push(index);
            orphan.undo = orphan.undo.or_else(|| creation.undo.clone());
        }
    }
    orphan
}

/// Whether what a resource shows of itself is what the call said: under the same names, the same values.
fn fits(
    account: &Account,
    operation: &Operation,
    creation: &Creation,
    intent: &OpenIntent,
    found: &Found,
) -> bool {
    let same = intent.intent.from.iter().all(|of| {
        let Some(shown) = found.text(of.via.as_str()) else { return true };
        let whole = account.rule(&of.kind).and_then(|rule| rule.registry_ids(&shown).whole);
        shown == of.id || whole == Some(of.id.as_str())
    });
    let Some(catalog::Label::Value(place)) = &creation.label else { return same };
    let Some(shown) = found.text(place.via().as_str()) else { return same };
    // Of what a thing is said to be for those words are on record that some use asks for, and no others.
    let uses = account.catalogs().flat_map(catalog::Catalog::operations).flat_map(|one| &one.uses);
    let asked = uses.flat_map(|used| &used.labels).any(|word| **word == *shown);
    let said = intent.intent.label.as_ref().map(crate::names::Label::as_str);
    let given = operation.creates.iter().any(|one| one.label.is_some());
    same && (!given || said == asked.then_some(shown.as_str()))
}

/// What is known of each orphan.
#[must_use]
pub fn verdicts(times: &Times, orphans: &[Orphan], intents: &[OpenIntent]) -> Vec<Verdict> {
    let call = |index: usize| intents.get(index).map(|intent| times.of(intent));
    let one = |orphan: &Orphan| {
        let Some(first) = orphan.by.first().copied() else { return Verdict::Nobody };
        if orphan.by.iter().any(|index| call(*index) == Some(Call::UnderWay)) {
            return Verdict::UnderWay;
        }
        let agreed = orphan.by.iter().all(|other| say_the_same(intents, first, *other));
        let (things, calls) = together(orphans, &orphan.by);
        if agreed && things <= calls { Verdict::Certain(first) } else { Verdict::Ambiguous }
    };
    orphans.iter().map(one).collect()
}

/// How many orphans, and how many calls, are tied to these calls: by calls that may have made several of the orphans.
fn together(orphans: &[Orphan], by: &[usize]) -> (usize, usize) {
    let mut calls: BTreeSet<usize> = by.iter().copied().collect();
    loop {
        let tied = orphans.iter().filter(|orphan| orphan.by.iter().any(|call| calls.contains(call)));
        let (mut things, mut all) = (0, calls.clone());
        for orphan in tied {
            things += 1;
            all.extend(&orphan.by);
        }
        if all.len() == calls.len() {
            return (things, calls.len());
        }
        calls = all;
    }
}

/// Whether two calls would leave the same record of what they made.
fn say_the_same(intents: &[OpenIntent], a: usize, b: usize) -> bool {
    let (Some(a), Some(b)) = (intents.get(a), intents.get(b)) else { return false };
    let (a, b) = (&a.intent, &b.intent);
    (&a.tenant, &a.operation, &a.dataset, &a.label, &a.from)
        == (&b.tenant, &b.operation, &b.dataset, &b.label, &b.from)
}

/// Why what a lost call made, if anything, can't be told from the account's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// The profile has no such operation any more.
    Operation,
    /// The API has no list of it.
    Kind,
}

/// Whether what a call makes would be seen: in a list that was read, or as a part of what somebody owns already.
///
/// # Errors
/// Why not.
pub fn seen(account: &Account, intent: &OpenIntent) -> Result<(), Unseen> {
    let operation = account.operation(&intent.intent.operation).ok_or(Unseen::Operation)?;
    let shelves = account.shelves();
    let seen = |creation: &Creation| {
        creation.lives_in.is_some() || shelves.iter().any(|shelf| *shelf.kind() == creation.kind)
    };
    if operation.creates.iter().all(seen) { Ok(()) } else { Err(Unseen::Kind) }
}
