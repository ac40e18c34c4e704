//! Shares: what an owner shows to others. They hang on the generation of a resource that they were made for, and are
//! read for every decision; nothing of them is kept warm, so that what is taken back is gone with the next request.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::super::share::{Audience, Granted, Right, Share, ShareOnRecord, Shared};
use super::super::types::{OwnedItem, Resource, State};
use super::super::{Fut, Shares, StoreError};
use super::writer::Tx;
use super::{Sqlite, time, word};
use crate::names::{DatasetName, Kind, TenantId, UpstreamId};

/// How far up a resource looks for something that it is part of and that is shared.
const DEPTH: u32 = 8;

impl Shares for Sqlite {
    fn share(&self, share: Share) -> Fut<'_, Shared> {
        self.write(move |tx| record(tx, &share))
    }

    fn unshare(&self, resource: Resource, with: Audience) -> Fut<'_, bool> {
        self.write(move |tx| {
            let Some(found) = live(tx.connection, &resource)? else { return Ok(false) };
            let audience = with.tenant().map(|tenant| tx.name(tenant.as_str())).transpose()?;
            withdraw(tx, found.0, audience)
        })
    }

    fn granted(
        &self,
        upstream: &UpstreamId,
        kind: &Kind,
        ids: Vec<String>,
        tenant: &TenantId,
    ) -> Fut<'_, Vec<Option<Granted>>> {
        let (upstream, kind, tenant) = (upstream.clone(), kind.clone(), tenant.clone());
        self.read(move |connection| {
            ids.iter().map(|id| granted(connection, [&upstream, &kind, &tenant], id)).collect()
        })
    }

    fn shares(&self, owner: Option<&TenantId>, past: bool) -> Fut<'_, Vec<ShareOnRecord>> {
        let owner = owner.cloned();
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(SHARES)?;
            let mut rows = statement.query(named_params! {
                ":owner": owner.as_ref().map(TenantId::as_str),
                ":past": past,
                ":now": Timestamp::now().as_millisecond(),
            })?;
            let mut shares = Vec::new();
            while let Some(row) = rows.next()? {
                shares.push(on_record(row)?);
            }
            Ok(shares)
        })
    }
}

/// The number of a live resource, and of its owner.
fn live(connection: &Connection, resource: &Resource) -> Result<Option<(i64, i64)>, StoreError> {
    let sql = "SELECT r.seq, r.tenant FROM resource r
        WHERE r.upstream = (SELECT n FROM name WHERE text = ?1) AND r.kind = (SELECT n FROM name WHERE text = ?2)
            AND r.id = ?3 AND r.ended IS NULL
        ORDER BY r.generation DESC LIMIT 1";
    let key = [resource.upstream.as_str(), resource.kind.as_str(), resource.id.as_str()];
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row(key, |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

fn record(tx: &mut Tx<'_>, share: &Share) -> Result<Shared, StoreError> {
    let Some((resource, owner)) = live(tx.connection, &share.resource)? else { return Ok(Shared::Unknown) };
    let audience = share.with.tenant().map(|tenant| tx.name(tenant.as_str())).transpose()?;
    if audience == Some(owner) {
        return Ok(Shared::Owner);
    }
    withdraw(tx, resource, audience)?;
    let sql = "INSERT INTO share (resource, tenant, access, since, until, recorded_by)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    tx.connection.prepare_cached(sql)?.execute(params![
        resource,
        audience,
        share.right.as_str(),
        Timestamp::now().as_millisecond(),
        share.until.map(Timestamp::as_millisecond),
        share.recorded_by,
    ])?;
    Ok(Shared::Recorded)
}

fn withdraw(tx: &Tx<'_>, resource: i64, audience: Option<i64>) -> Result<bool, StoreError> {
    let sql = "UPDATE share SET withdrawn = ?3 WHERE resource = ?1 AND tenant IS ?2 AND withdrawn IS NULL";
    let now = Timestamp::now().as_millisecond();
    Ok(tx.connection.prepare_cached(sql)?.execute(params![resource, audience, now])? > 0)
}

/// What is shared of a resource, or of what it is part of, with a tenant or with everybody.
fn granted(
    connection: &Connection,
    [upstream, kind, tenant]: [&dyn Word; 3],
    id: &str,
) -> Result<Option<Granted>, StoreError> {
    let mut statement = connection.prepare_cached(GRANTED)?;
    let mut rows = statement.query(named_params! {
        ":upstream": upstream.word(),
        ":kind": kind.word(),
        ":id": id,
        ":tenant": tenant.word(),
        ":depth": DEPTH,
        ":now": Timestamp::now().as_millisecond(),
    })?;
    let mut widest: Option<Granted> = None;
    while let Some(row) = rows.next()? {
        let right = word(Right::from_word(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?))?;
        let public = row.get(1)?;
        let before = widest.unwrap_or(Granted { right, public });
        widest = Some(Granted { right: right.max(before.right), public: public || before.public });
    }
    Ok(widest)
}

/// A name as the store keeps it.
trait Word {
    fn word(&self) -> &str;
}

macro_rules! words {
    ($($name:ty),*) => { $(impl Word for $name { fn word(&self) -> &str { self.as_str() } })* };
}

words!(UpstreamId, Kind, TenantId);

/// What others show to a tenant, in the order of claiming. `above` and `below` are bounds of it.
pub(super) fn shown(
    connection: &Connection,
    [upstream, kind, tenant]: [&str; 3],
    (above, below): (i64, i64),
    (descending, limit): (bool, u32),
) -> Result<Vec<(i64, OwnedItem)>, StoreError> {
    let mut statement =
        connection.prepare_cached(if descending { SHOWN_DESCENDING } else { SHOWN_ASCENDING })?;
    let mut rows = statement.query(named_params! {
        ":upstream": upstream,
        ":kind": kind,
        ":tenant": tenant,
        ":above": above,
        ":below": below,
        ":limit": limit,
        ":now": Timestamp::now().as_millisecond(),
    })?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let item = OwnedItem {
            id: row.get(1)?,
            dataset: row.get::<_, Option<String>>(2)?.map(|name| DatasetName::new(&name)),
            state: word(State::from_word(row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?))?,
            claimed: time(row.get(4)?)?,
        };
        items.push((row.get(0)?, item));
    }
    Ok(items)
}

fn on_record(row: &Row<'_>) -> Result<ShareOnRecord, StoreError> {
    let text = |column: usize| row.get::<_, String>(column);
    let with = row.get::<_, Option<String>>(4)?;
    Ok(ShareOnRecord {
        resource: Resource {
            upstream: UpstreamId::new(&text(0)?),
            kind: Kind::new(&text(1)?),
            id: row.get(2)?,
        },
        owner: TenantId::new(&text(3)?),
        with: with.map_or(Audience::Everyone, |tenant| Audience::Tenant(TenantId::new(&tenant))),
        right: word(Right::from_word(&text(5)?))?,
        since: time(row.get(6)?)?,
        until: row.get::<_, Option<i64>>(7)?.map(time).transpose()?,
        withdrawn: row.get::<_, Option<i64>>(8)?.map(time).transpose()?,
        recorded_by: row.get(9)?,
    })
}

/// From a resource upwards along what it is part of, as long as everything on the way is live.
const GRANTED: &str = "
WITH RECURSIVE above (seq, depth) AS (
    SELECT * FROM (
        SELECT seq, 0 FROM resource WHERE upstream = (SELECT n FROM name WHERE text = :upstream)
            AND kind = (SELECT n FROM name WHERE text = :kind) AND id = :id AND ended IS NULL
        ORDER BY generation DESC LIMIT 1)
    UNION
    SELECT p.seq, above.depth + 1 FROM above
        JOIN edge e ON e.child = above.seq AND e.relation = 'part' JOIN resource p ON p.seq = e.parent
        WHERE p.ended IS NULL AND above.depth < :depth
)
SELECT s.access, s.tenant IS NULL FROM above JOIN share s ON s.resource = above.seq
WHERE s.withdrawn IS NULL AND (s.until IS NULL OR s.until > :now)
    AND (s.tenant IS NULL OR s.tenant = (SELECT n FROM name WHERE text = :tenant))";

macro_rules! shown {
    ($order:literal) => {
        concat!(
            "SELECT DISTINCT r.seq, r.id, d.text, r.state, r.claimed FROM share s
                JOIN resource r ON r.seq = s.resource LEFT JOIN name d ON d.n = r.dataset
            WHERE (s.tenant IS NULL OR s.tenant = (SELECT n FROM name WHERE text = :tenant))
                AND s.withdrawn IS NULL AND (s.until IS NULL OR s.until > :now)
                AND r.upstream = (SELECT n FROM name WHERE text = :upstream)
                AND r.kind = (SELECT n FROM name WHERE text = :kind) AND r.ended IS NULL
                AND r.tenant <> coalesce((SELECT n FROM name WHERE text = :tenant), -1)
                AND r.seq > :above AND r.seq < :below ORDER BY r.seq ",
            $order,
            " LIMIT :limit"
        )
    };
}

const SHOWN_ASCENDING: &str = shown!("ASC");
const SHOWN_DESCENDING: &str = shown!("DESC");

const SHARES: &str = "
SELECT u.text, k.text, r.id, o.text, t.text, s.access, s.since, s.until,
    coalesce(s.withdrawn, r.ended), s.recorded_by
FROM share s JOIN resource r ON r.seq = s.resource
    JOIN name u ON u.n = r.upstream JOIN name k ON k.n = r.kind JOIN name o ON o.n = r.tenant
    LEFT JOIN name t ON t.n = s.tenant
WHERE (:owner IS NULL OR o.text = :owner)
    AND (:past OR s.withdrawn IS NULL AND r.ended IS NULL AND (s.until IS NULL OR s.until > :now))
ORDER BY s.n";
