//! What is recorded.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;

use super::super::output::{complain, say};
use super::super::registry::{Fault, open};
use super::{At, chain, subjects, tenant};
use crate::config::{Snapshot, Tenant};
use crate::consent::{Facts, Scope, Verdict, said as standing};
use crate::names::{DatasetName, Purpose, SubjectHash};
use crate::store::{Change, Consents as _, LedgerEntry, LedgerScope, RecordId, Sqlite, Which};

/// Entries of one transaction: the gateway waits no longer than for these.
const AT_ONCE: usize = 2_000;

/// What was said, of what, by whom.
#[derive(Debug, Args)]
pub(in crate::cli) struct Said {
    /// Whose data.
    #[arg(long)]
    tenant: String,
    #[command(flatten)]
    what: What,
    /// Of these people only: a file that names one a line, `-` for standard input. Only keyed hashes of the names are kept.
    #[arg(long, value_name = "FILE")]
    subjects: Option<PathBuf>,
    /// What for: `train`, `evaluate`, `annotate`, `share`, `store`, `statistics`.
    #[arg(long = "purpose", value_delimiter = ',', value_parser = purpose, required_unless_present = "record")]
    purposes: Vec<Purpose>,
    /// The record that it belongs to (a UUID, as `list` shows it): what is said of it concerns the same data, people and purposes.
    #[arg(long, value_parser = record, conflicts_with_all = ["purposes", "dataset", "all_datasets", "subjects"])]
    record: Option<RecordId>,
    /// The policy version that it was given under; the tenant's `consent.policy_version`, if none is named.
    #[arg(long)]
    policy_version: Option<String>,
    /// Where whoever allowed it lives: a country or a region of one (`EU`, `US-CA`).
    #[arg(long)]
    jurisdiction: Option<String>,
    /// The lawful basis, as a term of W3C DPV.
    #[arg(long, default_value = "dpv:Consent")]
    lawful_basis: String,
    /// Not before (RFC 3339).
    #[arg(long)]
    from: Option<Timestamp>,
    /// Not after (RFC 3339).
    #[arg(long)]
    until: Option<Timestamp>,
    /// Where the evidence is kept.
    #[arg(long)]
    evidence: Option<String>,
    /// Who records it.
    #[arg(long, default_value = "operator")]
    by: String,
    #[command(flatten)]
    at: At,
}

/// Of which data. Without one of these it is about the tenant's as a whole.
#[derive(Debug, Args)]
struct What {
    /// Of this data set (`default` is what names none).
    #[arg(long)]
    dataset: Option<String>,
    /// Of every data set.
    #[arg(long, conflicts_with = "dataset")]
    all_datasets: bool,
}

fn purpose(word: &str) -> Result<Purpose, String> {
    let found = Purpose::from_word(word).filter(|purpose| *purpose != Purpose::Inference);
    found.ok_or_else(|| "known: train, evaluate, annotate, share, store, statistics".to_owned())
}

fn record(text: &str) -> Result<RecordId, String> {
    RecordId::parse(text).ok_or_else(|| "a record's id is a UUID".to_owned())
}

impl Said {
    pub(super) const fn at(&self) -> &At {
        &self.at
    }

    /// Puts it on record: the entries of one person or data set together, and all of a long list in parts.
    pub(super) async fn record(&self, change: Change, snapshot: &Snapshot) -> Result<ExitCode, Fault> {
        let tenant = tenant(&self.tenant, snapshot)?;
        if let (Some(from), Some(until)) = (self.from, self.until)
            && until <= from
        {
            return Err(Fault::Said(format!("it would end ({until}) before it begins ({from})")));
        }
        let store = open(&snapshot.state.store)?;
        let entries = match self.record {
            Some(record) => self.again(record, change, tenant, &store).await?,
            None => self.fresh(change, tenant)?,
        };
        if change == Change::Granted {
            widens(&entries, tenant, &store)?;
        }
        let total = entries.len();
        let key = chain(snapshot);
        let mut first = None;
        for (n, some) in entries.chunks(AT_ONCE).enumerate() {
            let number = store.record(some.to_vec(), key.clone()).await.inspect_err(|_| {
                complain(format_args!("{} of {total} entries are on record", n * AT_ONCE));
            })?;
            first.get_or_insert(number);
        }
        let record = entries.first().map(|entry| entry.record.to_string()).unwrap_or_default();
        let first = first.unwrap_or_default();
        match total {
            1 => say(format_args!("entry {first}, record {record}: {}", change.as_str())),
            _ => say(format_args!("{total} entries from {first} on: {}", change.as_str())),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn fresh(&self, change: Change, tenant: &Tenant) -> Result<Vec<LedgerEntry>, Fault> {
        let scope = match (&self.what.dataset, self.what.all_datasets) {
            (Some(name), _) if name == "*" => LedgerScope::AllDatasets,
            (Some(name), _) => LedgerScope::Dataset(DatasetName::new(name)),
            (None, true) => LedgerScope::AllDatasets,
            (None, false) => LedgerScope::Tenant,
        };
        let people = match &self.subjects {
            Some(path) => subjects(path, tenant)?.into_iter().map(Some).collect(),
            None => vec![None],
        };
        let purposes: BTreeSet<Purpose> = self.purposes.iter().copied().collect();
        let of = |subject| {
            self.entry(RecordId::fresh(), change, tenant, (scope.clone(), subject, purposes.clone()))
        };
        Ok(people.into_iter().map(of).collect())
    }

    /// What is said of a record that stands.
    async fn again(
        &self,
        record: RecordId,
        change: Change,
        tenant: &Tenant,
        store: &Sqlite,
    ) -> Result<Vec<LedgerEntry>, Fault> {
        let which = Which { record: Some(record), limit: u32::MAX, ..Which::default() };
        let mut found = store.ledger(which).await?;
        found.retain(|recorded| recorded.entry.tenant == tenant.id);
        let Some(first) = found.first() else {
            return Err(Fault::Said(format!("the tenant `{}` has no record {record}", tenant.id)));
        };
        let first = &first.entry;
        let about = (first.scope.clone(), first.subject, first.purposes.clone());
        Ok(vec![self.entry(record, change, tenant, about)])
    }

    fn entry(
        &self,
        record: RecordId,
        change: Change,
        tenant: &Tenant,
        (scope, subject, purposes): (LedgerScope, Option<SubjectHash>, BTreeSet<Purpose>),
    ) -> LedgerEntry {
        LedgerEntry {
            record,
            change,
            tenant: tenant.id.clone(),
            scope,
            subject,
            purposes,
            policy_version: self.policy_version.clone().or_else(|| tenant.consent.policy_version.clone()),
            jurisdiction: self.jurisdiction.clone(),
            lawful_basis: Some(self.lawful_basis.clone()),
            from: self.from,
            until: self.until,
            evidence: self.evidence.clone(),
            recorded_by: self.by.clone(),
            details: None,
        }
    }
}

/// A grant for a part of what was taken back as a whole would look as if it counted: it is refused. One that its whole says nothing
/// of yet stands, and the operator is told that it waits.
fn widens(entries: &[LedgerEntry], tenant: &Tenant, store: &Sqlite) -> Result<(), Fault> {
    let ledger = store.standing(&tenant.id)?;
    let facts = Facts { grants: &tenant.grants, ledger: &ledger, rules: &tenant.consent };
    let Some(first) = entries.first() else { return Ok(()) };
    if first.scope == LedgerScope::Tenant && first.subject.is_none() {
        return Ok(());
    }
    for &purpose in &first.purposes {
        match standing(&facts, purpose, &Scope::Tenant, Timestamp::now()).0 {
            Verdict::Yes => {}
            Verdict::Withdrawn => {
                return Err(Fault::Said(format!(
                    "`{purpose}` was taken back for the tenant `{}` as a whole: grant it there first",
                    tenant.id
                )));
            }
            Verdict::Never | Verdict::Early | Verdict::Expired | Verdict::Lapsed => complain(format_args!(
                "`{purpose}` is not allowed for the tenant `{}` as a whole: this grant has no effect before it is",
                tenant.id
            )),
        }
    }
    Ok(())
}
