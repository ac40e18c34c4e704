//! May it be used so?
//!
//! A call is allowed a use if the key is bound to the purpose, the tenant granted it, and every data set that the
//! use touches was granted it too. Unknown is no. A signal that comes with the request (`Content-Usage`) can
//! only restrict.
//!
//! [`decide`] is a pure function; what it reads is fetched before, from the configuration in force *now* and not
//! from the request's snapshot, so that a withdrawal works on the next request.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::names::{DatasetName, Purpose};
use crate::reason::{Reason, Refusal, SafeText};

pub mod record;
mod usage;

pub use usage::{Preference, train_preference};

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
    /// It was given under another version of the policy than the one that counts.
    pub lapsed: bool,
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

/// What is asked of the ledger.
#[derive(Debug)]
pub struct Question<'a> {
    /// The uses that the call makes of data, beyond answering it.
    pub purposes: &'a BTreeSet<Purpose>,
    /// The data sets that it touches. A file without one belongs to `default`.
    pub datasets: &'a [DatasetName],
    /// What the request itself says of training.
    pub signal: Preference,
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

/// Whether a grant holds at a time.
fn holds(grant: &Grant, now: Timestamp) -> bool {
    !grant.lapsed
        && grant.withdrawn.is_none_or(|at| at > now)
        && grant.from.is_none_or(|from| from <= now)
        && grant.until.is_none_or(|until| now < until)
}

/// Decides whether the uses are granted.
///
/// # Errors
/// [`Reason::ConsentMissing`] if a grant was never given or is withdrawn, [`Reason::ConsentExpired`] if all that
/// were given have run out or are of another version of the policy, [`Reason::RecordsUnreadable`] if records had to be judged and were not.
pub fn decide(question: &Question<'_>, grants: &[Grant], now: Timestamp) -> Result<Permit, Refusal> {
    match question.records {
        Records::NotAsked | Records::Judged(_) => {}
        Records::Unjudged => {
            return Err(
                Refusal::new(Reason::RecordsUnreadable).detail("the records of the data set were not judged")
            );
        }
    }
    let mut training = false;
    for &purpose in question.purposes.iter().filter(|&&p| p != Purpose::Inference) {
        let trains = matches!(purpose, Purpose::Train | Purpose::Evaluate);
        if trains && question.signal == Preference::Disallowed {
            return Err(Refusal::new(Reason::ConsentMissing)
                .detail("the request's own Content-Usage says train-ai=n"));
        }
        require(grants, purpose, now, "the tenant", |scope| *scope == Scope::Tenant)?;
        for dataset in question.datasets {
            require(grants, purpose, now, "the data set", |scope| match scope {
                Scope::Tenant => false,
                Scope::AllDatasets => true,
                Scope::Dataset(name) => name == dataset,
            })?;
        }
        training |= trains;
    }
    Ok(Permit { training })
}

fn require(
    grants: &[Grant],
    purpose: Purpose,
    now: Timestamp,
    whose: &'static str,
    about: impl Fn(&Scope) -> bool,
) -> Result<(), Refusal> {
    let (mut expired, mut lapsed) = (false, false);
    for grant in grants.iter().filter(|g| g.purpose == purpose && about(&g.scope)) {
        if holds(grant, now) {
            return Ok(());
        }
        expired |= grant.withdrawn.is_none() && grant.until.is_some_and(|until| until <= now);
        lapsed |= grant.withdrawn.is_none() && grant.lapsed;
    }
    let reason = if expired || lapsed { Reason::ConsentExpired } else { Reason::ConsentMissing };
    let refusal = Refusal::new(reason).detail(SafeText::from(missing(purpose, whose)));
    Err(if lapsed { refusal.set_by("/consent/grants_under") } else { refusal })
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
