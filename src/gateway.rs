//! In which order? The way of a request, from the socket to the upstream and back.
//!
//! [`stack`] is what stands around every request, one layer a line; `way` is the way itself; `stages` are the values
//! that only the stage before can make. What is decided is decided in the rooms; here is only the order.

mod analysis;
mod asked;
mod assembly;
pub mod canary;
mod claims;
pub mod coverage;
mod deeds;
mod effects;
mod expected;
mod granted;
mod head;
mod inbound;
mod ledger;
mod lines;
mod lists;
mod live;
mod only;
mod outbound;
mod pages;
mod plan;
mod records;
pub mod rehearsal;
mod seen;
mod shared;
pub mod stack;
mod stages;
mod touched;
mod trail;
mod treatment;
mod unabandoned;
mod undo;
mod way;

use std::sync::Arc;

use http::header::HeaderValue;
use http::{Method, Request, Response};

use crate::audit::{Decision, Entry};
use crate::body::Outgoing;
use crate::body::coding::{CodingLimits, Decoder};
use crate::body::pump::Bounds;
use crate::catalog::{ErrorAnswer, problem};
use crate::config::Snapshot;
use crate::listener::{Connection, Held, RequestBody, Shutdown};
use crate::names::RequestId;
use crate::reason::{Reason, Refusal};
use crate::telemetry::{self, Listener, Stopwatch};

pub use live::Live;
pub use shared::{Parts, Permits};

use shared::Shared;
use trail::Trail;
use unabandoned::{Must, Unabandoned};

/// What a caller gets: a body that keeps the request's place until its last byte.
pub type Answer = Held<Outgoing, Place>;

/// What a request holds until the last byte of its answer.
pub struct Place {
    _permits: Option<Permits>,
    _counted: telemetry::Held,
}

/// The gateway.
#[derive(Clone)]
pub struct Gateway(Arc<Shared>);

impl Gateway {
    /// A gateway that works with these.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Shared::new(parts)))
    }

    /// Starts what works beside the requests.
    pub fn start(&self, shutdown: &Shutdown) {
        drop(self.0.shutdown.set(shutdown.clone()));
        shutdown.spawn(undo::run(Arc::clone(&self.0), shutdown.clone()));
        shutdown.spawn(ledger::tell(Arc::clone(&self.0), shutdown.clone()));
        shutdown.spawn(deeds::run(Arc::clone(&self.0), shutdown.clone()));
        shutdown.spawn(assembly::sweep(Arc::clone(&self.0), shutdown.clone()));
    }

    /// Requests from here on are decided by this configuration. Those under way keep theirs.
    pub fn replace(&self, live: Arc<Live>) {
        let generation = live.snapshot().generation;
        self.0.live.store(live);
        self.0.upstreams.retire_before(generation);
    }

    /// The configuration in force.
    #[must_use]
    pub fn live(&self) -> Arc<Live> {
        self.0.live.load_full()
    }

    /// Answers one request. Whatever happens, there is an answer, and it is recorded and counted.
    async fn answer(
        &self,
        connection: &Connection,
        request: Request<RequestBody>,
        must: Must,
    ) -> Response<Answer> {
        let id = RequestId::fresh();
        let counted = Place { _permits: None, _counted: self.0.metrics.in_flight(Listener::Data) };
        let slot = match self.0.audit.reserve().await {
            Ok(slot) => slot,
            Err(error) => {
                let refusal = Refusal::new(error.reason());
                return unrecorded(&self.0, &refusal, id, counted);
            }
        };
        let mut trail = Trail::begin(Arc::clone(&self.0), id, connection, &request, (slot, must));
        let (form, one_at_a_time) = (is_form(&request), request.version() < http::Version::HTTP_2);
        match way::walk(&self.0, &mut trail, &connection.peer, request).await {
            Ok((response, permits)) => {
                let held = Place { _permits: Some(permits), ..counted };
                response.map(|body| Held::new(body, held))
            }
            Err(refusal) => {
                let refusal = trail.refused(refusal).await;
                let mut response = shown(trail.error(&refusal));
                if form || (one_at_a_time && refusal.reason == Reason::FramingConflict) {
                    // Whether the rest of an upload was read by now must not show: it depends on time alone. And where
                    // a request ends that two readers could take differently, the next one's beginning is a guess.
                    response
                        .headers_mut()
                        .insert(http::header::CONNECTION, HeaderValue::from_static("close"));
                }
                response.map(|body| Held::new(body, counted))
            }
        }
    }

    /// The same, brought to its end even if the caller goes away.
    fn answering(
        &self,
        connection: Arc<Connection>,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Response<Answer>> + Send + 'static + use<> {
        let (gateway, must) = (self.clone(), Must::default());
        let shutdown = self.0.shutdown.get().cloned().unwrap_or_default();
        let end = must.clone();
        let work = Box::pin(async move { gateway.answer(&connection, request, must).await });
        Unabandoned::new(work, end, shutdown)
    }

    /// The answer to a request that failed by a mistake of ours. Its trail is lost with it, so it gets one of its own.
    async fn failed(&self) -> Response<Answer> {
        let refusal = Refusal::new(Reason::Internal);
        let id = RequestId::fresh();
        let mut entry = Entry::new(id, Decision::Error);
        entry.reason = Some(refusal.reason);
        entry.status = Some(refusal.reason.status());
        tracing::error!(request = %id, "a request failed by a mistake of ours");
        if let Err(error) = self.0.audit.durable(&entry).await {
            tracing::error!(request = %id, %error, "the audit trail can't record");
        }
        self.0.metrics.meter(None, None).record(&entry, &Method::GET, &Stopwatch::start());
        let place = Place { _permits: None, _counted: self.0.metrics.in_flight(Listener::Data) };
        shown(problem(&refusal, &id.to_string())).map(|body| Held::new(body, place))
    }
}

/// An upload in a connection that carries one request at a time.
fn is_form(request: &Request<RequestBody>) -> bool {
    let kind = request.headers().get(http::header::CONTENT_TYPE);
    request.version() < http::Version::HTTP_2
        && kind.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/"))
}

/// When the audit trail can't record, nothing passes, not even the knowledge of what was asked.
fn unrecorded(shared: &Shared, refusal: &Refusal, id: RequestId, place: Place) -> Response<Answer> {
    let mut entry = Entry::new(id, Decision::Error);
    entry.reason = Some(refusal.reason);
    entry.status = Some(refusal.reason.status());
    shared.metrics.meter(None, None).record(&entry, &Method::GET, &Stopwatch::start());
    tracing::error!(request = %id, reason = refusal.reason.code(), "the audit trail can't record");
    shown(problem(refusal, &id.to_string())).map(|body| Held::new(body, place))
}

fn shown(answer: ErrorAnswer) -> Response<Outgoing> {
    let mut response = Response::new(Outgoing::Full(Some(answer.body)));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

/// The decoder of a body's content coding, if it has one. What it decodes to is bounded as what arrives is.
fn coded<'v>(
    values: impl Iterator<Item = &'v HeaderValue>,
    bounds: &Bounds,
    snapshot: &Snapshot,
) -> Result<Option<Decoder>, Refusal> {
    let mut all = String::new();
    for value in values {
        if !all.is_empty() {
            all.push(',');
        }
        // Bytes that are no text are no coding either: the decoder refuses the name.
        all.push_str(value.to_str().unwrap_or("?"));
    }
    if all.is_empty() {
        return Ok(None);
    }
    let limits = CodingLimits { size: bounds.bytes, ratio: u64::from(snapshot.limits.ratio) };
    Decoder::new(&all, bounds.direction, limits)
}
