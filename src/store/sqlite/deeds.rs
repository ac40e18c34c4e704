//! What operators do by commands: each deed in one transaction with its note for the audit trail.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::super::deed::{Deed, What};
use super::super::types::{Claim, Doom, DoomId, Intent, IntentId, OpenIntent, Resource};
use super::super::{Deeds, Fut, StoreError};
use super::writer::Tx;
use super::{Sqlite, claims, count, tasks, time, word};
use crate::names::{Kind, RequestId, TenantId, UpstreamId};

impl Deeds for Sqlite {
    fn adopt(&self, claims: Vec<Claim>) -> Fut<'_, ()> {
        self.write(move |tx| {
            for claim in &claims {
                if claims::claim_one(tx, claim)? {
                    let request = claim.made.request;
                    note(
                        tx,
                        What::Adopted,
                        &claim.tenant,
                        &claim.resource.upstream,
                        Some(&claim.resource),
                        request,
                    )?;
                }
            }
            Ok(())
        })
    }

    fn give(&self, claim: Claim, call: IntentId) -> Fut<'_, ()> {
        self.write(move |tx| {
            // What another command gave for this call is the one thing that it made.
            if !tasks::settle(tx, call)? {
                return Err(StoreError::Conflict);
            }
            claims::claim_one(tx, &claim)?;
            let request = claim.made.request;
            note(tx, What::Given, &claim.tenant, &claim.resource.upstream, Some(&claim.resource), request)
        })
    }

    fn take_back(&self, resource: Resource, doom: Doom) -> Fut<'_, Option<DoomId>> {
        self.write(move |tx| {
            let (upstream, kind) = (tx.name(resource.upstream.as_str())?, tx.name(resource.kind.as_str())?);
            // It may have come to light meanwhile, for the owner of what shows it.
            if claims::newest(tx, upstream, kind, &resource.id)?.is_some_and(|newest| !newest.ended) {
                return Ok(None);
            }
            let queued = tasks::doom(tx, &doom, Some((kind, &resource.id)))?;
            note(tx, What::TakenBack, &doom.tenant, &resource.upstream, Some(&resource), doom.request)?;
            Ok(Some(queued))
        })
    }

    fn close(&self, call: &OpenIntent) -> Fut<'_, bool> {
        let (id, intent) = (call.id, call.intent.clone());
        self.write(move |tx| {
            if !tasks::settle(tx, id)? {
                return Ok(false);
            }
            let Intent { tenant, upstream, request, .. } = intent;
            note(tx, What::Closed, &tenant, &upstream, None, request)?;
            Ok(true)
        })
    }

    fn untold_deeds(&self, limit: u32) -> Fut<'_, Vec<Deed>> {
        self.read(move |connection| {
            let sql = "SELECT d.n, d.at, d.what, t.text, u.text, k.text, d.id, d.request FROM deed d
                JOIN name t ON t.n = d.tenant JOIN name u ON u.n = d.upstream LEFT JOIN name k ON k.n = d.kind
                ORDER BY d.n LIMIT ?1";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([limit])?;
            let mut deeds = Vec::new();
            while let Some(row) = rows.next()? {
                deeds.push(deed(row)?);
            }
            Ok(deeds)
        })
    }

    fn deeds_told(&self, through: u64) -> Fut<'_, ()> {
        self.write(move |tx| {
            let through = i64::try_from(through).unwrap_or(i64::MAX);
            tx.connection.prepare_cached("DELETE FROM deed WHERE n <= ?1")?.execute([through])?;
            Ok(())
        })
    }
}

fn note(
    tx: &mut Tx<'_>,
    what: What,
    tenant: &TenantId,
    upstream: &UpstreamId,
    resource: Option<&Resource>,
    request: RequestId,
) -> Result<(), StoreError> {
    let (tenant, upstream) = (tx.name(tenant.as_str())?, tx.name(upstream.as_str())?);
    let kind = resource.map(|resource| tx.name(resource.kind.as_str())).transpose()?;
    let id = resource.map(|resource| &*resource.id);
    let sql = "INSERT INTO deed (at, what, tenant, upstream, kind, id, request) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let now = Timestamp::now().as_millisecond();
    let values = params![now, what.as_str(), tenant, upstream, kind, id, request.to_bytes()];
    tx.connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

fn deed(row: &Row<'_>) -> Result<Deed, StoreError> {
    let text = |column: usize| row.get::<_, Option<String>>(column);
    let upstream: String = row.get(4)?;
    let resource = text(5)?.zip(text(6)?).map(|(kind, id)| Resource {
        upstream: UpstreamId::new(&upstream),
        kind: Kind::new(&kind),
        id,
    });
    Ok(Deed {
        number: count(row.get(0)?)?,
        at: time(row.get(1)?)?,
        what: word(What::from_word(&row.get::<_, String>(2)?))?,
        tenant: TenantId::new(&row.get::<_, String>(3)?),
        resource,
        request: RequestId::from_bytes(row.get(7)?),
    })
}
