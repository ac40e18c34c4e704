//! What the listener tells whoever counts.

use std::time::Duration;

use super::{Protocol, TlsVersion};
use crate::reason::Reason;

/// How a handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Handshake {
    /// It succeeded.
    Done,
    /// It took longer than its bound.
    Timeout,
    /// What came was no TLS: somebody speaks plain HTTP to the port, or scans it.
    NotTls,
    /// No version, cipher suite, key exchange or protocol (ALPN) in common.
    Incompatible,
    /// The client certificate was missing, or did not verify.
    ClientCertificate,
    /// The client does not trust the gateway's certificate, or gave up for another reason that it told.
    Alert,
    /// The client went away.
    Closed,
    /// Anything else.
    Failed,
}

impl Handshake {
    /// Every result: for metrics that start at zero.
    pub const ALL: [Self; 8] = [
        Self::Done,
        Self::Timeout,
        Self::NotTls,
        Self::Incompatible,
        Self::ClientCertificate,
        Self::Alert,
        Self::Closed,
        Self::Failed,
    ];

    /// The metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Timeout => "timeout",
            Self::NotTls => "not_tls",
            Self::Incompatible => "incompatible",
            Self::ClientCertificate => "client_certificate",
            Self::Alert => "alert",
            Self::Closed => "closed",
            Self::Failed => "failed",
        }
    }
}

/// Why a connection was closed before its handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refused {
    /// There are as many as there may be.
    ConnectionLimit,
}

impl Refused {
    /// Every reason: for metrics that start at zero.
    pub const ALL: [Self; 1] = [Self::ConnectionLimit];

    /// The metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionLimit => "connection_limit",
        }
    }
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    /// As both wished.
    Closed,
    /// No request came for as long as the bound is.
    Idle,
    /// A header section took too long.
    HeaderTimeout,
    /// The client did not take an answer within the bound.
    AnswerTimeout,
    /// What came was not HTTP, broke a limit, or broke off.
    Broken,
    /// The drain time was over.
    Aborted,
}

impl End {
    /// Every end: for metrics that start at zero.
    pub const ALL: [Self; 6] =
        [Self::Closed, Self::Idle, Self::HeaderTimeout, Self::AnswerTimeout, Self::Broken, Self::Aborted];

    /// The metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Idle => "idle",
            Self::HeaderTimeout => "header_timeout",
            Self::AnswerTimeout => "answer_timeout",
            Self::Broken => "broken",
            Self::Aborted => "aborted",
        }
    }
}

/// Who counts. The calls come from the connections' tasks and have to be short.
pub trait Observer: Send + Sync + 'static {
    /// A connection was closed before its handshake.
    fn refused(&self, why: Refused);
    /// A handshake ended after so long; the version, if it got that far.
    fn handshake(&self, result: Handshake, version: Option<TlsVersion>, took: Duration);
    /// A connection is ready for requests.
    fn opened(&self, protocol: Protocol);
    /// The HTTP library refused a request by itself, before a service saw it, with a bare status:
    /// [`Reason::HeaderTooLarge`] or [`Reason::RequestMalformed`]. The connection ends with it.
    fn unreadable(&self, reason: Reason) {
        tracing::debug!(%reason, "a request could not be read");
    }
    /// A connection that was opened has ended.
    fn closed(&self, protocol: Protocol, end: End);
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Observer for Nobody {
    fn refused(&self, _: Refused) {}
    fn handshake(&self, _: Handshake, _: Option<TlsVersion>, _: Duration) {}
    fn opened(&self, _: Protocol) {}
    fn unreadable(&self, _: Reason) {}
    fn closed(&self, _: Protocol, _: End) {}
}
