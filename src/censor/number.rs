//! Numbers that stand by themselves, as JSON has them: which of them are worth a look?

use super::Engine;
use super::filter::{Filter, Name};
use super::pattern::Automaton;

/// Longer numbers are always worth a look.
pub(super) const MOST: u8 = 40;

impl Engine {
    /// Fewest digits of a number that could be a finding whatever it stands under. Shorter ones need a field's name
    /// that speaks for them: see [`speaks_for_numbers`](Self::speaks_for_numbers).
    #[must_use]
    pub fn least_digits(&self) -> usize {
        usize::from(self.digits.least())
    }

    /// Whether a field of this name could make a finding of a number that is none by itself.
    #[must_use]
    pub fn speaks_for_numbers(&self, field: &str) -> bool {
        self.fields.matching(field).next().is_some() || self.digits.speaks_for(&Name::of(field))
    }

    /// Whether anything that stands in a field of this name is judged by that name.
    #[must_use]
    pub fn minds_field(&self, field: &str) -> bool {
        let context = |filter: &Filter| filter.context.as_ref().is_some_and(|c| c.names_field(field));
        self.names_values(field) || self.rules.iter().any(|rule| context(&rule.prepared.filter))
    }

    /// Whether the whole value of a field of this name could be a finding, whatever it is.
    #[must_use]
    pub fn names_values(&self, field: &str) -> bool {
        self.fields.matching(field).next().is_some()
    }
}

/// The length of the shortest match that consists of digits only.
pub(super) fn shortest(automaton: &Automaton) -> Option<u8> {
    let mut states = vec![automaton.start()];
    for length in 1..=MOST {
        let mut next = Vec::new();
        for state in states {
            for digit in b'0'..=b'9' {
                let mut after = state;
                if automaton.step(&mut after, digit).is_some() && !next.contains(&after) {
                    next.push(after);
                }
            }
        }
        if next.iter().any(|state| automaton.ends(*state)) {
            return Some(length);
        }
        states = next;
    }
    None
}
