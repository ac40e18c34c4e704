//! The last stage: is what the prefilter saw at a place a finding?
//!
//! A decision about a place depends only on the [`LOOK_BEHIND`](super::engine::LOOK_BEHIND) bytes before it and on
//! as many behind it as the rule's longest match, so it is the same however the text was cut.

use super::bytes::{Beside, ceil_char, ends_amount, free_before, free_behind, is_wide_joint};
use super::engine::{Compiled, Engine, LOOK_BEHIND};
use super::exchange::Exchange;
use super::mark::{LABEL_MAX, Labels, MARK_MAX};
use super::matcher::{FieldValue, MAX_FIELD, Matcher, PatternMatcher, SwallowMatcher};
use super::pattern::{MAX_BEFORE, MAX_PATTERN, State};
use super::prepare::Prepared;
use super::scanner::Shape;

/// The text as far as it is known, and what else a decision may look at.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) text: &'a [u8],
    /// Nothing follows.
    pub(super) complete: bool,
    pub(super) field: Option<&'a str>,
    pub(super) labels: &'a Labels,
    /// Where pseudonyms are restored from, if they are.
    pub(super) exchange: Option<&'a Exchange>,
}

/// What is known about a place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decision {
    /// No finding.
    No,
    /// A finding.
    Found {
        start: usize,
        end: usize,
        /// Open-ended: see [`Member::sealed`](super::resolve::Member::sealed).
        sealed: bool,
    },
    /// A finding for sure, of which everything known so far is part.
    Open { start: usize, swallowed: Swallowed },
    /// It depends on what follows. Nothing from `from` on may go out.
    Undecided { from: usize },
}

/// How far an open-ended value has been followed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Swallowed {
    /// Everything before is part of it.
    pub(super) at: usize,
    /// How many bytes it may still have.
    pub(super) left: usize,
    state: Option<State>,
}

impl View<'_> {
    /// How many digits stand from here on, over what stands between the groups of a number.
    pub(super) fn count_digits(&self, at: usize) -> u8 {
        let mut count = 0;
        for byte in self.text.iter().skip(at).take(40) {
            match byte {
                b'0'..=b'9' => count += 1,
                b' ' | b'.' | b'-' | b'/' | b'(' | b')' => {}
                byte if is_wide_joint(*byte) => {}
                _ => return count,
            }
        }
        if self.text.len() < at + 40 && !self.complete { u8::MAX } else { count }
    }
}

impl Engine {
    /// Decides about one place for one rule.
    pub(super) fn decide(&self, view: &View<'_>, target: u16, at: usize) -> Decision {
        let decision = self.decide_once(view, target, at);
        match decision {
            Decision::Found { start, end, .. } => self.decide_twice(view, target, at, decision, (start, end)),
            Decision::Open { start, .. } => {
                self.decide_twice(view, target, at, decision, (start, view.text.len()))
            }
            _ => decision,
        }
    }

    /// A finding near a replacement must be one however the replacement is read.
    fn decide_twice(
        &self,
        view: &View<'_>,
        target: u16,
        at: usize,
        decision: Decision,
        found: (usize, usize),
    ) -> Decision {
        let low = at.saturating_sub(LOOK_BEHIND);
        let high = view.text.len().min(found.1 + MAX_PATTERN + MAX_BEFORE);
        let near = low..high.min(found.1 + MARK_MAX);
        let restored = usize::from(target) >= self.rules.len();
        if restored || memchr::memchr3(b']', b'[', b'*', view.text.get(near).unwrap_or_default()).is_none() {
            return decision;
        }
        let tail = view.text.len().saturating_sub(LABEL_MAX + 1).max(found.1);
        if !view.complete && (tail..view.text.len()).any(|at| view.labels.may_begin(view.text, at)) {
            return Decision::Undecided { from: found.0 };
        }
        let Some(text) = view.labels.covered(view.text.get(low..high).unwrap_or_default()) else {
            return decision;
        };
        let complete = view.complete && high == view.text.len();
        match self.decide_once(&View { text: &text, complete, ..*view }, target, at - low) {
            Decision::No => Decision::No,
            Decision::Undecided { .. } if !view.complete => Decision::Undecided { from: found.0 },
            _ => decision,
        }
    }

    fn decide_once(&self, view: &View<'_>, target: u16, at: usize) -> Decision {
        let Some(Compiled { prepared: rule, .. }) = self.rules.get(usize::from(target)) else {
            return self.decide_restore(view, target, at);
        };
        match &rule.matcher {
            Matcher::FieldOnly => Decision::No,
            Matcher::Pattern(pattern) => self.decide_pattern(view, rule, pattern, at),
            Matcher::Scanner(scanner) => match scanner.look(view, at) {
                Shape::No => Decision::No,
                Shape::Undecided { from } => Decision::Undecided { from },
                Shape::Value { start, value, end } => {
                    finish(view, rule, &Extent { anchor: at, start, value, end })
                }
            },
        }
    }

    fn decide_pattern(
        &self,
        view: &View<'_>,
        rule: &Prepared,
        pattern: &PatternMatcher,
        at: usize,
    ) -> Decision {
        let start = match &pattern.before {
            Some(before) => match before.walk_back(view.text, at) {
                Some(start) => start,
                None => return Decision::No,
            },
            None => at,
        };
        if !free_before(rule.left, view, start) {
            return Decision::No;
        }
        let value = match &pattern.lead {
            Some(lead) => {
                let mut end = None;
                let alive = lead.walk(view.text, at, view.complete, |e| end = Some(e));
                match end {
                    _ if alive => return Decision::Undecided { from: end.unwrap_or(view.text.len()) },
                    None => return Decision::No,
                    Some(end) => end,
                }
            }
            None => at,
        };
        let from = if pattern.lead.is_some() { value } else { start };
        match value_end(view, rule, pattern, value) {
            End::No => Decision::No,
            End::Undecided => Decision::Undecided { from },
            End::At(end) => {
                let extent = Extent { anchor: at, start, value: from, end };
                match &pattern.swallow {
                    None => finish(view, rule, &extent),
                    Some(swallow) => open(view, rule, swallow, &extent),
                }
            }
        }
    }

    /// Follows an open-ended value into what has come since. `Ok`: its end.
    pub(super) fn follow(
        &self,
        view: &View<'_>,
        target: u16,
        swallowed: Swallowed,
    ) -> Result<usize, Swallowed> {
        let by_field = swallowed.left == usize::MAX;
        match self.rules.get(usize::from(target)).map(|rule| &rule.prepared.matcher) {
            Some(Matcher::Pattern(pattern)) if !by_field => match &pattern.swallow {
                Some(swallow) => swallow.follow(view, swallowed),
                None => Ok(swallowed.at),
            },
            // A field's value that is longer than any password: all of it goes.
            _ if view.complete => Ok(view.text.len()),
            _ => Err(Swallowed { at: view.text.len(), ..swallowed }),
        }
    }

    /// Decides about the whole value of a field.
    pub(super) fn decide_field(&self, view: &View<'_>, target: u16) -> Decision {
        let Some(Compiled { prepared: rule, .. }) = self.rules.get(usize::from(target)) else {
            return Decision::No;
        };
        let whole = match &rule.field {
            None => return Decision::No,
            Some(FieldValue::Any) if view.text.len() > MAX_FIELD => {
                let swallowed = Swallowed { at: view.text.len(), left: usize::MAX, state: None };
                return match view.complete {
                    true => Decision::Found { start: 0, end: view.text.len(), sealed: true },
                    false => Decision::Open { start: 0, swallowed },
                };
            }
            Some(FieldValue::Any) => true,
            Some(FieldValue::Whole(automaton)) => {
                let mut end = None;
                let alive = automaton.walk(view.text, 0, view.complete, |e| end = Some(e));
                alive || (view.complete && end == Some(view.text.len()))
            }
        };
        if !whole {
            return Decision::No;
        }
        if !view.complete {
            return Decision::Undecided { from: 0 };
        }
        let passes =
            !view.text.is_empty() && !view.labels.within(view.text) && rule.filter.passes(view, 0, view.text);
        if passes { Decision::Found { start: 0, end: view.text.len(), sealed: false } } else { Decision::No }
    }

    /// Is this a pseudonym that the exchange made?
    fn decide_restore(&self, view: &View<'_>, target: u16, at: usize) -> Decision {
        let label = self.restorable.get(usize::from(target) - self.rules.len());
        let (Some(label), Some(exchange)) = (label, view.exchange) else { return Decision::No };
        let rest = view.text.get(at..).unwrap_or_default();
        let head = label.len() + 1;
        let agrees = rest.iter().zip(label.bytes().chain([b'_'])).all(|(a, b)| a.eq_ignore_ascii_case(&b));
        if !agrees {
            return Decision::No;
        }
        let name =
            rest.iter().skip(head).take(Exchange::NAME_MAX).take_while(|b| Exchange::in_name(**b)).count();
        if rest.len() <= head + name && name < Exchange::NAME_MAX && !view.complete {
            return Decision::Undecided { from: at };
        }
        let longest = (Exchange::NAME_MIN..=name)
            .rev()
            .find(|n| rest.get(..head + n).is_some_and(|text| exchange.knows(text)));
        longest.map_or(Decision::No, |n| Decision::Found { start: at, end: at + head + n, sealed: false })
    }
}

/// Where a value ends.
pub(super) enum End {
    No,
    Undecided,
    At(usize),
}

/// Where a match stands.
struct Extent {
    /// What the prefilter saw.
    anchor: usize,
    /// Where the match begins, `before` and lead included.
    start: usize,
    /// Where the value begins.
    value: usize,
    /// Where the value ends.
    end: usize,
}

/// The longest value with a free right boundary and, if there is one, a trail.
pub(super) fn value_end(view: &View<'_>, rule: &Prepared, pattern: &PatternMatcher, value: usize) -> End {
    let mut best = End::No;
    let mut pending = false;
    let alive =
        pattern.value.walk(view.text, value, view.complete, |end| match may_end(view, rule, pattern, end) {
            Beside::Free => {
                best = End::At(end);
                pending = false;
            }
            Beside::Taken => {}
            Beside::Unknown => pending = true,
        });
    if alive || pending { End::Undecided } else { best }
}

fn may_end(view: &View<'_>, rule: &Prepared, pattern: &PatternMatcher, end: usize) -> Beside {
    let Some(trail) = &pattern.trail else {
        return free_behind(rule.right, view, end);
    };
    let mut found = false;
    let alive = trail.walk(view.text, end, view.complete, |_| found = true);
    match (found, alive) {
        (true, _) => Beside::Free,
        (false, true) => Beside::Unknown,
        (false, false) => Beside::Taken,
    }
}

/// A value's extent is known: is there anything against it?
fn finish(view: &View<'_>, rule: &Prepared, extent: &Extent) -> Decision {
    let Extent { anchor, start, value, end } = *extent;
    let value = ceil_char(view.text, value, true).unwrap_or(value).min(end);
    let Some(end) = ceil_char(view.text, end, view.complete) else {
        return Decision::Undecided { from: value };
    };
    let Some(bytes) = view.text.get(value..end).filter(|bytes| !bytes.is_empty()) else {
        return Decision::No;
    };
    if ends_amount(rule.left, view.text, start, end) {
        return Decision::No;
    }
    // A keyword in a replacement's label is none.
    if anchor < value && view.labels.touch(view.text, anchor, anchor + 1, true) != Beside::Free {
        return Decision::No;
    }
    match view.labels.touch(view.text, value, end, view.complete) {
        Beside::Unknown => Decision::Undecided { from: value },
        Beside::Free if rule.filter.passes(view, start, bytes) => {
            Decision::Found { start: value, end, sealed: false }
        }
        _ => Decision::No,
    }
}

/// An opener's extent is known; what follows it is swallowed.
fn open(view: &View<'_>, rule: &Prepared, swallow: &SwallowMatcher, extent: &Extent) -> Decision {
    let Extent { start, value, end, .. } = *extent;
    let Some(bytes) = view.text.get(value..end) else { return Decision::No };
    if view.labels.within(bytes) || !rule.filter.passes(view, start, bytes) {
        return Decision::No;
    }
    let left = swallow.max.saturating_sub(end - value);
    let state = swallow.until.as_ref().map(super::pattern::Automaton::start);
    match swallow.follow(view, Swallowed { at: end, left, state }) {
        Ok(end) => Decision::Found { start: value, end, sealed: true },
        Err(swallowed) => Decision::Open { start: value, swallowed },
    }
}

impl SwallowMatcher {
    /// `Ok`: where the value ends. `Err`: how far it reaches so far.
    fn follow(&self, view: &View<'_>, mut swallowed: Swallowed) -> Result<usize, Swallowed> {
        while let Some(byte) = view.text.get(swallowed.at) {
            let over = match (&self.until, &mut swallowed.state) {
                (Some(until), Some(state)) => until.step(state, *byte) == Some(true),
                _ => false,
            };
            if over || swallowed.left == 0 || !self.members.contains(*byte) {
                let end = ceil_char(view.text, swallowed.at, view.complete);
                return end.ok_or(Swallowed { left: 0, state: None, ..swallowed });
            }
            swallowed.at += 1;
            swallowed.left -= 1;
        }
        if view.complete { Ok(swallowed.at) } else { Err(swallowed) }
    }
}
