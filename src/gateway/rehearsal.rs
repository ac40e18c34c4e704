//! Rehearsals: a request is read and censored by the very stages that requests go through, from the recognition of its
//! operation to the bytes that would go up. Nobody calls and nothing is sent. Fuzzers and tests use it, where nothing is looked up or
//! granted and what would have had to be decided is told; and `consentry explain`, which looks it up.

use std::sync::Arc;

use aws_lc_rs::hmac;
use bytes::Bytes;
use http::request::Parts;
use http_body::Body;

use super::asked::Asked;
use super::inbound::{self, Flowing, Waiting};
use super::live::Live;
use super::stages::{Identified, Received, Recognised};
use super::touched::Touched;
use super::way;
use crate::audit::Keyer;
use crate::body::Outgoing;
use crate::body::spool::Spools;
use crate::censor::Exchange;
use crate::config::Tenant;
use crate::identity::{Caller, Purposes, Via};
use crate::names::{Direction, KeyId, OperationId, Purpose, RequestId, TenantId};
use crate::reason::{Reason, Refusal};

mod explain;

pub use explain::{Explained, Whose};

/// A tenant's requests, rehearsed.
pub struct Rehearsal {
    live: Arc<Live>,
    tenant: Arc<Tenant>,
    keyer: Arc<Keyer>,
    spools: Spools,
}

/// What came of a request.
#[derive(Debug, Default)]
pub struct Rehearsed {
    /// What was asked, if that was recognised.
    pub operation: Option<OperationId>,
    /// Every id that would have to be the tenant's: those of the request, then those of its file's records.
    pub ids: Vec<String>,
    /// What would have gone up by then.
    pub body: Vec<u8>,
    /// Why it goes no further.
    pub refusal: Option<Refusal>,
}

impl Rehearsal {
    /// Rehearses for the first tenant of a configuration, with a key for every purpose and every use granted.
    ///
    /// # Errors
    /// If there is no tenant.
    pub fn new(live: Arc<Live>, spools: Spools) -> Result<Self, Refusal> {
        let tenant = live.snapshot().tenants.values().next().cloned();
        Self::of(live, spools, tenant)
    }

    /// The same for a tenant that is meant.
    ///
    /// # Errors
    /// If it is none.
    pub fn for_tenant(live: Arc<Live>, spools: Spools, tenant: &TenantId) -> Result<Self, Refusal> {
        let tenant = live.snapshot().tenants.get(tenant).cloned();
        Self::of(live, spools, tenant)
    }

    fn of(live: Arc<Live>, spools: Spools, tenant: Option<Arc<Tenant>>) -> Result<Self, Refusal> {
        let tenant = tenant.ok_or_else(|| Refusal::new(Reason::Internal).log("there is no tenant"))?;
        let keyer = Arc::new(Keyer::new(hmac::Key::new(hmac::HMAC_SHA256, b"rehearsal")));
        Ok(Self { live, tenant, keyer, spools })
    }

    /// Takes a request as far as its body would go.
    pub async fn request<B>(&self, parts: Parts, body: B) -> Rehearsed
    where
        B: Body<Data = Bytes> + Unpin + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut rehearsed = Rehearsed::default();
        rehearsed.refusal = self.walk(parts, body, &mut rehearsed).await.err();
        rehearsed
    }

    async fn walk<B>(&self, parts: Parts, body: B, rehearsed: &mut Rehearsed) -> Result<(), Refusal>
    where
        B: Body<Data = Bytes> + Unpin + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut request = self.recognised(parts)?;
        request.store_granted = true;
        rehearsed.operation = Some(request.operation().id.clone());
        let exchange = Exchange::new(Arc::clone(&request.tenant.secret));
        let job = way::job(&request, exchange, Direction::Request);
        way::plain_head(&request, &job)?;
        let (said, waiting) = inbound::read(&self.spools, &request, body, &job, false).await?;
        let seen = way::seen(&request, &said);
        if let Some(refuses) = request.operation().refuses.iter().find(|refuses| seen.holds(&refuses.when)) {
            return Err(Refusal::new(refuses.reason));
        }
        rehearsed.ids = seen.named()?.into_iter().map(|named| named.id).collect();
        match waiting {
            Waiting::Nothing => Ok(()),
            Waiting::Held(held) => gather(held.into_censored().into_inner(), &mut rehearsed.body).await,
            Waiting::Flowing(flowing) => {
                let asked = flowing.asked.clone();
                let flowed = flow(*flowing, &mut rehearsed.body).await;
                rehearsed.ids.extend(ids(&asked));
                flowed
            }
        }
    }

    fn recognised(&self, parts: Parts) -> Result<Recognised, Refusal> {
        let notes = (RequestId::fresh(), Touched::new(&self.keyer));
        let received =
            Received::new(notes, Arc::clone(&self.live), parts).map_err(|(refusal, _route)| refusal)?;
        Identified { received, caller: self.caller(), tenant: Arc::clone(&self.tenant) }
            .recognise()
            .map_err(|(refusal, _)| refusal)
    }

    fn caller(&self) -> Caller {
        Caller {
            tenant: self.tenant.id.clone(),
            key: KeyId::new("rehearsal"),
            purposes: Purpose::ALL.into_iter().collect::<Purposes>(),
            operations: None,
            expires: None,
            via: Via::Key,
        }
    }
}

fn ids(asked: &Asked) -> Vec<String> {
    let mut ids: Vec<String> = asked.named().into_iter().map(|named| named.id).collect();
    ids.sort_unstable();
    ids
}

async fn flow<B>(flowing: Flowing<B>, out: &mut Vec<u8>) -> Result<(), Refusal>
where
    B: Body<Data = Bytes> + Unpin + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let Flowing { lead, mut pump, .. } = flowing;
    lead.iter().for_each(|piece| out.extend_from_slice(piece));
    while let Some(piece) = pump.next().await? {
        out.extend_from_slice(&piece);
    }
    Ok(())
}

async fn gather(mut body: Outgoing, out: &mut Vec<u8>) -> Result<(), Refusal> {
    while let Some(frame) = http_body_util::BodyExt::frame(&mut body).await {
        if let Ok(piece) = frame?.into_data() {
            out.extend_from_slice(&piece);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
