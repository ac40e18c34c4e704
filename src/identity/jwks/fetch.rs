//! One GET over TLS, with every bound that an answer from outside needs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::{PublicKey, parse};
use crate::diagnostic::Diagnostic;
use crate::tls;

/// A key set of more bytes is not read.
const MOST_BYTES: usize = 512 * 1024;
/// From the start of a fetch to its end.
const WITHIN: Duration = Duration::from_secs(5);

/// Where to fetch from, and how often.
pub(super) struct Fetcher {
    url: http::Uri,
    ca: Option<PathBuf>,
    pub(super) min_refresh: Duration,
    pub(super) max_age: Duration,
}

/// Why a key set could not be fetched. It holds no byte of the answer.
#[derive(Debug, thiserror::Error)]
pub enum FetchFailed {
    /// The roots could not be loaded.
    #[error(transparent)]
    Roots(#[from] Diagnostic),
    /// It took too long.
    #[error("no answer within 5 s")]
    Timeout,
    /// Name resolution, connection, TLS or HTTP failed.
    #[error("the connection failed")]
    Connection(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another status than 200. Redirects are not followed.
    #[error("the answer has status {}", .0.as_u16())]
    Status(StatusCode),
    /// The body is too large.
    #[error("the key set is larger than 512 KiB")]
    TooLarge,
    /// The body is no key set, or holds no usable key.
    #[error("the answer is no usable key set: {0}")]
    Unusable(&'static str),
}

impl Fetcher {
    pub(super) const fn new(
        url: http::Uri,
        ca: Option<PathBuf>,
        min_refresh: Duration,
        max_age: Duration,
    ) -> Self {
        Self { url, ca, min_refresh, max_age }
    }

    pub(super) fn host(&self) -> &str {
        self.url.host().unwrap_or_default()
    }

    pub(super) async fn fetch(&self) -> Result<Vec<Arc<PublicKey>>, FetchFailed> {
        let bytes =
            tokio::time::timeout(WITHIN, self.get()).await.map_err(|_elapsed| FetchFailed::Timeout)??;
        parse(&bytes).map_err(FetchFailed::Unusable)
    }

    async fn get(&self) -> Result<Vec<u8>, FetchFailed> {
        let config = tls::client(&tls::Roots::system_and(self.ca.as_deref()))?;
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_http1()
            .build();
        let client: Client<_, Empty<Bytes>> =
            Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.url.clone();
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static("application/jwk-set+json, application/json"));
        let answer = client.request(request).await.map_err(|error| FetchFailed::Connection(error.into()))?;
        if answer.status() != StatusCode::OK {
            return Err(FetchFailed::Status(answer.status()));
        }
        let mut body = answer.into_body();
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| FetchFailed::Connection(error.into()))?;
            if let Ok(data) = frame.into_data() {
                if bytes.len() + data.len() > MOST_BYTES {
                    return Err(FetchFailed::TooLarge);
                }
                bytes.extend_from_slice(&data);
            }
        }
        Ok(bytes)
    }
}
