//! What has to be read from an operation's bodies and what is rewritten in them, compiled once for each configuration.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::expected::Expected;
use super::seen::holder;
use crate::body::json::{JsonPlan, PlanError, Watch};
use crate::body::sse::SsePlan;
use crate::catalog::{Edit, EditAction, FormField, Lines, Operation, Place};
use crate::names::{NameMap, OperationId, RouteName};
use crate::pointer::{Pointer, Step};

/// What an operation's bodies are read for.
pub(super) struct Plan {
    /// The operation.
    pub(super) operation: Arc<Operation>,
    /// The places of the request's JSON that decide; the index is the watch's.
    pub(super) watched: Vec<Pointer>,
    /// Reading the request, with the upstream told not to store it.
    pub(super) request_unstored: Arc<JsonPlan>,
    /// Reading the request, as it is.
    pub(super) request: Arc<JsonPlan>,
    /// Reading an answer: the watches are those of `creates`, then of `yields`, then of `shows`.
    pub(super) response: Arc<JsonPlan>,
    /// The watch of the ids of a list's items, if what they yield is to be theirs.
    pub(super) item: Option<usize>,
    /// What the answer has to say.
    pub(super) expected: Expected,
    /// Reading an answer that is an event stream: the same watches, in each event.
    pub(super) events: Arc<SsePlan>,
    /// The labels that some use of the API asks for.
    pub(super) labels: Arc<[Arc<str>]>,
    /// Reading the operation's request as a line of a file of requests.
    pub(super) lines: Option<LinePlan>,
}

/// An operation as a line of a file of requests.
pub(super) struct LinePlan {
    /// What such lines look like.
    pub(super) shape: Lines,
    /// Reading the method and the URL of a line, in this order.
    pub(super) words: Arc<JsonPlan>,
    /// As `request_unstored`, inside the line.
    pub(super) unstored: Arc<JsonPlan>,
    /// As `request`, inside the line.
    pub(super) plain: Arc<JsonPlan>,
}

/// The plans of all operations.
#[derive(Default)]
pub(super) struct Plans(NameMap<(RouteName, OperationId), Arc<Plan>>);

impl Plans {
    /// Compiles the plans of a route's operations.
    ///
    /// # Errors
    /// With the operation whose places can't be compiled.
    pub(super) fn add(
        &mut self,
        route: &RouteName,
        operations: &[Arc<Operation>],
    ) -> Result<(), (OperationId, PlanError)> {
        let shapes: Vec<&Lines> = operations.iter().filter_map(|o| o.lines.as_ref()).collect();
        let asked = operations.iter().flat_map(|o| &o.uses).flat_map(|u| &u.labels).cloned();
        let labels: Arc<[Arc<str>]> = asked.collect::<BTreeSet<_>>().into_iter().collect();
        for operation in operations {
            let lines = shapes.iter().find(|l| l.operations.contains(&operation.id)).copied();
            let plan = Plan::new(operation, lines, &labels).map_err(|error| (operation.id.clone(), error))?;
            self.0.insert((route.clone(), operation.id.clone()), Arc::new(plan));
        }
        Ok(())
    }

    /// The plan of an operation.
    pub(super) fn get(&self, route: &RouteName, operation: &OperationId) -> Option<&Arc<Plan>> {
        // One lookup a request; the names are shared pointers, so the key costs two reference counts.
        self.0.get(&(route.clone(), operation.clone()))
    }
}

impl Plan {
    fn new(
        operation: &Arc<Operation>,
        lines: Option<&Lines>,
        labels: &Arc<[Arc<str>]>,
    ) -> Result<Self, PlanError> {
        let watched = watched(operation);
        let ids: Vec<&Pointer> = operation.uses.iter().filter_map(|u| json(&u.place)).collect();
        let watches: Vec<Watch> =
            watched.iter().map(|at| Watch { at: at.clone(), opaque_to_censor: ids.contains(&at) }).collect();
        let plain = operation.request_edits.clone();
        let unstored = [plain.clone(), unstore(operation)].concat();
        let (mut answers, expected) = Expected::of(operation);
        let item = item(operation).map(|at| {
            answers.push(Watch::opaque(at));
            answers.len() - 1
        });
        let line = |edits: &[Edit], shape: &Lines| -> Result<Arc<JsonPlan>, PlanError> {
            let mut inside: Vec<Watch> = watches
                .iter()
                .map(|w| Watch { at: shape.body.join(&w.at), opaque_to_censor: w.opaque_to_censor })
                .collect();
            // That each stands once is checked by watching it.
            let words =
                [&shape.method, &shape.url].map(|at| Watch { at: at.clone(), opaque_to_censor: true });
            inside.extend(words);
            let edits: Vec<Edit> =
                edits.iter().map(|e| Edit { at: shape.body.join(&e.at), action: e.action.clone() }).collect();
            JsonPlan::compile(&inside, &edits).map(Arc::new)
        };
        let lines = match lines {
            None => None,
            Some(shape) => Some(LinePlan {
                shape: shape.clone(),
                words: Arc::new(JsonPlan::reading(&[&shape.method, &shape.url])?),
                unstored: line(&unstored, shape)?,
                plain: line(&plain, shape)?,
            }),
        };
        Ok(Self {
            operation: Arc::clone(operation),
            request_unstored: Arc::new(JsonPlan::compile(&watches, &unstored)?),
            request: Arc::new(JsonPlan::compile(&watches, &plain)?),
            response: Arc::new(JsonPlan::compile(&answers, &operation.response_edits)?),
            events: Arc::new(SsePlan::compile(&operation.channels, &answers, &operation.response_edits)?),
            expected,
            item,
            labels: Arc::clone(labels),
            lines,
            watched,
        })
    }

    /// The fields of the operation's form.
    pub(super) fn fields(&self) -> &[FormField] {
        self.operation.request.fields()
    }

    /// The index of a JSON place among the watches.
    pub(super) fn watch(&self, at: &Pointer) -> Option<usize> {
        self.watched.iter().position(|w| w == at)
    }
}

/// Where the ids stand of the items that yield something.
fn item(operation: &Operation) -> Option<Pointer> {
    let list = operation.list.as_ref().filter(|_| !operation.yields.is_empty())?;
    Some(list.items.join(&Pointer::from(vec![Step::Any])).join(&list.id))
}

/// Tells the upstream not to store. Where it stores unless told otherwise the word has to be added; where it doesn't,
/// only a `true` changes.
fn unstore(operation: &Operation) -> Vec<Edit> {
    let Some(store) = &operation.store else { return Vec::new() };
    let value = serde_json::Value::Bool(false);
    let action = if store.default { EditAction::Set(value) } else { EditAction::Replace(value) };
    vec![Edit { at: store.at.clone(), action }]
}

const fn json(place: &Place) -> Option<&Pointer> {
    match place {
        Place::Json(pointer) => Some(pointer),
        _ => None,
    }
}

/// Every JSON place of the request that something depends on, each once.
fn watched(operation: &Operation) -> Vec<Pointer> {
    let places = || operation.deciding().filter_map(json);
    let holders: Vec<Pointer> = places().filter_map(holder).collect();
    let mut all: Vec<Pointer> = Vec::new();
    for at in places().chain(operation.store.iter().map(|s| &s.at)).chain(&holders) {
        if !all.contains(at) {
            all.push(at.clone());
        }
    }
    all
}
