//! `consentry shares`: what an owner shows to other tenants. A change works on the next request, whether the gateway
//! runs or not.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::output::{complain, say};
use super::registry::{self, Fault, known_tenant, open};
use crate::config::Snapshot;
use crate::names::TenantId;
use crate::store::{Audience, Ownership, Resource, Right, Share, ShareOnRecord, Shared, Shares, Sqlite};

/// What to do with shares.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Shares a resource, or changes how it is shared.
    Add {
        #[command(flatten)]
        what: What,
        #[command(flatten)]
        with: With,
        /// What they may do. Using includes reading; changing and deleting stay the owner's.
        #[arg(long, value_enum, default_value_t = Word::Read)]
        right: Word,
        /// When the share ends by itself (RFC 3339: 2027-01-31T00:00:00Z).
        #[arg(long)]
        until: Option<Timestamp>,
        /// Who says so, for the record.
        #[arg(long, default_value = "operator")]
        by: String,
    },
    /// Takes a share back.
    Remove {
        #[command(flatten)]
        what: What,
        #[command(flatten)]
        with: With,
    },
    /// Lists the shares in force.
    List {
        /// Of this owner only.
        #[arg(long)]
        tenant: Option<String>,
        /// Also those that were taken back, replaced or ended.
        #[arg(long)]
        past: bool,
        /// Print one JSON object a line.
        #[arg(long)]
        json: bool,
        /// The configuration: a folder, or its `consentry.yaml`.
        #[arg(short, long, default_value = "config", env = "CONSENTRY_CONFIG")]
        config: PathBuf,
    },
}

/// A resource.
#[derive(Debug, Args)]
pub(super) struct What {
    /// The resource's id, as the API gives it.
    id: String,
    /// Its kind, by the profile: `file`, `model`, …
    #[arg(long)]
    kind: String,
    /// The upstream account that it lies in; may be left out if there is one.
    #[arg(long)]
    upstream: Option<String>,
    /// The configuration: a folder, or its `consentry.yaml`.
    #[arg(short, long, default_value = "config", env = "CONSENTRY_CONFIG")]
    config: PathBuf,
}

/// With whom.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct With {
    /// With this tenant.
    #[arg(long)]
    with: Option<String>,
    /// With every tenant.
    #[arg(long)]
    public: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Word {
    /// Retrieve it, and see it in lists.
    Read,
    /// Name it in calls as well.
    Use,
}

/// Carries it out.
pub(super) fn run(command: &Command) -> ExitCode {
    let (Command::Add { what: What { config, .. }, .. }
    | Command::Remove { what: What { config, .. }, .. }
    | Command::List { config, .. }) = command;
    registry::run(config, async |snapshot| carry_out(command, snapshot).await)
}

async fn carry_out(command: &Command, snapshot: &Snapshot) -> Result<ExitCode, Fault> {
    match command {
        Command::Add { what, with, right, until, by } => {
            let share = Share {
                resource: resource(what, snapshot)?,
                with: audience(with, snapshot)?,
                right: match right {
                    Word::Read => Right::Read,
                    Word::Use => Right::Use,
                },
                until: *until,
                recorded_by: by.clone(),
            };
            if until.is_some_and(|until| until <= Timestamp::now()) {
                return Err(Fault::Said("`--until` is over already; nothing was changed".to_owned()));
            }
            add(&open(&snapshot.state.store)?, share).await
        }
        Command::Remove { what, with } => {
            let (resource, with) = (resource(what, snapshot)?, audience(with, snapshot)?);
            if open(&snapshot.state.store)?.unshare(resource, with).await? {
                say("taken back; it works on the next request");
                return Ok(ExitCode::SUCCESS);
            }
            complain("there is no such share in force");
            Ok(ExitCode::from(1))
        }
        Command::List { tenant, past, json, .. } => {
            let owner = tenant.as_deref().map(|name| known_tenant(name, snapshot)).transpose()?;
            for share in open(&snapshot.state.store)?.shares(owner.as_ref(), *past).await? {
                say(if *json { as_json(&share) } else { as_line(&share) });
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn add(store: &Sqlite, share: Share) -> Result<ExitCode, Fault> {
    let (resource, right) = (share.resource.clone(), share.right);
    let whom = share.with.tenant().map_or_else(|| "every tenant".to_owned(), |tenant| format!("`{tenant}`"));
    match store.share(share).await? {
        Shared::Recorded => {
            let owner = store.owner(&resource.upstream, &resource.kind, &resource.id).await?;
            let owner = owner.map(|owned| format!(" of `{}`", owned.tenant)).unwrap_or_default();
            say(format_args!(
                "{whom} may {right} the {}{owner}; it works on the next request",
                resource.kind.as_str()
            ));
            Ok(ExitCode::SUCCESS)
        }
        Shared::Unknown => {
            complain(format_args!(
                "no {} of this id is on record; nothing was changed",
                resource.kind.as_str()
            ));
            Ok(ExitCode::from(1))
        }
        Shared::Owner => {
            complain(format_args!("it belongs to {whom} already; nothing was changed"));
            Ok(ExitCode::from(1))
        }
    }
}

fn resource(what: &What, snapshot: &Snapshot) -> Result<Resource, Fault> {
    let upstream = registry::upstream(what.upstream.as_deref(), snapshot)?;
    let kind = registry::kind(&what.kind, &upstream, snapshot)?;
    Ok(Resource { upstream, kind, id: what.id.clone() })
}

fn audience(with: &With, snapshot: &Snapshot) -> Result<Audience, Fault> {
    match &with.with {
        Some(name) => known_tenant(name, snapshot).map(Audience::Tenant),
        None => Ok(Audience::Everyone),
    }
}

fn as_line(share: &ShareOnRecord) -> String {
    let Resource { upstream, kind, id } = &share.resource;
    let whom = share.with.tenant().map_or("everyone", TenantId::as_str);
    let until = share.until.map(|until| format!(", until {until}")).unwrap_or_default();
    let over = share.withdrawn.map(|at| format!(", taken back {at}")).unwrap_or_default();
    let (upstream, kind) = (upstream.as_str(), kind.as_str());
    format!(
        "{upstream}\t{kind}\t{id}\t{} -> {whom}\t{}\tsince {}{until}{over}\tby {}",
        share.owner, share.right, share.since, share.recorded_by
    )
}

fn as_json(share: &ShareOnRecord) -> String {
    serde_json::json!({
        "upstream": share.resource.upstream.as_str(),
        "kind": share.resource.kind.as_str(),
        "id": share.resource.id,
        "owner": share.owner.as_str(),
        "with": share.with.tenant().map(TenantId::as_str),
        "public": share.with == Audience::Everyone,
        "right": share.right.as_str(),
        "since": share.since,
        "until": share.until,
        "withdrawn": share.withdrawn,
        "by": share.recorded_by,
    })
    .to_string()
}
