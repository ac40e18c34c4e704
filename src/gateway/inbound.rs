//! A request's body, read for what decides, censored, and kept back until it is decided.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http_body::Body;
use http_body_util::BodyExt;

use super::asked::Asked;
use super::records::Judgings;
use super::stages::Recognised;
use super::treatment::{self, Decided};
use crate::body::coding::Decoder;
use crate::body::json::JsonTransform;
use crate::body::multipart::{FileTreatment, FormDecision, FormTransform, PartHeader, boundary};
use crate::body::pump::{Bounds, Held, Pump};
use crate::body::spool::Spools;
use crate::body::urlencoded::UrlencodedTransform;
use crate::body::{Censored, Facts, Job, Meter, Pass, Transform};
use crate::catalog::{BodyShape, FieldContent, FormField, LimitClass, Place};
use crate::names::Direction;
use crate::reason::{Reason, Refusal};

/// What decides, as far as a request's body has been read.
#[derive(Default)]
pub(super) struct Said {
    /// Of a JSON body.
    pub(super) json: Facts,
    /// Of a form.
    pub(super) form: Facts,
    /// How many bytes came so far, and how long they were waited for.
    pub(super) arrived: (u64, Duration),
}

/// A body that waits for the decision.
pub(super) enum Waiting<B = Incoming> {
    /// None.
    Nothing,
    /// All of it.
    Held(Held),
    /// The beginning, with the rest still to come: what decides has been read.
    Flowing(Box<Flowing<B>>),
}

/// A form whose file is still to come.
pub(super) struct Flowing<B = Incoming> {
    pub(super) lead: Vec<Bytes>,
    /// A form on its way up.
    pub(super) pump: Pump<B, FormTransform>,
    /// What records of the file ask for.
    pub(super) asked: Asked,
    /// Where it is counted.
    pub(super) meter: Arc<Meter>,
}

/// A request's body as hyper gives it.
pub(super) type Incoming = crate::listener::RequestBody;

/// Reads what decides.
pub(super) async fn read<B>(
    spools: &Spools,
    request: &Recognised,
    body: B,
    job: &Job,
    unstored: bool,
) -> Result<(Said, Waiting<B>), Refusal>
where
    B: Body<Data = Bytes> + Unpin + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let nothing = |body| (Said::default(), body);
    match &request.operation().request {
        BodyShape::None => empty(body).await.map(|()| nothing(Waiting::Nothing)),
        // Each in its box: a request moves the room of the largest of them, whether it has a body or not.
        BodyShape::Json => Box::pin(json(spools, request, body, job, unstored)).await,
        BodyShape::Multipart(_) => Box::pin(form(spools, request, body, job)).await,
        BodyShape::Urlencoded(_) => Box::pin(urlencoded(spools, request, body, job)).await,
        BodyShape::Text | BodyShape::File => Box::pin(file(spools, request, body, job)).await,
        BodyShape::Opaque if request.tenant.opaque.contains(&request.operation().id) => {
            Box::pin(opaque(spools, request, body)).await
        }
        BodyShape::Opaque => Err(not_named_opaque()),
        BodyShape::Jsonl | BodyShape::JsonOrEvents | BodyShape::Events | BodyShape::Id => {
            Err(Refusal::new(Reason::Internal).log("a profile gives a request a body that is not built yet"))
        }
    }
}

async fn opaque<B>(spools: &Spools, request: &Recognised, body: B) -> Result<(Said, Waiting<B>), Refusal>
where
    B: Body<Data = Bytes> + Unpin + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut pump = Pump::new(body, None, Pass, bounds(request));
    let held = pump.hold(memory(request), spools).await?;
    let arrived = (pump.arrived(), pump.waited());
    Ok((Said { arrived, ..Said::default() }, Waiting::Held(held)))
}

fn memory(request: &Recognised) -> usize {
    request.received.snapshot().limits.memory_bytes
}

/// The bounds of the request's body.
pub(super) fn bounds(request: &Recognised) -> Bounds {
    let snapshot = request.received.snapshot();
    let bytes = match request.operation().limit {
        LimitClass::Call => snapshot.limits.call_bytes,
        LimitClass::Upload => snapshot.limits.upload_bytes,
    };
    Bounds::within(Direction::Request, bytes, snapshot.listeners.data.bounds.request_body)
}

/// Clients say `Content-Type: application/json` of requests without a body, so only the bytes count.
async fn empty(mut body: impl Body<Data = Bytes> + Unpin) -> Result<(), Refusal> {
    if body.is_end_stream() {
        return Ok(());
    }
    match body.frame().await {
        None => Ok(()),
        Some(Ok(frame)) if frame.data_ref().is_none_or(Bytes::is_empty) => Ok(()),
        Some(Ok(_)) => Err(Refusal::new(Reason::BodyTypeMismatch).detail("the operation takes no body")),
        Some(Err(_error)) => Err(Refusal::new(Reason::ClientGone)),
    }
}

const URLENCODED: &str = "application/x-www-form-urlencoded";

/// The content type of a message, with its parameters. Two of them are none.
pub(super) fn content_type(headers: &http::HeaderMap) -> Option<String> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then(|| value.trim().to_owned())
}

/// The media type of a message, without parameters, in lower case.
pub(super) fn media_type(headers: &http::HeaderMap) -> Option<String> {
    Some(content_type(headers)?.split(';').next()?.trim().to_ascii_lowercase())
}

/// JSON is UTF-8 (RFC 8259); a charset parameter that says otherwise is meant for another reader.
fn other_charset(headers: &http::HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    value.split(';').skip(1).filter_map(|p| p.split_once('=')).any(|(name, value)| {
        name.trim().eq_ignore_ascii_case("charset")
            && !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    })
}

fn decoder(request: &Recognised) -> Result<Option<Decoder>, Refusal> {
    let headers = &request.received.parts.headers;
    super::coded(headers.get_all(CONTENT_ENCODING).iter(), &bounds(request), request.received.snapshot())
}

async fn json<B>(
    spools: &Spools,
    request: &Recognised,
    body: B,
    job: &Job,
    unstored: bool,
) -> Result<(Said, Waiting<B>), Refusal>
where
    B: Body<Data = Bytes> + Unpin + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let headers = &request.received.parts.headers;
    if media_type(headers).as_deref() != Some("application/json") || other_charset(headers) {
        return Err(Refusal::new(Reason::BodyTypeMismatch).detail("the operation takes application/json"));
    }
    let plan = if unstored { &request.plan.request_unstored } else { &request.plan.request };
    let transform = JsonTransform::new(job.clone(), Arc::clone(plan));
    let mut pump = Pump::new(body, decoder(request)?, transform, bounds(request));
    let held = pump.hold(memory(request), spools).await?;
    let json = pump.transform().facts().clone();
    let arrived = (pump.arrived(), pump.waited());
    Ok((Said { json, arrived, ..Said::default() }, Waiting::Held(held)))
}

async fn urlencoded<B>(
    spools: &Spools,
    request: &Recognised,
    body: B,
    job: &Job,
) -> Result<(Said, Waiting<B>), Refusal>
where
    B: Body<Data = Bytes> + Unpin + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let headers = &request.received.parts.headers;
    if media_type(headers).as_deref() != Some(URLENCODED) || other_charset(headers) {
        return Err(Refusal::new(Reason::BodyTypeMismatch)
            .detail("the operation takes application/x-www-form-urlencoded"));
    }
    let transform = UrlencodedTransform::new(job.clone(), Arc::from(request.plan.fields()))
        .with_edits(&request.operation().request_edits)
        .with_ids(ids(request));
    let mut pump = Pump::new(body, decoder(request)?, transform, bounds(request));
    let held = pump.hold(memory(request), spools).await?;
    let form = pump.transform().facts().clone();
    let arrived = (pump.arrived(), pump.waited());
    Ok((Said { form, arrived, ..Said::default() }, Waiting::Held(held)))
}

/// A request whose body is a text or a file: nothing in it decides.
async fn file<B>(
    spools: &Spools,
    request: &Recognised,
    body: B,
    job: &Job,
) -> Result<(Said, Waiting<B>), Refusal>
where
    B: Body<Data = Bytes> + Unpin + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let transform = treatment::of_body(request, job, spools.clone());
    let mut pump = Pump::new(body, decoder(request)?, transform, bounds(request));
    let held = pump.hold(memory(request), spools).await?;
    let arrived = (pump.arrived(), pump.waited());
    Ok((Said { arrived, ..Said::default() }, Waiting::Held(held)))
}

async fn form<B>(
    spools: &Spools,
    request: &Recognised,
    body: B,
    job: &Job,
) -> Result<(Said, Waiting<B>), Refusal>
where
    B: Body<Data = Bytes> + Unpin + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let headers = &request.received.parts.headers;
    if media_type(headers).as_deref() != Some("multipart/form-data") {
        return Err(Refusal::new(Reason::BodyTypeMismatch).detail("the operation takes multipart/form-data"));
    }
    let boundary = boundary_of(headers)?;
    let fields = request.plan.fields();
    let has = |content: &FieldContent| fields.iter().any(|f| f.content == *content);
    if has(&FieldContent::Opaque) && !request.tenant.opaque.contains(&request.operation().id) {
        return Err(not_named_opaque());
    }
    let files = has(&FieldContent::File);
    let asked = Asked::default();
    let decided = Decided::default();
    let treat = treatment::of(request, job, &decided, &asked, spools);
    let fields: Arc<[FormField]> = Arc::from(fields);
    let end: FormDecision = Box::new(|_| Ok(()));
    let transform = FormTransform::new(job.clone(), &boundary, fields, spools.clone(), treat, end)
        .with_edits(&request.operation().request_edits)
        .with_ids(ids(request));
    let mut pump = Pump::new(body, decoder(request)?, transform, bounds(request));
    if !files || request.received.catalog().sized_requests() {
        let held = pump.hold(memory(request), spools).await?;
        let form = pump.transform().facts().clone();
        let arrived = (pump.arrived(), pump.waited());
        return Ok((Said { form, arrived, ..Said::default() }, Waiting::Held(held)));
    }
    let mut lead = Vec::new();
    let mut kept = 0;
    // Nothing goes up before what decides has been read; until then a file waits in the spool.
    while !decided.get() {
        let Some(piece) = pump.next().await? else { break };
        kept += piece.len();
        lead.push(piece);
        if kept > memory(request) && !decided.get() {
            return Err(Refusal::new(Reason::RecordTooLarge).detail("the fields before the file"));
        }
    }
    // What is judged record by record goes up whole or not at all.
    let judged = request.judgings.as_ref().is_some_and(Judgings::is_begun);
    let held = if judged { Some(pump.hold_behind(std::mem::take(&mut lead), spools).await?) } else { None };
    let form = pump.transform().facts().clone();
    let arrived = (pump.arrived(), pump.waited());
    if let Some(held) = held {
        return Ok((Said { form, arrived, ..Said::default() }, Waiting::Held(held)));
    }
    let body = Waiting::Flowing(Box::new(Flowing { lead, pump, asked, meter: Arc::clone(&job.meter) }));
    Ok((Said { form, arrived, ..Said::default() }, body))
}

/// The fields of the form that name a resource.
fn ids(request: &Recognised) -> Vec<usize> {
    let named =
        |name: &str| request.operation().uses.iter().any(|used| used.place == Place::Form(name.into()));
    request
        .plan
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, field)| named(&field.name))
        .map(|(at, _)| at)
        .collect()
}

/// Reads an upload's part: the one field that holds its bytes goes where it is told, whatever it is.
pub(super) async fn part(
    request: &Recognised,
    body: Incoming,
    into: Box<dyn Transform>,
    spools: &Spools,
) -> Result<u64, Refusal> {
    let headers = &request.received.parts.headers;
    if media_type(headers).as_deref() != Some("multipart/form-data") {
        return Err(Refusal::new(Reason::BodyTypeMismatch).detail("the operation takes multipart/form-data"));
    }
    let boundary = boundary_of(headers)?;
    let mut into = Some(into);
    let treat = Box::new(move |_: &Facts, _: &PartHeader| {
        into.take().map(FileTreatment::Transform).ok_or_else(|| Refusal::new(Reason::FieldAmbiguous))
    });
    let job = super::way::job(request, super::way::exchange(request), Direction::Request);
    let fields: Arc<[FormField]> = Arc::from(request.plan.fields());
    let transform = FormTransform::new(job, &boundary, fields, spools.clone(), treat, Box::new(|_| Ok(())));
    let mut pump = Pump::new(body, decoder(request)?, transform, bounds(request));
    while pump.next().await?.is_some() {}
    Ok(pump.arrived())
}

fn boundary_of(headers: &http::HeaderMap) -> Result<String, Refusal> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    boundary(content_type).ok_or_else(|| Refusal::new(Reason::ContentMalformed).detail("the form's boundary"))
}

fn not_named_opaque() -> Refusal {
    Refusal::new(Reason::ContentUninspectable)
        .detail("the tenant's `opaque` list does not name this operation")
}

impl<B> Waiting<B> {
    /// The body, once it is decided. A form's records are looked at for ids of others as they come.
    pub(super) fn into_censored(self, follow: impl FnOnce(Box<Flowing<B>>) -> Censored) -> Censored {
        match self {
            Self::Nothing => Censored::nothing(),
            Self::Held(held) => held.into_censored(),
            Self::Flowing(flowing) => follow(flowing),
        }
    }
}
