//! Handles that were resolved before the request came: counting is atomics only.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use prometheus::{Histogram, IntCounter, IntGauge};

use super::families::Families;
use super::labels::{CLASSES, METHODS, Stage, class_index, method_index};
use crate::audit::{Decision, Entry};
use crate::names::{Direction, Purpose};
use crate::reason::Reason;

/// A gauge that counts something for as long as this is held. For requests: in the answer's body.
#[derive(Debug)]
pub struct Held(IntGauge);

impl Held {
    pub(super) fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Where the time of one request went.
#[derive(Clone, Debug)]
pub struct Stopwatch {
    began: Instant,
    first_byte: Option<Duration>,
    own: [Duration; Stage::ALL.len()],
}

impl Stopwatch {
    /// The request's head has come.
    #[must_use]
    pub fn start() -> Self {
        Self { began: Instant::now(), first_byte: None, own: [Duration::ZERO; Stage::ALL.len()] }
    }

    /// When it was started.
    #[must_use]
    pub const fn began(&self) -> Instant {
        self.began
    }

    /// The gateway itself was busy for so long.
    pub fn add(&mut self, stage: Stage, time: Duration) {
        self.own[stage as usize] += time;
    }

    /// Does something and adds the time that it took.
    pub fn time<T>(&mut self, stage: Stage, run: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let result = run();
        self.add(stage, began.elapsed());
        result
    }

    /// How long it took to the answer's first byte, or until now.
    #[must_use]
    pub fn to_first_byte(&self) -> Duration {
        self.first_byte.unwrap_or_else(|| self.began.elapsed())
    }

    /// The first byte of the answer goes out.
    pub fn first_byte(&mut self) {
        self.first_byte.get_or_insert_with(|| self.began.elapsed());
    }
}

/// Counters of a tenant.
pub(super) struct TenantCounters {
    pub(super) label: Arc<str>,
    /// By [`Reason`]; made at once for few tenants, at first use for many.
    blocked: Vec<OnceLock<IntCounter>>,
    bytes: [IntCounter; 2],
    /// By purpose and outcome, made at first use.
    records: [[OnceLock<IntCounter>; OUTCOMES.len()]; Purpose::ALL.len()],
}

/// What became of records.
const OUTCOMES: [&str; 4] = ["passed", "censored", "dropped", "anonymised"];

impl TenantCounters {
    pub(super) fn new(families: &Families, label: &str, at_zero: bool) -> Self {
        let bytes =
            |direction: Direction| families.body_bytes.with_label_values(&[label, direction.as_str()]);
        let counters = Self {
            label: label.into(),
            blocked: Reason::ALL.iter().map(|_| OnceLock::new()).collect(),
            bytes: [bytes(Direction::Request), bytes(Direction::Response)],
            records: Default::default(),
        };
        if at_zero {
            for reason in Reason::ALL {
                counters.blocked(families, *reason);
            }
        }
        counters
    }

    fn blocked(&self, families: &Families, reason: Reason) -> IntCounter {
        let make = || families.blocked.with_label_values(&[&*self.label, reason.code()]);
        // `ALL` is in the order of declaration, so the variant is the index.
        self.blocked.get(reason as usize).map_or_else(make, |cell| cell.get_or_init(make).clone())
    }
}

/// Histograms of a route, made at first use.
pub(super) struct RouteHistograms {
    pub(super) label: Arc<str>,
    duration: [OnceLock<Histogram>; CLASSES.len()],
    first_byte: OnceLock<Histogram>,
    overhead: [OnceLock<Histogram>; Stage::ALL.len()],
}

impl RouteHistograms {
    pub(super) fn new(label: &str) -> Self {
        Self {
            label: label.into(),
            duration: Default::default(),
            first_byte: OnceLock::new(),
            overhead: Default::default(),
        }
    }

    fn observe(&self, families: &Families, class: usize, watch: &Stopwatch) {
        let duration = self.duration[class]
            .get_or_init(|| families.duration.with_label_values(&[&*self.label, CLASSES[class]]));
        duration.observe(watch.began.elapsed().as_secs_f64());
        if let Some(first_byte) = watch.first_byte {
            let histogram =
                self.first_byte.get_or_init(|| families.first_byte.with_label_values(&[&*self.label]));
            histogram.observe(first_byte.as_secs_f64());
        }
        for stage in Stage::ALL {
            let own = watch.own[*stage as usize];
            if own > Duration::ZERO {
                let make = || families.overhead.with_label_values(&[&*self.label, stage.as_str()]);
                self.overhead[*stage as usize].get_or_init(make).observe(own.as_secs_f64());
            }
        }
    }
}

const CELLS: usize = METHODS.len() * CLASSES.len() * Decision::ALL.len();

/// Counts the requests of one tenant on one route.
pub struct RequestMeter {
    families: Arc<Families>,
    tenant: Arc<TenantCounters>,
    route: Arc<RouteHistograms>,
    cells: OnceLock<Box<[OnceLock<IntCounter>]>>,
}

impl RequestMeter {
    pub(super) const fn new(
        families: Arc<Families>,
        tenant: Arc<TenantCounters>,
        route: Arc<RouteHistograms>,
    ) -> Self {
        Self { families, tenant, route, cells: OnceLock::new() }
    }

    /// Counts a request that has ended, from what the audit trail says of it.
    pub fn record(&self, entry: &Entry, method: &Method, watch: &Stopwatch) {
        let class = class_index(entry.status);
        if let Some(cell) = self.cell(method_index(method), class, entry.decision) {
            cell.inc();
        }
        if let Some(reason) = entry.reason {
            self.tenant.blocked(&self.families, reason).inc();
        }
        self.route.observe(&self.families, class, watch);
        let families = &self.families;
        for (n, bytes) in
            [entry.bytes_in, entry.bytes_out].into_iter().enumerate().filter(|(_, bytes)| *bytes > 0)
        {
            self.tenant.bytes[n].inc_by(bytes);
            #[expect(clippy::cast_precision_loss, reason = "a bucket of sizes needs no exact byte")]
            families.body_size[n].observe(bytes as f64);
        }
        let values = if entry.dry_run.is_some() { &families.dry_values } else { &families.censored };
        for found in &entry.found {
            let labels = [found.entity.as_str(), found.direction.as_str(), found.action];
            values.with_label_values(&labels).inc_by(found.count);
        }
        if let Some(would) = entry.dry_run {
            families.dry_requests.with_label_values(&[&*self.tenant.label, would.as_str()]).inc();
        }
        let records = entry.records;
        let purpose = entry.purpose.unwrap_or(Purpose::Inference);
        for found in entry.judged.iter().flat_map(|judged| &judged.findings) {
            let labels = [&*self.tenant.label, found.finding, found.action];
            families.record_findings.with_label_values(&labels).inc_by(found.count);
        }
        let counts = [records.passed, records.censored, records.dropped, records.anonymised];
        // The purposes are in the order of their declaration, so the variant is the index.
        for ((cell, outcome), count) in self.tenant.records[purpose as usize].iter().zip(OUTCOMES).zip(counts)
        {
            if count > 0 {
                let values = [&*self.tenant.label, purpose.as_str(), outcome];
                cell.get_or_init(|| families.records.with_label_values(&values)).inc_by(count);
            }
        }
    }

    /// Makes the series that nearly every tenant gets, so that their first increase is seen.
    pub(super) fn at_zero(&self) {
        let ok = class_index(Some(StatusCode::OK));
        let (denied, error) =
            (class_index(Some(StatusCode::FORBIDDEN)), class_index(Some(StatusCode::BAD_GATEWAY)));
        let post = method_index(&Method::POST);
        self.cell(post, ok, Decision::Forward);
        self.cell(post, ok, Decision::Censored);
        self.cell(post, denied, Decision::Denied);
        self.cell(post, error, Decision::Error);
    }

    fn cell(&self, method: usize, class: usize, decision: Decision) -> Option<&IntCounter> {
        let cells = self.cells.get_or_init(|| (0..CELLS).map(|_| OnceLock::new()).collect());
        let index = (method * CLASSES.len() + class) * Decision::ALL.len() + decision as usize;
        let make = || {
            let values =
                [&*self.tenant.label, &*self.route.label, METHODS[method], CLASSES[class], decision.as_str()];
            self.families.requests.with_label_values(&values)
        };
        cells.get(index).map(|cell| cell.get_or_init(make))
    }
}

/// Counts the requests to one upstream.
pub struct UpstreamMeter {
    families: Arc<Families>,
    label: Arc<str>,
    answered: [OnceLock<IntCounter>; CLASSES.len()],
    duration: Histogram,
    in_flight: IntGauge,
}

impl UpstreamMeter {
    pub(super) fn new(families: Arc<Families>, label: &str) -> Self {
        let meter = Self {
            duration: families.upstream_duration.with_label_values(&[label]),
            in_flight: families.upstream_in_flight.with_label_values(&[label]),
            label: label.into(),
            answered: Default::default(),
            families,
        };
        for class in 2..CLASSES.len() {
            meter.answers(class);
        }
        let upstreams_fault = |reason: &&Reason| reason.code().starts_with("upstream_");
        for reason in Reason::ALL.iter().filter(upstreams_fault) {
            meter.families.upstream_errors.with_label_values(&[&*meter.label, reason.code()]);
        }
        meter
    }

    fn answers(&self, class: usize) -> &IntCounter {
        let make = || self.families.upstream_requests.with_label_values(&[&*self.label, CLASSES[class]]);
        self.answered[class].get_or_init(make)
    }

    /// A request goes out; held until its answer's last byte.
    #[must_use]
    pub fn begin(&self) -> Held {
        Held::new(&self.in_flight)
    }

    /// The head of the answer came after so long.
    pub fn answered(&self, status: StatusCode, after: Duration) {
        self.answers(class_index(Some(status))).inc();
        self.duration.observe(after.as_secs_f64());
    }

    /// The upstream did not answer as it should.
    pub fn failed(&self, reason: Reason) {
        self.families.upstream_errors.with_label_values(&[&*self.label, reason.code()]).inc();
    }
}
