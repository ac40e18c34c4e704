//! The tenant's own behind a cursor, by the registry; and the way to them that does not lead through the account's pages.

use std::collections::HashSet;

use http::{Response, StatusCode};
use serde_json::Value;

use super::super::outbound::Call;
use super::super::pages::{self, Kept};
use super::super::way;
use super::{Search, Wanted, dispatch, whole};
use crate::catalog::{ListShape, Paging};
use crate::isolation::store_refusal;
use crate::reason::{Reason, Refusal};
use crate::store::{Page, Resource};
use crate::upstream::AnswerBody;

/// What the registry is asked for at once.
const REGISTRY: u32 = 10_000;

/// How many resources are asked for one by one for a page, if none of them is left upstream.
pub(super) const MOST: usize = 200;

/// The tenant's own behind a cursor, in the order of the list as far as the registry knows it.
pub(super) struct Rest {
    ids: Vec<String>,
    /// There are more than were read.
    more: bool,
}

impl Rest {
    pub(super) async fn read(call: &Call, shape: &ListShape, wanted: &Wanted) -> Result<Self, Refusal> {
        let page = wanted.on_record(shape, REGISTRY);
        let upstream = &call.request.received.route.upstream.id;
        let owned = call.shared.store.owned(upstream, &shape.kind, &call.request.tenant.id, page).await;
        let slice = owned.map_err(|error| store_refusal(&error))?;
        let more = slice.more || slice.unknown_cursor;
        Ok(Self { ids: slice.items.into_iter().map(|item| item.id).collect(), more })
    }

    /// Whether all of them are among these.
    pub(super) fn is_met(&self, kept: &[Kept]) -> bool {
        !self.more && self.missing(kept).next().is_none()
    }

    fn missing<'a>(&'a self, kept: &'a [Kept]) -> impl Iterator<Item = &'a String> {
        let met: HashSet<&str> = kept.iter().map(|item| &*item.id).collect();
        self.ids.iter().filter(move |id| !met.contains(&***id))
    }
}

/// How many of the account's items are asked for first. They hold the page and one more of the tenant's, by which it is
/// known whether there is more; how far those lie apart is the registry's guess. A wrong one costs a call, and nothing else.
pub(super) async fn reach(call: &Call, shape: &ListShape, wanted: &Wanted) -> Result<u32, Refusal> {
    let least = u32::try_from(wanted.limit).unwrap_or(u32::MAX).saturating_add(1);
    if least >= wanted.max {
        return Ok(wanted.max);
    }
    let upstream = &call.request.received.route.upstream.id;
    let page = wanted.on_record(shape, least);
    let spread = call.shared.store.spread(upstream, &shape.kind, &call.request.tenant.id, page).await;
    let Some(spread) = spread.map_err(|error| store_refusal(&error))? else { return Ok(wanted.max) };
    // What others made is not on record in just the account's order.
    let slack = spread.saturating_sub(least) / 8;
    Ok(spread.saturating_add(slack).clamp(least, wanted.max))
}

/// Adds the tenant's next resources to a page that the account's pages did not fill. True: there may be more.
pub(super) async fn one_by_one(
    search: &mut Search<'_>,
    wanted: &Wanted,
    kept: &mut Vec<Kept>,
) -> Result<bool, Refusal> {
    let call = search.call;
    let Some(template) = search.shape.one.as_deref() else { return Ok(!kept.is_empty()) };
    let rest = search.rest(wanted).await?;
    let more = rest.more;
    let mut missing: Vec<String> = rest.missing(kept).cloned().collect();
    if wanted.backwards() {
        missing.reverse();
    }
    let mut left = missing.len();
    for (number, id) in missing.iter().enumerate() {
        if kept.len() > wanted.limit || number >= MOST && !kept.is_empty() {
            break;
        }
        left -= 1;
        let Some(response) = retrieve(search, template, id).await?.filter(|r| r.status() == StatusCode::OK)
        else {
            continue;
        };
        let (_, body) = whole(call, response).await?;
        let item: Value = serde_json::from_slice(&body).unwrap_or_default();
        if wanted.fits(&item) {
            let item = pages::lone(search.shape, &body)?;
            // Whose it is was known by the id that was asked for.
            if item.id != *id {
                return Err(Refusal::new(Reason::UpstreamUnexpected).log("a resource came under another id"));
            }
            kept.insert(if wanted.backwards() { 0 } else { kept.len() }, item);
        }
    }
    Ok(more || left > 0)
}

/// Asks for one. What the upstream no longer has is ended, and none.
pub(super) async fn retrieve(
    search: &mut Search<'_>,
    template: &str,
    id: &str,
) -> Result<Option<Response<AnswerBody>>, Refusal> {
    let call = search.call;
    let Some(path) = crate::catalog::fill(template, |_| Some(id)) else { return Ok(None) };
    let mut head = way::head_of(&call.request, None)?;
    let upstream = &call.request.received.route.upstream;
    head.uri = super::super::head::target(upstream, &path, None, None)?;
    let response = dispatch(call, search.permit, head, search.trail).await?;
    if response.status() == StatusCode::NOT_FOUND {
        let gone =
            Resource { upstream: upstream.id.clone(), kind: search.shape.kind.clone(), id: id.to_owned() };
        call.shared.store.end(gone).await.map_err(|error| store_refusal(&error))?;
        return Ok(None);
    }
    Ok(Some(response))
}

impl Wanted {
    /// The same page by the registry, of so many.
    fn on_record(&self, shape: &ListShape, limit: u32) -> Page {
        Page {
            after: self.after.clone(),
            before: self.before.clone(),
            newest_first: match self.order.as_deref() {
                Some(order) => order != "asc",
                None => !matches!(shape.paging, Paging::Cursor { oldest_first: true, .. }),
            },
            limit,
        }
    }

    /// Whether an item is what the list was asked for: the other parameters name members and their values.
    fn fits(&self, item: &Value) -> bool {
        self.others.iter().all(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text: &str| {
                let text = text.replace('+', " ");
                percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
            };
            let (name, value) = (decode(name), decode(value));
            let mut steps = name.split('[').map(|step| step.trim_end_matches(']'));
            let Some(member) = steps.next().and_then(|name| item.get(name)) else { return true };
            let found = steps.try_fold(member, |at, step| at.get(step));
            found.and_then(Value::as_str) == Some(&*value)
        })
    }
}
