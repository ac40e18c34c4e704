//! Plain HTTP for metrics and probes, on an address of its own. It answers until the very end, because a probe that asks
//! during the drain has to be told "not ready", not nothing.

use std::pin::pin;
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::accept::of_one_connection;
use super::body::BoxError;
use super::shutdown::Shutdown;

/// Connections at once: scrapers and probes are few.
const CONNECTIONS: usize = 64;
/// For a header section, and between requests.
const PATIENCE: Duration = Duration::from_secs(30);
/// For a connection as a whole: scrapers come again.
const LIFETIME: Duration = Duration::from_secs(600);
/// When the system can't accept.
const OUT_OF_RESOURCES: Duration = Duration::from_millis(100);

/// Serves until the last caller of the data listeners is gone, or the drain is over. Requests have no body that is worth reading: the service gets it as it comes.
pub async fn serve<S, B>(socket: TcpListener, service: S, shutdown: Shutdown)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_header_size(16 * 1024).half_close(false);
    let mut connections = JoinSet::new();
    let mut empty = pin!(shutdown.emptied());
    let mut over = pin!(shutdown.abort_token().cancelled());
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut empty => return,
            () = &mut over => return,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = socket.accept(), if connections.len() < CONNECTIONS => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = http.serve_connection(TokioIo::new(stream), service.clone());
                connections.spawn(async move {
                    // How a probe's connection ends is nobody's concern.
                    let _ended = tokio::time::timeout(LIFETIME, connection).await;
                });
            }
            Err(error) if of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted for metrics and probes");
                tokio::time::sleep(OUT_OF_RESOURCES).await;
            }
        }
    }
}
