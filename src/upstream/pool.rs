//! Connections to the upstream accounts.

use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use http::Response;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::door::Cleared;
use crate::body::Outgoing;
use crate::config::Upstream;
use crate::names::{TenantId, UpstreamId};
use crate::reason::{Reason, Refusal};
use crate::tls;

/// What goes up.
pub type UpstreamBody = Outgoing;

type Https = Client<HttpsConnector<HttpConnector>, Outgoing>;

/// Whose connections these are. Two tenants share them only where the account's configuration says so.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct PoolKey {
    upstream: UpstreamId,
    /// Distinguishes the accounts of two configurations.
    generation: u64,
    tenant: Option<TenantId>,
}

/// The connections to all upstreams.
#[derive(Default)]
pub struct Upstreams {
    pools: DashMap<PoolKey, Arc<Https>>,
}

impl Upstreams {
    /// No connections yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets the connections of configurations before this generation. Requests that are under way keep theirs.
    pub fn retire_before(&self, generation: u64) {
        self.pools.retain(|key, _| key.generation >= generation);
    }

    /// Sends a request that passed every check.
    ///
    /// # Errors
    /// [`Reason::UpstreamUnreachable`], [`Reason::UpstreamTls`] or [`Reason::UpstreamTimeout`]. A request whose
    /// body broke off with a refusal of its own is told by that body, not here.
    pub async fn dispatch(
        &self,
        upstream: &Upstream,
        generation: u64,
        cleared: Cleared,
    ) -> Result<Response<Incoming>, Refusal> {
        let client = self.client(upstream, generation, cleared.tenant())?;
        let answer = client.request(cleared.into_request());
        match tokio::time::timeout(upstream.head, answer).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(refusal(&error)),
            Err(_elapsed) => Err(Refusal::new(Reason::UpstreamTimeout)),
        }
    }

    fn client(&self, upstream: &Upstream, generation: u64, tenant: &TenantId) -> Result<Arc<Https>, Refusal> {
        let key = PoolKey {
            upstream: upstream.id.clone(),
            generation,
            tenant: (!upstream.shared_connections).then(|| tenant.clone()),
        };
        if let Some(client) = self.pools.get(&key) {
            return Ok(Arc::clone(&client));
        }
        let client = Arc::new(connect(upstream)?);
        Ok(Arc::clone(&*self.pools.entry(key).or_insert(client)))
    }
}

fn connect(upstream: &Upstream) -> Result<Https, Refusal> {
    let roots = tls::client(&tls::Roots::system_and(upstream.ca.as_deref()))
        .map_err(|_error| Refusal::new(Reason::UpstreamTls).log("the upstream's roots can't be read"))?;
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(upstream.connect));
    tcp.set_keepalive(Some(Duration::from_secs(60)));
    let https = HttpsConnectorBuilder::new()
        .with_tls_config(roots)
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(tcp);
    Ok(Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(upstream.idle)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .http2_adaptive_window(true)
        .build(https))
}

/// Sorts a failure by what the operator has to look at.
fn refusal(error: &hyper_util::client::legacy::Error) -> Refusal {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(inner) = cause {
        // The body of the request broke off with a refusal of its own.
        if let Some(refusal) = inner.downcast_ref::<Refusal>() {
            return refusal.clone();
        }
        tracing::debug!(cause = %inner, "upstream");
        if inner.is::<rustls::Error>() {
            return Refusal::new(Reason::UpstreamTls);
        }
        let io = inner.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::TimedOut) {
            return Refusal::new(Reason::UpstreamTimeout).log("connecting");
        }
        // An I/O error passes over what it wraps when it is asked for its source.
        cause = match io.and_then(std::io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => inner.source(),
        };
    }
    if error.is_connect() {
        Refusal::new(Reason::UpstreamUnreachable)
    } else {
        Refusal::new(Reason::UpstreamBroke).log("before the answer's head")
    }
}
