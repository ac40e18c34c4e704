//! What a tenant's policies set, and what its own keys say beyond that. The stricter of both holds; a key that is looser than
//! what a policy promises is an error that names the promise.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use serde_saphyr::Spanned;

use super::super::files::Text;
use super::super::policy::{Policy, Promised, known};
use super::super::schema::{
    self, ActionName, GrantsUnder, Names, PolicyOptions, PolicyRecords, RecordAction,
};
use super::Compiler;
use super::engines::action;
use super::records::cannot_pass;
use crate::censor::{self, CompileError, RuleSet};
use crate::diagnostic::Diagnostic;

/// Policies by name.
pub(super) type Known = BTreeMap<String, Arc<Policy>>;

/// A direction of the censor, as pointers name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Request,
    Response,
}

impl Side {
    const fn pointer(self) -> &'static str {
        match self {
            Self::Request => "/censor/request",
            Self::Response => "/censor/response",
        }
    }
}

/// Reads all policies, those that nobody has as well.
pub(super) fn compile(c: &mut Compiler<'_>, texts: &[Text]) -> Known {
    match known(texts.to_vec()) {
        Ok(policies) => policies.into_iter().map(|p| (p.name.clone(), Arc::new(p))).collect(),
        Err(errors) => {
            c.errors.extend(errors);
            Known::new()
        }
    }
}

/// Says which names of policies name nothing: rules, operations.
pub(super) fn check(
    c: &mut Compiler<'_>,
    policies: &Known,
    rules: Option<&RuleSet>,
    operations: &BTreeSet<String>,
) {
    for policy in policies.values() {
        if let Some(records) = &policy.options.records {
            cannot_pass(c, &policy.file, &records.when);
        }
        for side in [Side::Request, Side::Response] {
            let decided = rules.map(|rules| entries(policy, side).decide(rules));
            if let Some(Err(CompileError::Selector { selector, help })) = decided {
                let at = written(policy, side).get(&selector);
                let message = format!("`{selector}` is no rule, entity or group");
                if let Some(at) = at {
                    c.error(&policy.file, at, message).help = help;
                }
            }
        }
        let named = policy.options.opaque.iter().flatten().chain(&policy.options.refuse_media);
        for name in named.filter(|name| !operations.contains(*name)) {
            let message = format!("no API profile has an operation `{name}`");
            c.errors.push(Diagnostic::whole(&policy.file.name, message));
        }
    }
}

fn written(policy: &Policy, side: Side) -> &BTreeMap<String, Spanned<ActionName>> {
    match side {
        Side::Request => &policy.options.censor.request,
        Side::Response => &policy.options.censor.response,
    }
}

/// Does it say what must not pass?
fn censors(policy: &Policy) -> bool {
    [Side::Request, Side::Response].iter().any(|side| !written(policy, *side).is_empty())
}

fn entries(policy: &Policy, side: Side) -> censor::Policy {
    let entries = written(policy, side).iter();
    censor::Policy { entries: entries.map(|(name, at)| (name.clone(), action(at.value))).collect() }
}

/// The policies of one tenant.
pub(super) struct Floors {
    pub(super) policies: Promised,
    request: Vec<censor::Policy>,
    response: Vec<censor::Policy>,
}

impl Floors {
    /// Those that its file names.
    pub(super) fn of(
        c: &mut Compiler<'_>,
        file: &Text,
        known: &Known,
        named: Option<&Spanned<Names>>,
    ) -> Self {
        let mut policies: Promised = Vec::new();
        for (spanned, name) in named.iter().flat_map(|at| at.value.0.iter().map(move |name| (at, name))) {
            match known.get(name) {
                Some(policy) if policies.iter().any(|have| have.name == policy.name) => {}
                Some(policy) => policies.push(Arc::clone(policy)),
                None => c.unknown(file, spanned, "policy", name, known.keys().map(String::as_str)),
            }
        }
        let of = |side| policies.iter().map(|policy| entries(policy, side)).collect();
        Self { request: of(Side::Request), response: of(Side::Response), policies }
    }

    /// What the policies say at least of what is found.
    pub(super) fn censor(&self, side: Side) -> &[censor::Policy] {
        match side {
            Side::Request => &self.request,
            Side::Response => &self.response,
        }
    }

    /// What the policies say at least of records.
    pub(super) fn records(&self) -> impl Iterator<Item = (&Policy, &PolicyRecords)> {
        let policies = self.policies.iter();
        policies.filter_map(|policy| Some((policy.as_ref(), policy.options.records.as_ref()?)))
    }

    /// Whether records are told apart by special categories because a policy says so.
    pub(super) fn tells_special(&self) -> bool {
        let given = self.records().filter_map(|(_, records)| records.when.special_category.as_ref());
        given.into_iter().any(|given| given.value != RecordAction::Pass)
    }

    /// The strictest of what the policies set and the tenant says; what comes later in the order is stricter.
    pub(super) fn strictest<T: Copy + Ord>(
        &self,
        c: &mut Compiler<'_>,
        file: &Text,
        pointer: &str,
        set: impl Fn(&PolicyOptions) -> Option<T>,
        own: Option<&Spanned<T>>,
    ) -> Option<T> {
        let mut strictest = own.map(|own| own.value);
        for policy in &self.policies {
            let Some(least) = set(&policy.options) else { continue };
            if let Some(own) = own.filter(|own| own.value < least) {
                loosens(c, file, own, policy, pointer);
            }
            strictest = strictest.max(Some(least));
        }
        strictest
    }

    /// The version that grants have to be of, if they lapse with another: that of the policies which say so, or of all if the tenant
    /// says so itself.
    pub(super) fn version(&self, c: &mut Compiler<'_>, file: &Text, raw: &schema::Tenant) -> Option<String> {
        let own = raw.consent.grants_under.as_ref();
        let of = |options: &PolicyOptions| options.consent.grants_under;
        let under = self.strictest(c, file, "/consent/grants_under", of, own);
        if under != Some(GrantsUnder::Current) {
            return None;
        }
        let all = own.is_some_and(|own| own.value == GrantsUnder::Current);
        let says = |policy: &&Arc<Policy>| all || of(&policy.options) == Some(GrantsUnder::Current);
        let mut saying = self.policies.iter().filter(says);
        let Some(first) = saying.next() else {
            if let Some(own) = own {
                c.error(file, own, "the tenant has no `policy` whose version a grant could be of");
            }
            return None;
        };
        if let (Some(other), Some(at)) = (saying.find(|policy| policy.version != first.version), &raw.policy)
        {
            let [one, two] = [first, other].map(|policy| format!("`{}` ({})", policy.name, policy.version));
            let message = format!("{one} and {two} have different versions, and a grant is of one");
            c.error(file, at, message);
        }
        Some(first.version.clone())
    }

    /// The version of the tenant's policies, if they have one together: new grants are recorded under it.
    pub(super) fn only_version(&self) -> Option<String> {
        let mut versions = self.policies.iter().map(|policy| &policy.version);
        let first = versions.next()?;
        versions.all(|other| other == first).then(|| first.clone())
    }

    /// Operations whose bodies may pass uninspected: no others than a policy lists. One that says what must not pass, and lists
    /// none, lets none pass in which that can't be looked for.
    pub(super) fn opaque(&self, c: &mut Compiler<'_>, file: &Text, own: &[Spanned<String>]) {
        for policy in &self.policies {
            let (allowed, pointer) = match &policy.options.opaque {
                Some(allowed) => (allowed.as_slice(), "/opaque"),
                None if censors(policy) => (&[][..], "/censor"),
                None => continue,
            };
            for name in own.iter().filter(|name| !allowed.contains(&name.value)) {
                let what = format!("the bodies of `{}` can't be inspected, and ", name.value);
                loosens_with(c, file, name, policy, pointer, &what);
            }
        }
    }

    /// Operations that the policies add to those in whose documents no media may stand.
    pub(super) fn refuse_media(&self) -> impl Iterator<Item = &str> {
        self.policies.iter().flat_map(|policy| &policy.options.refuse_media).map(String::as_str)
    }

    /// A dry run lets pass what policies say must not.
    pub(super) fn dry_run(&self, c: &mut Compiler<'_>, file: &Text, own: &Spanned<schema::DryRun>) {
        for policy in self.policies.iter().filter(|policy| censors(policy)) {
            loosens(c, file, own, policy, "/censor");
        }
    }

    /// A tenant's own rule takes the place of none that a policy is about.
    pub(super) fn replaced(
        &self,
        c: &mut Compiler<'_>,
        file: &Text,
        at: &Spanned<schema::OwnRules>,
        own: &[String],
        shared: &RuleSet,
    ) {
        for (index, policy) in self.policies.iter().enumerate() {
            for (side, floors) in [(Side::Request, &self.request), (Side::Response, &self.response)] {
                let Some(floor) = floors.get(index) else { continue };
                let replaces = own.iter().find(|id| shared.get(id).is_some_and(|r| floor.names(r, shared)));
                if let Some(id) = replaces {
                    let more = format!("a rule of its own takes the place of `{id}`, and ");
                    loosens_with(c, file, at, policy, side.pointer(), &more);
                    break;
                }
            }
        }
    }

    /// An entry of the tenant's is looser than a policy's.
    pub(super) fn loosened(
        &self,
        c: &mut Compiler<'_>,
        file: &Text,
        at: &Spanned<ActionName>,
        side: Side,
        loosened: &censor::Loosened,
    ) {
        if let Some(policy) = self.policies.get(loosened.floor) {
            let pointer = format!("{}/{}", side.pointer(), escaped(&loosened.of_floor));
            let least = format!("`{}` is to become `{}` at least, and ", loosened.rule, loosened.least);
            loosens_with(c, file, at, policy, &pointer, &least);
        }
    }
}

/// A name as a part of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

pub(super) fn loosens<T>(c: &mut Compiler<'_>, file: &Text, at: &Spanned<T>, policy: &Policy, pointer: &str) {
    loosens_with(c, file, at, policy, pointer, "");
}

fn loosens_with<T>(
    c: &mut Compiler<'_>,
    file: &Text,
    at: &Spanned<T>,
    policy: &Policy,
    pointer: &str,
    more: &str,
) {
    let promises: Vec<_> = policy.promised_by(pointer).collect();
    let ids: Vec<&str> = promises.iter().map(|promise| promise.id.as_str()).collect();
    let what =
        if ids.is_empty() { format!("sets: {pointer}") } else { format!("promises: {}", ids.join(", ")) };
    let message = format!("{more}this loosens what the policy `{}` {what}", policy.name);
    let mut help = String::from("a key beside `policy` may be stricter than the policy, never looser");
    for promise in promises {
        let _ok = write!(help, "\n  = {}: {}", promise.id, promise.words);
    }
    c.error(file, at, message).help = Some(help);
}
