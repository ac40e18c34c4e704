//! From rules and a policy to an engine.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Action;
use super::bytes::ByteSet;
use super::digits::{DigitRule, Digits, MAX_RULES};
use super::engine::{Compiled, Engine, RuleInfo};
use super::fields::Fields;
use super::filter::{SHORT_WORD, may_end_word};
use super::matcher::{MAX_FIELD, Matcher};
use super::number;
use super::ordinary::Ordinary;
use super::pattern::{Automaton, MAX_BEFORE, parse};
use super::policy::{CompileError, Decisions, Policy};
use super::prefilter::{AT, Beside, COLON, DIGIT, Hit, LITERAL_MIN, Literal, Prefilter, Run};
use super::prefix::Prefixes;
use super::resolve::CLUSTER_MAX;
use super::rules::{Boundary, Rule, RuleSet};
use super::scanner::Trigger;

/// Most rules of an engine.
const RULES_MAX: usize = 16_000;

impl Engine {
    /// Compiles the rules that the policy leaves on.
    ///
    /// What a rule is compiled into is kept with the rule, so further engines of the same rules cost little.
    ///
    /// # Errors
    /// A rule that can't be matched as it is written, a selector that selects nothing.
    pub fn compile(rules: &RuleSet, policy: &Policy) -> Result<Self, CompileError> {
        Self::of(rules, &policy.decide(rules)?, &BTreeSet::new())
    }

    /// As [`compile`](Self::compile), for a policy whose decisions are known. The pseudonyms of the labels `restores` are
    /// restored, whatever becomes of such values themselves: they were given by another engine on the way up.
    ///
    /// # Errors
    /// A rule that can't be matched as it is written.
    pub fn of(
        rules: &RuleSet,
        decisions: &Decisions,
        restores: &BTreeSet<Arc<str>>,
    ) -> Result<Self, CompileError> {
        let mut builder = Builder::default();
        for (rule, action) in decisions.of(rules).filter(|(_, action)| *action != Action::Allow) {
            builder.add(rule, action)?;
        }
        builder.finish(rules, restores)
    }
}

/// A rule that is on.
struct Active<'a> {
    rule: &'a Rule,
    compiled: Compiled,
}

#[derive(Default)]
struct Builder<'a> {
    active: Vec<Active<'a>>,
    literals: Vec<(Literal, u16)>,
    digits: Vec<DigitSlot>,
    at: Vec<u16>,
    colon: Vec<u16>,
    fields: Fields,
    runs: Vec<Run>,
    longest: usize,
}

impl<'a> Builder<'a> {
    fn add(&mut self, rule: &'a Rule, action: Action) -> Result<(), CompileError> {
        let index = self.active.len();
        let index =
            u16::try_from(index).ok().filter(|_| index < RULES_MAX).ok_or(CompileError::TooManyRules)?;
        let prepared = rule.prepared()?;
        for trigger in &prepared.triggers {
            match trigger {
                Trigger::Literal(literal) => self.literals.push((literal.clone(), index)),
                Trigger::Digits { least, looks } => self.digits.push(slot(index, *least, *looks)),
                Trigger::At => self.at.push(index),
                Trigger::Colon => self.colon.push(index),
            }
        }
        rule.spec.fields.iter().for_each(|name| self.fields.add(name, index));
        prepared.runs.iter().for_each(|run| self.run(*run));
        self.longest = self.longest.max(prepared.longest);
        let info = info(rule, action);
        self.active.push(Active { rule, compiled: Compiled { info, prepared } });
        Ok(())
    }

    /// Keeps the runs that no other covers.
    fn run(&mut self, run: Run) {
        if !self.runs.iter().any(|other| other.covers(&run)) {
            self.runs.retain(|other| !run.covers(other));
            self.runs.push(run);
        }
    }

    fn finish(mut self, rules: &RuleSet, restores: &BTreeSet<Arc<str>>) -> Result<Engine, CompileError> {
        if self.digits.len() > MAX_RULES {
            return Err(CompileError::TooManyRules);
        }
        let named = restores.iter().map(|label| label.to_string());
        let labels = rules.iter().map(|rule| rule.spec.label()).chain(named).collect();
        let own = self.active.iter().filter(|active| active.compiled.info.action == Action::Pseudonym);
        let own = own.map(|active| Arc::clone(&active.compiled.info.entity));
        let restorable: BTreeSet<Arc<str>> = own.chain(restores.iter().cloned()).collect();
        let restorable: Vec<Arc<str>> = restorable.into_iter().collect();
        let mut target = self.target(self.active.len())?;
        for label in &restorable {
            let name = format!("{label}_");
            self.literals
                .push((Literal::new(name.as_bytes(), |_| true, Beside::any(), Some(Run::default())), target));
            target = self.target(usize::from(target) + 1)?;
        }
        let prefixes = Prefixes::new(self.literals.iter().map(|(literal, _)| literal));
        let words = self.words();
        let literals = self.literals.drain(..).map(|(literal, target)| (literal, Hit::Literal(target)));
        let mut literals: Vec<_> = literals.collect();
        for (number, word) in words.iter().enumerate() {
            literals.push((word_literal(word), Hit::Word(self.target(number)?)));
        }
        let digits = Digits::new(&self.digit_rules(), &words);
        let anchors = [(digits.is_empty(), DIGIT), (self.at.is_empty(), AT), (self.colon.is_empty(), COLON)];
        let anchors = anchors.iter().filter(|(empty, _)| !empty).fold(0, |all, (_, flag)| all | flag);
        let field = if self.fields.is_empty() { 0 } else { MAX_FIELD };
        let mut engine = Engine {
            prefilter: Prefilter::new(literals, anchors),
            prefixes,
            labels,
            restorable,
            digits,
            at: self.at,
            colon: self.colon,
            fields: self.fields,
            runs: self.runs,
            hold_back: CLUSTER_MAX + MAX_BEFORE + self.longest.max(MAX_BEFORE).max(field),
            rules: self.active.into_iter().map(|active| active.compiled).collect(),
            restored: RuleInfo::restored(),
            ordinary: Ordinary::default(),
        };
        engine.ordinary = engine.look_at_ordinary();
        Ok(engine)
    }

    #[expect(clippy::unused_self, reason = "reads as a step of building")]
    fn target(&self, index: usize) -> Result<u16, CompileError> {
        u16::try_from(index).ok().filter(|target| *target < u16::MAX).ok_or(CompileError::TooManyRules)
    }

    /// The context words that the prefilter shall tell of: all of those that a number needs.
    fn words(&self) -> Vec<String> {
        let rules = self.digits.iter().filter_map(|slot| self.active.get(usize::from(slot.rule)));
        let words = rules.filter_map(|active| active.rule.required_words()).flat_map(|(words, _)| words);
        let words: BTreeSet<&String> = words.filter(|word| word.len() >= LITERAL_MIN).collect();
        words.into_iter().cloned().collect()
    }

    fn digit_rules(&self) -> Vec<DigitRule<'_>> {
        let rules = self.digits.iter().filter_map(|slot| {
            let Active { rule, compiled } = self.active.get(usize::from(slot.rule))?;
            let prepared = &compiled.prepared;
            let (left, before, first, alone) = match &prepared.matcher {
                Matcher::Pattern(pattern) => {
                    let first = pattern.lead.as_ref().unwrap_or(&pattern.value);
                    let optional = pattern.before.as_ref().is_none_or(|before| before.ends(before.start()));
                    let alone = if optional { number::shortest(first) } else { None };
                    (prepared.left, pattern.before.as_ref(), Some(first), alone)
                }
                // No scanner finds anything in digits alone.
                _ => (Boundary::None, slot.before.as_ref(), slot.first.as_ref(), None),
            };
            let words = rule.required_words();
            Some(DigitRule { target: slot.rule, min_digits: slot.least, left, before, first, words, alone })
        });
        rules.collect()
    }
}

/// A rule at digits, and what stands around the first of them if no pattern says it.
struct DigitSlot {
    rule: u16,
    least: u8,
    before: Option<Automaton>,
    first: Option<Automaton>,
}

fn slot(rule: u16, least: u8, looks: Option<(&str, &str)>) -> DigitSlot {
    // A look that didn't compile would only be missing: then the scanner is asked at every number.
    let before = looks.filter(|(before, _)| !before.is_empty()).and_then(|(before, _)| parse(before).ok());
    let before = before.and_then(|before| Automaton::backward(&before).ok());
    let first = looks.and_then(|(_, first)| Automaton::forward(&parse(first).ok()?).ok());
    DigitSlot { rule, least, before, first }
}

/// A context word, as far as the prefilter looks.
fn word_literal(word: &str) -> Literal {
    let bytes = word.as_bytes();
    // As far as one byte can tell: a hump of `camelCase` may begin it, and one may follow it.
    let before = ByteSet::of(|b| !b.is_ascii_uppercase() && !b.is_ascii_digit());
    let alone = bytes.len() <= SHORT_WORD && bytes.last().is_some_and(u8::is_ascii_alphanumeric);
    let ends = |b: u8| may_end_word(b) || b.is_ascii_uppercase();
    let behind = if alone { ByteSet::of(ends) } else { ByteSet::all() };
    Literal::new(bytes, |_| true, Beside { before, behind }, None)
}

fn info(rule: &Rule, action: Action) -> RuleInfo {
    let spec = &rule.spec;
    let secret = spec.is_secret();
    let open = spec.swallow.is_some();
    let action = match action {
        Action::Pseudonym | Action::Fpe if secret || open => Action::Redact,
        Action::Mask { .. } | Action::Hash if open => Action::Redact,
        action => action,
    };
    let (id, entity) = (Arc::from(spec.id.value.as_str()), Arc::from(spec.label()));
    RuleInfo { id, entity, action, severity: spec.severity, secret, special: spec.is_special() }
}
