//! A refusal as an answer: in the API's own shape, so that its clients raise their own exceptions.

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use super::kind::NotFound;
use crate::reason::{Reason, Refusal};

/// An answer that the gateway gives itself.
#[derive(Clone, Debug)]
pub struct ErrorAnswer {
    /// The status.
    pub status: StatusCode,
    /// The headers. `content-length` is left to the connection.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// The compiled shape of an API's errors.
#[derive(Clone, Debug)]
pub(super) struct ErrorShape {
    pub(super) content_type: HeaderValue,
    pub(super) body: Value,
    pub(super) event: Value,
    pub(super) event_name: Option<String>,
    pub(super) types: Vec<(StatusCode, String)>,
    pub(super) default_type: String,
    pub(super) own_words: Vec<u16>,
    pub(super) request_id: HeaderName,
    pub(super) no_retry: Vec<(HeaderName, HeaderValue)>,
}

/// What takes the place of the shape's `$…` strings.
struct Words<'a> {
    message: String,
    kind: &'a str,
    param: Option<&'a str>,
    code: Option<&'a str>,
    status: u16,
    request_id: &'a str,
}

impl ErrorShape {
    pub(super) fn answer(
        &self,
        refusal: &Refusal,
        request_id: &str,
        unknown: Option<&NotFound>,
    ) -> ErrorAnswer {
        let words = self.words(refusal, request_id, unknown);
        let body = Bytes::from(filled(&self.body, &words).to_string());
        let mut headers = common_headers(refusal, &self.content_type, &self.request_id, request_id);
        if !passes_by_itself(refusal) {
            headers.extend(self.no_retry.iter().cloned());
        }
        ErrorAnswer { status: refusal.reason.status(), headers, body }
    }

    /// The event, with the empty line that ends it.
    pub(super) fn event(&self, refusal: &Refusal, request_id: &str) -> String {
        let data = filled(&self.event, &self.words(refusal, request_id, None));
        let mut event = String::new();
        if let Some(name) = &self.event_name {
            let _ = writeln!(event, "event: {name}");
        }
        let _ = write!(event, "data: {data}\n\n");
        event
    }

    fn words<'a>(
        &'a self,
        refusal: &Refusal,
        request_id: &'a str,
        unknown: Option<&'a NotFound>,
    ) -> Words<'a> {
        let status = refusal.reason.status();
        let kind =
            self.types.iter().find(|(known, _)| *known == status).map_or(&self.default_type, |(_, k)| k);
        let code = Some(refusal.reason.code());
        // What is said about an unknown id says nothing else: neither where it stood nor why it is unknown.
        match unknown.filter(|_| refusal.reason == Reason::ResourceUnknown) {
            Some(unknown) => Words {
                message: unknown.message.clone(),
                kind: unknown.kind.as_deref().unwrap_or(kind),
                param: unknown.param.as_deref(),
                code: unknown.code.as_deref(),
                status: status.as_u16(),
                request_id: "",
            },
            None => Words {
                message: message(refusal),
                kind,
                param: None,
                code,
                status: status.as_u16(),
                request_id,
            },
        }
    }
}

/// The reason's sentence, and where and what.
pub(super) fn message(refusal: &Refusal) -> String {
    let title = refusal.reason.title();
    match &refusal.detail {
        Some(detail) if refusal.reason != Reason::ResourceUnknown => {
            format!("{}: {detail}.", title.trim_end_matches('.'))
        }
        _ => title.to_owned(),
    }
}

/// Is it right to send the same request again? Only when nothing of it can have reached the upstream, or when
/// whoever refused says so by naming a time.
pub(super) fn passes_by_itself(refusal: &Refusal) -> bool {
    refusal.retry_after.is_some()
        || matches!(
            refusal.reason,
            Reason::Overloaded
                | Reason::Draining
                | Reason::SpoolFull
                | Reason::TenantOverLimit
                | Reason::UpstreamUnreachable
        )
}

/// The headers that every answer of the gateway's own has.
pub(super) fn common_headers(
    refusal: &Refusal,
    content_type: &HeaderValue,
    request_id_name: &HeaderName,
    request_id: &str,
) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, content_type.clone());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(request_id_name.clone(), id);
    }
    if refusal.reason.status() == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if passes_by_itself(refusal) {
        let seconds = refusal.retry_after.map_or(1, |after| after.as_secs().max(1));
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    headers
}

/// A copy of the shape with its `$…` strings replaced.
fn filled(shape: &Value, words: &Words<'_>) -> Value {
    match shape {
        Value::String(text) => match text.as_str() {
            "$message" => Value::from(words.message.as_str()),
            "$type" => Value::from(words.kind),
            "$param" => words.param.map_or(Value::Null, Value::from),
            "$code" => words.code.map_or(Value::Null, Value::from),
            "$status" => Value::from(words.status),
            "$request_id" => Value::from(words.request_id),
            _ => shape.clone(),
        },
        Value::Array(items) => items.iter().map(|item| filled(item, words)).collect(),
        Value::Object(members) => {
            members.iter().map(|(key, value)| (key.clone(), filled(value, words))).collect()
        }
        _ => shape.clone(),
    }
}
