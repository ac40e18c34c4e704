//! Do rules do what they say? Every rule is compiled alone and run over its own examples.

use super::rules::{Rule, RuleSet};
use super::{Action, Context, Engine, Policy};
use crate::diagnostic::Diagnostic;

/// Runs every rule over its examples and says where they disagree: an example without a finding, a negative example
/// with one, a rule without examples, a rule that doesn't compile. Empty: the rules hold.
#[must_use]
pub fn check(rules: &RuleSet) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for rule in rules.iter() {
        check_rule(rules, rule, &mut found);
    }
    found
}

fn check_rule(rules: &RuleSet, rule: &Rule, complaints: &mut Vec<Diagnostic>) {
    let spec = &rule.spec;
    let id = &spec.id.value;
    let complain =
        |message: String| Diagnostic::at(&rule.file, rule.location, format!("rule `{id}`: {message}"));
    let action = if spec.action.0 == Action::Allow { Action::Redact } else { spec.action.0 };
    let engine = match Engine::compile(&rules.only(id), &Policy::recommended().with(id.clone(), action)) {
        Ok(engine) => engine,
        Err(error) => {
            complaints.push(complain(format!("{error}")));
            return;
        }
    };
    if spec.examples.is_empty() && spec.field_examples.is_empty() {
        complaints.push(complain("there is no example".to_owned()));
    }
    let texts = spec.examples.iter().map(|parts| (None, parts, true));
    let wrong_texts = spec.negative_examples.iter().map(|parts| (None, parts, false));
    let fields =
        spec.field_examples.iter().map(|example| (Some(example.field.as_str()), &example.parts, true));
    let wrong_fields = spec
        .negative_field_examples
        .iter()
        .map(|example| (Some(example.field.as_str()), &example.parts, false));
    let all = texts.chain(wrong_texts).chain(fields).chain(wrong_fields);
    let mut found = Vec::new();
    for (number, (field, parts, wanted)) in all.enumerate() {
        engine.scan(parts.concat().as_bytes(), Context { field }, &mut found);
        if found.is_empty() == wanted {
            let what = if wanted { "isn't found" } else { "is found, although it must not be" };
            complaints.push(complain(format!("example {} {what}", number + 1)));
        }
    }
}
