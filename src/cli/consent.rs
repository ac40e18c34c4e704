//! `consentry consent`: what was allowed, and what was taken back. A change works on the next request, whether the gateway
//! runs or not.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::output::say;
use super::registry::{self, Fault, known_tenant, open};
use crate::config::{Snapshot, Tenant};
use crate::names::SubjectHash;
use crate::store::{Chain, ChainKey, Consents as _};

mod list;
mod said;

/// What to do with the ledger.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Records that a use is allowed.
    Grant(said::Said),
    /// Records that whoever allowed a use takes it back.
    Withdraw(said::Said),
    /// Records that whoever was asked said no.
    Refuse(said::Said),
    /// Records that the controller or an authority ends a use.
    Revoke(said::Said),
    /// Lists what was recorded, oldest first.
    List(list::Arguments),
    /// Follows the ledger's chain: nothing was changed, removed or put in.
    Verify {
        #[command(flatten)]
        config: At,
    },
}

/// Where the configuration lies.
#[derive(Debug, Args)]
pub(super) struct At {
    /// The configuration: a folder, or its `consentry.yaml`.
    #[arg(short, long, default_value = "config", env = "CONSENTRY_CONFIG")]
    config: PathBuf,
}

/// Carries it out.
pub(super) fn run(command: &Command) -> ExitCode {
    let at = match command {
        Command::Grant(said) | Command::Withdraw(said) | Command::Refuse(said) | Command::Revoke(said) => {
            said.at()
        }
        Command::List(arguments) => arguments.at(),
        Command::Verify { config } => config,
    };
    registry::run(&at.config, async |snapshot| carry_out(command, snapshot).await)
}

async fn carry_out(command: &Command, snapshot: &Snapshot) -> Result<ExitCode, Fault> {
    use crate::store::Change;
    match command {
        Command::Grant(said) => said.record(Change::Granted, snapshot).await,
        Command::Withdraw(said) => said.record(Change::Withdrawn, snapshot).await,
        Command::Refuse(said) => said.record(Change::Refused, snapshot).await,
        Command::Revoke(said) => said.record(Change::Revoked, snapshot).await,
        Command::List(arguments) => arguments.list(snapshot).await,
        Command::Verify { .. } => verify(snapshot).await,
    }
}

async fn verify(snapshot: &Snapshot) -> Result<ExitCode, Fault> {
    let store = open(&snapshot.state.store)?;
    match store.verify(chain(snapshot)).await? {
        Chain::Whole { entries, head } => {
            say(format_args!(
                "{entries} entries, nothing changed; head {}",
                data_encoding::HEXLOWER.encode(&head)
            ));
            Ok(ExitCode::SUCCESS)
        }
        Chain::Broken { at } => {
            say(format_args!(
                "the chain is broken at entry {at}: it, or the one before, was changed, removed or put in"
            ));
            Ok(ExitCode::from(1))
        }
    }
}

/// The key of the ledger's chain.
fn chain(snapshot: &Snapshot) -> ChainKey {
    ChainKey::new(snapshot.master.hmac("consent chain v1", None))
}

/// The tenant that is meant, as it is configured.
fn tenant<'a>(name: &str, snapshot: &'a Snapshot) -> Result<&'a Tenant, Fault> {
    let id = known_tenant(name, snapshot)?;
    let found = snapshot.tenants.get(&id).map(AsRef::as_ref);
    found.ok_or_else(|| Fault::Said(format!("unknown tenant `{name}`")))
}

/// Bytes of a subject's name.
const LONGEST: usize = 1024;

/// The subjects that a file names, one a line; `-` is standard input, so that no name has to stand in a command line, where
/// others may read it. They are hashed here and kept nowhere.
fn subjects(path: &Path, tenant: &Tenant) -> Result<Vec<SubjectHash>, Fault> {
    let shown = path.display();
    let said = |line: usize, text: &str| Fault::Said(format!("{shown}, line {line}: {text}"));
    let reader: Box<dyn std::io::BufRead> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let file = std::fs::File::open(path).map_err(|error| Fault::Said(format!("{shown}: {error}")))?;
        Box::new(std::io::BufReader::new(file))
    };
    let mut found = Vec::new();
    for (n, line) in reader.split(b'\n').enumerate() {
        let line = line.map_err(|error| said(n + 1, &error.to_string()))?;
        let name = line.trim_ascii();
        if name.is_empty() {
            continue;
        }
        if name.len() > LONGEST {
            return Err(said(n + 1, "a subject's name has at most 1024 bytes"));
        }
        found.push(tenant.subjects.hash(name));
    }
    found.sort_unstable_by_key(|subject| *subject.as_bytes());
    found.dedup();
    if found.is_empty() {
        return Err(Fault::Said(format!("{shown} names no subject")));
    }
    Ok(found)
}
