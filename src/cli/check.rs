//! `consentry check`: everything that is wrong with a configuration, at once.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::output::{complain, say};
use crate::config::{self, Mode, Snapshot};
use crate::diagnostic::Diagnostic;
use crate::gateway::{Live, canary};
use crate::names::{RouteName, TenantId};

/// Reads the configuration and says what is wrong.
pub(super) fn run(path: &Path) -> ExitCode {
    match config::load(path, Mode::Check, 0) {
        Ok(snapshot) => match tried(snapshot) {
            Ok(said) => {
                say(said);
                ExitCode::SUCCESS
            }
            Err(errors) => refuse(&errors),
        },
        Err(errors) => refuse(&errors),
    }
}

/// Sends the canaries, and says what the configuration is.
fn tried(snapshot: Snapshot) -> Result<String, Vec<Diagnostic>> {
    let live = Arc::new(Live::new(snapshot).map_err(|error| vec![error])?);
    let sung = canary::sing(&live)?;
    for cell in &sung.silent {
        complain(format_args!("no canary could be made for {cell}"));
    }
    let dry = dry_runs(live.snapshot(), jiff::Timestamp::now());
    Ok(format!("{dry}{}, {} canaries stopped", summary(live.snapshot()), sung.cells))
}

/// Prints errors of a configuration; the exit status is that of a usage error.
pub(super) fn refuse(errors: &[Diagnostic]) -> ExitCode {
    for error in errors {
        complain(error);
    }
    let s = if errors.len() == 1 { "" } else { "s" };
    complain(format_args!("{} error{s} in the configuration; nothing was started", errors.len()));
    ExitCode::from(64)
}

/// A line for each dry run: who reads no more than the first line reads of them.
fn dry_runs(snapshot: &Snapshot, now: jiff::Timestamp) -> String {
    let line = |(tenant, route, until): (&TenantId, &RouteName, jiff::Timestamp)| {
        if now < until {
            format!(
                "DRY RUN: tenant `{tenant}`, route `{route}`, until {until}: what the censor finds is reported and passes \
                 unchanged\n"
            )
        } else {
            format!("tenant `{tenant}`, route `{route}`: the dry run has ended {until}\n")
        }
    };
    snapshot.dry_runs().map(line).collect()
}

fn summary(snapshot: &Snapshot) -> String {
    let routes = snapshot.routes.len();
    let tenants = snapshot.tenants.len();
    let operations: usize = snapshot.routes.iter().map(|r| r.catalog.operations().len()).sum();
    format!(
        "ok: {routes} route(s), {tenants} tenant(s), {operations} operation(s), fingerprint {}",
        snapshot.fingerprint
    )
}
