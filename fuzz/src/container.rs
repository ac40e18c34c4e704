//! Archives and tables in binary formats. Their bytes stand for themselves; where one may hold a planted value of its
//! length, a mark stands that has it.

use std::sync::Arc;

use consentry::body::container::{ContainerLimits, Containers};
use consentry::body::file::{FileHint, FilePlans, FileTransform};
use consentry::body::json::JsonPlan;
use consentry::body::{Job, Transform};
use consentry::names::Direction;
use consentry::reason::Reason;

use super::input::Input;
use super::passed::Treatment;
use super::values::{self, ENGINES};

const MARK: &[u8] = b"NIX_NIX_NIX_NIX_";
/// What a container may hold: little, so that inputs reach it.
const LIMITS: ContainerLimits =
    ContainerLimits { members: 32, decoded: 1 << 20, ratio: 100, nesting: 2, path: 256, block: 256 * 1024 };

/// Runs an input.
pub fn run(data: &[u8]) {
    let Some(input) = Input::new(data) else { return };
    let body = planted(input.template);
    let engine = &ENGINES[0];
    let allow_uninspectable = input.one_of(2) == 1;
    let job = || values::job(engine, Direction::Request);
    let make = |job: Job| -> Box<dyn Transform> {
        let plan = Arc::new(JsonPlan::empty());
        let containers = Containers::new(values::spools(), LIMITS);
        let plans = FilePlans::new(plan, allow_uninspectable, Some(containers));
        Box::new(FileTransform::new(job, FileHint::default(), plans))
    };
    // Where what can't be inspected may pass, it passes; a value with letters beside it is none.
    let finds = !allow_uninspectable && is_clear(&body);
    let treatment = Treatment { finds, ..Treatment::new(&job, &make) };
    let whole = treatment.check(&input, &body);
    match &whole.refusal {
        Some(refusal) => assert!(refusal.reason != Reason::Internal, "{refusal:?}"),
        None if whole.is_clean() => assert!(whole.out == body, "nothing was found, and it changed"),
        None => {}
    }
}

/// Whether each planted value stands by itself.
fn is_clear(body: &[u8]) -> bool {
    let value = values::planted(1).unwrap_or_default().trim().as_bytes();
    let apart = |at: Option<usize>| {
        let beside = at.and_then(|at| body.get(at));
        beside.is_none_or(|byte| !byte.is_ascii_graphic() && byte.is_ascii() || b"/.\"".contains(byte))
    };
    memchr::memmem::find_iter(body, value).all(|at| apart(at.checked_sub(1)) && apart(Some(at + value.len())))
}

/// The body with a planted value at each mark.
fn planted(template: &[u8]) -> Vec<u8> {
    let value = values::planted(1).unwrap_or_default().trim();
    assert_eq!(value.len(), MARK.len());
    let mut body = template.to_vec();
    let places: Vec<usize> = memchr::memmem::find_iter(template, MARK).collect();
    for at in places {
        body[at..at + MARK.len()].copy_from_slice(value.as_bytes());
    }
    body
}
