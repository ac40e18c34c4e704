//! Lists hold the tenant's own, paged as if the account were the tenant's alone.
//!
//! The upstream's pages hold everybody's. A page is filtered and refilled from the pages behind it until it is full and
//! it is known whether more of the tenant's own follows: clients stop at the first page that is empty. What is still to
//! come is known from the registry, so that the search ends with the tenant's last resource and not with the account's.
//! After [`PAGES`] of the account's pages it goes another way: the tenant's next resources are asked for one by one, so
//! that what a page costs does not grow with what others own.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http::{Response, StatusCode};
use http_body_util::BodyExt;

use super::outbound::{self, Call};
use super::pages::{self, Kept, Page};
use super::trail::Trail;
use super::way;
use crate::body::json::JsonTransform;
use crate::body::pump::Pump;
use crate::body::{Censored, Outgoing, Pass};
use crate::catalog::{ListShape, Paging};
use crate::consent::Permit;
use crate::isolation::{store_refusal, visible};
use crate::reason::{Reason, Refusal};
use crate::upstream::{AnswerBody, Cleared, Head};
use rest::Rest;

mod numbers;
mod rest;

/// How many of the account's pages are looked through for one of the tenant's.
const PAGES: usize = 8;

/// What the caller asks for.
struct Wanted {
    /// How many items.
    limit: usize,
    /// The largest page that the upstream gives.
    max: u32,
    /// The query without the parameters that page.
    others: Vec<String>,
    after: Option<String>,
    before: Option<String>,
    order: Option<String>,
    /// What the API calls its cursors: behind an item, and before one.
    names: [Arc<str>; 2],
}

/// Answers a list.
pub(super) async fn answer(
    call: Call,
    permit: Permit,
    body: Censored,
    trail: &mut Trail,
) -> Result<Response<Outgoing>, Refusal> {
    let Some(shape) = call.request.operation().list.clone() else {
        return Err(Refusal::new(Reason::Internal).log("a list without a shape"));
    };
    let max = match &shape.paging {
        Paging::None => return one(call, permit, &shape, body, trail).await,
        Paging::Cursor { max, .. } => *max,
        Paging::Numbers(numbers) => return numbers::answer(call, permit, (&shape, numbers), trail).await,
    };
    let Some(wanted) = wanted(&call, &shape, max) else {
        // A limit that is no number, or out of the API's bounds, is the API's to refuse: its page is filtered all the same.
        return one(call, permit, &shape, body, trail).await;
    };
    let mut search = Search { call: &call, permit: &permit, shape: &shape, trail, rest: None };
    let found = search.run(&wanted).await?;
    match found {
        Found::Page { head, body } => finish(&call, head, body, trail).await,
        Found::Fault(response) => outbound::answer(call, response, trail).await,
    }
}

/// An unpaged list, or one whose paging the API will refuse.
async fn one(
    call: Call,
    permit: Permit,
    shape: &ListShape,
    body: Censored,
    trail: &mut Trail,
) -> Result<Response<Outgoing>, Refusal> {
    let head = way::head_of(&call.request, call.request.received.parts.uri.query())?;
    let response = dispatch_with(&call, &permit, head, body, trail).await?;
    if response.status() != StatusCode::OK {
        return outbound::answer(call, response, trail).await;
    }
    let (head, body) = whole(&call, response).await?;
    let page = pages::read(shape, &body)?;
    let (kept, all) = own(&call, shape, &page).await?;
    let body = if all { body } else { Bytes::from(page.with(shape, &kept, page.has_more)) };
    finish(&call, head, body, trail).await
}

enum Found {
    Page {
        head: http::response::Parts,
        body: Bytes,
    },
    /// The upstream did not give a page.
    Fault(Response<AnswerBody>),
}

struct Search<'a> {
    call: &'a Call,
    permit: &'a Permit,
    shape: &'a ListShape,
    trail: &'a mut Trail,
    /// The tenant's own behind the cursor, once the registry was asked.
    rest: Option<Rest>,
}

impl Search<'_> {
    async fn run(&mut self, wanted: &Wanted) -> Result<Found, Refusal> {
        let mut kept: Vec<Kept> = Vec::new();
        let (mut after, mut before) = (wanted.after.clone(), wanted.before.clone());
        let mut first: Option<(http::response::Parts, Bytes)> = None;
        let mut limit = u32::try_from(wanted.limit).unwrap_or(u32::MAX).min(wanted.max);
        for number in 0..PAGES {
            let query = wanted.query(after.as_deref(), before.as_deref(), limit);
            let head = way::head_of(&self.call.request, Some(&query))?;
            let response = dispatch(self.call, self.permit, head, self.trail).await?;
            if response.status() != StatusCode::OK {
                return Ok(Found::Fault(response));
            }
            let (head, body) = whole(self.call, response).await?;
            let page = pages::read(self.shape, &body)?;
            let (mine, all) = own(self.call, self.shape, &page).await?;
            if first.is_none() && all && !page.has_more {
                // Nothing of anybody else's, and nothing behind it: the page stays as it came.
                return Ok(Found::Page { head, body });
            }
            let more_upstream = page.has_more && !page.items.is_empty();
            if wanted.backwards() {
                kept.splice(0..0, mine);
                before = page.items.first().map(|item| item.id.clone());
            } else {
                kept.extend(mine);
                after = page.items.last().map(|item| item.id.clone());
            }
            drop(page);
            first.get_or_insert((head, body));
            // Resources are recorded in nearly the order in which they were made: behind a cursor, one page more is
            // looked at before the registry's word that nothing is left is taken.
            let early = number == 0 && (wanted.after.is_some() || wanted.before.is_some());
            let full = kept.len() > wanted.limit;
            if full || !more_upstream || !early && self.rest(wanted).await?.is_met(&kept) {
                return self.page(first, kept, wanted, full);
            }
            limit = wanted.max;
        }
        let more = rest::one_by_one(self, wanted, &mut kept).await?;
        let full = kept.len() > wanted.limit;
        self.page(first, kept, wanted, full || more)
    }

    /// The page that the caller gets: the first of the account's, with other items.
    fn page(
        &self,
        first: Option<(http::response::Parts, Bytes)>,
        mut kept: Vec<Kept>,
        wanted: &Wanted,
        has_more: bool,
    ) -> Result<Found, Refusal> {
        let (head, body) =
            first.ok_or_else(|| Refusal::new(Reason::Internal).log("a list without a page"))?;
        if wanted.backwards() {
            kept.drain(..kept.len().saturating_sub(wanted.limit));
        }
        kept.truncate(wanted.limit);
        let page = pages::read(self.shape, &body)?;
        let body = Bytes::from(page.with(self.shape, &kept, has_more));
        Ok(Found::Page { head, body })
    }

    async fn rest(&mut self, wanted: &Wanted) -> Result<&Rest, Refusal> {
        if self.rest.is_none() {
            self.rest = Some(Rest::read(self.call, self.shape, wanted).await?);
        }
        self.rest.as_ref().ok_or_else(|| Refusal::new(Reason::Internal).log("what was read is gone"))
    }
}

impl Wanted {
    /// With `before` alone the page nearest to it is meant: what is looked for next lies in front of what was found.
    fn backwards(&self) -> bool {
        self.before.is_some() && self.after.is_none()
    }

    fn query(&self, after: Option<&str>, before: Option<&str>, limit: u32) -> String {
        let mut parts = self.others.clone();
        let mut add = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
                parts.push(format!("{name}={value}"));
            }
        };
        let [behind, in_front] = &self.names;
        add(behind, after);
        add(in_front, before);
        add("order", self.order.as_deref());
        add("limit", Some(&limit.to_string()));
        parts.join("&")
    }
}

fn wanted(call: &Call, shape: &ListShape, max: u32) -> Option<Wanted> {
    let Paging::Cursor { default, after, before, .. } = &shape.paging else { return None };
    let query = &call.request.query;
    let text = |name: &str| query.value(name).filter(|v| !v.is_empty()).map(str::to_owned);
    let limit = match text("limit") {
        None => *default,
        Some(limit) => limit.parse::<u32>().ok().filter(|limit| (1..=max).contains(limit))?,
    };
    let raw = call.request.received.parts.uri.query().unwrap_or_default();
    let paging = ["limit", after, before, "order"];
    let others = raw
        .split('&')
        .filter(|part| !part.is_empty() && !paging.contains(&part.split('=').next().unwrap_or_default()))
        .map(str::to_owned)
        .collect();
    Some(Wanted {
        limit: usize::try_from(limit).ok()?,
        max,
        others,
        after: text(after),
        before: text(before),
        order: text("order"),
        names: [Arc::clone(after), Arc::clone(before)],
    })
}

async fn dispatch(
    call: &Call,
    permit: &Permit,
    head: Head,
    trail: &mut Trail,
) -> Result<Response<AnswerBody>, Refusal> {
    dispatch_with(call, permit, head, Censored::nothing(), trail).await
}

async fn dispatch_with(
    call: &Call,
    permit: &Permit,
    head: Head,
    body: Censored,
    trail: &mut Trail,
) -> Result<Response<AnswerBody>, Refusal> {
    let received = &call.request.received;
    let cleared = Cleared::new(head, &call.scope, permit, body);
    let upstream = &received.route.upstream;
    trail.dispatched(&upstream.id);
    let answered = call.shared.upstreams.dispatch(upstream, received.snapshot().generation, cleared).await;
    trail.upstream(&upstream.id, answered.as_ref());
    answered
}

/// A page as the upstream gives it. It is not shown yet: it is filtered first and censored then.
async fn whole(
    call: &Call,
    response: Response<AnswerBody>,
) -> Result<(http::response::Parts, Bytes), Refusal> {
    let (head, body) = response.into_parts();
    if super::inbound::media_type(&head.headers).as_deref() != Some("application/json") {
        return Err(Refusal::new(Reason::UpstreamUnexpected).log("a list that is not JSON"));
    }
    let snapshot = call.request.received.snapshot();
    let coding = head.headers.get_all(CONTENT_ENCODING).iter();
    let bounds = call.bounds();
    let decoder = super::coded(coding, &bounds, snapshot)?;
    let mut pump = Pump::new(body, decoder, Pass, bounds);
    let bytes = pump.at_most(snapshot.limits.record_bytes).await?;
    Ok((head, bytes))
}

/// The items of a page that are the tenant's, or everybody's; and whether they are all.
async fn own(call: &Call, shape: &ListShape, page: &Page<'_>) -> Result<(Vec<Kept>, bool), Refusal> {
    let received = &call.request.received;
    let (store, upstream, tenant) =
        (&*call.shared.store, &received.route.upstream.id, &call.request.tenant.id);
    let ids: Vec<&str> = page.items.iter().map(|item| &*item.id).collect();
    let visible = visible(store, received.catalog(), upstream, tenant, &shape.kind, &ids).await;
    let visible = visible.map_err(|error| store_refusal(&error))?;
    let kept: Vec<Kept> = page
        .items
        .iter()
        .zip(visible)
        .filter(|(_, visible)| *visible)
        .map(|(item, _)| item.to_owned())
        .collect();
    let all = kept.len() == page.items.len();
    Ok((kept, all))
}

/// Censors and edits a filtered page like any other answer.
async fn finish(
    call: &Call,
    head: http::response::Parts,
    body: Bytes,
    trail: &mut Trail,
) -> Result<Response<Outgoing>, Refusal> {
    trail.measure(crate::names::Direction::Response, body.len() as u64);
    let transform = JsonTransform::new(call.job.clone(), Arc::clone(&call.request.plan.response));
    let body = http_body_util::Full::new(body).map_err(|never| match never {});
    let mut pump = Pump::new(body, None, transform, call.bounds());
    let held = pump.hold(call.memory(), &call.spools()).await?;
    let facts = pump.transform().facts().clone();
    call.claiming().record_whole(&facts).await?;
    let held = call.analysed(held, &facts).await?;
    let mut response = Response::new(held.into_censored().into_inner());
    *response.status_mut() = head.status;
    *response.headers_mut() = call.headers(&head.headers)?;
    trail.allowed(head.status).await?;
    Ok(response)
}
