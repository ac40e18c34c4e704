//! Each rule alone, over its own examples.

use consentry::censor::{RuleSet, check as check_rules};

pub(crate) fn check() {
    let rules = RuleSet::builtin().unwrap();
    let complaints: Vec<String> = check_rules(&rules).iter().map(ToString::to_string).collect();
    assert!(
        complaints.is_empty(),
        "{} of {} rules:\n{}",
        complaints.len(),
        rules.len(),
        complaints.join("\n")
    );
}
