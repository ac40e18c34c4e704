//! Refusals before any profile applies, or where a profile's API has no shape of its own: RFC 9457.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde_json::json;

use super::errors::{ErrorAnswer, common_headers, message, passes_by_itself};
use crate::reason::Refusal;

/// A refusal as `application/problem+json`.
///
/// `type` is `about:blank`, so `title` is the status' own phrase (RFC 9457, 4.2.1); the reason's sentence is the
/// `detail`, and its code an extension member.
#[must_use]
pub fn problem(refusal: &Refusal, request_id: &str) -> ErrorAnswer {
    let status = refusal.reason.status();
    let body = json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": message(refusal),
        "code": refusal.reason.code(),
    });
    let content_type = HeaderValue::from_static("application/problem+json");
    let mut headers =
        common_headers(refusal, &content_type, &HeaderName::from_static("x-request-id"), request_id);
    if !passes_by_itself(refusal) {
        headers.insert(HeaderName::from_static("x-should-retry"), HeaderValue::from_static("false"));
    }
    ErrorAnswer { status, headers, body: Bytes::from(body.to_string()) }
}
