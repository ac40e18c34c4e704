//! The records of a data set on its way up: each is read for what it says of itself, and judged before it passes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use super::seen::Seen;
use super::stages::Recognised;
use crate::audit::{JudgedFinding, JudgedRecords};
use crate::body::json::{JsonPlan, PlanError, Watch};
use crate::body::records::{Anonymous, Record as Read, RecordJudge, RecordVerdict, Records as Reader};
use crate::body::{FactValue, Facts, Job};
use crate::catalog::{Edit, EditAction, LimitClass, Operation};
use crate::censor::{Engine, Exchange};
use crate::config::Records as Wanted;
use crate::consent::Records;
use crate::consent::record::{
    Counts, Field, Judged, Judging, Record, RecordAction, RecordPolicy, Said, SubjectStatus, Today, Uses,
};
use crate::names::Purpose;
use crate::pointer::Pointer;
use crate::reason::Refusal;

/// How many records passed, and what became of the others.
const KEPT: HeaderName = HeaderName::from_static("consentry-records-kept");
const ANONYMISED: HeaderName = HeaderName::from_static("consentry-records-anonymised");
const DROPPED: HeaderName = HeaderName::from_static("consentry-records-dropped");

/// How a tenant's records are read, compiled once for each configuration.
pub(super) struct RecordPlan {
    policy: Arc<RecordPolicy>,
    /// What stands at each watch.
    fields: Arc<[Field]>,
    plan: Arc<JsonPlan>,
    /// The same, with whatever names the subject left out.
    anonymous: Arc<JsonPlan>,
}

impl RecordPlan {
    /// Compiles what a tenant wants.
    ///
    /// # Errors
    /// If its places can't be compiled.
    pub(super) fn new(wanted: &Wanted) -> Result<Self, PlanError> {
        let watches: Vec<Watch> = wanted.fields.iter().map(|(_, at)| Watch::new(at.clone())).collect();
        let remove = |at: &Pointer| Edit { at: at.clone(), action: EditAction::Remove };
        let removed: Vec<Edit> = wanted.remove.iter().map(remove).collect();
        let personal = wanted.fields.iter().map(|(_, at)| remove(at));
        let all: Vec<Edit> = removed.iter().cloned().chain(personal).collect();
        Ok(Self {
            policy: Arc::clone(&wanted.policy),
            fields: wanted.fields.iter().map(|(field, _)| *field).collect(),
            plan: Arc::new(JsonPlan::compile(&watches, &removed)?),
            anonymous: Arc::new(JsonPlan::compile(&watches, &all)?),
        })
    }
}

/// What became of the records of a request's files. Its clones are the same.
#[derive(Clone, Default)]
pub(super) struct Judgings(Arc<Mutex<Files>>);

#[derive(Default)]
struct Files {
    /// Files that were begun.
    begun: usize,
    /// Those that came to their end.
    ended: Vec<(Judging, Judged)>,
}

/// What is known of a request's records once they were judged.
pub(super) struct Outcome {
    pub(super) counts: Counts,
    pub(super) hash: [u8; 32],
}

impl Judgings {
    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Some file of the request is judged.
    pub(super) fn is_begun(&self) -> bool {
        self.files().begun > 0
    }

    /// The proof that all of them were judged to their ends.
    pub(super) fn proof(&self) -> Option<Judged> {
        let files = self.files();
        let whole = files.begun == files.ended.len();
        files.ended.first().filter(|_| whole).map(|(_, judged)| *judged)
    }

    /// What became of the records of all files, if any was judged.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        let files = self.files();
        let (first, _) = files.ended.first()?;
        let mut outcome = Outcome { counts: Counts::default(), hash: first.hash() };
        for (judging, _) in &files.ended {
            outcome.counts.add_all(judging.counts());
        }
        if let [_, _, ..] = files.ended.as_slice() {
            let mut all = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
            files.ended.iter().for_each(|(judging, _)| all.update(&judging.hash()));
            outcome.hash.copy_from_slice(all.finish().as_ref());
        }
        Some(outcome)
    }

    /// As the audit trail has it.
    pub(super) fn recorded(&self) -> Option<JudgedRecords> {
        let Outcome { counts, hash, .. } = self.outcome()?;
        let finding = |&(finding, action, count): &(crate::consent::record::Finding, RecordAction, u64)| {
            JudgedFinding { finding: finding.as_str(), action: action.as_str(), count }
        };
        Some(JudgedRecords {
            anonymised: counts.anonymised,
            dropped: counts.dropped,
            hash,
            findings: counts.by.iter().map(finding).collect(),
        })
    }

    /// Tells the caller.
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        let Some(Outcome { counts, .. }) = self.outcome() else { return };
        for (name, count) in [(KEPT, counts.kept), (ANONYMISED, counts.anonymised), (DROPPED, counts.dropped)]
        {
            headers.insert(name, HeaderValue::from(count));
        }
    }
}

/// The uses that a data set of this call is put to, if its records have to be judged for them: training, evaluation, and
/// people who look at it.
pub(super) fn uses(operation: &Operation, purposes: &BTreeSet<Purpose>) -> BTreeSet<Purpose> {
    if operation.limit != LimitClass::Upload && operation.assembly.is_none() {
        return BTreeSet::new();
    }
    let judged =
        |purpose: &Purpose| matches!(purpose, Purpose::Train | Purpose::Evaluate | Purpose::Annotate);
    let own = Some(operation.purpose).filter(|purpose| *purpose == Purpose::Annotate);
    purposes.iter().copied().filter(judged).chain(own).collect()
}

/// What consent has to know of the records of a call. Calls that open an upload carry none yet.
pub(super) fn standing(request: &Recognised, seen: &Seen<'_>) -> Records {
    let operation = request.operation();
    if operation.assembly.is_some() {
        return Records::NotAsked;
    }
    of(request, &uses(operation, &seen.purposes()))
}

/// The same for a data set that is put to these uses.
pub(super) fn of(request: &Recognised, uses: &BTreeSet<Purpose>) -> Records {
    match &request.judgings {
        Some(judgings) if !uses.is_empty() => judgings.proof().map_or(Records::Unjudged, Records::Judged),
        Some(_) | None => Records::NotAsked,
    }
}

/// Who judges the files of a request.
#[derive(Clone)]
pub(super) struct Clerk {
    plan: Arc<RecordPlan>,
    judgings: Judgings,
    job: Job,
    anonymous: Arc<Engine>,
    secret: Arc<aws_lc_rs::hmac::Key>,
}

impl Clerk {
    /// Of a tenant that wants its records judged.
    pub(super) fn of(request: &Recognised, job: &Job) -> Option<Self> {
        let judgings = request.judgings.clone()?;
        let plan = Arc::clone(request.received.live.records(&request.tenant.id)?);
        let engines = request.tenant.engines(&request.operation().id);
        let anonymous = Arc::clone(engines.anonymous.as_ref()?);
        let secret = Arc::clone(&request.tenant.secret);
        Some(Self { plan, judgings, job: job.clone(), anonymous, secret })
    }

    /// Judges a file that is put to these uses.
    pub(super) fn begin(&self, purposes: BTreeSet<Purpose>) -> Reader {
        self.judgings.files().begun += 1;
        let uses = Uses { purposes, today: Today::at(Timestamp::now()) };
        let mut job = self.job.clone();
        job.engine = Arc::clone(&self.anonymous);
        // What it finds was found before. In a dry run as well nobody is named who must not be.
        job.exchange = Exchange::new(Arc::clone(&self.secret));
        let judge = Judge {
            judging: Some(Judging::new(Arc::clone(&self.plan.policy), uses)),
            fields: Arc::clone(&self.plan.fields),
            judgings: self.judgings.clone(),
        };
        Reader {
            plan: Arc::clone(&self.plan.plan),
            anonymous: Anonymous { job, plan: Arc::clone(&self.plan.anonymous) },
            judge: Box::new(judge),
        }
    }
}

/// Judges one file.
struct Judge {
    judging: Option<Judging>,
    fields: Arc<[Field]>,
    judgings: Judgings,
}

impl Judge {
    fn judging(&mut self) -> Result<&mut Judging, Refusal> {
        let over = || Refusal::new(crate::reason::Reason::Internal).log("a record behind the last");
        self.judging.as_mut().ok_or_else(over)
    }

    fn over(&mut self, end: fn(&mut Judging) -> Result<Judged, Refusal>) -> Result<(), Refusal> {
        let Some(mut judging) = self.judging.take() else { return Ok(()) };
        let judged = end(&mut judging)?;
        self.judgings.files().ended.push((judging, judged));
        Ok(())
    }
}

/// What a record says of itself.
fn read<'f>(fields: &[Field], facts: &'f Facts) -> Record<'f> {
    let mut record = Record::default();
    for fact in facts {
        let Some(field) = fields.get(fact.watch) else { continue };
        let said = match &fact.value {
            FactValue::Text(text) => Said::Text(text),
            FactValue::Number(text) => Said::Number(text),
            FactValue::Bool(value) => Said::Bool(*value),
            FactValue::Null => Said::Nothing,
            FactValue::Composite | FactValue::List => Said::Composite,
            FactValue::TooLong => Said::TooLong,
        };
        record.note(*field, said);
    }
    record
}

impl RecordJudge for Judge {
    fn judge(&mut self, read_record: &Read<'_>) -> Result<RecordVerdict, Refusal> {
        let fields = Arc::clone(&self.fields);
        let mut record = read(&fields, read_record.facts);
        if read_record.special {
            record.holds_special();
        }
        let action = self.judging()?.judge(read_record.number, &record, SubjectStatus::Unknown)?;
        Ok(verdict(action))
    }

    fn anonymised(&mut self, read_record: &Read<'_>, text: &[u8]) -> Result<RecordVerdict, Refusal> {
        let fields = Arc::clone(&self.fields);
        let mut record = read(&fields, read_record.facts);
        if read_record.special {
            record.holds_special();
        }
        let judging = self.judging()?;
        let action = judging.anonymised(read_record.number, &record, SubjectStatus::Unknown, text);
        Ok(if action == RecordAction::Anonymise { RecordVerdict::Keep } else { RecordVerdict::Drop })
    }

    fn unread(&mut self) -> Result<(), Refusal> {
        self.over(Judging::unread)
    }

    fn end(&mut self) -> Result<(), Refusal> {
        self.over(Judging::end)
    }
}

const fn verdict(action: RecordAction) -> RecordVerdict {
    match action {
        RecordAction::Pass => RecordVerdict::Keep,
        RecordAction::Anonymise => RecordVerdict::Anonymise,
        RecordAction::Drop | RecordAction::Refuse => RecordVerdict::Drop,
    }
}

/// The plans of all tenants that want their records judged.
pub(super) type RecordPlans = BTreeMap<crate::names::TenantId, Arc<RecordPlan>>;
