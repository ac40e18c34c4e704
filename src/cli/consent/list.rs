//! What stands on record.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::super::output::say;
use super::super::registry::{Fault, open};
use super::{At, subjects, tenant};
use crate::config::Snapshot;
use crate::names::{Purpose, SubjectHash};
use crate::store::{Consents as _, LedgerScope, RecordId, Recorded, Sqlite, Which};

/// Entries that are read at once.
const PAGE: u32 = 1_000;

/// Which entries.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Of this tenant only.
    #[arg(long)]
    tenant: Option<String>,
    /// About these people only: a file that names one a line, `-` for standard input.
    #[arg(long, value_name = "FILE", requires = "tenant")]
    subjects: Option<PathBuf>,
    /// Of this record only.
    #[arg(long, value_parser = |text: &str| RecordId::parse(text).ok_or("a record's id is a UUID"))]
    record: Option<RecordId>,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: At,
}

impl Arguments {
    pub(super) const fn at(&self) -> &At {
        &self.at
    }

    pub(super) async fn list(&self, snapshot: &Snapshot) -> Result<ExitCode, Fault> {
        let named = self.tenant.as_deref().map(|name| tenant(name, snapshot)).transpose()?;
        let people: Vec<Option<SubjectHash>> = match (&self.subjects, named) {
            (Some(path), Some(tenant)) => subjects(path, tenant)?.into_iter().map(Some).collect(),
            _ => vec![None],
        };
        let store = open(&snapshot.state.store)?;
        for subject in people {
            let tenant = named.map(|tenant| tenant.id.clone());
            self.pages(&store, Which { tenant, subject, record: self.record, after: 0, limit: PAGE }).await?;
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn pages(&self, store: &Sqlite, mut which: Which) -> Result<(), Fault> {
        loop {
            let page = store.ledger(which.clone()).await?;
            let meant =
                |one: &&Recorded| which.tenant.as_ref().is_none_or(|tenant| one.entry.tenant == *tenant);
            for one in page.iter().filter(meant) {
                say(if self.json { as_json(one) } else { as_line(one) });
            }
            match page.last() {
                Some(last) if page.len() >= PAGE as usize => which.after = last.number,
                _ => return Ok(()),
            }
        }
    }
}

fn as_line(recorded: &Recorded) -> String {
    let entry = &recorded.entry;
    let purposes: Vec<&str> = entry.purposes.iter().map(|purpose| purpose.as_str()).collect();
    let mut line = format!(
        "{}  {}  {}  {}  {}  {}",
        recorded.number,
        recorded.at,
        entry.tenant,
        entry.change.as_str(),
        purposes.join(","),
        about(&entry.scope),
    );
    let more = [
        ("subject", entry.subject.map(|subject| subject.to_string())),
        ("policy", entry.policy_version.clone()),
        ("from", entry.from.map(|at| at.to_string())),
        ("until", entry.until.map(|at| at.to_string())),
        ("by", Some(entry.recorded_by.clone())),
        ("record", Some(entry.record.to_string())),
    ];
    for (what, said) in more {
        if let Some(said) = said {
            line.push_str(&format!("  {what}={}", said.escape_debug()));
        }
    }
    line
}

fn about(scope: &LedgerScope) -> String {
    match scope {
        LedgerScope::Tenant => "tenant".to_owned(),
        LedgerScope::AllDatasets => "dataset:*".to_owned(),
        LedgerScope::Dataset(name) => format!("dataset:{}", name.as_str().escape_debug()),
    }
}

fn as_json(recorded: &Recorded) -> String {
    let entry = &recorded.entry;
    serde_json::json!({
        "number": recorded.number,
        "at": recorded.at,
        "record": entry.record.to_string(),
        "change": entry.change.as_str(),
        "tenant": entry.tenant.as_str(),
        "scope": entry.scope.as_str(),
        "dataset": entry.scope.dataset().map(crate::names::DatasetName::as_str),
        "subject": entry.subject.map(|subject| subject.to_string()),
        "purposes": entry.purposes.iter().map(|purpose: &Purpose| purpose.as_str()).collect::<Vec<_>>(),
        "policy_version": entry.policy_version,
        "jurisdiction": entry.jurisdiction,
        "lawful_basis": entry.lawful_basis,
        "from": entry.from,
        "until": entry.until,
        "evidence": entry.evidence,
        "by": entry.recorded_by,
        "hash": data_encoding::HEXLOWER.encode(&recorded.hash),
    })
    .to_string()
}
