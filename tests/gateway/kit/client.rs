//! Callers: bytes over TLS for HTTP/1.1, hyper for HTTP/2.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;

use bytes::Bytes;
use consentry::reason::Reason;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use serde_json::Value;

use super::{Gateway, LONG, Tenant};

/// A connection on which a test writes bytes.
pub(crate) struct Conn {
    stream: StreamOwned<ClientConnection, TcpStream>,
    /// Read and not yet taken.
    buffer: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// It came to its end in order.
    pub(crate) whole: bool,
}

/// A request.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Ask {
    pub(crate) fn new(method: &'static str, target: impl Into<String>) -> Self {
        Self { method, target: target.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn json(target: impl Into<String>, body: &Value) -> Self {
        Self::new("POST", target).typed("application/json", body.to_string())
    }

    pub(crate) fn typed(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut ask = self.header("content-type", content_type);
        ask.body = body.into();
        ask
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// As HTTP/1.1, with a length if there is a body.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: localhost\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        [head.into_bytes(), self.body.clone()].concat()
    }
}

impl Conn {
    pub(crate) fn open(address: SocketAddr, config: Arc<ClientConfig>) -> Self {
        Self::try_open(address, config).unwrap()
    }

    /// With the handshake done.
    pub(crate) fn try_open(address: SocketAddr, config: Arc<ClientConfig>) -> std::io::Result<Self> {
        Self::over(TcpStream::connect(address)?, config)
    }

    /// The same over a connection that was made already.
    pub(crate) fn over(tcp: TcpStream, config: Arc<ClientConfig>) -> std::io::Result<Self> {
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(LONG))?;
        tcp.set_write_timeout(Some(LONG))?;
        let tls = ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
        let mut stream = StreamOwned::new(tls, tcp);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Waits longer for an answer than anything else may take.
    pub(crate) fn patient(&self) {
        self.stream.sock.set_read_timeout(Some(20 * LONG)).unwrap();
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.try_write(bytes).unwrap();
    }

    pub(crate) fn try_write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Reads something more. None at the end, however it comes.
    fn more(&mut self) -> Option<usize> {
        let mut chunk = [0; 16 * 1024];
        let read = self.stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        self.buffer.extend_from_slice(&chunk[..read]);
        Some(read)
    }

    /// Reads until the buffer holds a text; gives everything up to its end.
    pub(crate) fn until(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = memchr::memmem::find(&self.buffer, text) {
                return Some(self.buffer.drain(..at + text.len()).collect());
            }
            self.more()?;
        }
    }

    /// Everything until the other side closes.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        while self.more().is_some() {}
        std::mem::take(&mut self.buffer)
    }

    fn exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < length {
            self.more()?;
        }
        Some(self.buffer.drain(..length).collect())
    }

    /// The next answer; informational ones are passed over. None if the connection ends before its head does.
    pub(crate) fn try_answer(&mut self, to_head: bool) -> Option<Answer> {
        let mut answer = self.head()?;
        while answer.status < 200 {
            answer = self.head()?;
        }
        if to_head || matches!(answer.status, 204 | 304) {
            answer.whole = true;
        } else if answer.header("transfer-encoding").is_some() {
            self.chunks(&mut answer);
        } else if let Some(length) = answer.header("content-length") {
            match self.exactly(length.parse().unwrap()) {
                Some(body) => (answer.body, answer.whole) = (body, true),
                None => answer.body = std::mem::take(&mut self.buffer),
            }
        } else {
            answer.body = self.rest();
        }
        Some(answer)
    }

    pub(crate) fn answer(&mut self) -> Answer {
        self.try_answer(false).unwrap()
    }

    /// The next answer's head.
    pub(crate) fn head(&mut self) -> Option<Answer> {
        let head = String::from_utf8(self.until(b"\r\n\r\n")?).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        Some(Answer { status, headers: lines.map(header).collect(), body: Vec::new(), whole: false })
    }

    fn chunks(&mut self, answer: &mut Answer) {
        while let Some(piece) = self.chunk() {
            if piece.is_empty() {
                answer.whole = true;
                return;
            }
            answer.body.extend(piece);
        }
    }

    /// One chunk; empty at the end of the body, none if the connection broke off.
    pub(crate) fn chunk(&mut self) -> Option<Vec<u8>> {
        let size = String::from_utf8(self.until(b"\r\n")?).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let piece = self.exactly(size)?;
        self.exactly(2)?;
        Some(piece)
    }

    /// Closes the connection without a word of TLS.
    pub(crate) fn cut(self) {
        let _ = self.stream.sock.shutdown(Shutdown::Both);
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self}"))
    }

    /// A member of a JSON answer, by its pointer, as text.
    pub(crate) fn at(&self, pointer: &str) -> String {
        let value = self.value();
        let found = value.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}: {self}"));
        found.as_str().map_or_else(|| found.to_string(), str::to_owned)
    }

    pub(crate) fn id(&self) -> String {
        assert!(matches!(self.status, 200 | 201), "{self}");
        self.at("/id")
    }

    /// The answer went through.
    pub(crate) fn ok(self) -> Self {
        assert!(matches!(self.status, 200 | 201) && self.whole, "{self}");
        self
    }

    /// A refusal in the API's own shape, that no SDK sends again unless that would help.
    pub(crate) fn refused(self, reason: Reason) -> Self {
        assert_eq!(self.status, reason.status().as_u16(), "{reason}: {self}");
        assert!(self.whole, "{self}");
        let value = self.value();
        let error = match value.get("error") {
            Some(error) => {
                assert_eq!(self.header("content-type"), Some("application/json"), "{self}");
                for name in ["message", "type", "param", "code"] {
                    assert!(error.get(name).is_some(), "{name}: {self}");
                }
                error
            }
            None => {
                // RFC 9457, where no profile applies.
                assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self}");
                assert_eq!(value["status"], self.status, "{self}");
                &value
            }
        };
        if reason != Reason::ResourceUnknown {
            assert_eq!(error["code"], reason.code(), "{self} {}", self.text());
        }
        let later = [Reason::Overloaded, Reason::Draining, Reason::SpoolFull, Reason::TenantOverLimit];
        if later.contains(&reason) || reason == Reason::UpstreamUnreachable {
            assert!(self.header("retry-after").is_some(), "{self}");
        } else {
            assert_eq!(self.header("x-should-retry"), Some("false"), "{self}");
        }
        self
    }

    /// What another answer has to be equal to: everything but the date and the request's id.
    pub(crate) fn comparable(&self) -> (u16, Vec<(String, String)>, String) {
        let told = |(name, _): &&(String, String)| name != "date" && name != "x-request-id";
        (self.status, self.headers.iter().filter(told).cloned().collect(), self.text())
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = if self.whole { "" } else { " (cut off)" };
        write!(f, "{}{end} {:?}\n{}", self.status, self.headers, self.text())
    }
}

/// A tenant at a route of a gateway.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) gateway: &'a Gateway,
    pub(crate) tenant: &'a Tenant,
    /// The route's path.
    pub(crate) prefix: &'a str,
}

impl Caller<'_> {
    /// The request as this tenant sends it: with the key, at the route.
    pub(crate) fn signed(&self, ask: &Ask) -> Ask {
        let mut ask = ask.clone().header("authorization", &format!("Bearer {}", self.tenant.key));
        ask.target = format!("{}{}", self.prefix, ask.target);
        ask
    }

    /// Sends it over HTTP/1.1 in a connection of its own.
    pub(crate) fn ask(&self, ask: &Ask) -> Answer {
        self.gateway.send(&self.signed(ask))
    }

    /// The same over HTTP/2.
    pub(crate) fn ask_h2(&self, ask: &Ask) -> Answer {
        self.gateway.send_h2(&self.signed(ask))
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        self.ask(&Ask::get(target))
    }

    pub(crate) fn post(&self, target: &str, body: &Value) -> Answer {
        self.ask(&Ask::json(target, body))
    }

    pub(crate) fn delete(&self, target: &str) -> Answer {
        self.ask(&Ask::new("DELETE", target))
    }
}

impl Gateway {
    pub(crate) fn open(&self) -> Conn {
        Conn::open(self.data, Arc::clone(&self.http1))
    }

    /// Sends a request as it is, in a connection of its own.
    pub(crate) fn send(&self, ask: &Ask) -> Answer {
        let mut conn = self.open();
        conn.write(&ask.bytes());
        conn.try_answer(ask.method == "HEAD").unwrap()
    }

    /// Sends bytes, and reads until the gateway closes.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        let mut conn = self.open();
        conn.write(bytes);
        conn.rest()
    }

    pub(crate) fn send_h2(&self, ask: &Ask) -> Answer {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { tokio::time::timeout(LONG, self.over_h2(ask)).await.unwrap() })
    }

    async fn over_h2(&self, ask: &Ask) -> Answer {
        let tcp = tokio::net::TcpStream::connect(self.data).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&self.http2));
        let tls = connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap();
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(tls));
        let (mut sender, connection) = handshake.await.unwrap();
        let tasks = tokio_util::task::TaskTracker::new();
        tasks.spawn(connection);
        let mut request =
            http::Request::builder().method(ask.method).uri(format!("https://localhost{}", ask.target));
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(ask.body.clone()))).unwrap();
        let (parts, mut body) = sender.send_request(request).await.unwrap().into_parts();
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        let headers = parts.headers.iter().map(header).collect();
        let mut answer = Answer { status: parts.status.as_u16(), headers, body: Vec::new(), whole: true };
        while let Some(frame) = body.frame().await {
            match frame.map(http_body::Frame::into_data) {
                Ok(Ok(data)) => answer.body.extend(data),
                Ok(Err(_trailers)) => {}
                Err(_broken) => {
                    answer.whole = false;
                    break;
                }
            }
        }
        answer
    }
}
