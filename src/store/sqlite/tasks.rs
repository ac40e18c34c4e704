//! What was begun, and what has to be taken back.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::super::types::{Attempt, Claim, Doom, DoomId, Intent, IntentId, OpenIntent, Resource};
use super::super::{Doomed, Fut, Intents, Parent, Relation, StoreError};
use super::writer::Tx;
use super::{Sqlite, claims, count, time, word};
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

impl Doomed for Sqlite {
    fn doom(&self, doom: Doom, settles: Option<IntentId>) -> Fut<'_, DoomId> {
        self.write(move |tx| {
            let id = self::doom(tx, &doom, None)?;
            settles.map_or(Ok(false), |intent| settle(tx, intent))?;
            Ok(id)
        })
    }

    fn due(&self, now: Timestamp, limit: u32) -> Fut<'_, Vec<Attempt>> {
        self.read(move |connection| {
            let sql = "SELECT d.n, t.text, u.text, d.method, d.path, d.request, d.attempts, k.text, d.id FROM doomed d
                JOIN name t ON t.n = d.tenant JOIN name u ON u.n = d.upstream LEFT JOIN name k ON k.n = d.kind
                WHERE d.due <= ?1 ORDER BY d.due, d.n LIMIT ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![now.as_millisecond(), limit])?;
            let mut due = Vec::new();
            while let Some(row) = rows.next()? {
                due.push(attempt(row)?);
            }
            Ok(due)
        })
    }

    fn postpone(&self, doom: DoomId, again: Timestamp) -> Fut<'_, ()> {
        self.write(move |tx| {
            let sql = "UPDATE doomed SET due = ?2, attempts = attempts + 1 WHERE n = ?1";
            tx.connection.prepare_cached(sql)?.execute(params![doom.0, again.as_millisecond()])?;
            Ok(())
        })
    }

    fn done(&self, doom: DoomId) -> Fut<'_, ()> {
        self.write(move |tx| {
            tx.connection.prepare_cached("DELETE FROM doomed WHERE n = ?1")?.execute([doom.0])?;
            Ok(())
        })
    }

    fn waiting(&self) -> Fut<'_, u64> {
        self.read(|connection| {
            count(connection.prepare_cached("SELECT count(*) FROM doomed")?.query_row([], |row| row.get(0))?)
        })
    }
}

/// Queues an undo, with kind and id of what it deletes if that has to be asked for anew.
pub(super) fn doom(tx: &mut Tx<'_>, doom: &Doom, of: Option<(i64, &str)>) -> Result<DoomId, StoreError> {
    let (tenant, upstream) = (tx.name(doom.tenant.as_str())?, tx.name(doom.upstream.as_str())?);
    let sql = "INSERT INTO doomed (tenant, upstream, method, path, request, queued, due, attempts, kind, id)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 0, ?7, ?8)";
    let now = Timestamp::now().as_millisecond();
    let (kind, id) = (of.map(|(kind, _)| kind), of.map(|(_, id)| id));
    let values =
        params![tenant, upstream, doom.method.as_str(), doom.path, doom.request.to_bytes(), now, kind, id];
    tx.connection.prepare_cached(sql)?.execute(values)?;
    Ok(DoomId(tx.connection.last_insert_rowid()))
}

/// Closes a call. False if it is closed already.
pub(super) fn settle(tx: &mut Tx<'_>, intent: IntentId) -> Result<bool, StoreError> {
    let rows = tx.connection.prepare_cached("DELETE FROM intent WHERE n = ?1")?.execute([intent.0])?;
    tx.connection.prepare_cached("DELETE FROM intent_from WHERE intent = ?1")?.execute([intent.0])?;
    Ok(rows > 0)
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

fn attempt(row: &Row<'_>) -> Result<Attempt, StoreError> {
    let method = http::Method::from_bytes(text(row, 3)?.as_bytes());
    let doom = Doom {
        tenant: TenantId::new(&text(row, 1)?),
        upstream: UpstreamId::new(&text(row, 2)?),
        method: method.map_err(|_bad| StoreError::Corrupt("a method is none"))?,
        path: text(row, 4)?,
        request: RequestId::from_bytes(row.get(5)?),
    };
    let (kind, id): (Option<String>, Option<String>) = (row.get(7)?, row.get(8)?);
    let upstream = doom.upstream.clone();
    let of = kind.zip(id).map(|(kind, id)| Resource { upstream, kind: Kind::new(&kind), id });
    Ok(Attempt { id: DoomId(row.get(0)?), doom, attempts: row.get(6)?, of })
}

fn text(row: &Row<'_>, column: usize) -> Result<String, StoreError> {
    Ok(row.get(column)?)
}
