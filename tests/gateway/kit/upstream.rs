//! An upstream that a test scripts: it reads whole requests over TLS, remembers them, and answers with the bytes, the
//! pauses and the breaks that the script says.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use aws_lc_rs::digest::{Context, SHA256};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use super::LONG;

/// How much of a body is kept; of a longer one the hash and the length are known.
const KEPT: usize = 1024 * 1024;

/// A request as it arrived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrived {
    /// Which connection, from 0.
    pub(crate) connection: usize,
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) length: u64,
    pub(crate) sha256: String,
    /// It came to its end.
    pub(crate) complete: bool,
}

impl Arrived {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }
}

/// Something that happens once.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub(crate) fn wait(&self) {
        let mut open = self.0.0.lock().unwrap();
        let end = Instant::now() + LONG;
        while !*open {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it never happened");
            open = self.0.1.wait_timeout(open, left).unwrap().0;
        }
    }
}

/// What an upstream does.
#[derive(Clone)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// Sends nothing until the test says so.
    Wait(Gate),
    /// Says that it got here.
    Tell(Gate),
    /// Reads on until the other side is gone, and says so.
    Gone(Gate),
    /// Breaks the connection off, without a word of TLS.
    Cut,
}

type Script = dyn Fn(&Arrived) -> Vec<Step> + Send + Sync;

/// A scripted upstream.
pub(crate) struct Upstream(Arc<Inner>);

struct Inner {
    tls: Arc<ServerConfig>,
    script: Box<Script>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    arrived: Vec<Arrived>,
}

impl Upstream {
    pub(crate) fn start(
        listener: TcpListener,
        tls: Arc<ServerConfig>,
        script: impl Fn(&Arrived) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let inner = Arc::new(Inner { tls, script: Box::new(script), seen: Mutex::default() });
        let own = Arc::clone(&inner);
        std::thread::spawn(move || {
            for tcp in listener.incoming() {
                let Ok(tcp) = tcp else { break };
                let inner = Arc::clone(&inner);
                std::thread::spawn(move || inner.serve(tcp));
            }
        });
        Self(own)
    }

    /// Everything that arrived, also what broke off.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.0.seen.lock().unwrap().arrived.clone()
    }

    /// The only request that arrived.
    pub(crate) fn one(&self) -> Arrived {
        let arrived = self.arrived();
        assert_eq!(arrived.len(), 1, "{arrived:?}");
        arrived[0].clone()
    }

    /// Connections that came through the handshake.
    pub(crate) fn connections(&self) -> usize {
        self.0.seen.lock().unwrap().connections
    }
}

struct Line {
    stream: StreamOwned<ServerConnection, TcpStream>,
    buffer: Vec<u8>,
}

impl Inner {
    fn serve(&self, tcp: TcpStream) {
        let _ = tcp.set_nodelay(true);
        let Ok(tls) = ServerConnection::new(Arc::clone(&self.tls)) else { return };
        let mut stream = StreamOwned::new(tls, tcp);
        while stream.conn.is_handshaking() {
            if stream.conn.complete_io(&mut stream.sock).is_err() {
                return;
            }
        }
        let number = {
            let mut seen = self.seen.lock().unwrap();
            seen.connections += 1;
            seen.connections - 1
        };
        let mut line = Line { stream, buffer: Vec::new() };
        while let Some(mut arrived) = line.head() {
            arrived.connection = number;
            line.body(&mut arrived);
            let complete = arrived.complete;
            let steps = if complete { (self.script)(&arrived) } else { Vec::new() };
            self.seen.lock().unwrap().arrived.push(arrived);
            if !complete || !steps.into_iter().all(|step| line.take(step)) {
                return;
            }
        }
    }
}

impl Line {
    fn more(&mut self) -> Option<()> {
        let mut chunk = [0; 64 * 1024];
        let read = self.stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        self.buffer.extend_from_slice(&chunk[..read]);
        Some(())
    }

    fn until(&mut self, text: &[u8]) -> Option<String> {
        loop {
            if let Some(at) = memchr::memmem::find(&self.buffer, text) {
                let taken: Vec<u8> = self.buffer.drain(..at + text.len()).collect();
                return Some(String::from_utf8_lossy(&taken).into_owned());
            }
            self.more()?;
        }
    }

    fn head(&mut self) -> Option<Arrived> {
        let head = self.until(b"\r\n\r\n")?;
        let mut lines = head.trim_end().split("\r\n");
        let line = lines.next()?.to_owned();
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Some(Arrived { line, headers: lines.filter_map(header).collect(), ..Arrived::default() })
    }

    fn body(&mut self, arrived: &mut Arrived) {
        let mut hash = Context::new(&SHA256);
        let length = arrived.header("content-length").map(|length| length.parse::<u64>().unwrap());
        arrived.complete = if arrived.header("transfer-encoding").is_some() {
            self.chunks(arrived, &mut hash).is_some()
        } else {
            self.exactly(length.unwrap_or_default(), arrived, &mut hash).is_some()
        };
        arrived.sha256 = data_encoding::HEXLOWER.encode(hash.finish().as_ref());
    }

    fn chunks(&mut self, arrived: &mut Arrived, hash: &mut Context) -> Option<()> {
        loop {
            let size = self.until(b"\r\n")?;
            let size = u64::from_str_radix(size.trim(), 16).ok()?;
            self.exactly(size, arrived, hash)?;
            self.until(b"\r\n")?;
            if size == 0 {
                return Some(());
            }
        }
    }

    fn exactly(&mut self, mut left: u64, arrived: &mut Arrived, hash: &mut Context) -> Option<()> {
        while left > 0 {
            if self.buffer.is_empty() {
                self.more()?;
            }
            let take = self.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let piece: Vec<u8> = self.buffer.drain(..take).collect();
            hash.update(&piece);
            arrived.length += take as u64;
            left -= take as u64;
            let room = KEPT.saturating_sub(arrived.body.len()).min(take);
            arrived.body.extend_from_slice(&piece[..room]);
        }
        Some(())
    }

    /// Takes a step; false if the connection is over.
    fn take(&mut self, step: Step) -> bool {
        match step {
            Step::Send(bytes) => self.stream.write_all(&bytes).and_then(|()| self.stream.flush()).is_ok(),
            Step::Wait(gate) => {
                gate.wait();
                true
            }
            Step::Tell(gate) => {
                gate.open();
                true
            }
            Step::Gone(gate) => {
                while self.more().is_some() {}
                gate.open();
                false
            }
            Step::Cut => {
                let _ = self.stream.sock.shutdown(Shutdown::Both);
                false
            }
        }
    }
}

/// An answer with a length.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut head = format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

/// A JSON answer.
pub(crate) fn json(status: u16, body: &Value) -> Vec<Step> {
    vec![Step::Send(answer(status, &[("content-type", "application/json")], body.to_string()))]
}

/// The head of an answer in chunks.
pub(crate) fn chunked(status: u16, content_type: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} Scripted\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    .into_bytes()
}

/// One chunk; an empty one ends the body.
pub(crate) fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// What a well-behaved API would answer: models, and a chat that says what it was told.
pub(crate) fn plain(arrived: &Arrived) -> Vec<Step> {
    use serde_json::json;
    let path = arrived.target().split('?').next().unwrap_or_default();
    let body = match path {
        "/v1/models" => json!({"object": "list", "data": [{"id": "gpt-4o-mini", "object": "model"}]}),
        "/v1/chat/completions" => {
            let said = arrived.value()["messages"][0]["content"].clone();
            json!({"id": "chatcmpl-1", "choices": [{"index": 0, "message": {"role": "assistant", "content": said}}]})
        }
        "/v1/files" => json!({"id": "file-scripted", "object": "file", "purpose": "user_data"}),
        _ => json!({"id": "x", "object": "scripted"}),
    };
    json(200, &body)
}
