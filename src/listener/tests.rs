//! Real sockets, real handshakes: a listener on a free port, and clients that behave or don't.

mod bounds;
mod drain;
mod http;
mod jwks;
mod sniff;
mod tls;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::http::{Request, Response, StatusCode};
use aws_lc_rs::hkdf;
use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::service::service_fn;
use rustls::ClientConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::task::TaskTracker;

use super::body::BoxError;
use super::{
    Bounds, Connection, Door, Drained, End, Gate, Handshake, Held, Listener, Observer, Protocol, Refused,
    RequestBody, Shutdown, TlsVersion, framing,
};
use crate::identity::Tagger;
use crate::reason::Reason;
use crate::tls::testing::Authority;
use crate::tls::{ClientAuth, HotServer, server};

type Body = BoxBody<Bytes, BoxError>;

/// What the listener told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Refused(Refused),
    Handshake(Handshake, Option<TlsVersion>),
    Opened(Protocol),
    Unreadable(Reason),
    Closed(Protocol, End),
}

#[derive(Default)]
struct Notebook(Mutex<Vec<Seen>>);

impl Notebook {
    fn write(&self, seen: Seen) {
        self.0.lock().unwrap().push(seen);
    }

    /// Waits for an entry: what the client sees can come before what the listener tells.
    async fn wait(&self, wanted: Seen) {
        for _ in 0..500 {
            if self.0.lock().unwrap().contains(&wanted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no {wanted:?} in {:?}", self.0.lock().unwrap());
    }
}

impl Observer for Notebook {
    fn refused(&self, why: Refused) {
        self.write(Seen::Refused(why));
    }
    fn handshake(&self, result: Handshake, version: Option<TlsVersion>, _: Duration) {
        self.write(Seen::Handshake(result, version));
    }
    fn opened(&self, protocol: Protocol) {
        self.write(Seen::Opened(protocol));
    }
    fn unreadable(&self, reason: Reason) {
        self.write(Seen::Unreadable(reason));
    }
    fn closed(&self, protocol: Protocol, end: End) {
        self.write(Seen::Closed(protocol, end));
    }
}

/// A listener that runs.
struct Rig {
    address: SocketAddr,
    authority: Authority,
    shutdown: Shutdown,
    notebook: Arc<Notebook>,
    drained: JoinHandle<Drained>,
}

/// Bounds that no test meets by accident.
fn roomy() -> Bounds {
    Bounds { pre_drain: Duration::ZERO, drain: Duration::from_secs(5), ..Bounds::default() }
}

impl Rig {
    fn new(bounds: Bounds) -> Self {
        Self::with(bounds, false)
    }

    fn with(bounds: Bounds, ask_for_certificates: bool) -> Self {
        let authority = Authority::new();
        let leaf = authority.server();
        let (root, now) = (authority.root(), jiff::Timestamp::now());
        let clients = ask_for_certificates.then_some(ClientAuth { ca: &root, required: false });
        let hot = HotServer::new(server(&leaf.chain, &leaf.key, clients, now).unwrap());
        let notebook = Arc::new(Notebook::default());
        let master = hkdf::Salt::new(hkdf::HKDF_SHA256, b"").extract(b"test");
        let tagger = Tagger::derive(&master).unwrap();
        let door =
            Door::new(Arc::new(hot), bounds.clone(), tagger, Arc::clone(&notebook) as Arc<dyn Observer>);
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), door).unwrap();
        let address = listener.local_addr();
        let shutdown = Shutdown::new();
        let tasks = TaskTracker::new();
        tasks.spawn(listener.serve(service, shutdown.clone()));
        let own = shutdown.clone();
        let drained = tasks.spawn(async move { own.drain(&bounds).await });
        Self { address, authority, shutdown, notebook, drained }
    }

    fn config(&self, alpn: &[&str]) -> Arc<ClientConfig> {
        self.authority.client(alpn, &[&rustls::version::TLS13, &rustls::version::TLS12], None)
    }

    async fn connect(&self, config: Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(self.address).await?;
        TlsConnector::from(config).connect("localhost".try_into().unwrap(), tcp).await
    }

    /// An HTTP/1.1 connection on which the test writes bytes.
    async fn raw(&self) -> TlsStream<TcpStream> {
        self.connect(self.config(&["http/1.1"])).await.unwrap()
    }

    /// Sends bytes, and reads until the listener closes.
    async fn exchange(&self, bytes: &str) -> String {
        let mut stream = self.raw().await;
        stream.write_all(bytes.as_bytes()).await.unwrap();
        read_all(&mut stream).await
    }
}

async fn read_all(stream: &mut TlsStream<TcpStream>) -> String {
    let mut answer = Vec::new();
    // A reset is an end as well; what was read before it counts.
    let _end = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// Reads until a text has come.
async fn read_until(stream: &mut TlsStream<TcpStream>, text: &str) -> String {
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&answer).contains(text) {
        let got =
            tokio::time::timeout(Duration::from_secs(10), stream.read(&mut buffer)).await.unwrap().unwrap();
        assert!(got > 0, "closed before {text:?}: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..got]);
    }
    String::from_utf8(answer).unwrap()
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(text.into()).map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    response
}

/// What the tests' requests ask for by their path.
fn service(
    connection: Connection,
) -> impl hyper::service::Service<
    Request<RequestBody>,
    Response = Response<Body>,
    Error = BoxError,
    Future: Send + 'static,
> + Send
+ 'static {
    let connection = Arc::new(connection);
    service_fn(move |request| answer(request, Arc::clone(&connection)))
}

async fn answer(
    request: Request<RequestBody>,
    connection: Arc<Connection>,
) -> Result<Response<Body>, BoxError> {
    let (parts, mut body) = request.into_parts();
    if let Err(refusal) = framing(&parts) {
        return Ok(text(refusal.reason.status(), refusal.reason.code()));
    }
    Ok(match parts.uri.path() {
        "/who" => {
            let (tls, protocol, client) =
                (connection.tls.as_str(), connection.protocol.as_str(), connection.client);
            let names: Vec<_> = connection.peer.names().iter().map(ToString::to_string).collect();
            text(StatusCode::OK, format!("{tls} {protocol} {client} {}", names.join(",")))
        }
        "/slow" => {
            tokio::time::sleep(Duration::from_millis(700)).await;
            text(StatusCode::OK, "slow but whole")
        }
        "/never" => std::future::pending().await,
        "/unread" => text(StatusCode::UNAUTHORIZED, "refused unread"),
        "/endless" => {
            let chunk = Bytes::from_static(&[b'x'; 16 * 1024]);
            let frames = futures_util::stream::repeat_with(move || Ok(http_body::Frame::data(chunk.clone())));
            Response::new(BodyExt::boxed(StreamBody::new(frames)))
        }
        "/silent" => {
            let frames = futures_util::stream::pending::<Result<http_body::Frame<Bytes>, BoxError>>();
            Response::new(BodyExt::boxed(StreamBody::new(frames)))
        }
        "/count" => {
            let mut count = 0;
            while let Some(frame) = body.frame().await {
                match frame {
                    Ok(frame) => count += frame.data_ref().map_or(0, Bytes::len),
                    Err(refusal) => return Ok(text(refusal.reason.status(), refusal.reason.code())),
                }
            }
            text(StatusCode::OK, format!("{count} bytes"))
        }
        _ => Response::new(Empty::new().map_err(|never| match never {}).boxed()),
    })
}
