//! Lists that are paged by numbers and counted: the account's pages and counts are of no use here, so the gateway makes the
//! list itself. The registry says what is the tenant's and how much of it; each item of the page is asked for by itself. A
//! page costs a call for each of its items, which the profile's `max` bounds, and one for each resource that turns out to
//! be gone upstream, [`GONE`] at most and never twice for one: whatever others own.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use serde_json::Value;

use super::super::outbound::{self, Call};
use super::super::pages::{self, Kept};
use super::super::trail::Trail;
use super::super::way;
use super::rest::{self, retrieve};
use super::{Search, finish, whole};
use crate::body::Outgoing;
use crate::catalog::{Begins, ListShape, Numbers};
use crate::consent::Permit;
use crate::isolation::store_refusal;
use crate::pointer::Step;
use crate::reason::{Reason, Refusal};
use crate::store::Page;

/// The most resources of a tenant that such a list counts.
const MOST: u32 = 10_000;

/// How many resources that are gone upstream a page walks over. They are on record as ended by then.
const GONE: usize = rest::MOST;

/// What part of the list is asked for.
struct Asked {
    /// How many items come before.
    before: usize,
    size: usize,
}

/// Answers a list.
pub(super) async fn answer(
    call: Call,
    permit: Permit,
    (shape, numbers): (&ListShape, &Numbers),
    trail: &mut Trail,
) -> Result<Response<Outgoing>, Refusal> {
    let asked = asked(&call, numbers)?;
    let ids = owned(&call, shape, numbers).await?;
    let Some(template) = shape.one.as_deref() else {
        return Err(Refusal::new(Reason::Internal).log("a list whose items can't be asked for"));
    };
    let mut search = Search { call: &call, permit: &permit, shape, trail, rest: None };
    let (mut kept, mut gone, mut head) = (Vec::new(), 0, None);
    // What the upstream no longer has makes room for what comes behind it.
    let mut next = ids.iter().skip(asked.before);
    while kept.len() < asked.size {
        let Some(id) = next.next() else { break };
        if gone >= GONE {
            return Err(too_many_gone());
        }
        let (response, found) = match retrieve(&mut search, template, id).await? {
            Some(response) if response.status() == StatusCode::OK => (response, true),
            Some(response) => (response, false),
            None => {
                gone += 1;
                continue;
            }
        };
        if !found {
            return outbound::answer(call, response, trail).await;
        }
        let (parts, body) = whole(&call, response).await?;
        let item = pages::lone(shape, &body)?;
        if item.id != *id {
            return Err(Refusal::new(Reason::UpstreamUnexpected).log("a resource came under another id"));
        }
        kept.push(item);
        head.get_or_insert(parts);
    }
    let total = ids.len().saturating_sub(gone);
    let body = document(&call, (shape, numbers), &asked, &kept, total)?;
    finish(&call, head.unwrap_or_else(plain), body, trail).await
}

/// The page can be asked for again: what was found gone is not looked for twice.
fn too_many_gone() -> Refusal {
    let mut refusal = Refusal::new(Reason::Overloaded)
        .detail("too many of the list's resources are gone upstream: ask again for what comes behind them");
    refusal.retry_after = Some(Duration::from_secs(1));
    refusal
}

/// The head of a list in which there is nothing: nobody was asked.
fn plain() -> http::response::Parts {
    let mut response = Response::new(());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.into_parts().0
}

fn asked(call: &Call, numbers: &Numbers) -> Result<Asked, Refusal> {
    let number = |name: &str| match call.request.query.value(name).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => text.parse::<u32>().map(Some).map_err(|_error| not_a_number()),
    };
    let size = number(&numbers.size)?.unwrap_or(numbers.default).min(numbers.max);
    let before = match &numbers.begins {
        Begins::Offset(name) => number(name)?.unwrap_or(0),
        Begins::Page(name) => {
            number(name)?.unwrap_or(1).checked_sub(1).ok_or_else(not_a_number)?.saturating_mul(size)
        }
    };
    if size == 0 {
        return Err(not_a_number());
    }
    let number = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
    Ok(Asked { before: number(before), size: number(size) })
}

fn not_a_number() -> Refusal {
    Refusal::new(Reason::QueryAmbiguous).detail("a page is named by whole numbers")
}

/// All that the tenant may see, in the order of the list.
async fn owned(call: &Call, shape: &ListShape, numbers: &Numbers) -> Result<Vec<String>, Refusal> {
    let page = Page { newest_first: !numbers.oldest_first, limit: MOST, ..Page::default() };
    let upstream = &call.request.received.route.upstream.id;
    let slice = call.shared.store.owned(upstream, &shape.kind, &call.request.tenant.id, page).await;
    let slice = slice.map_err(|error| store_refusal(&error))?;
    if slice.more {
        return Err(
            Refusal::new(Reason::OperationRefused).detail("the tenant has more than the list can count")
        );
    }
    Ok(slice.items.into_iter().map(|item| item.id).collect())
}

/// The answer, as the API would write it if the account were the tenant's alone.
fn document(
    call: &Call,
    (shape, numbers): (&ListShape, &Numbers),
    asked: &Asked,
    kept: &[Kept],
    total: usize,
) -> Result<Bytes, Refusal> {
    let [Step::Key(items)] = shape.items.steps() else {
        return Err(Refusal::new(Reason::Internal).log("the profile's items are not a member of the answer"));
    };
    let end = asked.before.saturating_add(asked.size);
    let next = (end < total).then(|| link(call, numbers, end, asked.size)).flatten();
    let first = asked.before.min(total).saturating_sub(asked.size);
    let previous = (asked.before > 0).then(|| link(call, numbers, first, asked.size)).flatten();
    let text = |value: &Value| value.to_string();
    let head = format!(
        "{{{}:{total},\"next\":{},\"previous\":{},{}:[",
        text(&Value::from(&*numbers.total)),
        text(&Value::from(next)),
        text(&Value::from(previous)),
        text(&Value::from(&**items)),
    );
    let items: Vec<&str> = kept.iter().map(Kept::text).collect();
    Ok(Bytes::from(format!("{head}{}]}}", items.join(","))))
}

/// The page that begins behind so many items, at the gateway.
fn link(call: &Call, numbers: &Numbers, before: usize, size: usize) -> Option<String> {
    let received = &call.request.received;
    let base = way::rebase(&call.request)?;
    let (name, value) = match &numbers.begins {
        Begins::Offset(name) => (name, before),
        Begins::Page(name) => (name, before / size + 1),
    };
    Some(format!("{}{}?{}={size}&{name}={value}", base.to, received.path(), numbers.size))
}
