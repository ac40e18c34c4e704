//! A request as the handlers see it.

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::journal::Tap;
use super::reply::Fault;

/// The longest JSON body that is read.
const MOST_JSON: usize = 32 * 1024 * 1024;
/// How much of a body that nobody asked for is read all the same, so that the journal has it.
const MOST_DRAINED: u64 = 8 * 1024 * 1024;

/// A request.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    segments: Vec<String>,
    query: Vec<(String, String)>,
    body: Incoming,
    tap: Option<Tap>,
}

impl Call {
    /// Splits the path and the query. A path that isn't UTF-8 has no segments and so no handler.
    pub(super) fn new(parts: Parts, body: Incoming, tap: Option<Tap>) -> Self {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().map(String::from);
        let path = parts.uri.path().strip_prefix('/').unwrap_or_default();
        let segments = path.split('/').map(decoded).collect::<Result<_, _>>().unwrap_or_default();
        let pairs = parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let query = pairs.filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = |text: &str| decoded(&text.replace('+', " ")).ok();
            Some((plain(name)?, plain(value)?))
        });
        Self { method: parts.method, headers: parts.headers, segments, query: query.collect(), body, tap }
    }

    pub(super) fn segments(&self) -> Vec<String> {
        self.segments.clone()
    }

    /// The first value of a query parameter.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a query parameter.
    pub(super) fn queries(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query.iter().filter(move |(each, _)| each == name).map(|(_, value)| value.as_str())
    }

    /// The pairs of a query parameter written `name[key]=value`.
    pub(super) fn query_map(&self, name: &str) -> Vec<(String, String)> {
        let key =
            |text: &str| Some(text.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']')?.to_owned());
        self.query.iter().filter_map(|(each, value)| Some((key(each)?, value.clone()))).collect()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The next piece of the body.
    pub(super) async fn piece(&mut self) -> Option<Result<Bytes, Fault>> {
        loop {
            let frame = match self.body.frame().await? {
                Ok(frame) => frame,
                Err(problem) => return Some(Err(Fault::invalid(format!("The body broke off: {problem}")))),
            };
            if let Ok(piece) = frame.into_data() {
                if let Some(tap) = &mut self.tap {
                    tap.push(&piece);
                }
                return Some(Ok(piece));
            }
        }
    }

    /// The body as a stream of pieces.
    pub(super) fn pieces(&mut self) -> impl Stream<Item = Result<Bytes, Fault>> + Send + Unpin {
        Box::pin(futures_util::stream::unfold(self, |call| async {
            call.piece().await.map(|piece| (piece, call))
        }))
    }

    /// The whole body as a JSON object; an empty body is an empty object.
    pub(super) async fn json(&mut self) -> Result<Map<String, Value>, Fault> {
        let mut bytes = BytesMut::new();
        while let Some(piece) = self.piece().await {
            bytes.extend_from_slice(&piece?);
            if bytes.len() > MOST_JSON {
                let message = format!("The body is larger than {MOST_JSON} bytes.");
                return Err(Fault::invalid(message).status(StatusCode::PAYLOAD_TOO_LARGE));
            }
        }
        if bytes.is_empty() {
            return Ok(Map::new());
        }
        serde_json::from_slice(&bytes).map_err(|problem| {
            Fault::invalid(format!("We could not parse the JSON body of your request. ({problem})"))
        })
    }

    /// Reads what the handler left unread, and tells the journal whether the body came to its end.
    pub(super) async fn drain(mut self) {
        let mut read = 0;
        while let Some(piece) = self.piece().await {
            let Ok(piece) = piece else { return };
            read += piece.len() as u64;
            if read > MOST_DRAINED {
                return;
            }
        }
        if let Some(tap) = &mut self.tap {
            tap.ended();
        }
    }
}

/// Shortcuts into a JSON object.
pub(super) trait Fields {
    /// A string, if it is one.
    fn text(&self, name: &str) -> Option<&str>;
    /// `true`, and not anything else.
    fn is_true(&self, name: &str) -> bool;
    /// A string that must be there.
    fn required(&self, name: &'static str) -> Result<&str, Fault>;
    /// A copy of the value, or `null`.
    fn copy(&self, name: &str) -> Value;
}

impl Fields for Map<String, Value> {
    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some(&Value::Bool(true))
    }

    fn required(&self, name: &'static str) -> Result<&str, Fault> {
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| {
            Fault::invalid(format!("Missing required parameter: '{name}'."))
                .param(name)
                .code("missing_required_parameter")
        })
    }

    fn copy(&self, name: &str) -> Value {
        self.get(name).cloned().unwrap_or(Value::Null)
    }
}
