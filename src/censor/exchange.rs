//! One request and its response: what was replaced, what can be restored, what was counted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;

use super::mark::is_base32;
use super::validate::Validator;
use super::{Action, Engine, Finding, RuleIndex, RuleInfo, Side};
use formats::Formats;

mod formats;

/// Most pseudonyms, and most values of another format's, that one exchange can restore. What comes after has longer names
/// and no way back.
const RESTORABLE_MAX: usize = 1 << 16;
/// Longest value that a pseudonym is remembered for, in bytes.
const RESTORABLE_LEN: usize = 1024;
/// Characters of a hash.
const HASH_LEN: usize = 10;

/// One request/response pair: the bijection of its pseudonyms and the tally of its findings.
///
/// A clone shares them, so that the response side restores what the request side made. Never shared between
/// exchanges or tenants: the key is the tenant's, the map is the exchange's.
#[derive(Clone)]
pub struct Exchange {
    shared: Arc<Shared>,
}

struct Shared {
    key: Arc<hmac::Key>,
    dry: bool,
    state: Mutex<State>,
}

/// An entity and a value of it.
type Named = (Arc<str>, Box<[u8]>);

#[derive(Default)]
struct State {
    names: HashMap<Named, Box<str>>,
    /// By name in upper case.
    values: HashMap<Box<str>, Value>,
    formats: Formats,
    tally: Tally,
}

/// What a name stands for.
struct Value {
    value: Box<[u8]>,
    /// The name was given on the way up. What was named on the way back was not for this side's eyes, and stays a name.
    restorable: bool,
}

/// Counts of what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// One entry for each rule and action that had a finding, in the order of their first.
    pub counts: Vec<Count>,
    /// Pseudonyms and values of another format's restored.
    pub restored: u64,
    /// Of a dry run: something was found that would have stopped the body.
    pub would_block: bool,
    /// Findings of special categories among them.
    pub special: u64,
}

/// How often a rule found something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The rule's id.
    pub rule: Arc<str>,
    /// Its entity.
    pub entity: Arc<str>,
    /// What became of the findings.
    pub action: Action,
    /// How many there were.
    pub count: u64,
}

impl Tally {
    /// How many findings there were, whatever became of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|count| count.count).sum()
    }

    /// Adds what was counted elsewhere.
    fn add_all(&mut self, other: &Self) {
        self.special += other.special;
        self.restored += other.restored;
        self.would_block |= other.would_block;
        for more in &other.counts {
            match self.counts.iter_mut().find(|count| count.rule == more.rule && count.action == more.action)
            {
                Some(count) => count.count += more.count,
                None => self.counts.push(more.clone()),
            }
        }
    }

    fn add(&mut self, rule: &RuleInfo, action: Action) {
        self.special += u64::from(rule.special);
        match self.counts.iter_mut().find(|count| count.rule == rule.id && count.action == action) {
            Some(count) => count.count += 1,
            None => {
                let count = Count { rule: rule.id.clone(), entity: rule.entity.clone(), action, count: 1 };
                self.counts.push(count);
            }
        }
    }
}

/// The policy says that a body with such a finding doesn't pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Whose finding it is.
    pub rule: RuleIndex,
}

impl Exchange {
    /// Fewest characters of a pseudonym behind its label.
    pub(super) const NAME_MIN: usize = 8;
    /// Most of them.
    pub(super) const NAME_MAX: usize = 26;

    /// A new exchange with the tenant's key.
    #[must_use]
    pub fn new(key: Arc<hmac::Key>) -> Self {
        Self { shared: Arc::new(Shared { key, dry: false, state: Mutex::default() }) }
    }

    /// A new exchange in which findings are counted as they would have been treated, and stay as they are.
    #[must_use]
    pub fn dry(key: Arc<hmac::Key>) -> Self {
        Self { shared: Arc::new(Shared { key, dry: true, state: Mutex::default() }) }
    }

    /// Are findings counted only?
    #[must_use]
    pub fn is_dry(&self) -> bool {
        self.shared.dry
    }

    /// Counts what would have become of a finding. For dry exchanges, in which nothing becomes of it.
    pub fn note(&self, engine: &Engine, finding: &Finding, original: &[u8]) {
        let rule = engine.rule(finding.rule);
        let mut action = settled(rule, finding.open);
        let mut state = self.state();
        let validator = engine.validator(finding.rule);
        if action == Action::Fpe && self.format(&mut state, rule, validator, original).is_none() {
            action = Action::Redact;
        }
        state.tally.add(rule, action);
        state.tally.would_block |= action == Action::Block;
    }

    /// As [`note`](Self::note), of what was found by other means than an engine's rules.
    pub fn note_of(&self, rule: &RuleInfo, original: &[u8]) {
        let mut action = rule.action;
        let mut state = self.state();
        if action == Action::Fpe && self.format(&mut state, rule, None, original).is_none() {
            action = Action::Redact;
        }
        state.tally.add(rule, action);
        state.tally.would_block |= action == Action::Block;
    }

    /// Notes that the body would not have passed.
    pub fn would_block(&self) {
        self.state().tally.would_block = true;
    }

    /// What has been counted so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.state().tally.clone()
    }

    /// How many findings of special categories there were so far.
    #[must_use]
    pub fn special(&self) -> u64 {
        self.state().tally.special
    }

    /// Brings a copy of what was counted up to date. It costs little where nothing was.
    pub fn refresh(&self, copy: &mut Tally) {
        let state = self.state();
        if copy.total() != state.tally.total() || copy.restored != state.tally.restored {
            copy.clone_from(&state.tally);
        }
    }

    /// What was counted after this copy was made did not happen; what the other exchange counted happened instead, and is
    /// counted there no longer.
    pub fn recount(&self, before: &Tally, instead: &Self) {
        let counted = std::mem::take(&mut instead.state().tally);
        let mut state = self.state();
        state.tally.clone_from(before);
        state.tally.add_all(&counted);
    }

    /// Writes what stands in a finding's place, and counts it. What is named or encrypted on the way up
    /// ([`Side::Censor`]) is restored on the way back.
    ///
    /// # Errors
    /// The policy blocks what was found; nothing is written.
    pub fn replace(
        &self,
        engine: &Engine,
        finding: &Finding,
        original: &[u8],
        side: Side,
        out: &mut Vec<u8>,
    ) -> Result<(), Blocked> {
        if finding.rule == RuleIndex::RESTORED {
            self.restore(original, out);
            return Ok(());
        }
        let rule = engine.rule(finding.rule);
        let action = settled(rule, finding.open);
        let validator = engine.validator(finding.rule);
        let treated = self.treat(rule, action, validator, original, side, out);
        treated.map_err(|()| Blocked { rule: finding.rule })
    }

    /// As [`replace`](Self::replace), for what was found by other means than an engine's rules.
    ///
    /// # Errors
    /// The policy blocks what was found; nothing is written.
    #[expect(clippy::result_unit_err, reason = "there is one way to fail, and no rule of an engine to name")]
    pub fn replace_of(
        &self,
        rule: &RuleInfo,
        original: &[u8],
        side: Side,
        out: &mut Vec<u8>,
    ) -> Result<(), ()> {
        self.treat(rule, settled(rule, false), None, original, side, out)
    }

    /// The values that were named or encrypted on the way up, for whoever must not take them for somebody else's on the way back.
    #[must_use]
    pub fn restorable(&self) -> Vec<Vec<u8>> {
        let state = self.state();
        let named = state.values.values().filter(|known| known.restorable).map(|known| known.value.to_vec());
        named.chain(state.formats.originals()).collect()
    }

    fn treat(
        &self,
        rule: &RuleInfo,
        mut action: Action,
        validator: Option<Validator>,
        original: &[u8],
        side: Side,
        out: &mut Vec<u8>,
    ) -> Result<(), ()> {
        let mut state = self.state();
        if side == Side::CensorAndRestore
            && let Some(value) = state.formats.restored(original)
        {
            state.tally.restored += 1;
            out.extend_from_slice(&value);
            return Ok(());
        }
        let mut other = None;
        if action == Action::Fpe {
            other = self.format(&mut state, rule, validator, original);
            action = if other.is_some() { action } else { Action::Redact };
        }
        state.tally.add(rule, action);
        match action {
            Action::Allow => out.extend_from_slice(original),
            Action::Redact => redact(rule, out),
            Action::Mask { keep } => mask(rule, keep, original, out),
            Action::Hash => self.hash(rule, original, out),
            Action::Pseudonym => self.pseudonym(&mut state, rule, original, side, out),
            Action::Fpe => {
                let other = other.unwrap_or_default();
                if side == Side::Censor {
                    state.formats.remember(original, &other);
                }
                out.extend_from_slice(&other);
            }
            Action::Block => return Err(()),
        }
        Ok(())
    }

    /// Another value of the same format; none if there is none to be had.
    fn format(
        &self,
        state: &mut State,
        rule: &RuleInfo,
        validator: Option<Validator>,
        original: &[u8],
    ) -> Option<Vec<u8>> {
        let key = || self.tag("fpe", &rule.entity, &[]).as_ref().try_into().ok();
        state.formats.other(&rule.entity, original, validator, key)
    }

    /// Whether there is anything to restore. Until there is, a text is censored as one that goes up.
    #[must_use]
    pub fn can_restore(&self) -> bool {
        let state = self.state();
        !state.values.is_empty() || !state.formats.is_empty()
    }

    /// Is this a name that the exchange gave, in whatever case?
    pub(super) fn knows(&self, name: &[u8]) -> bool {
        let state = self.state();
        !state.values.is_empty()
            && upper(name).is_some_and(|name| state.values.get(name.as_str()).is_some_and(|v| v.restorable))
    }

    /// Can the byte stand in a name, in whatever case?
    pub(super) const fn in_name(byte: u8) -> bool {
        is_base32(byte.to_ascii_uppercase())
    }

    fn restore(&self, name: &[u8], out: &mut Vec<u8>) {
        let mut state = self.state();
        let known = upper(name).and_then(|name| state.values.get(name.as_str()));
        let value = known.filter(|known| known.restorable).map(|known| &*known.value);
        out.extend_from_slice(value.unwrap_or(name));
        let restored = u64::from(value.is_some());
        state.tally.restored += restored;
    }

    fn hash(&self, rule: &RuleInfo, original: &[u8], out: &mut Vec<u8>) {
        let name = self.derive("hash", &rule.entity, original);
        out.extend_from_slice(rule.entity.as_bytes());
        out.push(b'_');
        out.extend(name.bytes().take(HASH_LEN));
    }

    /// The value's name in this exchange: the shortest part of its keyed hash that no other value has.
    fn pseudonym(&self, state: &mut State, rule: &RuleInfo, original: &[u8], side: Side, out: &mut Vec<u8>) {
        let key = (rule.entity.clone(), Box::from(original));
        if let Some(name) = state.names.get(&key) {
            out.extend_from_slice(name.as_bytes());
            return;
        }
        let derived = self.derive("pseudonym", &rule.entity, original);
        let name_of = |len: usize| format!("{}_{}", rule.entity, derived.get(..len).unwrap_or(&derived));
        if state.names.len() >= RESTORABLE_MAX || original.len() > RESTORABLE_LEN {
            out.extend_from_slice(name_of(Self::NAME_MAX).as_bytes());
            return;
        }
        let free = (Self::NAME_MIN..=Self::NAME_MAX)
            .map(name_of)
            .find(|name| !state.values.contains_key(name.as_str()));
        let name = free.unwrap_or_else(|| name_of(Self::NAME_MAX)).into_boxed_str();
        out.extend_from_slice(name.as_bytes());
        let value = Value { value: Box::from(original), restorable: side == Side::Censor };
        state.values.insert(name.clone(), value);
        state.names.insert(key, name);
    }

    /// 32 characters of a keyed hash, apart by use and entity.
    fn derive(&self, purpose: &str, entity: &str, original: &[u8]) -> String {
        let tag = self.tag(purpose, entity, original);
        let bytes = tag.as_ref();
        BASE32_NOPAD.encode(bytes.get(..20).unwrap_or(bytes))
    }

    fn tag(&self, purpose: &str, entity: &str, original: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.shared.key);
        for part in [purpose.as_bytes(), &[0], entity.as_bytes(), &[0], original] {
            context.update(part);
        }
        context.sign()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves maps and counts that are still whole.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

/// What becomes of a finding, whatever the policy would have liked.
const fn settled(rule: &RuleInfo, open: bool) -> Action {
    match rule.action {
        Action::Mask { .. } | Action::Hash | Action::Pseudonym | Action::Fpe if open => Action::Redact,
        Action::Pseudonym | Action::Fpe if rule.secret => Action::Redact,
        action => action,
    }
}

fn upper(name: &[u8]) -> Option<String> {
    std::str::from_utf8(name).ok().map(str::to_ascii_uppercase)
}

fn redact(rule: &RuleInfo, out: &mut Vec<u8>) {
    out.push(b'[');
    out.extend_from_slice(rule.entity.as_bytes());
    out.push(b']');
}

/// A value as it may be shown: stars, and the last of its characters as `mask` leaves them.
pub(super) fn masked(secret: bool, original: &[u8]) -> String {
    let mut out = Vec::new();
    stars(secret, Action::KEEP, original, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn mask(rule: &RuleInfo, keep: u8, original: &[u8], out: &mut Vec<u8>) {
    stars(rule.secret, keep, original, out);
}

/// Stars for all but the last characters; at least four stars, at most as many as say nothing about a long value.
fn stars(secret: bool, keep: u8, original: &[u8], out: &mut Vec<u8>) {
    const STARS: std::ops::RangeInclusive<usize> = 4..=32;
    let starts: Vec<usize> =
        original.iter().enumerate().filter(|(_, b)| **b & 0xc0 != 0x80).map(|(i, _)| i).collect();
    let count = starts.len();
    let most = if secret { (count / 4).min(4) } else { count / 2 };
    let keep = usize::from(keep).min(most);
    let stars = (count - keep).clamp(*STARS.start(), *STARS.end());
    out.resize(out.len() + stars, b'*');
    let tail = starts.get(count - keep).and_then(|at| original.get(*at..));
    out.extend_from_slice(tail.unwrap_or_default());
}

#[cfg(test)]
mod tests;
