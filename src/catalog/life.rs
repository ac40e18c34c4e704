//! How the resources of a kind are shown, cancelled and deleted: found out from the operations of the profile, so that
//! what is over can be ended without its owner.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::Method;

use super::fill::fill;
use super::operation::{BodyShape, Creation, Label, Operation, Place};
use crate::names::{Kind, OperationId, Purpose};
use crate::pointer::Pointer;

/// A call about one resource, which needs no more than its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The operation.
    pub operation: OperationId,
    /// Its method.
    pub method: Method,
    /// Its path template.
    template: Arc<str>,
    /// The only parameter of the template.
    param: Arc<str>,
}

impl Call {
    /// The path of the call for an id.
    #[must_use]
    pub fn path(&self, id: &str) -> Option<String> {
        fill(&self.template, |name| (*name == *self.param).then_some(id))
    }
}

/// How a resource says that it has come to its end by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Over {
    /// Where its state stands in what shows it.
    pub at: Pointer,
    /// The states after which nothing more happens.
    pub is: Vec<Arc<str>>,
}

/// The life of the resources of a kind.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// Shows one.
    pub show: Option<Call>,
    /// Deletes one.
    pub delete: Option<Call>,
    /// Stops one that runs.
    pub cancel: Option<Call>,
    /// How one says that it is over. A kind that has it is a kind of jobs.
    pub over: Option<Over>,
    /// What the answer that shows one may show for the first time.
    pub yields: Vec<Creation>,
    /// The kinds that come out of one.
    pub outputs: BTreeSet<Kind>,
    /// The uses for which every call that makes one needs a grant, as far as they are training.
    pub training: BTreeSet<Purpose>,
    /// What one was made for, if that made it training data.
    pub training_labels: BTreeSet<Arc<str>>,
    /// The kinds of what the calls that make one name.
    pub from: BTreeSet<Kind>,
    /// The calls that make one.
    pub makers: BTreeSet<OperationId>,
}

/// The lives of all kinds.
pub(super) fn of(
    operations: &[Arc<Operation>],
    over: &BTreeMap<Kind, Over>,
    kinds: impl Iterator<Item = Kind>,
) -> BTreeMap<Kind, Life> {
    let served: Vec<&Operation> =
        operations.iter().map(|op| &**op).filter(|op| op.refused.is_none()).collect();
    kinds.map(|kind| (kind.clone(), life(&served, &kind, over.get(&kind)))).collect()
}

fn life(served: &[&Operation], kind: &Kind, over: Option<&Over>) -> Life {
    let find = |fits: &dyn Fn(&Operation) -> bool| {
        served.iter().filter(|op| fits(op)).find_map(|op| Some((call(op, kind)?, *op)))
    };
    let delete = find(&|op| op.ends.and_then(|at| op.uses.get(at)).is_some_and(|used| used.kind == *kind));
    let show = find(&|op| {
        op.method == Method::GET
            && op.list.is_none()
            && matches!(op.response, BodyShape::Json | BodyShape::JsonOrEvents)
            && op.template.ends_with(['}', '/'])
    });
    let makers = || served.iter().filter(|op| op.creates.iter().any(|creation| creation.kind == *kind));
    let undone = makers().flat_map(|op| &op.creates).filter(|creation| creation.kind == *kind);
    let cancel = undone.filter_map(|creation| creation.undo.as_ref()).find_map(|undo| {
        let op = served.iter().find(|op| op.id == undo.operation && op.ends.is_none())?;
        call(op, kind)
    });
    Life {
        delete: delete.map(|(call, _)| call),
        yields: show.as_ref().map(|(_, op)| op.yields.clone()).unwrap_or_default(),
        show: show.map(|(call, _)| call),
        cancel: cancel.filter(|_| over.is_some()),
        over: over.cloned(),
        outputs: outputs(served, kind),
        training: makers().flat_map(|op| trains(op)).collect(),
        training_labels: makers().flat_map(|op| labels(op, kind)).collect(),
        from: makers().flat_map(|op| &op.uses).map(|used| used.kind.clone()).collect(),
        makers: makers().map(|op| op.id.clone()).collect(),
    }
}

/// The call, if an id of the kind in the path is all that it takes.
fn call(op: &Operation, kind: &Kind) -> Option<Call> {
    let mut params = op.template.match_indices('{');
    let (begin, _) = params.next()?;
    if params.next().is_some()
        || op.uses.iter().any(|used| used.required && !matches!(used.place, Place::Path(_)))
    {
        return None;
    }
    let name = op.template.get(begin + 1..)?.split(['}', ':']).next()?;
    let named = op
        .uses
        .iter()
        .any(|used| used.kind == *kind && matches!(&used.place, Place::Path(param) if **param == *name));
    named.then(|| Call {
        operation: op.id.clone(),
        method: op.method.clone(),
        template: Arc::clone(&op.template),
        param: Arc::from(name),
    })
}

/// What calls about one of the kind, or lists of them, show first.
fn outputs(served: &[&Operation], kind: &Kind) -> BTreeSet<Kind> {
    let about = |op: &&&Operation| {
        op.list.as_ref().is_some_and(|list| list.kind == *kind)
            || op.uses.iter().any(|used| used.kind == *kind && matches!(used.place, Place::Path(_)))
    };
    let yields = served.iter().filter(about).flat_map(|op| &op.yields);
    yields.map(|creation| creation.kind.clone()).filter(|out| out != kind).collect()
}

const fn training(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::Train | Purpose::Evaluate)
}

/// The training uses that every call of an operation is.
fn trains(op: &Operation) -> impl Iterator<Item = Purpose> + '_ {
    op.training.iter().filter(|use_| use_.when.is_none()).map(|use_| use_.purpose).filter(|p| training(*p))
}

/// The labels of what is made by a call that is a training use because of the label.
fn labels<'o>(op: &'o Operation, kind: &'o Kind) -> impl Iterator<Item = Arc<str>> + 'o {
    let places = op.creates.iter().filter(|creation| creation.kind == *kind).filter_map(|creation| {
        match &creation.label {
            Some(Label::Value(place)) => Some(place),
            _ => None,
        }
    });
    places.flat_map(|place| {
        let uses = op.training.iter().filter(|use_| training(use_.purpose));
        let when = uses.filter_map(|use_| use_.when.as_ref()).filter(move |when| when.place == *place);
        when.flat_map(|when| when.values.iter().cloned())
    })
}
