//! Files of requests (batches): every line is judged as if it were sent by itself.

use std::sync::Arc;

use http::HeaderMap;

use super::asked::Asked;
use super::plan::{LinePlan, Plan};
use super::seen::Seen;
use super::stages::{Recognised, may_call};
use crate::body::json::{JsonTransform, read};
use crate::body::{Embedded, FactValue, Job, Transform};
use crate::catalog::{Lines, Operation, Params};
use crate::config::Tenant;
use crate::identity::Caller;
use crate::names::Purpose;
use crate::reason::{Reason, Refusal, SafeText};

/// Judges the lines of one file.
#[derive(Clone)]
pub(super) struct LineJudge {
    /// The plans of the operations that a line may ask for.
    plans: Arc<[Arc<Plan>]>,
    tenant: Arc<Tenant>,
    caller: Caller,
    /// The tenant has no grant for the upstream to store.
    unstored: bool,
    asked: Asked,
}

impl LineJudge {
    /// Judges lines of the request's own file, if it may hold any.
    pub(super) fn of(request: &Recognised, asked: Asked) -> Option<Self> {
        request.operation().lines.as_ref().map(|lines| Self::new(request, lines, asked))
    }

    pub(super) fn new(request: &Recognised, lines: &Lines, asked: Asked) -> Self {
        let operations = lines.operations.as_slice();
        let route = &request.received.route.name;
        let plans = operations.iter().filter_map(|id| request.received.live.plans().get(route, id).cloned());
        Self {
            plans: plans.collect(),
            tenant: Arc::clone(&request.tenant),
            caller: request.caller.clone(),
            unstored: !request.store_granted,
            asked,
        }
    }

    /// The plan of the operation that a line asks for.
    fn plan(&self, job: &Job, line: &[u8], lines: &LinePlan) -> Result<&Arc<Plan>, Refusal> {
        let words = read(job, &lines.words, line)?;
        let word = |at| match words.first(at) {
            Some(FactValue::Text(word)) => Some(&**word),
            _ => None,
        };
        let (method, url) = (word(0), word(1));
        let fits = |o: &Operation| method == Some(o.method.as_str()) && url == Some(&*o.template);
        self.plans.iter().find(|plan| fits(&plan.operation)).ok_or_else(|| {
            Refusal::new(Reason::FieldNotAllowed).detail("a request that may not stand in such a file")
        })
    }

    /// Who censors a line: what would censor the request that it is, if it were sent by itself.
    fn job(&self, job: &Job, plan: &Plan) -> Job {
        let mut job = job.clone();
        let operation = &plan.operation.id;
        job.engine = Arc::clone(&self.tenant.engines(operation).request);
        if self.tenant.refuse_media.contains(operation) {
            job.embedded = Embedded::Block;
        }
        job
    }

    fn judge(&self, plan: &Plan, facts: &crate::body::Facts) -> Result<(), Refusal> {
        let (none, headers) = (Params::default(), HeaderMap::new());
        let form = crate::body::Facts::default();
        let seen = Seen { plan, path: &none, query: &none, headers: &headers, json: facts, form: &form };
        for refuses in &plan.operation.refuses {
            if seen.holds(&refuses.when) {
                return Err(Refusal::new(refuses.reason));
            }
        }
        if self.unstored && !self.tenant.store_turned_off && seen.asks_to_store() {
            return Err(super::bound::not_stored());
        }
        may_call(&self.caller, &plan.operation)?;
        for purpose in seen.purposes() {
            // What a third party gets depends on the tenant's grants, not on what the key is for.
            if purpose != Purpose::Share {
                self.caller.may(purpose)?;
            }
            self.asked.use_for(purpose);
        }
        for named in seen.named()? {
            self.asked.name(named)?;
        }
        Ok(())
    }
}

/// Censors a file of requests.
pub(super) struct LinesTransform {
    job: Job,
    judge: LineJudge,
    line: Vec<u8>,
    longest: usize,
    number: u64,
}

impl LinesTransform {
    pub(super) const fn new(job: Job, judge: LineJudge, longest: usize) -> Self {
        Self { job, judge, line: Vec::new(), longest, number: 0 }
    }

    fn take(&mut self, piece: &[u8]) -> Result<(), Refusal> {
        if self.line.len() + piece.len() > self.longest {
            return Err(self.at_line(self.job.refuse(Reason::RecordTooLarge)));
        }
        self.line.extend_from_slice(piece);
        Ok(())
    }

    fn at_line(&self, refusal: Refusal) -> Refusal {
        let line = SafeText::numbered("line", self.number);
        let detail = match &refusal.detail {
            Some(more) => line.and(more),
            None => line,
        };
        refusal.detail(detail)
    }

    fn end_line(&mut self, ending: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.number += 1;
        let line = std::mem::take(&mut self.line);
        let before = out.len();
        let done = self.one(&line, out).map_err(|refusal| self.at_line(refusal));
        self.line = line;
        self.line.clear();
        match done {
            Ok(()) => out.extend_from_slice(ending),
            // What was put out before may go on; of a line that is refused nothing does.
            Err(_) => out.truncate(before),
        }
        done
    }

    fn one(&self, line: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        if line.iter().all(u8::is_ascii_whitespace) {
            out.extend_from_slice(line);
            return Ok(());
        }
        let Some(first) = self.judge.plans.first() else {
            return Err(Refusal::new(Reason::Internal).log("a file of requests without operations"));
        };
        let Some(lines) = &first.lines else {
            return Err(Refusal::new(Reason::Internal).log("an operation that can't stand in a line"));
        };
        let plan = self.judge.plan(&self.job, line, lines)?;
        let Some(lines) = &plan.lines else {
            return Err(Refusal::new(Reason::Internal).log("an operation that can't stand in a line"));
        };
        let json = if self.judge.unstored { &lines.unstored } else { &lines.plain };
        let mut transform = JsonTransform::new(self.judge.job(&self.job, plan), Arc::clone(json));
        transform.push(line, out)?;
        transform.finish(out)?;
        self.judge.judge(plan, transform.facts())
    }
}

impl Transform for LinesTransform {
    fn push(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        while let Some(end) = memchr::memchr(b'\n', input) {
            let (piece, rest) = input.split_at(end + 1);
            self.take(&piece[..end])?;
            self.end_line(b"\n", out)?;
            input = rest;
        }
        self.take(input)
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if self.line.is_empty() { Ok(()) } else { self.end_line(b"", out) }
    }

    fn held(&self) -> usize {
        self.line.capacity()
    }
}
