//! Do rules do what they say? Every rule is compiled alone, looked at, and run over its own examples.

mod examples;
mod keywords;
mod length;

use super::rules::{Rule, RuleSet};
use super::{Action, CompileError, Engine, Policy};
use crate::diagnostic::Diagnostic;

/// Says, for every rule, what it does not keep of its word:
///
/// - it doesn't compile, or not within bounds;
/// - an example isn't found, a negative one is, or there is none;
/// - a match could be longer than the rule says, or one of an example is;
/// - the pattern matches what begins with none of the keywords, which would never be seen;
/// - no example reaches the validator, or none shows that it decides;
/// - nothing says where its facts come from.
///
/// Empty: the rules hold. Unique ids are [`RuleSet::parse_all`]'s.
#[must_use]
pub fn check(rules: &RuleSet) -> Vec<Diagnostic> {
    let mut complaints = Complaints::default();
    for rule in rules.iter() {
        check_rule(rules, rule, &mut complaints);
    }
    complaints.found.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    complaints.found
}

/// What was found to be wrong.
#[derive(Default)]
struct Complaints {
    found: Vec<Diagnostic>,
}

impl Complaints {
    fn add(&mut self, rule: &Rule, at: serde_saphyr::Location, message: impl AsRef<str>) -> &mut Diagnostic {
        let message = format!("rule `{}`: {}", rule.spec.id.value, message.as_ref());
        self.found.push(Diagnostic::at(&rule.file, at, message));
        let last = self.found.len() - 1;
        &mut self.found[last]
    }
}

/// The rule alone and switched on, whatever its own action is.
fn alone(rules: &RuleSet, rule: &Rule) -> Result<Engine, CompileError> {
    let id = &rule.spec.id.value;
    let action = if rule.spec.action.0 == Action::Allow { Action::Redact } else { rule.spec.action.0 };
    Engine::compile(&rules.only(id), &Policy::recommended().with(id.clone(), action))
}

fn check_rule(rules: &RuleSet, rule: &Rule, complaints: &mut Complaints) {
    if rule.spec.references.is_empty() {
        complaints.add(rule, rule.location, "there is no reference: where do its facts come from?");
    }
    let prepared = match rule.prepared() {
        Ok(prepared) => prepared,
        Err(error) => return complaints.found.push(error),
    };
    match alone(rules, rule) {
        Ok(engine) => {
            keywords::check(rule, &prepared, complaints);
            length::check(rule, &prepared, &engine, complaints);
            examples::check(rule, &prepared, &engine, complaints);
        }
        Err(CompileError::Rule(error)) => complaints.found.push(*error),
        Err(error) => drop(complaints.add(rule, rule.location, error.to_string())),
    }
}

#[cfg(test)]
mod tests;
