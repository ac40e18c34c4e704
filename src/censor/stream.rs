//! A text in pieces.
//!
//! What goes out is decided: no rule can still find anything in it, whatever comes. What is withheld is the shortest
//! suffix for which that isn't so. Dropping the stream lets nothing out, because nothing withheld was ever given.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::RuleIndex;
use super::confirm::{Decision, Swallowed, View};
use super::engine::{Engine, LOOK_BEHIND};
use super::exchange::Exchange;
use super::prefilter::{Hit, LITERAL_MAX};
use super::recent::Recent;
use super::resolve::{Member, Region, Resolver};

/// Which way the text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Censor.
    Censor,
    /// Censor, and restore the pseudonyms of this exchange.
    CensorAndRestore,
}

/// What becomes of the next bytes of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// They stay.
    Keep {
        /// How many bytes of the text.
        len: usize,
    },
    /// They are replaced. A long open-ended value comes in several pieces, of which only the first has a text.
    Replace {
        /// How many bytes of the text.
        len: usize,
        /// What stands in their place.
        with: &'a [u8],
        /// Whose finding it is; [`RuleIndex::RESTORED`] where a pseudonym got its value back.
        rule: RuleIndex,
    },
    /// The text must not go on. Nothing comes after this.
    Block {
        /// Whose finding it is.
        rule: RuleIndex,
    },
}

/// One text in pieces: a JSON string, a channel of an event stream, a log.
pub struct TextStream {
    engine: Arc<Engine>,
    exchange: Exchange,
    field: Option<Box<str>>,
    side: Side,
    /// What is known of the text, from a little before what is withheld.
    text: Vec<u8>,
    /// Everything before is given out or queued.
    given: usize,
    /// Single bytes before have been looked at.
    seen: usize,
    /// Literals that begin before have been looked at.
    literals: usize,
    /// Literals behind `literals` that have been looked at nevertheless.
    early: Vec<(usize, u16)>,
    /// Context words before `literals`, and those behind that have been seen nevertheless.
    recent: Recent,
    pending: Vec<Pending>,
    resolver: Resolver,
    queue: VecDeque<Queued>,
    /// The texts of queued replacements.
    with: Vec<u8>,
    /// The growing region's replacement is out.
    named: bool,
    started: bool,
    blocked: bool,
}

enum Queued {
    Keep(usize),
    Replace(usize, Range<usize>, RuleIndex),
    Block(RuleIndex),
}

/// What can't be decided yet.
enum Pending {
    Place { target: u16, at: usize, from: usize },
    Field { target: u16, from: usize },
    Open { target: u16, start: usize, swallowed: Swallowed },
}

impl TextStream {
    /// A text that begins. `field` as in [`Context`](super::Context).
    #[must_use]
    pub fn new(engine: Arc<Engine>, exchange: Exchange, field: Option<&str>, side: Side) -> Self {
        Self {
            engine,
            exchange,
            field: field.map(Box::from),
            side,
            text: Vec::new(),
            given: 0,
            seen: 0,
            literals: 0,
            early: Vec::new(),
            recent: Recent::default(),
            pending: Vec::new(),
            resolver: Resolver::default(),
            queue: VecDeque::new(),
            with: Vec::new(),
            named: false,
            started: false,
            blocked: false,
        }
    }

    /// More of the text, in bytes; a character may be cut.
    pub fn push(&mut self, text: &[u8]) {
        if !self.blocked && !text.is_empty() {
            self.text.extend_from_slice(text);
            self.advance(false);
        }
    }

    /// No more of it.
    pub fn finish(&mut self) {
        if !self.blocked {
            self.advance(true);
        }
    }

    /// What becomes of the next bytes. Ask until there is nothing, after every push and at the end.
    #[expect(clippy::should_implement_trait, reason = "the piece borrows from the stream")]
    pub fn next(&mut self) -> Option<Piece<'_>> {
        Some(match self.queue.pop_front()? {
            Queued::Keep(len) => Piece::Keep { len },
            Queued::Replace(len, with, rule) => {
                Piece::Replace { len, with: self.with.get(with).unwrap_or_default(), rule }
            }
            Queued::Block(rule) => Piece::Block { rule },
        })
    }

    /// How many bytes are pushed and not given out.
    #[must_use]
    pub fn held(&self) -> usize {
        self.text.len() - self.given
    }

    fn advance(&mut self, complete: bool) {
        if self.queue.is_empty() {
            self.with.clear();
        }
        let engine = Arc::clone(&self.engine);
        let text = std::mem::take(&mut self.text);
        let exchange = self.exchange.clone();
        let field = self.field.take();
        let exchange = (self.side == Side::CensorAndRestore).then_some(&exchange);
        let view = View { text: &text, complete, field: field.as_deref(), labels: &engine.labels, exchange };
        self.look(&engine, &view);
        let horizon = self.settle(&engine, &view);
        self.give(&engine, &view, horizon);
        self.text = text;
        self.field = field;
        self.trim();
    }

    /// Asks again about what was undecided, and for the first time about what is new.
    fn look(&mut self, engine: &Engine, view: &View<'_>) {
        if !self.started {
            self.started = true;
            let name = view.field.filter(|name| !engine.is_silent(name.as_bytes()));
            self.recent = Recent::new(name.is_none());
            let rules = name.into_iter().flat_map(|name| engine.fields.matching(name));
            self.pending.extend(rules.map(|target| Pending::Field { target, from: 0 }));
        }
        self.look_again(engine, view);
        let len = view.text.len();
        let frontier =
            if view.complete { len } else { len.saturating_sub(LITERAL_MAX - 1).max(self.literals) };
        let early = std::mem::take(&mut self.early);
        let mut recent = std::mem::take(&mut self.recent);
        engine.prefilter.hits(view.text, self.literals, |at, hit| {
            if let Hit::Word(word) = hit {
                recent.note_again(at, word);
                return;
            }
            if let Hit::Literal(target) = hit {
                if early.contains(&(at, target)) {
                    return;
                }
                if at >= frontier {
                    self.early.push((at, target));
                }
            } else if at < self.seen {
                return;
            }
            engine.targets(view, at, hit, Some(&mut recent), |target| {
                let decision = engine.decide(view, target, at);
                self.take(engine, target, decision, |from| Pending::Place { target, at, from });
            });
        });
        self.recent = recent;
        self.early.extend(early.into_iter().filter(|(at, _)| *at >= frontier));
        self.literals = frontier;
        self.seen = len;
    }

    fn look_again(&mut self, engine: &Engine, view: &View<'_>) {
        for pending in std::mem::take(&mut self.pending) {
            match pending {
                Pending::Place { target, at, .. } => {
                    let decision = engine.decide(view, target, at);
                    self.take(engine, target, decision, |from| Pending::Place { target, at, from });
                }
                Pending::Field { target, .. } => {
                    let decision = engine.decide_field(view, target);
                    self.take(engine, target, decision, |from| Pending::Field { target, from });
                }
                Pending::Open { target, start, swallowed } => match engine.follow(view, target, swallowed) {
                    Ok(end) => self.resolver.close(RuleIndex(target), start, end),
                    Err(swallowed) => self.pending.push(Pending::Open { target, start, swallowed }),
                },
            }
        }
    }

    fn take(
        &mut self,
        engine: &Engine,
        target: u16,
        decision: Decision,
        pending: impl FnOnce(usize) -> Pending,
    ) {
        match decision {
            Decision::No => {}
            Decision::Found { start, end, sealed } => {
                self.resolver.add(engine.member(target, start, end, sealed));
            }
            Decision::Open { start, swallowed } => {
                self.resolver.add(Member { open: true, ..engine.member(target, start, start, true) });
                self.pending.push(Pending::Open { target, start, swallowed });
            }
            Decision::Undecided { from } => self.pending.push(pending(from)),
        }
    }

    /// No finding that isn't known yet starts before this.
    fn horizon(&self, engine: &Engine, view: &View<'_>) -> usize {
        if view.complete {
            return usize::MAX;
        }
        let undecided = self.pending.iter().map(|pending| match pending {
            Pending::Place { from, .. } | Pending::Field { from, .. } => *from,
            Pending::Open { .. } => usize::MAX,
        });
        undecided.min().unwrap_or(usize::MAX).min(engine.hold_from(view.text, self.literals))
    }

    /// Gives out every region that is settled; tells how far everything is.
    fn settle(&mut self, engine: &Engine, view: &View<'_>) -> usize {
        loop {
            let horizon = self.horizon(engine, view);
            let Some(region) = self.resolver.next(horizon) else { return horizon };
            self.replace(engine, view, &region);
            self.named = false;
            if self.blocked {
                return horizon;
            }
        }
    }

    /// Gives out what is certain about the rest: the replacement of what is still open-ended, and what stays.
    fn give(&mut self, engine: &Engine, view: &View<'_>, horizon: usize) {
        if self.blocked {
            return;
        }
        let horizon = horizon.min(view.text.len());
        let growing = self.resolver.current().filter(|cluster| cluster.is_sealed()).copied();
        if let Some(cluster) = growing {
            let known = if cluster.open > 0 { view.text.len() } else { cluster.end };
            let end = known.min(horizon);
            if end > self.given.max(cluster.start) {
                let region = Region { end, ..cluster.region() };
                self.replace(engine, view, &region);
                self.named = true;
            }
        }
        let upto = self.resolver.first().unwrap_or(usize::MAX).min(horizon);
        self.keep(upto);
    }

    fn keep(&mut self, upto: usize) {
        if upto > self.given {
            let len = upto - self.given;
            match self.queue.back_mut() {
                Some(Queued::Keep(before)) => *before += len,
                _ => self.queue.push_back(Queued::Keep(len)),
            }
            self.given = upto;
        }
    }

    fn replace(&mut self, engine: &Engine, view: &View<'_>, region: &Region) {
        self.keep(region.start);
        let start = self.with.len();
        let original = view.text.get(region.start..region.end).unwrap_or_default();
        if self.exchange.is_dry() {
            if !self.named {
                self.exchange.note(engine, &region.finding(), original);
            }
            return self.keep(region.end);
        }
        if !self.named {
            let (finding, side) = (region.finding(), self.side);
            if let Err(blocked) = self.exchange.replace(engine, &finding, original, side, &mut self.with) {
                self.queue.push_back(Queued::Block(blocked.rule));
                self.blocked = true;
                self.pending.clear();
                return;
            }
        }
        if region.end > self.given {
            let len = region.end - self.given;
            self.queue.push_back(Queued::Replace(len, start..self.with.len(), region.rule));
            self.given = region.end;
        }
    }

    /// Forgets what no decision looks at any more.
    fn trim(&mut self) {
        let undecided = self.pending.iter().map(|pending| match pending {
            Pending::Place { at, .. } => *at,
            Pending::Field { .. } => 0,
            Pending::Open { swallowed, .. } => swallowed.at,
        });
        let needed = undecided.min().unwrap_or(usize::MAX).min(self.given).min(self.literals);
        let count = needed.saturating_sub(LOOK_BEHIND);
        if count < LOOK_BEHIND {
            return;
        }
        self.text.drain(..count);
        self.given -= count;
        self.seen -= count;
        self.literals -= count;
        self.early.iter_mut().for_each(|(at, _)| *at -= count);
        self.recent.shift(count);
        self.resolver.shift(count);
        for pending in &mut self.pending {
            match pending {
                Pending::Place { at, from, .. } => {
                    *at -= count;
                    *from -= count;
                }
                Pending::Field { .. } => {}
                Pending::Open { start, swallowed, .. } => {
                    *start = start.saturating_sub(count);
                    swallowed.at -= count;
                }
            }
        }
    }
}

impl std::fmt::Debug for TextStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextStream")
            .field("held", &self.held())
            .field("side", &self.side)
            .finish_non_exhaustive()
    }
}
