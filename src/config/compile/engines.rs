//! What becomes of what is found: a tenant's actions for everything and for single operations, as engines.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_saphyr::Spanned;

use super::super::files::Text;
use super::super::schema::{self, ActionName};
use super::super::snapshot::{Analysis, Engines, Policies};
use super::Compiler;
use super::promised::{Floors, Side};
use super::rules::Rules;
use crate::censor::{Action, CompileError, Decisions, Engine, Policy, RuleSet};
use crate::diagnostic::Diagnostic;
use crate::names::OperationId;

/// Selectors and actions as they are written.
type Written = BTreeMap<String, Spanned<ActionName>>;

/// What an engine is made of: the rules' name, what becomes of each rule's findings, which pseudonyms are restored.
type Made = (String, Decisions, BTreeSet<Arc<str>>);

/// What a policy is decided by: the rules' name, its entries, and those of the policies that it may not undo.
type Asked = (String, Vec<(String, Action)>, Vec<Vec<(String, Action)>>);

/// What is decided about a tenant's bodies.
pub(super) struct Tenant<'a> {
    pub(super) file: &'a Text,
    pub(super) rules: &'a Rules,
    /// The rules that all tenants have.
    pub(super) shared: &'a RuleSet,
    pub(super) raw: &'a schema::Censor,
    pub(super) records: Option<&'a Spanned<schema::Records>>,
    /// Where its policies are named.
    pub(super) named: Option<&'a Spanned<schema::Names>>,
    pub(super) floors: &'a Floors,
}

/// One engine for the same rules under policies that decide the same, whoever has them and however they are written.
#[derive(Default)]
pub(super) struct Workshop {
    /// What policies decide, by rules and by how they are written: most tenants write the same.
    decided: BTreeMap<Asked, Decisions>,
    made: BTreeMap<Made, Arc<Engine>>,
}

impl Workshop {
    /// The engines of a tenant. `known`: every operation that a profile has.
    pub(super) fn policies(
        &mut self,
        c: &mut Compiler<'_>,
        tenant: &Tenant<'_>,
        analysis: Option<&Analysis>,
        known: &BTreeSet<String>,
    ) -> Option<Policies> {
        // What an analyser's findings are named on the way up is restored on the way back as well.
        let named = analysis.iter().flat_map(|analysis| &analysis.request);
        let named: BTreeSet<Arc<str>> = named
            .filter(|rule| rule.action == Action::Pseudonym)
            .map(|rule| Arc::clone(&rule.entity))
            .collect();
        let raw = tenant.raw;
        let none = Written::new();
        let request = self.decide(c, tenant, Side::Request, &none, &raw.request);
        let response = self.decide(c, tenant, Side::Response, &none, &raw.response);
        let general = self.pair(c, tenant, &named, (request?, response?))?;
        let mut operations = BTreeMap::new();
        for (name, spanned) in &raw.operations {
            if !known.contains(name) {
                c.unknown(tenant.file, spanned, "operation", name, known.iter().map(String::as_str));
                continue;
            }
            let own = &spanned.value;
            if own.request.is_empty() && own.response.is_empty() {
                c.error(tenant.file, spanned, format!("nothing is said of the operation `{name}`"));
                continue;
            }
            let request = self.decide(c, tenant, Side::Request, &raw.request, &own.request);
            let response = self.decide(c, tenant, Side::Response, &raw.response, &own.response);
            if let (Some(request), Some(response)) = (request, response) {
                let pair = self.pair(c, tenant, &named, (request, response))?;
                operations.insert(OperationId::new(name), pair);
            }
        }
        Some(Policies { general, operations })
    }

    /// The engines of both directions. What the one names on the way up, the other restores on the way back.
    fn pair(
        &mut self,
        c: &mut Compiler<'_>,
        tenant: &Tenant<'_>,
        named: &BTreeSet<Arc<str>>,
        (request, response): (Decisions, Decisions),
    ) -> Option<Engines> {
        let Tenant { file, rules, .. } = *tenant;
        let mut restores = request.pseudonyms(&rules.set);
        restores.extend(named.iter().cloned());
        // Its own it restores anyway.
        let own = response.pseudonyms(&rules.set);
        restores.retain(|label| !own.contains(label));
        let judged = tenant.records.is_some() || tenant.floors.records().next().is_some();
        let anonymous = if judged {
            sees_special(c, tenant, &request);
            Some(self.engine(c, file, rules, request.anonymous(&rules.set), BTreeSet::new())?)
        } else {
            None
        };
        let request = self.engine(c, file, rules, request, BTreeSet::new())?;
        let response = self.engine(c, file, rules, response, restores)?;
        Some(Engines { request, response, anonymous })
    }

    fn engine(
        &mut self,
        c: &mut Compiler<'_>,
        file: &Text,
        rules: &Rules,
        decisions: Decisions,
        restores: BTreeSet<Arc<str>>,
    ) -> Option<Arc<Engine>> {
        let made = (rules.name.clone(), decisions, restores);
        if let Some(engine) = self.made.get(&made) {
            return Some(Arc::clone(engine));
        }
        match Engine::of(&rules.set, &made.1, &made.2) {
            Ok(engine) => {
                let engine = Arc::new(engine);
                self.made.insert(made, Arc::clone(&engine));
                Some(engine)
            }
            Err(error) => {
                c.errors.push(Diagnostic::whole(&file.name, error.to_string()));
                None
            }
        }
    }

    /// What becomes of each rule's findings. Of two entries the one with the more specific selector decides; of two with
    /// the same selector that of the part. None of them is looser than the tenant's policies.
    fn decide(
        &mut self,
        c: &mut Compiler<'_>,
        tenant: &Tenant<'_>,
        side: Side,
        whole: &Written,
        part: &Written,
    ) -> Option<Decisions> {
        let Tenant { file, rules, floors, .. } = *tenant;
        let kept = whole.iter().filter(|(selector, _)| !part.contains_key(*selector));
        let entries = kept.chain(part).map(|(selector, named)| (selector.clone(), action(named.value)));
        let policy = Policy { entries: entries.collect() };
        let over = floors.censor(side);
        let floor = over.iter().map(|floor| floor.entries.clone()).collect();
        let key: Asked = (rules.name.clone(), policy.entries.clone(), floor);
        if let Some(known) = self.decided.get(&key) {
            return Some(known.clone());
        }
        match policy.decide_over(&rules.set, tenant.shared, over) {
            Ok((decisions, loosened)) => {
                // What is wrong with the whole was said when it was decided by itself.
                let mut told = BTreeSet::new();
                for one in &loosened {
                    if let Some(at) =
                        part.get(&one.selector).filter(|_| told.insert((&one.selector, one.floor)))
                    {
                        floors.loosened(c, file, at, side, one);
                    }
                }
                if loosened.is_empty() {
                    self.decided.insert(key, decisions.clone());
                }
                Some(decisions)
            }
            Err(CompileError::Selector { selector, help }) => {
                if let Some(at) = part.get(&selector) {
                    c.error(file, at, format!("`{selector}` is no rule, entity or group")).help = help;
                }
                None
            }
            Err(error) => {
                c.errors.push(Diagnostic::whole(&file.name, error.to_string()));
                None
            }
        }
    }
}

/// Records with special categories can be told from others only if the censor looks for those.
fn sees_special(c: &mut Compiler<'_>, tenant: &Tenant<'_>, request: &Decisions) {
    let unseen = request.unseen_special(&tenant.rules.set);
    if unseen.is_empty() {
        return;
    }
    let message = format!("nobody looks for {}: `censor.request` lets it pass", unseen.join(", "));
    let own = tenant.records.and_then(|records| records.value.when.special_category.as_ref());
    if let Some(given) = own.filter(|given| given.value != schema::RecordAction::Pass) {
        c.error(tenant.file, given, message);
    } else if let Some(named) = tenant.named.filter(|_| tenant.floors.tells_special()) {
        c.error(tenant.file, named, message).help =
            Some("a policy tells records apart by special categories".to_owned());
    }
}

pub(super) const fn action(name: ActionName) -> Action {
    match name {
        ActionName::Allow => Action::Allow,
        ActionName::Redact => Action::Redact,
        ActionName::Mask => Action::Mask { keep: Action::KEEP },
        ActionName::Hash => Action::Hash,
        ActionName::Pseudonym => Action::Pseudonym,
        ActionName::Fpe => Action::Fpe,
        ActionName::Block => Action::Block,
    }
}
