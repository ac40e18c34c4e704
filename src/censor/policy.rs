//! What becomes of what is found: selectors over rules, the most specific wins.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::Action;
use super::rules::{Rule, RuleSet};
use crate::diagnostic::{Diagnostic, nearest};

/// Actions by selector. A selector is a rule's id, an entity, a group (`secrets`, `pii`, `ai-keys`) or `*`.
///
/// The most specific one decides: id before entity before group before `*`; of two groups the one with fewer rules,
/// then the one written later. A rule that no selector names has its own default action. So a policy for everything
/// and one for a part are put together by writing the part's entries behind: of the same name the part's counts, and
/// no wide name of the part undoes a narrow one of the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// In the order of writing; of two equal selectors the later counts.
    pub entries: Vec<(String, Action)>,
}

impl Policy {
    /// What each rule recommends for itself.
    #[must_use]
    pub fn recommended() -> Self {
        Self::default()
    }

    /// Adds an entry.
    #[must_use]
    pub fn with(mut self, selector: impl Into<String>, action: Action) -> Self {
        self.entries.push((selector.into(), action));
        self
    }

    /// What becomes of the findings of each rule.
    ///
    /// # Errors
    /// With the selector that selects nothing.
    pub fn decide(&self, rules: &RuleSet) -> Result<Decisions, CompileError> {
        self.decide_over(rules, rules, &[]).map(|(decisions, _)| decisions)
    }

    /// The same over policies that may not be undone: of each rule the strictest action holds. What of this policy is
    /// looser than one of those, and as specific, is given back; a wide name undoes no narrow one.
    ///
    /// How narrow a name of those is, is counted in the rules that everybody has (`shared`): who adds rules to a group makes
    /// it no wider, and another name no narrower beside it.
    ///
    /// # Errors
    /// With the selector that selects nothing.
    pub fn decide_over(
        &self,
        rules: &RuleSet,
        shared: &RuleSet,
        floors: &[Self],
    ) -> Result<(Decisions, Vec<Loosened>), CompileError> {
        let (known, common) = (selectors(rules), selectors(shared));
        let floored = floors.iter().map(|floor| (floor, &common));
        for (policy, known) in floored.chain([(self, &known)]) {
            policy.entries.iter().try_for_each(|(selector, _)| is_known(selector, known))?;
        }
        let mut loosened = Vec::new();
        let mut decide = |rule: &Rule| {
            let own = self.choice(rule, &known);
            let mut strictest = own.map(|own| own.action);
            for (index, floor) in floors.iter().enumerate() {
                let Some(least) = floor.choice(rule, &common) else { continue };
                let looser = |action: &Action| action.strictness() < least.action.strictness();
                let as_narrow = |own: &Choice<'_>| rank(own.selector, rule, &common) >= Some(least.rank);
                if let Some(own) = own.filter(|own| looser(&own.action) && as_narrow(own)) {
                    loosened.push(Loosened {
                        selector: own.selector.to_owned(),
                        rule: rule.spec.id.value.clone(),
                        floor: index,
                        of_floor: least.selector.to_owned(),
                        least: least.action,
                    });
                }
                if strictest.as_ref().is_none_or(looser) {
                    strictest = Some(least.action);
                }
            }
            strictest.unwrap_or(rule.spec.action.0)
        };
        let decisions = Decisions(rules.iter().map(&mut decide).collect());
        Ok((decisions, loosened))
    }

    /// The entry that decides about a rule.
    fn choice<'a>(&'a self, rule: &Rule, known: &BTreeMap<&str, usize>) -> Option<Choice<'a>> {
        let ranked = self.entries.iter().enumerate().filter_map(|(index, (selector, action))| {
            Some((index, Choice { rank: rank(selector, rule, known)?, selector, action: *action }))
        });
        ranked.max_by_key(|(index, choice)| (choice.rank, *index)).map(|(_, choice)| choice)
    }

    /// Whether an entry names the rule, by whatever name.
    #[must_use]
    pub fn names(&self, rule: &Rule, rules: &RuleSet) -> bool {
        self.choice(rule, &selectors(rules)).is_some()
    }
}

/// The entry that decides about a rule.
#[derive(Clone, Copy)]
struct Choice<'a> {
    rank: (u8, usize),
    selector: &'a str,
    action: Action,
}

/// An entry that is looser than a policy that may not be undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loosened {
    /// The name in the entry.
    pub selector: String,
    /// A rule that it is about.
    pub rule: String,
    /// Which of the policies.
    pub floor: usize,
    /// The name in that policy's entry.
    pub of_floor: String,
    /// What that policy does at least.
    pub least: Action,
}

/// What becomes of the findings of each rule of a set, in the set's order. Policies that are written differently and
/// decide the same are equal here, and so share an engine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decisions(Vec<Action>);

impl Decisions {
    /// The labels of the pseudonyms that an engine gives which decides so.
    #[must_use]
    pub fn pseudonyms(&self, rules: &RuleSet) -> BTreeSet<Arc<str>> {
        let given = self.of(rules).filter(|(rule, action)| {
            *action == Action::Pseudonym && !rule.spec.is_secret() && rule.spec.swallow.is_none()
        });
        given.map(|(rule, _)| Arc::from(rule.spec.label())).collect()
    }

    /// The same, and nothing personal is left: no name, no hash, no part of a value stands for somebody.
    #[must_use]
    pub fn anonymous(&self, rules: &RuleSet) -> Self {
        let anonymous = self.of(rules).map(|(rule, action)| match action {
            Action::Block | Action::Redact => action,
            _ if rule.spec.is_personal() => Action::Redact,
            action => action,
        });
        Self(anonymous.collect())
    }

    /// Rules about special categories whose findings would pass unseen.
    #[must_use]
    pub fn unseen_special<'a>(&self, rules: &'a RuleSet) -> Vec<&'a str> {
        let unseen =
            self.of(rules).filter(|(rule, action)| rule.spec.is_special() && *action == Action::Allow);
        unseen.map(|(rule, _)| rule.spec.id.value.as_str()).collect()
    }

    pub(super) fn of<'a>(&self, rules: &'a RuleSet) -> impl Iterator<Item = (&'a Rule, Action)> {
        rules.iter().zip(self.0.iter().copied())
    }
}

/// How specific a selector is about a rule; `None` if it doesn't select it.
fn rank(selector: &str, rule: &Rule, known: &BTreeMap<&str, usize>) -> Option<(u8, usize)> {
    let spec = &rule.spec;
    let few = usize::MAX - known.get(selector).copied().unwrap_or(0);
    if spec.id.value == selector {
        Some((3, 0))
    } else if spec.entity.as_deref() == Some(selector) || label_of(&spec.id.value) == selector {
        Some((2, 0))
    } else if spec.groups.iter().any(|group| group == selector) {
        Some((1, few))
    } else if selector == "*" {
        Some((0, 0))
    } else {
        None
    }
}

/// Does the selector select anything?
fn is_known(selector: &str, known: &BTreeMap<&str, usize>) -> Result<(), CompileError> {
    if known.contains_key(selector) {
        return Ok(());
    }
    let help = nearest(selector, known.keys().copied()).map(|name| format!("did you mean `{name}`?"));
    Err(CompileError::Selector { selector: selector.to_owned(), help })
}

/// Every selector and how many rules it selects.
fn selectors(rules: &RuleSet) -> BTreeMap<&str, usize> {
    let mut known = BTreeMap::from([("*", rules.len())]);
    for rule in rules.iter() {
        let spec = &rule.spec;
        let names = [Some(spec.id.value.as_str()), spec.entity.as_deref()].into_iter().flatten();
        for name in names.chain(spec.groups.iter().map(String::as_str)) {
            *known.entry(name).or_default() += 1;
        }
    }
    known
}

/// The label that a rule without an entity has: its id in upper case with `_`.
pub(super) fn label_of(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// Why rules and policy don't make an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompileError {
    /// A rule can't be matched as it is written.
    Rule(Box<Diagnostic>),
    /// A policy names what no rule is called.
    Selector {
        /// What the policy says.
        selector: String,
        /// The nearest name.
        help: Option<String>,
    },
    /// More rules than a finding can name.
    TooManyRules,
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(diagnostic) => diagnostic.fmt(f),
            Self::Selector { selector, help } => {
                write!(f, "`{selector}` is no rule, entity or group")?;
                help.as_ref().map_or(Ok(()), |help| write!(f, "; {help}"))
            }
            Self::TooManyRules => f.write_str("more than 16000 rules"),
        }
    }
}

impl std::error::Error for CompileError {}

impl From<Diagnostic> for CompileError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Rule(Box::new(diagnostic))
    }
}
