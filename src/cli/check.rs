//! `consentry check`: everything that is wrong with a configuration, at once.

use std::path::Path;
use std::process::ExitCode;

use super::output::{complain, say};
use crate::config::{self, Mode, Snapshot};
use crate::diagnostic::Diagnostic;

/// Reads the configuration and says what is wrong.
pub(super) fn run(path: &Path) -> ExitCode {
    match config::load(path, Mode::Check, 0) {
        Ok(snapshot) => {
            say(summary(&snapshot));
            ExitCode::SUCCESS
        }
        Err(errors) => refuse(&errors),
    }
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

fn summary(snapshot: &Snapshot) -> String {
    let routes = snapshot.routes.len();
    let tenants = snapshot.tenants.len();
    let operations: usize = snapshot.routes.iter().map(|r| r.catalog.operations().len()).sum();
    format!(
        "ok: {routes} route(s), {tenants} tenant(s), {operations} operation(s), fingerprint {}",
        snapshot.fingerprint
    )
}
