//! What is known of a request so far, and where it is written down at its end: one entry in the audit trail for the
//! decision, the metrics, and for refusals one line in the log.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Method, Request, Response, StatusCode};

use super::head;
use super::records::Judgings;
use super::shared::Shared;
use super::touched::Touched;
use super::unabandoned::Must;
use crate::audit::{AuditError, Decision, Entry, Found, Slot};
use crate::body::{Job, Meter};
use crate::catalog::{ErrorAnswer, Operation, problem};
use crate::censor::{Action, Exchange, Tally};
use crate::config::Route;
use crate::consent::Permit;
use crate::identity::Caller;
use crate::isolation::NotTheirs;
use crate::listener::{Connection, RequestBody};
use crate::names::{ClientTag, Direction, Entity, Kind, OperationId, Purpose, RequestId, UpstreamId};
use crate::reason::{Blame, Reason, Refusal, SafeText};
use crate::telemetry::{ConsentOutcome, Held, Stage, Stopwatch, Trace, Violation};

/// What is known of a request so far.
pub(super) struct Trail {
    shared: Arc<Shared>,
    id: RequestId,
    client: ClientTag,
    trace: Trace,
    watch: Stopwatch,
    /// It was counted.
    counted: bool,
    method: Method,
    slot: Option<Slot>,
    must: Must,
    route: Option<Arc<Route>>,
    caller: Option<Caller>,
    operation: Option<OperationId>,
    purpose: Option<Purpose>,
    /// The decision has to be on the disk before it takes effect.
    durable: bool,
    not_theirs: Option<Kind>,
    touched: Touched,
    exchange: Option<Exchange>,
    /// What was found on the way up; the rest of the exchange's findings are the answer's.
    up: Option<Tally>,
    meter: Option<Arc<Meter>>,
    judgings: Option<Judgings>,
    bytes: [u64; 2],
    status: Option<StatusCode>,
    /// The entry of the decision, until the request is counted.
    written: Option<Entry>,
    /// The beginning and the sum of what was waited for upstream.
    waited: Duration,
    since: Option<Instant>,
    /// Counts the request as under way upstream.
    under_way: Option<Held>,
}

impl Trail {
    /// A request has arrived.
    pub(super) fn begin(
        shared: Arc<Shared>,
        id: RequestId,
        connection: &Connection,
        request: &Request<RequestBody>,
        (slot, must): (Slot, Must),
    ) -> Self {
        let touched = Touched::new(&shared.keyer);
        Self {
            shared,
            id,
            client: connection.client,
            trace: head::trace(request.headers(), id),
            watch: Stopwatch::start(),
            counted: false,
            method: request.method().clone(),
            slot: Some(slot),
            must,
            route: None,
            caller: None,
            operation: None,
            purpose: None,
            durable: false,
            not_theirs: None,
            touched,
            exchange: None,
            up: None,
            meter: None,
            judgings: None,
            bytes: [0; 2],
            status: None,
            written: None,
            waited: Duration::ZERO,
            since: None,
            under_way: None,
        }
    }

    pub(super) const fn id(&self) -> RequestId {
        self.id
    }

    /// Where the resources are noted that the request touches.
    pub(super) fn touched(&self) -> Touched {
        self.touched.clone()
    }

    pub(super) fn on(&mut self, route: Option<Arc<Route>>) {
        self.route = route;
    }

    pub(super) fn by(&mut self, caller: &Caller) {
        self.caller = Some(caller.clone());
    }

    /// What a request that is refused was for. Nothing of it is done.
    pub(super) fn meant(&mut self, operation: Option<&Operation>) {
        self.operation = operation.map(|operation| operation.id.clone());
    }

    pub(super) fn asking(&mut self, operation: &Operation) {
        self.operation = Some(operation.id.clone());
        self.purpose = Some(operation.purpose);
        // Changes are on the disk before they are answered.
        let creates = operation.creates.iter().any(|creation| creation.when.is_none());
        self.durable |= creates || operation.ends.is_some() || operation.assembly.is_some();
    }

    pub(super) fn exchange(&mut self, exchange: Exchange) {
        self.exchange = Some(exchange);
    }

    /// Where it is noted what becomes of the records of its files.
    pub(super) fn judges(&mut self, judgings: Option<&Judgings>) {
        self.judgings = judgings.cloned();
    }

    pub(super) fn meter(&mut self, job: &Job) {
        self.meter = Some(Arc::clone(&job.meter));
    }

    /// The ledger was asked.
    pub(super) fn asked(&mut self, purposes: &BTreeSet<Purpose>, refusal: Option<&Refusal>) {
        for purpose in purposes {
            self.purpose = Some(*purpose);
            self.durable = true;
            let tenant = self.caller.as_ref().map(|c| &c.tenant);
            let outcome = if refusal.is_some() { ConsentOutcome::Deny } else { ConsentOutcome::Permit };
            self.shared.metrics.consent(tenant, *purpose, outcome, refusal.map(|r| r.reason));
        }
    }

    /// The request brings something into being.
    pub(super) const fn creates(&mut self) {
        self.durable = true;
    }

    /// The request asked to be stored, and that was turned off.
    pub(super) fn turned_off(&self) {
        let tenant = self.caller.as_ref().map(|c| &c.tenant);
        self.shared.metrics.consent(tenant, Purpose::Store, ConsentOutcome::Strip, None);
    }

    pub(super) fn permitted(&mut self, permit: &Permit) {
        self.durable |= permit.training();
    }

    pub(super) fn not_theirs(&mut self, resource: &NotTheirs) {
        self.not_theirs = Some(resource.kind.clone());
        if resource.foreign
            && let Some(caller) = &self.caller
        {
            self.shared.metrics.violation(Some(&caller.tenant), Violation::CrossTenantId);
        }
    }

    /// It is known which kind of resource is not there.
    pub(super) const fn has_unknown(&self) -> bool {
        self.not_theirs.is_some()
    }

    /// The request goes upstream. What it changes there is recorded even if the caller goes away.
    pub(super) fn dispatched(&mut self, upstream: &UpstreamId) {
        self.under_way = Some(self.shared.metrics.upstream(upstream).begin());
        if self.durable {
            self.must.finish();
        }
        self.since = Some(Instant::now());
    }

    pub(super) fn upstream<B>(&mut self, upstream: &UpstreamId, answered: Result<&Response<B>, &Refusal>) {
        let took = self.since.take().map(|since| since.elapsed()).unwrap_or_default();
        self.waited += took;
        self.up = self.exchange.as_ref().map(Exchange::tally);
        let meter = self.shared.metrics.upstream(upstream);
        match answered {
            Ok(response) => meter.answered(response.status(), took),
            Err(refusal) => meter.failed(refusal.reason),
        }
    }

    /// Somebody else was waited for: the caller's body, the upstream's.
    pub(super) fn waited(&mut self, time: Duration) {
        self.waited += time;
    }

    pub(super) fn measure(&mut self, direction: Direction, bytes: u64) {
        self.bytes[usize::from(direction == Direction::Response)] = bytes;
    }

    /// The request was refused: it is on the disk before it is answered. If that can't be, the answer is that.
    pub(super) async fn refused(&mut self, refusal: Refusal) -> Refusal {
        self.must.finish();
        self.violated(refusal.reason);
        let decision = decision(refusal.reason);
        self.status = Some(refusal.reason.status());
        let mut refusal = refusal;
        let mut entry = self.entry(decision, Some(refusal.reason));
        if let Some(slot) = self.slot.take()
            && let Err(error) = slot.durable(&entry).await
        {
            refusal = Refusal::new(error.reason()).log(fault(&error));
            self.status = Some(refusal.reason.status());
            entry = self.entry(Decision::Error, Some(refusal.reason));
        }
        self.watch.first_byte();
        self.count(&entry);
        self.log(&refusal);
        refusal
    }

    /// Refusals that stopped an attempt on somebody else's.
    fn violated(&self, reason: Reason) {
        let violation = match reason {
            Reason::CredentialConflict => Violation::IdentityConflict,
            Reason::BypassRefused => Violation::BypassCredential,
            _ => return,
        };
        self.shared.metrics.violation(self.caller.as_ref().map(|c| &c.tenant), violation);
    }

    /// The request passed. Its entry is on the disk, or will be within the audit window.
    pub(super) async fn allowed(&mut self, status: StatusCode) -> Result<(), Refusal> {
        self.status = Some(status);
        let decision = self.passed();
        let Some(slot) = self.slot.take() else { return Ok(()) };
        let entry = self.entry(decision, None);
        if self.durable {
            self.must.finish();
            slot.durable(&entry).await.map_err(|error| Refusal::new(error.reason()).log(fault(&error)))?;
        } else {
            slot.write(&entry);
        }
        self.watch.first_byte();
        self.written = Some(entry);
        Ok(())
    }

    /// How a request that passed is called.
    fn passed(&self) -> Decision {
        match &self.exchange {
            Some(exchange) if !exchange.is_dry() && exchange.tally().total() > 0 => Decision::Censored,
            _ => Decision::Forward,
        }
    }

    /// What would have become of a request whose censor runs dry.
    fn dry(&self) -> Option<Decision> {
        let tally = self.exchange.as_ref().filter(|exchange| exchange.is_dry())?.tally();
        Some(match (tally.would_block, tally.total()) {
            (true, _) => Decision::Denied,
            (false, 0) => Decision::Forward,
            (false, _) => Decision::Censored,
        })
    }

    /// The answer is whole: the request is counted as it was written.
    pub(super) fn whole(&mut self) {
        if let Some(entry) = self.written.take() {
            self.count(&entry);
        }
    }

    /// What goes on with a body that is still under way. The decision was written; what the body brings is added.
    pub(super) fn hand_over(&mut self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            id: self.id,
            client: self.client,
            trace: self.trace,
            watch: self.watch.clone(),
            counted: false,
            method: self.method.clone(),
            slot: None,
            must: self.must.clone(),
            route: self.route.clone(),
            caller: self.caller.clone(),
            operation: self.operation.clone(),
            purpose: self.purpose,
            durable: self.durable,
            not_theirs: None,
            touched: self.touched.clone(),
            exchange: self.exchange.take(),
            up: self.up.take(),
            meter: self.meter.take(),
            judgings: self.judgings.take(),
            bytes: self.bytes,
            status: self.status,
            written: self.written.take(),
            waited: self.waited,
            since: None,
            under_way: self.under_way.take(),
        }
    }

    /// A body that was under way has come to its end.
    pub(super) async fn ended(&mut self) {
        let entry = self.entry(self.passed(), None);
        // What was found and made on the way was not known when the decision was written.
        let more = self
            .written
            .take()
            .is_some_and(|written| written.found != entry.found || written.resources != entry.resources);
        if more && let Ok(slot) = self.shared.audit.reserve().await {
            slot.write(&entry);
        }
        self.count(&entry);
    }

    /// A body that was under way had to be broken off.
    pub(super) async fn broken(&mut self, refusal: &Refusal) {
        let entry = self.entry(decision(refusal.reason), Some(refusal.reason));
        if let Err(error) = self.shared.audit.durable(&entry).await {
            tracing::error!(request = %self.id, %error, "the audit trail can't record");
        }
        self.written = None;
        self.count(&entry);
        self.log(refusal);
    }

    /// The answer to a refusal, in the shape of the API that was asked.
    pub(super) fn error(&self, refusal: &Refusal) -> ErrorAnswer {
        let id = self.id.to_string();
        match &self.route {
            Some(route) => route.catalog.error(refusal, &id, self.not_theirs.as_ref()),
            None => problem(refusal, &id),
        }
    }

    fn entry(&self, decision: Decision, reason: Option<Reason>) -> Entry {
        let mut entry = Entry::new(self.id, decision);
        entry.reason = reason;
        entry.tenant = self.caller.as_ref().map(|c| c.tenant.clone());
        entry.key = self.caller.as_ref().map(|c| c.key.clone());
        entry.peer = Some(self.client);
        entry.resources = self.touched.named();
        entry.route = self.route.as_ref().map(|r| r.name.clone());
        entry.operation.clone_from(&self.operation);
        entry.purpose = self.purpose;
        entry.generation = self.shared.live.load().snapshot().generation;
        entry.status = self.status;
        entry.dry_run = self.dry();
        entry.found = self.found();
        entry.bytes_in = self.meter.as_ref().map_or(0, |m| m.bytes()).max(self.bytes[0]);
        entry.bytes_out = self.bytes[1];
        // Records of a file that was refused went nowhere.
        if reason.is_none() {
            entry.records.passed = self.meter.as_ref().map_or(0, |m| m.records());
            entry.judged = self.judgings.as_ref().and_then(Judgings::recorded);
            if let Some(judged) = &entry.judged {
                entry.records.dropped = judged.dropped;
                entry.records.anonymised = judged.anonymised;
            }
        }
        entry
    }

    /// What was found, by direction. Values that a policy lets pass by name are not counted as treated.
    fn found(&self) -> Vec<Found> {
        let Some(exchange) = &self.exchange else { return Vec::new() };
        let tally = exchange.tally();
        let mut found = Vec::new();
        for count in tally.counts.iter().filter(|count| count.action != Action::Allow) {
            let up = match &self.up {
                None => count.count,
                Some(up) => {
                    let same = up.counts.iter().find(|c| c.rule == count.rule && c.action == count.action);
                    same.map_or(0, |c| c.count)
                }
            };
            let down = count.count.saturating_sub(up);
            for (direction, number) in [(Direction::Request, up), (Direction::Response, down)] {
                if number > 0 {
                    let entity = Entity::new(&count.entity);
                    found.push(Found { entity, direction, action: count.action.as_str(), count: number });
                }
            }
        }
        found
    }

    /// Counts the request, from the very entry that the audit trail has.
    fn count(&mut self, entry: &Entry) {
        self.counted = true;
        let tenant = self.caller.as_ref().map(|c| &c.tenant);
        let route = self.route.as_ref().map(|r| &r.name);
        let own = self.watch.to_first_byte().saturating_sub(self.waited);
        self.watch.add(Stage::Decide, own);
        self.shared.metrics.meter(tenant, route).record(entry, &self.method, &self.watch);
    }

    fn log(&self, refusal: &Refusal) {
        let tenant = self.caller.as_ref().map(|c| c.tenant.as_str()).unwrap_or_default();
        let key = self.caller.as_ref().map(|c| c.key.as_str()).unwrap_or_default();
        let operation = self.operation.as_ref().map(OperationId::as_str).unwrap_or_default();
        let detail = refusal.detail.as_ref().map(|d| d.as_str()).unwrap_or_default();
        let log = refusal.log.as_ref().map(|d| d.as_str()).unwrap_or_default();
        let (request, client, reason) = (self.id, self.client, refusal.reason.code());
        let trace = self.trace.trace_id();
        match refusal.reason.blame() {
            Blame::Client | Blame::Policy => {
                tracing::info!(%request, trace, %client, tenant, key, operation, reason, detail, log, "refused");
            }
            Blame::Upstream | Blame::Us => {
                tracing::warn!(%request, trace, %client, tenant, key, operation, reason, detail, log, "failed");
            }
        }
    }
}

/// The audit trail's failure in words for the log.
fn fault(error: &AuditError) -> SafeText {
    SafeText::from(match error {
        AuditError::Full => "the audit trail has no room left",
        AuditError::Failed(_) => "the audit trail's medium failed",
        AuditError::Locked => "another process writes the audit trail",
        AuditError::Broken(_) => "the audit trail is broken",
        AuditError::Closed => "the audit trail is closed",
    })
}

const fn decision(reason: Reason) -> Decision {
    match reason.blame() {
        Blame::Client | Blame::Policy => Decision::Denied,
        Blame::Upstream | Blame::Us => Decision::Error,
    }
}

/// A caller that went away, before its answer or in the middle of it, is recorded and counted all the same.
impl Drop for Trail {
    fn drop(&mut self) {
        // A panic has an entry of its own.
        if self.counted || std::thread::panicking() {
            return;
        }
        if let Some(slot) = self.slot.take() {
            let reason = Reason::ClientGone;
            self.status = None;
            let entry = self.entry(decision(reason), Some(reason));
            slot.write(&entry);
            self.count(&entry);
        } else if let Some(entry) = self.written.take() {
            self.count(&entry);
        }
    }
}
