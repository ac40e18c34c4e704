//! May it be used so?
//!
//! A call is allowed a use if the key is bound to the purpose, the tenant granted it, every data set that the use touches was
//! granted it, every data subject that is named allowed it, and no signal that comes with the request says no. Any no wins, and
//! unknown is no.
//!
//! Grants stand in two places: the tenant's file ([`Grant`]), and the ledger in the store ([`Recorded`]). A grant of either counts;
//! a withdrawal in the ledger ends those of both. [`decide`] is a pure function; what it reads is fetched before, as it is *now* and
//! not as it was when the request began, so that a withdrawal works on the next request.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::names::{DatasetName, Purpose};
use crate::reason::{Reason, Refusal, SafeText};
use crate::store::Recorded;

pub mod record;
mod rules;
mod signals;
mod subject;
mod weigh;

pub use rules::{Law, OlderGrants, Rules};
pub use signals::{Preference, Signals, train_preference};
pub use subject::{Subject, SubjectKeyer, allowed};
pub use weigh::{About, Fact, Source, Verdict, said, weigh};

/// A grant on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What for.
    pub purpose: Purpose,
    /// For what.
    pub scope: Scope,
    /// The policy version that it was given under.
    pub policy_version: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub until: Option<Timestamp>,
    /// Where the evidence is kept.
    pub evidence: Option<String>,
    /// When it was withdrawn, if it was.
    pub withdrawn: Option<Timestamp>,
}

/// What a grant is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The tenant: necessary for every use, sufficient for none that touches a data set.
    Tenant,
    /// One data set.
    Dataset(DatasetName),
    /// Every data set of the tenant, present and future.
    AllDatasets,
}

/// What is asked.
#[derive(Debug)]
pub struct Question<'a> {
    /// The uses that the call makes of data, beyond answering it.
    pub purposes: &'a BTreeSet<Purpose>,
    /// The data sets that it touches. A file without one belongs to `default`.
    pub datasets: &'a [DatasetName],
    /// The data subjects that it is about, as far as they are known.
    pub subjects: &'a [Subject<'a>],
    /// What the request itself says.
    pub signals: Signals,
    /// Whether the records of a data set that it carries were judged.
    pub records: Records,
}

/// What is known of the records that a call carries.
#[derive(Clone, Copy, Debug)]
pub enum Records {
    /// It carries none, or the tenant has no policy for records.
    NotAsked,
    /// Each was judged.
    Judged(record::Judged),
    /// The tenant has a policy for them, and nobody judged them.
    Unjudged,
}

/// What a decision is made from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The grants of the tenant's file.
    pub grants: &'a [Grant],
    /// What the ledger holds of the tenant.
    pub ledger: &'a [Recorded],
    /// The tenant's rules.
    pub rules: &'a Rules,
}

/// Proof that every use of a call was granted. Only [`decide`] makes it.
#[derive(Debug)]
pub struct Permit {
    training: bool,
}

impl Permit {
    /// Whether the call was granted a training use: it goes upstream without the opt-out.
    #[must_use]
    pub const fn training(&self) -> bool {
        self.training
    }
}

/// Decides whether the uses are granted.
///
/// # Errors
/// [`Reason::ConsentMissing`] if a grant was never given or is withdrawn, [`Reason::ConsentExpired`] if all that
/// were given have run out or lapsed, [`Reason::RecordsUnreadable`] if records had to be judged and were not.
pub fn decide(question: &Question<'_>, facts: &Facts<'_>, now: Timestamp) -> Result<Permit, Refusal> {
    match question.records {
        Records::NotAsked | Records::Judged(_) => {}
        Records::Unjudged => {
            return Err(
                Refusal::new(Reason::RecordsUnreadable).detail("the records of the data set were not judged")
            );
        }
    }
    match weigh(question, facts, now).iter().find(|fact| fact.verdict != Verdict::Yes) {
        Some(no) => Err(no.refusal()),
        None => Ok(Permit { training: question.purposes.iter().any(|purpose| trains(*purpose)) }),
    }
}

/// Whether what is used so ends in a model, or in what is said of one.
const fn trains(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::Train | Purpose::Evaluate)
}

impl Fact {
    /// The refusal that follows from a no.
    fn refusal(&self) -> Refusal {
        let reason = match self.verdict {
            Verdict::Expired | Verdict::Lapsed => Reason::ConsentExpired,
            Verdict::Yes | Verdict::Never | Verdict::Early | Verdict::Withdrawn => Reason::ConsentMissing,
        };
        let detail = match &self.about {
            About::Usage => "the request's own Content-Usage says train-ai=n",
            About::Reservation => "the request's own TDM-Reservation",
            About::GlobalPrivacyControl => "the request's own Sec-GPC says no",
            About::Subject => "a data subject",
            About::Tenant => missing(self.purpose, "the tenant"),
            About::AllDatasets | About::Dataset(_) => missing(self.purpose, "the data set"),
        };
        Refusal::new(reason).detail(SafeText::from(detail))
    }
}

/// Names what would have to be granted.
fn missing(purpose: Purpose, whose: &'static str) -> &'static str {
    match (purpose, whose) {
        (Purpose::Train, "the tenant") => "purpose `train`, scope tenant",
        (Purpose::Train, _) => "purpose `train`, scope data set",
        (Purpose::Evaluate, "the tenant") => "purpose `evaluate`, scope tenant",
        (Purpose::Evaluate, _) => "purpose `evaluate`, scope data set",
        (Purpose::Store, "the tenant") => "purpose `store`, scope tenant",
        (Purpose::Store, _) => "purpose `store`, scope data set",
        (Purpose::Share, "the tenant") => "purpose `share`, scope tenant",
        (Purpose::Share, _) => "purpose `share`, scope data set",
        (Purpose::Annotate, _) => "purpose `annotate`",
        (Purpose::Statistics, _) => "purpose `statistics`",
        (Purpose::Inference, _) => "purpose `inference`",
    }
}

#[cfg(test)]
mod tests;
