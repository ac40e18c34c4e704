//! Grants and withdrawals, append-only: the schema's triggers refuse everything else.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::super::types::{Change, LedgerEntry, LedgerScope, Recorded};
use super::super::{Fut, Grants, StoreError};
use super::{Sqlite, count, time, word};
use crate::names::{DatasetName, Purpose, TenantId};

impl Grants for Sqlite {
    fn record(&self, entry: LedgerEntry) -> Fut<'_, u64> {
        self.write(move |tx| {
            let tenant = tx.name(entry.tenant.as_str())?;
            let (scope, dataset) = match &entry.scope {
                LedgerScope::Tenant => ("tenant", None),
                LedgerScope::AllDatasets => ("all_datasets", None),
                LedgerScope::Dataset(name) => ("dataset", Some(tx.name(name.as_str())?)),
            };
            let sql =
                "INSERT INTO ledger (at, change, tenant, purpose, scope, dataset, policy_version, valid_from,
                valid_until, evidence, recorded_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
            tx.connection.prepare_cached(sql)?.execute(params![
                Timestamp::now().as_millisecond(),
                entry.change.as_str(),
                tenant,
                entry.purpose.as_str(),
                scope,
                dataset,
                entry.policy_version,
                entry.from.map(Timestamp::as_millisecond),
                entry.until.map(Timestamp::as_millisecond),
                entry.evidence,
                entry.recorded_by,
            ])?;
            count(tx.connection.last_insert_rowid())
        })
    }

    fn all(&self, tenant: &TenantId) -> Fut<'_, Vec<Recorded>> {
        let tenant = tenant.clone();
        self.read(move |connection| {
            let sql =
                "SELECT l.n, l.at, l.change, l.purpose, l.scope, d.text, l.policy_version, l.valid_from,
                l.valid_until, l.evidence, l.recorded_by FROM ledger l LEFT JOIN name d ON d.n = l.dataset
                WHERE l.tenant = (SELECT n FROM name WHERE text = ?1) ORDER BY l.n";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([tenant.as_str()])?;
            let mut entries = Vec::new();
            while let Some(row) = rows.next()? {
                entries.push(recorded(row, &tenant)?);
            }
            Ok(entries)
        })
    }
}

fn recorded(row: &Row<'_>, tenant: &TenantId) -> Result<Recorded, StoreError> {
    let text = |column: usize| row.get::<_, String>(column);
    let purpose = text(3)?;
    let dataset = row.get::<_, Option<String>>(5)?;
    let scope = match (text(4)?.as_str(), dataset) {
        ("tenant", None) => LedgerScope::Tenant,
        ("all_datasets", None) => LedgerScope::AllDatasets,
        ("dataset", Some(name)) => LedgerScope::Dataset(DatasetName::new(&name)),
        _ => return Err(StoreError::Corrupt("a scope is not of the schema")),
    };
    let entry = LedgerEntry {
        change: word(Change::from_word(&text(2)?))?,
        tenant: tenant.clone(),
        purpose: word(Purpose::ALL.into_iter().find(|p| p.as_str() == purpose))?,
        scope,
        policy_version: row.get(6)?,
        from: row.get::<_, Option<i64>>(7)?.map(time).transpose()?,
        until: row.get::<_, Option<i64>>(8)?.map(time).transpose()?,
        evidence: row.get(9)?,
        recorded_by: text(10)?,
    };
    Ok(Recorded { number: count(row.get(0)?)?, at: time(row.get(1)?)?, entry })
}
