//! Answers and errors in the API's shapes.

use std::convert::Infallible;
use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{Stream, stream};
use http::header::{CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use serde_json::{Value, json};

/// A stream that ends before its end, on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the stream breaks off")]
pub struct BreaksOff;

impl From<Infallible> for BreaksOff {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

pub(super) type Payload = UnsyncBoxBody<Bytes, BreaksOff>;

/// What a handler gives.
pub(super) type Answer = Result<Reply, Fault>;

/// An answer that is not an error.
pub(super) enum Reply {
    /// A JSON value.
    Json(Value),
    /// A JSON value of something new (201).
    Created(Value),
    /// An error of another API, as JSON.
    Failed(StatusCode, Value),
    /// Bytes of some type, with the name that a browser would save them under.
    Bytes(&'static str, Bytes, Option<String>),
    /// Events.
    Events(Payload),
    /// Nothing (204).
    Nothing,
}

impl Reply {
    pub(super) fn events(
        stream: impl Stream<Item = Result<Frame<Bytes>, BreaksOff>> + Send + 'static,
    ) -> Self {
        Self::Events(BodyExt::boxed_unsync(StreamBody::new(stream)))
    }

    pub(super) fn into_response(self) -> Response<Payload> {
        let (status, kind, payload) = match self {
            Self::Json(value) => (StatusCode::OK, "application/json", whole(value.to_string().into())),
            Self::Failed(status, value) => (status, "application/json", whole(value.to_string().into())),
            Self::Created(value) => {
                (StatusCode::CREATED, "application/json", whole(value.to_string().into()))
            }
            Self::Events(payload) => (StatusCode::OK, "text/event-stream; charset=utf-8", payload),
            Self::Nothing => (StatusCode::NO_CONTENT, "", whole(Bytes::new())),
            Self::Bytes(kind, bytes, name) => {
                let mut response = response(StatusCode::OK, kind, whole(bytes));
                let disposition = name.and_then(|name| disposition(&name));
                if let Some(value) = disposition {
                    response.headers_mut().insert(CONTENT_DISPOSITION, value);
                }
                return response;
            }
        };
        response(status, kind, payload)
    }
}

impl From<Value> for Reply {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

/// An error of the API: what it says, and how.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    message: String,
    kind: &'static str,
    param: Option<&'static str>,
    code: Option<&'static str>,
}

impl Fault {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
            kind: "invalid_request_error",
            param: None,
            code: None,
        }
    }

    /// An object that isn't there. The message names its id, as the real API's does.
    pub(super) fn missing(what: &str, id: &str) -> Self {
        Self::invalid(format!("No such {what}: {id}")).status(StatusCode::NOT_FOUND).param("id")
    }

    pub(super) fn model(name: &str) -> Self {
        Self::invalid(format!("The model `{name}` does not exist or you do not have access to it."))
            .status(StatusCode::NOT_FOUND)
            .param("model")
            .code("model_not_found")
    }

    pub(super) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(super) fn param(mut self, param: &'static str) -> Self {
        self.param = Some(param);
        self
    }

    pub(super) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// The error's JSON.
    pub(super) fn body(&self) -> Value {
        json!({"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}})
    }

    pub(super) fn into_response(self) -> Response<Payload> {
        response(self.status, "application/json", whole(self.body().to_string().into()))
    }
}

fn whole(bytes: Bytes) -> Payload {
    BodyExt::boxed_unsync(Full::new(bytes).map_err(BreaksOff::from))
}

fn response(status: StatusCode, kind: &'static str, payload: Payload) -> Response<Payload> {
    let mut response = Response::new(payload);
    *response.status_mut() = status;
    if !kind.is_empty() {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    response
}

fn disposition(name: &str) -> Option<HeaderValue> {
    let plain: String = name
        .chars()
        .map(|c| if c == ' ' || c.is_ascii_graphic() && !"\"\\%".contains(c) { c } else { '_' })
        .collect();
    HeaderValue::try_from(format!("attachment; filename=\"{plain}\"")).ok()
}

/// Headers by which the real API tells of the account that is shared.
pub(super) fn account_headers(served: u64) -> [(HeaderName, HeaderValue); 11] {
    let left = 9_999_u64.saturating_sub(served % 10_000);
    let text = |value: String| HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static(""));
    [
        (HeaderName::from_static("openai-organization"), HeaderValue::from_static("sandbox-org")),
        (HeaderName::from_static("openai-project"), HeaderValue::from_static("proj_sandboxshared")),
        (HeaderName::from_static("openai-version"), HeaderValue::from_static("2020-10-01")),
        (HeaderName::from_static("openai-processing-ms"), HeaderValue::from_static("7")),
        (HeaderName::from_static("x-request-id"), text(super::ids::hex("req_", 32))),
        (HeaderName::from_static("x-ratelimit-limit-requests"), HeaderValue::from_static("10000")),
        (HeaderName::from_static("x-ratelimit-remaining-requests"), text(left.to_string())),
        (HeaderName::from_static("x-ratelimit-remaining-tokens"), text((left * 200).to_string())),
        (HeaderName::from_static("x-ratelimit-reset-requests"), HeaderValue::from_static("6ms")),
        (
            HeaderName::from_static("set-cookie"),
            text(format!("__cf_bm={}; path=/; HttpOnly; Secure; SameSite=None", super::ids::letters("", 32))),
        ),
        (HeaderName::from_static("cf-ray"), text(super::ids::hex("", 16))),
    ]
}

/// The answer with its body compressed, each piece flushed as it comes.
pub(super) fn zipped(response: Response<Payload>) -> Response<Payload> {
    let (mut parts, payload) = response.into_parts();
    parts.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    let coder = Some(GzEncoder::new(Vec::new(), Compression::fast()));
    let frames = stream::unfold((payload, coder), |(mut payload, coder)| async move {
        let mut coder = coder?;
        let (bytes, coder) = match payload.frame().await {
            Some(Err(problem)) => return Some((Err(problem), (payload, None))),
            Some(Ok(frame)) => {
                let piece = frame.into_data().unwrap_or_default();
                // Writing to memory does not fail.
                let _ = coder.write_all(&piece).and_then(|()| coder.flush());
                (std::mem::take(coder.get_mut()), Some(coder))
            }
            None => (coder.finish().unwrap_or_default(), None),
        };
        Some((Ok(Frame::data(Bytes::from(bytes))), (payload, coder)))
    });
    Response::from_parts(parts, BodyExt::boxed_unsync(StreamBody::new(frames)))
}
