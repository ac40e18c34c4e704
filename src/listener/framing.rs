//! Requests whose framing two readers could take differently, or that would turn the connection into something else.
//!
//! The HTTP library refuses some of them itself (a malformed length, `Transfer-Encoding` in HTTP/1.0, connection headers
//! in HTTP/2) and repairs others in silence (a length beside `Transfer-Encoding`, a repeated length): what it repairs is
//! seen by the connection's own look at the header section and reported as [`Repaired`].

use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, Method, Version};

use crate::reason::{Reason, Refusal};

/// The HTTP library repaired this request's framing in silence. An extension of the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repaired;

/// Refuses a request whose framing is not plain.
///
/// # Errors
/// [`Reason::FramingConflict`], [`Reason::HeaderAmbiguous`] (two readers could take another host),
/// [`Reason::UpgradeRefused`].
pub fn framing(parts: &Parts) -> Result<(), Refusal> {
    let conflict = |detail: &'static str| Err(Refusal::new(Reason::FramingConflict).detail(detail));
    let headers = &parts.headers;
    if parts.extensions.get::<Repaired>().is_some() {
        return conflict("length and transfer coding contradict each other, or a length is repeated");
    }
    if parts.method == Method::CONNECT || headers.contains_key(UPGRADE) {
        return Err(Reason::UpgradeRefused.into());
    }
    if headers.contains_key(TRANSFER_ENCODING) {
        if parts.version != Version::HTTP_11 {
            return conflict("a transfer coding in another version than HTTP/1.1");
        }
        if headers.contains_key(CONTENT_LENGTH) {
            return conflict("both a length and a transfer coding");
        }
        let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
        let chunked = codings.next().is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"chunked"));
        if !chunked || codings.next().is_some() {
            return conflict("another transfer coding than chunked");
        }
    }
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    if let Some(length) = lengths.next() {
        let plain = !length.is_empty() && length.as_bytes().iter().all(u8::is_ascii_digit);
        if !plain || lengths.next().is_some() {
            return conflict("a length that is repeated or no number");
        }
    }
    if let Some(expect) = headers.get(EXPECT)
        && !expect.as_bytes().eq_ignore_ascii_case(b"100-continue")
    {
        return conflict("an expectation other than 100-continue");
    }
    connection_options(headers)?;
    host(parts)
}

/// `Connection` names headers that the next reader drops. Those that decide must not be among them.
fn connection_options(headers: &HeaderMap) -> Result<(), Refusal> {
    let harmless = |option: &str| {
        ["close", "keep-alive", "te", "http2-settings"].iter().any(|known| option.eq_ignore_ascii_case(known))
    };
    for value in headers.get_all(CONNECTION) {
        let Ok(text) = value.to_str() else {
            return Err(Reason::HeaderAmbiguous.into());
        };
        for option in text.split(',').map(str::trim).filter(|option| !option.is_empty()) {
            if option.eq_ignore_ascii_case("upgrade") {
                return Err(Reason::UpgradeRefused.into());
            }
            let named = option.parse::<HeaderName>().ok().filter(|name| headers.contains_key(name));
            if !harmless(option) && named.is_some() {
                return Err(Refusal::new(Reason::HeaderAmbiguous)
                    .detail("the connection header names another header"));
            }
        }
    }
    Ok(())
}

/// One host, and no other than the target's own (RFC 9112, 3.2; RFC 9113, 8.3.1).
fn host(parts: &Parts) -> Result<(), Refusal> {
    let ambiguous = |detail: &'static str| Err(Refusal::new(Reason::HeaderAmbiguous).detail(detail));
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return ambiguous("a repeated host");
    }
    match (host, parts.uri.authority()) {
        (Some(host), Some(authority))
            if !host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes()) =>
        {
            ambiguous("the host and the target differ")
        }
        (None, None) if parts.version >= Version::HTTP_11 => ambiguous("no host"),
        (Some(_) | None, Some(authority)) if authority.as_str().contains('@') => {
            ambiguous("a user in the target")
        }
        _ => Ok(()),
    }
}
