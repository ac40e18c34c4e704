//! Which call may have made what stands upstream and on no record? Pure: it looks at what was read and decides nothing else.
//!
//! A resource fits a call that makes its kind if it was made while the call was under way, and shows of itself what the call
//! said: what it is for, what it was made from. That is certain only if no other caller's call fits, there are no more
//! such resources than calls, and nothing but calls makes such resources.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Account, Found};
use crate::catalog::{self, Creation, Operation, Undo};
use crate::names::Kind;
use crate::store::{OpenIntent, Owned};

/// The times that decide.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Now.
    pub now: Timestamp,
    /// How far the upstream's clock may be off.
    pub skew: Duration,
    /// How long a call may take to be sent.
    pub sent: Duration,
    /// How long it may take from there until its answer begins.
    pub answered: Duration,
}

/// What is known of a call whose outcome is not on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Somebody may wait for its answer: nobody has said that it is lost. A gateway that starts says so of all that the one
    /// before it left open.
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
        match intent.lost {
            None => Call::UnderWay,
            Some(_) if self.now < self.over(intent) => Call::Settling,
            Some(_) => Call::Lost,
        }
    }

    /// When the upstream is certainly done with a call.
    fn over(&self, intent: &OpenIntent) -> Timestamp {
        let sent = after(intent.begun, self.sent);
        let sent = intent.lost.map_or(sent, |lost| lost.clamp(intent.begun, sent));
        after(sent, self.answered + self.skew)
    }

    /// Whether something that was made then can have been made by a call.
    fn cover(&self, intent: &OpenIntent, made: Timestamp) -> bool {
        // Upstreams tell whole seconds.
        let begun = Timestamp::from_second(intent.begun.as_second()).unwrap_or(intent.begun);
        before(begun, self.skew) <= made && made <= self.over(intent)
    }
}

fn after(time: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// So much earlier.
#[must_use]
pub fn before(time: Timestamp, by: Duration) -> Timestamp {
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
    /// Why none of them can be said to have made it, however well they fit.
    pub doubt: Option<Doubt>,
    /// How it is taken back.
    pub undo: Option<Undo>,
}

/// Why it can't be said of a thing that a call made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Its list was not read to its end: there may be more that fit.
    Unread,
    /// Things of its kind also come into being by the account's own doing: it may have come of somebody's job.
    BroughtForth,
    /// The account does not tell when it was made.
    Timeless,
    /// What the call said it is for is not on record.
    Unsaid,
}

impl Doubt {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unread => "list_unread",
            Self::BroughtForth => "may_have_come_of_a_job",
            Self::Timeless => "tells_no_time",
            Self::Unsaid => "call_is_older_than_this_version",
        }
    }
}

/// What is known of where an orphan came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A call that is under way may have made it.
    UnderWay,
    /// It came of one of these calls, which say the same for the same tenant.
    Certain,
    /// It came of one of several calls, of several tenants.
    Contested,
    /// It may have come of a call, or of something else.
    Ambiguous,
    /// No call that is on record made it.
    Nobody,
}

/// How well a call fits what an account shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    No,
    Unsaid,
    Yes,
}

/// Finds the calls that may have made what nobody owns. `unread` are the kinds whose lists were not read to their end.
#[must_use]
pub fn orphan(
    account: &Account,
    times: &Times,
    intents: &[OpenIntent],
    (found, was): (Found, Option<Owned>),
    unread: impl Fn(&Kind) -> bool,
) -> Orphan {
    let made = found.made();
    let mut doubt = match made {
        _ if unread(&found.kind) => Some(Doubt::Unread),
        _ if account.brings_forth(&found.kind) => Some(Doubt::BroughtForth),
        None => Some(Doubt::Timeless),
        Some(_) => None,
    };
    let (mut by, mut undo) = (Vec::new(), None);
    for (index, intent) in intents.iter().enumerate() {
        let Some((operation, creation)) = creation(account, intent, &found.kind) else { continue };
        let fit = fit(account, operation, creation, intent, &found);
        if fit != Fit::No && made.is_none_or(|made| times.cover(intent, made)) {
            by.push(index);
            undo = undo.or_else(|| creation.undo.clone());
            doubt = doubt.or((fit == Fit::Unsaid).then_some(Doubt::Unsaid));
        }
    }
    Orphan { found, was, by, doubt, undo }
}

/// The calls that may have made a thing, whatever the account's clock says: of those that make its kind, all that do not
/// say otherwise, unless it was there long before. What tells no time may be of any.
#[must_use]
pub fn suspects<'i>(
    account: &Account,
    margin: Duration,
    intents: &'i [OpenIntent],
    found: &Found,
) -> Vec<&'i OpenIntent> {
    let made = found.made();
    let may = |intent: &&OpenIntent| {
        let later = made.is_none_or(|made| before(intent.begun, margin) <= made);
        // What a call makes that the profile does not know any more is not known either.
        let Some(operation) = account.operation(&intent.intent.operation) else { return later };
        let Some(creation) = operation.creates.iter().find(|made| made.kind == found.kind) else {
            return false;
        };
        later && fit(account, operation, creation, intent, found) != Fit::No
    };
    intents.iter().filter(may).collect()
}

/// How a call makes things of a kind, if it does.
fn creation<'a>(
    account: &'a Account,
    intent: &OpenIntent,
    kind: &Kind,
) -> Option<(&'a Operation, &'a Creation)> {
    let operation = account.operation(&intent.intent.operation)?;
    operation.creates.iter().find(|creation| creation.kind == *kind).map(|creation| (operation, creation))
}

/// Whether what a resource shows of itself is what the call said: under the same names, the same values.
fn fit(
    account: &Account,
    operation: &Operation,
    creation: &Creation,
    intent: &OpenIntent,
    found: &Found,
) -> Fit {
    let same = intent.intent.from.iter().all(|of| {
        let Some(shown) = found.text(of.via.as_str()) else { return true };
        let whole = account.rule(&of.kind).and_then(|rule| rule.registry_ids(&shown).whole);
        shown == of.id || whole == Some(of.id.as_str())
    });
    if !same {
        return Fit::No;
    }
    // An upload that is completed says no word of its own: the file has the upload's.
    let place = match &creation.label {
        Some(catalog::Label::Value(place)) => Some(place),
        Some(catalog::Label::Same(_)) => account.labels(&creation.kind).next(),
        None => None,
    };
    let Some(shown) = place.and_then(|place| found.text(place.via().as_str())) else { return Fit::Yes };
    if let Some(said) = &intent.intent.said {
        return if *said == account.keyer.label(&shown) { Fit::Yes } else { Fit::No };
    }
    // Of what a thing is said to be for those words are on record that some use asks for, and no others.
    let asked = account.is_asked_for(&shown).then_some(shown.as_str());
    let label = intent.intent.label.as_ref().map(crate::names::Label::as_str);
    let given = operation.creates.iter().any(|one| one.label.is_some());
    if !given || label == asked { Fit::Unsaid } else { Fit::No }
}

/// What is known of each orphan.
#[must_use]
pub fn verdicts(times: &Times, orphans: &[Orphan], intents: &[OpenIntent]) -> Vec<Verdict> {
    let call = |index: usize| intents.get(index).map(|intent| times.of(intent));
    let tenant = |index: usize| intents.get(index).map(|one| &one.intent.tenant);
    let of_calls: Vec<&Orphan> = orphans.iter().filter(|orphan| !orphan.by.is_empty()).collect();
    let one = |orphan: &Orphan| {
        let Some(first) = orphan.by.first().copied() else { return Verdict::Nobody };
        if orphan.by.iter().any(|index| call(*index) == Some(Call::UnderWay)) {
            return Verdict::UnderWay;
        }
        // With more things than calls that may have made them, one at least is somebody else's.
        if orphan.doubt.is_some() || outnumbered(&of_calls, &orphan.by) {
            return Verdict::Ambiguous;
        }
        if orphan.by.iter().all(|other| say_the_same(intents, first, *other)) {
            Verdict::Certain
        } else if orphan.by.iter().any(|other| tenant(*other) != tenant(first)) {
            Verdict::Contested
        } else {
            Verdict::Ambiguous
        }
    };
    orphans.iter().map(one).collect()
}

/// Whether more things than there are calls must have come of these calls, or of these and those that share things with them.
fn outnumbered(orphans: &[&Orphan], by: &[usize]) -> bool {
    let mut calls: BTreeSet<usize> = by.iter().copied().collect();
    let of_these = orphans.iter().filter(|one| one.by.iter().all(|call| calls.contains(call)));
    if of_these.count() > calls.len() {
        return true;
    }
    loop {
        let tied = orphans.iter().filter(|orphan| orphan.by.iter().any(|call| calls.contains(call)));
        let (mut things, mut all) = (0, calls.clone());
        for orphan in tied {
            things += 1;
            all.extend(&orphan.by);
        }
        if all.len() == calls.len() {
            return things > calls.len();
        }
        calls = all;
    }
}

/// Which call each of the certain orphans is put down to: a call makes one thing of a kind, so none is put down to two. As
/// many find one as can at all; the first that fits is not always right, where another thing fits that call alone.
#[must_use]
pub fn makers(orphans: &[Orphan], verdicts: &[Verdict]) -> Vec<Option<usize>> {
    let mut made: HashMap<usize, usize> = HashMap::new();
    for (orphan, verdict) in verdicts.iter().enumerate() {
        if *verdict == Verdict::Certain {
            put_down(orphans, orphan, &mut made);
        }
    }
    let mut makers = vec![None; orphans.len()];
    for (call, orphan) in made {
        if let Some(maker) = makers.get_mut(orphan) {
            *maker = Some(call);
        }
    }
    makers
}

/// Finds a call for one more orphan. The others that have one keep one, if not always the same: the shortest augmenting path of
/// a bipartite matching (Berge 1957).
fn put_down(orphans: &[Orphan], orphan: usize, made: &mut HashMap<usize, usize>) {
    let mut reached: HashMap<usize, usize> = HashMap::new();
    let mut waiting = VecDeque::from([orphan]);
    while let Some(one) = waiting.pop_front() {
        for call in orphans.get(one).into_iter().flat_map(|orphan| &orphan.by) {
            if reached.contains_key(call) {
                continue;
            }
            reached.insert(*call, one);
            let Some(other) = made.get(call) else { return hand_on(*call, &reached, made) };
            waiting.push_back(*other);
        }
    }
}

/// The call is put down to the orphan that reached it, and what that orphan had to the one before.
fn hand_on(free: usize, reached: &HashMap<usize, usize>, made: &mut HashMap<usize, usize>) {
    let mut free = Some(free);
    while let Some(call) = free {
        let Some(orphan) = reached.get(&call).copied() else { return };
        free = made.iter().find(|(_, has)| **has == orphan).map(|(had, _)| *had);
        made.insert(call, orphan);
        if let Some(had) = free {
            made.remove(&had);
        }
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
