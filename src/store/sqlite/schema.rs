//! The schema as a table of steps. `user_version` says how many of them a file has seen. A step is never edited once
//! it was released: what changes is a new step.

use rusqlite::{Connection, TransactionBehavior};

use super::super::StoreError;

/// `CNSY` in the file's header: a database of another program is refused.
const APPLICATION: i64 = 0x434e_5359;

const STEPS: &[&str] = &[FIRST, SHARES, VIA, CONSENT, LOST, DEEDS, JUDGED];

/// Names are kept once: ten million resources name a few hundred tenants, kinds and operations. `resources` is for
/// people with `sqlite3`.
///
/// Ten million resources with ids of 29 bytes take 1.56 GB (155 bytes each); the check at open takes 6 s then, a look-up
/// that is not warm 26 µs (p50) and 45 µs (p99), with two cores that others worked on too.
///
/// `seq` is the order of claiming and the cursor of lists. An id may live again after it ended, in a new generation;
/// the older ones stay as tombstones, and edges hang on the generation that they were made with.
const FIRST: &str = "
CREATE TABLE name (
    n INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE resource (
    seq INTEGER PRIMARY KEY,
    upstream INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    dataset INTEGER,
    label INTEGER,
    state TEXT NOT NULL,
    origin TEXT NOT NULL,
    operation INTEGER NOT NULL,
    request BLOB NOT NULL,
    claimed INTEGER NOT NULL,
    ended INTEGER
) STRICT;
CREATE UNIQUE INDEX resource_key ON resource (upstream, kind, id, generation);
CREATE INDEX resource_owned ON resource (upstream, kind, tenant, seq) WHERE ended IS NULL;

CREATE TABLE edge (
    child INTEGER NOT NULL,
    parent INTEGER NOT NULL,
    relation TEXT NOT NULL,
    PRIMARY KEY (child, parent, relation)
) STRICT, WITHOUT ROWID;
CREATE INDEX edge_parent ON edge (parent, child);

CREATE TABLE intent (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL,
    upstream INTEGER NOT NULL,
    operation INTEGER NOT NULL,
    request BLOB NOT NULL,
    begun INTEGER NOT NULL
) STRICT;

CREATE TABLE doomed (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL,
    upstream INTEGER NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    request BLOB NOT NULL,
    queued INTEGER NOT NULL,
    due INTEGER NOT NULL,
    attempts INTEGER NOT NULL
) STRICT;
CREATE INDEX doomed_due ON doomed (due);

CREATE TABLE upload (
    id TEXT PRIMARY KEY,
    tenant INTEGER NOT NULL,
    upstream INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    filename TEXT NOT NULL,
    mime TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    dataset INTEGER,
    state TEXT NOT NULL,
    opened INTEGER NOT NULL
) STRICT;
CREATE INDEX upload_state ON upload (state, opened);

CREATE TABLE upload_part (
    n INTEGER PRIMARY KEY,
    upload TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    bytes INTEGER NOT NULL,
    spool TEXT NOT NULL
) STRICT;
CREATE INDEX upload_part_upload ON upload_part (upload, n);

CREATE TABLE ledger (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    change TEXT NOT NULL,
    tenant INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    scope TEXT NOT NULL,
    dataset INTEGER,
    policy_version TEXT,
    valid_from INTEGER,
    valid_until INTEGER,
    evidence TEXT,
    recorded_by TEXT NOT NULL
) STRICT;
CREATE INDEX ledger_tenant ON ledger (tenant, n);
CREATE TRIGGER ledger_is_not_changed BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_is_not_cut BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TABLE probe (one INTEGER PRIMARY KEY CHECK (one = 1), room BLOB NOT NULL) STRICT;

CREATE VIEW resources AS SELECT
    r.seq, u.text AS upstream, k.text AS kind, r.id, t.text AS tenant, d.text AS dataset, l.text AS label, r.state, r.origin,
    o.text AS operation, lower(hex(r.request)) AS request,
    datetime(r.claimed / 1000, 'unixepoch') AS claimed, datetime(r.ended / 1000, 'unixepoch') AS ended
FROM resource r
    JOIN name u ON u.n = r.upstream JOIN name k ON k.n = r.kind JOIN name t ON t.n = r.tenant
    JOIN name o ON o.n = r.operation LEFT JOIN name d ON d.n = r.dataset LEFT JOIN name l ON l.n = r.label;
";

/// What owners show to others. A share is never deleted: it is withdrawn. No tenant means every tenant.
const SHARES: &str = "
CREATE TABLE share (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    resource INTEGER NOT NULL,
    tenant INTEGER,
    access TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER,
    withdrawn INTEGER,
    recorded_by TEXT NOT NULL
) STRICT;
CREATE INDEX share_resource ON share (resource) WHERE withdrawn IS NULL;
CREATE INDEX share_tenant ON share (tenant, resource) WHERE withdrawn IS NULL;
";

/// By which place one resource names another. What was recorded before does not say. `edges` is for people with `sqlite3`.
const VIA: &str = "
ALTER TABLE edge ADD COLUMN via INTEGER;
CREATE VIEW edges AS SELECT
    ck.text AS child_kind, c.id AS child, v.text AS via, e.relation, pk.text AS parent_kind, p.id AS parent
FROM edge e
    JOIN resource c ON c.seq = e.child JOIN name ck ON ck.n = c.kind
    JOIN resource p ON p.seq = e.parent JOIN name pk ON pk.n = p.kind
    LEFT JOIN name v ON v.n = e.via;
";

/// The ledger of consent. The table that stood for it until now was never written to. `consent_head` knows the last entry, so that a
/// cut end is seen, and up to where the audit trail was told.
const CONSENT: &str = "
DROP TABLE ledger;
CREATE TABLE consent (
    n INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    record BLOB NOT NULL,
    change TEXT NOT NULL,
    tenant INTEGER NOT NULL,
    scope TEXT NOT NULL,
    dataset INTEGER,
    subject BLOB,
    purposes TEXT NOT NULL,
    policy_version TEXT,
    jurisdiction TEXT,
    lawful_basis TEXT,
    valid_from INTEGER,
    valid_until INTEGER,
    evidence TEXT,
    recorded_by TEXT NOT NULL,
    details TEXT,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX consent_tenant ON consent (tenant, n);
CREATE INDEX consent_subject ON consent (tenant, subject, n) WHERE subject IS NOT NULL;
CREATE INDEX consent_record ON consent (record);
CREATE TRIGGER consent_is_not_changed BEFORE UPDATE ON consent
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER consent_is_not_cut BEFORE DELETE ON consent
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TABLE consent_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    n INTEGER NOT NULL,
    hash BLOB NOT NULL,
    told INTEGER NOT NULL
) STRICT;
INSERT INTO consent_head VALUES (1, 0, zeroblob(32), 0);
";

/// What a creating call said, for whoever looks for what came of it; and when it was seen that its outcome is lost.
const LOST: &str = "
ALTER TABLE intent ADD COLUMN dataset INTEGER;
ALTER TABLE intent ADD COLUMN label INTEGER;
ALTER TABLE intent ADD COLUMN lost INTEGER;
CREATE TABLE intent_from (
    intent INTEGER NOT NULL,
    n INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    id TEXT NOT NULL,
    relation TEXT NOT NULL,
    via INTEGER NOT NULL,
    PRIMARY KEY (intent, n)
) STRICT, WITHOUT ROWID;
";

/// What operators did by commands, until the audit trail has it; what a creating call said that its thing is for, as a keyed hash;
/// and what an undo deletes, where that may come to be somebody's.
const DEEDS: &str = "
CREATE TABLE deed (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    what TEXT NOT NULL,
    tenant INTEGER NOT NULL,
    upstream INTEGER NOT NULL,
    kind INTEGER,
    id TEXT,
    request BLOB NOT NULL
) STRICT;
ALTER TABLE intent ADD COLUMN said TEXT;
ALTER TABLE doomed ADD COLUMN kind INTEGER;
ALTER TABLE doomed ADD COLUMN id TEXT;
";

/// For which uses the records of a resource were judged, as bits. What was recorded before was judged for none.
const JUDGED: &str = "ALTER TABLE resource ADD COLUMN judged INTEGER NOT NULL DEFAULT 0;";

/// Notes that nobody waits for what was begun: for whoever holds the lock of the store.
pub(super) fn lose_open(connection: &Connection) -> Result<(), StoreError> {
    let now = jiff::Timestamp::now().as_millisecond();
    connection.execute("UPDATE intent SET lost = ?1 WHERE lost IS NULL", [now])?;
    Ok(())
}

/// Brings a file to the newest schema, all steps or none. `alone` is asked first where there is something to do: a
/// process that serves from the file knows the schema that it found.
pub(super) fn migrate(
    connection: &mut Connection,
    alone: impl FnOnce() -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let found = version(connection)?;
    let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let empty: bool =
        connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))?;
    if application != APPLICATION && !(application == 0 && found == 0 && empty) {
        return Err(StoreError::Foreign);
    }
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    if found == known {
        return Ok(());
    }
    alone()?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    // Another process may have been faster.
    let done = usize::try_from(version(&transaction)?).unwrap_or(usize::MAX);
    for step in STEPS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}
