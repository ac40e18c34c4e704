//! The parts as one file: read, censored, and sent up through the API's own upload operations.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde_json::{Value, json};

use super::super::asked::{Asked, Asker};
use super::super::effects::Open;
use super::super::outbound::Call;
use super::super::shared::Shared;
use super::super::stages::Recognised;
use super::super::trail::Trail;
use super::super::{effects, head, records, treatment, way};
use super::About;
use crate::body::json::JsonTransform;
use crate::body::pump::Pump;
use crate::body::spool::{InOrder, Spool, Spooled};
use crate::body::{Censored, Transform};
use crate::catalog::Assembly;
use crate::censor::Exchange;
use crate::consent::{Permit, Question, Signals};
use crate::isolation::TenantScope;
use crate::names::Direction;
use crate::reason::{Reason, Refusal};
use crate::upstream::{AnswerBody, Cleared, Head};

/// The size of a part that goes up: the API takes 64 MB.
const PART: u64 = 32 << 20;

const BOUNDARY: &str = "consentry-9f1c6c2d7a5e4b0f8d3e";

/// Sends the file up and returns the API's word of it. It is the tenant's by then.
pub(super) async fn file(
    shared: &Arc<Shared>,
    trail: &mut Trail,
    request: &Recognised,
    (open, parts, given_up): (&About, Vec<Arc<Spool>>, &Arc<AtomicBool>),
) -> Result<Value, Refusal> {
    let exchange = way::exchange(request);
    trail.exchange(exchange.clone());
    let job = way::job(request, exchange.clone(), Direction::Request);
    trail.meter(&job);
    let asked = Asked::default();
    let spools = shared.spools(&request.tenant);
    let transform = treatment::of_upload(request, &job, &open.told, &open.purposes, &asked, &spools);
    let (spool, parts, given_up) = (spools.open(), InOrder::new(parts), Arc::clone(given_up));
    // A whole file at once: the workers have others to serve.
    let censored = tokio::task::spawn_blocking(move || censor(spool, transform, parts, &given_up)).await;
    let censored = censored.map_err(|_panic| Refusal::new(Reason::Internal).log("joining an upload"))??;
    let received = &request.received;
    let asker = Asker::new(shared, request, open.dataset.clone());
    let scope = asker.admit(&asked).await?;
    // A grant may have been withdrawn since the upload was opened.
    let datasets: Vec<_> = open.dataset.iter().cloned().collect();
    let signals = Signals::of(&received.parts.headers);
    let records = records::of(request, &records::uses(request.operation(), &open.purposes));
    let question =
        Question { purposes: &open.purposes, datasets: &datasets, subjects: &[], signals, records };
    let permit = shared.permit(&request.tenant.id, &question, &scope);
    trail.asked(&open.purposes, permit.as_ref().err());
    let call = Upwards { shared, request, scope: &scope, permit: &permit? };
    call.send(trail, open, censored, exchange).await
}

/// Joins the parts and reads them as one file.
fn censor(
    mut censored: Spool,
    mut transform: Box<dyn Transform>,
    mut parts: InOrder,
    given_up: &AtomicBool,
) -> Result<Spool, Refusal> {
    let (mut input, mut out) = (Vec::new(), Vec::new());
    let mut give = |transform: &mut Box<dyn Transform>, out: &mut Vec<u8>| -> Result<(), Refusal> {
        loop {
            let more = transform.drain(out)?;
            censored.push(out)?;
            out.clear();
            if !more {
                return Ok(());
            }
        }
    };
    while parts.read(&mut input)? {
        if given_up.load(Ordering::Acquire) {
            return Err(Refusal::new(Reason::ClientGone));
        }
        transform.push(&input, &mut out)?;
        give(&mut transform, &mut out)?;
        input.clear();
    }
    transform.finish(&mut out)?;
    give(&mut transform, &mut out)?;
    Ok(censored)
}

/// The calls that carry the file.
struct Upwards<'a> {
    shared: &'a Arc<Shared>,
    request: &'a Recognised,
    scope: &'a TenantScope,
    permit: &'a Permit,
}

impl Upwards<'_> {
    async fn send(
        &self,
        trail: &mut Trail,
        open: &About,
        censored: Spool,
        exchange: Exchange,
    ) -> Result<Value, Refusal> {
        let length = censored.len();
        let told = json!({
            "filename": open.told.filename,
            "purpose": open.told.purpose,
            "bytes": length,
            "mime_type": open.told.mime,
        });
        let path = self.path(Assembly::Create, "")?;
        let made = self.ask(trail, &path, "application/json", Censored::own(told.to_string())).await?;
        let upload = id(&made)?;
        match self.completed(trail, open, &upload, censored).await {
            Ok((response, begun)) => {
                let file = self.claimed(open, response, exchange, &begun).await;
                effects::settle(self.shared, &begun, file.is_ok()).await;
                file
            }
            Err(refusal) => {
                // Nothing is left half-made upstream.
                let path = self.path(Assembly::Cancel, &upload)?;
                let _ = self.dispatch(trail, &path, "application/json", Censored::nothing()).await;
                Err(refusal)
            }
        }
    }

    /// Sends the parts and has them put together.
    async fn completed(
        &self,
        trail: &mut Trail,
        open: &About,
        upload: &str,
        censored: Spool,
    ) -> Result<(Response<AnswerBody>, Open), Refusal> {
        let ids = self.parts(trail, upload, censored).await?;
        let path = self.path(Assembly::Complete, upload)?;
        let body = Censored::own(json!({ "part_ids": ids }).to_string());
        let (dataset, label) = (open.dataset.as_ref(), open.label.as_ref());
        let said = Some(self.shared.keyer.label(&open.told.purpose));
        let about = effects::About { scope: self.scope, dataset, label, said };
        let begun = effects::begin(self.shared, self.request, &[true], about).await?;
        let response = match self.dispatch(trail, &path, "application/json", body).await {
            Ok(response) => response,
            Err(refusal) => {
                effects::lose(self.shared, &begun).await;
                return Err(refusal);
            }
        };
        if let Err(refusal) = succeeded(response.status()) {
            // It said that there is none.
            effects::settle(self.shared, &begun, true).await;
            return Err(refusal);
        }
        Ok((response, begun))
    }

    async fn parts(&self, trail: &mut Trail, upload: &str, censored: Spool) -> Result<Vec<String>, Refusal> {
        let path = self.path(Assembly::Part, upload)?;
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let mut left = censored.len();
        let mut reader = Reading { reader: censored.into_reader(), rest: Vec::new() };
        let mut ids = Vec::new();
        while left > 0 || ids.is_empty() {
            let size = left.min(PART);
            let (body, returned) = part(reader, size);
            let made = self.ask(trail, &path, &kind, Censored::pumped(body)).await?;
            ids.push(id(&made)?);
            left -= size;
            reader = returned.await.map_err(|_gone| {
                Refusal::new(Reason::UpstreamUnexpected).log("the upstream answered before the part's end")
            })?;
        }
        Ok(ids)
    }

    /// The new file is the tenant's before the tenant learns of it.
    async fn claimed(
        &self,
        open: &About,
        response: Response<AnswerBody>,
        exchange: Exchange,
        begun: &Open,
    ) -> Result<Value, Refusal> {
        let unexpected = || Refusal::new(Reason::UpstreamUnexpected).log("completing an upload");
        let creates = vec![true; self.request.operation().creates.len()];
        let job = way::job(self.request, exchange, Direction::Response);
        let bounds = Call::bounds_of(self.request);
        let transform = JsonTransform::new(job, Arc::clone(&self.request.plan.response));
        let mut pump = Pump::new(response.into_body(), None, transform, bounds);
        let bytes = pump.at_most(self.request.received.snapshot().limits.record_bytes).await?;
        let claiming = super::super::claims::Claiming {
            shared: self.shared,
            request: self.request,
            scope: self.scope,
            named: Vec::new(),
            begun,
            dataset: open.dataset.as_ref(),
            label: open.label.as_ref(),
            creates: &creates,
        };
        claiming.record(pump.transform().facts()).await?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|_error| unexpected())?;
        Ok(value["file"].clone())
    }

    fn path(&self, assembly: Assembly, upload: &str) -> Result<String, Refusal> {
        let missing = || Refusal::new(Reason::Internal).log("a profile's assembly is not whole");
        let operations = self.request.received.catalog().operations();
        let operation = operations.iter().find(|o| o.assembly == Some(assembly)).ok_or_else(missing)?;
        crate::catalog::fill(&operation.template, |_| Some(upload)).ok_or_else(missing)
    }

    async fn ask(&self, trail: &mut Trail, path: &str, kind: &str, body: Censored) -> Result<Value, Refusal> {
        let response = self.dispatch(trail, path, kind, body).await?;
        let unexpected = || Refusal::new(Reason::UpstreamUnexpected).log("a step of an upload");
        succeeded(response.status())?;
        let mut pump =
            Pump::new(response.into_body(), None, crate::body::Pass, Call::bounds_of(self.request));
        let bytes = pump.at_most(1 << 20).await?;
        serde_json::from_slice(&bytes).map_err(|_error| unexpected())
    }

    async fn dispatch(
        &self,
        trail: &mut Trail,
        path: &str,
        kind: &str,
        body: Censored,
    ) -> Result<Response<AnswerBody>, Refusal> {
        let received = &self.request.received;
        let upstream = &received.route.upstream;
        let mut headers = head::own(http::HeaderMap::new(), upstream, received.id);
        let kind = HeaderValue::try_from(kind).map_err(|_error| Refusal::new(Reason::Internal))?;
        headers.insert(header::CONTENT_TYPE, kind);
        let head = Head { method: Method::POST, uri: head::target(upstream, path, None, None)?, headers };
        let cleared = Cleared::new(head, self.scope, self.permit, body);
        trail.dispatched(&upstream.id);
        let answered =
            self.shared.upstreams.dispatch(upstream, received.snapshot().generation, cleared).await;
        trail.upstream(&upstream.id, answered.as_ref());
        answered
    }
}

/// What the upstream could not do now may be asked for again: the parts are still there.
fn succeeded(status: StatusCode) -> Result<(), Refusal> {
    let reason = match status {
        status if status.is_success() => return Ok(()),
        StatusCode::TOO_MANY_REQUESTS => Reason::UpstreamLimited,
        status if status.is_server_error() => Reason::UpstreamBroke,
        _ => Reason::UpstreamUnexpected,
    };
    let mut refusal = Refusal::new(reason).log("a step of an upload");
    if reason != Reason::UpstreamUnexpected {
        refusal.retry_after = Some(std::time::Duration::from_secs(1));
    }
    Err(refusal)
}

fn id(value: &Value) -> Result<String, Refusal> {
    let id = value["id"].as_str().map(str::to_owned);
    id.ok_or_else(|| Refusal::new(Reason::UpstreamUnexpected).log("a step of an upload has no id"))
}

/// A spool that is read in parts.
struct Reading {
    reader: Spooled,
    rest: Vec<u8>,
}

impl Reading {
    /// The next bytes, at most so many; none at the end.
    fn next(&mut self, most: u64) -> Result<Bytes, Refusal> {
        if self.rest.is_empty() {
            self.reader.read(&mut self.rest)?;
        }
        let size = self.rest.len().min(usize::try_from(most).unwrap_or(usize::MAX));
        let after = self.rest.split_off(size);
        Ok(Bytes::from(std::mem::replace(&mut self.rest, after)))
    }
}

/// The form that carries one part, and the reader again once the form is sent.
fn part(reader: Reading, size: u64) -> (crate::body::Pieces, tokio::sync::oneshot::Receiver<Reading>) {
    let (give_back, returned) = tokio::sync::oneshot::channel();
    let begin = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"data\"; filename=\"part\"\r\nContent-Type: application/octet-stream\r\n\r\n"
    );
    let end = format!("\r\n--{BOUNDARY}--\r\n");
    let state = (Some(begin), Some((reader, give_back)), size, Some(end));
    let pieces = stream::unfold(state, |(mut begin, mut reading, left, mut end)| async move {
        if let Some(begin) = begin.take() {
            return Some((Ok(Bytes::from(begin)), (None, reading, left, end)));
        }
        if left > 0
            && let Some((reader, _)) = &mut reading
        {
            return match reader.next(left) {
                Ok(piece) if piece.is_empty() => Some((
                    Err(Refusal::new(Reason::Internal).log("a spool ends early")),
                    (None, None, 0, None),
                )),
                Ok(piece) => {
                    let left = left.saturating_sub(piece.len() as u64);
                    Some((Ok(piece), (None, reading, left, end)))
                }
                Err(refusal) => Some((Err(refusal), (None, None, 0, None))),
            };
        }
        let end = end.take()?;
        if let Some((reader, give_back)) = reading.take() {
            let _ = give_back.send(reader);
        }
        Some((Ok(Bytes::from(end)), (None, None, 0, None)))
    });
    (Box::pin(pieces), returned)
}
