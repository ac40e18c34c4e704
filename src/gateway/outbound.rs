//! An answer on its way back: read for what it brings into being, censored, restored, and only then shown.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::analysis;
use super::asked::Sources;
use super::claims::Claiming;
use super::effects::{self, Open};
use super::head;
use super::inbound::media_type;
use super::shared::Shared;
use super::stack::contained;
use super::stages::Recognised;
use super::trail::Trail;
use crate::body::json::{JsonPlan, JsonTransform};
use crate::body::pump::{Bounds, Gathered, Held, Pump};
use crate::body::spool::Spools;
use crate::body::{Censored, Facts, Job, Outgoing, Transform};
use crate::catalog::BodyShape;
use crate::isolation::{NotTheirs, TenantScope};
use crate::names::{DatasetName, Direction, Label};
use crate::reason::{Reason, Refusal};
use crate::upstream::AnswerBody;
use down::Down;

mod down;
mod identifier;

/// What is known of a call when its answer comes.
pub(super) struct Call {
    pub(super) shared: Arc<Shared>,
    pub(super) request: Recognised,
    pub(super) scope: TenantScope,
    /// What the records of a file named on its way up.
    pub(super) named: Sources,
    /// What it set out to make.
    pub(super) begun: Open,
    pub(super) dataset: Option<DatasetName>,
    /// What a new resource was said to be for, where that decides what it may be used for.
    pub(super) label: Option<Label>,
    /// Which of the operation's creations count.
    pub(super) creates: Vec<bool>,
    /// The request asked to be stored, and that was turned off.
    pub(super) turned_off: bool,
    /// The censor of the answer.
    pub(super) job: Job,
}

impl Call {
    pub(super) fn claiming(&self) -> Claiming<'_> {
        Claiming {
            shared: &self.shared,
            request: &self.request,
            scope: &self.scope,
            named: self.named.all(),
            begun: &self.begun,
            dataset: self.dataset.as_ref(),
            label: self.label.as_ref(),
            creates: &self.creates,
        }
    }

    /// Whether the answer may hold ids that have to be recorded first.
    fn claims(&self) -> bool {
        let operation = self.request.operation();
        self.creates.contains(&true) || !operation.yields.is_empty() || !operation.shows.is_empty()
    }

    pub(super) fn bounds(&self) -> Bounds {
        Self::bounds_of(&self.request)
    }

    /// The bounds of an answer to a request.
    pub(super) fn bounds_of(request: &Recognised) -> Bounds {
        let snapshot = request.received.snapshot();
        let time = snapshot.listeners.data.bounds.response_body;
        Bounds::within(Direction::Response, snapshot.limits.response_bytes, time)
    }

    /// The body of an answer after the tenant's analyser saw it.
    pub(super) async fn analysed(&self, held: Held, recorded: &Facts) -> Result<Held, Refusal> {
        let ids = analysis::ids_of(recorded);
        analysis::held_body(&self.shared, &self.request, &self.job, held, &ids).await
    }

    pub(super) fn memory(&self) -> usize {
        self.request.received.snapshot().limits.memory_bytes
    }

    pub(super) fn spools(&self) -> Spools {
        self.shared.spools(&self.request.tenant)
    }

    /// The head of an answer: what the profile lets pass, its texts censored, its links rebased.
    pub(super) fn headers(&self, upstream: &HeaderMap) -> Result<HeaderMap, Refusal> {
        let catalog = self.request.received.catalog();
        let operation = self.request.operation();
        let mut headers = head::backwards(upstream, catalog.headers(), operation, self.request.received.id);
        if let Some(location) = headers.remove(LOCATION)
            && let Some(rebased) = location.to_str().ok().and_then(|location| self.rebased(location))
        {
            headers.insert(LOCATION, rebased);
        }
        for (name, value) in &mut headers {
            if head::is_plain(name) {
                continue;
            }
            if let Some(censored) = self.job.censored(value.as_bytes())? {
                let unfit = |_error| Refusal::new(Reason::UpstreamUnexpected).log("a header of the answer");
                *value = HeaderValue::from_bytes(&censored).map_err(unfit)?;
            }
        }
        if !self.scope.public() {
            headers.insert(
                head::ROBOTS,
                HeaderValue::from_static("noindex, nofollow, noarchive, noai, noimageai"),
            );
        }
        if let Some(rights) = &self.request.received.route.upstream.output_rights {
            headers.insert(head::OUTPUT_RIGHTS, rights.clone());
        }
        if self.turned_off {
            headers.insert(head::STORE, HeaderValue::from_static("off"));
        }
        if let Some(judgings) = &self.request.judgings {
            judgings.tell(&mut headers);
        }
        Ok(headers)
    }

    /// A link into the upstream as a link into the gateway; none if it leads elsewhere.
    fn rebased(&self, location: &str) -> Option<HeaderValue> {
        let rebase = super::way::rebase(&self.request)?;
        let rebased = if location.starts_with('/') && !location.starts_with("//") {
            format!("{}{location}", rebase.to)
        } else {
            rebase.apply(location)?
        };
        HeaderValue::try_from(rebased).ok()
    }
}

/// What an answer's body is, by its own head and by the profile's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Nothing,
    Json,
    Events,
    File,
    Text,
    Opaque,
    Id,
}

/// Makes the tenant's answer from the upstream's.
pub(super) async fn answer(
    call: Call,
    response: Response<AnswerBody>,
    trail: &mut Trail,
) -> Result<Response<Outgoing>, Refusal> {
    let (parts, body) = response.into_parts();
    let kind = checked(&call, parts.status, &parts.headers).inspect_err(|refusal| {
        if refusal.reason == Reason::ResourceUnknown
            && let Some(first) = call.scope.recorded().first()
        {
            trail.not_theirs(&NotTheirs { kind: first.kind.clone(), foreign: false });
        }
    })?;
    let response = if parts.status.is_redirection() {
        redirect(&call, parts.status, &parts.headers)?
    } else if !parts.status.is_success() {
        fault(&call, parts.status, &parts.headers, body).await?
    } else if kind == Kind::Nothing {
        let mut response = Response::new(Outgoing::Empty);
        *response.status_mut() = parts.status;
        *response.headers_mut() = call.headers(&parts.headers)?;
        response
    } else {
        return success(call, parts, body, kind, trail).await;
    };
    trail.allowed(parts.status).await?;
    Ok(response)
}

/// Whether the answer is one that the profile expects.
fn checked(call: &Call, status: StatusCode, headers: &HeaderMap) -> Result<Kind, Refusal> {
    // The account's credential is the gateway's affair: its failure must not look like the caller's.
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED) {
        return Err(
            Refusal::new(Reason::UpstreamUnexpected).log("the upstream refuses the account's credential")
        );
    }
    if status == StatusCode::NOT_FOUND && !call.scope.recorded().is_empty() {
        return Err(Refusal::new(Reason::ResourceUnknown).log("gone upstream"));
    }
    if status.is_informational() {
        return Err(Refusal::new(Reason::UpstreamUnexpected).log("an informational status at the end"));
    }
    if !status.is_success() {
        return Ok(Kind::Nothing);
    }
    kind(call, status, headers)
}

fn kind(call: &Call, status: StatusCode, headers: &HeaderMap) -> Result<Kind, Refusal> {
    let unexpected = || Refusal::new(Reason::UpstreamUnexpected).log("the answer's content type");
    if status == StatusCode::NO_CONTENT {
        return Ok(Kind::Nothing);
    }
    let media = media_type(headers);
    let media = media.as_deref();
    let json = matches!(media, Some("application/json"));
    match &call.request.operation().response {
        BodyShape::None => Ok(Kind::Nothing),
        BodyShape::Json if json => Ok(Kind::Json),
        BodyShape::JsonOrEvents if json => Ok(Kind::Json),
        BodyShape::JsonOrEvents | BodyShape::Events if media == Some("text/event-stream") => Ok(Kind::Events),
        BodyShape::Jsonl | BodyShape::File if media == Some("text/event-stream") => Ok(Kind::Events),
        BodyShape::Jsonl | BodyShape::File | BodyShape::Urlencoded(_) => Ok(Kind::File),
        BodyShape::Text => Ok(Kind::Text),
        BodyShape::Id if media == Some("text/plain") => Ok(Kind::Id),
        BodyShape::Id => Err(unexpected()),
        BodyShape::Opaque if call.request.tenant.opaque.contains(&call.request.operation().id) => {
            Ok(Kind::Opaque)
        }
        BodyShape::Opaque => Err(Refusal::new(Reason::UpstreamUninspectable)),
        BodyShape::Json | BodyShape::JsonOrEvents | BodyShape::Events | BodyShape::Multipart(_) => {
            Err(unexpected())
        }
    }
}

/// A redirection leads back to the gateway, or nowhere.
fn redirect(call: &Call, status: StatusCode, headers: &HeaderMap) -> Result<Response<Outgoing>, Refusal> {
    let refused = || Refusal::new(Reason::UpstreamRedirect);
    let location = headers.get(LOCATION).and_then(|v| v.to_str().ok()).ok_or_else(refused)?;
    let mut location = call.rebased(location).ok_or_else(refused)?;
    if let Some(censored) = call.job.censored(location.as_bytes())? {
        location = HeaderValue::from_bytes(&censored).map_err(|_unfit| refused())?;
    }
    let mut response = Response::new(Outgoing::Empty);
    *response.status_mut() = status;
    response.headers_mut().insert(LOCATION, location);
    head::stamp(response.headers_mut(), call.request.received.id);
    Ok(response)
}

/// The upstream's own error: its words pass, censored, if they can be read; else its status alone.
async fn fault(
    call: &Call,
    status: StatusCode,
    headers: &HeaderMap,
    body: AnswerBody,
) -> Result<Response<Outgoing>, Refusal> {
    let catalog = call.request.received.catalog();
    if catalog.tells_of_account(status) {
        let limited = status == StatusCode::TOO_MANY_REQUESTS;
        let reason = if limited { Reason::UpstreamLimited } else { Reason::UpstreamDenied };
        let words = catalog.error(&Refusal::new(reason), &call.request.received.id.to_string(), None);
        let mut response = Response::new(Outgoing::Full(Some(words.body)));
        *response.status_mut() = status;
        *response.headers_mut() = call.headers(headers)?;
        if let Some(kind) = words.headers.get(CONTENT_TYPE) {
            response.headers_mut().insert(CONTENT_TYPE, kind.clone());
        }
        return Ok(response);
    }
    let held = match media_type(headers).as_deref() {
        Some("application/json" | "application/problem+json") => {
            let transform = JsonTransform::new(call.job.clone(), Arc::new(JsonPlan::empty()));
            match pumped(call, headers, body, transform).await {
                Ok(held) => call.analysed(held, &Facts::default()).await,
                refused => refused,
            }
        }
        _ => Err(Refusal::new(Reason::UpstreamUninspectable)),
    };
    let body = match held {
        Ok(held) => held.into_censored().into_inner(),
        Err(refusal)
            if matches!(refusal.reason, Reason::UpstreamContentBlocked | Reason::AnalyserUnavailable) =>
        {
            return Err(refusal);
        }
        Err(_unreadable) => {
            let refusal = Refusal::new(Reason::UpstreamBroke)
                .detail("the upstream answered with an error that can't be read");
            let answer =
                call.request.received.catalog().error(&refusal, &call.request.received.id.to_string(), None);
            Outgoing::Full(Some(answer.body))
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = call.headers(headers)?;
    Ok(response)
}

async fn pumped<T: Transform>(
    call: &Call,
    headers: &HeaderMap,
    body: AnswerBody,
    transform: T,
) -> Result<Held, Refusal> {
    let snapshot = call.request.received.snapshot();
    let bounds = call.bounds();
    let decoder = super::coded(headers.get_all(CONTENT_ENCODING).iter(), &bounds, snapshot)?;
    Pump::new(body, decoder, transform, bounds).hold(call.memory(), &call.spools()).await
}

async fn success(
    call: Call,
    parts: http::response::Parts,
    body: AnswerBody,
    kind: Kind,
    trail: &mut Trail,
) -> Result<Response<Outgoing>, Refusal> {
    analysis::admits_answer(&call.request, kind == Kind::Json)?;
    if kind == Kind::Id {
        return identifier::answer(&call, parts, body, trail).await;
    }
    let mut response = Response::new(Outgoing::Empty);
    *response.status_mut() = parts.status;
    *response.headers_mut() = call.headers(&parts.headers)?;
    if matches!(kind, Kind::File | Kind::Text) {
        head::transcoded(response.headers_mut(), &call.job);
    }
    let snapshot = call.request.received.snapshot();
    let bounds = call.bounds();
    let decoder = super::coded(parts.headers.get_all(CONTENT_ENCODING).iter(), &bounds, snapshot)?;
    let down = Down::new(&call, kind, &parts.headers)?;
    let mut flow = Flow { pump: Pump::new(body, decoder, down, bounds), call };
    match flow.begin(kind).await? {
        Begun::Whole(censored) => {
            trail.measure(Direction::Response, flow.pump.arrived());
            trail.waited(flow.pump.waited());
            trail.allowed(parts.status).await?;
            *response.body_mut() = censored.into_inner();
        }
        Begun::Going(lead) => {
            trail.waited(flow.pump.waited());
            flow.call.begun.goes_on();
            trail.allowed(parts.status).await?;
            *response.body_mut() = flow.into_body(lead, kind, trail.hand_over());
        }
    }
    Ok(response)
}

/// An answer's body on its way.
struct Flow {
    pump: Pump<AnswerBody, Down>,
    call: Call,
}

/// How far an answer's body has come before its head is sent.
enum Begun {
    /// All of it.
    Whole(Censored),
    /// Its beginning.
    Going(Bytes),
}

impl Flow {
    /// Reads as much as has to be known before the head is sent: all of a JSON answer with new ids, and whatever
    /// comes at once of the others, so that a short answer has a length and a late refusal a status.
    async fn begin(&mut self, kind: Kind) -> Result<Begun, Refusal> {
        if kind == Kind::Events {
            return Ok(Begun::Going(Bytes::new()));
        }
        let memory = self.call.memory();
        if kind == Kind::Json && (self.call.claims() || analysis::sees_answer(&self.call.request)) {
            let held = self.pump.hold(memory, &self.call.spools()).await?;
            let facts = self.pump.transform_mut().take_facts();
            if self.call.claims() {
                self.call.claiming().record_whole(&facts).await?;
            }
            let held = self.call.analysed(held, &facts).await?;
            return Ok(Begun::Whole(held.into_censored()));
        }
        match self.pump.gather(memory).await? {
            Gathered::Whole(held) => Ok(Begun::Whole(held.into_censored())),
            Gathered::Begun(lead) => Ok(Begun::Going(lead)),
        }
    }

    async fn record(&mut self) -> Result<(), Refusal> {
        let facts = self.pump.transform_mut().take_facts();
        if facts.is_empty() || !self.call.claims() {
            return Ok(());
        }
        self.call.claiming().record(&facts).await
    }

    fn into_body(self, lead: Bytes, kind: Kind, trail: Trail) -> Outgoing {
        let state = (Some((self, trail)), lead);
        Outgoing::Pieces(Box::pin(stream::unfold(state, move |(flow, lead)| async move {
            let (mut flow, mut trail) = flow?;
            if !lead.is_empty() {
                return Some((Ok(lead), (Some((flow, trail)), Bytes::new())));
            }
            match contained(flow.piece()).await {
                Ok(Some(piece)) => Some((Ok(piece), (Some((flow, trail)), Bytes::new()))),
                Ok(None) => {
                    effects::close(&flow.call.shared, &flow.call.begun).await;
                    trail.measure(Direction::Response, flow.pump.arrived());
                    trail.ended().await;
                    None
                }
                Err(refusal) => {
                    effects::lose(&flow.call.shared, &flow.call.begun).await;
                    trail.measure(Direction::Response, flow.pump.arrived());
                    trail.broken(&refusal).await;
                    Some((flow.broken(refusal, kind), (None, Bytes::new())))
                }
            }
        })))
    }

    /// The next piece, after what it names was recorded.
    async fn piece(&mut self) -> Result<Option<Bytes>, Refusal> {
        let piece = self.pump.next().await?;
        if piece.is_some() {
            self.record().await?;
        }
        Ok(piece)
    }

    /// A stream of events ends with the API's own error event; any other body is cut off.
    fn broken(self, refusal: Refusal, kind: Kind) -> Result<Bytes, Refusal> {
        if kind == Kind::Events {
            let received = &self.call.request.received;
            let event = received.catalog().error_event(&refusal, &received.id.to_string());
            return Ok(Bytes::from(event));
        }
        Err(refusal)
    }
}
