//! May this record be used so?
//!
//! A record of a data set says whose it is, what that person said, how old they are and where they live. What is read
//! of it, what the ledger says of its subject and what the tenant's policy makes of each finding become one [`Verdict`].
//! Any no wins, unknown is no, and a record can't grant what the ledger denies.
//!
//! [`judge`] is a pure function. [`Judging`] does it for all records of a file, and counts.

use std::collections::BTreeSet;

use crate::names::Purpose;

mod count;
mod named;
mod said;
mod time;
mod words;

pub use count::{Counts, Judged, Judging, Line};
pub use named::Names;
pub use said::{Field, Record, Said};
pub use time::Today;

/// What may become of a record. The later is the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordAction {
    /// It passes as it is, but for what the censor finds.
    Pass,
    /// It stays; personal data and whatever names its subject go.
    Anonymise,
    /// It is left out.
    Drop,
    /// The whole file is refused.
    Refuse,
}

impl RecordAction {
    /// Every action.
    pub const ALL: [Self; 4] = [Self::Pass, Self::Anonymise, Self::Drop, Self::Refuse];

    /// The word in configuration, reports, metrics and audit.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Anonymise => "anonymise",
            Self::Drop => "drop",
            Self::Refuse => "refuse",
        }
    }
}

macro_rules! findings {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $title:literal;)*) => {
        /// What can be wrong with a record: a closed set.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Finding { $(#[doc = $title] $name,)* }

        impl Finding {
            /// Every finding, in the order in which they are told.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word in configuration, reports, metrics and audit.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// One sentence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

findings! {
    Withdrawn = "withdrawn", "its subject has withdrawn";
    SaidNo = "said_no", "it says no itself";
    FlagsContradict = "flags_contradict", "it says yes and no";
    Minor = "minor", "its subject is under 18";
    TwoSubjects = "two_subjects", "it names two subjects";
    NoSubject = "no_subject", "it names no subject";
    Unreadable = "unreadable", "a date, an age or a flag of it can't be read";
    Lapsed = "lapsed", "its consent has run out, or has not begun";
    OtherPurpose = "other_purpose", "its consent is for other purposes";
    Unknown = "unknown", "nobody consented to its use";
    SpecialCategory = "special_category", "it holds a special category of personal data";
    StillNamed = "still_named", "what names its subject stands in a text of it and can't be taken out";
}

impl Finding {
    /// Whether a record with it may pass as it is, if the policy says so. A no is a no, and of two subjects one would go
    /// unheard.
    #[must_use]
    pub const fn may_pass(self) -> bool {
        match self {
            Self::Withdrawn | Self::SaidNo | Self::FlagsContradict | Self::TwoSubjects | Self::StillNamed => {
                false
            }
            Self::Minor
            | Self::NoSubject
            | Self::Unreadable
            | Self::Lapsed
            | Self::OtherPurpose
            | Self::Unknown
            | Self::SpecialCategory => true,
        }
    }
}

/// What the ledger says of a subject and the uses at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectStatus {
    /// All of them are granted.
    Granted,
    /// One of them was granted and is not any more, or was refused.
    Withdrawn,
    /// Nothing that would be enough.
    Unknown,
}

/// What a tenant wants of the records of its data sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPolicy {
    /// By [`Finding`], in the order of [`Finding::ALL`].
    actions: Vec<RecordAction>,
    /// Jurisdictions in which silence is consent: a place, with all that lies in it.
    pub opt_out: Vec<Box<str>>,
    /// Places in those in which it is not.
    pub opt_in: Vec<Box<str>>,
    /// The record's own word is not enough: the ledger has to know of a grant.
    pub ledger_only: bool,
    /// Files in which there are no records to be read pass unjudged.
    pub other_files_pass: bool,
}

impl RecordPolicy {
    /// Whatever is wrong with a record, it is left out; the censor sees to special categories. Nowhere is silence consent.
    #[must_use]
    pub fn strict() -> Self {
        let actions = Finding::ALL.iter().map(|finding| match finding {
            Finding::SpecialCategory => RecordAction::Pass,
            _ => RecordAction::Drop,
        });
        Self {
            actions: actions.collect(),
            opt_out: Vec::new(),
            opt_in: Vec::new(),
            ledger_only: false,
            other_files_pass: false,
        }
    }

    /// Says what becomes of records with a finding. What may not pass is left out instead.
    pub fn set(&mut self, finding: Finding, action: RecordAction) {
        let action =
            if action == RecordAction::Pass && !finding.may_pass() { RecordAction::Drop } else { action };
        if let Some(slot) = self.actions.get_mut(finding as usize) {
            *slot = action;
        }
    }

    /// What becomes of records with a finding.
    #[must_use]
    pub fn action(&self, finding: Finding) -> RecordAction {
        self.actions.get(finding as usize).copied().unwrap_or(RecordAction::Refuse)
    }

    /// Whether silence is consent in a place: the longest name that covers it decides, and it is not where none does.
    fn opts_out(&self, place: Option<&str>) -> bool {
        let Some(place) = place else { return false };
        let longest =
            |names: &[Box<str>]| names.iter().filter(|name| covers(name, place)).map(|name| name.len()).max();
        longest(&self.opt_out).is_some_and(|out| longest(&self.opt_in).is_none_or(|into| out > into))
    }
}

/// Whether a place lies in another: `US-CA` lies in `US`.
fn covers(name: &str, place: &str) -> bool {
    let Some(head) = place.get(..name.len()) else { return false };
    let rest = place.get(name.len()..).unwrap_or_default();
    head.eq_ignore_ascii_case(name) && (rest.is_empty() || rest.starts_with('-'))
}

/// What becomes of a record, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What becomes of it.
    pub action: RecordAction,
    /// What was found. Of several, the first of those that the strictest action is for.
    pub finding: Option<Finding>,
}

/// What is asked of each record of a file.
#[derive(Clone, Debug)]
pub struct Uses {
    /// The uses at hand.
    pub purposes: BTreeSet<Purpose>,
    /// When.
    pub today: Today,
}

/// Judges one record.
#[must_use]
pub fn judge(record: &Record<'_>, status: SubjectStatus, uses: &Uses, policy: &RecordPolicy) -> Verdict {
    let mut verdict = Verdict { action: RecordAction::Pass, finding: None };
    for finding in
        Finding::ALL.iter().copied().filter(|finding| found(*finding, record, status, uses, policy))
    {
        let action = policy.action(finding);
        if verdict.finding.is_none() || action > verdict.action {
            verdict = Verdict { action, finding: Some(finding) };
        }
    }
    verdict
}

fn found(
    finding: Finding,
    record: &Record<'_>,
    status: SubjectStatus,
    uses: &Uses,
    policy: &RecordPolicy,
) -> bool {
    match finding {
        Finding::Withdrawn => status == SubjectStatus::Withdrawn,
        Finding::SaidNo => record.no && !record.yes,
        Finding::FlagsContradict => record.no && record.yes,
        Finding::Minor => record.minor || record.is_under_age(uses.today),
        Finding::TwoSubjects => record.two_subjects,
        Finding::NoSubject => record.subject.is_none() && !record.two_subjects,
        Finding::Unreadable => record.unreadable,
        Finding::Lapsed => record.has_lapsed(uses.today),
        Finding::OtherPurpose => record.is_for_others_than(&uses.purposes),
        Finding::Unknown => is_unknown(record, status, policy),
        Finding::SpecialCategory => record.special,
        // It is found when the record has been anonymised.
        Finding::StillNamed => false,
    }
}

/// Nobody said yes who may, and silence is not consent.
fn is_unknown(record: &Record<'_>, status: SubjectStatus, policy: &RecordPolicy) -> bool {
    let granted = match status {
        SubjectStatus::Granted => true,
        SubjectStatus::Withdrawn => return false,
        SubjectStatus::Unknown => record.yes && !policy.ledger_only,
    };
    !granted && !record.no && !policy.opts_out(record.jurisdiction())
}

#[cfg(test)]
mod tests;
