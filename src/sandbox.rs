//! A small OpenAI-shaped API in memory: one shared account with one key, over TLS.
//!
//! It stands in for the provider in the demo and in the tests. It imports no other room of this
//! crate: what it serves is the provider's behaviour as clients know it, rough edges included. Ids
//! appear in its error messages, its jobs leak secrets into their events, its headers tell of the
//! shared account, and every caller with the account's key sees everything in it.
//!
//! Everything is bounded: the size of a JSON body, of what is kept of a file, of each table, of the
//! journal. What goes over a bound is refused, or counted and hashed only, never kept.

mod account;
mod anthropic;
mod assistants;
mod batches;
mod call;
mod chat;
mod chat_stream;
mod containers;
mod content;
mod conversations;
mod echo;
mod evals;
mod files;
mod form;
mod graders;
mod ids;
mod jobs;
mod journal;
mod leaks;
mod media;
mod models;
mod reply;
mod response_items;
mod response_stream;
mod responses;
mod router;
mod run_stream;
mod runs;
mod server;
mod sse;
mod stored_chats;
mod table;
mod text;
mod threads;
mod tls;
mod training;
mod uploads;
mod vector_files;
mod vector_stores;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub use reply::BreaksOff;

/// What the sandbox is told. Usable as arguments of a subcommand, or made by [`Options::new`].
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "HOST:PORT")]
    pub address: SocketAddr,
    /// Folder of `ca.crt`, `server.crt` and `server.key`; they are made if they are not there.
    #[arg(long, value_name = "DIR")]
    pub tls_dir: PathBuf,
    /// The account's key, expected as `Authorization: Bearer`.
    #[arg(long, env = "SANDBOX_ACCOUNT_KEY", default_value = "sandbox-account-key", hide_env_values = true)]
    pub account_key: String,
    /// Serve `/__sandbox/…`: what arrived, what was kept, what is leaked on purpose.
    #[arg(long)]
    pub journal: bool,
    /// How much of each request's body the journal shows, in bytes.
    #[arg(long, default_value_t = 64 * 1024, value_name = "BYTES")]
    pub journal_text: usize,
    /// How long a job or batch stays in each of its states, in milliseconds.
    #[arg(long, default_value_t = 150, value_name = "MS")]
    pub step_ms: u64,
    /// Jobs and batches go one state further each time they are looked at, not with time.
    #[arg(long)]
    pub step_by_poll: bool,
    /// Pause between two events of a stream, in milliseconds.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub stream_delay_ms: u64,
    /// Cut what is streamed into pieces of this many bytes, wherever that falls; 0 sends each event whole.
    #[arg(long, default_value_t = 0, value_name = "BYTES")]
    pub stream_piece: usize,
    /// How much of one file is kept, in bytes; of a larger one only its length, hash, head and tail.
    #[arg(long, default_value_t = 16 * 1024 * 1024, value_name = "BYTES")]
    pub keep: usize,
    /// Compress answers with gzip for clients that accept it.
    #[arg(long)]
    pub gzip: bool,
}

impl Options {
    /// The defaults, with the two settings that have none.
    #[must_use]
    pub fn new(address: SocketAddr, tls_dir: impl Into<PathBuf>) -> Self {
        Self {
            address,
            tls_dir: tls_dir.into(),
            account_key: "sandbox-account-key".to_owned(),
            journal: false,
            journal_text: 64 * 1024,
            step_ms: 150,
            step_by_poll: false,
            stream_delay_ms: 0,
            stream_piece: 0,
            keep: 16 * 1024 * 1024,
            gzip: false,
        }
    }

    fn step(&self) -> Duration {
        Duration::from_millis(self.step_ms.max(1))
    }
}

/// Where the sandbox listens, told once it does.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The address, with the port that was taken.
    pub address: SocketAddr,
    /// The certificate of the authority that a client has to trust, PEM.
    pub ca: PathBuf,
}

/// Why the sandbox could not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The address can't be listened on.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of the TLS folder can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The certificates can't be made or used.
    #[error("TLS: {0}")]
    Tls(String),
}

/// An account for whoever serves its requests without a socket of ours: a test that drives thousands of accounts.
#[derive(Clone)]
pub struct Account(Arc<account::App>);

impl Account {
    /// An account that holds nothing. Address and certificates of the options are of no meaning to it.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self(account::App::new(options))
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request<Incoming>) -> Response<UnsyncBoxBody<Bytes, BreaksOff>> {
        server::answer(&self.0, request, None).await
    }

    /// Forgets everything that anybody made.
    pub fn forget(&self) {
        self.0.forget();
    }
}

/// Serves until `stop` resolves, then lets what is under way finish for a moment.
///
/// `ready` is told the bound address as soon as connections are accepted. Nothing is printed.
///
/// # Errors
/// When the address can't be listened on or the certificates can't be made or read.
pub async fn run(
    options: Options,
    ready: oneshot::Sender<Bound>,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), SandboxError> {
    let (tls, ca) = tls::server_config(&options.tls_dir)?;
    let asked = options.address;
    let listen = |source| SandboxError::Listen { address: asked, source };
    let listener = TcpListener::bind(asked).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    // Nobody may be waiting for the address; that is no reason not to serve.
    let _ = ready.send(Bound { address, ca });
    server::serve(listener, tls, account::App::new(options), stop).await;
    Ok(())
}
