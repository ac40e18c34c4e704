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
}

/// Prints it.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let [main, tenant] = crate::config::schemas();
    let (_, schema) = match arguments.name {
        Name::Consentry => main,
        Name::Tenant => tenant,
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
