//! Something of each kind for a tenant, by the profile's own creating operations.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use http::Method;

use super::request::{Lack, Order};
use super::samples::Sample;
use super::{Answer, Check, Draft, Made, Outcome, Stopped, Tenant, Walk, json, shown};
use crate::catalog::{Creation, IdClass, Label, Operation, Place};
use crate::names::OperationId;

/// Says that the upstream was told not to keep what was asked to be kept.
const UNSTORED: &str = "consentry-store";

/// Calls that make something, with their samples.
type Tasks = Vec<(Arc<Operation>, Option<Sample>)>;

impl Walk<'_> {
    /// Makes what can be made, and tells what can't.
    pub(super) async fn make(&mut self, tenant: &mut Tenant) -> Result<(), Stopped> {
        let mut tasks = self.tasks();
        let mut lacks: BTreeMap<(OperationId, String), Lack> = BTreeMap::new();
        loop {
            let (mut later, mut made) = (Tasks::new(), false);
            for (operation, sample) in tasks {
                let called = sample.as_ref().and_then(|sample| sample.name.clone()).unwrap_or_default();
                let order = Order {
                    catalog: &self.route.catalog,
                    operation: &operation,
                    sample: sample.as_ref(),
                    stock: &tenant.stock,
                    put: None,
                    near: Vec::new(),
                };
                match order.draft() {
                    Ok(draft) => {
                        lacks.remove(&(operation.id.clone(), called));
                        self.make_one(tenant, &operation, sample.as_ref(), &draft).await?;
                        made = true;
                    }
                    Err(lack) => {
                        lacks.insert((operation.id.clone(), called), lack);
                        later.push((operation, sample));
                    }
                }
            }
            if !made {
                break;
            }
            self.settle(tenant).await?;
            tasks = later;
        }
        for ((operation, called), lack) in lacks {
            let detail = format!("tenant {}: {lack}", tenant.name);
            self.row((&operation, Check::Made), &called, "", Outcome::Untried, detail);
        }
        Ok(())
    }

    fn tasks(&self) -> Tasks {
        let mut tasks = Tasks::new();
        for operation in self.served().filter(|operation| !operation.creates.is_empty()) {
            match self.route.samples.operation(&operation.id) {
                [] => tasks.push((Arc::clone(operation), None)),
                samples => {
                    let wanted = samples.iter().filter(|sample| sample.make);
                    tasks.extend(wanted.map(|sample| (Arc::clone(operation), Some(sample.clone()))));
                }
            }
        }
        tasks
    }

    async fn make_one(
        &mut self,
        tenant: &mut Tenant,
        operation: &Operation,
        sample: Option<&Sample>,
        draft: &Draft,
    ) -> Result<(), Stopped> {
        let answer = self.ask(tenant, operation, draft).await?;
        let called = sample.and_then(|sample| sample.name.as_deref());
        let kinds: Vec<&str> = operation.creates.iter().map(|creation| creation.kind.as_str()).collect();
        if !answer.is_ok() {
            let detail = format!("tenant {}: answered {}", tenant.name, self.word(&answer));
            let of = (&operation.id, Check::Made);
            self.row(of, called.unwrap_or_default(), &kinds.join(", "), Outcome::Untried, detail);
            return Ok(());
        }
        self.take_up(tenant, operation, called, draft, &answer);
        Ok(())
    }

    /// What a call made is the tenant's, to try with and to take back.
    pub(super) fn take_up(
        &mut self,
        tenant: &mut Tenant,
        operation: &Operation,
        called: Option<&str>,
        draft: &Draft,
        answer: &Answer,
    ) {
        let stored = !answer.headers.iter().any(|(name, _)| name == UNSTORED);
        let store = operation.store.as_ref().map(|store| Place::Json(store.at.clone()));
        let kept = |creation: &&Creation| match &creation.when {
            Some(when) => draft.fulfils(when) && (stored || Some(&when.place) != store.as_ref()),
            None => true,
        };
        let (mut undone, mut shown) = (None, false);
        for creation in operation.creates.iter().filter(kept) {
            undone = undone.or_else(|| creation.undo.is_some().then_some(&creation.kind));
            for id in self.shown_ids(answer, creation) {
                shown = true;
                // What the request names was there before.
                if draft.named.iter().any(|(kind, named)| *kind == creation.kind && *named == id) {
                    continue;
                }
                tenant.stock.add(Made {
                    kind: creation.kind.clone(),
                    id,
                    label: label(creation, operation, draft, tenant),
                    made_as: called.map(str::to_owned),
                    by: operation.id.clone(),
                    undo: creation.undo.clone(),
                    params: draft.params.clone(),
                    named: draft.named.clone(),
                    ended: false,
                });
            }
        }
        if let Some(kind) = undone.filter(|_| !shown) {
            let (name, id) = (tenant.name, &operation.id);
            self.report.left.push(format!("{kind} of {name}, made by {id}: the answer shows no id of it"));
        }
    }

    fn shown_ids(&self, answer: &Answer, creation: &Creation) -> Vec<String> {
        // An answer may be the id itself, as plain text.
        let plain = || {
            let text = std::str::from_utf8(&answer.body).ok()?;
            creation.at.steps().is_empty().then(|| serde_json::Value::from(text.trim()))
        };
        let Some(document) = answer.json().or_else(plain) else { return Vec::new() };
        let ids = json::all(&document, &creation.at).into_iter().filter_map(json::text);
        let rule = self.route.catalog.kind(&creation.kind);
        ids.filter(|id| rule.classify(id) == IdClass::Owned).collect()
    }

    /// Looks at what was made until nothing changes any more, and takes up what comes of it by itself.
    async fn settle(&mut self, tenant: &mut Tenant) -> Result<(), Stopped> {
        let end = Instant::now() + self.terms.wait;
        let made: Vec<Made> = tenant.stock.all().to_vec();
        for one in &made {
            for (operation, draft) in self.looks_at(tenant, one) {
                if operation.method != Method::GET || operation.yields.is_empty() {
                    continue;
                }
                let waited = self.route.samples.waits(&operation.id).to_vec();
                let mut pause = std::time::Duration::from_millis(20);
                let mut last: Option<Answer> = None;
                loop {
                    let answer = self.ask(tenant, &operation, &draft).await?;
                    let mut came = Vec::new();
                    for creation in &operation.yields {
                        for id in self.shown_ids(&answer, creation) {
                            came.push(creation.kind.clone());
                            tenant.stock.add(Made {
                                kind: creation.kind.clone(),
                                id,
                                label: None,
                                made_as: None,
                                by: operation.id.clone(),
                                undo: None,
                                params: Vec::new(),
                                named: vec![(one.kind.clone(), one.id.clone())],
                                ended: false,
                            });
                        }
                    }
                    let came = waited.iter().all(|kind| came.contains(kind));
                    let steady = last.as_ref().is_some_and(|last| last.unlike(&answer).is_none());
                    if came && steady || Instant::now() >= end || !answer.is_ok() {
                        break;
                    }
                    last = Some(answer);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(std::time::Duration::from_secs(2));
                }
            }
        }
        Ok(())
    }

    /// An answer's status, and the gateway's own reason if it is one of its refusals.
    pub(super) fn word(&self, answer: &Answer) -> String {
        let reason = self.reason(answer).map(|reason| format!(" ({})", reason.code())).unwrap_or_default();
        format!("{}{reason}", shown(answer.status))
    }
}

fn label(creation: &Creation, operation: &Operation, draft: &Draft, tenant: &Tenant) -> Option<String> {
    match creation.label.as_ref()? {
        Label::Value(place) => draft.values(place).into_iter().next(),
        Label::Same(index) => {
            let used = operation.uses.get(*index)?;
            let id = draft.values(&used.place).into_iter().next()?;
            tenant.stock.of(&used.kind).find(|made| made.id == id)?.label.clone()
        }
    }
}
