//! The ledger as it stands, in memory: what each tenant's entries say, and each subject's last word. It is never trusted by itself:
//! before each answer the ledger's end is read from the file, and what was appended since, by whichever process, is taken in.
//! The ledger is append-only, so the number of its last entry says all that it says.
//!
//! Two million subjects with one purpose each take about 140 MB.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use foldhash::fast::RandomState;
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::super::consent::{Change, LedgerScope, Recorded, Stance, SubjectQuestion};
use super::super::{StoreError, SubjectConsent};
use super::{Sqlite, count, ledger, reader};
use crate::names::{DatasetName, NameMap, Purpose, SubjectHash, TenantId};

/// Entries that are taken in at once.
const STEP: u32 = 16_384;

/// The ledger in memory.
pub(super) struct Standing {
    path: PathBuf,
    /// Connections that nobody uses right now: an answer takes one for as long as it looks at the ledger's end.
    idle: Mutex<Vec<Connection>>,
    fold: RwLock<Fold>,
}

/// What the entries up to `end` say.
#[derive(Default)]
struct Fold {
    end: u64,
    tenants: NameMap<TenantId, OfTenant>,
    /// The number of a data set's name; 0 stands for all.
    datasets: NameMap<DatasetName, u32>,
    terms: Vec<Terms>,
    known: HashMap<Terms, u32, RandomState>,
}

#[derive(Default)]
struct OfTenant {
    /// The entries about no single subject.
    entries: Arc<[Recorded]>,
    subjects: HashMap<Key, Held, RandomState>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    subject: SubjectHash,
    dataset: u32,
    purpose: Purpose,
}

/// A subject's last word.
#[derive(Clone, Copy)]
struct Held {
    /// The number of its terms, or [`NO`].
    terms: u32,
    /// The second at which it ends; 0 if it does not.
    until: u32,
}

/// A word that says no.
const NO: u32 = u32::MAX;

/// What many subjects have in common.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Terms {
    policy_version: Option<String>,
    /// Not before; most have begun when they are recorded, and then it says nothing.
    from: Option<Timestamp>,
}

impl Standing {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::default(), fold: RwLock::default() }
    }

    /// The entries of a tenant about no single subject.
    pub(super) fn of_tenant(&self, tenant: &TenantId) -> Result<Arc<[Recorded]>, StoreError> {
        let fold = self.current()?;
        Ok(fold.tenants.get(tenant).map(|of| Arc::clone(&of.entries)).unwrap_or_default())
    }

    fn stances(
        &self,
        question: &SubjectQuestion<'_>,
        subjects: &[SubjectHash],
        stances: &mut Vec<Stance>,
    ) -> Result<(), StoreError> {
        stances.clear();
        let fold = self.current()?;
        let Some(of) = fold.tenants.get(question.tenant) else {
            stances.resize(subjects.len(), Stance::Unknown);
            return Ok(());
        };
        let judged: Vec<Stance> = fold.terms.iter().map(|terms| terms.judged(question)).collect();
        let now = u32::try_from(question.now.as_second()).unwrap_or(u32::MAX);
        let dataset = question.dataset.and_then(|name| fold.datasets.get(name).copied());
        let word = |subject, dataset| {
            let held = of.subjects.get(&Key { subject, dataset, purpose: question.purpose });
            held.map_or(Stance::Unknown, |held| match usize::try_from(held.terms) {
                // A number that is not of the table can't be: it is a no.
                _ if held.terms == NO => Stance::Withdrawn,
                _ if held.until != 0 && held.until <= now => Stance::Expired,
                index => index.ok().and_then(|i| judged.get(i)).copied().unwrap_or(Stance::Withdrawn),
            })
        };
        stances.extend(subjects.iter().map(|subject| {
            let whole = word(*subject, 0);
            dataset.map_or(whole, |dataset| whole.and(word(*subject, dataset)))
        }));
        Ok(())
    }

    /// What the ledger says at this moment.
    fn current(&self) -> Result<RwLockReadGuard<'_, Fold>, StoreError> {
        let taken = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = taken.map_or_else(|| reader::connect(&self.path), Ok)?;
        let outcome = self.caught_up(&connection);
        // One that failed is not asked again.
        if outcome.is_ok() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
        outcome
    }

    fn caught_up(&self, connection: &Connection) -> Result<RwLockReadGuard<'_, Fold>, StoreError> {
        let end: i64 = connection
            .prepare_cached("SELECT coalesce(max(n), 0) FROM consent")?
            .query_row([], |row| row.get(0))?;
        let end = count(end)?;
        {
            let fold = self.fold.read().unwrap_or_else(PoisonError::into_inner);
            if fold.end >= end {
                return Ok(fold);
            }
        }
        {
            let mut fold = self.fold.write().unwrap_or_else(PoisonError::into_inner);
            while fold.end < end {
                fold.take_in(connection)?;
            }
        }
        Ok(self.fold.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Fold {
    /// Takes in the next entries. They are read before anything changes.
    fn take_in(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut statement = connection.prepare_cached(ledger::BEHIND)?;
        let mut rows = statement.query(params![i64::try_from(self.end).unwrap_or(i64::MAX), STEP])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            entries.push(ledger::recorded(row)?);
        }
        let Some(last) = entries.last().map(|entry| entry.number) else {
            return Err(StoreError::Corrupt("the ledger's end was cut off"));
        };
        let mut whole: NameMap<TenantId, Vec<Recorded>> = NameMap::default();
        for recorded in entries {
            if recorded.entry.subject.is_some() {
                self.learn(&recorded);
            } else {
                whole.entry(recorded.entry.tenant.clone()).or_default().push(recorded);
            }
        }
        for (tenant, new) in whole {
            let of = self.tenants.entry(tenant).or_default();
            of.entries = of.entries.iter().cloned().chain(new).collect();
        }
        self.end = last;
        Ok(())
    }

    /// A subject's word takes the place of its last one for the same data and purpose.
    fn learn(&mut self, recorded: &Recorded) {
        let entry = &recorded.entry;
        let Some(subject) = entry.subject else { return };
        let dataset = match &entry.scope {
            LedgerScope::Tenant | LedgerScope::AllDatasets => 0,
            LedgerScope::Dataset(name) => {
                let next = u32::try_from(self.datasets.len() + 1).unwrap_or(u32::MAX);
                *self.datasets.entry(name.clone()).or_insert(next)
            }
        };
        let until = entry.until.map_or(0, |at| u32::try_from(at.as_second()).unwrap_or(u32::MAX).max(1));
        let terms = match entry.change {
            Change::Granted => self.terms(Terms {
                policy_version: entry.policy_version.clone(),
                from: entry.from.filter(|from| *from > recorded.at),
            }),
            Change::Withdrawn | Change::Refused | Change::Revoked => NO,
        };
        let of = self.tenants.entry(entry.tenant.clone()).or_default();
        for &purpose in &entry.purposes {
            of.subjects.insert(Key { subject, dataset, purpose }, Held { terms, until });
        }
    }

    fn terms(&mut self, terms: Terms) -> u32 {
        if let Some(known) = self.known.get(&terms) {
            return *known;
        }
        let number = u32::try_from(self.terms.len()).unwrap_or(NO);
        self.terms.push(terms.clone());
        self.known.insert(terms, number);
        number
    }
}

impl Terms {
    fn judged(&self, question: &SubjectQuestion<'_>) -> Stance {
        if self.from.is_some_and(|from| from > question.now) {
            Stance::Expired
        } else if (question.lapsed)(self.policy_version.as_deref()) {
            Stance::Lapsed
        } else {
            Stance::Granted
        }
    }
}

impl SubjectConsent for Sqlite {
    fn stances(
        &self,
        question: &SubjectQuestion<'_>,
        subjects: &[SubjectHash],
        stances: &mut Vec<Stance>,
    ) -> Result<(), StoreError> {
        self.health.undamaged()?;
        self.standing.stances(question, subjects, stances).inspect_err(|fault| self.health.saw(fault))
    }
}
