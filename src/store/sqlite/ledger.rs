//! Grants and withdrawals, append-only: the schema's triggers refuse everything else, and each entry is chained to the one
//! before.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params, params};

use super::super::consent::{
    self, Chain, ChainKey, Change, Digest, LedgerEntry, LedgerScope, RecordId, Recorded, Which,
};
use super::super::{Consents, Fut, StoreError};
use super::writer::Tx;
use super::{Sqlite, count, time, word};
use crate::names::{DatasetName, Purpose, SubjectHash, TenantId};

impl Consents for Sqlite {
    fn record(&self, entries: Vec<LedgerEntry>, key: ChainKey) -> Fut<'_, u64> {
        self.write(move |tx| append(tx, &entries, &key))
    }

    fn ledger(&self, which: Which) -> Fut<'_, Vec<Recorded>> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(sql(&which))?;
            let mut rows = statement.query(named_params! {
                ":tenant": which.tenant.as_ref().map(TenantId::as_str),
                ":subject": which.subject.as_ref().map(|subject| &subject.as_bytes()[..]),
                ":record": which.record.map(RecordId::to_bytes),
                ":after": i64::try_from(which.after).unwrap_or(i64::MAX),
                ":limit": which.limit,
            })?;
            let mut entries = Vec::new();
            while let Some(row) = rows.next()? {
                entries.push(recorded(row)?);
            }
            Ok(entries)
        })
    }

    fn verify(&self, key: ChainKey) -> Fut<'_, Chain> {
        self.read(move |connection| {
            // Both within one view of the file, while others go on appending.
            connection.prepare_cached("BEGIN")?.execute([])?;
            let outcome = verify(connection, &key);
            connection.prepare_cached("COMMIT")?.execute([])?;
            outcome
        })
    }

    fn standing(&self, tenant: &TenantId) -> Result<std::sync::Arc<[Recorded]>, StoreError> {
        self.health.undamaged()?;
        self.standing.of_tenant(tenant).inspect_err(|fault| self.health.saw(fault))
    }

    fn untold(&self, limit: u32) -> Fut<'_, Vec<Recorded>> {
        self.read(move |connection| {
            let told: i64 = connection
                .prepare_cached("SELECT told FROM consent_head")?
                .query_row([], |row| row.get(0))?;
            let mut statement = connection.prepare_cached(BEHIND)?;
            let mut rows = statement.query(params![told, limit])?;
            let mut entries = Vec::new();
            while let Some(row) = rows.next()? {
                entries.push(recorded(row)?);
            }
            Ok(entries)
        })
    }

    fn told(&self, number: u64) -> Fut<'_, ()> {
        self.write(move |tx| {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            let sql = "UPDATE consent_head SET told = min(n, max(told, ?1))";
            tx.connection.prepare_cached(sql)?.execute([number])?;
            Ok(())
        })
    }
}

fn append(tx: &mut Tx<'_>, entries: &[LedgerEntry], key: &ChainKey) -> Result<u64, StoreError> {
    let (last, mut hash) = head(tx.connection)?;
    let mut number = last;
    // The clock may be set back; the ledger's order is that of its numbers, and its times follow it.
    let at = time(Timestamp::now().as_millisecond())?;
    for entry in entries {
        number += 1;
        hash = key.link(&hash, number, at, entry);
        let tenant = tx.name(entry.tenant.as_str())?;
        let dataset = entry.scope.dataset().map(|name| tx.name(name.as_str())).transpose()?;
        tx.connection.prepare_cached(INSERT)?.execute(params![
            i64::try_from(number).unwrap_or(i64::MAX),
            at.as_millisecond(),
            entry.record.to_bytes(),
            entry.change.as_str(),
            tenant,
            entry.scope.as_str(),
            dataset,
            entry.subject.as_ref().map(|subject| &subject.as_bytes()[..]),
            consent::purposes(&entry.purposes),
            entry.policy_version,
            entry.jurisdiction,
            entry.lawful_basis,
            entry.from.map(Timestamp::as_millisecond),
            entry.until.map(Timestamp::as_millisecond),
            entry.evidence,
            entry.recorded_by,
            entry.details,
            hash,
        ])?;
    }
    let sql = "UPDATE consent_head SET n = ?1, hash = ?2";
    tx.connection.prepare_cached(sql)?.execute(params![i64::try_from(number).unwrap_or(i64::MAX), hash])?;
    Ok(last + 1)
}

/// Number and link of the last entry.
fn head(connection: &Connection) -> Result<(u64, Digest), StoreError> {
    let (number, hash) = connection
        .prepare_cached("SELECT n, hash FROM consent_head")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Digest>(1)?)))?;
    Ok((count(number)?, hash))
}

fn verify(connection: &Connection, key: &ChainKey) -> Result<Chain, StoreError> {
    let (last, head) = head(connection)?;
    let (mut number, mut hash) = (0, [0; 32]);
    let mut statement = connection.prepare_cached(BEHIND)?;
    let mut rows = statement.query(params![0, i64::MAX])?;
    while let Some(row) = rows.next()? {
        number += 1;
        // What can't be read is not what was written.
        let Ok(found) = recorded(row) else { return Ok(Chain::Broken { at: number }) };
        hash = key.link(&hash, number, found.at, &found.entry);
        if found.number != number || found.hash != hash {
            return Ok(Chain::Broken { at: number });
        }
    }
    if number != last || hash != head {
        return Ok(Chain::Broken { at: number.min(last) + 1 });
    }
    Ok(Chain::Whole { entries: number, head: hash })
}

/// An entry of a row of [`BEHIND`] and its like.
pub(super) fn recorded(row: &Row<'_>) -> Result<Recorded, StoreError> {
    let text = |column: usize| row.get::<_, String>(column);
    let dataset = row.get::<_, Option<String>>(6)?;
    let scope = match (text(5)?.as_str(), dataset) {
        ("tenant", None) => LedgerScope::Tenant,
        ("all_datasets", None) => LedgerScope::AllDatasets,
        ("dataset", Some(name)) => LedgerScope::Dataset(DatasetName::new(&name)),
        _ => return Err(StoreError::Corrupt("a scope is not of the schema")),
    };
    let purposes = text(8)?.split_ascii_whitespace().map(Purpose::from_word).collect::<Option<BTreeSet<_>>>();
    let entry = LedgerEntry {
        record: RecordId::from_bytes(row.get(2)?),
        change: word(Change::from_word(&text(3)?))?,
        tenant: TenantId::new(&text(4)?),
        scope,
        subject: row.get::<_, Option<[u8; 16]>>(7)?.map(SubjectHash::of_hash),
        purposes: word(purposes)?,
        policy_version: row.get(9)?,
        jurisdiction: row.get(10)?,
        lawful_basis: row.get(11)?,
        from: row.get::<_, Option<i64>>(12)?.map(time).transpose()?,
        until: row.get::<_, Option<i64>>(13)?.map(time).transpose()?,
        evidence: row.get(14)?,
        recorded_by: text(15)?,
        details: row.get(16)?,
    };
    Ok(Recorded { number: count(row.get(0)?)?, at: time(row.get(1)?)?, entry, hash: row.get(17)? })
}

const INSERT: &str = "
INSERT INTO consent (n, at, record, change, tenant, scope, dataset, subject, purposes, policy_version, jurisdiction,
    lawful_basis, valid_from, valid_until, evidence, recorded_by, details, hash)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";

macro_rules! entries {
    ($rest:literal) => {
        concat!(
            "SELECT c.n, c.at, c.record, c.change, t.text, c.scope, d.text, c.subject, c.purposes, c.policy_version,
                c.jurisdiction, c.lawful_basis, c.valid_from, c.valid_until, c.evidence, c.recorded_by, c.details, c.hash
            FROM consent c JOIN name t ON t.n = c.tenant LEFT JOIN name d ON d.n = c.dataset ",
            $rest
        )
    };
}

/// What stands behind a number.
pub(super) const BEHIND: &str = entries!("WHERE c.n > ?1 ORDER BY c.n LIMIT ?2");

/// The narrowest thing that is named decides by which index the entries are found.
const fn sql(which: &Which) -> &'static str {
    match which {
        Which { record: Some(_), .. } => entries!(
            "WHERE c.record = :record AND (:tenant IS NULL OR t.text = :tenant) AND (:subject IS NULL OR c.subject = :subject)
                AND c.n > :after ORDER BY c.n LIMIT :limit"
        ),
        Which { tenant: Some(_), subject: Some(_), .. } => entries!(
            "WHERE c.tenant = (SELECT n FROM name WHERE text = :tenant) AND c.subject = :subject AND c.n > :after
                AND :record IS NULL ORDER BY c.n LIMIT :limit"
        ),
        Which { tenant: Some(_), .. } => entries!(
            "WHERE c.tenant = (SELECT n FROM name WHERE text = :tenant) AND c.n > :after
                AND :record IS NULL AND :subject IS NULL ORDER BY c.n LIMIT :limit"
        ),
        Which { .. } => entries!(
            "WHERE c.n > :after AND :tenant IS NULL AND :record IS NULL AND (:subject IS NULL OR c.subject = :subject)
                ORDER BY c.n LIMIT :limit"
        ),
    }
}
