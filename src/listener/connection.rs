//! One connection: handshake, then HTTP until somebody ends it.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::{AlertDescription, InvalidMessage, ProtocolVersion};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::accept::Door;
use super::activity::Activity;
use super::body::{Answer, BoxError, DeadlineBody, Failed};
use super::buffered::Buffered;
use super::drive::drive;
use super::framing::Repaired;
use super::observer::{End, Handshake};
use super::shutdown::{Executor, Shutdown};
use super::watched::Watched;
use super::{Bounds, Connection, Protocol, TlsVersion};
use crate::identity::Peer;

/// What a service gets as a request's body.
pub type RequestBody = DeadlineBody<Incoming>;

/// Between two pings in HTTP/2, and how long the answer may take: finds out that a client is gone without a word.
const PING: Duration = Duration::from_secs(20);
/// HTTP/2: bytes that a stream may send before anybody has read them.
const STREAM_WINDOW: u32 = 512 * 1024;
/// HTTP/2: the same for all streams of a connection: its memory's bound.
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// HTTP/2: bytes of an answer that wait to be sent, for each stream.
const SEND_BUFFER: usize = 128 * 1024;
/// HTTP/2: streams that we had to reset because of what the peer sent in them.
const LOCAL_RESETS: usize = 128;
/// HTTP/1: bytes that wait to be read or written.
const BUFFER: usize = 128 * 1024;

/// Runs a connection to its end.
pub(super) async fn run<M, S, B>(
    stream: TcpStream,
    address: IpAddr,
    door: &Door,
    bounds: Arc<Bounds>,
    make: &M,
    shutdown: &Shutdown,
) where
    M: Fn(Connection) -> S,
    S: Service<Request<RequestBody>, Response = Response<B>> + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError> + 'static,
    B: Body + Unpin + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    // A small answer must not wait for the acknowledgement of the one before.
    let _best_effort = stream.set_nodelay(true);
    let client = door.tagger.address(address);
    let Some((tls, connection)) = handshake(stream, door, &bounds, shutdown, client).await else {
        return;
    };
    let protocol = connection.protocol;
    let activity = Arc::new(Activity::new(protocol));
    let io = TokioIo::new(Watched::new(tls, Arc::clone(&activity)));
    let service = make(connection);
    let (in_service, within) = (Arc::clone(&activity), Arc::clone(&bounds));
    let service = service_fn(move |request: Request<Incoming>| {
        let flight = in_service.begin();
        let mut request = request.map(|body| DeadlineBody::new(body, within.request_body));
        if in_service.tainted() {
            request.extensions_mut().insert(Repaired);
        }
        let answer = service.call(request);
        let bound = within.response_body;
        async move {
            let answer = answer.await.map_err(Failed::from)?;
            Ok::<_, Failed>(answer.map(|body| Answer::new(body, bound, flight)))
        }
    });
    door.observer.opened(protocol);
    let (end, unreadable) = match protocol {
        Protocol::Http1 => {
            drive(http1(&bounds).serve_connection(io, service), &activity, &bounds, shutdown).await
        }
        Protocol::Http2 => {
            let http = http2(&bounds, shutdown);
            drive(http.serve_connection(io, service), &activity, &bounds, shutdown).await
        }
    };
    if let Some(reason) = unreadable {
        door.observer.unreadable(reason);
    }
    if end == End::Aborted {
        shutdown.count_aborted();
    }
    door.observer.closed(protocol, end);
}

/// Every limit that the HTTP/1.1 side has, by name: a default that changes in the library changes nothing here. The
/// number of headers is left at its default (100, then 431), because setting it costs an allocation for each request.
/// Header and idle time are the connection's own clock's.
fn http1(bounds: &Bounds) -> http1::Builder {
    let header = usize::try_from(bounds.header_bytes).unwrap_or(usize::MAX);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_header_size(header)
        .max_buf_size(BUFFER.max(header))
        .half_close(false)
        .keep_alive(true)
        .ignore_invalid_headers(false)
        .allow_multiple_spaces_in_request_line_delimiters(false)
        .preserve_header_case(false)
        .pipeline_flush(false);
    http
}

/// As [`http1`], for HTTP/2.
fn http2(bounds: &Bounds, shutdown: &Shutdown) -> http2::Builder<Executor> {
    let mut http = http2::Builder::new(Executor(shutdown.clone()));
    http.timer(TokioTimer::new())
        .max_concurrent_streams(bounds.streams)
        .max_header_list_size(bounds.header_bytes)
        .max_pending_accept_reset_streams(bounds.resets)
        .max_local_error_reset_streams(LOCAL_RESETS)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .adaptive_window(false)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(16 * 1024)
        .header_table_size(4096)
        .max_send_buf_size(SEND_BUFFER);
    http
}

/// The handshake, under its deadline.
async fn handshake(
    stream: TcpStream,
    door: &Door,
    bounds: &Bounds,
    shutdown: &Shutdown,
    client: crate::identity::ClientTag,
) -> Option<(TlsStream<Buffered>, Connection)> {
    let began = Instant::now();
    let acceptor = TlsAcceptor::from(Arc::clone(&door.tls.current().config));
    let done = tokio::select! {
        done = timeout(bounds.handshake, acceptor.accept(Buffered::new(stream))) => done,
        () = shutdown.abort_token().cancelled() => return None,
    };
    let tls = match done {
        Ok(Ok(tls)) => tls,
        Ok(Err(error)) => {
            door.observer.handshake(failure(&error), None, began.elapsed());
            return None;
        }
        Err(_) => {
            door.observer.handshake(Handshake::Timeout, None, began.elapsed());
            return None;
        }
    };
    let (_, session) = tls.get_ref();
    let version = match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => TlsVersion::Tls13,
        Some(ProtocolVersion::TLSv1_2) => TlsVersion::Tls12,
        _ => {
            door.observer.handshake(Handshake::Incompatible, None, began.elapsed());
            return None;
        }
    };
    let protocol = if session.alpn_protocol() == Some(b"h2") { Protocol::Http2 } else { Protocol::Http1 };
    let peer = Arc::new(Peer::from_chain(session.peer_certificates()));
    door.observer.handshake(Handshake::Done, Some(version), began.elapsed());
    Some((tls, Connection { peer, tls: version, protocol, client }))
}

/// What an error of the handshake means.
fn failure(error: &io::Error) -> Handshake {
    use rustls::Error as E;
    let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<E>()) else {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                Handshake::Closed
            }
            _ => Handshake::Failed,
        };
    };
    match error {
        E::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            Handshake::NotTls
        }
        E::PeerIncompatible(_) | E::NoApplicationProtocol => Handshake::Incompatible,
        E::InvalidCertificate(_) | E::NoCertificatesPresented => Handshake::ClientCertificate,
        E::AlertReceived(AlertDescription::CloseNotify | AlertDescription::UserCanceled) => Handshake::Closed,
        E::AlertReceived(_) => Handshake::Alert,
        _ => Handshake::Failed,
    }
}
