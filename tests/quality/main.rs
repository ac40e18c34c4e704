//! How good are the rules that come with the program?

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what it measured, and ends where it can't"
)]

mod contexts;
mod examples;

use consentry::censor::{Engine, Policy, RuleSet};

#[test]
fn every_rule_finds_its_examples_and_nothing_else() {
    examples::check();
}

/// Floor: 97 % of the labelled bytes, in every context.
#[test]
fn every_rule_covers_its_values_in_every_context() {
    let rules = RuleSet::builtin().unwrap();
    let engine = Engine::compile(&rules, &Policy::recommended()).unwrap();
    let outcome = contexts::run(&rules, &engine);
    for (id, texts) in &outcome.misses {
        println!("{id}: {} e.g. {:?}", texts.len(), texts.first());
    }
    for (context, (covered, labelled)) in &outcome.by_context {
        println!("{context}: {:.2} % of {labelled} bytes", 100.0 * *covered as f64 / *labelled as f64);
    }
    for (context, (covered, labelled)) in &outcome.by_context {
        assert!(covered * 100 >= labelled * 97, "{context}: {covered} of {labelled} bytes");
    }
}
