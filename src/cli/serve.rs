//! `consentry serve`: everything is put together here, in the order in which it can fail.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use futures_util::FutureExt;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::level_filters::LevelFilter;

use super::check::refuse;
use super::output::complain;

mod observe;

use crate::audit::{self, Audit, Mark};
use crate::body::spool::{SpoolBudget, Spools};
use crate::config::{self, Certificate, DataListener, Mode, Snapshot};
use crate::diagnostic::Diagnostic;
use crate::gateway::{Gateway, Live, Parts, canary, stack};
use crate::identity::Tagger;
use crate::listener::{Bounds, Door, Listener, Shutdown, serve_plain};
use crate::store::{self, Sqlite, Store};
use crate::telemetry::{self, Admin, Build, Check, Health, Listener as Counted, Metrics, Names, Sources};
use crate::tls::{self, HotServer, ServerFiles};
use observe::Counting;

/// Why the gateway did not start, or did not end well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The configuration is wrong.
    Configuration(Vec<Diagnostic>),
    /// Something it needs is not there.
    Start(String),
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Configuration(vec![diagnostic])
    }
}

/// Serves until it is told to stop.
pub(super) fn run(config: &Path) -> ExitCode {
    let snapshot = match config::load(config, Mode::Serve, 1) {
        Ok(snapshot) => snapshot,
        Err(errors) => return refuse(&errors),
    };
    let logs = match telemetry::logs::init(telemetry::logs::Format::Json, level()) {
        Ok(logs) => logs,
        Err(error) => {
            complain(error);
            return ExitCode::from(2);
        }
    };
    let dropped = Some(logs.dropped());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(format_args!("no runtime: {error}"));
            return ExitCode::from(2);
        }
    };
    let outcome = runtime.block_on(async {
        // Before anybody is told that it serves: a signal that nobody listens to ends the process as it stands.
        let signals = Signals::listen()?;
        let running = start(config.to_owned(), snapshot, dropped).await?;
        running.until_stopped(signals).await
    });
    drop(logs);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Configuration(errors)) => refuse(&errors),
        Err(Failure::Start(message)) => {
            complain(message);
            ExitCode::from(2)
        }
    }
}

/// The signals that a gateway listens to.
pub(crate) struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens from here on.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::Start(format!("signals: {error}"));
        Ok(Self {
            hangup: signal(SignalKind::hangup()).map_err(failed)?,
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
        })
    }
}

/// A gateway that runs.
pub(crate) struct Running {
    config: PathBuf,
    gateway: Gateway,
    audit: Arc<Audit>,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    door: Arc<Door>,
    shutdown: Shutdown,
    /// Where callers come in.
    pub(crate) data: std::net::SocketAddr,
    /// Where metrics are read.
    pub(crate) observed: std::net::SocketAddr,
    /// The CA that callers of a development certificate have to trust.
    pub(crate) ca: Option<PathBuf>,
}

/// Starts a gateway: state first, then the sockets.
pub(crate) async fn start(
    config: PathBuf,
    snapshot: Snapshot,
    log_lines_dropped: Option<Arc<AtomicU64>>,
) -> Result<Running, Failure> {
    let live = tried(snapshot)?;
    let snapshot = live.snapshot();
    let (server, ca) = certificate(&snapshot.listeners.data)?;
    let files = files(&snapshot.listeners.data);
    let state = &snapshot.state;
    let at = |what: &str, error: &dyn std::fmt::Display| Failure::Start(format!("{what}: {error}"));
    let store = Sqlite::open(&store::Options::serving(&state.store)).map_err(|e| at("the store", &e))?;
    let seal = snapshot.master.audit_seal();
    let mut options = audit::Options::new(&state.audit, seal);
    options.window = state.audit_window;
    let audit = Arc::new(Audit::open(&options).map_err(|e| at("the audit trail", &e))?);
    std::fs::create_dir_all(&state.spool).map_err(|e| at("the spool", &e))?;
    let budget = SpoolBudget::new(state.spool_bytes);
    let spool = Spools::new(budget, snapshot.limits.memory_bytes, state.spool.clone());
    let store = Arc::new(store);
    let metrics =
        Arc::new(Metrics::new(&Build::CURRENT, &names(snapshot)).map_err(|e| at("the metrics", &e))?);
    metrics.watch(sources(&store, &audit, &spool, log_lines_dropped));
    let health = Arc::new(Health::new(checks(&store, &audit)));
    let bounds = snapshot.listeners.data.bounds.clone();
    let tagger = Tagger::derive(snapshot.master.prk()).map_err(|e| at("the log keys", &e))?;
    let tls = Arc::new(HotServer::new(server));
    let shutdown = Shutdown::new();
    let counting = Counting::new(Arc::clone(&metrics), Arc::clone(&audit), shutdown.clone());
    let door = Door::new(Arc::clone(&tls), bounds, tagger, Arc::new(counting));
    let listener = Listener::bind(snapshot.listeners.data.address, Arc::clone(&door))
        .map_err(|e| at(&format!("{} can't be listened on", snapshot.listeners.data.address), &e))?;
    let plain = TcpListener::bind(snapshot.listeners.metrics)
        .await
        .map_err(|e| at(&format!("{} can't be listened on", snapshot.listeners.metrics), &e))?;
    let observed = plain.local_addr().map_err(|e| at("the metrics listener", &e))?;
    let data = listener.local_addr();
    let (generation, fingerprint) = (snapshot.generation, snapshot.fingerprint.clone());
    let parts = Parts {
        live: Arc::clone(&live),
        store,
        audit: Arc::clone(&audit),
        metrics: Arc::clone(&metrics),
        spool,
    };
    let gateway = Gateway::new(parts);
    gateway.start(&shutdown);
    let admin = Admin::new(Arc::clone(&metrics), Arc::clone(&health));
    shutdown.spawn(serve_plain(plain, admin, shutdown.clone()));
    let served = gateway.clone();
    let make = move |connection| TowerToHyperService::new(stack::service(served.clone(), connection));
    shutdown.spawn(listener.serve(make, shutdown.clone()));
    told(&metrics, &health, &tls, &fingerprint);
    if let Some(files) = files {
        follow(files, Arc::clone(&tls), Arc::clone(&metrics), Arc::clone(&health), &shutdown);
    }
    warn_of_dry_runs(live.snapshot());
    health.set_started();
    tracing::info!(%data, metrics = %observed, generation, fingerprint, "serving");
    Ok(Running { config, gateway, audit, metrics, health, door, shutdown, data, observed, ca })
}

/// A configuration that stopped every canary.
fn tried(snapshot: Snapshot) -> Result<Arc<Live>, Failure> {
    let live = Arc::new(Live::new(snapshot)?);
    let sung = canary::sing(&live).map_err(Failure::Configuration)?;
    for cell in &sung.silent {
        tracing::warn!(cell, "no canary could be made for a cell of the coverage table");
    }
    tracing::info!(cells = sung.cells, "every canary was stopped");
    Ok(live)
}

/// The certificate that callers see, and the CA they have to trust if it is ours.
fn certificate(data: &DataListener) -> Result<(tls::Server, Option<PathBuf>), Failure> {
    let now = jiff::Timestamp::now();
    let clients = data.client_ca.as_deref().map(|ca| tls::ClientAuth { ca, required: false });
    match &data.certificate {
        Certificate::Files { chain, key } => Ok((tls::server(chain, key, clients, now)?, None)),
        Certificate::Development { folder, names } => {
            let made = tls::development(folder, names, now)?;
            if made.created {
                complain(format_args!(
                    "a development CA was made; callers have to trust {}",
                    made.ca.display()
                ));
            }
            Ok((tls::server(&made.chain, &made.key, clients, now)?, Some(made.ca)))
        }
    }
}

/// The level of the log: `CONSENTRY_LOG`, or `info`.
fn level() -> LevelFilter {
    std::env::var("CONSENTRY_LOG").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO)
}

fn names(snapshot: &Snapshot) -> Names {
    Names {
        tenants: snapshot.tenants.keys().cloned().collect(),
        routes: snapshot.routes.iter().map(|route| route.name.clone()).collect(),
        upstreams: snapshot.upstreams.keys().cloned().collect(),
        dry_runs: snapshot
            .dry_runs()
            .map(|(tenant, route, until)| (tenant.clone(), route.clone(), until))
            .collect(),
    }
}

/// Says loudly where the censor does not stop anything.
fn warn_of_dry_runs(snapshot: &Snapshot) {
    let now = jiff::Timestamp::now();
    for (tenant, route, until) in snapshot.dry_runs() {
        if now < until {
            tracing::warn!(%tenant, %route, %until, "DRY RUN: what the censor finds is reported and passes unchanged");
        } else {
            tracing::warn!(%tenant, %route, %until, "a dry run has ended; the censor replaces and blocks again");
        }
    }
}

fn sources(
    store: &Arc<Sqlite>,
    audit: &Arc<Audit>,
    spool: &Spools,
    log_lines_dropped: Option<Arc<AtomicU64>>,
) -> Sources {
    let (store, audit, budget) = (Arc::clone(store), Arc::clone(audit), spool.budget().clone());
    Sources {
        store: Some(Box::new(move || store.stats())),
        audit: Some(Box::new(move || audit.stats())),
        spool: Some(Box::new(move || telemetry::Spool { bytes: budget.used(), limit: budget.total() })),
        log_lines_dropped,
    }
}

fn checks(store: &Arc<Sqlite>, audit: &Arc<Audit>) -> Vec<Check> {
    let (store, audit) = (Arc::clone(store), Arc::clone(audit));
    vec![
        Check { name: "store", works: Box::new(move || store.health().is_ok()) },
        Check { name: "audit", works: Box::new(move || audit.health().is_ok()) },
    ]
}

/// Tells whoever watches what is in force.
fn told(metrics: &Metrics, health: &Health, tls: &HotServer, fingerprint: &str) {
    metrics.loaded(fingerprint);
    if let Some(leaf) = tls.current().certificates.first() {
        metrics.certificate(Counted::Data, &leaf.subject, leaf.not_after);
        health.set_certificate_until(leaf.not_after);
    }
}

/// The certificate's files, if they are the operator's.
fn files(data: &DataListener) -> Option<ServerFiles> {
    match &data.certificate {
        Certificate::Files { chain, key } => Some(ServerFiles {
            chain: chain.clone(),
            key: key.clone(),
            client_ca: data.client_ca.clone(),
            client_required: false,
        }),
        Certificate::Development { .. } => None,
    }
}

/// Takes a renewed certificate without being told.
fn follow(
    files: ServerFiles,
    tls: Arc<HotServer>,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    shutdown: &Shutdown,
) {
    let stop = shutdown.clone();
    let told = move |outcome: Result<&tls::Server, &Diagnostic>| match outcome {
        Ok(server) => {
            if let Some(leaf) = server.certificates.first() {
                metrics.certificate(Counted::Data, &leaf.subject, leaf.not_after);
                health.set_certificate_until(leaf.not_after);
            }
            tracing::info!("the certificate was renewed");
        }
        Err(error) => tracing::error!(%error, "the new certificate can't be used; the old one stays"),
    };
    shutdown.spawn(async move {
        tokio::select! {
            () = stop.begun() => {}
            () = tls.follow(&files, Duration::from_secs(10), told) => {}
        }
    });
}

impl Running {
    /// Serves until SIGTERM or SIGINT, and reloads on SIGHUP. In-flight requests finish within the drain time, unless a
    /// second signal comes.
    pub(crate) async fn until_stopped(self, mut signals: Signals) -> Result<(), Failure> {
        let shutdown = self.shutdown.clone();
        // The first ends it in order, and a second one the waiting for it.
        let ending = shutdown.on_signals(&mut signals.terminate, &mut signals.interrupt);
        let mut ending = std::pin::pin!(ending.fuse());
        loop {
            tokio::select! {
                _ = signals.hangup.recv() => self.reload().await,
                () = shutdown.begun() => break,
                () = &mut ending => {}
            }
        }
        let mut stopped = std::pin::pin!(self.stop());
        loop {
            tokio::select! {
                () = &mut stopped => return Ok(()),
                () = &mut ending => {}
            }
        }
    }

    /// Stops in order.
    pub(crate) async fn stop(self) {
        self.health.set_draining();
        self.shutdown.begin();
        let bounds: Bounds = (*self.door.bounds()).clone();
        let drained = self.shutdown.drain(&bounds).await;
        tracing::info!(aborted = drained.aborted, took_ms = drained.took.as_millis(), "stopped");
        if let Err(error) = self.audit.close().await {
            tracing::error!(%error, "the audit trail could not be closed");
        }
    }

    /// Takes a new configuration, whole or not at all.
    async fn reload(&self) {
        let generation = self.gateway.live().snapshot().generation + 1;
        let outcome = self.reloaded(generation);
        if outcome.is_err() {
            self.metrics.load_refused();
        }
        let mark = match &outcome {
            Ok(fingerprint) => {
                tracing::info!(generation, fingerprint, "the configuration was reloaded");
                told(&self.metrics, &self.health, &self.door.tls, fingerprint);
                Mark::Loaded { generation, fingerprint: digest(fingerprint) }
            }
            Err(Failure::Configuration(errors)) => {
                for error in errors {
                    tracing::error!(error = %error, "the configuration is wrong; the old one stays");
                }
                Mark::LoadRefused
            }
            Err(Failure::Start(message)) => {
                tracing::error!(error = message, "the configuration can't be used; the old one stays");
                Mark::LoadRefused
            }
        };
        if let Err(error) = self.audit.mark(&mark).await {
            tracing::error!(%error, "the audit trail can't record");
        }
    }

    fn reloaded(&self, generation: u64) -> Result<String, Failure> {
        let snapshot = config::load(&self.config, Mode::Serve, generation).map_err(Failure::Configuration)?;
        let fixed = self.gateway.live().snapshot().needs_restart(&snapshot);
        if !fixed.is_empty() {
            let refused = |setting| {
                let said = format!("`{setting}` differs, and is read at the start only");
                let help = "restart the gateway, or put the old setting back".to_owned();
                Diagnostic { help: Some(help), ..Diagnostic::whole(&self.config.display().to_string(), said) }
            };
            return Err(Failure::Configuration(fixed.into_iter().map(refused).collect()));
        }
        let (server, _) = certificate(&snapshot.listeners.data)?;
        let fingerprint = snapshot.fingerprint.clone();
        let (bounds, names) = (snapshot.listeners.data.bounds.clone(), names(&snapshot));
        let live = tried(snapshot)?;
        warn_of_dry_runs(live.snapshot());
        // From here on nothing can fail.
        live.snapshot().directory.adopt(&self.gateway.live().snapshot().directory);
        self.door.set_bounds(bounds);
        self.metrics.reload(&names);
        self.door.tls.replace(server);
        self.gateway.replace(live);
        Ok(fingerprint)
    }
}

fn digest(fingerprint: &str) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, fingerprint.as_bytes()).as_ref(),
    );
    out
}
