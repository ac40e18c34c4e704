//! Places compiled: every watch and every edit of an operation in one automaton that walks along with the document.

mod missing;
mod nfa;

use std::collections::BTreeMap;

use crate::catalog::{Edit, EditAction};
use crate::pointer::{Pointer, Step};

use missing::{Missing, members};
use nfa::{Nfa, Positions};

/// More states than this and the plan is refused: pointers with several `**` multiply.
const STATES: usize = 4096;

/// A place whose value decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Where.
    pub at: Pointer,
    /// The value is an id or a name that the gateway itself checks: the censor leaves it as it is.
    pub opaque_to_censor: bool,
}

impl Watch {
    /// A place whose value is reported, and censored like any other.
    #[must_use]
    pub const fn new(at: Pointer) -> Self {
        Self { at, opaque_to_censor: false }
    }

    /// A place whose value is reported and not touched.
    #[must_use]
    pub const fn opaque(at: Pointer) -> Self {
        Self { at, opaque_to_censor: true }
    }
}

/// Why places can't be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Too many wildcards that multiply.
    #[error("the pointers need more than {STATES} states; use fewer `**`")]
    TooLarge,
    /// An edit that would leave no document.
    #[error("the root of a document can't be removed")]
    RemovesRoot,
    /// A value to write can't be written.
    #[error("the value at `{0}` can't be written as JSON")]
    Value(Pointer),
    /// Two `Set` that would add different members under one key.
    #[error("two edits add different values under the key `{0}`")]
    Conflict(String),
}

/// Watches and edits of one document, compiled once per operation.
#[derive(Debug)]
pub struct JsonPlan {
    states: Vec<State>,
    edits: Vec<Action>,
    watches: Vec<Flags>,
}

/// A state of the automaton: one set of places that may still be reached from here.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Keys that lead on by name: these decide, so each may stand once in an object.
    named: Vec<(Box<[u8]>, StateId)>,
    /// Where every other key leads.
    other: StateId,
    /// The watches that are fulfilled here.
    pub(crate) watches: Vec<usize>,
    /// The edit of the value here.
    pub(crate) edit: Option<usize>,
    /// The value here is not for the censor.
    pub(crate) opaque: bool,
    /// The value here is reported with its place.
    pub(crate) located: bool,
    /// Members to add to an object here: index in `named`, and `"key":value`.
    pub(crate) missing: Vec<(usize, Box<[u8]>)>,
    /// An object has to stand here, for members of it are set by plain keys.
    pub(crate) object_needed: bool,
    /// Members directly below may be removed or added.
    pub(crate) tracked: bool,
}

pub(crate) type StateId = u32;

/// The state from which no place can be reached.
pub(crate) const DEAD: StateId = 0;
/// The state of the document's root.
pub(crate) const ROOT: StateId = 1;

#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    opaque: bool,
    located: bool,
}

/// What an edit does when it is met.
#[derive(Debug)]
pub(crate) enum Action {
    Remove,
    /// The value becomes this text.
    Put(Box<[u8]>),
    Salt,
    Rebase,
}

impl JsonPlan {
    /// Compiles places. The index of a watch is the one that its [`Fact`](crate::body::Fact)s carry.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn compile(watches: &[Watch], edits: &[Edit]) -> Result<Self, PlanError> {
        let flags = watches.iter().map(|w| Flags { opaque: w.opaque_to_censor, located: false }).collect();
        let places: Vec<&Pointer> = watches.iter().map(|w| &w.at).collect();
        Self::build(&places, flags, edits)
    }

    /// Compiles places of which those from `located` on are reported with where they stand, and not censored.
    pub(crate) fn compile_located(
        watches: &[Watch],
        located: &[Pointer],
        edits: &[Edit],
    ) -> Result<Self, PlanError> {
        let places: Vec<&Pointer> = watches.iter().map(|w| &w.at).chain(located).collect();
        let flags = watches
            .iter()
            .map(|w| Flags { opaque: w.opaque_to_censor, located: false })
            .chain(located.iter().map(|_| Flags { opaque: false, located: true }))
            .collect();
        Self::build(&places, flags, edits)
    }

    /// A plan that watches and edits nothing.
    #[must_use]
    pub fn empty() -> Self {
        let dead = || State::default();
        Self { states: vec![dead(), dead()], edits: Vec::new(), watches: Vec::new() }
    }

    fn build(watches: &[&Pointer], flags: Vec<Flags>, edits: &[Edit]) -> Result<Self, PlanError> {
        let mut plan = Self { states: Vec::new(), edits: Vec::new(), watches: flags };
        let mut nfa = Nfa { pointers: watches.to_vec(), watches: watches.len() };
        for edit in edits {
            plan.edits.push(match &edit.action {
                EditAction::Remove if edit.at.steps().is_empty() => return Err(PlanError::RemovesRoot),
                EditAction::Remove => Action::Remove,
                EditAction::Replace(value) | EditAction::Set(value) => Action::Put(text_of(value, &edit.at)?),
                EditAction::Salt => Action::Salt,
                EditAction::Rebase => Action::Rebase,
            });
            nfa.pointers.push(&edit.at);
        }
        plan.determinise(&nfa)?;
        plan.add_missing(edits)?;
        plan.mark_tracked();
        Ok(plan)
    }

    fn determinise(&mut self, nfa: &Nfa<'_>) -> Result<(), PlanError> {
        let start: Positions = nfa.closed(nfa.pointers.iter().enumerate().map(|(p, _)| (p, 0)));
        let mut ids: BTreeMap<Positions, StateId> = BTreeMap::from([(Vec::new(), DEAD)]);
        let mut sets: Vec<Positions> = vec![Vec::new()];
        let mut id_of = |set: Positions, sets: &mut Vec<Positions>| -> StateId {
            let fresh = u32::try_from(sets.len()).unwrap_or(u32::MAX);
            *ids.entry(set).or_insert_with_key(|set| {
                sets.push(set.clone());
                fresh
            })
        };
        self.states.push(State::default());
        if start.is_empty() {
            self.states.push(State::default());
            return Ok(());
        }
        id_of(start, &mut sets);
        let mut next = 1;
        while next < sets.len() {
            if sets.len() > STATES {
                return Err(PlanError::TooLarge);
            }
            let set = sets.get(next).cloned().unwrap_or_default();
            let mut state = State { other: id_of(nfa.step(&set, None), &mut sets), ..State::default() };
            for key in nfa.keys(&set) {
                let target = id_of(nfa.step(&set, Some(key)), &mut sets);
                state.named.push((key.as_bytes().into(), target));
            }
            self.accept(&mut state, nfa, &set);
            self.states.push(state);
            next += 1;
        }
        Ok(())
    }

    fn accept(&self, state: &mut State, nfa: &Nfa<'_>, set: &Positions) {
        for &(pointer, step) in set {
            if nfa.pointers.get(pointer).is_none_or(|p| p.steps().len() != step) {
                continue;
            }
            if let Some(flags) = self.watches.get(pointer) {
                state.watches.push(pointer);
                state.opaque |= flags.opaque;
                state.located |= flags.located;
            } else {
                let edit = pointer - nfa.watches;
                let better = |other: usize| self.rank(edit) < self.rank(other);
                if state.edit.is_none_or(better) {
                    state.edit = Some(edit);
                }
            }
        }
    }

    /// Of several edits at one place the lowest rank holds.
    fn rank(&self, edit: usize) -> usize {
        match self.edits.get(edit) {
            Some(Action::Remove) => 0,
            Some(Action::Put(_)) => 1,
            Some(Action::Salt) => 2,
            Some(Action::Rebase) | None => 3,
        }
    }

    /// Where members are to be added: in each object on the way of a `Set`, from its last wildcard on.
    fn add_missing(&mut self, edits: &[Edit]) -> Result<(), PlanError> {
        let mut ways: BTreeMap<String, (&[Step], Vec<Missing<'_>>)> = BTreeMap::new();
        for edit in edits {
            let EditAction::Set(value) = &edit.action else { continue };
            let steps = edit.at.steps();
            if steps.contains(&Step::Deep) {
                continue;
            }
            let tail = steps.iter().rposition(|step| *step == Step::Any).map_or(0, |at| at + 1);
            for from in tail..steps.len() {
                let (way, rest) = steps.split_at(from);
                let missing = Missing { rest, value, edit };
                ways.entry(format!("{way:?}")).or_insert_with(|| (way, Vec::new())).1.push(missing);
            }
        }
        for (way, missing) in ways.into_values() {
            let plain = way.iter().all(|step| matches!(step, Step::Key(_)));
            for (key, text) in members(&missing)? {
                self.miss(way, key, &text, plain)?;
            }
        }
        Ok(())
    }

    fn miss(&mut self, way: &[Step], key: &str, text: &[u8], needed: bool) -> Result<(), PlanError> {
        for id in self.reached(way) {
            let Some(state) = self.states.get_mut(id as usize) else { continue };
            let Some(at) = state.named.iter().position(|(name, _)| **name == *key.as_bytes()) else {
                continue;
            };
            state.object_needed |= needed;
            match state.missing.iter().find(|(other, _)| *other == at) {
                None => state.missing.push((at, text.into())),
                Some((_, other)) if **other == *text => {}
                Some(_) => return Err(PlanError::Conflict(key.to_owned())),
            }
        }
        Ok(())
    }

    /// All states that a way of keys and `*` can lead to.
    fn reached(&self, way: &[Step]) -> Vec<StateId> {
        let mut at = vec![ROOT];
        for step in way {
            let mut next = Vec::new();
            for state in at.iter().filter_map(|&id| self.states.get(id as usize)) {
                match step {
                    Step::Key(key) => next.push(state.after(key.as_bytes()).0),
                    Step::Any | Step::Deep => {
                        next.push(state.other);
                        next.extend(state.named.iter().map(|(_, id)| *id));
                    }
                }
            }
            next.sort_unstable();
            next.dedup();
            at = next;
        }
        at
    }

    fn mark_tracked(&mut self) {
        let removes: Vec<bool> = self
            .states
            .iter()
            .map(|s| s.edit.is_some_and(|e| matches!(self.edits.get(e), Some(Action::Remove))))
            .collect();
        let removed = |id: StateId| removes.get(id as usize).copied().unwrap_or_default();
        for state in &mut self.states {
            state.tracked = !state.missing.is_empty()
                || removed(state.other)
                || state.named.iter().any(|(_, id)| removed(*id));
        }
    }

    pub(crate) fn state(&self, id: StateId) -> &State {
        static NONE: State = State::NONE;
        self.states.get(id as usize).unwrap_or(&NONE)
    }

    pub(crate) fn action(&self, edit: usize) -> Option<&Action> {
        self.edits.get(edit)
    }

    pub(crate) fn is_located(&self, watch: usize) -> bool {
        self.watches.get(watch).is_some_and(|flags| flags.located)
    }
}

impl State {
    const NONE: Self = Self {
        named: Vec::new(),
        other: DEAD,
        watches: Vec::new(),
        edit: None,
        opaque: false,
        located: false,
        missing: Vec::new(),
        object_needed: false,
        tracked: false,
    };

    /// Where a key leads, and its number among the keys that decide here.
    #[inline]
    pub(crate) fn after(&self, key: &[u8]) -> (StateId, Option<usize>) {
        for (at, (name, id)) in self.named.iter().enumerate() {
            if **name == *key {
                return (*id, Some(at));
            }
        }
        (self.other, None)
    }

    /// Whether a reader that folds case would take this key for one that decides here.
    pub(crate) fn folds(&self, key: &[u8]) -> bool {
        if key.is_ascii() {
            return self.named.iter().any(|(name, _)| name.eq_ignore_ascii_case(key));
        }
        // The two letters beyond ASCII that fold to one within it: the long s and the Kelvin sign.
        let Ok(text) = std::str::from_utf8(key) else { return false };
        let folded: String = text.chars().map(|c| if c == 'ſ' { 's' } else { c }).collect();
        let folded = folded.to_lowercase();
        self.named.iter().any(|(name, _)| name.eq_ignore_ascii_case(folded.as_bytes()))
    }

    /// Where an index leads.
    #[inline]
    pub(crate) fn at_index(&self, index: u32) -> StateId {
        if self.named.is_empty() {
            return self.other;
        }
        self.after(index.to_string().as_bytes()).0
    }
}

fn text_of(value: &serde_json::Value, at: &Pointer) -> Result<Box<[u8]>, PlanError> {
    serde_json::to_vec(value).map(Vec::into_boxed_slice).ok().ok_or_else(|| PlanError::Value(at.clone()))
}
