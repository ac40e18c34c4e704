//! Uploads that the gateway puts together.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::super::types::{Upload, UploadPart, UploadState};
use super::super::{Fut, StoreError, Uploads};
use super::{Sqlite, count, time, word};
use crate::names::{DatasetName, TenantId, UpstreamId};

impl Uploads for Sqlite {
    fn open_upload(&self, upload: Upload) -> Fut<'_, ()> {
        self.write(move |tx| {
            let (tenant, upstream) = (tx.name(upload.tenant.as_str())?, tx.name(upload.upstream.as_str())?);
            let dataset = upload.dataset.as_ref().map(|name| tx.name(name.as_str())).transpose()?;
            let sql = "INSERT INTO upload
                (id, tenant, upstream, purpose, filename, mime, bytes, dataset, state, opened)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING";
            let rows = tx.connection.prepare_cached(sql)?.execute(params![
                upload.id,
                tenant,
                upstream,
                upload.purpose,
                upload.filename,
                upload.mime,
                signed(upload.bytes),
                dataset,
                upload.state.as_str(),
                upload.opened.as_millisecond(),
            ])?;
            if rows == 1 { Ok(()) } else { Err(StoreError::Taken) }
        })
    }

    fn upload(&self, tenant: &TenantId, id: &str) -> Fut<'_, Option<Upload>> {
        let (tenant, id) = (tenant.clone(), id.to_owned());
        self.read(move |connection| {
            let found = find(connection, &id)?;
            Ok(found.filter(|upload| upload.tenant == tenant))
        })
    }

    fn add_part(&self, tenant: &TenantId, upload: &str, part: UploadPart) -> Fut<'_, bool> {
        let (tenant, upload) = (tenant.clone(), upload.to_owned());
        self.write(move |tx| {
            let tenant = tx.name(tenant.as_str())?;
            // One statement, so that two parts at once can't both see the last bytes free.
            let sql = "INSERT INTO upload_part (upload, id, bytes, spool)
                SELECT u.id, ?3, ?4, ?5 FROM upload u WHERE u.id = ?2 AND u.tenant = ?1 AND u.state = 'open'
                AND u.bytes >= ?4 + (SELECT coalesce(sum(p.bytes), 0) FROM upload_part p WHERE p.upload = u.id)
                ON CONFLICT DO NOTHING";
            let values = params![tenant, upload, part.id, signed(part.bytes), part.spool];
            Ok(tx.connection.prepare_cached(sql)?.execute(values)? == 1)
        })
    }

    fn move_upload(&self, tenant: &TenantId, id: &str, from: UploadState, to: UploadState) -> Fut<'_, bool> {
        let (tenant, id) = (tenant.clone(), id.to_owned());
        self.write(move |tx| {
            let tenant = tx.name(tenant.as_str())?;
            let sql = "UPDATE upload SET state = ?4 WHERE id = ?2 AND tenant = ?1 AND state = ?3";
            let values = params![tenant, id, from.as_str(), to.as_str()];
            Ok(tx.connection.prepare_cached(sql)?.execute(values)? == 1)
        })
    }

    fn uploads_before(&self, state: UploadState, before: Timestamp) -> Fut<'_, Vec<Upload>> {
        self.read(move |connection| {
            let sql = "SELECT id FROM upload WHERE state = ?1 AND opened < ?2 ORDER BY opened, id";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![state.as_str(), before.as_millisecond()])?;
            let mut uploads = Vec::new();
            while let Some(row) = rows.next()? {
                uploads.extend(find(connection, &row.get::<_, String>(0)?)?);
            }
            Ok(uploads)
        })
    }

    fn forget_upload(&self, tenant: &TenantId, id: &str) -> Fut<'_, bool> {
        let (tenant, id) = (tenant.clone(), id.to_owned());
        self.write(move |tx| {
            let tenant = tx.name(tenant.as_str())?;
            let sql = "DELETE FROM upload WHERE id = ?2 AND tenant = ?1";
            let rows = tx.connection.prepare_cached(sql)?.execute(params![tenant, id])?;
            if rows == 1 {
                tx.connection.prepare_cached("DELETE FROM upload_part WHERE upload = ?1")?.execute([id])?;
            }
            Ok(rows == 1)
        })
    }
}

fn find(connection: &Connection, id: &str) -> Result<Option<Upload>, StoreError> {
    let sql = "SELECT t.text, s.text, u.purpose, u.filename, u.mime, u.bytes, d.text, u.state, u.opened FROM upload u
        JOIN name t ON t.n = u.tenant JOIN name s ON s.n = u.upstream LEFT JOIN name d ON d.n = u.dataset
        WHERE u.id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row([id], |row| {
        let text = |column: usize| row.get::<_, String>(column);
        let upload = Upload {
            id: id.to_owned(),
            tenant: TenantId::new(&text(0)?),
            upstream: UpstreamId::new(&text(1)?),
            purpose: text(2)?,
            filename: text(3)?,
            mime: text(4)?,
            bytes: 0,
            dataset: row.get::<_, Option<String>>(6)?.map(|name| DatasetName::new(&name)),
            state: UploadState::Open,
            opened: Timestamp::UNIX_EPOCH,
            parts: Vec::new(),
        };
        Ok((upload, row.get(5)?, text(7)?, row.get(8)?))
    });
    let Some((upload, bytes, state, opened)) = found.optional()? else { return Ok(None) };
    Ok(Some(Upload {
        bytes: count(bytes)?,
        state: word(UploadState::from_word(&state))?,
        opened: time(opened)?,
        parts: parts(connection, id)?,
        ..upload
    }))
}

fn parts(connection: &Connection, upload: &str) -> Result<Vec<UploadPart>, StoreError> {
    let sql = "SELECT id, bytes, spool FROM upload_part WHERE upload = ?1 ORDER BY n";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([upload])?;
    let mut parts = Vec::new();
    while let Some(row) = rows.next()? {
        parts.push(UploadPart { id: row.get(0)?, bytes: count(row.get(1)?)?, spool: row.get(2)? });
    }
    Ok(parts)
}

/// SQLite's integers are signed; what doesn't fit is larger than any upload.
fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
