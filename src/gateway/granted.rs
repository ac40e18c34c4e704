//! What the tenants' files and the ledger say together, of the caller and of everyone who lends it something.

use jiff::Timestamp;

use crate::config::Snapshot;
use crate::consent::{self, Fact, Facts, Permit, Question, Rules};
use crate::isolation::{TenantScope, store_refusal};
use crate::names::{DatasetName, Purpose, TenantId};
use crate::reason::{Reason, Refusal};
use crate::store::Store;

/// The grants in force.
pub(super) struct Granted<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) store: &'a dyn Store,
    pub(super) now: Timestamp,
}

impl Granted<'_> {
    /// Reads what a tenant granted. One that is not configured any more has granted nothing.
    fn of<T>(
        &self,
        tenant: &TenantId,
        question: &Question<'_>,
        ask: impl FnOnce(&Facts<'_>) -> T,
    ) -> Result<T, Refusal> {
        let Some(tenant) = self.snapshot.tenants.get(tenant) else {
            return Ok(ask(&Facts { grants: &[], ledger: &[], rules: &Rules::default() }));
        };
        // Answering a call asks for nothing more.
        let asks = question.purposes.iter().any(|purpose| *purpose != Purpose::Inference);
        let ledger = if asks {
            self.store.standing(&tenant.id).map_err(|error| store_refusal(&error))?
        } else {
            std::sync::Arc::default()
        };
        Ok(ask(&Facts { grants: &tenant.grants, ledger: &ledger, rules: &tenant.consent }))
    }

    /// Decides by one tenant's grants.
    pub(super) fn decide(&self, tenant: &TenantId, question: &Question<'_>) -> Result<Permit, Refusal> {
        self.of(tenant, question, |facts| consent::decide(question, facts, self.now))?
    }

    /// Whether nothing of a tenant's goes to third parties.
    fn keeps_to_itself(&self, tenant: &TenantId) -> bool {
        self.snapshot.tenants.get(tenant).is_some_and(|tenant| tenant.third_parties_refused)
    }

    /// Decides by the caller's grants, and those of everyone who lends it something.
    pub(super) fn permit(
        &self,
        tenant: &TenantId,
        question: &Question<'_>,
        scope: &TenantScope,
    ) -> Result<Permit, Refusal> {
        if question.purposes.contains(&Purpose::Share) {
            let mut owners = scope.borrowed().iter().map(|lent| &lent.owner).chain([tenant]);
            if owners.any(|tenant| self.keeps_to_itself(tenant)) {
                return Err(Refusal::new(Reason::ConsentMissing)
                    .detail("nothing of the tenant's goes to third parties"));
            }
        }
        for lent in scope.borrowed() {
            let datasets: Vec<DatasetName> = lent.dataset.iter().cloned().collect();
            self.decide(&lent.owner, &Question { datasets: &datasets, ..*question })
                .map_err(|refusal| refusal.detail("a grant of the owner of what is shared"))?;
        }
        self.decide(tenant, question)
    }

    /// All that [`Self::permit`] weighs, fact by fact: whoever lends first, the caller last.
    pub(super) fn weigh(
        &self,
        tenant: &TenantId,
        question: &Question<'_>,
        scope: &TenantScope,
    ) -> Result<Vec<(TenantId, Vec<Fact>)>, Refusal> {
        let mut weighed = Vec::new();
        for lent in scope.borrowed() {
            let datasets: Vec<DatasetName> = lent.dataset.iter().cloned().collect();
            let asked = Question { datasets: &datasets, ..*question };
            let facts = self.of(&lent.owner, &asked, |facts| consent::weigh(&asked, facts, self.now))?;
            weighed.push((lent.owner.clone(), facts));
        }
        let facts = self.of(tenant, question, |facts| consent::weigh(question, facts, self.now))?;
        weighed.push((tenant.clone(), facts));
        Ok(weighed)
    }
}
