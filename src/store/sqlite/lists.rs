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
    let key = [upstream.as_str(), kind.as_str(), tenant.as_str()];
    let Some(Stretch { above, below, descending, backwards }) = Stretch::of(connection, key, page)? else {
        return Ok(Slice { unknown_cursor: true, ..Slice::default() });
    };
    let sql = if descending { SELECT_DESCENDING } else { SELECT_ASCENDING };
    let limit = page.limit.max(1);
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![
        upstream.as_str(),
        kind.as_str(),
        tenant.as_str(),
        above,
        below,
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
    let shown = shares::shown(connection, key, (above, below), (descending, limit.saturating_add(1)))?;
    let mut items = merged(items, shown, descending);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    if backwards {
        items.reverse();
    }
    Ok(Slice { items, more, unknown_cursor: false })
}

/// Where a page lies in the sequence: between two places, read one way or the other.
struct Stretch {
    above: i64,
    below: i64,
    descending: bool,
    /// With `before` alone, the page nearest to it is meant: it is read backwards.
    backwards: bool,
}

impl Stretch {
    /// None: a cursor is no id of the tenant's.
    fn of(connection: &Connection, key: [&str; 3], page: &Page) -> Result<Option<Self>, StoreError> {
        let place = |cursor: &Option<String>| match cursor {
            None => Ok(Some(None)),
            Some(id) => cursor_of(connection, key, id).map(|found| found.map(Some)),
        };
        let (Some(after), Some(before)) = (place(&page.after)?, place(&page.before)?) else {
            return Ok(None);
        };
        // The cursors as bounds of the sequence, whichever way it is read.
        let (above, below) = if page.newest_first { (before, after) } else { (after, before) };
        let backwards = before.is_some() && after.is_none();
        Ok(Some(Self {
            above: above.unwrap_or(-1),
            below: below.unwrap_or(i64::MAX),
            descending: page.newest_first != backwards,
            backwards,
        }))
    }
}

/// The longest stretch of the sequence that is counted, of all kinds.
const COUNTED: u32 = 1_000;

/// How many of the kind stand from where a page begins to its last one that is the tenant's own.
pub(super) fn spread(
    connection: &Connection,
    key: [&str; 3],
    page: &Page,
) -> Result<Option<u32>, StoreError> {
    let Some(stretch) = Stretch::of(connection, key, page)? else { return Ok(Some(0)) };
    let [upstream, kind, tenant] = key;
    let sql = if stretch.descending { LAST_DESCENDING } else { LAST_ASCENDING };
    let mut statement = connection.prepare_cached(sql)?;
    let limit = page.limit.max(1);
    let last: Option<i64> = statement
        .query_row(params![upstream, kind, tenant, stretch.above, stretch.below, limit], |row| row.get(0))?;
    let Some(last) = last else { return Ok(Some(0)) };
    let (from, to) = if stretch.descending {
        (last, stretch.below.saturating_sub(1))
    } else {
        (stretch.above.saturating_add(1), last)
    };
    let mut statement = connection.prepare_cached(COUNT)?;
    let (all, fit): (u32, u32) = statement
        .query_row(params![upstream, kind, from, to, COUNTED], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((all < COUNTED).then_some(fit))
}

macro_rules! last {
    ($end:literal, $order:literal) => {
        concat!(
            "SELECT ",
            $end,
            "(seq) FROM (SELECT r.seq FROM resource r
            WHERE r.upstream = (SELECT n FROM name WHERE text = ?1)
                AND r.kind = (SELECT n FROM name WHERE text = ?2)
                AND r.tenant = (SELECT n FROM name WHERE text = ?3)
                AND r.ended IS NULL AND r.seq > ?4 AND r.seq < ?5 ORDER BY r.seq ",
            $order,
            " LIMIT ?6)"
        )
    };
}

pub(super) const LAST_ASCENDING: &str = last!("max", "ASC");
pub(super) const LAST_DESCENDING: &str = last!("min", "DESC");

const COUNT: &str = "SELECT count(*), coalesce(sum(fits), 0) FROM (
    SELECT upstream = (SELECT n FROM name WHERE text = ?1) AND kind = (SELECT n FROM name WHERE text = ?2)
        AND ended IS NULL AS fits
    FROM resource WHERE seq BETWEEN ?3 AND ?4 LIMIT ?5)";

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
