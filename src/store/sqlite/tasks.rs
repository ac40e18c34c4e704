//! What is to be done upstream: a queue that forgets nothing.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::super::deed::What;
use super::super::task::{About, Aim, Cause, Progress, Tally, Task, TaskId, TaskOnRecord, Told, Try};
use super::super::types::{IntentId, Resource};
use super::super::{Fut, StoreError, Tasks};
use super::writer::Tx;
use super::{Sqlite, claims, count, deeds, intents, text, time, word};
use crate::names::{Kind, RequestId, TenantId, UpstreamId};

const COLUMNS: &str = "SELECT k.n, t.text, u.text, k.cause, k.aim, r.text, k.id, k.method, k.path, k.request,
    k.progress, k.sent, k.attempts, k.told, k.queued, k.due, k.ended
    FROM task k JOIN name t ON t.n = k.tenant JOIN name u ON u.n = k.upstream LEFT JOIN name r ON r.n = k.kind";

impl Tasks for Sqlite {
    fn queue(&self, tasks: Vec<Task>, settles: Option<IntentId>) -> Fut<'_, Vec<TaskId>> {
        self.write(move |tx| {
            let queued = queue(tx, &tasks)?;
            settles.map_or(Ok(false), |intent| intents::settle(tx, intent))?;
            Ok(queued)
        })
    }

    fn due(&self, now: Timestamp, limit: u32) -> Fut<'_, Vec<TaskOnRecord>> {
        self.read(move |connection| {
            let sql = format!("{COLUMNS} WHERE k.ended IS NULL AND k.due <= ?1 ORDER BY k.due, k.n LIMIT ?2");
            listed(connection, &sql, params![now.as_millisecond(), limit])
        })
    }

    fn tried(&self, task: TaskId, was: Try) -> Fut<'_, ()> {
        self.write(move |tx| {
            let sql =
                "UPDATE task SET progress = ?2, sent = ?3, told = ?4, due = ?5, attempts = attempts + ?6
                WHERE n = ?1 AND ended IS NULL";
            let (progress, told) = (was.progress.as_str(), was.told.as_str());
            let values = params![task.0, progress, was.sent, told, was.again.as_millisecond(), was.in_vain];
            tx.connection.prepare_cached(sql)?.execute(values)?;
            Ok(())
        })
    }

    fn done(&self, task: TaskId, told: Told) -> Fut<'_, ()> {
        self.write(move |tx| {
            let sql =
                "UPDATE task SET progress = 'done', told = ?2, ended = ?3 WHERE n = ?1 AND ended IS NULL";
            let now = Timestamp::now().as_millisecond();
            tx.connection.prepare_cached(sql)?.execute(params![task.0, told.as_str(), now])?;
            Ok(())
        })
    }

    fn older(
        &self,
        tenant: &TenantId,
        upstream: &UpstreamId,
        kind: &Kind,
        before: Timestamp,
        limit: u32,
    ) -> Fut<'_, Vec<Resource>> {
        let (tenant, upstream, kind) = (tenant.clone(), upstream.clone(), kind.clone());
        self.read(move |connection| {
            // The oldest are looked at, and no others: things are recorded in the order of time.
            let sql = "SELECT id, claimed FROM resource WHERE ended IS NULL
                AND upstream = (SELECT n FROM name WHERE text = ?1) AND kind = (SELECT n FROM name WHERE text = ?2)
                AND tenant = (SELECT n FROM name WHERE text = ?3) ORDER BY seq LIMIT ?4";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows =
                statement.query(params![upstream.as_str(), kind.as_str(), tenant.as_str(), limit])?;
            let mut older = Vec::new();
            while let Some(row) = rows.next()? {
                if row.get::<_, i64>(1)? < before.as_millisecond() {
                    older.push(Resource { upstream: upstream.clone(), kind: kind.clone(), id: text(row, 0)? });
                }
            }
            Ok(older)
        })
    }

    fn erase(
        &self,
        tenant: &TenantId,
        over: Vec<Resource>,
        tasks: Vec<Task>,
        request: RequestId,
    ) -> Fut<'_, bool> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            for resource in &over {
                if intents::names(tx, resource)? {
                    return Ok(false);
                }
            }
            for resource in over {
                if claims::end(tx, &resource)? {
                    deeds::note(tx, What::Expired, &tenant, &resource.upstream, Some(&resource), request)?;
                }
            }
            queue(tx, &tasks)?;
            Ok(true)
        })
    }

    fn hasten(&self, resource: Resource) -> Fut<'_, bool> {
        self.write(move |tx| {
            let (upstream, kind) = (tx.name(resource.upstream.as_str())?, tx.name(resource.kind.as_str())?);
            let sql = "UPDATE task SET due = ?4
                WHERE ended IS NULL AND upstream = ?1 AND kind = ?2 AND id = ?3 AND due > ?4";
            let now = Timestamp::now().as_millisecond();
            let rows =
                tx.connection.prepare_cached(sql)?.execute(params![upstream, kind, resource.id, now])?;
            Ok(rows > 0)
        })
    }

    fn retry(&self, task: TaskId) -> Fut<'_, bool> {
        self.write(move |tx| {
            let sql =
                "UPDATE task SET due = ?2, attempts = 0, progress = 'open' WHERE n = ?1 AND ended IS NULL";
            let now = Timestamp::now().as_millisecond();
            Ok(tx.connection.prepare_cached(sql)?.execute(params![task.0, now])? > 0)
        })
    }

    fn tasks(&self, tenant: Option<&TenantId>, past: bool) -> Fut<'_, Vec<TaskOnRecord>> {
        let tenant = tenant.map(|tenant| tenant.as_str().to_owned());
        self.read(move |connection| {
            let sql = format!(
                "{COLUMNS} WHERE (?1 OR k.ended IS NULL) AND (?2 IS NULL OR t.text = ?2) ORDER BY k.n"
            );
            listed(connection, &sql, params![past, tenant])
        })
    }

    fn tally(&self) -> Fut<'_, Tally> {
        self.read(|connection| {
            let mut tally = Tally::default();
            let sql =
                "SELECT progress, count(*), min(queued), sum(aim = 'undo') FROM task WHERE ended IS NULL
                GROUP BY progress";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let many = count(row.get(1)?)?;
                match word(Progress::from_word(&text(row, 0)?))? {
                    Progress::Open => tally.open = many,
                    Progress::Failed => tally.failed = many,
                    Progress::Held => tally.held = many,
                    Progress::Done => {}
                }
                tally.undos += count(row.get(3)?)?;
                let queued = time(row.get(2)?)?;
                tally.oldest = Some(tally.oldest.map_or(queued, |oldest| oldest.min(queued)));
            }
            let sql = "SELECT count(*) FROM task WHERE ended IS NOT NULL";
            tally.done = count(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)?;
            Ok(tally)
        })
    }
}

/// Queues tasks. One that waits already for the same resource and aim is not queued again.
pub(super) fn queue(tx: &mut Tx<'_>, tasks: &[Task]) -> Result<Vec<TaskId>, StoreError> {
    let now = Timestamp::now().as_millisecond();
    let sql = "INSERT OR IGNORE INTO task
        (tenant, upstream, cause, aim, kind, id, method, path, request, progress, sent, attempts, queued, due)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'open', 0, 0, ?10, ?10)";
    let mut queued = Vec::with_capacity(tasks.len());
    for task in tasks {
        let (tenant, upstream) = (tx.name(task.tenant.as_str())?, tx.name(task.about.upstream().as_str())?);
        let (kind, id, method, path) = match &task.about {
            About::Resource(resource) => {
                (Some(tx.name(resource.kind.as_str())?), Some(resource.id.as_str()), None, None)
            }
            About::Call { method, path, of, .. } => {
                let kind = of.as_ref().map(|of| tx.name(of.kind.as_str())).transpose()?;
                let id = of.as_ref().map(|of| of.id.as_str());
                (kind, id, Some(method.as_str()), Some(path.as_str()))
            }
        };
        let (cause, aim) = (task.cause.as_str(), task.aim.as_str());
        let values =
            params![tenant, upstream, cause, aim, kind, id, method, path, task.request.to_bytes(), now];
        if tx.connection.prepare_cached(sql)?.execute(values)? > 0 {
            queued.push(TaskId(tx.connection.last_insert_rowid()));
        }
    }
    Ok(queued)
}

fn listed(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<TaskOnRecord>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut tasks = Vec::new();
    while let Some(row) = rows.next()? {
        tasks.push(on_record(row)?);
    }
    Ok(tasks)
}

fn on_record(row: &Row<'_>) -> Result<TaskOnRecord, StoreError> {
    let upstream = UpstreamId::new(&text(row, 2)?);
    let of = row.get::<_, Option<String>>(5)?.zip(row.get::<_, Option<String>>(6)?);
    let of = of.map(|(kind, id)| Resource { upstream: upstream.clone(), kind: Kind::new(&kind), id });
    let about = match (row.get::<_, Option<String>>(7)?, of) {
        (Some(method), of) => {
            let method = http::Method::from_bytes(method.as_bytes());
            let method = method.map_err(|_bad| StoreError::Corrupt("a method is none"))?;
            About::Call { upstream, method, path: text(row, 8)?, of }
        }
        (None, Some(resource)) => About::Resource(resource),
        (None, None) => return Err(StoreError::Corrupt("a task is about nothing")),
    };
    let task = Task {
        tenant: TenantId::new(&text(row, 1)?),
        cause: word(Cause::from_word(&text(row, 3)?))?,
        aim: word(Aim::from_word(&text(row, 4)?))?,
        about,
        request: RequestId::from_bytes(row.get(9)?),
    };
    let told = row.get::<_, Option<String>>(13)?;
    Ok(TaskOnRecord {
        id: TaskId(row.get(0)?),
        task,
        progress: word(Progress::from_word(&text(row, 10)?))?,
        sent: row.get(11)?,
        attempts: row.get(12)?,
        told: told.map(|told| word(Told::from_word(&told))).transpose()?,
        queued: time(row.get(14)?)?,
        due: time(row.get(15)?)?,
        ended: row.get::<_, Option<i64>>(16)?.map(time).transpose()?,
    })
}
