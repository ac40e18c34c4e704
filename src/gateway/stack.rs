//! What stands around every request, outermost first. Each line has its reason; what depends on the request's meaning
//! stands in the way itself.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use http::{Request, Response};
use tower::{Layer, Service, ServiceBuilder};

use super::{Answer, Gateway};
use crate::listener::{Connection, RequestBody};

/// The future of an answer.
type Answering = Pin<Box<dyn Future<Output = Result<Response<Answer>, Infallible>> + Send>>;

/// The service of one connection.
pub fn service(
    gateway: Gateway,
    connection: Connection,
) -> impl Service<Request<RequestBody>, Response = Response<Answer>, Error = Infallible, Future = Answering>
+ Clone
+ Send {
    ServiceBuilder::new()
        // A mistake of ours in one request is that request's failure, and no other's.
        .layer(Contain(gateway.clone()))
        // The way of the request.
        .service(Way { gateway, connection: Arc::new(connection) })
}

/// The way, as a service.
#[derive(Clone)]
struct Way {
    gateway: Gateway,
    connection: Arc<Connection>,
}

impl Service<Request<RequestBody>> for Way {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Places are taken in the way, where a refusal can be answered in the API's own shape.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Answering {
        let answering = self.gateway.answering(Arc::clone(&self.connection), request);
        Box::pin(answering.map(Ok))
    }
}

/// Turns a panic into an answer.
#[derive(Clone)]
struct Contain(Gateway);

impl<S> Layer<S> for Contain {
    type Service = Contained<S>;

    fn layer(&self, inner: S) -> Contained<S> {
        Contained { inner, gateway: self.0.clone() }
    }
}

#[derive(Clone)]
struct Contained<S> {
    inner: S,
    gateway: Gateway,
}

impl<S> Service<Request<RequestBody>> for Contained<S>
where
    S: Service<Request<RequestBody>, Response = Response<Answer>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Answering {
        let answering = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        let gateway = self.gateway.clone();
        Box::pin(async move {
            match answering.await {
                Ok(answer) => answer,
                Err(_panic) => Ok(gateway.failed().await),
            }
        })
    }
}

#[cfg(test)]
mod tests;
