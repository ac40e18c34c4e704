//! How an answer's body is transformed, by what it is.

use std::sync::Arc;

use http::HeaderMap;

use super::super::treatment;
use super::{Call, Kind};
use crate::body::json::JsonTransform;
use crate::body::sse::SseTransform;
use crate::body::{Facts, Pass, Transform};
use crate::reason::Refusal;

/// How an answer's body is transformed.
pub(super) enum Down {
    Json(Box<JsonTransform>),
    Events(Box<SseTransform>),
    Other(Box<dyn Transform>),
}

impl Down {
    pub(super) fn new(call: &Call, kind: Kind, headers: &HeaderMap) -> Result<Self, Refusal> {
        let plan = Arc::clone(&call.request.plan.response);
        let job = call.job.clone();
        Ok(match kind {
            Kind::Json => Self::Json(Box::new(JsonTransform::new(job, plan))),
            Kind::Events => {
                let plan = Arc::clone(&call.request.plan.events);
                Self::Events(Box::new(SseTransform::new(job, plan)))
            }
            Kind::Text | Kind::File => {
                Self::Other(treatment::of_answer(&call.request, job, headers, call.spools()))
            }
            Kind::Opaque | Kind::Id | Kind::Nothing => Self::Other(Box::new(Pass)),
        })
    }

    /// What was read at the places of the profile since the last time.
    pub(super) fn take_facts(&mut self) -> Facts {
        match self {
            Self::Json(json) => json.take_facts(),
            Self::Events(events) => events.take_facts(),
            Self::Other(_) => Facts::default(),
        }
    }
}

impl Transform for Down {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        match self {
            Self::Json(t) => t.push(input, out),
            Self::Events(t) => t.push(input, out),
            Self::Other(t) => t.push(input, out),
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        match self {
            Self::Json(t) => t.finish(out),
            Self::Events(t) => t.finish(out),
            Self::Other(t) => t.finish(out),
        }
    }

    fn drain(&mut self, out: &mut Vec<u8>) -> Result<bool, Refusal> {
        match self {
            Self::Json(t) => t.drain(out),
            Self::Events(t) => t.drain(out),
            Self::Other(t) => t.drain(out),
        }
    }

    fn held(&self) -> usize {
        match self {
            Self::Json(t) => t.held(),
            Self::Events(t) => t.held(),
            Self::Other(t) => t.held(),
        }
    }
}
