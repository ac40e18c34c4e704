//! Patterns: from an operator's regular expression to bounded, anchored automata.
//!
//! A pattern is cut at its group `value` into a lead, a value and a trail, each with an automaton of its own, so
//! that no captures are needed and every step is one table lookup.

use std::collections::{BTreeMap, BTreeSet};

use regex_automata::dfa::{Automaton as _, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};
use regex_syntax::hir::{Class, Hir, HirKind};

use super::bytes::ByteSet;
use super::kind::{KINDS, KindSet, NONE, PairSet, kind};

/// Longest match of one pattern, in bytes.
pub(super) const MAX_PATTERN: usize = 4096;
/// Furthest look behind a keyword, in bytes.
pub(super) const MAX_BEFORE: usize = 80;
/// Largest automaton, in bytes.
const MAX_AUTOMATON: usize = 2 << 20;

/// A deterministic automaton that matches from one place on.
#[derive(Debug)]
pub(super) struct Automaton {
    dfa: dense::DFA<Vec<u32>>,
    start: StateID,
}

/// Where an automaton stands in a text.
pub(super) type State = StateID;

impl Automaton {
    /// Compiles an expression that matches from one place forward.
    pub(super) fn forward(hir: &Hir) -> Result<Self, String> {
        Self::build(hir, false, Anchored::Yes)
    }

    /// Compiles an expression that matches from one place backward.
    pub(super) fn backward(hir: &Hir) -> Result<Self, String> {
        Self::build(hir, true, Anchored::Yes)
    }

    /// Compiles an expression that is searched.
    pub(super) fn searching(hir: &Hir) -> Result<Self, String> {
        Self::build(hir, false, Anchored::No)
    }

    fn build(hir: &Hir, reverse: bool, anchored: Anchored) -> Result<Self, String> {
        let config = thompson::Config::new()
            .utf8(false)
            .reverse(reverse)
            .which_captures(thompson::WhichCaptures::None)
            .nfa_size_limit(Some(MAX_AUTOMATON));
        let large = |exceeded: bool, error: String| match exceeded {
            true => format!(
                "its automaton would take more than {} MiB: smaller counters, and none whose beginnings overlap",
                MAX_AUTOMATON >> 20
            ),
            false => error,
        };
        let nfa = thompson::Compiler::new().configure(config).build_from_hir(hir);
        let nfa = nfa.map_err(|e| large(e.size_limit().is_some(), e.to_string()))?;
        let kind = match anchored {
            Anchored::No => regex_automata::dfa::StartKind::Unanchored,
            _ => regex_automata::dfa::StartKind::Anchored,
        };
        let config = dense::Config::new()
            .start_kind(kind)
            .match_kind(MatchKind::All)
            .accelerate(false)
            .dfa_size_limit(Some(MAX_AUTOMATON))
            .determinize_size_limit(Some(4 * MAX_AUTOMATON));
        let dfa = dense::Builder::new().configure(config).build_from_nfa(&nfa);
        let dfa = dfa.map_err(|e| large(e.is_size_limit_exceeded(), e.to_string()))?;
        let start = dfa.start_state(&start::Config::new().anchored(anchored)).map_err(|e| e.to_string())?;
        Ok(Self { dfa, start })
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.dfa.memory_usage()
    }

    /// The longest match, found by walking all ways at once. None: longer than any pattern may be.
    pub(super) fn longest(&self) -> Option<usize> {
        let mut next: BTreeMap<State, BTreeSet<State>> = BTreeMap::new();
        let mut states = BTreeSet::from([self.start]);
        let mut longest = 0;
        for length in 0..=MAX_PATTERN + 1 {
            if states.iter().any(|state| self.ends(*state)) {
                longest = length;
            }
            let mut reached = BTreeSet::new();
            for state in states {
                reached.extend(next.entry(state).or_insert_with(|| self.successors(state)).iter());
            }
            if reached.is_empty() {
                return Some(longest);
            }
            states = reached;
        }
        None
    }

    /// Where one more byte can lead.
    fn successors(&self, state: State) -> BTreeSet<State> {
        let lead = |byte: u8| {
            let mut next = state;
            self.step(&mut next, byte).map(|_| next)
        };
        (0..=u8::MAX).filter_map(lead).collect()
    }

    /// Where every walk begins.
    pub(super) const fn start(&self) -> State {
        self.start
    }

    /// One byte further. `Some(true)`: a match ended before this byte; `None`: nothing can match any more.
    pub(super) fn step(&self, state: &mut State, byte: u8) -> Option<bool> {
        *state = self.dfa.next_state(*state, byte);
        if !self.dfa.is_special_state(*state) {
            return Some(false);
        }
        if self.dfa.is_match_state(*state) {
            return Some(true);
        }
        if self.dfa.is_dead_state(*state) { None } else { Some(false) }
    }

    /// Did a match end here, where the text ends?
    pub(super) fn ends(&self, state: State) -> bool {
        self.dfa.is_match_state(self.dfa.next_eoi_state(state))
    }

    /// Walks forward from `at` and tells every end of a match, in order. Returns true if the text was too short to
    /// tell all: it isn't complete, and the automaton is alive at its end.
    pub(super) fn walk(&self, text: &[u8], at: usize, complete: bool, mut accept: impl FnMut(usize)) -> bool {
        let mut state = self.start;
        let Some(rest) = text.get(at..) else { return false };
        for (index, byte) in rest.iter().enumerate() {
            match self.step(&mut state, *byte) {
                Some(false) => {}
                Some(true) => accept(at + index),
                None => return false,
            }
        }
        if complete && self.ends(state) {
            accept(text.len());
        }
        !complete
    }

    /// The longest match that ends at `end`, at most [`MAX_BEFORE`] bytes back: its start.
    pub(super) fn walk_back(&self, text: &[u8], end: usize) -> Option<usize> {
        let low = end.saturating_sub(MAX_BEFORE);
        let mut state = self.start;
        let mut found = None;
        for index in (low..end).rev() {
            match self.step(&mut state, *text.get(index)?) {
                Some(false) => {}
                Some(true) => found = Some(index + 1),
                None => return found,
            }
        }
        if self.ends(state) { Some(low) } else { found }
    }

    /// Which kinds of bytes can stand beside each other at each of the first places of a match, or behind one that is
    /// shorter. A text may end anywhere.
    pub(super) fn pairs(&self, depth: usize) -> Vec<PairSet> {
        let mut states = BTreeSet::from([self.start]);
        let mut sets = Vec::new();
        while sets.len() < depth {
            let (mut set, mut next, mut ended) = ([0; KINDS], BTreeMap::new(), false);
            for state in &states {
                for byte in 0..=u8::MAX {
                    let mut state = *state;
                    let Some(accepted) = self.step(&mut state, byte) else { continue };
                    ended |= accepted;
                    let seconds = *next.entry(state).or_insert_with(|| self.kinds(state));
                    if let Some(slot) = set.get_mut(kind(byte)) {
                        *slot |= seconds;
                    }
                }
            }
            if ended {
                // A match may end before the first of the two: from here on anything can follow.
                sets.resize(depth, [KindSet::MAX; KINDS]);
                break;
            }
            set.get_mut(NONE).into_iter().for_each(|slot| *slot = KindSet::MAX);
            sets.push(set);
            states = next.into_keys().collect();
        }
        sets
    }

    /// The kinds of bytes that can follow.
    fn kinds(&self, state: State) -> KindSet {
        let alive = (0..=u8::MAX).filter(|byte| self.step(&mut state.clone(), *byte).is_some());
        alive.fold(1 << NONE, |kinds, byte| kinds | 1 << kind(byte))
    }

    /// Can a match have this byte first and be longer than nothing?
    pub(super) fn first_can_be(&self, byte: u8) -> bool {
        let mut state = self.start;
        if self.step(&mut state, byte).is_none() {
            return false;
        }
        self.ends(state) || (0..=u8::MAX).any(|next| self.step(&mut state.clone(), next).is_some())
    }

    /// Can this literal begin a match?
    pub(super) fn accepts_prefix(&self, literal: &[u8]) -> bool {
        let mut state = self.start;
        literal.iter().all(|byte| self.step(&mut state, *byte).is_some())
    }
}

/// An expression in three parts.
pub(super) struct Parts {
    /// What stands before the value, if the value is a group of its own.
    pub(super) lead: Option<Hir>,
    /// What gets replaced.
    pub(super) value: Hir,
    /// What stands behind it.
    pub(super) trail: Option<Hir>,
    /// Longest match of all three.
    pub(super) longest: usize,
}

/// Reads an expression over bytes.
pub(super) fn parse(pattern: &str) -> Result<Hir, String> {
    let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
    let hir = parser.parse(pattern).map_err(|error| match &error {
        regex_syntax::Error::Parse(e) => e.kind().to_string(),
        regex_syntax::Error::Translate(e) => e.kind().to_string(),
        other => other.to_string(),
    })?;
    if !hir.properties().look_set().is_empty() {
        return Err("`^`, `$` and `\\b` have no place here: use `left` and `right`".to_owned());
    }
    Ok(hir)
}

/// Reads a pattern and cuts it at its group `value`.
pub(super) fn parse_parts(pattern: &str) -> Result<Parts, String> {
    let hir = parse(pattern)?;
    let Some(longest) = hir.properties().maximum_len() else {
        return Err("a match could be of any length: bound every repetition, as in `{0,64}`".to_owned());
    };
    if longest > MAX_PATTERN {
        return Err(format!("a match could be {longest} bytes long, more than {MAX_PATTERN}"));
    }
    let parts = split(hir, longest)?;
    if parts.value.properties().minimum_len().is_none_or(|n| n == 0) {
        return Err("the value could be empty".to_owned());
    }
    Ok(parts)
}

fn split(hir: Hir, longest: usize) -> Result<Parts, String> {
    let named = count_values(&hir);
    if named == 0 {
        return Ok(Parts { lead: None, value: hir, trail: None, longest });
    }
    let children = match hir.into_kind() {
        HirKind::Concat(children) => children,
        HirKind::Capture(capture) => {
            return Ok(Parts { lead: None, value: *capture.sub, trail: None, longest });
        }
        _ => return Err("the group `value` must stand at the top level of the pattern".to_owned()),
    };
    let (mut lead, mut value, mut trail) = (Vec::new(), None, Vec::new());
    for child in children {
        match child.into_kind() {
            HirKind::Capture(capture) if capture.name.as_deref() == Some("value") && value.is_none() => {
                value = Some(*capture.sub);
            }
            kind if value.is_none() => lead.push(rebuild(kind)),
            kind => trail.push(rebuild(kind)),
        }
    }
    let joined = |parts: Vec<Hir>| if parts.is_empty() { None } else { Some(Hir::concat(parts)) };
    match value {
        Some(value) if named == 1 => Ok(Parts { lead: joined(lead), value, trail: joined(trail), longest }),
        _ => Err("one group `value`, at the top level of the pattern".to_owned()),
    }
}

/// The expression of a kind, for there is no other way back from [`Hir::into_kind`].
pub(super) fn rebuild(kind: HirKind) -> Hir {
    match kind {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(look) => Hir::look(look),
        HirKind::Repetition(repetition) => Hir::repetition(repetition),
        HirKind::Capture(capture) => Hir::capture(capture),
        HirKind::Concat(parts) => Hir::concat(parts),
        HirKind::Alternation(parts) => Hir::alternation(parts),
    }
}

pub(super) fn count_values(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Capture(c) => usize::from(c.name.as_deref() == Some("value")) + count_values(&c.sub),
        HirKind::Repetition(r) => count_values(&r.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().map(count_values).sum(),
        _ => 0,
    }
}

/// The bytes of a character class.
pub(super) fn parse_class(pattern: &str) -> Result<ByteSet, String> {
    let hir = parse(pattern)?;
    let mut set = ByteSet::default();
    if collect_single(&hir, &mut set) {
        Ok(set)
    } else {
        Err("expected one character class, as `[A-Za-z0-9]`".to_owned())
    }
}

fn collect_single(hir: &Hir, set: &mut ByteSet) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) if literal.0.len() == 1 => literal.0.iter().for_each(|b| set.insert(*b)),
        HirKind::Class(class) => return collect_class(class, set),
        _ => return false,
    }
    true
}

fn collect_class(class: &Class, set: &mut ByteSet) -> bool {
    match class {
        Class::Bytes(class) => {
            class.ranges().iter().for_each(|r| (r.start()..=r.end()).for_each(|b| set.insert(b)));
        }
        Class::Unicode(class) => {
            for range in class.ranges() {
                for c in range.start()..=range.end() {
                    let Ok(byte) = u8::try_from(u32::from(c)) else { return false };
                    if byte > 0x7f {
                        return false;
                    }
                    set.insert(byte);
                }
            }
        }
    }
    true
}

/// Every byte that a match of the expression can hold.
pub(super) fn alphabet(hir: &Hir) -> ByteSet {
    let mut set = ByteSet::default();
    collect_all(hir, &mut set);
    set
}

fn collect_all(hir: &Hir, set: &mut ByteSet) {
    match hir.kind() {
        HirKind::Literal(literal) => literal.0.iter().for_each(|b| set.insert(*b)),
        HirKind::Class(class) => {
            if !collect_class(class, set) {
                *set = ByteSet::all();
            }
        }
        HirKind::Capture(c) => collect_all(&c.sub, set),
        HirKind::Repetition(r) => collect_all(&r.sub, set),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|p| collect_all(p, set));
        }
        HirKind::Empty | HirKind::Look(_) => {}
    }
}
