//! The accept loop.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::{Request, Response};
use http_body::Body;
use hyper::service::Service;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::body::BoxError;
use super::connection::{self, RequestBody};
use super::observer::{Observer, Refused};
use super::shutdown::Shutdown;
use super::{Bounds, Connection};
use crate::identity::Tagger;
use crate::tls::HotServer;

/// Connections that the kernel keeps for the accept loop.
const BACKLOG: u32 = 4096;
/// How long to wait when the process is out of file descriptors or the system out of memory.
const OUT_OF_RESOURCES: Duration = Duration::from_millis(100);

/// What every acceptor of a listener shares, and a reload may change.
pub struct Door {
    /// The certificate and the client authentication.
    pub tls: Arc<HotServer>,
    /// Makes the tags that stand for clients' addresses.
    pub tagger: Tagger,
    /// Who counts.
    pub observer: Arc<dyn Observer>,
    bounds: ArcSwap<Bounds>,
}

impl Door {
    /// A door.
    #[must_use]
    pub fn new(
        tls: Arc<HotServer>,
        bounds: Bounds,
        tagger: Tagger,
        observer: Arc<dyn Observer>,
    ) -> Arc<Self> {
        Arc::new(Self { tls, tagger, observer, bounds: ArcSwap::from_pointee(bounds) })
    }

    /// The bounds that new connections get.
    #[must_use]
    pub fn bounds(&self) -> Arc<Bounds> {
        self.bounds.load_full()
    }

    /// Changes the bounds for connections from here on.
    pub fn set_bounds(&self, bounds: Bounds) {
        self.bounds.store(Arc::new(bounds));
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

/// A socket that listens.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    door: Arc<Door>,
}

impl Listener {
    /// Listens on an address. Has to be called inside a runtime.
    ///
    /// # Errors
    /// What the system says: the address is in use, not ours, or not allowed.
    pub fn bind(address: SocketAddr, door: Arc<Door>) -> io::Result<Self> {
        Self::from_socket(socket(address, false)?, door)
    }

    /// As [`bind`](Self::bind), for an address that several acceptors listen on: the kernel spreads connections over them
    /// (`SO_REUSEPORT`). Each belongs to the runtime that it is made in.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub fn bind_shared(address: SocketAddr, door: Arc<Door>) -> io::Result<Self> {
        Self::from_socket(socket(address, true)?, door)
    }

    fn from_socket(socket: TcpListener, door: Arc<Door>) -> io::Result<Self> {
        Ok(Self { address: socket.local_addr()?, socket, door })
    }

    /// The address, with the port that the system chose if none was asked for.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Accepts connections until the way out is taken. The service of a connection is made by `make` when its handshake
    /// is done. Connections outlive this call: [`Shutdown::drain`] waits for them.
    pub async fn serve<M, S, B>(self, make: M, shutdown: Shutdown)
    where
        M: Fn(Connection) -> S + Send + Sync + 'static,
        S: Service<Request<RequestBody>, Response = Response<B>> + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError> + 'static,
        B: Body + Unpin + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let make = Arc::new(make);
        let stop = shutdown.stop_token().clone();
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => self.admit(stream, address, &make, &shutdown),
                Err(error) if of_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "no connection can be accepted");
                    tokio::time::sleep(OUT_OF_RESOURCES).await;
                }
            }
        }
    }

    fn admit<M, S, B>(&self, stream: TcpStream, address: SocketAddr, make: &Arc<M>, shutdown: &Shutdown)
    where
        M: Fn(Connection) -> S + Send + Sync + 'static,
        S: Service<Request<RequestBody>, Response = Response<B>> + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError> + 'static,
        B: Body + Unpin + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let bounds = self.door.bounds();
        let Some(entered) = shutdown.enter(bounds.connections) else {
            // Closed at once rather than left in the backlog: whoever balances load sees it and goes elsewhere.
            self.door.observer.refused(Refused::ConnectionLimit);
            return;
        };
        let (door, make, own) = (Arc::clone(&self.door), Arc::clone(make), shutdown.clone());
        shutdown.spawn(async move {
            connection::run(stream, address.ip(), &door, bounds, &*make, &own).await;
            drop(entered);
        });
    }
}

fn socket(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    if shared {
        socket.set_reuseport(true)?;
    }
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Errors of the connection that was about to be accepted, not of the listening socket (accept(2)).
pub(super) fn of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(
        error.kind(),
        K::ConnectionAborted
            | K::ConnectionReset
            | K::ConnectionRefused
            | K::Interrupted
            | K::HostUnreachable
            | K::NetworkUnreachable
            | K::NetworkDown
            | K::TimedOut
    )
}
