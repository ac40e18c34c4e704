//! The facts of a decision, one by one: about whom or what each is, what it says, and where that stands.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Facts, Grant, Preference, Question, Scope, allowed, trains};
use crate::names::{DatasetName, Purpose};
use crate::store::{Change, LedgerScope, Recorded};

/// About what a fact is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// What the request says by `Content-Usage`.
    Usage,
    /// What it says by `TDM-Reservation`.
    Reservation,
    /// What it says by `Sec-GPC`.
    GlobalPrivacyControl,
    /// The tenant.
    Tenant,
    /// All of its data sets.
    AllDatasets,
    /// One of them.
    Dataset(DatasetName),
    /// A data subject.
    Subject,
}

/// What a fact says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is allowed.
    Yes,
    /// Nobody allowed it.
    Never,
    /// It is allowed from a time on that has not come.
    Early,
    /// It was allowed until a time that is over.
    Expired,
    /// It was allowed under a policy that no longer counts.
    Lapsed,
    /// It was taken back, or refused.
    Withdrawn,
}

impl Verdict {
    /// In a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "granted",
            Self::Never => "unknown",
            Self::Early => "not_yet",
            Self::Expired => "expired",
            Self::Lapsed => "lapsed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// What two say together of the same thing, where a yes of either is enough and a no of either wins.
    const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Withdrawn, _) | (_, Self::Withdrawn) => Self::Withdrawn,
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::Lapsed, _) | (_, Self::Lapsed) => Self::Lapsed,
            (Self::Expired, _) | (_, Self::Expired) => Self::Expired,
            (Self::Early, _) | (_, Self::Early) => Self::Early,
            (Self::Never, Self::Never) => Self::Never,
        }
    }
}

/// Where a fact stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nowhere: nothing was said.
    Nothing,
    /// In the request.
    Request,
    /// In the tenant's file: the grant of this place, from 1.
    File(usize),
    /// In the ledger: the entry of this number.
    Ledger(u64),
}

/// A fact of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The use that it is about.
    pub purpose: Purpose,
    /// About what.
    pub about: About,
    /// What it says.
    pub verdict: Verdict,
    /// Where it stands.
    pub source: Source,
}

/// All that decides, in the order in which it is asked: every fact has to say yes.
#[must_use]
pub fn weigh(question: &Question<'_>, facts: &Facts<'_>, now: Timestamp) -> Vec<Fact> {
    let mut weighed = Vec::new();
    let datasets: BTreeSet<&DatasetName> = question.datasets.iter().collect();
    for &purpose in question.purposes.iter().filter(|&&purpose| purpose != Purpose::Inference) {
        let mut add = |about, verdict, source| weighed.push(Fact { purpose, about, verdict, source });
        let signals = question.signals;
        if trains(purpose) && signals.usage == Preference::Disallowed {
            add(About::Usage, Verdict::Withdrawn, Source::Request);
        }
        if trains(purpose) && signals.reserved {
            add(About::Reservation, Verdict::Withdrawn, Source::Request);
        }
        if signals.gpc && facts.rules.gpc.contains(&purpose) {
            add(About::GlobalPrivacyControl, Verdict::Withdrawn, Source::Request);
        }
        let (verdict, source) = said(facts, purpose, &Scope::Tenant, now);
        add(About::Tenant, verdict, source);
        for &dataset in &datasets {
            let of_all = said(facts, purpose, &Scope::AllDatasets, now);
            let own = said(facts, purpose, &Scope::Dataset(dataset.clone()), now);
            let verdict = own.0.or(of_all.0);
            let (about, source) = if own.0 == verdict {
                (About::Dataset(dataset.clone()), own.1)
            } else {
                (About::AllDatasets, of_all.1)
            };
            add(about, verdict, source);
        }
        for subject in question.subjects {
            add(About::Subject, allowed(subject, purpose, facts.rules), Source::Nothing);
        }
    }
    weighed
}

/// What file and ledger say together of a use of one scope, whatever is said of what it is a part of.
#[must_use]
pub fn said(facts: &Facts<'_>, purpose: Purpose, scope: &Scope, now: Timestamp) -> (Verdict, Source) {
    // The last word of the ledger counts.
    let last =
        facts.ledger.iter().filter(|recorded| is_about(recorded, purpose, scope)).max_by_key(|r| r.number);
    let ledger = last.map(|last| (recorded(last, facts, now), Source::Ledger(last.number)));
    if let Some(no @ (Verdict::Withdrawn, _)) = ledger {
        return no;
    }
    let ledger_says = ledger.unwrap_or((Verdict::Never, Source::Nothing));
    let (file, withdrawn) = in_file(facts, purpose, scope, now);
    match (file.0, last) {
        // What the ledger granted after it was withdrawn in the file is a new word.
        (Verdict::Withdrawn, Some(last)) if withdrawn.is_some_and(|at| at < last.at) => ledger_says,
        _ if file.0 != ledger_says.0 && file.0.or(ledger_says.0) == file.0 => file,
        _ => ledger_says,
    }
}

/// What the file says of a use of one scope, and when it was last withdrawn there. A grant beside one that was withdrawn renews it.
fn in_file(
    facts: &Facts<'_>,
    purpose: Purpose,
    scope: &Scope,
    now: Timestamp,
) -> ((Verdict, Source), Option<Timestamp>) {
    let (mut best, mut withdrawn) = ((Verdict::Never, Source::Nothing), None);
    for (n, grant) in facts.grants.iter().enumerate() {
        if grant.purpose != purpose || grant.scope != *scope {
            continue;
        }
        let here = (of_file(grant, facts, now), Source::File(n + 1));
        withdrawn = withdrawn.max(grant.withdrawn.filter(|at| *at <= now));
        let wins = match (here.0, best.0) {
            (Verdict::Yes, other) => other != Verdict::Yes,
            (_, Verdict::Yes) => false,
            (mine, other) => mine != other && mine.or(other) == mine,
        };
        if wins {
            best = here;
        }
    }
    (best, withdrawn)
}

fn is_about(recorded: &Recorded, purpose: Purpose, scope: &Scope) -> bool {
    let entry = &recorded.entry;
    entry.subject.is_none()
        && entry.purposes.contains(&purpose)
        && match (&entry.scope, scope) {
            (LedgerScope::Tenant, Scope::Tenant) | (LedgerScope::AllDatasets, Scope::AllDatasets) => true,
            (LedgerScope::Dataset(one), Scope::Dataset(other)) => one == other,
            (LedgerScope::Tenant | LedgerScope::AllDatasets | LedgerScope::Dataset(_), _) => false,
        }
}

fn recorded(recorded: &Recorded, facts: &Facts<'_>, now: Timestamp) -> Verdict {
    let entry = &recorded.entry;
    match entry.change {
        Change::Granted => holds(entry.from, entry.until, entry.policy_version.as_deref(), facts, now),
        Change::Withdrawn | Change::Refused | Change::Revoked => Verdict::Withdrawn,
    }
}

fn of_file(grant: &Grant, facts: &Facts<'_>, now: Timestamp) -> Verdict {
    if grant.withdrawn.is_some_and(|at| at <= now) {
        return Verdict::Withdrawn;
    }
    holds(grant.from, grant.until, grant.policy_version.as_deref(), facts, now)
}

fn holds(
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    version: Option<&str>,
    facts: &Facts<'_>,
    now: Timestamp,
) -> Verdict {
    if until.is_some_and(|until| until <= now) {
        Verdict::Expired
    } else if facts.rules.lapsed(version) {
        Verdict::Lapsed
    } else if from.is_some_and(|from| from > now) {
        Verdict::Early
    } else {
        Verdict::Yes
    }
}
