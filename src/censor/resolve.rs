//! Findings that overlap become one region, named by one of them. What becomes of it is the strictest of what becomes of each: a
//! value is not let out by another one that lies over it.
//!
//! Findings are taken in the order of their starts. One that starts inside a region joins it. Two cases cut the
//! region instead, so that what is withheld stays bounded: a region grown past [`CLUSTER_MAX`], and a blocking
//! finding inside an open-ended one, whose replacement may be out already. Nothing between the two is uncovered.

use std::cmp::Ordering;
use std::collections::VecDeque;

use super::action::Strictness;
use super::{Action, Finding, Nature, RuleIndex};

/// A finding that starts this far behind its region's start begins a region of its own, in bytes.
pub(super) const CLUSTER_MAX: usize = 4096;

/// A finding and what decides where it overlaps others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) start: usize,
    /// Unknown while `open`.
    pub(super) end: usize,
    pub(super) rule: RuleIndex,
    pub(super) severity: u8,
    /// What becomes of it if nothing lies over it.
    pub(super) action: Action,
    pub(super) nature: Nature,
    /// Open-ended: it names its region, and nothing that starts behind its start has a say.
    pub(super) sealed: bool,
    /// Its end is still to come.
    pub(super) open: bool,
}

impl Member {
    /// By start; among equals the one that decides first.
    fn order(&self, other: &Self) -> Ordering {
        self.start.cmp(&other.start).then_with(|| self.key().cmp(&other.key()).reverse())
    }

    /// Whoever has the largest key names the region: block, open-ended, severity, length, position, id (rules are
    /// in the order of their ids).
    fn key(&self) -> impl Ord + use<> {
        let back = std::cmp::Reverse;
        let len = if self.open { usize::MAX } else { self.end - self.start };
        (
            self.blocks(),
            self.sealed,
            self.severity,
            if self.sealed { 0 } else { len },
            back(self.start),
            back(usize::from(self.rule.0)),
        )
    }

    /// Whoever has the largest decides what becomes of the region. A pseudonym that is restored asks for nothing.
    fn strict(&self) -> (Strictness, impl Ord + use<>) {
        (self.action.strictness(), self.key())
    }

    fn blocks(&self) -> bool {
        self.action == Action::Block
    }
}

/// One region to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) rule: RuleIndex,
    pub(super) action: Action,
    pub(super) nature: Nature,
    /// An open-ended finding named it.
    pub(super) open: bool,
}

impl Region {
    pub(super) const fn finding(&self) -> Finding {
        let Self { start, end, rule, action, nature, open } = *self;
        Finding { start, end, rule, action, nature, open }
    }
}

/// A region that may still grow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cluster {
    pub(super) start: usize,
    /// The furthest end known.
    pub(super) end: usize,
    /// How many members' ends are still to come.
    pub(super) open: usize,
    /// Where the first open-ended member starts.
    sealed: Option<usize>,
    winner: Member,
    /// What becomes of it is what would become of this one.
    strictest: Member,
    /// What its members are, all together.
    nature: Nature,
    /// A pseudonym to restore, as long as it covers the whole region.
    restored: Option<(usize, usize)>,
}

impl Cluster {
    fn new(first: Member) -> Self {
        let end = if first.open { first.start } else { first.end };
        let restored = (first.rule == RuleIndex::RESTORED).then_some((first.start, first.end));
        let sealed = first.sealed.then_some(first.start);
        Self {
            start: first.start,
            end,
            open: usize::from(first.open),
            sealed,
            winner: first,
            strictest: first,
            nature: first.nature,
            restored,
        }
    }

    /// Does this member, which starts inside, join the region?
    fn takes(&self, next: &Member) -> bool {
        match self.sealed {
            Some(sealed) => next.start == sealed || self.winner.blocks() || !next.blocks(),
            None => next.start < self.start + CLUSTER_MAX,
        }
    }

    fn add(&mut self, next: Member) {
        if next.open {
            self.open += 1;
        } else {
            self.end = self.end.max(next.end);
        }
        if self.sealed.is_some_and(|sealed| next.start > sealed) {
            return;
        }
        if next.rule == RuleIndex::RESTORED {
            self.restored = Some((next.start, next.end));
        }
        if next.sealed && self.sealed.is_none() {
            self.sealed = Some(next.start);
        }
        if self.winner.rule == RuleIndex::RESTORED
            || (next.rule != RuleIndex::RESTORED && next.key() > self.winner.key())
        {
            self.winner = next;
        }
        if next.strict() > self.strictest.strict() {
            self.strictest = next;
        }
        self.nature = self.nature.and(next.nature);
    }

    /// Who names the region, and what becomes of it. A pseudonym that covers all of it is restored, and so not censored again.
    fn name(&self) -> (RuleIndex, Action) {
        let whole = self.restored == Some((self.start, self.end)) && self.open == 0 && self.sealed.is_none();
        match self.strictest.action {
            _ if whole => (RuleIndex::RESTORED, Action::Allow),
            // What says no more than what was there is said by the name.
            action @ (Action::Redact | Action::Block) => (self.winner.rule, action),
            // What is made of the value is made as its own rule makes it: restored under its label, checked by its digits.
            action => (self.strictest.rule, action),
        }
    }

    /// The region as far as it is known.
    pub(super) fn region(&self) -> Region {
        let (rule, action) = self.name();
        let open = self.winner.sealed;
        Region { start: self.start, end: self.end, rule, action, nature: self.nature, open }
    }

    /// Is the name settled although the end isn't? Then its replacement may go out.
    pub(super) const fn is_sealed(&self) -> bool {
        self.sealed.is_some()
    }
}

/// Turns findings into regions.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    queue: VecDeque<Member>,
    current: Option<Cluster>,
}

impl Resolver {
    /// Adds a finding, in any order.
    pub(super) fn add(&mut self, member: Member) {
        let place = self.queue.partition_point(|other| other.order(&member) == Ordering::Less);
        self.queue.insert(place, member);
    }

    /// The end of an open member is known now.
    pub(super) fn close(&mut self, rule: RuleIndex, start: usize, end: usize) {
        if let Some(index) = self.queue.iter().position(|m| m.open && m.rule == rule && m.start == start) {
            if let Some(member) = self.queue.remove(index) {
                self.add(Member { end, open: false, ..member });
            }
        } else if let Some(cluster) = &mut self.current {
            cluster.open = cluster.open.saturating_sub(1);
            cluster.end = cluster.end.max(end);
        }
    }

    /// The next region that nothing unknown can change: every finding that starts before `horizon` has been added.
    pub(super) fn next(&mut self, horizon: usize) -> Option<Region> {
        let mut cluster = match self.current.take() {
            Some(cluster) => cluster,
            None => {
                self.queue.front().filter(|m| m.start < horizon)?;
                Cluster::new(self.queue.pop_front()?)
            }
        };
        while let Some(next) = self
            .queue
            .front_mut()
            .filter(|m| m.start < horizon && (m.start < cluster.end || cluster.open > 0))
        {
            if cluster.takes(next) {
                cluster.add(*next);
                self.queue.pop_front();
                continue;
            }
            let end = next.start;
            let region = Region { end, ..cluster.region() };
            self.current = Some(Self::after_cut(&cluster, *next));
            self.queue.pop_front();
            return Some(region);
        }
        if cluster.open == 0 && cluster.end <= horizon {
            return Some(cluster.region());
        }
        self.current = Some(cluster);
        None
    }

    /// The region behind a cut: it is as long as the one before would have been, and no less strict.
    fn after_cut(rest: &Cluster, first: Member) -> Cluster {
        let mut cluster = Cluster::new(first);
        cluster.end = cluster.end.max(rest.end);
        cluster.open += rest.open;
        cluster.nature = cluster.nature.and(rest.nature);
        if rest.strictest.strict() > cluster.strictest.strict() {
            cluster.strictest = rest.strictest;
        }
        // No pseudonym is restored in the middle of what is censored.
        cluster.restored = None;
        if first.rule == RuleIndex::RESTORED {
            cluster.winner = rest.winner;
        }
        cluster
    }

    /// The region that still grows.
    pub(super) const fn current(&self) -> Option<&Cluster> {
        self.current.as_ref()
    }

    /// Where the first known finding starts, so that text before it may go.
    pub(super) fn first(&self) -> Option<usize> {
        self.current.map(|c| c.start).or_else(|| self.queue.front().map(|m| m.start))
    }

    /// The text's first `count` bytes are gone.
    pub(super) fn shift(&mut self, count: usize) {
        for member in &mut self.queue {
            member.start -= count;
            if !member.open {
                member.end -= count;
            }
        }
        if let Some(cluster) = &mut self.current {
            cluster.shift(count);
        }
    }
}

impl Cluster {
    fn shift(&mut self, count: usize) {
        // What an open-ended region has swallowed may be gone: its start is only compared, so it may stay at zero.
        self.start = self.start.saturating_sub(count);
        self.end = self.end.saturating_sub(count);
        self.sealed = self.sealed.map(|s| s.saturating_sub(count));
        self.winner.start = self.winner.start.saturating_sub(count);
        self.winner.end = self.winner.end.saturating_sub(count);
        self.strictest.start = self.strictest.start.saturating_sub(count);
        self.strictest.end = self.strictest.end.saturating_sub(count);
        self.restored = self.restored.map(|(s, e)| (s.saturating_sub(count), e.saturating_sub(count)));
    }
}
