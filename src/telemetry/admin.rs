//! Metrics and probes over HTTP: `/metrics`, `/livez`, `/readyz`, `/startupz`. Nothing here changes anything.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::service::Service;

use super::health::Health;
use super::metrics::Metrics;

const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// The service of the metrics listener.
#[derive(Clone)]
pub struct Admin {
    metrics: Arc<Metrics>,
    health: Arc<Health>,
}

impl Admin {
    /// Serves these.
    #[must_use]
    pub const fn new(metrics: Arc<Metrics>, health: Arc<Health>) -> Self {
        Self { metrics, health }
    }

    /// Answers a request; its body is not read.
    pub fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let head = request.method() == Method::HEAD;
        let mut answer = if head || request.method() == Method::GET {
            self.resource(request.uri().path())
        } else {
            let mut answer = reply(StatusCode::METHOD_NOT_ALLOWED, TEXT, "GET or HEAD\n");
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            answer
        };
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if head {
            *answer.body_mut() = Full::default();
        }
        answer
    }

    fn resource(&self, path: &str) -> Response<Full<Bytes>> {
        let status = |good| if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        match path {
            "/metrics" => match self.metrics.encode() {
                Ok(text) => reply(StatusCode::OK, METRICS, text),
                Err(error) => {
                    tracing::error!(%error, "the metrics can't be written");
                    reply(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "the metrics can't be written\n")
                }
            },
            // Whoever can answer lives.
            "/livez" => reply(StatusCode::OK, JSON, "{\"live\":true}\n"),
            "/startupz" => {
                let started = self.health.is_started();
                reply(status(started), JSON, format!("{{\"started\":{started}}}\n"))
            }
            "/readyz" => {
                let (ready, parts) = self.health.readiness();
                reply(status(ready), JSON, parts)
            }
            _ => reply(StatusCode::NOT_FOUND, TEXT, "/metrics, /livez, /readyz or /startupz\n"),
        }
    }
}

fn reply(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

impl<B> Service<Request<B>> for Admin {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        std::future::ready(Ok(self.answer(&request)))
    }
}
