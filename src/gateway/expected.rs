//! What an answer has to say before it is passed on: the ids that the profile counts on.

use crate::body::json::Watch;
use crate::body::{FactValue, Facts};
use crate::catalog::Operation;
use crate::pointer::{Pointer, Step};
use crate::reason::{Reason, Refusal};

/// What has to be there, by the watches of the answer.
#[derive(Debug, Default)]
pub(super) struct Expected(Vec<Needed>);

#[derive(Debug)]
struct Needed {
    /// The index in `creates`, if it stands there: what is not made is not expected.
    creation: Option<usize>,
    /// The ids.
    id: usize,
    /// The elements of which each has one; without, there is one in all.
    elements: Option<usize>,
    /// What holds the elements: one array, or one object.
    holder: Option<usize>,
}

impl Expected {
    /// The watches of an operation's answer (`creates`, `yields`, `shows`, and whatever is counted) and what is expected.
    pub(super) fn of(operation: &Operation) -> (Vec<Watch>, Self) {
        let made = operation.creates.iter().chain(&operation.yields).map(|one| (&one.at, one.required));
        let ids = made.chain(operation.shows.iter().map(|one| (&one.at, one.required)));
        let ids: Vec<(&Pointer, bool)> = ids.collect();
        let mut watches: Vec<Watch> = ids.iter().map(|(at, _)| Watch::opaque((*at).clone())).collect();
        let mut needed = Vec::new();
        for (id, (at, _)) in ids.iter().enumerate().filter(|(_, (_, required))| *required) {
            let last = at.steps().iter().rposition(|step| *step == Step::Any);
            let mut watch = |steps: &[Step]| {
                watches.push(Watch::new(Pointer::from(steps.to_vec())));
                watches.len() - 1
            };
            let before = last.and_then(|last| at.steps().get(..last));
            needed.push(Needed {
                creation: (id < operation.creates.len()).then_some(id),
                id,
                elements: last.and_then(|last| at.steps().get(..=last)).map(&mut watch),
                holder: before.map(&mut watch),
            });
        }
        (watches, Self(needed))
    }

    /// Whether an answer says all of it. `creates` says which creations count.
    ///
    /// # Errors
    /// `upstream_unexpected`: what the profile can't find it can't check either.
    pub(super) fn check(&self, facts: &Facts, creates: &[bool]) -> Result<(), Refusal> {
        let counts = |needed: &&Needed| needed.creation.is_none_or(|at| creates.get(at) == Some(&true));
        for needed in self.0.iter().filter(counts) {
            let ids = facts.at(needed.id).filter(|value| value.as_text().is_some_and(|id| !id.is_empty()));
            let ids = ids.count();
            let holds = |value: &FactValue| matches!(value, FactValue::Composite | FactValue::List);
            let held = needed.holder.is_none_or(|at| facts.at(at).any(holds));
            let all = needed.elements.map_or(ids == 1, |at| facts.at(at).count() == ids);
            if !(held && all) {
                return Err(Refusal::new(Reason::UpstreamUnexpected)
                    .log("an answer without the ids that it should have"));
            }
        }
        Ok(())
    }
}
