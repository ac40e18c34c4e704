//! Is no match longer than the rule says? What a stream holds back is computed from that.

use super::Complaints;
use super::examples::{Example, of};
use crate::censor::matcher::{FieldValue, MAX_FIELD, Matcher};
use crate::censor::pattern::{Automaton, MAX_BEFORE};
use crate::censor::prepare::Prepared;
use crate::censor::rules::Rule;
use crate::censor::{Context, Engine};

/// Compares what is said with the automata, and with the examples.
pub(super) fn check(rule: &Rule, prepared: &Prepared, engine: &Engine, complaints: &mut Complaints) {
    let spec = &rule.spec;
    let field = match &prepared.field {
        Some(FieldValue::Whole(automaton)) => automaton.longest().unwrap_or(usize::MAX),
        _ => 0,
    };
    let said = spec.max_length.unwrap_or(prepared.longest).max(field);
    let place = spec.pattern.as_ref().map_or(rule.location, |pattern| pattern.referenced);
    match longest(prepared) {
        Some(longest) if longest > prepared.longest => {
            let message = format!("a match could be {longest} bytes long, more than {}", prepared.longest);
            complaints.add(rule, place, message);
        }
        None => drop(complaints.add(rule, place, "a match could be of any length")),
        Some(_) => {}
    }
    if matches!(prepared.matcher, Matcher::Scanner(_)) && said < prepared.longest {
        let message =
            format!("`max_length` is shorter than what the scanner finds, up to {} bytes", prepared.longest);
        complaints.add(rule, rule.location, message);
    }
    let mut found = Vec::new();
    for example in of(spec) {
        engine.scan(&example.text, Context { field: example.field }, &mut found);
        let most = most(rule, said, &example);
        if let Some(finding) = found.iter().find(|finding| finding.end - finding.start > most) {
            let length = finding.end - finding.start;
            complaints.add(rule, example.at, format!("a finding of {length} bytes, more than {most}"));
        }
    }
}

/// The most bytes of a finding.
fn most(rule: &Rule, said: usize, example: &Example<'_>) -> usize {
    let spec = &rule.spec;
    let whole = if example.field.is_some() && spec.pattern.is_none() { MAX_FIELD } else { 0 };
    let before = if spec.before.is_some() || spec.scanner.is_some() { MAX_BEFORE } else { 0 };
    spec.swallow.as_ref().map_or(said + before, |swallow| swallow.max).max(whole)
}

/// The longest match of all the automata, one behind the other. None: without end.
fn longest(prepared: &Prepared) -> Option<usize> {
    let Matcher::Pattern(pattern) = &prepared.matcher else { return Some(0) };
    let parts = [pattern.lead.as_ref(), Some(&*pattern.value), pattern.trail.as_ref()];
    parts.into_iter().flatten().map(Automaton::longest).sum()
}
