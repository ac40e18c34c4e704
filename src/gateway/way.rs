//! The way of a request, written once.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use futures_util::stream;
use http::{Request, Response};

use super::asked::Asker;
use super::inbound::{Flowing, Incoming, Said, Waiting};
use super::outbound::{self, Call};
use super::seen::Seen;
use super::shared::{Permits, Shared};
use super::stack::contained;
use super::stages::{Received, Recognised};
use super::trail::Trail;
use super::{analysis, assembly, effects, head, inbound, lists, only, records};
use crate::body::charset::OtherCharsets;
use crate::body::{Censored, Embedded, Job, Outgoing, Rebase, Rewrite};
use crate::catalog::{Assembly, BodyShape, Condition, EditAction, LimitClass, Param, Place, RequestHeader};
use crate::censor::Exchange;
use crate::consent::{Permit, Question, Records, Signals};
use crate::identity::Peer;
use crate::isolation::{Denied, NotTheirs, TenantScope, entitle};
use crate::names::{DatasetName, Direction, Label, Purpose};
use crate::reason::{Reason, Refusal};
use crate::upstream::{Cleared, Head};

/// Walks a request the whole way. What the trail knows by then is enough to answer a refusal.
pub(super) async fn walk(
    shared: &Arc<Shared>,
    trail: &mut Trail,
    peer: &Peer,
    request: Request<Incoming>,
) -> Result<(Response<Outgoing>, Permits), Refusal> {
    let place = shared.place()?;
    let (parts, body) = request.into_parts();
    let live = shared.live.load_full();
    let received =
        Received::new((trail.id(), trail.touched()), live, parts).map_err(|(refusal, route)| {
            trail.on(route);
            refusal
        })?;
    trail.on(Some(Arc::clone(&received.route)));
    let identified = received.identify(peer).await?;
    trail.by(&identified.caller);
    let permits = shared.tenant_place(place, &identified.tenant)?;
    let recognised = identified.recognise().map_err(|(refusal, operation)| {
        trail.meant(operation.as_deref());
        refusal
    })?;
    trail.asking(recognised.operation());
    trail.judges(recognised.judgings.as_ref());
    analysis::admits(&recognised)?;
    let response = if recognised.operation().assembly.is_some() {
        Box::pin(assembly::answer(shared, trail, recognised, body)).await?
    } else {
        forward(shared, trail, recognised, body).await?
    };
    trail.whole();
    Ok((response, permits))
}

/// The way of a request that is forwarded, from the recognition of its operation to the answer.
async fn forward(
    shared: &Arc<Shared>,
    trail: &mut Trail,
    mut request: Recognised,
    body: Incoming,
) -> Result<Response<Outgoing>, Refusal> {
    request.store_granted = granted_to_store(shared, &request);
    let dataset = dataset(&request)?;
    let exchange = exchange(&request);
    trail.exchange(exchange.clone());
    let up = job(&request, exchange.clone(), Direction::Request);
    trail.meter(&up);
    plain_head(&request, &up)?;
    let spools = shared.spools(&request.tenant);
    let (said, waiting) = inbound::read(&spools, &request, body, &up, !request.store_granted).await?;
    up.meter.arrived(said.arrived.0);
    trail.waited(said.arrived.1);
    let decision = decide(shared, trail, &request, &said, dataset.as_ref()).await?;
    let Decision { scope, permit, creates, turned_off, label, .. } = decision;
    // What the first records ask for is known before the upstream hears of the file.
    let asker = Asker::new(shared, &request, dataset.clone());
    let named = asker.sources();
    let scope = match &waiting {
        Waiting::Flowing(flowing) => scope.join(asker.admit(&flowing.asked).await?)?,
        Waiting::Nothing | Waiting::Held(_) => scope,
    };
    analysis::admits_stream(&request, &seen(&request, &said))?;
    let began = std::time::Instant::now();
    let waiting = analysis::request(shared, &request, &up, waiting, &said).await?;
    trail.waited(began.elapsed());
    trail.permitted(&permit);
    if turned_off {
        trail.turned_off();
    }
    if creates.contains(&true) {
        trail.creates();
    }
    let job = job(&request, exchange, Direction::Response);
    let word = seen(&request, &said).said().map(|said| shared.keyer.label(said));
    let about =
        effects::About { scope: &scope, dataset: dataset.as_ref(), label: label.as_ref(), said: word };
    let begun = effects::begin(shared, &request, &creates, about).await?;
    let broke = Broke::default();
    let body = waiting.into_censored(|flowing| follow(asker, flowing, broke.clone()));
    let call = Call {
        shared: Arc::clone(shared),
        request,
        scope,
        named,
        begun,
        dataset,
        label,
        creates,
        turned_off,
        job,
    };
    if call.request.operation().list.as_ref().is_some_and(|list| !list.inherited) {
        return Box::pin(lists::answer(call, permit, body, trail)).await;
    }
    let begun = call.begun.clone();
    let answered = sent(trail, call, &permit, body, &up, &broke).await;
    let known = match &answered {
        Ok(_) => true,
        Err(refusal) => refusal.reason.blame() == crate::reason::Blame::Client,
    };
    effects::settle(shared, &begun, known).await;
    answered
}

/// Sends what was decided, and reads the answer.
async fn sent(
    trail: &mut Trail,
    call: Call,
    permit: &Permit,
    body: Censored,
    up: &Job,
    broke: &Broke,
) -> Result<Response<Outgoing>, Refusal> {
    let (shared, request) = (&call.shared, &call.request);
    let query = only::query(shared, request).await?;
    let mut head = head_of(request, query.as_deref().or(request.received.parts.uri.query()))?;
    if matches!(request.operation().request, BodyShape::Text | BodyShape::File) {
        head::transcoded(&mut head.headers, up);
    }
    let cleared = Cleared::new(head, &call.scope, permit, body);
    let upstream = Arc::clone(&request.received.route.upstream);
    trail.dispatched(&upstream.id);
    let generation = request.received.snapshot().generation;
    let answered = shared.upstreams.dispatch(&upstream, generation, cleared).await;
    trail.upstream(&upstream.id, answered.as_ref());
    // A body that refused on its way up ends the call; what the upstream made of the beginning doesn't count.
    if let Some(refusal) = broke.take() {
        return Err(refusal);
    }
    let response = answered?;
    if let Some(resource) = effects::ended(request, &call.scope, response.status()) {
        shared.store.end(resource).await.map_err(|error| crate::isolation::store_refusal(&error))?;
    }
    // A future is moved by each of those that wait for it: this one, which is large, in its box.
    Box::pin(outbound::answer(call, response, trail)).await
}

/// What was decided of a request.
pub(super) struct Decision {
    pub(super) scope: TenantScope,
    pub(super) permit: Permit,
    /// Which of the operation's creations count.
    pub(super) creates: Vec<bool>,
    /// The uses that had to be granted.
    pub(super) purposes: BTreeSet<Purpose>,
    /// The request asked to be stored, and that was turned off.
    pub(super) turned_off: bool,
    /// What a new resource was said to be for.
    pub(super) label: Option<Label>,
}

/// What goes up outside the body holds nothing that must not pass. It can't be replaced there, so it is refused.
pub(super) fn plain_head(request: &Recognised, job: &Job) -> Result<(), Refusal> {
    let refused = |detail| Refusal::new(Reason::ContentBlocked).detail(detail);
    let uses = &request.operation().uses;
    // What names a resource is an id of the tenant's, or nothing goes up.
    let names = |param: &Param| {
        uses.iter().any(|used| matches!(&used.place, Place::Query(at) if *at == *param.name()))
    };
    for param in request.query.iter().filter(|param| !names(param)) {
        if job.has_to_change(param.value().as_bytes())? || job.has_to_change(param.name().as_bytes())? {
            return Err(refused("a parameter of the query"));
        }
    }
    let rules = request.received.catalog().headers();
    for (name, value) in &request.received.parts.headers {
        if rules.request(name) == RequestHeader::Pass && job.has_to_change(value.as_bytes())? {
            return Err(refused("a header"));
        }
    }
    Ok(())
}

pub(super) async fn decide(
    shared: &Shared,
    trail: &mut Trail,
    request: &Recognised,
    said: &Said,
    dataset: Option<&DatasetName>,
) -> Result<Decision, Refusal> {
    let seen = seen(request, said);
    let operation = request.operation();
    for refuses in &operation.refuses {
        if seen.holds(&refuses.when) {
            return Err(Refusal::new(refuses.reason));
        }
    }
    let scope = entitled(shared, trail, request, &seen).await?;
    let turned_off = seen.asks_to_store() && !request.store_granted;
    if turned_off && !request.tenant.store_turned_off {
        return Err(Refusal::new(Reason::ConsentMissing).detail("purpose `store`, scope tenant"));
    }
    let purposes = purposes(request, &seen);
    let live = shared.live.load();
    let records = records::standing(live.snapshot(), request, &seen, &scope);
    let permit = permitted(shared, trail, request, (&purposes, records), &scope, dataset)?;
    // A condition on the flag that was turned off no longer holds.
    let holds = |when: &Condition| (request.store_granted || !seen.about_store(when)) && seen.holds(when);
    let creates = operation.creates.iter().map(|c| c.when.as_ref().is_none_or(holds)).collect();
    let label = seen.label();
    Ok(Decision { scope, permit, creates, purposes, turned_off, label })
}

pub(super) fn seen<'a>(request: &'a Recognised, said: &'a Said) -> Seen<'a> {
    Seen {
        plan: &request.plan,
        path: &request.path,
        query: &request.query,
        headers: &request.received.parts.headers,
        json: &said.json,
        form: &said.form,
    }
}

async fn entitled(
    shared: &Shared,
    trail: &mut Trail,
    request: &Recognised,
    seen: &Seen<'_>,
) -> Result<TenantScope, Refusal> {
    let named = seen.named().inspect_err(|unnamed| {
        if let Some(kind) = unnamed.kind.clone() {
            trail.not_theirs(&NotTheirs { kind, foreign: false });
        }
    })?;
    let received = &request.received;
    let scope =
        entitle(&*shared.store, received.catalog(), &received.route.upstream.id, &request.tenant.id, &named)
            .await;
    let scope = scope.map_err(|denied| {
        if let Denied::NotTheirs(resource) = &denied {
            trail.not_theirs(resource);
        }
        denied.refusal()
    })?;
    // What is shared by nature (a base model) is nobody's to end.
    let ends = request.operation().ends.and_then(|ends| request.operation().uses.get(ends));
    if let Some(ends) = ends.filter(|ends| !scope.owned().iter().any(|owned| owned.kind == ends.kind)) {
        trail.not_theirs(&NotTheirs { kind: ends.kind.clone(), foreign: false });
        return Err(Refusal::new(Reason::ResourceUnknown));
    }
    received.touched.used(&received.route.upstream.id, &scope);
    Ok(scope)
}

/// The uses that the call makes of data, beyond answering it.
pub(super) fn purposes(request: &Recognised, seen: &Seen<'_>) -> BTreeSet<Purpose> {
    let mut purposes = seen.purposes();
    if request.received.route.upstream.third_party {
        purposes.insert(Purpose::Share);
    }
    purposes
}

/// Asks the ledger in force now.
fn permitted(
    shared: &Shared,
    trail: &mut Trail,
    request: &Recognised,
    (purposes, records): (&BTreeSet<Purpose>, Records),
    scope: &TenantScope,
    dataset: Option<&DatasetName>,
) -> Result<Permit, Refusal> {
    for purpose in purposes {
        // What a third party gets depends on the upstream, not on what the key is for.
        if *purpose != Purpose::Share {
            request.caller.may(*purpose)?;
        }
    }
    let mut datasets: Vec<DatasetName> = scope.datasets().to_vec();
    datasets.extend(dataset.cloned());
    let signals = Signals::of(&request.received.parts.headers);
    let question = Question { purposes, datasets: &datasets, subjects: &[], signals, records };
    let decided = shared.permit(&request.tenant.id, &question, scope);
    trail.asked(purposes, decided.as_ref().err());
    decided
}

/// Whether the tenant granted that the upstream stores.
fn granted_to_store(shared: &Shared, request: &Recognised) -> bool {
    if request.operation().store.is_none() && request.operation().lines.is_none() {
        return false;
    }
    let purposes = BTreeSet::from([Purpose::Store]);
    let (signals, records) = (Signals::NONE, Records::NotAsked);
    let question = Question { purposes: &purposes, datasets: &[], subjects: &[], signals, records };
    shared.granted(|granted| granted.decide(&request.tenant.id, &question)).is_ok()
}

/// The data set that an upload belongs to: what the request says, or `default`.
pub(super) fn dataset(request: &Recognised) -> Result<Option<DatasetName>, Refusal> {
    let operation = request.operation();
    let uploads = operation.limit == LimitClass::Upload || operation.assembly == Some(Assembly::Create);
    let mut given = request.received.parts.headers.get_all(head::DATASET).iter();
    let Some(value) = given.next() else {
        return Ok(uploads.then(|| DatasetName::new("default")));
    };
    let name = value.to_str().unwrap_or_default();
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if given.next().is_some() || name.is_empty() || name.len() > 64 || !plain {
        return Err(Refusal::new(Reason::HeaderAmbiguous).detail("Consentry-Dataset"));
    }
    Ok(uploads.then(|| DatasetName::new(name)))
}

/// What the bodies of a request and of its answer have in common. Whether what is found in them is reported only is
/// asked here and nowhere else: what belongs to whom and what was granted doesn't know of it.
pub(super) fn exchange(request: &Recognised) -> Exchange {
    let key = Arc::clone(&request.tenant.secret);
    if request.tenant.runs_dry(&request.received.route.name, jiff::Timestamp::now()) {
        Exchange::dry(key)
    } else {
        Exchange::new(key)
    }
}

/// Who censors a body of the request.
pub(super) fn job(request: &Recognised, exchange: Exchange, direction: Direction) -> Job {
    let operation = request.operation();
    let engines = request.tenant.engines(&operation.id);
    let engine = match direction {
        Direction::Request => &engines.request,
        Direction::Response => &engines.response,
    };
    let mut job = Job::new(Arc::clone(engine), exchange, direction);
    job.limits = Arc::clone(&request.received.live.body_limits);
    if request.tenant.refuse_media.contains(&operation.id) {
        job.embedded = Embedded::Block;
    }
    if request.tenant.transcode {
        job.other_charsets = OtherCharsets::Transcode;
    }
    let edits = match direction {
        Direction::Request => &operation.request_edits,
        Direction::Response => &operation.response_edits,
    };
    let has = |action: &EditAction| edits.iter().any(|edit| edit.action == *action);
    let rebase = has(&EditAction::Rebase).then(|| rebase(request)).flatten();
    job.rewrite = Rewrite {
        salt: has(&EditAction::Salt).then(|| Arc::clone(&request.tenant.secret)),
        rebase: rebase.map(Arc::new),
    };
    job
}

/// Links of the upstream lead to the gateway.
pub(super) fn rebase(request: &Recognised) -> Option<Rebase> {
    let received = &request.received;
    let base = &received.route.upstream.base;
    let from = format!("{}://{}{}", base.scheme()?, base.authority()?, base.path().trim_end_matches('/'));
    let origin = match &received.snapshot().listeners.data.public_url {
        Some(url) => format!("https://{}", url.authority()?),
        None => {
            let host = received.parts.headers.get(http::header::HOST).and_then(|v| v.to_str().ok());
            let authority = received.parts.uri.authority().map(http::uri::Authority::as_str).or(host)?;
            format!("https://{authority}")
        }
    };
    Some(Rebase { from, to: format!("{origin}{}", received.route.prefix) })
}

/// The head that goes up.
pub(super) fn head_of(request: &Recognised, query: Option<&str>) -> Result<Head, Refusal> {
    let received = &request.received;
    let upstream = &received.route.upstream;
    let fixed = head::fixed(request.operation(), query);
    let query = fixed.as_deref().or(query);
    Ok(Head {
        method: received.parts.method.clone(),
        uri: head::target(upstream, received.path(), query, received.parts.uri.path_and_query())?,
        headers: head::upwards(
            &received.parts.headers,
            received.catalog().headers(),
            upstream,
            request.operation(),
            received.id,
            &request.tenant.secret,
        ),
    })
}

/// Why a body broke off on its way up. HTTP/2 has no words for it, so it is kept here.
#[derive(Clone, Default)]
struct Broke(Arc<OnceLock<Refusal>>);

impl Broke {
    fn note(&self, refusal: Refusal) -> Refusal {
        self.0.get_or_init(|| refusal).clone()
    }

    fn take(&self) -> Option<Refusal> {
        self.0.get().cloned()
    }
}

/// A form on its way up: what its records ask for is checked before they go on.
fn follow(asker: Asker, flowing: Box<Flowing>, broke: Broke) -> Censored {
    let Flowing { lead, pump, asked, meter } = *flowing;
    let state = (lead.into_iter(), pump, false);
    let pieces = stream::unfold(state, move |(mut lead, mut pump, failed)| {
        let (asker, asked, broke, meter) = (asker.clone(), asked.clone(), broke.clone(), Arc::clone(&meter));
        async move {
            if failed {
                return None;
            }
            let piece = match lead.next() {
                Some(piece) => Ok(Some(piece)),
                None => contained(pump.next()).await,
            };
            meter.arrived(pump.arrived());
            let piece = match piece {
                // The end as well: what was read last may have left nothing to send.
                Ok(piece) => asker.admit(&asked).await.map(|_theirs| piece),
                Err(refusal) => Err(refusal),
            };
            match piece {
                Ok(piece) => piece.map(|piece| (Ok(piece), (lead, pump, false))),
                Err(refusal) => Some((Err(broke.note(refusal)), (lead, pump, true))),
            }
        }
    });
    Censored::pumped(Box::pin(pieces))
}
