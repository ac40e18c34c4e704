//! Real sockets: an origin that the test scripts byte by byte, and one that speaks HTTP/2.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use super::*;
use crate::lifecycle::Order;
use crate::names::RequestId;
use crate::store::{About, Aim, Cause, Task};
use crate::tls::testing::Authority;

/// What an origin noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Opened,
    /// The first line of a request's head.
    Asked(String),
    /// So many bytes of a body, in all.
    Body(usize),
    Closed,
}

/// An origin on a free port.
struct Origin {
    port: u16,
    seen: mpsc::UnboundedReceiver<Seen>,
    _tasks: TaskTracker,
}

/// One connection of an origin.
struct Talk {
    socket: TcpStream,
    told: mpsc::UnboundedSender<Seen>,
    read: Vec<u8>,
}

impl Talk {
    /// Reads a request's head.
    async fn asked(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                let head: Vec<u8> = self.read.drain(..end + 4).collect();
                let head = String::from_utf8(head).unwrap();
                self.told.send(Seen::Asked(head.lines().next().unwrap().to_owned())).unwrap();
                return Some(head);
            }
            if self.more().await == 0 {
                let _nobody_listens = self.told.send(Seen::Closed);
                return None;
            }
        }
    }

    async fn more(&mut self) -> usize {
        self.socket.read_buf(&mut self.read).await.unwrap_or(0)
    }

    async fn say(&mut self, text: impl AsRef<[u8]>) {
        self.socket.write_all(text.as_ref()).await.unwrap();
    }
}

const SHORT: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

impl Origin {
    async fn new<F: Future<Output = ()> + Send>(talk: impl Fn(Talk) -> F + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (told, seen) = mpsc::unbounded_channel();
        let tasks = TaskTracker::new();
        let (own, talk) = (tasks.clone(), Arc::new(talk));
        tasks.spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                told.send(Seen::Opened).unwrap();
                let (told, talk) = (told.clone(), Arc::clone(&talk));
                own.spawn(async move { talk(Talk { socket, told, read: Vec::new() }).await });
            }
        });
        Self { port, seen, _tasks: tasks }
    }

    /// One that answers everything with two bytes.
    async fn polite() -> Self {
        Self::new(async |mut talk: Talk| {
            while talk.asked().await.is_some() {
                talk.say(SHORT).await;
            }
        })
        .await
    }

    async fn next(&mut self) -> Seen {
        tokio::time::timeout(Duration::from_secs(10), self.seen.recv()).await.unwrap().unwrap()
    }

    /// What was seen and not yet asked for.
    fn rest(&mut self) -> Vec<Seen> {
        std::iter::from_fn(|| self.seen.try_recv().ok()).collect()
    }

    fn upstream(&self) -> Upstream {
        upstream(&format!("http://127.0.0.1:{}/base", self.port))
    }
}

fn upstream(base: &str) -> Upstream {
    Upstream {
        id: UpstreamId::new("account"),
        base: base.parse().unwrap(),
        credential: None,
        headers: Vec::new(),
        ca: None,
        third_party: false,
        shared_connections: false,
        connect: Duration::from_secs(5),
        head: Duration::from_secs(5),
        idle: Duration::from_secs(60),
    }
}

fn asked(path: &str) -> Seen {
    Seen::Asked(format!("GET {path} HTTP/1.1"))
}

/// A request of a tenant for a path.
fn get(upstream: &Upstream, tenant: &str, path: &str) -> Cleared {
    let base = upstream.base.to_string();
    let uri = format!("{}{path}", base.trim_end_matches('/')).parse().unwrap();
    let about =
        About::Call { upstream: upstream.id.clone(), method: Method::GET, path: path.to_owned(), of: None };
    let (cause, aim, request) = (Cause::Unrecorded, Aim::Undo, RequestId::fresh());
    let order = Order::undo(&Task { tenant: TenantId::new(tenant), cause, aim, about, request }).unwrap();
    Cleared::taking_back(&order, uri, HeaderMap::new())
}

async fn text(response: Response<AnswerBody>) -> Bytes {
    assert_eq!(response.status(), StatusCode::OK);
    read(response.into_body()).await.unwrap()
}

async fn read(mut body: AnswerBody) -> hyper::Result<Bytes> {
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            all.extend_from_slice(&data);
        }
    }
    Ok(all.into())
}

async fn ask(upstreams: &Upstreams, upstream: &Upstream, tenant: &str, path: &str) -> Bytes {
    text(upstreams.dispatch(upstream, 1, get(upstream, tenant, path)).await.unwrap()).await
}

#[tokio::test]
async fn a_connection_is_used_again_by_its_tenant_alone() {
    let mut origin = Origin::polite().await;
    let (upstreams, upstream) = (Upstreams::new(), origin.upstream());
    for (tenant, path) in [("acme", "/1"), ("acme", "/2"), ("zebra", "/3"), ("acme", "/4"), ("zebra", "/5")] {
        assert_eq!(ask(&upstreams, &upstream, tenant, path).await, "ok");
    }
    let ways = ["/base/1", "/base/2", "/base/3", "/base/4", "/base/5"].map(asked);
    let [one, two, three, four, five] = ways.clone();
    assert_eq!(origin.rest(), [Seen::Opened, one, two, Seen::Opened, three, four, five]);
    // Where the account's configuration says so, they share.
    let shared = Upstream { shared_connections: true, id: UpstreamId::new("shared"), ..origin.upstream() };
    for (tenant, path) in [("acme", "/1"), ("zebra", "/2")] {
        assert_eq!(ask(&upstreams, &shared, tenant, path).await, "ok");
    }
    let [one, two, ..] = ways;
    assert_eq!(origin.rest(), [Seen::Opened, one, two]);
}

#[tokio::test]
async fn a_host_is_named_and_the_target_has_none() {
    let origin = Origin::new(async |mut talk: Talk| {
        let head = talk.asked().await.unwrap();
        let body =
            head.lines().filter(|line| line.to_ascii_lowercase().starts_with("host:")).collect::<String>();
        talk.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await;
    })
    .await;
    let said = ask(&Upstreams::new(), &origin.upstream(), "acme", "/x?y=1").await;
    assert_eq!(said, format!("host: 127.0.0.1:{}", origin.port));
    for (base, host_is) in [
        ("https://api.example:443/v1", "api.example"),
        ("https://api.example/v1", "api.example"),
        ("https://api.example:8443", "api.example:8443"),
        ("http://127.0.0.1:80", "127.0.0.1"),
    ] {
        assert_eq!(host(&base.parse().unwrap()).unwrap(), host_is, "{base}");
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_while_it_waited_is_not_used() {
    let mut origin = Origin::new(async |mut talk: Talk| {
        talk.asked().await.unwrap();
        talk.say(SHORT).await;
    })
    .await;
    let (upstreams, upstream) = (Upstreams::new(), origin.upstream());
    for _ in 0..3 {
        assert_eq!(ask(&upstreams, &upstream, "acme", "/").await, "ok");
        // So that the end has come by then.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(origin.rest().iter().filter(|seen| **seen == Seen::Opened).count(), 3);
}

#[tokio::test]
async fn what_an_upstream_says_unasked_is_no_answer() {
    let origin = Origin::new(async |mut talk: Talk| {
        talk.asked().await.unwrap();
        talk.say(SHORT).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        talk.say("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged").await;
        tokio::time::sleep(Duration::from_secs(5)).await;
    })
    .await;
    let (upstreams, upstream) = (Upstreams::new(), origin.upstream());
    for _ in 0..3 {
        assert_eq!(ask(&upstreams, &upstream, "acme", "/").await, "ok");
        tokio::time::sleep(Duration::from_millis(80)).await;
    }
}

#[tokio::test]
async fn a_request_that_was_sent_is_not_sent_again() {
    let mut origin = Origin::new(async |mut talk: Talk| {
        talk.asked().await.unwrap();
        talk.say(SHORT).await;
        talk.asked().await.unwrap();
    })
    .await;
    let (upstreams, upstream) = (Upstreams::new(), origin.upstream());
    assert_eq!(ask(&upstreams, &upstream, "acme", "/1").await, "ok");
    let refusal = upstreams.dispatch(&upstream, 1, get(&upstream, "acme", "/2")).await.unwrap_err();
    assert_eq!(refusal.reason, Reason::UpstreamBroke);
    assert_eq!(origin.rest(), [Seen::Opened, asked("/base/1"), asked("/base/2")]);
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_silence_is_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = upstream(&format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port()));
    let silent = Upstream { head: Duration::from_millis(50), ..upstream(&nobody.base.to_string()) };
    let refusal = Upstreams::new().dispatch(&silent, 1, get(&silent, "acme", "/")).await.unwrap_err();
    assert_eq!(refusal.reason, Reason::UpstreamTimeout);
    drop(listener);
    let refusal = Upstreams::new().dispatch(&nobody, 1, get(&nobody, "acme", "/")).await.unwrap_err();
    assert_eq!(refusal.reason, Reason::UpstreamUnreachable);
}

#[tokio::test]
async fn a_long_answer_comes_whole_and_its_connection_is_used_again() {
    let long: Bytes = (0..3_000_003_u32).map(|n| (n % 251) as u8).collect::<Vec<_>>().into();
    let sent = long.clone();
    let mut origin = Origin::new(move |mut talk: Talk| {
        let sent = sent.clone();
        async move {
            while let Some(head) = talk.asked().await {
                if head.contains("chunked") {
                    talk.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
                    for chunk in sent.chunks(70_001) {
                        talk.say(format!("{:x}\r\n", chunk.len())).await;
                        talk.say(chunk).await;
                        talk.say("\r\n").await;
                    }
                    talk.say("0\r\n\r\n").await;
                } else {
                    talk.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", sent.len())).await;
                    talk.say(&sent).await;
                }
            }
        }
    })
    .await;
    let (upstreams, upstream) = (Upstreams::new(), origin.upstream());
    for path in ["/length", "/chunked", "/length"] {
        assert!(ask(&upstreams, &upstream, "acme", path).await == long, "{path}");
    }
    assert_eq!(origin.rest().iter().filter(|seen| **seen == Seen::Opened).count(), 1);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_and_not_an_end() {
    for head in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let origin = Origin::new(move |mut talk: Talk| async move {
            talk.asked().await.unwrap();
            talk.say(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n3\r\nabc\r\n")).await;
        })
        .await;
        let (upstreams, upstream) = (Upstreams::new(), origin.upstream());
        let response = upstreams.dispatch(&upstream, 1, get(&upstream, "acme", "/")).await.unwrap();
        assert!(read(response.into_body()).await.is_err(), "{head}");
    }
}

#[tokio::test]
async fn an_answer_that_nobody_reads_to_its_end_ends_its_connection() {
    let mut origin = Origin::new(async |mut talk: Talk| {
        talk.asked().await.unwrap();
        talk.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").await;
        talk.asked().await;
    })
    .await;
    let (upstreams, upstream) = (Upstreams::new(), origin.upstream());
    let mut response = upstreams.dispatch(&upstream, 1, get(&upstream, "acme", "/")).await.unwrap();
    response.body_mut().frame().await.unwrap().unwrap();
    drop(response);
    assert_eq!(
        [origin.next().await, origin.next().await, origin.next().await],
        [Seen::Opened, asked("/base/"), Seen::Closed]
    );
    // The same for a request that nobody waits for.
    let waiting = upstreams.dispatch(&upstream, 1, get(&upstream, "acme", "/"));
    let _elapsed = tokio::time::timeout(Duration::from_millis(1), waiting).await;
}

#[tokio::test]
async fn an_upload_goes_on_after_an_early_answer() {
    const LENGTH: usize = 4_000_000;
    let mut origin = Origin::new(async |mut talk: Talk| {
        let head = talk.asked().await.unwrap();
        assert!(head.contains("chunked"), "{head}");
        talk.say(SHORT).await;
        let mut count = talk.read.len();
        while count < LENGTH {
            talk.read.clear();
            count += talk.more().await;
        }
        talk.told.send(Seen::Body(LENGTH)).unwrap();
        talk.read.clear();
        talk.asked().await;
    })
    .await;
    let upstream = origin.upstream();
    let pool = Arc::new(Pool::new(&upstream).unwrap());
    let pieces = futures_util::stream::unfold(0, |sent| async move {
        tokio::time::sleep(Duration::from_millis(1)).await;
        (sent < LENGTH).then(|| (Ok(Bytes::from(vec![b'x'; 100_000])), sent + 100_000))
    });
    let mut request = Request::new(Outgoing::Pieces(Box::pin(pieces)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = format!("{}/up", upstream.base).parse().unwrap();
    assert_eq!(text(pool.request(request).await.unwrap()).await, "ok");
    assert_eq!(origin.next().await, Seen::Opened);
    assert_eq!(origin.next().await, Seen::Asked("POST /base/up HTTP/1.1".to_owned()));
    assert_eq!(origin.next().await, Seen::Body(LENGTH));
}

/// An upstream that has answered and reads no more doesn't keep the rest of a request for ever.
#[tokio::test]
async fn an_upload_that_nobody_reads_after_an_answer_is_given_up() {
    let mut origin = Origin::new(async |mut talk: Talk| {
        talk.asked().await.unwrap();
        talk.say(SHORT).await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        while talk.more().await > 0 {
            talk.read.clear();
        }
        let _nobody_listens = talk.told.send(Seen::Closed);
    })
    .await;
    let upstream = Upstream { head: Duration::from_millis(200), ..origin.upstream() };
    let pool = Arc::new(Pool::new(&upstream).unwrap());
    let pieces = futures_util::stream::repeat_with(|| Ok(Bytes::from(vec![b'x'; 100_000])));
    let mut request = Request::new(Outgoing::Pieces(Box::pin(pieces)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = format!("{}/up", upstream.base).parse().unwrap();
    assert_eq!(text(pool.request(request).await.unwrap()).await, "ok");
    assert_eq!(origin.next().await, Seen::Opened);
    assert_eq!(origin.next().await, Seen::Asked("POST /base/up HTTP/1.1".to_owned()));
    assert_eq!(origin.next().await, Seen::Closed);
}

#[tokio::test]
async fn connections_of_an_earlier_configuration_are_closed() {
    let mut origin = Origin::polite().await;
    let (upstreams, upstream) = (Upstreams::new(), origin.upstream());
    assert_eq!(ask(&upstreams, &upstream, "acme", "/1").await, "ok");
    upstreams.retire_before(2);
    let said = [origin.next().await, origin.next().await, origin.next().await];
    assert_eq!(said, [Seen::Opened, asked("/base/1"), Seen::Closed]);
}

#[tokio::test]
async fn a_connection_that_waits_too_long_is_closed_though_nobody_asks_for_it() {
    let mut origin = Origin::polite().await;
    let (upstreams, upstream) =
        (Upstreams::new(), Upstream { idle: Duration::from_millis(100), ..origin.upstream() });
    assert_eq!(ask(&upstreams, &upstream, "acme", "/1").await, "ok");
    let said = [origin.next().await, origin.next().await, origin.next().await];
    assert_eq!(said, [Seen::Opened, asked("/base/1"), Seen::Closed]);
}

/// An origin that speaks HTTP/2 and says what it was asked. Its port, how many connections were opened, and a message for each
/// that was closed.
async fn http2(authority: &Authority) -> (u16, Arc<AtomicUsize>, mpsc::UnboundedReceiver<()>) {
    let leaf = authority.server();
    let mut config = rustls::ServerConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der.clone()], leaf.key_der.clone_key())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (opened, tasks) = (Arc::new(AtomicUsize::new(0)), TaskTracker::new());
    let (count, own) = (Arc::clone(&opened), tasks.clone());
    let (told, closed) = mpsc::unbounded_channel();
    tasks.spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
            let (acceptor, told) = (acceptor.clone(), told.clone());
            own.spawn(async move {
                let stream = acceptor.accept(socket).await.unwrap();
                let service = service_fn(async |request: Request<hyper::body::Incoming>| {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    let said = format!("{:?} {}", request.version(), request.uri());
                    Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from(said))))
                });
                let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                drop(http.serve_connection(TokioIo::new(stream), service).await);
                let _nobody_listens = told.send(());
            });
        }
    });
    (port, opened, closed)
}

#[tokio::test]
async fn over_http2_one_connection_carries_everything() {
    let authority = Authority::new();
    let (port, opened, _closed) = http2(&authority).await;
    let upstreams = Upstreams::new();
    let base = format!("https://localhost:{port}");
    let account = Upstream { ca: Some(authority.root()), ..upstream(&base) };
    for round in 0..3 {
        let asked = (0..10).map(|n| {
            let (upstreams, account, base) = (&upstreams, &account, &base);
            async move {
                let path = format!("/{round}/{n}");
                assert_eq!(ask(upstreams, account, "acme", &path).await, format!("HTTP/2.0 {base}{path}"));
            }
        });
        futures_util::future::join_all(asked).await;
    }
    // Those that were made before the first was known to speak HTTP/2 are not used again.
    let first = opened.load(Ordering::Relaxed);
    ask(&upstreams, &account, "acme", "/more").await;
    assert!(opened.load(Ordering::Relaxed) == first && first <= 10, "{first} connections");
}

#[tokio::test]
async fn over_http2_too_a_connection_that_waits_too_long_is_closed() {
    let authority = Authority::new();
    let (port, _opened, mut closed) = http2(&authority).await;
    let base = format!("https://localhost:{port}");
    let idle = Duration::from_millis(100);
    let account = Upstream { ca: Some(authority.root()), idle, ..upstream(&base) };
    let upstreams = Upstreams::new();
    ask(&upstreams, &account, "acme", "/1").await;
    tokio::time::timeout(Duration::from_secs(10), closed.recv()).await.unwrap().unwrap();
    assert_eq!(ask(&upstreams, &account, "acme", "/2").await, format!("HTTP/2.0 {base}/2"));
}
