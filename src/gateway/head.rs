//! The head of a request, as it arrives and as it goes on; and the head of an answer.
//!
//! A field goes on unless something here takes it away: hop-by-hop fields (RFC 9110 section 7.6.1), the caller's
//! credentials, what describes the bytes that the censor may change, what the profile drops, and everything in
//! our own name space.

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::body::Job;
use crate::body::charset::{self, OtherCharsets};
use crate::catalog::{HeaderRules, Operation, RequestHeader, ResponseHeader};
use crate::config::Upstream;
use crate::names::{NameMap, RequestId};
use crate::reason::{Reason, Refusal};
use crate::telemetry::Trace;
use crate::upstream::{REQUEST_ID, name};
pub(super) use crate::upstream::{own, target};

/// Our own name space: read by us, never passed on, in either direction.
pub(super) const OURS: &str = "consentry-";

/// The data set that an upload belongs to.
pub(super) const DATASET: HeaderName = HeaderName::from_static("consentry-dataset");

/// What search engines may do with an answer: nothing, unless all that it shows is public.
pub(super) const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// Says that `store` was turned off.
pub(super) const STORE: HeaderName = HeaderName::from_static("consentry-store");

/// Where the caller says which trace a request belongs to, and where the upstream is told.
pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const CONTENT_USAGE: HeaderName = HeaderName::from_static("content-usage");

/// Fields that belong to one connection.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::PROXY_AUTHENTICATE,
];

/// Fields that carry the caller's credential to us.
const CREDENTIALS: [HeaderName; 4] = [
    header::AUTHORIZATION,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
];

/// Fields that speak of the very bytes of a body, or that ask for a part of it.
const OF_THE_BYTES: [HeaderName; 16] = [
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::CONTENT_RANGE,
    header::ACCEPT_RANGES,
    header::ETAG,
    header::RANGE,
    header::IF_RANGE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("want-content-digest"),
    HeaderName::from_static("signature"),
    HeaderName::from_static("signature-input"),
];

/// What becomes of a field because of its name, whatever the profile says. Nothing is put in by a caller.
#[derive(Clone, Copy, Default)]
struct Gone {
    /// It does not go up.
    up: bool,
    /// It does not go back.
    back: bool,
}

static GONE: LazyLock<NameMap<HeaderName, Gone>> = LazyLock::new(|| {
    let ours = [header::HOST, header::EXPECT, header::ACCEPT_ENCODING, header::VIA];
    let told = [CONTENT_USAGE, TRACEPARENT, TRACESTATE];
    let up =
        ours.into_iter().chain(told).chain(CREDENTIALS).map(|name| (name, Gone { up: true, back: false }));
    let both = HOP_BY_HOP.into_iter().chain(OF_THE_BYTES).chain([REQUEST_ID]);
    up.chain(both.map(|name| (name, Gone { up: true, back: true }))).collect()
});

fn gone(name: &HeaderName) -> Gone {
    GONE.get(name).copied().unwrap_or_default()
}

/// A gateway of ours that meets its own mark has been put in front of itself.
pub(super) fn loops(headers: &HeaderMap) -> Result<(), Refusal> {
    let ours =
        |v: &HeaderValue| v.to_str().is_ok_and(|v| v.split(',').any(|hop| hop.trim() == "1.1 consentry"));
    if headers.get_all(header::VIA).iter().any(ours) {
        return Err(
            Refusal::new(Reason::HeaderAmbiguous).detail("the request went through this gateway before")
        );
    }
    Ok(())
}

/// Headers that change the meaning of a request for some readers only (`X-HTTP-Method-Override` and its kin).
pub(super) fn overrides(headers: &HeaderMap, rules: &HeaderRules) -> Result<(), Refusal> {
    if headers.keys().any(|name| rules.request(name) == RequestHeader::Refuse) {
        return Err(Refusal::new(Reason::HeaderAmbiguous));
    }
    Ok(())
}

/// Makes the head that goes up.
pub(super) fn upwards(
    headers: &HeaderMap,
    rules: &HeaderRules,
    upstream: &Upstream,
    operation: &Operation,
    id: RequestId,
    salt: &hmac::Key,
) -> HeaderMap {
    let mut up = HeaderMap::with_capacity(headers.len() + 4);
    let named = named_by_connection(headers);
    for (name, value) in headers {
        let gone = gone(name).up
            || (name == header::COOKIE && !operation.cookies)
            || named.iter().any(|n| n == name.as_str())
            || name.as_str().starts_with(OURS);
        if gone {
            continue;
        }
        match rules.request(name) {
            RequestHeader::Pass => drop(up.append(name.clone(), value.clone())),
            RequestHeader::Salt => {
                let tag = hmac::sign(salt, value.as_bytes());
                let text = data_encoding::BASE32_NOPAD.encode(&tag.as_ref()[..15]);
                if let Ok(value) = HeaderValue::try_from(text) {
                    up.append(name.clone(), value);
                }
            }
            RequestHeader::Drop | RequestHeader::Refuse => {}
        }
    }
    for (name, value) in rules.set() {
        up.insert(name.clone(), value.clone());
    }
    up.insert(TRACEPARENT, trace(headers, id).header());
    own(up, upstream, id)
}

/// The trace that the caller's request belongs to.
pub(super) fn trace(headers: &HeaderMap, id: RequestId) -> Trace {
    // Two of them say nothing (W3C Trace Context, section 3.2).
    let mut said = headers.get_all(TRACEPARENT).iter();
    let one = said.next().filter(|_| said.next().is_none());
    Trace::of(one.map(HeaderValue::as_bytes), id)
}

/// A body that is written in UTF-8 on its way says so.
pub(super) fn transcoded(headers: &mut HeaderMap, job: &Job) {
    if job.other_charsets == OtherCharsets::Refuse {
        return;
    }
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let changed = said.and_then(charset::rewritten).and_then(|said| HeaderValue::try_from(said).ok());
    if let Some(changed) = changed {
        headers.insert(header::CONTENT_TYPE, changed);
    }
}

/// Makes the head that goes back.
pub(super) fn backwards(
    headers: &HeaderMap,
    rules: &HeaderRules,
    operation: &Operation,
    id: RequestId,
) -> HeaderMap {
    let mut back = HeaderMap::with_capacity(headers.len() + 2);
    let named = named_by_connection(headers);
    for (name, value) in headers {
        let gone = gone(name).back
            || (name == header::SET_COOKIE && !operation.cookies)
            || named.iter().any(|n| n == name.as_str())
            || name.as_str().starts_with(OURS);
        if gone {
            continue;
        }
        match rules.response(name) {
            ResponseHeader::Pass => drop(back.append(name.clone(), value.clone())),
            ResponseHeader::Pin(value) => drop(back.insert(name.clone(), value.clone())),
            ResponseHeader::Drop => {}
        }
    }
    stamp(&mut back, id);
    back
}

/// Headers of an answer that hold no text of anybody: dates, and what [`stamp`] put in.
pub(super) fn is_plain(name: &HeaderName) -> bool {
    matches!(*name, header::DATE | header::LAST_MODIFIED | header::EXPIRES | header::RETRY_AFTER)
        || *name == REQUEST_ID
}

/// Names the request in an answer.
pub(super) fn stamp(headers: &mut HeaderMap, id: RequestId) {
    name(headers, id);
}

/// The fields that `Connection` names belong to the connection too.
fn named_by_connection(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .map(str::trim)
        // Most name no field but themselves, which goes anyway.
        .filter(|name| {
            !(name.is_empty()
                || name.eq_ignore_ascii_case("keep-alive")
                || name.eq_ignore_ascii_case("close"))
        })
        .map(str::to_ascii_lowercase)
        .collect()
}

/// The query with what the profile fixes in it. None: it fixes nothing.
pub(super) fn fixed(operation: &Operation, query: Option<&str>) -> Option<String> {
    if operation.fixed.is_empty() {
        return None;
    }
    let is_fixed = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        operation.fixed.iter().any(|(fixed, _)| **fixed == *name)
    };
    let others = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !is_fixed(pair));
    let mut parts: Vec<String> = others.map(str::to_owned).collect();
    let given = operation.fixed.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    parts.extend(given.map(|(name, value)| format!("{name}={value}")));
    Some(parts.join("&"))
}
