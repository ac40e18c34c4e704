//! The compiled engine: what finds.

use std::sync::Arc;

use super::confirm::{Decision, View};
use super::digits::Digits;
use super::fields::Fields;
use super::mark::{Labels, MARK_MAX};
use super::matcher::MAX_WINDOW;
use super::ordinary::Ordinary;
use super::pattern::MAX_BEFORE;
use super::prefilter::{Hit, LITERAL_MAX, Prefilter, Run};
use super::prefix::Prefixes;
use super::prepare::Prepared;
use super::recent::Recent;
use super::resolve::{Member, Resolver};
use super::validate::Validator;
use super::{Action, Context, Finding, Nature, RuleIndex};

/// How far before a place the engine looks to decide about it, in bytes. Streams keep that much of what is given out.
pub(super) const LOOK_BEHIND: usize = 384;
/// Rules and a policy, compiled; immutable and shared between tenants with the same policy.
pub struct Engine {
    pub(super) rules: Vec<Compiled>,
    pub(super) prefilter: Prefilter,
    pub(super) labels: Labels,
    pub(super) restorable: Vec<Arc<str>>,
    pub(super) prefixes: Prefixes,
    pub(super) digits: Digits,
    pub(super) at: Vec<u16>,
    pub(super) colon: Vec<u16>,
    pub(super) fields: Fields,
    /// What can stand before an anchor and belong to a value, and how much of it.
    pub(super) runs: Vec<Run>,
    pub(super) hold_back: usize,
    pub(super) restored: RuleInfo,
    pub(super) ordinary: Ordinary,
}

/// What is known of a rule from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// The rule's name, as in the rule file.
    pub id: Arc<str>,
    /// The label of its replacements.
    pub entity: Arc<str>,
    /// What becomes of its findings.
    pub action: Action,
    /// 1 (least) to 10.
    pub severity: u8,
    /// Is it in the group `secrets`, and so never restorable?
    pub secret: bool,
    /// Is it in the group `special-category`: health, belief, origin, party, orientation?
    pub special: bool,
}

impl RuleInfo {
    /// What stands for the restoring of pseudonyms.
    pub(super) fn restored() -> Self {
        let (id, entity) = (Arc::from("restored"), Arc::from("RESTORED"));
        Self { id, entity, action: Action::Allow, severity: 0, secret: false, special: false }
    }

    /// What a finding of it is.
    pub(super) const fn nature(&self) -> Nature {
        Nature { secret: self.secret, special: self.special }
    }
}

/// A rule, ready to be matched.
pub(super) struct Compiled {
    pub(super) info: RuleInfo,
    pub(super) prepared: Arc<Prepared>,
}

impl Engine {
    /// Finds everything in a complete text: ordered, not overlapping. `found` is emptied first.
    pub fn scan(&self, text: &[u8], context: Context<'_>, found: &mut Vec<Finding>) {
        found.clear();
        let view = View { text, complete: true, field: context.field, labels: &self.labels, exchange: None };
        let mut resolver = Resolver::default();
        let name = context.field.filter(|name| !self.is_silent(name.as_bytes()));
        for rule in name.into_iter().flat_map(|name| self.fields.matching(name)) {
            self.take(self.decide_field(&view, rule), rule, &mut resolver);
        }
        let mut recent = Recent::new(name.is_none());
        self.prefilter.hits(text, 0, |at, hit| {
            self.targets(&view, at, hit, Some(&mut recent), |target| {
                self.take(self.decide(&view, target, at), target, &mut resolver);
            });
        });
        while let Some(region) = resolver.next(usize::MAX) {
            found.push(region.finding());
        }
    }

    /// Who is to be asked about a hit. `recent`: where the context words before it are known from.
    pub(super) fn targets(
        &self,
        view: &View<'_>,
        at: usize,
        hit: Hit,
        recent: Option<&mut Recent>,
        mut ask: impl FnMut(u16),
    ) {
        match hit {
            Hit::Literal(target) => ask(target),
            Hit::Word(word) => recent.into_iter().for_each(|recent| recent.note(at, word)),
            Hit::Digits => self.digits.candidates(view, at, recent, ask),
            Hit::At => self.at.iter().for_each(|target| ask(*target)),
            Hit::Colon => self.colon.iter().for_each(|target| ask(*target)),
        }
    }

    fn take(&self, decision: Decision, target: u16, resolver: &mut Resolver) {
        if let Decision::Found { start, end, sealed } = decision {
            resolver.add(self.member(target, start, end, sealed));
        }
    }

    /// A finding with what decides about overlaps.
    pub(super) fn member(&self, target: u16, start: usize, end: usize, sealed: bool) -> Member {
        let (rule, info) = match self.rules.get(usize::from(target)) {
            Some(rule) => (RuleIndex(target), &rule.info),
            None => (RuleIndex::RESTORED, &self.restored),
        };
        let RuleInfo { severity, action, .. } = *info;
        Member { start, end, rule, severity, action, nature: info.nature(), sealed, open: false }
    }

    /// What is known of a rule; [`RuleIndex::RESTORED`] has an entry of its own.
    #[must_use]
    pub fn rule(&self, index: RuleIndex) -> &RuleInfo {
        self.rules.get(usize::from(index.0)).map_or(&self.restored, |rule| &rule.info)
    }

    /// The check of a rule's values.
    pub(super) fn validator(&self, index: RuleIndex) -> Option<Validator> {
        let rule = self.rules.get(usize::from(index.0))?;
        rule.prepared.filter.validator.map(|(validator, _)| validator)
    }

    /// Every rule that is on.
    pub fn rules(&self) -> impl Iterator<Item = &RuleInfo> {
        self.rules.iter().map(|rule| &rule.info)
    }

    /// The most bytes that a stream of this engine withholds.
    #[must_use]
    pub const fn hold_back(&self) -> usize {
        self.hold_back
    }

    /// From where on a text that goes on must be held although nothing is anchored yet: what stands there could
    /// belong to a value whose anchor is to come. `literals` is where the look for literals stopped.
    pub(super) fn hold_from(&self, text: &[u8], literals: usize) -> usize {
        let runs = self.runs.iter().map(|run| run.start(text, text.len()));
        let mut from = runs.min().unwrap_or(text.len());
        for at in literals.max(text.len().saturating_sub(LITERAL_MAX - 1))..text.len() {
            if let Some(run) = text.get(at..).and_then(|rest| self.prefixes.find(rest)) {
                from = from.min(run.start(text, at));
            }
        }
        from
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("rules", &self.rules.len())
            .field("hold_back", &self.hold_back)
            .finish_non_exhaustive()
    }
}

const _: () = assert!(
    MAX_BEFORE + MAX_WINDOW + MARK_MAX <= LOOK_BEHIND,
    "context and `before` look back within the retained bytes"
);
