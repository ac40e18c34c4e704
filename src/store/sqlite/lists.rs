//! Pages of what a tenant owns.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::StoreError;
use super::super::types::{OwnedItem, Page, Slice, State};
use super::{shares, time, word};
use crate::names::{DatasetName, Kind, TenantId, UpstreamId};

/// A page in the order of claiming, or against it.
pub(super) fn owned(
    connection: &Connection,
    upstream: &UpstreamId,
    kind: &Kind,
    tenant: &TenantId,
    page: &Page,
) -> Result<Slice, StoreError> {
    let place = |cursor: &Option<String>| match cursor {
        None => Ok(Some(None)),
        Some(id) => cursor_of(connection, [upstream.as_str(), kind.as_str(), tenant.as_str()], id)
            .map(|found| found.map(Some)),
    };
    let (Some(after), Some(before)) = (place(&page.after)?, place(&page.before)?) else {
        return Ok(Slice { unknown_cursor: true, ..Slice::default() });
    };
    // The cursors as bounds of the sequence, whichever way it is read.
    let (above, below) = if page.newest_first { (before, after) } else { (after, before) };
    // With `before` alone, the page nearest to it is meant: it is read backwards.
    let backwards = before.is_some() && after.is_none();
    let descending = page.newest_first != backwards;
    let sql = if descending { SELECT_DESCENDING } else { SELECT_ASCENDING };
    let limit = page.limit.max(1);
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![
        upstream.as_str(),
        kind.as_str(),
        tenant.as_str(),
        above.unwrap_or(-1),
        below.unwrap_or(i64::MAX),
        i64::from(limit) + 1,
    ])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let item = OwnedItem {
            id: row.get(0)?,
            dataset: row.get::<_, Option<String>>(1)?.map(|name| DatasetName::new(&name)),
            state: word(State::from_word(&row.get::<_, String>(2)?))?,
            claimed: time(row.get(3)?)?,
        };
        items.push((row.get::<_, i64>(4)?, item));
    }
    let key = [upstream.as_str(), kind.as_str(), tenant.as_str()];
    let bounds = (above.unwrap_or(-1), below.unwrap_or(i64::MAX));
    let shown = shares::shown(connection, key, bounds, (descending, limit.saturating_add(1)))?;
    let mut items = merged(items, shown, descending);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    if backwards {
        items.reverse();
    }
    Ok(Slice { items, more, unknown_cursor: false })
}

macro_rules! select {
    ($order:literal) => {
        concat!(
            "SELECT r.id, d.text, r.state, r.claimed, r.seq FROM resource r LEFT JOIN name d ON d.n = r.dataset
            WHERE r.upstream = (SELECT n FROM name WHERE text = ?1)
                AND r.kind = (SELECT n FROM name WHERE text = ?2)
                AND r.tenant = (SELECT n FROM name WHERE text = ?3)
                AND r.ended IS NULL AND r.seq > ?4 AND r.seq < ?5 ORDER BY r.seq ",
            $order,
            " LIMIT ?6"
        )
    };
}

pub(super) const SELECT_ASCENDING: &str = select!("ASC");
pub(super) const SELECT_DESCENDING: &str = select!("DESC");

/// Two lists in one order as one.
fn merged(own: Vec<(i64, OwnedItem)>, shown: Vec<(i64, OwnedItem)>, descending: bool) -> Vec<OwnedItem> {
    let mut all = own;
    if !shown.is_empty() {
        all.extend(shown);
        all.sort_unstable_by_key(|(seq, _)| if descending { -*seq } else { *seq });
    }
    all.into_iter().map(|(_, item)| item).collect()
}

/// Where an id stands in the sequence, if it is the tenant's, or was ever shown to it. An ended one still has its place, so
/// that a caller who deletes while paging does not fall out of the list.
fn cursor_of(connection: &Connection, key: [&str; 3], id: &str) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT r.seq FROM resource r
        WHERE r.upstream = (SELECT n FROM name WHERE text = ?1) AND r.kind = (SELECT n FROM name WHERE text = ?2)
            AND r.id = ?4 AND (r.tenant = (SELECT n FROM name WHERE text = ?3) OR EXISTS (SELECT 1 FROM share s
                WHERE s.resource = r.seq AND (s.tenant IS NULL OR s.tenant = (SELECT n FROM name WHERE text = ?3))))
        ORDER BY r.generation DESC LIMIT 1";
    let [upstream, kind, tenant] = key;
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([upstream, kind, tenant, id], |row| row.get(0)).optional()?)
}
