//! What becomes of a form's file, once the fields that decide about it are known.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::asked::Asked;
use super::assembly::Told;
use super::lines::{LineJudge, LinesTransform};
use super::records::{self, Clerk};
use super::seen::Seen;
use super::stages::Recognised;
use crate::body::container::{ContainerLimits, Containers};
use crate::body::file::{FileHint, FileKind, FilePlans, FileTransform};
use crate::body::json::JsonPlan;
use crate::body::multipart::{FileDecision, FileTreatment};
use crate::body::spool::Spools;
use crate::body::{Facts, Job};
use crate::catalog::{BodyShape, Condition, FieldContent};
use crate::names::{DatasetName, Direction, Purpose};

/// Whether the fields that decide are known.
#[derive(Clone, Default)]
pub(super) struct Decided(Arc<AtomicBool>);

impl Decided {
    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Files are censored as what they are; a file of requests is read line by line as the requests that it holds.
pub(super) fn of(
    request: &Recognised,
    job: &Job,
    decided: &Decided,
    asked: &Asked,
    spools: &Spools,
) -> FileDecision {
    let (plan, path, query) = (Arc::clone(&request.plan), request.path.clone(), request.query.clone());
    let headers = request.received.parts.headers.clone();
    let (job, decided) = (job.clone(), decided.clone());
    let judge = LineJudge::of(request, asked.clone());
    // A name that can't be one was refused before the body was read.
    let clerk = Clerk::of(request, &job, super::way::dataset(request).ok().flatten());
    let record = request.received.snapshot().limits.record_bytes;
    let opaque = is_opaque(request);
    let containers = containers(request, spools.clone(), Direction::Request);
    Box::new(move |facts, header| {
        decided.set();
        // The tenant's list names the operation: that was checked before.
        let field = header.field.and_then(|field| plan.fields().get(field));
        if field.is_some_and(|field| field.content == FieldContent::Opaque) {
            return Ok(FileTreatment::Pass);
        }
        let json = Facts::default();
        let seen =
            Seen { plan: &plan, path: &path, query: &query, headers: &headers, json: &json, form: facts };
        let lines = plan.operation.lines.as_ref();
        let of_requests = lines.is_some_and(|l| l.when.as_ref().is_none_or(|when| seen.holds(when)));
        let transform: Box<dyn crate::body::Transform> = match &judge {
            Some(judge) if of_requests => Box::new(LinesTransform::new(job.clone(), judge.clone(), record)),
            Some(_) | None => {
                let of_records = plan.operation.records.as_ref().is_some_and(|when| seen.holds(when));
                let hint = FileHint {
                    expected: of_records.then_some(FileKind::Jsonl),
                    name: header.filename.clone(),
                    content_type: header.content_type.clone(),
                };
                let uses = records::uses(&plan.operation, &seen.purposes());
                let judged = clerk.as_ref().filter(|_| !uses.is_empty()).map(|clerk| clerk.begin(uses));
                let plans = plans(opaque, Some(containers.clone())).judged(judged);
                Box::new(FileTransform::new(job.clone(), hint, plans))
            }
        };
        Ok(FileTreatment::Transform(transform))
    })
}

/// The same for an upload that was put together from parts.
pub(super) fn of_upload(
    request: &Recognised,
    job: &Job,
    told: &Told,
    (uses, dataset): (&BTreeSet<Purpose>, Option<&DatasetName>),
    asked: &Asked,
    spools: &Spools,
) -> Box<dyn crate::body::Transform> {
    let Told { purpose, filename, mime, .. } = told;
    let operations = request.received.catalog().operations();
    let lines = operations.iter().filter_map(|o| o.lines.as_ref()).find(|lines| {
        lines.when.as_ref().is_none_or(|when| when.values.iter().any(|value| **value == *purpose))
    });
    match lines {
        Some(lines) => {
            let judge = LineJudge::new(request, lines, asked.clone());
            let record = request.received.snapshot().limits.record_bytes;
            Box::new(LinesTransform::new(job.clone(), judge, record))
        }
        None => {
            let of_records = |when: &Condition| when.values.iter().any(|value| **value == *purpose);
            let records = operations.iter().filter_map(|o| o.records.as_ref()).any(of_records);
            let hint = FileHint {
                expected: records.then_some(FileKind::Jsonl),
                name: Some(filename.clone()),
                content_type: Some(mime.clone()),
            };
            let containers = containers(request, spools.clone(), Direction::Request);
            let uses = records::uses(request.operation(), uses);
            let clerk = Clerk::of(request, job, dataset.cloned()).filter(|_| !uses.is_empty());
            let plans =
                plans(is_opaque(request), Some(containers)).judged(clerk.map(|clerk| clerk.begin(uses)));
            Box::new(FileTransform::new(job.clone(), hint, plans))
        }
    }
}

/// Whether what can't be inspected may pass: the tenant's list names this very operation. What can be is censored all
/// the same.
pub(super) fn is_opaque(request: &Recognised) -> bool {
    request.tenant.opaque.contains(&request.operation().id)
}

/// A request's body that is a text, lines of records, or whatever its type and first bytes say.
pub(super) fn of_body(request: &Recognised, job: &Job, spools: Spools) -> Box<dyn crate::body::Transform> {
    let containers = containers(request, spools, Direction::Request);
    let headers = &request.received.parts.headers;
    of_shape(&request.operation().request, job.clone(), headers, is_opaque(request), Some(containers), None)
}

/// The same for the answer to a request.
pub(super) fn of_answer(
    request: &Recognised,
    job: Job,
    headers: &http::HeaderMap,
    spools: Spools,
) -> Box<dyn crate::body::Transform> {
    let containers = containers(request, spools, Direction::Response);
    let edits = Some(Arc::clone(&request.plan.response));
    of_shape(&request.operation().response, job, headers, is_opaque(request), Some(containers), edits)
}

/// The same for any message. Archives and tables may stand where a file is expected, and nowhere else. JSON in it, as a
/// document or line by line, is edited as the plan says.
pub(super) fn of_shape(
    shape: &BodyShape,
    job: Job,
    headers: &http::HeaderMap,
    opaque: bool,
    containers: Option<Containers>,
    edits: Option<Arc<JsonPlan>>,
) -> Box<dyn crate::body::Transform> {
    let content_type = super::inbound::content_type(headers);
    match shape {
        BodyShape::Text => crate::body::file::text(job, content_type.as_deref()),
        shape => {
            let expected = (*shape == BodyShape::Jsonl).then_some(FileKind::Jsonl);
            let containers = containers.filter(|_| *shape == BodyShape::File);
            let hint = FileHint { expected, name: None, content_type };
            let plan = edits.unwrap_or_else(|| Arc::new(JsonPlan::empty()));
            Box::new(FileTransform::new(job, hint, FilePlans::new(plan, opaque, containers)))
        }
    }
}

/// How archives and tables in binary formats are read: what they unpack to is bounded as bodies are.
fn containers(request: &Recognised, spools: Spools, direction: Direction) -> Containers {
    let limits = &request.received.snapshot().limits;
    let decoded = match direction {
        Direction::Request => limits.upload_bytes,
        Direction::Response => limits.response_bytes,
    };
    let ratio = u64::from(limits.ratio);
    let bounds = ContainerLimits {
        members: limits.members,
        decoded,
        ratio,
        nesting: limits.nesting,
        block: limits.block_bytes,
        ..ContainerLimits::default()
    };
    Containers::new(spools, bounds)
}

/// How a file is treated that comes up: it is censored as what it is, and nothing in it is edited.
fn plans(allow_uninspectable: bool, containers: Option<Containers>) -> FilePlans {
    FilePlans::new(Arc::new(JsonPlan::empty()), allow_uninspectable, containers)
}
