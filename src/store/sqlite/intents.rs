//! What was begun.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::super::types::{Claim, Intent, IntentId, OpenIntent, Resource};
use super::super::{Fut, Intents, Parent, Relation, StoreError};
use super::writer::Tx;
use super::{Sqlite, claims, text, time, word};
use crate::names::{DatasetName, Kind, Label, OperationId, RequestId, TenantId, UpstreamId, Via};

impl Intents for Sqlite {
    fn begin(&self, intent: Intent) -> Fut<'_, IntentId> {
        self.write(move |tx| {
            let tenant = tx.name(intent.tenant.as_str())?;
            let upstream = tx.name(intent.upstream.as_str())?;
            let operation = tx.name(intent.operation.as_str())?;
            let dataset = intent.dataset.as_ref().map(|name| tx.name(name.as_str())).transpose()?;
            let label = intent.label.as_ref().map(|name| tx.name(name.as_str())).transpose()?;
            let sql = "INSERT INTO intent (tenant, upstream, operation, request, begun, dataset, label, said)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
            let (now, request) = (Timestamp::now().as_millisecond(), intent.request.to_bytes());
            let values = params![tenant, upstream, operation, request, now, dataset, label, intent.said];
            tx.connection.prepare_cached(sql)?.execute(values)?;
            let id = tx.connection.last_insert_rowid();
            for (n, of) in (0_i64..).zip(&intent.from) {
                alive(tx, upstream, of)?;
                let (kind, via) = (tx.name(of.kind.as_str())?, tx.name(of.via.as_str())?);
                let sql = "INSERT INTO intent_from (intent, n, kind, id, relation, via)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                let values = params![id, n, kind, of.id, of.relation.as_str(), via];
                tx.connection.prepare_cached(sql)?.execute(values)?;
            }
            Ok(IntentId(id))
        })
    }

    fn settle(&self, intent: IntentId) -> Fut<'_, ()> {
        self.write(move |tx| settle(tx, intent).map(drop))
    }

    fn lose(&self, intent: IntentId) -> Fut<'_, ()> {
        self.write(move |tx| {
            let sql = "UPDATE intent SET lost = ?2 WHERE n = ?1 AND lost IS NULL";
            tx.connection
                .prepare_cached(sql)?
                .execute(params![intent.0, Timestamp::now().as_millisecond()])?;
            Ok(())
        })
    }

    fn claim_and_settle(&self, claims: Vec<Claim>, intent: IntentId) -> Fut<'_, ()> {
        self.write(move |tx| {
            claims::claim_all(tx, &claims)?;
            settle(tx, intent).map(drop)
        })
    }

    fn open(&self) -> Fut<'_, Vec<OpenIntent>> {
        self.read(|connection| {
            let sql =
                "SELECT i.n, t.text, u.text, o.text, i.request, i.begun, d.text, l.text, i.lost, i.said FROM intent i
                JOIN name t ON t.n = i.tenant JOIN name u ON u.n = i.upstream JOIN name o ON o.n = i.operation
                LEFT JOIN name d ON d.n = i.dataset LEFT JOIN name l ON l.n = i.label
                ORDER BY i.n";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            let mut open = Vec::new();
            while let Some(row) = rows.next()? {
                let intent = Intent {
                    tenant: TenantId::new(&text(row, 1)?),
                    upstream: UpstreamId::new(&text(row, 2)?),
                    operation: OperationId::new(&text(row, 3)?),
                    request: RequestId::from_bytes(row.get(4)?),
                    dataset: row.get::<_, Option<String>>(6)?.map(|name| DatasetName::new(&name)),
                    label: row.get::<_, Option<String>>(7)?.map(|name| Label::new(&name)),
                    said: row.get(9)?,
                    from: sources(connection, row.get(0)?)?,
                };
                let lost = row.get::<_, Option<i64>>(8)?.map(time).transpose()?;
                open.push(OpenIntent { id: IntentId(row.get(0)?), intent, begun: time(row.get(5)?)?, lost });
            }
            Ok(open)
        })
    }
}

/// Closes a call. False if it is closed already.
pub(super) fn settle(tx: &mut Tx<'_>, intent: IntentId) -> Result<bool, StoreError> {
    let rows = tx.connection.prepare_cached("DELETE FROM intent WHERE n = ?1")?.execute([intent.0])?;
    tx.connection.prepare_cached("DELETE FROM intent_from WHERE intent = ?1")?.execute([intent.0])?;
    Ok(rows > 0)
}

/// Whether a call that is under way makes something of a resource.
pub(super) fn names(tx: &mut Tx<'_>, resource: &Resource) -> Result<bool, StoreError> {
    let (upstream, kind) = (tx.name(resource.upstream.as_str())?, tx.name(resource.kind.as_str())?);
    let sql = "SELECT EXISTS (SELECT 1 FROM intent i JOIN intent_from f ON f.intent = i.n
        WHERE i.lost IS NULL AND i.upstream = ?1 AND f.kind = ?2 AND f.id = ?3)";
    Ok(tx
        .connection
        .prepare_cached(sql)?
        .query_row(params![upstream, kind, resource.id], |row| row.get(0))?)
}

/// What has ended since the request was checked is made nothing of.
pub(super) fn alive(tx: &mut Tx<'_>, upstream: i64, of: &Parent) -> Result<(), StoreError> {
    let kind = tx.name(of.kind.as_str())?;
    match claims::newest(tx, upstream, kind, &of.id)? {
        Some(newest) if newest.ended => Err(StoreError::ParentUnknown),
        Some(_) | None => Ok(()),
    }
}

/// What an intent's call named.
fn sources(connection: &Connection, intent: i64) -> Result<Vec<Parent>, StoreError> {
    let sql = "SELECT k.text, f.id, f.relation, v.text FROM intent_from f
        JOIN name k ON k.n = f.kind JOIN name v ON v.n = f.via WHERE f.intent = ?1 ORDER BY f.n";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([intent])?;
    let mut from = Vec::new();
    while let Some(row) = rows.next()? {
        from.push(Parent {
            kind: Kind::new(&text(row, 0)?),
            id: text(row, 1)?,
            relation: word(Relation::from_word(&text(row, 2)?))?,
            via: Via::new(&text(row, 3)?),
        });
    }
    Ok(from)
}
