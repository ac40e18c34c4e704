//! What the listener tells, counted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Method;

use crate::audit::{Audit, Decision, Entry};
use crate::listener::{self, End, Observer, Protocol, Refused, Shutdown};
use crate::names::RequestId;
use crate::reason::Reason;
use crate::telemetry::{ConnectionState, Handshake, Held, Listener, Metrics, Stopwatch, TlsVersion};

/// Counts connections and handshakes of the data listener.
pub(super) struct Counting {
    metrics: Arc<Metrics>,
    audit: Arc<Audit>,
    shutdown: Shutdown,
    /// One for each open connection; which is whose does not matter.
    open: Mutex<Vec<Held>>,
}

impl Counting {
    pub(super) const fn new(metrics: Arc<Metrics>, audit: Arc<Audit>, shutdown: Shutdown) -> Self {
        Self { metrics, audit, shutdown, open: Mutex::new(Vec::new()) }
    }
}

impl Observer for Counting {
    fn refused(&self, _: Refused) {
        self.metrics.handshake(Listener::Data, Handshake::Shed, TlsVersion::None);
    }

    fn handshake(&self, result: listener::Handshake, version: Option<listener::TlsVersion>, _: Duration) {
        let result = match result {
            listener::Handshake::Done => Handshake::Ok,
            listener::Handshake::Timeout => Handshake::Timeout,
            listener::Handshake::Closed => Handshake::Closed,
            listener::Handshake::NotTls
            | listener::Handshake::Incompatible
            | listener::Handshake::ClientCertificate
            | listener::Handshake::Alert
            | listener::Handshake::Failed => Handshake::Failed,
        };
        let version = match version {
            Some(listener::TlsVersion::Tls12) => TlsVersion::V12,
            Some(listener::TlsVersion::Tls13) => TlsVersion::V13,
            None => TlsVersion::None,
        };
        self.metrics.handshake(Listener::Data, result, version);
    }

    fn unreadable(&self, reason: Reason) {
        // The HTTP library answers these itself, before there is a request: they are counted and recorded as what they are.
        let mut entry = Entry::new(RequestId::fresh(), Decision::Denied);
        entry.reason = Some(reason);
        entry.status = Some(reason.status());
        self.metrics.meter(None, None).record(&entry, &Method::GET, &Stopwatch::start());
        let audit = Arc::clone(&self.audit);
        self.shutdown.spawn(async move {
            if let Err(error) = audit.durable(&entry).await {
                tracing::error!(%error, "the audit trail can't record");
            }
        });
    }

    fn opened(&self, _: Protocol) {
        let held = self.metrics.connection(Listener::Data, ConnectionState::Open);
        self.open.lock().unwrap_or_else(PoisonError::into_inner).push(held);
    }

    fn closed(&self, _: Protocol, _: End) {
        drop(self.open.lock().unwrap_or_else(PoisonError::into_inner).pop());
    }
}
