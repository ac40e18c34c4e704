//! Is every match seen? The prefilter looks for keywords, so what begins with none of them is lost in silence.

use std::collections::BTreeSet;

use super::Complaints;
use crate::censor::matcher::Matcher;
use crate::censor::pattern::{Automaton, State, parse};
use crate::censor::prefilter::Literal;
use crate::censor::prepare::Prepared;
use crate::censor::rules::Rule;
use crate::censor::scanner::Trigger;

/// Walks all beginnings that the pattern allows, until each has become one of the keywords.
pub(super) fn check(rule: &Rule, prepared: &Prepared, complaints: &mut Complaints) {
    let Some(pattern) = rule.spec.pattern.as_ref().filter(|_| !rule.spec.keywords.is_empty()) else { return };
    if !matches!(prepared.matcher, Matcher::Pattern(_)) {
        return;
    }
    let Ok(automaton) = parse(&pattern.value).and_then(|hir| Automaton::forward(&hir)) else { return };
    let keywords: Vec<Beginning> = prepared.triggers.iter().filter_map(Beginning::of).collect();
    if let Some(lost) = lost(&automaton, &keywords) {
        let message = "the pattern matches what begins with none of the keywords, which is never looked at";
        complaints.add(rule, pattern.referenced, message).help =
            Some(format!("such as `{}`", lost.escape_ascii()));
    }
    for (index, keyword) in keywords.iter().enumerate() {
        let more = |other: &&Beginning| other.0.len() < keyword.0.len() && other.begins(keyword);
        let shorter = keywords.iter().enumerate().filter(|(i, _)| *i != index).map(|(_, k)| k).find(more);
        if let Some(shorter) = shorter {
            let message =
                format!("the keyword `{}` is not needed: `{}` begins it", keyword.shown(), shorter.shown());
            complaints.add(rule, pattern.referenced, message);
        }
    }
}

/// A keyword as the prefilter knows it: the bytes that may stand at each of its places.
#[derive(Debug)]
struct Beginning(Vec<(u8, u8)>);

impl Beginning {
    fn of(trigger: &Trigger) -> Option<Self> {
        match trigger {
            Trigger::Literal(literal) => Some(Self(Literal::choices(literal).collect())),
            _ => None,
        }
    }

    fn takes(&self, at: usize, byte: u8) -> bool {
        self.0.get(at).is_some_and(|(one, other)| *one == byte || *other == byte)
    }

    fn begins(&self, longer: &Self) -> bool {
        let both = self.0.iter().zip(&longer.0);
        both.into_iter().all(|((a, b), (c, d))| [c, d].iter().all(|byte| [a, b].contains(byte)))
    }

    fn shown(&self) -> String {
        self.0.iter().map(|(byte, _)| byte.escape_ascii().to_string()).collect()
    }
}

/// Where a walk stands: the automaton, and the keywords that can still become whole.
type Place = (State, Vec<usize>);

/// A beginning of a match that no keyword begins, if there is one.
fn lost(automaton: &Automaton, keywords: &[Beginning]) -> Option<Vec<u8>> {
    let mut seen: BTreeSet<Place> = BTreeSet::new();
    let mut open = vec![(automaton.start(), (0..keywords.len()).collect::<Vec<_>>(), Vec::new())];
    while let Some((state, alive, text)) = open.pop() {
        if automaton.ends(state) {
            return Some(text);
        }
        for byte in 0..=u8::MAX {
            let mut next = state;
            if automaton.step(&mut next, byte).is_none() {
                continue;
            }
            let text = [text.as_slice(), &[byte]].concat();
            let alive: Vec<usize> =
                alive.iter().copied().filter(|k| keywords[*k].takes(text.len() - 1, byte)).collect();
            if alive.is_empty() {
                return Some(text);
            }
            let whole = alive.iter().any(|k| keywords[*k].0.len() == text.len());
            if !whole && seen.insert((next, alive.clone())) {
                open.push((next, alive, text));
            }
        }
    }
    None
}
