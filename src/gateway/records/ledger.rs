//! What the ledger says of the subjects of a record.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::config::Tenant;
use crate::consent::record::SubjectStatus;
use crate::isolation::store_refusal;
use crate::names::{DatasetName, Purpose, SubjectHash};
use crate::reason::Refusal;
use crate::store::{Stance, Store, SubjectQuestion};

/// The ledger, asked for the records of one file.
pub(super) struct Ledger {
    pub(super) store: Arc<dyn Store>,
    pub(super) tenant: Arc<Tenant>,
    /// The data set that the file belongs to.
    pub(super) dataset: Option<DatasetName>,
    /// The uses that it is put to.
    pub(super) purposes: BTreeSet<Purpose>,
    pub(super) now: Timestamp,
    pub(super) stances: Vec<Stance>,
}

impl Ledger {
    /// What it says of a record's subjects and all uses, as it is at this moment: a withdrawal counts for the next record.
    ///
    /// # Errors
    /// If it can't be read. Then nothing is granted.
    pub(super) fn status(&mut self, subjects: &[&str]) -> Result<SubjectStatus, Refusal> {
        let hashes: Vec<SubjectHash> =
            subjects.iter().map(|subject| self.tenant.subjects.hash(subject.as_bytes())).collect();
        if hashes.is_empty() {
            return Ok(SubjectStatus::Unknown);
        }
        let rules = &self.tenant.consent;
        let mut granted = true;
        for purpose in &self.purposes {
            let question = SubjectQuestion {
                tenant: &self.tenant.id,
                purpose: *purpose,
                dataset: self.dataset.as_ref(),
                now: self.now,
                lapsed: &|version| rules.lapsed(version),
            };
            let asked = self.store.stances(&question, &hashes, &mut self.stances);
            asked.map_err(|error| store_refusal(&error))?;
            for stance in &self.stances {
                match stance {
                    Stance::Granted => {}
                    Stance::Unknown => granted = false,
                    // What ended is no silence.
                    Stance::Withdrawn | Stance::Expired | Stance::Lapsed => {
                        return Ok(SubjectStatus::Withdrawn);
                    }
                }
            }
            granted &= self.stances.len() == hashes.len();
        }
        Ok(if granted { SubjectStatus::Granted } else { SubjectStatus::Unknown })
    }
}
