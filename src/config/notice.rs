//! The privacy notice, from what is in force: a statement is in it only if the setting behind it is on for everybody whom the
//! notice is for.

use std::sync::Arc;

use http::HeaderName;
use jiff::Timestamp;

use super::snapshot::{Records, Route, Snapshot, Tenant};
use crate::catalog::RequestHeader;
use crate::censor::rules::RuleSpec;
use crate::censor::{Engine, RuleSet};
use crate::consent::record::{Finding, RecordAction};
use crate::names::{Purpose, TenantId};

/// Who speaks in the notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publisher {
    /// The platform's name.
    pub platform: String,
    /// Where people may turn to.
    pub contact: String,
    /// The platform's site.
    pub site: String,
}

/// A statement of the notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its name, for machines.
    pub id: &'static str,
    /// What it is about.
    pub topic: &'static str,
    /// What is said.
    pub words: &'static str,
}

/// When a statement holds.
enum When {
    /// No setting turns it off.
    Always,
    /// For each of the tenants.
    Each(fn(&Facts<'_>) -> bool),
    /// For one of them at least: what a reader has to know.
    Some(fn(&Facts<'_>) -> bool),
}

/// What is asked for one tenant.
struct Facts<'a> {
    tenant: &'a Tenant,
    routes: &'a [Arc<Route>],
    rules: &'a RuleSet,
    now: Timestamp,
}

const USE: &str = "What your data is used for";
const OTHERS: &str = "Who else gets it";
const TAKEN_OUT: &str = "What is taken out of it";
const CARE: &str = "How it is looked after";

/// Every statement, in the order of the notice.
const STATEMENTS: &[(&str, &str, When, &str)] = &[
    (
        "no_training",
        USE,
        When::Each(|f| !f.granted(Purpose::Train)),
        "Nothing that you send is used to train or fine-tune models. Requests to that end are refused, and whoever answers the others is told so.",
    ),
    (
        "training_granted",
        USE,
        When::Some(|f| f.granted(Purpose::Train)),
        "Models are trained or fine-tuned on data for which that was granted, and on no other. A grant that is withdrawn ends with the next request.",
    ),
    (
        "minors",
        USE,
        When::Each(|f| f.judges(Finding::Minor, RecordAction::Drop)),
        "Records of people who are under 18, as far as a record says so, do not reach training.",
    ),
    (
        "said_no",
        USE,
        When::Each(|f| f.judges(Finding::SaidNo, RecordAction::Anonymise)),
        "Records of people who said no to training are left out of it, or nothing that is about them is left in the record.",
    ),
    (
        "silence",
        USE,
        When::Each(|f| f.silence_is_no()),
        "Records of people who said nothing are left out of training.",
    ),
    (
        "not_kept",
        OTHERS,
        When::Each(|f| !f.granted(Purpose::Store)),
        "The services behind us are told not to keep what is said in a conversation beyond the answer, where they can be told.",
    ),
    ("no_third_party", OTHERS, When::Each(|f| !f.shares()), "Nothing is passed on to third parties."),
    (
        "third_party_granted",
        OTHERS,
        When::Some(|f| f.shares()),
        "Third parties get what you send, and what is made of it, only as far as sharing with them was granted.",
    ),
    (
        "one_region",
        OTHERS,
        When::Each(|f| f.tenant.region.is_some()),
        "What you send is stored and processed in one region, the one that was agreed with you.",
    ),
    (
        "apart",
        OTHERS,
        When::Always,
        "What you make here is yours: no other customer can list, read, use, change or delete it unless you share it, nor learn that it exists.",
    ),
    (
        "secrets",
        TAKEN_OUT,
        When::Each(|f| f.finds(RuleSpec::is_secret)),
        "Access tokens, passwords and keys that we recognise in texts are taken out of what you send and of what comes back, or replaced.",
    ),
    (
        "special_categories",
        TAKEN_OUT,
        When::Each(|f| f.finds(RuleSpec::is_special)),
        "What we recognise of health, origin, political opinion, religion and sexual orientation in texts is taken out or replaced, in both directions.",
    ),
    (
        "personal",
        TAKEN_OUT,
        When::Each(|f| f.finds(RuleSpec::is_personal)),
        "Personal data that we recognise in texts, such as addresses, numbers of documents and accounts, is taken out or replaced, in both directions.",
    ),
    (
        "not_inspected",
        TAKEN_OUT,
        When::Some(|f| !f.tenant.opaque.is_empty()),
        "Some calls carry pictures or sound, which we can't look into: they pass as they are.",
    ),
    (
        "dry_run",
        TAKEN_OUT,
        When::Some(|f| f.runs_dry()),
        "For a time of trial, what we recognise in texts is counted and not taken out.",
    ),
    (
        "encrypted",
        CARE,
        When::Each(|f| f.encrypted()),
        "All that you send is encrypted on its way, to us and from us to the services behind us.",
    ),
    ("encrypted_to_us", CARE, When::Always, "We can be reached by encrypted connections only."),
    (
        "no_content_kept",
        CARE,
        When::Always,
        "Our logs, metrics and the record of decisions hold no text of what you send or get, and no address of yours but as a keyed hash.",
    ),
    (
        "caller_unknown",
        CARE,
        When::Each(|f| f.callers_stay_unknown()),
        "Your address and the program that you use are not passed on.",
    ),
    (
        "recorded",
        CARE,
        When::Always,
        "Each decision to pass or refuse a request is recorded so that it can't be changed unseen.",
    ),
];

impl Facts<'_> {
    /// Whether a grant for the purpose is in force, or will be.
    fn granted(&self, purpose: Purpose) -> bool {
        let ended = |at: Option<Timestamp>| at.is_some_and(|at| at <= self.now);
        let grants = self.tenant.grants.iter().filter(|grant| grant.purpose == purpose);
        grants.into_iter().any(|grant| !grant.lapsed && !ended(grant.withdrawn) && !ended(grant.until))
    }

    fn records(&self) -> Option<&Records> {
        self.tenant.records.as_ref().filter(|records| !records.policy.other_files_pass)
    }

    /// Whether records with a finding meet this at least, and no file passes unread.
    fn judges(&self, finding: Finding, least: RecordAction) -> bool {
        self.records().is_some_and(|records| records.policy.action(finding) >= least)
    }

    fn silence_is_no(&self) -> bool {
        self.judges(Finding::Unknown, RecordAction::Drop)
            && self.records().is_some_and(|records| records.policy.opt_out.is_empty())
    }

    /// Whether third parties may get anything: because an upstream is one, or because an upstream may call one.
    fn shares(&self) -> bool {
        let theirs = self.routes.iter().any(|route| route.upstream.third_party);
        !self.tenant.third_parties_refused && (theirs || self.granted(Purpose::Share))
    }

    /// Whether no profile passes on what tells of the caller.
    fn callers_stay_unknown(&self) -> bool {
        let telling =
            ["user-agent", "forwarded", "x-forwarded-for", "x-real-ip"].map(HeaderName::from_static);
        let tells = |route: &Arc<Route>| {
            let rules = route.catalog.headers();
            telling.iter().any(|name| rules.request(name) == RequestHeader::Pass)
        };
        !self.routes.iter().any(tells)
    }

    fn encrypted(&self) -> bool {
        self.routes.iter().all(|route| route.upstream.base.scheme_str() == Some("https"))
    }

    fn runs_dry(&self) -> bool {
        self.tenant.dry_run.as_ref().is_some_and(|dry| self.now < dry.until)
    }

    /// Whether all rules of a kind are on, for every operation and in both directions.
    fn finds(&self, kind: fn(&RuleSpec) -> bool) -> bool {
        let policies = &self.tenant.policies;
        let engines = std::iter::once(&policies.general).chain(policies.operations.values());
        let whole = |engine: &Engine| {
            let specs = self.rules.iter().map(|rule| &rule.spec).filter(|spec| kind(spec));
            specs.into_iter().all(|spec| engine.rules().any(|info| *info.id == *spec.id.value))
        };
        !self.runs_dry()
            && engines.into_iter().all(|engines| whole(&engines.request) && whole(&engines.response))
    }
}

/// What can be said at a time: to everybody, or to one tenant. Nothing, if there is no such tenant. `rules`: those that come with
/// the program.
#[must_use]
pub fn statements(
    snapshot: &Snapshot,
    rules: &RuleSet,
    tenant: Option<&TenantId>,
    now: Timestamp,
) -> Vec<Statement> {
    let meant = snapshot.tenants.values().filter(|have| tenant.is_none_or(|id| *id == have.id));
    let facts: Vec<Facts<'_>> =
        meant.map(|tenant| Facts { tenant, routes: &snapshot.routes, rules, now }).collect();
    if facts.is_empty() {
        return Vec::new();
    }
    let holds = |when: &When| match when {
        When::Always => true,
        When::Each(test) => facts.iter().all(test),
        When::Some(test) => facts.iter().any(test),
    };
    let said = STATEMENTS.iter().filter(|(_, _, when, _)| holds(when));
    said.map(|(id, topic, _, words)| Statement { id, topic, words }).collect()
}
