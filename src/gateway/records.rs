//! The records of a data set on its way up: each is read for what it says of itself, and judged before it passes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use super::stages::Recognised;
use crate::audit::{JudgedFinding, JudgedRecords};
use crate::body::Job;
use crate::body::json::{JsonPlan, PlanError, Watch};
use crate::body::records::{Anonymous, Record as Read, RecordJudge, RecordVerdict, Records as Reader};
use crate::catalog::{Edit, EditAction};
use crate::censor::{Engine, Exchange};
use crate::config::Records as Wanted;
use crate::consent::record::{
    Counts, Field, Judged, Judging, Record, RecordAction, RecordPolicy, SubjectStatus, Today, Uses,
};
use crate::names::{Purpose, TenantId};
use crate::pointer::{Pointer, Step};
use crate::reason::Refusal;
use crate::store::JudgedFor;

mod fields;
mod standing;

use fields::Fields;
pub(super) use standing::{judged_for, of, standing, uses};

/// How many records passed, and what became of the others.
const KEPT: HeaderName = HeaderName::from_static("consentry-records-kept");
const ANONYMISED: HeaderName = HeaderName::from_static("consentry-records-anonymised");
const DROPPED: HeaderName = HeaderName::from_static("consentry-records-dropped");
/// How many files passed unjudged, because the policy lets them.
const UNREAD: HeaderName = HeaderName::from_static("consentry-records-unread");

/// How a tenant's records are read, compiled once for each configuration.
pub(super) struct RecordPlan {
    policy: Arc<RecordPolicy>,
    fields: Arc<Fields>,
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
        let consent = wanted.fields.iter().filter(|(field, _)| *field == Field::Consent);
        let inside = consent.map(|(_, at)| (Field::InConsent, at.join(&Pointer::from(vec![Step::Any]))));
        let places: Vec<(Field, Pointer)> = wanted.fields.iter().cloned().chain(inside).collect();
        let watches: Vec<Watch> = places.iter().map(|(_, at)| Watch::new(at.clone())).collect();
        let remove = |at: &Pointer| Edit { at: at.clone(), action: EditAction::Remove };
        let removed: Vec<Edit> = wanted.remove.iter().map(remove).collect();
        let personal = wanted.fields.iter().map(|(_, at)| remove(at));
        let all: Vec<Edit> = removed.iter().cloned().chain(personal).collect();
        Ok(Self {
            policy: Arc::clone(&wanted.policy),
            fields: Arc::new(Fields::new(&places)),
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
    /// Some file was read record by record.
    pub(super) read: bool,
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

    /// For which uses all of them were judged, or let pass.
    fn judged_for(&self) -> JudgedFor {
        let files = self.files();
        if files.begun != files.ended.len() {
            return JudgedFor::NOTHING;
        }
        let each = files.ended.iter();
        let each = each.map(|(judging, judged)| JudgedFor::of(&judging.uses().purposes, judged.unread()));
        each.reduce(JudgedFor::and).unwrap_or(JudgedFor::NOTHING)
    }

    /// What became of the records of all files, if any was judged.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        let files = self.files();
        let (first, _) = files.ended.first()?;
        let read = files.ended.iter().any(|(_, judged)| !judged.unread());
        let mut outcome = Outcome { counts: Counts::default(), hash: first.hash(), read };
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
            unread: counts.unread,
            hash,
            findings: counts.by.iter().map(finding).collect(),
        })
    }

    /// Tells the caller.
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        let Some(Outcome { counts, read, .. }) = self.outcome() else { return };
        if counts.unread > 0 {
            headers.insert(UNREAD, HeaderValue::from(counts.unread));
        }
        if !read {
            return;
        }
        for (name, count) in [(KEPT, counts.kept), (ANONYMISED, counts.anonymised), (DROPPED, counts.dropped)]
        {
            headers.insert(name, HeaderValue::from(count));
        }
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
    fields: Arc<Fields>,
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

impl RecordJudge for Judge {
    fn judge(&mut self, read: &Read<'_>) -> Result<RecordVerdict, Refusal> {
        let fields = Arc::clone(&self.fields);
        let record = of_record(&fields, read);
        let action = self.judging()?.judge(read.number, &record, SubjectStatus::Unknown)?;
        Ok(verdict(action))
    }

    fn names(&self, read: &Read<'_>, text: &[u8]) -> bool {
        self.fields.names(read.facts).stand_in(text)
    }

    fn anonymised(&mut self, read: &Read<'_>, named: bool) -> Result<RecordVerdict, Refusal> {
        let fields = Arc::clone(&self.fields);
        let record = of_record(&fields, read);
        let action = self.judging()?.anonymised(read.number, &record, SubjectStatus::Unknown, named);
        Ok(if action == RecordAction::Anonymise { RecordVerdict::Keep } else { RecordVerdict::Drop })
    }

    fn unread(&mut self) -> Result<(), Refusal> {
        self.over(Judging::unread)
    }

    fn end(&mut self) -> Result<(), Refusal> {
        self.over(Judging::end)
    }
}

fn of_record<'f>(fields: &Fields, read: &Read<'f>) -> Record<'f> {
    let mut record = fields.read(read.facts);
    if read.special {
        record.holds_special();
    }
    record
}

const fn verdict(action: RecordAction) -> RecordVerdict {
    match action {
        RecordAction::Pass => RecordVerdict::Keep,
        RecordAction::Anonymise => RecordVerdict::Anonymise,
        RecordAction::Drop | RecordAction::Refuse => RecordVerdict::Drop,
    }
}

/// The plans of all tenants that want their records judged.
pub(super) type RecordPlans = BTreeMap<TenantId, Arc<RecordPlan>>;
