//! The upstream's own filter of a list by ids, filled with the caller's: what it lists, counts and pages is theirs, at the
//! price of one call, whatever others own.

use super::shared::Shared;
use super::stages::Recognised;
use crate::catalog::{Only, Param};
use crate::isolation::{store_refusal, visible};
use crate::reason::{Reason, Refusal, SafeText};
use crate::store::Page;

/// The query that goes up: that of the request, but that its list is the caller's. None: as it came.
pub(super) async fn query(shared: &Shared, request: &Recognised) -> Result<Option<String>, Refusal> {
    let Some(only) = &request.operation().only else { return Ok(None) };
    let said = request.query.iter().filter(|param| *param.name() == only.query);
    let asked: Vec<&str> = match only.is_repeated() {
        true => said.map(Param::value).collect(),
        false => said.flat_map(|param| param.value().split(',')).collect(),
    };
    let ids = match asked.iter().all(|id| id.is_empty()) {
        true => owned(shared, request, only).await?,
        false => named(shared, request, only, &asked).await?,
    };
    let ids = if ids.is_empty() { vec![only.none.to_string()] } else { ids };
    let values = if only.is_repeated() { ids } else { vec![ids.join(",")] };
    let raw = request.received.parts.uri.query().unwrap_or_default();
    // In the order in which they were read, so that each is known by the name that it was read by.
    let pairs = raw.split('&').filter(|pair| !pair.is_empty()).zip(request.query.iter());
    let others = pairs.filter(|(_, param)| *param.name() != only.query).map(|(pair, _)| pair);
    let mut parts: Vec<String> = others.map(str::to_owned).collect();
    parts.extend(values.iter().map(|ids| {
        let ids = percent_encoding::utf8_percent_encode(ids, percent_encoding::NON_ALPHANUMERIC);
        format!("{}={ids}", only.query)
    }));
    Ok(Some(parts.join("&")))
}

/// Those of the ids that the caller names which the caller may see: the API lists nothing for an id that it doesn't know.
async fn named(
    shared: &Shared,
    request: &Recognised,
    only: &Only,
    ids: &[&str],
) -> Result<Vec<String>, Refusal> {
    if ids.len() > usize::try_from(only.at_most).unwrap_or(usize::MAX) {
        return Err(too_many(only));
    }
    let received = &request.received;
    let (upstream, tenant) = (&received.route.upstream.id, &request.tenant.id);
    let seen = visible(&*shared.store, received.catalog(), upstream, tenant, &only.kind, ids).await;
    let seen = seen.map_err(|error| store_refusal(&error))?;
    Ok(ids.iter().zip(seen).filter(|(_, seen)| *seen).map(|(id, _)| (*id).to_owned()).collect())
}

/// All that the caller may see.
async fn owned(shared: &Shared, request: &Recognised, only: &Only) -> Result<Vec<String>, Refusal> {
    let page = Page { limit: only.at_most, ..Page::default() };
    let upstream = &request.received.route.upstream.id;
    let slice = shared.store.owned(upstream, &only.kind, &request.tenant.id, page).await;
    let slice = slice.map_err(|error| store_refusal(&error))?;
    if slice.more {
        return Err(too_many(only));
    }
    Ok(slice.items.into_iter().map(|item| item.id).collect())
}

fn too_many(only: &Only) -> Refusal {
    Refusal::new(Reason::FieldMissing).detail(SafeText::numbered(
        "the list takes so many ids at most, name those that are wanted:",
        u64::from(only.at_most),
    ))
}
