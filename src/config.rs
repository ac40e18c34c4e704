//! What did the operator write, and can all of it be enforced? Files become a [`Snapshot`], whole or not at all.

use std::path::Path;

use crate::diagnostic::Diagnostic;

mod compile;
mod files;
mod master;
mod notice;
mod policy;
pub mod schema;
mod secret;
mod snapshot;
mod units;

pub use compile::Mode;
pub use notice::{Publisher, Statement, statements};
pub use secret::SecretRef;
pub use snapshot::*;

/// Reads and compiles a configuration: a folder, or its `consentry.yaml`.
///
/// # Errors
/// With every error of every file.
pub fn load(path: &Path, mode: Mode, generation: u64) -> Result<Snapshot, Vec<Diagnostic>> {
    let files = files::read(path)?;
    compile::compile(&files, mode, generation)
}

/// The JSON Schemas of the files that an operator writes, by name.
#[must_use]
pub fn schemas() -> [(&'static str, schemars::Schema); 3] {
    [
        ("consentry.schema.json", schemars::schema_for!(schema::Main)),
        ("tenant.schema.json", schemars::schema_for!(schema::Tenant)),
        ("policy.schema.json", schemars::schema_for!(schema::PolicyFile)),
    ]
}

/// Reads no more of a configuration than its master key, for the making of keys before there is a tenant.
///
/// # Errors
/// As [`load`].
pub fn master_key(path: &Path, mode: Mode) -> Result<MasterKey, Vec<Diagnostic>> {
    let files = files::read(path)?;
    compile::master_key(&files, mode).map(|(master, _)| master)
}

/// Reads no more of a configuration than where its state is and what it is sealed with, for whoever checks the trail.
///
/// # Errors
/// As [`load`].
pub fn sealed_state(path: &Path) -> Result<(MasterKey, State), Vec<Diagnostic>> {
    compile::master_key(&files::read(path)?, Mode::Check)
}

#[cfg(test)]
mod tests;
