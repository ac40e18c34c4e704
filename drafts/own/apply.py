import shutil,os
os.chdir('/work/own')
def sub(path, *pairs):
    s=open(path).read()
    for a,b in pairs:
        assert a in s, (path,a)
        s=s.replace(a,b,1)
    open(path,'w').write(s)
shutil.copy('/tmp/own_new/account.rs','src/account.rs')
shutil.copy('/tmp/own_new/orphans.rs','src/cli/orphans.rs')
sub('src/lib.rs',('pub mod analyser;','pub mod account;\npub mod analyser;'))
sub('src/cli.rs',('mod output;\n','mod orphans;\nmod output;\n'),
('    /// Shows what a resource came from, and what came of it.','    /// Shows what the upstream account has and no record names, and mends it.\n    Orphans(orphans::Arguments),\n    /// Shows what a resource came from, and what came of it.'),
('        Command::Schema(arguments)','        Command::Orphans(arguments) => orphans::run(&arguments),\n        Command::Schema(arguments)'))
# fill
os.system('git mv src/gateway/target.rs src/catalog/fill.rs')
sub('src/catalog/fill.rs',('pub(super) fn fill','#[must_use]\npub fn fill'))
s=open('src/catalog.rs').read()
i=s.index('mod errors;'); s=s[:i]+'mod errors;\nmod fill;'+s[i+len('mod errors;'):]
i=s.index('pub use '); s=s[:i]+'pub use fill::fill;\n'+s[i:]
open('src/catalog.rs','w').write(s)
sub('src/gateway.rs',('mod target;\n',''))
for p,a,b in [('src/gateway/assembly/joined.rs','head, target, treatment','head, treatment'),
 ('src/gateway/claims.rs','use super::{target, undo};','use super::undo;'),
 ('src/gateway/lists/rest.rs','use super::super::{target, way};','use super::super::way;')]:
    sub(p,(a,b))
for p in ['src/gateway/assembly/joined.rs','src/gateway/claims.rs','src/gateway/lists/rest.rs']:
    s=open(p).read().replace('target::fill(','crate::catalog::fill('); open(p,'w').write(s)
s=open('src/gateway/canary/sample.rs').read().replace('super::super::target::fill(','crate::catalog::fill('); open('src/gateway/canary/sample.rs','w').write(s)
# door
sub('src/upstream/door.rs',
('''/// A request that passed every check.''','''/// Says that an operator looks at the account, and no caller. Commands alone make it: `tests/tidy` looks for the name.
#[derive(Debug)]
pub struct Desk(());

impl Desk {
    /// The operator asked for it.
    #[must_use]
    pub const fn at_the_command_line() -> Self {
        Self(())
    }
}

/// A request that passed every check.'''),
('''    /// Whose request it is.''','''    /// A look of the operator's at what lies in the account. What comes back is shown to no tenant.
    #[must_use]
    pub fn at_the_desk(head: Head, _operator: &Desk) -> Self {
        Self::taking_back(head, &TenantId::new("operator"))
    }

    /// Whose request it is.'''))
sub('src/upstream.rs',('pub use door::{Cleared, Head};','pub use door::{Cleared, Desk, Head};'))
# store
sub('src/store/types.rs',
('use super::making::{Making, Relation};','use super::making::{Making, Parent, Relation};'),
('''    /// What it is.
    pub operation: OperationId,
    /// The request.
    pub request: RequestId,
}

/// The number of an intent.''','''    /// What it is.
    pub operation: OperationId,
    /// The request.
    pub request: RequestId,
    /// The data set that what it makes will belong to.
    pub dataset: Option<DatasetName>,
    /// What it is said to be for.
    pub label: Option<Label>,
    /// What it will have been made from.
    pub from: Vec<Parent>,
}

/// The number of an intent.'''),
('''    /// When.
    pub begun: Timestamp,
}''','''    /// When.
    pub begun: Timestamp,
    /// When it was seen that its gateway has ended. None: it may be under way.
    pub left: Option<Timestamp>,
}'''))
sub('src/store/sqlite/schema.rs',('&[FIRST, SHARES, VIA];','&[FIRST, SHARES, VIA, ORPHANS];'),
('''/// Brings a file to the newest''','''/// What a creating call said, for whoever looks for what came of it after a crash; and when the crash was noticed.
const ORPHANS: &str = "
ALTER TABLE intent ADD COLUMN dataset INTEGER;
ALTER TABLE intent ADD COLUMN label INTEGER;
ALTER TABLE intent ADD COLUMN left INTEGER;
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

/// Notes that nobody waits any more for the outcome of what was begun: to be called by who holds the store's lock.
pub(super) fn leave_open(connection: &Connection) -> Result<(), StoreError> {
    let now = jiff::Timestamp::now().as_millisecond();
    connection.execute("UPDATE intent SET left = ?1 WHERE left IS NULL", [now])?;
    Ok(())
}

/// Brings a file to the newest'''))
sub('src/store/sqlite.rs',
('''        drop(meanwhile);
''','''        // What an ended process left open stays so; where a gateway serves, its own may be under way.
        if lock.is_some() || meanwhile.is_some() {
            schema::leave_open(&connection)?;
        } else if let Ok(unserved) = try_lock(&path) {
            schema::leave_open(&connection)?;
            drop(unserved);
        }
        drop(meanwhile);
'''),
('''    let mut name = path.to_path_buf().into_os_string();
    name.push(".lock");
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(name)?;
    patiently(LOCK, || {
        file.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => StoreError::Locked,
            std::fs::TryLockError::Error(error) => error.into(),
        })
    })?;
    Ok(file)
}''','''    patiently(LOCK, || try_lock(path))
}

/// The same, without waiting.
fn try_lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.to_path_buf().into_os_string();
    name.push(".lock");
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(name)?;
    file.try_lock().map_err(|error| match error {
        std::fs::TryLockError::WouldBlock => StoreError::Locked,
        std::fs::TryLockError::Error(error) => error.into(),
    })?;
    Ok(file)
}'''))
sub('src/store/sqlite/tasks.rs',
('use super::super::types::{Attempt, Claim, Doom, DoomId, Intent, IntentId, OpenIntent};\nuse super::super::{Doomed, Fut, Intents, StoreError};','use super::super::types::{Attempt, Claim, Doom, DoomId, Intent, IntentId, OpenIntent};\nuse super::super::{Doomed, Fut, Intents, Parent, Relation, StoreError};'),
('use super::{Sqlite, claims, count, time};','use super::{Sqlite, claims, count, time, word};'),
('use crate::names::{OperationId, RequestId, TenantId, UpstreamId};','use crate::names::{DatasetName, Kind, Label, OperationId, RequestId, TenantId, UpstreamId, Via};'),
('use rusqlite::{Row, params};','use rusqlite::{Connection, Row, params};'),
('''            let sql = "INSERT INTO intent (tenant, upstream, operation, request, begun) VALUES (?1, ?2, ?3, ?4, ?5)";
            let now = Timestamp::now().as_millisecond();
            let values = params![tenant, upstream, operation, intent.request.to_bytes(), now];
            tx.connection.prepare_cached(sql)?.execute(values)?;
            Ok(IntentId(tx.connection.last_insert_rowid()))''','''            let dataset = intent.dataset.as_ref().map(|name| tx.name(name.as_str())).transpose()?;
            let label = intent.label.as_ref().map(|name| tx.name(name.as_str())).transpose()?;
            let sql = "INSERT INTO intent (tenant, upstream, operation, request, begun, dataset, label)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let now = Timestamp::now().as_millisecond();
            let values =
                params![tenant, upstream, operation, intent.request.to_bytes(), now, dataset, label];
            tx.connection.prepare_cached(sql)?.execute(values)?;
            let id = tx.connection.last_insert_rowid();
            for (n, of) in intent.from.iter().enumerate() {
                let (kind, via) = (tx.name(of.kind.as_str())?, tx.name(of.via.as_str())?);
                let sql = "INSERT INTO intent_from (intent, n, kind, id, relation, via) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                let n = i64::try_from(n).unwrap_or(i64::MAX);
                let values = params![id, n, kind, of.id, of.relation.as_str(), via];
                tx.connection.prepare_cached(sql)?.execute(values)?;
            }
            Ok(IntentId(id))'''),
('''            let sql = "SELECT i.n, t.text, u.text, o.text, i.request, i.begun FROM intent i
                JOIN name t ON t.n = i.tenant JOIN name u ON u.n = i.upstream JOIN name o ON o.n = i.operation
                ORDER BY i.n";''','''            let sql = "SELECT i.n, t.text, u.text, o.text, i.request, i.begun, d.text, l.text, i.left FROM intent i
                JOIN name t ON t.n = i.tenant JOIN name u ON u.n = i.upstream JOIN name o ON o.n = i.operation
                LEFT JOIN name d ON d.n = i.dataset LEFT JOIN name l ON l.n = i.label
                ORDER BY i.n";'''),
('''                    request: RequestId::from_bytes(row.get(4)?),
                };
                open.push(OpenIntent { id: IntentId(row.get(0)?), intent, begun: time(row.get(5)?)? });''','''                    request: RequestId::from_bytes(row.get(4)?),
                    dataset: row.get::<_, Option<String>>(6)?.map(|name| DatasetName::new(&name)),
                    label: row.get::<_, Option<String>>(7)?.map(|name| Label::new(&name)),
                    from: sources(connection, row.get(0)?)?,
                };
                let left = row.get::<_, Option<i64>>(8)?.map(time).transpose()?;
                open.push(OpenIntent { id: IntentId(row.get(0)?), intent, begun: time(row.get(5)?)?, left });'''),
('''    tx.connection.prepare_cached("DELETE FROM intent WHERE n = ?1")?.execute([intent.0])?;
    Ok(())
}
''','''    tx.connection.prepare_cached("DELETE FROM intent WHERE n = ?1")?.execute([intent.0])?;
    tx.connection.prepare_cached("DELETE FROM intent_from WHERE intent = ?1")?.execute([intent.0])?;
    Ok(())
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
'''))
import re
for p in ['src/store/sqlite/tests.rs','src/store/sqlite/tests/faults.rs']:
    s=open(p).read()
    s=re.sub(r'(let intent = (?:\|request\| )?Intent \{.*?)(request(?:: [^\n]*)?,\n)( *)\}', lambda m: m[1]+m[2]+m[3]+'    dataset: None,\n'+m[3]+'    label: None,\n'+m[3]+'    from: Vec::new(),\n'+m[3]+'}', s, flags=re.S)
    s=s.replace('known: 3 }','known: 4 }').replace('assert_eq!(version(&connection), 3);','assert_eq!(version(&connection), 4);')
    s=s.replace('"DROP VIEW edges; ALTER TABLE edge DROP COLUMN via; PRAGMA user_version = 2;"','''"DROP VIEW edges; ALTER TABLE edge DROP COLUMN via; DROP TABLE intent_from; ALTER TABLE intent
        DROP COLUMN dataset; ALTER TABLE intent DROP COLUMN label; ALTER TABLE intent DROP COLUMN left; PRAGMA user_version = 2;"''')
    open(p,'w').write(s)
# effects
sub('src/gateway/effects.rs',
('''    creates: &[bool],
) -> Result<Open, Refusal> {''','''    creates: &[bool],
    about: About<'_>,
) -> Result<Open, Refusal> {'''),
('''        request: request.received.id,
    };''','''        request: request.received.id,
        dataset: about.dataset.or_else(|| about.scope.datasets().first()).cloned(),
        label: about.label.filter(|_| request.operation().creates.iter().any(|c| c.label.is_some())).cloned(),
        from: about.scope.recorded().iter().map(parent).collect(),
    };'''),
('''/// Records that a creating call is''','''/// What is known of what a call is about to make.
pub(super) struct About<'a> {
    pub(super) scope: &'a TenantScope,
    pub(super) dataset: Option<&'a DatasetName>,
    pub(super) label: Option<&'a Label>,
}

fn parent(of: &Source) -> Parent {
    Parent { kind: of.kind.clone(), id: of.id.clone(), relation: Relation::Derived, via: of.via.clone() }
}

/// Records that a creating call is'''),
('use crate::isolation::{TenantScope, store_refusal};','use crate::isolation::{Source, TenantScope, store_refusal};\nuse crate::names::{DatasetName, Label};'),
('use crate::store::{Intent, IntentId, Resource};','use crate::store::{Intent, IntentId, Parent, Relation, Resource};'))
sub('src/gateway/way.rs',('effects::begin(shared, &request, &creates).await?;','''{
        let about = effects::About { scope: &scope, dataset: dataset.as_ref(), label: label.as_ref() };
        effects::begin(shared, &request, &creates, about).await?
    };'''))
sub('src/gateway/assembly/joined.rs',('effects::begin(self.shared, self.request, &[true]).await?;','''{
            let (dataset, label) = (open.dataset.as_ref(), open.label.as_ref());
            let about = effects::About { scope: self.scope, dataset, label };
            effects::begin(self.shared, self.request, &[true], about).await?
        };'''),
('self.completed(trail, &upload, censored).await','self.completed(trail, open, &upload, censored).await'),
('''        trail: &mut Trail,
        upload: &str,
        censored: Spool,
    ) -> Result<(Response''','''        trail: &mut Trail,
        open: &About,
        upload: &str,
        censored: Spool,
    ) -> Result<(Response'''))
sub('src/cli/orphans.rs',
('''    let said = intent.intent.label.as_ref().zip(label);
    from && said.is_none_or(|(said, at)| told(at.as_str()).is_none_or(|told| told == said.as_str()))''','''    let shown = label.and_then(|at| found.shown.get(at.as_str()).and_then(Value::as_str));
    // Of what it is said to be for the words are kept that some use asks for, and no others.
    let kept = |shown: &str| asked.iter().any(|word| **word == *shown).then(|| shown.to_owned());
    let said = intent.intent.label.as_ref().map(|label| label.as_str().to_owned());
    from && shown.is_none_or(|shown| kept(shown) == said)'''),
('fn fits(intent: &OpenIntent, operation: &Operation, found: &Found) -> bool {','fn fits(intent: &OpenIntent, operation: &Operation, found: &Found, asked: &[Arc<str>]) -> bool {'),
('fits(intent, operation, &orphan.found)','fits(intent, operation, &orphan.found, &self.account.labels())'),
('use std::process::ExitCode;\n','use std::process::ExitCode;\nuse std::sync::Arc;\n'))
sub('src/account.rs',('''    /// An operation of the profile.''','''    /// The words for what a resource is for that some use asks for.
    #[must_use]
    pub fn labels(&self) -> Vec<Arc<str>> {
        let uses = self.catalog.operations().iter().flat_map(|operation| &operation.uses);
        uses.flat_map(|used| &used.labels).cloned().collect()
    }

    /// An operation of the profile.'''),('use http::{HeaderMap','use std::sync::Arc;\n\nuse http::{HeaderMap'))
