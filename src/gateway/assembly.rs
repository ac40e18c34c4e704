//! Uploads that arrive in parts.
//!
//! Parts cut records in the middle and may come in any order, so nothing of them can be decided, let alone censored,
//! before the caller says in which order they belong together. Until then they wait in the sealed spool, and the
//! upstream knows nothing. When the caller completes the upload, the parts are joined, read as the one file that they
//! are, and the censored file goes up through the API's own upload operations (`joined`).
//!
//! What waits here is gone when the process ends (the spool's keys are in memory only): the upload is then unknown, and
//! the caller begins anew, as with any upload that the API has let expire.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use dashmap::DashMap;
use http::{HeaderValue, Response, StatusCode, header};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::inbound::{self, Incoming, Said, Waiting};
use super::shared::Shared;
use super::stages::Recognised;
use super::trail::Trail;
use super::{head, way};
use crate::body::pump::Held;
use crate::body::spool::{Spool, SpoolFile};
use crate::body::{Outgoing, Transform};
use crate::catalog::Assembly;
use crate::isolation::NotTheirs;
use crate::listener::Shutdown;
use crate::names::{DatasetName, Direction, Kind, Label, Purpose, TenantId};
use crate::reason::{Reason, Refusal};

mod joined;

/// How long an upload may stay open: the API's own hour.
const OPEN: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// How many uploads a tenant may have open, and how many parts an upload.
const AT_ONCE: usize = 64;
const PARTS: usize = 1024;

/// Bytes that parts may have beyond twice what was declared.
const SLACK: u64 = 1 << 20;

/// The uploads that are open, by tenant and id.
#[derive(Default)]
pub(super) struct Assemblies(DashMap<(TenantId, String), Open>);

/// An upload that is being put together.
struct Open {
    about: Arc<About>,
    parts: BTreeMap<String, Arc<Spool>>,
    arrived: u64,
    /// Where the parts wait.
    file: SpoolFile,
    /// It is on its way up. The parts stay until the file is the tenant's: a call that fails may be made again.
    completing: bool,
}

/// What is known of an upload.
struct About {
    created: Timestamp,
    told: Told,
    dataset: Option<DatasetName>,
    /// What it is for, where that decides what it may be used for.
    label: Option<Label>,
    /// The uses that were granted when the upload was opened; asked again when it is complete.
    purposes: BTreeSet<Purpose>,
}

/// What the caller told of the file.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) filename: String,
    pub(super) purpose: String,
    pub(super) mime: String,
    bytes: u64,
}

/// Forgets uploads that stayed open for too long.
pub(super) async fn sweep(shared: Arc<Shared>, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            () = tokio::time::sleep(std::time::Duration::from_secs(60)) => {}
        }
        let oldest = Timestamp::now().checked_sub(OPEN).unwrap_or(Timestamp::MIN);
        shared.assemblies.0.retain(|_, open| open.completing || open.about.created > oldest);
    }
}

/// Answers one of the four calls.
pub(super) async fn answer(
    shared: &Arc<Shared>,
    trail: &mut Trail,
    request: Recognised,
    body: Incoming,
) -> Result<Response<Outgoing>, Refusal> {
    let upload = request.operation().uses.first().map(|used| used.kind.clone());
    let answer = match request.operation().assembly {
        Some(Assembly::Create) => create(shared, trail, request, body).await,
        Some(Assembly::Part) => part(shared, trail, request, body).await,
        Some(Assembly::Complete) => complete(shared, trail, request, body).await,
        Some(Assembly::Cancel) => cancel(shared, trail, &request, body).await,
        None => Err(Refusal::new(Reason::Internal).log("an assembly that is none")),
    };
    answer.inspect_err(|refusal| {
        if refusal.reason == Reason::ResourceUnknown && !trail.has_unknown() {
            unknown(trail, upload);
        }
    })
}

/// Answers in the words of the kind that is not there.
fn unknown(trail: &mut Trail, kind: Option<Kind>) {
    if let Some(kind) = kind {
        trail.not_theirs(&NotTheirs { kind, foreign: false });
    }
}

/// The call that opens an upload.
#[derive(Deserialize)]
struct Opening {
    filename: Option<String>,
    purpose: Option<String>,
    mime_type: Option<String>,
    bytes: Option<u64>,
}

/// The call that completes it.
#[derive(Deserialize)]
struct Completion {
    part_ids: Option<Vec<String>>,
}

/// Reads a call's JSON, which is small: it holds no file.
async fn document<T: DeserializeOwned>(
    shared: &Shared,
    trail: &mut Trail,
    request: &Recognised,
    body: Incoming,
) -> Result<(T, Said), Refusal> {
    let exchange = way::exchange(request);
    trail.exchange(exchange.clone());
    let job = way::job(request, exchange, Direction::Request);
    let spools = shared.spools(&request.tenant);
    let (said, held) = inbound::read(&spools, request, body, &job, false).await?;
    let Waiting::Held(Held::Memory(bytes)) = held else {
        return Err(Refusal::new(Reason::BodyTooLarge));
    };
    let value = serde_json::from_slice(&bytes).map_err(|_error| Refusal::new(Reason::ContentMalformed))?;
    Ok((value, said))
}

async fn create(
    shared: &Arc<Shared>,
    trail: &mut Trail,
    request: Recognised,
    body: Incoming,
) -> Result<Response<Outgoing>, Refusal> {
    let dataset = way::dataset(&request)?;
    let (opening, said) = document::<Opening>(shared, trail, &request, body).await?;
    // Whether the file may be used so is decided now, and again when it is complete.
    let decision = way::decide(shared, trail, &request, &said, dataset.as_ref()).await?;
    let missing = || Refusal::new(Reason::FieldMissing);
    let told = Told {
        filename: opening.filename.ok_or_else(missing)?,
        purpose: opening.purpose.ok_or_else(missing)?,
        mime: opening.mime_type.ok_or_else(missing)?,
        bytes: opening.bytes.ok_or_else(missing)?,
    };
    if told.bytes > request.received.snapshot().limits.upload_bytes {
        return Err(Refusal::new(Reason::BodyTooLarge));
    }
    let tenant = request.tenant.id.clone();
    if shared.assemblies.0.iter().filter(|open| open.key().0 == tenant).count() >= AT_ONCE {
        return Err(Refusal::new(Reason::TenantOverLimit).detail("open uploads"));
    }
    let id = fresh("upload_");
    let created = Timestamp::now();
    let shown = shown(&id, &told, created, "pending", &Value::Null);
    let about = About { created, told, dataset, purposes: decision.purposes, label: decision.label };
    let open = Open {
        about: Arc::new(about),
        parts: BTreeMap::new(),
        arrived: 0,
        file: shared.spools(&request.tenant).file()?,
        completing: false,
    };
    shared.assemblies.0.insert((tenant, id), open);
    reply(&request, trail, &shown).await
}

/// Swallows a part into the spool.
struct Swallow(Arc<Mutex<Option<Spool>>>);

impl Transform for Swallow {
    fn push(&mut self, input: &[u8], _: &mut Vec<u8>) -> Result<(), Refusal> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(spool) => spool.push(input),
            None => Err(Refusal::new(Reason::Internal).log("a part without a spool")),
        }
    }

    fn finish(&mut self, _: &mut Vec<u8>) -> Result<(), Refusal> {
        Ok(())
    }
}

async fn part(
    shared: &Arc<Shared>,
    trail: &mut Trail,
    request: Recognised,
    body: Incoming,
) -> Result<Response<Outgoing>, Refusal> {
    let key = owned(&request)?;
    let unknown = || Refusal::new(Reason::ResourceUnknown);
    let room = shared.assemblies.0.get(&key).map(|open| {
        // Parts may come again; the bytes that wait stay bounded by what was declared.
        let most = open.about.told.bytes.saturating_mul(2).saturating_add(SLACK);
        let room = if open.parts.len() < PARTS { most.saturating_sub(open.arrived) } else { 0 };
        (room, open.file.clone())
    });
    let spools = shared.spools(&request.tenant);
    let spool = room.as_ref().map_or_else(|| spools.open(), |(_, file)| spools.open_in(file));
    let spool = Arc::new(Mutex::new(Some(spool)));
    let arrived = inbound::part(&request, body, Box::new(Swallow(Arc::clone(&spool))), &spools).await?;
    trail.measure(Direction::Request, arrived);
    let spool = spool.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut spool = spool.ok_or_else(|| Refusal::new(Reason::Internal).log("a part without a spool"))?;
    spool.seal()?;
    // An upload that is not theirs takes as long to say so as one that is.
    let (room, _) = room.ok_or_else(unknown)?;
    if spool.len() > room {
        return Err(
            Refusal::new(Reason::BodyTooLarge).detail("the parts have more bytes than the upload declared")
        );
    }
    let id = fresh("part_");
    {
        let mut open = shared.assemblies.0.get_mut(&key).ok_or_else(unknown)?;
        open.arrived = open.arrived.saturating_add(spool.len());
        open.parts.insert(id.clone(), Arc::new(spool));
    }
    let shown = json!({
        "id": id,
        "object": "upload.part",
        "created_at": Timestamp::now().as_second(),
        "upload_id": key.1,
    });
    reply(&request, trail, &shown).await
}

async fn complete(
    shared: &Arc<Shared>,
    trail: &mut Trail,
    request: Recognised,
    body: Incoming,
) -> Result<Response<Outgoing>, Refusal> {
    let key = owned(&request)?;
    let (completion, _) = document::<Completion>(shared, trail, &request, body).await?;
    let order = completion.part_ids.ok_or_else(|| Refusal::new(Reason::FieldMissing))?;
    let begun = Completing::begin(shared, key.clone(), &order);
    let (under_way, parts) = begun.inspect_err(|refusal| {
        // The upload is there, so it is a part that isn't.
        if refusal.reason == Reason::ResourceUnknown && shared.assemblies.0.contains_key(&key) {
            unknown(trail, request.operation().uses.get(1).map(|used| used.kind.clone()));
        }
    })?;
    let about = &under_way.about;
    let file = joined::file(shared, trail, &request, (about, parts, &under_way.given_up)).await?;
    // From here on the file is the tenant's, and the parts are not needed any more.
    shared.assemblies.0.remove(&key);
    let shown = shown(&key.1, &about.told, about.created, "completed", &file);
    reply(&request, trail, &shown).await
}

/// An upload on its way up. Whatever ends that, the upload is open again unless it was completed.
struct Completing {
    shared: Arc<Shared>,
    key: (TenantId, String),
    about: Arc<About>,
    /// Nobody waits for what is worked on beside.
    given_up: Arc<AtomicBool>,
}

impl Completing {
    fn begin(
        shared: &Arc<Shared>,
        key: (TenantId, String),
        order: &[String],
    ) -> Result<(Self, Vec<Arc<Spool>>), Refusal> {
        let unknown = || Refusal::new(Reason::ResourceUnknown);
        let mut open = shared.assemblies.0.get_mut(&key).ok_or_else(unknown)?;
        let distinct: BTreeSet<&String> = order.iter().collect();
        let parts: Option<Vec<_>> = order.iter().map(|id| open.parts.get(id).cloned()).collect();
        let parts = parts.filter(|_| distinct.len() == order.len()).ok_or_else(unknown)?;
        if open.completing {
            return Err(busy());
        }
        if parts.iter().map(|part| part.len()).sum::<u64>() != open.about.told.bytes {
            return Err(Refusal::new(Reason::ContentTruncated)
                .detail("the parts have other bytes than the upload declared"));
        }
        open.completing = true;
        let about = Arc::clone(&open.about);
        drop(open);
        Ok((Self { shared: Arc::clone(shared), key, about, given_up: Arc::default() }, parts))
    }
}

impl Drop for Completing {
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::Release);
        if let Some(mut open) = self.shared.assemblies.0.get_mut(&self.key) {
            open.completing = false;
        }
    }
}

fn busy() -> Refusal {
    let mut refusal = Refusal::new(Reason::TenantOverLimit).detail("the upload is being completed");
    refusal.retry_after = Some(std::time::Duration::from_secs(1));
    refusal
}

async fn cancel(
    shared: &Arc<Shared>,
    trail: &mut Trail,
    request: &Recognised,
    body: Incoming,
) -> Result<Response<Outgoing>, Refusal> {
    let key = owned(request)?;
    drop(body);
    if shared.assemblies.0.get(&key).is_some_and(|open| open.completing) {
        return Err(busy());
    }
    let (_, open) = shared.assemblies.0.remove(&key).ok_or_else(|| Refusal::new(Reason::ResourceUnknown))?;
    let shown = shown(&key.1, &open.about.told, open.about.created, "cancelled", &Value::Null);
    reply(request, trail, &shown).await
}

/// The tenant's upload that the path names. Whose it is needs no look-up: the tenant is part of the key.
fn owned(request: &Recognised) -> Result<(TenantId, String), Refusal> {
    let id = request.path.value("upload_id").ok_or_else(|| Refusal::new(Reason::ResourceUnknown))?;
    Ok((request.tenant.id.clone(), id.to_owned()))
}

/// An id that nobody can guess, in the API's form.
fn fresh(prefix: &str) -> String {
    format!("{prefix}{}{}", uuid::Uuid::new_v4().simple(), &uuid::Uuid::new_v4().simple().to_string()[..16])
}

/// The upload as the API shows it.
fn shown(id: &str, told: &Told, created: Timestamp, status: &str, file: &Value) -> Value {
    json!({
        "id": id,
        "object": "upload",
        "bytes": told.bytes,
        "created_at": created.as_second(),
        "filename": told.filename,
        "purpose": told.purpose,
        "status": status,
        "expires_at": created.as_second() + OPEN.as_secs(),
        "file": file,
    })
}

async fn reply(
    request: &Recognised,
    trail: &mut Trail,
    shown: &Value,
) -> Result<Response<Outgoing>, Refusal> {
    let mut response = Response::new(Outgoing::Full(Some(Bytes::from(shown.to_string()))));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    head::stamp(response.headers_mut(), request.received.id);
    if let Some(judgings) = &request.judgings {
        judgings.tell(response.headers_mut());
    }
    trail.allowed(StatusCode::OK).await?;
    Ok(response)
}
