//! Owners: claiming, looking up, ending.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::super::cache::Key;
use super::super::types::{Claim, JudgedFor, Owned, Page, Resource, Slice, State};
use super::super::{Fut, Origin, Ownership, Parent, Relation, StoreError};
use super::writer::{Effect, Tx};
use super::{Sqlite, key, lists, word};
use crate::names::{DatasetName, Kind, Label, TenantId, UpstreamId};

impl Ownership for Sqlite {
    fn cached(&self, upstream: &UpstreamId, kind: &Kind, id: &str) -> Option<Owned> {
        self.cache.get(key(upstream, kind, id))
    }

    fn owner(&self, upstream: &UpstreamId, kind: &Kind, id: &str) -> Fut<'_, Option<Owned>> {
        if let Some(owned) = self.cached(upstream, kind, id) {
            return Box::pin(std::future::ready(Ok(Some(owned))));
        }
        let (upstream, kind, id) = (upstream.clone(), kind.clone(), id.to_owned());
        let cache = Arc::clone(&self.cache);
        self.read(move |connection| {
            let key = key(&upstream, &kind, &id);
            let ticket = cache.ticket(key);
            let owned = find(connection, key)?;
            if let Some(owned) = &owned {
                cache.learn(key, owned, ticket);
            }
            Ok(owned)
        })
    }

    fn owners(&self, upstream: &UpstreamId, kind: &Kind, ids: Vec<String>) -> Fut<'_, Vec<Option<Owned>>> {
        let known: Vec<_> = ids.iter().map(|id| self.cached(upstream, kind, id)).collect();
        if known.iter().all(Option::is_some) {
            return Box::pin(std::future::ready(Ok(known)));
        }
        let (upstream, kind) = (upstream.clone(), kind.clone());
        let cache = Arc::clone(&self.cache);
        self.read(move |connection| {
            let look = |(id, known): (String, Option<Owned>)| {
                if known.is_some() {
                    return Ok(known);
                }
                let key = key(&upstream, &kind, &id);
                let ticket = cache.ticket(key);
                let owned = find(connection, key)?;
                if let Some(owned) = &owned {
                    cache.learn(key, owned, ticket);
                }
                Ok(owned)
            };
            ids.into_iter().zip(known).map(look).collect()
        })
    }

    fn claim(&self, claims: Vec<Claim>) -> Fut<'_, ()> {
        self.write(move |tx| claim_all(tx, &claims))
    }

    fn end(&self, resource: Resource) -> Fut<'_, bool> {
        self.write(move |tx| {
            let sql = "UPDATE resource SET ended = ?4 WHERE ended IS NULL AND upstream = ?1 AND kind = ?2 AND id = ?3";
            let (upstream, kind) = (tx.name(resource.upstream.as_str())?, tx.name(resource.kind.as_str())?);
            let now = Timestamp::now().as_millisecond();
            let rows = tx.connection.prepare_cached(sql)?.execute(params![upstream, kind, resource.id, now])?;
            tx.effects.push(Effect { resource, owned: None });
            Ok(rows > 0)
        })
    }

    fn set_state(&self, resource: Resource, state: State) -> Fut<'_, bool> {
        self.write(move |tx| {
            let sql = "UPDATE resource SET state = ?4 WHERE ended IS NULL AND upstream = ?1 AND kind = ?2 AND id = ?3";
            let (upstream, kind) = (tx.name(resource.upstream.as_str())?, tx.name(resource.kind.as_str())?);
            let values = params![upstream, kind, resource.id, state.as_str()];
            let rows = tx.connection.prepare_cached(sql)?.execute(values)?;
            tx.effects.push(Effect { resource, owned: None });
            Ok(rows > 0)
        })
    }

    fn owned(&self, upstream: &UpstreamId, kind: &Kind, tenant: &TenantId, page: Page) -> Fut<'_, Slice> {
        let (upstream, kind, tenant) = (upstream.clone(), kind.clone(), tenant.clone());
        self.read(move |connection| lists::owned(connection, &upstream, &kind, &tenant, &page))
    }
}

/// The newest generation's owner.
fn find(connection: &Connection, key: Key<'_>) -> Result<Option<Owned>, StoreError> {
    let sql = "SELECT t.text, d.text, r.state, r.ended IS NOT NULL, l.text, r.judged FROM resource r
        JOIN name t ON t.n = r.tenant LEFT JOIN name d ON d.n = r.dataset LEFT JOIN name l ON l.n = r.label
        WHERE r.upstream = (SELECT n FROM name WHERE text = ?1) AND r.kind = (SELECT n FROM name WHERE text = ?2)
            AND r.id = ?3
        ORDER BY r.generation DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([key.upstream.as_str(), key.kind.as_str(), key.id])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Owned {
        tenant: TenantId::new(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?),
        dataset: row.get::<_, Option<String>>(1)?.map(|name| DatasetName::new(&name)),
        state: word(State::from_word(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?))?,
        ended: row.get(3)?,
        label: row.get::<_, Option<String>>(4)?.map(|name| Label::new(&name)),
        judged: JudgedFor::from_bits(row.get(5)?),
    }))
}

/// The newest generation of an id, as the writer sees it.
pub(super) struct Newest {
    pub(super) seq: i64,
    tenant: i64,
    generation: i64,
    pub(super) ended: bool,
}

/// Finds the newest generation within the writer's transaction.
pub(super) fn newest(
    tx: &mut Tx<'_>,
    upstream: i64,
    kind: i64,
    id: &str,
) -> Result<Option<Newest>, StoreError> {
    let sql = "SELECT seq, tenant, generation, ended IS NOT NULL FROM resource
        WHERE upstream = ?1 AND kind = ?2 AND id = ?3 ORDER BY generation DESC LIMIT 1";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let newest = statement.query_row(params![upstream, kind, id], |row| {
        Ok(Newest { seq: row.get(0)?, tenant: row.get(1)?, generation: row.get(2)?, ended: row.get(3)? })
    });
    Ok(newest.optional()?)
}

/// Records the claims in their order.
pub(super) fn claim_all(tx: &mut Tx<'_>, claims: &[Claim]) -> Result<(), StoreError> {
    claims.iter().try_for_each(|claim| claim_one(tx, claim).map(drop))
}

/// Records a claim. False if it was on record.
pub(super) fn claim_one(tx: &mut Tx<'_>, claim: &Claim) -> Result<bool, StoreError> {
    let upstream = tx.name(claim.resource.upstream.as_str())?;
    let kind = tx.name(claim.resource.kind.as_str())?;
    let tenant = tx.name(claim.tenant.as_str())?;
    let (seq, new) = match newest(tx, upstream, kind, &claim.resource.id)? {
        Some(found) if found.tenant != tenant => return Err(StoreError::Conflict),
        Some(found) if !found.ended || claim.made.origin != Origin::Created => (found.seq, false),
        found => {
            let generation = found.map_or(0, |found| found.generation + 1);
            (insert(tx, claim, [upstream, kind, tenant, generation])?, true)
        }
    };
    // Where something is only mentioned later, it does not come from: it may live there all the same.
    let counts =
        |parent: &&Parent| new || claim.made.origin == Origin::Created || parent.relation == Relation::Part;
    for parent in claim.made.from.iter().filter(counts) {
        let kind = tx.name(parent.kind.as_str())?;
        let found = newest(tx, upstream, kind, &parent.id)?.ok_or(StoreError::ParentUnknown)?;
        super::lineage::insert(tx, seq, found.seq, parent.relation, &parent.via)?;
    }
    Ok(new)
}

fn insert(tx: &mut Tx<'_>, claim: &Claim, key: [i64; 4]) -> Result<i64, StoreError> {
    let [upstream, kind, tenant, generation] = key;
    let dataset = claim.dataset.as_ref().map(|name| tx.name(name.as_str())).transpose()?;
    let label = claim.label.as_ref().map(|name| tx.name(name.as_str())).transpose()?;
    let operation = tx.name(claim.made.operation.as_str())?;
    let sql = "INSERT INTO resource
        (upstream, kind, id, generation, tenant, dataset, label, state, origin, operation, request, claimed, judged)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    tx.connection.prepare_cached(sql)?.execute(params![
        upstream,
        kind,
        claim.resource.id,
        generation,
        tenant,
        dataset,
        label,
        State::Active.as_str(),
        claim.made.origin.as_str(),
        operation,
        claim.made.request.to_bytes(),
        Timestamp::now().as_millisecond(),
        claim.judged.to_bits(),
    ])?;
    let owned = Owned {
        tenant: claim.tenant.clone(),
        dataset: claim.dataset.clone(),
        label: claim.label.clone(),
        judged: claim.judged,
        ended: false,
        state: State::Active,
    };
    tx.effects.push(Effect { resource: claim.resource.clone(), owned: Some(owned) });
    Ok(tx.connection.last_insert_rowid())
}
