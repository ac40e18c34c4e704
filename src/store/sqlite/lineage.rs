//! Edges between resources, and walks along them.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::types::{Edge, Node, Resource, State, Towards};
use super::super::{Fut, Lineage, Relation, StoreError};
use super::writer::Tx;
use super::{Sqlite, claims, word};
use crate::names::{Kind, TenantId, UpstreamId, Via};

impl Lineage for Sqlite {
    fn link(&self, child: Resource, parent: Resource, relation: Relation, via: Via) -> Fut<'_, ()> {
        self.write(move |tx| {
            let mut seq = |resource: &Resource| {
                let (upstream, kind) =
                    (tx.name(resource.upstream.as_str())?, tx.name(resource.kind.as_str())?);
                let found = claims::newest(tx, upstream, kind, &resource.id)?;
                found.map(|found| found.seq).ok_or(StoreError::ParentUnknown)
            };
            let (child, parent) = (seq(&child)?, seq(&parent)?);
            insert(tx, child, parent, relation, &via)
        })
    }

    fn node(&self, resource: Resource) -> Fut<'_, Option<Node>> {
        self.read(move |connection| {
            let seq = seq_of(connection, &resource)?;
            seq.map(|seq| node(connection, seq)).transpose()
        })
    }

    fn lineage(&self, from: Resource, towards: Towards, limit: u32) -> Fut<'_, Vec<Edge>> {
        self.read(move |connection| walk(connection, &from, towards, limit))
    }
}

/// Adds an edge. Adding it again changes nothing.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    child: i64,
    parent: i64,
    relation: Relation,
    via: &Via,
) -> Result<(), StoreError> {
    let via = tx.name(via.as_str())?;
    let sql = "INSERT OR IGNORE INTO edge (child, parent, relation, via) VALUES (?1, ?2, ?3, ?4)";
    tx.connection.prepare_cached(sql)?.execute(params![child, parent, relation.as_str(), via])?;
    Ok(())
}

macro_rules! steps {
    ($near:literal, $far:literal) => {
        concat!(
            "SELECT e.child, e.parent, e.relation, e.",
            $far,
            ", v.text FROM edge e LEFT JOIN name v ON v.n = e.via WHERE e.",
            $near,
            " = ?1 ORDER BY e.child, e.parent, e.relation"
        )
    };
}

/// Breadth first, each resource once: the nearest way to it is shown, and a circle ends by itself.
fn walk(
    connection: &Connection,
    from: &Resource,
    towards: Towards,
    limit: u32,
) -> Result<Vec<Edge>, StoreError> {
    let sql = match towards {
        Towards::Parents => steps!("child", "parent"),
        Towards::Children => steps!("parent", "child"),
    };
    let Some(start) = seq_of(connection, from)? else { return Ok(Vec::new()) };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    let mut seen = std::collections::HashSet::from([start]);
    let mut queue = std::collections::VecDeque::from([(start, 1_u32)]);
    let mut edges = Vec::new();
    while let Some((here, depth)) = queue.pop_front() {
        let mut rows = statement.query([here])?;
        while let Some(row) = rows.next()? {
            if edges.len() == limit {
                return Ok(edges);
            }
            let far: i64 = row.get(3)?;
            edges.push(Edge {
                child: node(connection, row.get(0)?)?,
                parent: node(connection, row.get(1)?)?,
                relation: word(Relation::from_word(&row.get::<_, String>(2)?))?,
                via: row.get::<_, Option<String>>(4)?.map(|via| Via::new(&via)),
                depth,
            });
            if seen.insert(far) {
                queue.push_back((far, depth + 1));
            }
        }
    }
    Ok(edges)
}

fn seq_of(connection: &Connection, resource: &Resource) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT r.seq FROM resource r
        WHERE r.upstream = (SELECT n FROM name WHERE text = ?1) AND r.kind = (SELECT n FROM name WHERE text = ?2)
            AND r.id = ?3
        ORDER BY r.generation DESC LIMIT 1";
    let key = [resource.upstream.as_str(), resource.kind.as_str(), resource.id.as_str()];
    Ok(connection.prepare_cached(sql)?.query_row(key, |row| row.get(0)).optional()?)
}

fn node(connection: &Connection, seq: i64) -> Result<Node, StoreError> {
    let sql = "SELECT u.text, k.text, r.id, t.text, r.ended IS NOT NULL, r.state FROM resource r
        JOIN name u ON u.n = r.upstream JOIN name k ON k.n = r.kind JOIN name t ON t.n = r.tenant WHERE r.seq = ?1";
    let text = |row: &Row<'_>, column: usize| row.get::<_, String>(column);
    let mut statement = connection.prepare_cached(sql)?;
    let (node, state) = statement.query_row([seq], |row| {
        let resource = Resource {
            upstream: UpstreamId::new(&text(row, 0)?),
            kind: Kind::new(&text(row, 1)?),
            id: row.get(2)?,
        };
        let tenant = TenantId::new(&text(row, 3)?);
        Ok((Node { resource, tenant, ended: row.get(4)?, state: State::Active }, text(row, 5)?))
    })?;
    Ok(Node { state: word(State::from_word(&state))?, ..node })
}
