//! `consentry schema NAME`.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::output::{complain, say};

/// Which file's schema.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file that it describes.
    name: Name,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Name {
    /// `consentry.yaml`
    Consentry,
    /// `tenants/*.yaml`
    Tenant,
    /// `policies/*.yaml`
    Policy,
}

/// Prints it.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let [main, tenant, policy] = crate::config::schemas();
    let (_, schema) = match arguments.name {
        Name::Consentry => main,
        Name::Tenant => tenant,
        Name::Policy => policy,
    };
    match serde_json::to_string_pretty(&schema) {
        Ok(text) => {
            say(text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(error);
            ExitCode::from(2)
        }
    }
}
