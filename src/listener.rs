//! Who is at the socket? TLS, HTTP/1.1 and HTTP/2, their limits, and the way out.
//!
//! A [`Listener`] accepts connections through a [`Door`] (certificate, bounds, who counts) and gives each to a service
//! that its caller makes. What it bounds: the handshake, the header section, the time between requests, the request's
//! body, the answer's body, connections, streams, resets. What it does not: anything about the meaning of a request.

mod accept;
mod activity;
mod body;
mod buffered;
mod connection;
mod drive;
mod framing;
mod gate;
mod observer;
mod plain;
mod shutdown;
mod sniff;
mod watched;

use std::sync::Arc;
use std::time::Duration;

use crate::identity::{ClientTag, Peer};

pub use accept::{Door, Listener};
pub use body::{DeadlineBody, Held};
pub use connection::RequestBody;
pub use framing::framing;
pub use gate::{Gate, Permit};
pub use observer::{End, Handshake, Nobody, Observer, Refused};
pub use plain::serve as serve_plain;
pub use shutdown::{Drained, Shutdown};

/// Times and counts of the listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// From accept to the end of the handshake.
    pub handshake: Duration,
    /// From the first byte of a header section to its last.
    pub header: Duration,
    /// Between requests.
    pub idle: Duration,
    /// For the whole of a request's body.
    pub request_body: Duration,
    /// For the whole of an answer's body.
    pub response_body: Duration,
    /// From SIGTERM to the end.
    pub drain: Duration,
    /// From SIGTERM until the listener stops accepting (load balancers need to notice).
    pub pre_drain: Duration,
    /// Connections at once.
    pub connections: usize,
    /// Bytes of a header section.
    pub header_bytes: u32,
    /// HTTP/2 streams at once in a connection.
    pub streams: u32,
    /// HTTP/2 streams that a peer may reset before they were accepted (rapid reset).
    pub resets: usize,
    /// Requests at once, until their answers' last bytes.
    pub requests: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            request_body: Duration::from_secs(600),
            response_body: Duration::from_secs(3600),
            drain: Duration::from_secs(30),
            pre_drain: Duration::from_secs(5),
            connections: 10_000,
            header_bytes: 32 * 1024,
            streams: 128,
            resets: 20,
            requests: 4096,
        }
    }
}

/// The TLS version of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl TlsVersion {
    /// The metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }
}

/// What is spoken in a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// HTTP/1.1, also when the client names no protocol.
    Http1,
    /// HTTP/2.
    Http2,
}

impl Protocol {
    /// The metric label, as ALPN writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "http/1.1",
            Self::Http2 => "h2",
        }
    }
}

/// What is known of a connection before its first request.
#[derive(Clone, Debug)]
pub struct Connection {
    /// What the handshake told about the caller.
    pub peer: Arc<Peer>,
    /// The TLS version.
    pub tls: TlsVersion,
    /// What is spoken.
    pub protocol: Protocol,
    /// Stands for the client's address.
    pub client: ClientTag,
}

#[cfg(test)]
mod tests;
