//! Each rule alone, over its own examples.

use consentry::censor::{RuleSet, check as check_rules};

/// Rules that don't say yet where their facts come from. This number only falls.
const WITHOUT_REFERENCE: usize = 611;

pub(crate) fn check() {
    let rules = RuleSet::builtin().unwrap();
    let complaints: Vec<String> = check_rules(&rules).iter().map(ToString::to_string).collect();
    let (silent, complaints): (Vec<_>, Vec<_>) =
        complaints.into_iter().partition(|c| c.contains("no reference"));
    assert!(silent.len() <= WITHOUT_REFERENCE, "{} rules have no reference", silent.len());
    assert!(
        complaints.is_empty(),
        "{} of {} rules:\n{}",
        complaints.len(),
        rules.len(),
        complaints.join("\n")
    );
}
