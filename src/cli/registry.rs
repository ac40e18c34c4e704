//! What the commands that look into the store have in common: the store beside a gateway that may serve from it, and the names
//! that an operator gives.

use std::path::Path;
use std::process::ExitCode;

use super::check::refuse;
use super::output::complain;
use crate::config::{self, Mode, Snapshot};
use crate::diagnostic::nearest;
use crate::names::{Kind, TenantId, UpstreamId};
use crate::store::{Options, Sqlite, StoreError};

/// Why it could not be done.
pub(super) enum Fault {
    /// The operator named what is not there.
    Said(String),
    /// The store can't.
    Store(StoreError),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Reads the configuration, carries a command out, and says what went wrong.
pub(super) fn run(
    config: &Path,
    command: impl AsyncFnOnce(&Snapshot) -> Result<ExitCode, Fault>,
) -> ExitCode {
    match config::load(config, Mode::Check, 1) {
        Ok(snapshot) => ended(command(&snapshot)),
        Err(errors) => refuse(&errors),
    }
}

/// Waits for a command, and says what went wrong.
pub(super) fn ended(command: impl Future<Output = Result<ExitCode, Fault>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(error);
            return ExitCode::from(2);
        }
    };
    match runtime.block_on(command) {
        Ok(status) => status,
        Err(Fault::Said(text)) => {
            complain(text);
            ExitCode::from(64)
        }
        Err(Fault::Store(error)) => {
            complain(format_args!("the store: {error}"));
            ExitCode::from(2)
        }
    }
}

/// The store, beside a gateway that may serve from it. It is not made here.
pub(super) fn open(path: &Path) -> Result<Sqlite, Fault> {
    if !path.exists() {
        let text = format!("there is no store at {} yet: the gateway makes it", path.display());
        return Err(Fault::Said(text));
    }
    let options = Options { cache: 0, readers: 1, exclusive: false, ..Options::serving(path) };
    Ok(Sqlite::open(&options)?)
}

/// The upstream account that is meant; the only one, if none is named.
pub(super) fn upstream(named: Option<&str>, snapshot: &Snapshot) -> Result<UpstreamId, Fault> {
    let known: Vec<&str> = snapshot.upstreams.keys().map(UpstreamId::as_str).collect();
    match (named, &*known) {
        (Some(name), _) if known.contains(&name) => Ok(UpstreamId::new(name)),
        (Some(name), _) => Err(unknown("upstream", name, &known)),
        (None, [only]) => Ok(UpstreamId::new(only)),
        (None, _) => {
            let text = format!("name one of the upstreams with `--upstream`: {}", known.join(", "));
            Err(Fault::Said(text))
        }
    }
}

/// The kinds of resources that the profiles of an upstream account know.
pub(super) fn kinds(upstream: &UpstreamId, snapshot: &Snapshot) -> Vec<Kind> {
    let routes = snapshot.routes.iter().filter(|route| route.upstream.id == *upstream);
    let mut kinds: Vec<Kind> =
        routes.flat_map(|route| route.catalog.kinds().map(|rule| rule.kind().clone())).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// The kind that is meant.
pub(super) fn kind(name: &str, upstream: &UpstreamId, snapshot: &Snapshot) -> Result<Kind, Fault> {
    let kinds = kinds(upstream, snapshot);
    let found = kinds.iter().find(|kind| kind.as_str() == name).cloned();
    found.ok_or_else(|| unknown("kind", name, &kinds.iter().map(Kind::as_str).collect::<Vec<_>>()))
}

/// The tenant that is meant.
pub(super) fn known_tenant(name: &str, snapshot: &Snapshot) -> Result<TenantId, Fault> {
    let tenant = TenantId::new(name);
    if snapshot.tenants.contains_key(&tenant) {
        return Ok(tenant);
    }
    let known: Vec<&str> = snapshot.tenants.keys().map(TenantId::as_str).collect();
    Err(unknown("tenant", name, &known))
}

fn unknown(what: &str, name: &str, known: &[&str]) -> Fault {
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", known.join(", ")),
    };
    Fault::Said(format!("unknown {what} `{name}`; {help}"))
}
