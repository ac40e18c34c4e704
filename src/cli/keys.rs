//! `consentry keys new`: a new API key, printed once, and the hash that stands for it in the tenant's file.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use secrecy::ExposeSecret;

use super::check::refuse;
use super::output::{complain, say};
use crate::config::{self, Mode};
use crate::identity::{ApiKey, KeyHasher};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Makes a key and prints it with its hash. The key is shown once and stored nowhere.
    New {
        /// The configuration whose master key the hash is made with.
        #[arg(short, long, default_value = "config", env = "CONSENTRY_CONFIG")]
        config: PathBuf,
        /// The key's name in logs and audit.
        #[arg(long, default_value = "main")]
        id: String,
        /// Print JSON: `{"id", "key", "hash"}`.
        #[arg(long)]
        json: bool,
    },
}

/// Carries it out.
pub(super) fn run(command: &Command) -> ExitCode {
    let Command::New { config, id, json } = command;
    let master = match config::master_key(config, Mode::Serve) {
        Ok(master) => master,
        Err(errors) => return refuse(&errors),
    };
    let made = ApiKey::generate().and_then(|key| Ok((KeyHasher::derive(master.prk())?, key)));
    let (hasher, key) = match made {
        Ok(made) => made,
        Err(error) => {
            complain(error);
            return ExitCode::from(2);
        }
    };
    let Ok(parsed) = ApiKey::parse(key.expose_secret()) else {
        complain("the new key does not parse");
        return ExitCode::from(2);
    };
    let hash = hasher.hash(parsed);
    let key = key.expose_secret();
    if *json {
        say(serde_json::json!({ "id": id, "key": key, "hash": hash.to_string() }));
    } else {
        say(format_args!("key:  {key}"));
        say("\nIt is shown this once. In the tenant's file:\n");
        say(format_args!("keys:\n  - id: {id}\n    hash: \"{hash}\"\n    purposes: [inference]"));
    }
    ExitCode::SUCCESS
}
