//! Connections: TLS, HTTP/1.1 and HTTP/2, limits, and the end.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::HOST;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use super::account::App;
use super::call::Call;
use super::reply::{Fault, Payload, Reply, account_headers, zipped};
use super::router;

const MOST_CONNECTIONS: usize = 1024;
const HANDSHAKE: Duration = Duration::from_secs(10);
const HEADERS: Duration = Duration::from_secs(30);
/// How much of one HTTP/2 body may be on its way, in bytes.
const STREAM_WINDOW: u32 = 1024 * 1024;
/// How long what is under way may take after the end was asked for.
const DRAIN: Duration = Duration::from_secs(2);

/// Accepts until `stop` resolves.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    app: Arc<App>,
    stop: impl Future<Output = ()> + Send,
) {
    let acceptor = TlsAcceptor::from(tls);
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let tasks = TaskTracker::new();
    let ending = Arc::new(GracefulShutdown::new());
    tokio::pin!(stop);
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((socket, _)) => {
                let (app, acceptor, watcher) = (Arc::clone(&app), acceptor.clone(), ending.watcher());
                tasks.spawn(async move {
                    connection(socket, acceptor, app, watcher).await;
                    drop(place);
                });
            }
            // Out of descriptors, most likely: wait for some to be closed.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
    drop(listener);
    tasks.close();
    let _ = timeout(DRAIN, async {
        if let Some(ending) = Arc::into_inner(ending) {
            ending.shutdown().await;
        }
        tasks.wait().await;
    })
    .await;
}

async fn connection(
    socket: TcpStream,
    acceptor: TlsAcceptor,
    app: Arc<App>,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let _ = socket.set_nodelay(true);
    let local = socket.local_addr().ok();
    let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(socket)).await else { return };
    let service = service_fn(move |request| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(answer(&app, request, local).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(128 * 1024);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(256).max_header_list_size(64 * 1024);
    builder
        .http2()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(4 * STREAM_WINDOW);
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    // A client that goes away or talks nonsense ends its connection and nothing else.
    let _ = watcher.watch(serving.into_owned()).await;
}

pub(super) async fn answer(
    app: &Arc<App>,
    request: Request<Incoming>,
    local: Option<SocketAddr>,
) -> Response<Payload> {
    let (parts, body) = request.into_parts();
    let control = parts.uri.path().starts_with("/__sandbox");
    let tap = if control { None } else { app.journal.as_ref().map(|journal| journal.begin(&parts)) };
    // HTTP/2 clients name the host in `:authority`.
    let host =
        parts.uri.authority().map(ToString::to_string).or_else(|| local.map(|local| local.to_string()));
    let host = host.and_then(|host| HeaderValue::try_from(host).ok());
    let mut call = Call::new(parts, body, tap);
    if let Some(host) = host.filter(|_| !call.headers.contains_key(HOST)) {
        call.headers.insert(HOST, host);
    }
    let answer = router::route(app, &mut call).await;
    let zip =
        app.options.gzip && call.header("accept-encoding").is_some_and(|codings| codings.contains("gzip"));
    call.drain().await;
    let mut response = answer.map_or_else(Fault::into_response, Reply::into_response);
    if zip {
        response = zipped(response);
    }
    if !control {
        for (name, value) in account_headers(app.count()) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
