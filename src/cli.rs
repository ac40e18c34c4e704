//! What did the operator ask for? Each command is a file of this folder; here stand the arguments.
//!
//! Exit status: 0 done, 1 the answer is no (findings, a broken chain, a promise not kept), 2 it could not be done,
//! 64 the arguments or the configuration are wrong (`EX_USAGE`).

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

mod adopt;
mod audit;
mod check;
mod completions;
mod conformance;
mod consent;
mod coverage;
mod demo;
mod desk;
mod explain;
mod keys;
mod lineage;
mod orphans;
mod output;
mod panics;
mod policy;
mod profile;
mod registry;
mod rules;
mod sandbox;
mod scan;
mod schema;
mod serve;
mod shares;

/// A privacy-aware TLS gateway for ML data: tenant isolation, training consent and censoring, enforced on the wire.
#[derive(Debug, Parser)]
#[command(name = "consentry", version, propagate_version = true, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the gateway.
    Serve(Configured),
    /// Reads a configuration and says everything that is wrong with it.
    Check(Configured),
    /// Runs the gateway in front of a sandbox API and shows its decisions, then stays up to be tried.
    Demo(demo::Arguments),
    /// Makes API keys.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Shows, for every operation and direction, which checks it goes through.
    Coverage(coverage::Arguments),
    /// Drives a running deployment with the keys of two tenants and says where they are not apart.
    Conformance(conformance::Arguments),
    /// Finds secrets and personal data in files and standard input.
    Scan(scan::Arguments),
    /// Checks, lists, explains and imports detectors.
    #[command(subcommand)]
    Rules(rules::Command),
    /// Drafts API profiles from specifications.
    #[command(subcommand)]
    Profile(profile::Command),
    /// Says what privacy policies promise, and what keeps each promise.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Looks at the audit trail.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Records grants and withdrawals, and shows what stands on record.
    #[command(subcommand)]
    Consent(consent::Command),
    /// Says what would become of a request, and which facts decide it.
    Explain(explain::Arguments),
    /// Shows an owner's resources to other tenants, and takes that back.
    #[command(subcommand)]
    Shares(shares::Command),
    /// Assigns what an account held before the gateway stood before it to tenants.
    Adopt(adopt::Arguments),
    /// Lists calls whose outcome was lost and what stands upstream that nobody owns, and mends it.
    Orphans(orphans::Arguments),
    /// Shows what a resource came from, and what came of it.
    Lineage(lineage::Arguments),
    /// Prints the JSON Schema of a configuration file, for editors.
    Schema(schema::Arguments),
    /// Prints completions for a shell.
    Completions(completions::Arguments),
    /// Runs the sandbox API that `demo` and the tests use as an upstream.
    #[command(hide = true)]
    Sandbox(sandbox::Arguments),
}

/// Commands that read a configuration.
#[derive(Debug, Args)]
struct Configured {
    /// The configuration: a folder, or its `consentry.yaml`.
    #[arg(short, long, default_value = "config", env = "CONSENTRY_CONFIG")]
    config: PathBuf,
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    panics::tell_places_only();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            // `--help` and `--version` are errors to clap, not to us.
            return if error.use_stderr() { ExitCode::from(64) } else { ExitCode::SUCCESS };
        }
    };
    crate::tls::install();
    match arguments.command {
        Command::Serve(configured) => serve::run(&configured.config),
        Command::Check(configured) => check::run(&configured.config),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Keys(command) => keys::run(&command),
        Command::Coverage(arguments) => coverage::run(&arguments),
        Command::Conformance(arguments) => conformance::run(&arguments),
        Command::Scan(arguments) => scan::run(&arguments),
        Command::Rules(command) => rules::run(&command),
        Command::Profile(command) => profile::run(&command),
        Command::Policy(command) => policy::run(&command),
        Command::Audit(command) => audit::run(&command),
        Command::Consent(command) => consent::run(&command),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Shares(command) => shares::run(&command),
        Command::Lineage(arguments) => lineage::run(&arguments),
        Command::Adopt(arguments) => adopt::run(&arguments),
        Command::Orphans(arguments) => orphans::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Sandbox(arguments) => sandbox::run(&arguments),
    }
}

/// The command line as clap knows it: for completions and the tests of the documents.
#[must_use]
pub fn command() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
}
