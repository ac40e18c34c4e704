//! Connections to the upstream accounts: which there are, and who may use them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use foldhash::fast::RandomState;
use http::header::{HOST, HeaderValue};
use http::{Request, Response, Uri};
use hyper::client::conn::http2;
use hyper::rt::Executor;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::ServiceExt;

use super::door::Cleared;
use super::failure::{self, BoxError};
use super::link::{AnswerBody, Link, Unanswered};
use crate::body::Outgoing;
use crate::config::Upstream;
use crate::names::{TenantId, UpstreamId};
use crate::reason::{Reason, Refusal};
use crate::tls;

/// What goes up.
pub type UpstreamBody = Outgoing;

/// Between two looks at the connections that wait.
const SWEEP: Duration = Duration::from_secs(15);

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
    pools: DashMap<PoolKey, Arc<Pool>, RandomState>,
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
    ) -> Result<Response<AnswerBody>, Refusal> {
        let pool = self.pool(upstream, generation, cleared.tenant())?;
        let answer = pool.request(cleared.into_request());
        tokio::time::timeout(upstream.head, answer)
            .await
            .unwrap_or_else(|_elapsed| Err(Refusal::new(Reason::UpstreamTimeout)))
    }

    fn pool(&self, upstream: &Upstream, generation: u64, tenant: &TenantId) -> Result<Arc<Pool>, Refusal> {
        let key = PoolKey {
            upstream: upstream.id.clone(),
            generation,
            tenant: (!upstream.shared_connections).then(|| tenant.clone()),
        };
        if let Some(pool) = self.pools.get(&key) {
            return Ok(Arc::clone(&pool));
        }
        let pool = Arc::new(Pool::new(upstream)?);
        Ok(Arc::clone(&*self.pools.entry(key).or_insert(pool)))
    }
}

/// The connections of one tenant to one account.
pub(super) struct Pool {
    connector: HttpsConnector<HttpConnector>,
    base: Uri,
    host: HeaderValue,
    /// How long a connection may wait to be used again.
    keep: Duration,
    /// How long a request may take to be sent and answered.
    patience: Duration,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// HTTP/1.1: those without a request, the last used at the end.
    links: Vec<(Instant, Box<Link>)>,
    /// HTTP/2: the one that carries all requests, and when it got the last.
    shared: Option<(Instant, Streams)>,
    /// Somebody looks after them.
    swept: bool,
}

type Streams = http2::SendRequest<Outgoing>;

/// A connection that can be used.
enum Way {
    Link(Box<Link>),
    Streams(Streams),
}

impl Pool {
    fn new(upstream: &Upstream) -> Result<Self, Refusal> {
        let roots = tls::client(&tls::Roots::system_and(upstream.ca.as_deref()))
            .map_err(|_error| Refusal::new(Reason::UpstreamTls).log("the upstream's roots can't be read"))?;
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(upstream.connect));
        tcp.set_keepalive(Some(Duration::from_secs(60)));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(roots)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(tcp);
        Ok(Self {
            connector,
            host: host(&upstream.base)?,
            base: upstream.base.clone(),
            keep: upstream.idle,
            patience: upstream.head,
            waiting: Mutex::default(),
        })
    }

    /// Sends a request over a connection that waits, or over a new one.
    async fn request(self: &Arc<Self>, request: Request<Outgoing>) -> Result<Response<AnswerBody>, Refusal> {
        let mut request = request;
        loop {
            let (way, waited) = match self.take() {
                Some(way) => (way, true),
                None => (Box::pin(self.connect()).await?, false),
            };
            let unanswered = match self.send(way, request).await {
                Ok(response) => return Ok(response),
                Err(unanswered) => *unanswered,
            };
            match unanswered.unsent {
                // The upstream closed a connection that waited, and no byte of the request has left: another one takes it.
                Some(unsent) if waited => request = unsent,
                _ => return Err(failure::broke(unanswered.error.as_ref())),
            }
        }
    }

    async fn send(
        self: &Arc<Self>,
        way: Way,
        mut request: Request<Outgoing>,
    ) -> Result<Response<AnswerBody>, Box<Unanswered>> {
        match way {
            Way::Link(mut link) => {
                let whole = request.uri().clone();
                *request.uri_mut() = origin_form(&whole);
                request.headers_mut().entry(HOST).or_insert_with(|| self.host.clone());
                match link.send(request).await {
                    Ok(response) => Ok(response.map(|body| AnswerBody::over(body, link, self))),
                    Err(mut unanswered) => {
                        if let Some(unsent) = &mut unanswered.unsent {
                            *unsent.uri_mut() = whole;
                        }
                        Err(unanswered)
                    }
                }
            }
            Way::Streams(mut streams) => {
                request.headers_mut().remove(HOST);
                let answer = streams.try_send_request(request).await;
                answer.map(|response| response.map(AnswerBody::shared)).map_err(|mut failed| {
                    let unsent = failed.take_message();
                    Box::new(Unanswered { unsent, error: Some(failed.into_error()) })
                })
            }
        }
    }

    /// A new connection. The first that speaks HTTP/2 carries all requests from there on.
    async fn connect(self: &Arc<Self>) -> Result<Way, Refusal> {
        let connected = self.connector.clone().oneshot(self.base.clone()).await;
        let io = connected.map_err(|error: BoxError| failure::unconnected(&*error))?;
        let broke = |error: hyper::Error| failure::broke(Some(&error));
        if !io.connected().is_negotiated_h2() {
            return Link::new(io).await.map(Way::Link).map_err(broke);
        }
        let (streams, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_secs(30))
            .adaptive_window(true)
            .handshake(io)
            .await
            .map_err(broke)?;
        TokioExecutor::new().execute(async move {
            if let Err(error) = connection.await {
                tracing::debug!(cause = %error, "a connection to an upstream");
            }
        });
        let mut waiting = self.waiting();
        // Of those that were made at the same time, one stays.
        let usable = waiting.shared.as_ref().filter(|(_, streams)| !streams.is_closed());
        let streams = usable.map_or(streams, |(_, earlier)| earlier.clone());
        waiting.shared = Some((Instant::now(), streams.clone()));
        self.look_after(waiting);
        Ok(Way::Streams(streams))
    }

    /// A connection that waits and is still good.
    fn take(&self) -> Option<Way> {
        let mut waiting = self.waiting();
        if let Some((used, streams)) = &mut waiting.shared {
            if !streams.is_closed() {
                *used = Instant::now();
                return Some(Way::Streams(streams.clone()));
            }
            waiting.shared = None;
        }
        while let Some((since, mut link)) = waiting.links.pop() {
            if since.elapsed() >= self.keep {
                // Those before it have waited longer still.
                waiting.links.clear();
            } else if link.fresh() {
                return Some(Way::Link(link));
            }
        }
        None
    }

    /// Puts a connection aside until it is needed.
    pub(super) fn put(self: &Arc<Self>, link: Box<Link>) {
        let mut waiting = self.waiting();
        waiting.links.push((Instant::now(), link));
        self.look_after(waiting);
    }

    /// Sees to it that what waits is closed some day.
    fn look_after(self: &Arc<Self>, mut waiting: MutexGuard<'_, Waiting>) {
        if !std::mem::replace(&mut waiting.swept, true) {
            drop(waiting);
            TokioExecutor::new().execute(sweep(Arc::downgrade(self), self.keep.min(SWEEP)));
        }
    }

    /// Closes what has waited too long, or was closed by the other side. Says whether anything still waits.
    fn sweep(&self) -> bool {
        let mut waiting = self.waiting();
        waiting.links.retain_mut(|(since, link)| since.elapsed() < self.keep && link.fresh());
        // What it carries it brings to its end.
        waiting.shared.take_if(|(used, streams)| used.elapsed() >= self.keep || streams.is_closed());
        waiting.swept = !waiting.links.is_empty() || waiting.shared.is_some();
        waiting.swept
    }

    /// How long the rest of a request may take whose answer is whole.
    pub(super) const fn patience(&self) -> Duration {
        self.patience
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing under this lock can leave it half-way.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks after the connections that wait for as long as there are any.
async fn sweep(pool: Weak<Pool>, every: Duration) {
    loop {
        tokio::time::sleep(every.max(Duration::from_millis(10))).await;
        if !pool.upgrade().is_some_and(|pool| pool.sweep()) {
            return;
        }
    }
}

/// The `Host` of requests to an account: its authority, without a port that its scheme says already.
fn host(base: &Uri) -> Result<HeaderValue, Refusal> {
    let internal = || Refusal::new(Reason::Internal).log("the upstream's authority");
    let name = base.host().ok_or_else(internal)?;
    let usual = if base.scheme() == Some(&http::uri::Scheme::HTTPS) { 443 } else { 80 };
    let text = match base.port_u16().filter(|port| *port != usual) {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    };
    HeaderValue::try_from(text).map_err(|_unfit| internal())
}

/// A target without scheme and authority, as HTTP/1.1 has it (RFC 9112, 3.2.1).
fn origin_form(whole: &Uri) -> Uri {
    whole.path_and_query().map_or_else(Uri::default, |path| Uri::from(path.clone()))
}

#[cfg(test)]
mod tests;
