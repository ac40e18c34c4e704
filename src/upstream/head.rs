//! What the gateway itself says to an upstream account, and where it says it.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::{PathAndQuery, Uri};

use crate::config::Upstream;
use crate::names::RequestId;
use crate::reason::{Reason, Refusal};

/// The header that names a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const VIA: HeaderValue = HeaderValue::from_static("1.1 consentry");

/// Adds what the gateway itself says to an upstream: the account's credential and headers, its own mark and the request's id.
#[must_use]
pub fn own(mut up: HeaderMap, upstream: &Upstream, id: RequestId) -> HeaderMap {
    // Bodies are read on the way back; what is not coded need not be decoded.
    up.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    up.insert(header::VIA, VIA);
    name(&mut up, id);
    for (name, value) in &upstream.headers {
        up.insert(name.clone(), value.clone());
    }
    if let Some(credential) = &upstream.credential {
        up.insert(credential.header.clone(), credential.value.clone());
    }
    up
}

/// Makes the target that goes up: the account's base, the path as it was matched, the query. `asked` is the caller's own.
///
/// # Errors
/// If that is no target.
pub fn target(
    upstream: &Upstream,
    path: &str,
    query: Option<&str>,
    asked: Option<&PathAndQuery>,
) -> Result<Uri, Refusal> {
    let base = &upstream.base;
    let prefix = base.path().trim_end_matches('/');
    // What goes up as it came was read before.
    let same = |asked: &&PathAndQuery| asked.path() == path && asked.query() == query && query != Some("");
    if let Some(asked) = asked.filter(|_| prefix.is_empty()).filter(same) {
        return joined(base, asked.clone());
    }
    let mut text = String::with_capacity(prefix.len() + path.len() + query.map_or(0, |q| q.len() + 1));
    text.push_str(prefix);
    text.push_str(path);
    if let Some(query) = query.filter(|q| !q.is_empty()) {
        text.push('?');
        text.push_str(query);
    }
    let path = PathAndQuery::try_from(text).map_err(|_error| untargeted())?;
    joined(base, path)
}

fn joined(base: &Uri, path: PathAndQuery) -> Result<Uri, Refusal> {
    let mut parts = http::uri::Parts::default();
    parts.scheme = base.scheme().cloned();
    parts.authority = base.authority().cloned();
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).map_err(|_error| untargeted())
}

fn untargeted() -> Refusal {
    Refusal::new(Reason::Internal).log("the upstream's target")
}

/// Writes down the request's id.
pub fn name(headers: &mut HeaderMap, id: RequestId) {
    if let Ok(value) = HeaderValue::from_str(id.encode(&mut [0; 36])) {
        headers.insert(REQUEST_ID, value);
    }
}
