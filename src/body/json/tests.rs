mod edits;
mod facts;
mod grammar;
mod keys;
mod nested;
mod numbers;
mod values;

use std::sync::Arc;

use super::{JsonPlan, JsonTransform, Watch};
use crate::body::{Job, Transform};
use crate::catalog::Edit;

fn plan(watches: &[Watch], edits: &[Edit]) -> Arc<JsonPlan> {
    Arc::new(JsonPlan::compile(watches, edits).unwrap())
}

fn censoring(job: &Job) -> impl Fn() -> Box<dyn Transform> + use<> {
    let job = job.clone();
    let plan = Arc::new(JsonPlan::empty());
    move || Box::new(JsonTransform::new(job.clone(), Arc::clone(&plan)))
}
