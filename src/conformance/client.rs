//! One connection at a time to a running deployment.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as Legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use secrecy::{ExposeSecret, SecretString};

use crate::diagnostic::Diagnostic;
use crate::tls::{self, Roots};

/// The longest answer that is compared.
const LARGEST: usize = 16 << 20;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often a call is repeated that the deployment puts off.
const AGAIN: usize = 6;

/// The shortest id of a request that is cut out of a body: a shorter one may stand there by chance.
const SHORTEST_ID: usize = 16;

/// What no two answers have alike.
#[derive(Clone, Debug)]
pub(super) struct Varying {
    /// Headers that are left out.
    pub(super) headers: Vec<HeaderName>,
    /// Headers that carry the request's id, which an error may repeat in its body.
    pub(super) ids: Vec<HeaderName>,
}

/// A client.
pub struct Client {
    http: Legacy<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: Uri,
}

/// What is sent, but for the key.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Path and query, with the route's prefix.
    pub(super) target: String,
    /// The route's host, where it isn't that of the URL.
    pub(super) host: Option<String>,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) content_type: Option<String>,
    pub(super) body: Bytes,
}

/// What came back. Without a status: nothing whole did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Sorted, without those that differ by nature.
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Bytes,
}

impl Client {
    /// A client for `https://host:port`, with roots beside the system's.
    ///
    /// # Errors
    /// If the roots can't be loaded.
    pub fn new(base: Uri, ca: Option<&Path>) -> Result<Self, Diagnostic> {
        let config = tls::client(&Roots::system_and(ca))?;
        let https = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config);
        let https = https.https_only().enable_http1().build();
        Ok(Self { http: Legacy::builder(TokioExecutor::new()).build(https), base })
    }

    /// Sends a call with a tenant's key; what varies is left out of what is compared.
    pub(super) async fn send(&self, key: &SecretString, call: &Call, varying: &Varying) -> Answer {
        for _ in 0..AGAIN {
            let sent = tokio::time::timeout(PATIENCE, self.once(key, call)).await;
            let Ok(Ok((status, headers, body))) = sent else { break };
            let later = headers.get(RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
            let put_off = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&status);
            match later.filter(|seconds| put_off && *seconds <= 30) {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                None => {
                    let body = varying.without_id(&headers, body);
                    return Answer { status: status.as_u16(), headers: varying.without(&headers), body };
                }
            }
        }
        Answer { status: 0, headers: Vec::new(), body: Bytes::new() }
    }

    async fn once(
        &self,
        key: &SecretString,
        call: &Call,
    ) -> Result<(StatusCode, HeaderMap, Bytes), Box<dyn std::error::Error + Send + Sync>> {
        let mut parts = self.base.clone().into_parts();
        parts.path_and_query = Some(call.target.parse()?);
        let mut request = Request::builder().method(&call.method).uri(Uri::from_parts(parts)?);
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", key.expose_secret()))?;
        bearer.set_sensitive(true);
        request = request.header(AUTHORIZATION, bearer);
        if let Some(host) = &call.host {
            request = request.header(HOST, host);
        }
        if let Some(content_type) = &call.content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let response = self.http.request(request.body(Full::new(call.body.clone()))?).await?;
        let (head, body) = response.into_parts();
        #[expect(clippy::disallowed_methods, reason = "the body is limited in the same line")]
        let body = Limited::new(body, LARGEST).collect().await?.to_bytes();
        Ok((head.status, head.headers, body))
    }
}

impl Varying {
    fn without(&self, headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
        let left_out = |name: &HeaderName| self.headers.contains(name) || self.ids.contains(name);
        let kept = headers.iter().filter(|(name, _)| !left_out(name));
        let mut kept: Vec<_> =
            kept.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
        kept.sort();
        kept
    }

    /// The body without the id of its own request.
    fn without_id(&self, headers: &HeaderMap, body: Bytes) -> Bytes {
        let ids = self.ids.iter().filter_map(|name| headers.get(name)).map(HeaderValue::as_bytes);
        ids.filter(|id| id.len() >= SHORTEST_ID).fold(body, |body, id| {
            let mut kept = Vec::new();
            let mut rest = body.as_ref();
            while let Some(at) = memchr::memmem::find(rest, id) {
                let (before, after) = rest.split_at(at);
                kept.extend_from_slice(before);
                rest = after.get(id.len()..).unwrap_or_default();
            }
            if kept.is_empty() && rest.len() == body.len() {
                return body;
            }
            kept.extend_from_slice(rest);
            Bytes::from(kept)
        })
    }
}

impl Answer {
    /// It went through.
    pub(super) const fn is_ok(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// Its body as JSON, if it is.
    pub(super) fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Where it is another than this one; what stands there is not repeated.
    pub(super) fn unlike(&self, other: &Self) -> Option<String> {
        if self.status != other.status {
            return Some(format!("status {} instead of {}", shown(self.status), shown(other.status)));
        }
        let mut names: Vec<&str> = Vec::new();
        for (name, value) in self.headers.iter().chain(&other.headers) {
            let one = |answer: &Self| answer.headers.iter().filter(|h| h.0 == *name && h.1 == *value).count();
            if one(self) != one(other) && !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        if !names.is_empty() {
            return Some(format!("header {}", names.join(", ")));
        }
        if self.body == other.body {
            return None;
        }
        let at = self.body.iter().zip(&other.body).take_while(|(one, two)| one == two).count();
        Some(format!("body of {} bytes instead of {}, from byte {at} on", self.body.len(), other.body.len()))
    }
}

/// A status as people read it.
pub(super) fn shown(status: u16) -> String {
    if status == 0 { "none (no whole answer)".to_owned() } else { status.to_string() }
}
