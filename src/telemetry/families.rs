//! The families of series, made from the catalogue.

use std::collections::{HashMap, HashSet};

use prometheus::core::Collector;
use prometheus::{
    Counter, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};

use super::catalogue::{self as defs, Def, Type};
use super::labels::{ConnectionState, Handshake, Listener, TlsVersion};
use crate::names::Direction;

/// The families of series.
pub(super) struct Families {
    pub(super) requests: IntCounterVec,
    pub(super) blocked: IntCounterVec,
    pub(super) duration: HistogramVec,
    pub(super) first_byte: HistogramVec,
    pub(super) overhead: HistogramVec,
    /// By [`Listener`].
    pub(super) in_flight: [IntGauge; Listener::ALL.len()],
    pub(super) connections: IntGaugeVec,
    pub(super) body_bytes: IntCounterVec,
    pub(super) body_size: [Histogram; 2],
    pub(super) records: IntCounterVec,
    pub(super) record_findings: IntCounterVec,
    pub(super) consent: IntCounterVec,
    pub(super) censored: IntCounterVec,
    pub(super) dry_values: IntCounterVec,
    pub(super) dry_requests: IntCounterVec,
    pub(super) dry_until: IntGaugeVec,
    pub(super) analysed: IntCounterVec,
    pub(super) isolation: IntCounterVec,
    pub(super) upstream_requests: IntCounterVec,
    pub(super) upstream_duration: HistogramVec,
    pub(super) upstream_errors: IntCounterVec,
    pub(super) upstream_in_flight: IntGaugeVec,
    pub(super) undos: IntGauge,
    pub(super) tasks: IntGaugeVec,
    pub(super) tasks_oldest: IntGauge,
    pub(super) config_reloads: IntCounterVec,
    pub(super) config_ok: IntGauge,
    pub(super) config_time: IntGauge,
    pub(super) config_info: IntGaugeVec,
    pub(super) handshakes: IntCounterVec,
    pub(super) not_after: IntGaugeVec,
    pub(super) series_dropped: IntCounter,
}

/// Builds families and registers them.
pub(super) struct Builder<'a>(pub(super) &'a Registry);

impl Builder<'_> {
    fn add<C: Collector + Clone + 'static>(&self, family: C) -> Result<C, prometheus::Error> {
        self.0.register(Box::new(family.clone()))?;
        Ok(family)
    }

    pub(super) fn counters(&self, def: &Def) -> Result<IntCounterVec, prometheus::Error> {
        self.add(IntCounterVec::new(Opts::new(def.name, def.help), def.labels)?)
    }

    pub(super) fn gauges(&self, def: &Def) -> Result<IntGaugeVec, prometheus::Error> {
        self.add(IntGaugeVec::new(Opts::new(def.name, def.help), def.labels)?)
    }

    pub(super) fn counter(&self, def: &Def) -> Result<IntCounter, prometheus::Error> {
        self.add(IntCounter::new(def.name, def.help)?)
    }

    pub(super) fn seconds(&self, def: &Def) -> Result<Counter, prometheus::Error> {
        self.add(Counter::new(def.name, def.help)?)
    }

    pub(super) fn gauge(&self, def: &Def) -> Result<IntGauge, prometheus::Error> {
        self.add(IntGauge::new(def.name, def.help)?)
    }

    fn histograms(&self, def: &Def) -> Result<HistogramVec, prometheus::Error> {
        let opts = HistogramOpts::new(def.name, def.help);
        let opts = match def.kind {
            Type::Histogram(buckets) => opts.buckets(buckets.to_vec()),
            Type::Counter | Type::Gauge => opts,
        };
        self.add(HistogramVec::new(opts, def.labels)?)
    }
}

impl Families {
    pub(super) fn new(builder: &Builder<'_>) -> Result<Self, prometheus::Error> {
        let in_flight = builder.gauges(&defs::IN_FLIGHT)?;
        let sizes = builder.histograms(&defs::BODY_SIZE)?;
        let size = |direction: Direction| sizes.with_label_values(&[direction.as_str()]);
        Ok(Self {
            requests: builder.counters(&defs::REQUESTS)?,
            blocked: builder.counters(&defs::BLOCKED)?,
            duration: builder.histograms(&defs::DURATION)?,
            first_byte: builder.histograms(&defs::FIRST_BYTE)?,
            overhead: builder.histograms(&defs::OVERHEAD_SECONDS)?,
            in_flight: [Listener::Data, Listener::Metrics]
                .map(|l| in_flight.with_label_values(&[l.as_str()])),
            connections: builder.gauges(&defs::CONNECTIONS)?,
            body_bytes: builder.counters(&defs::BODY_BYTES)?,
            body_size: [size(Direction::Request), size(Direction::Response)],
            records: builder.counters(&defs::RECORDS)?,
            record_findings: builder.counters(&defs::RECORD_FINDINGS)?,
            consent: builder.counters(&defs::CONSENT)?,
            censored: builder.counters(&defs::CENSORED)?,
            dry_values: builder.counters(&defs::DRY_VALUES)?,
            dry_requests: builder.counters(&defs::DRY_REQUESTS)?,
            dry_until: builder.gauges(&defs::DRY_UNTIL)?,
            analysed: builder.counters(&defs::ANALYSED)?,
            isolation: builder.counters(&defs::ISOLATION)?,
            upstream_requests: builder.counters(&defs::UPSTREAM_REQUESTS)?,
            upstream_duration: builder.histograms(&defs::UPSTREAM_DURATION)?,
            upstream_errors: builder.counters(&defs::UPSTREAM_ERRORS)?,
            upstream_in_flight: builder.gauges(&defs::UPSTREAM_IN_FLIGHT)?,
            undos: builder.gauge(&defs::UPSTREAM_UNDOS)?,
            tasks: builder.gauges(&defs::TASKS)?,
            tasks_oldest: builder.gauge(&defs::TASKS_OLDEST)?,
            config_reloads: builder.counters(&defs::CONFIG_RELOADS)?,
            config_ok: builder.gauge(&defs::CONFIG_OK)?,
            config_time: builder.gauge(&defs::CONFIG_TIME)?,
            config_info: builder.gauges(&defs::CONFIG_INFO)?,
            handshakes: builder.counters(&defs::HANDSHAKES)?,
            not_after: builder.gauges(&defs::NOT_AFTER)?,
            series_dropped: builder.counter(&defs::SERIES_DROPPED)?,
        })
    }

    /// Series that are known before anything happens.
    pub(super) fn at_zero(&self) {
        for listener in Listener::ALL {
            for state in ConnectionState::ALL {
                self.connections.with_label_values(&[listener.as_str(), state.as_str()]);
            }
        }
        let data = Listener::Data.as_str();
        for version in [TlsVersion::V12, TlsVersion::V13] {
            self.handshakes.with_label_values(&[data, Handshake::Ok.as_str(), version.as_str()]);
        }
        for result in Handshake::ALL.iter().filter(|result| **result != Handshake::Ok) {
            self.handshakes.with_label_values(&[data, result.as_str(), TlsVersion::None.as_str()]);
        }
        for result in ["success", "failure"] {
            self.config_reloads.with_label_values(&[result]);
        }
    }

    /// Removes the series of names that are gone. A request that is under way may still make one anew: the next
    /// load removes it.
    pub(super) fn forget(&self, label: &str, keep: &HashSet<&str>) {
        for family in [
            &self.requests,
            &self.blocked,
            &self.body_bytes,
            &self.records,
            &self.record_findings,
            &self.consent,
            &self.dry_requests,
            &self.isolation,
            &self.upstream_requests,
            &self.upstream_errors,
        ] {
            forget(family, label, keep, |labels| family.remove(labels));
        }
        for family in [&self.duration, &self.first_byte, &self.overhead, &self.upstream_duration] {
            forget(family, label, keep, |labels| family.remove(labels));
        }
        forget(&self.upstream_in_flight, label, keep, |labels| self.upstream_in_flight.remove(labels));
    }
}

fn forget(
    family: &impl Collector,
    label: &str,
    keep: &HashSet<&str>,
    remove: impl Fn(&HashMap<&str, &str>) -> Result<(), prometheus::Error>,
) {
    for metrics in family.collect() {
        for metric in metrics.get_metric() {
            let labels: HashMap<_, _> =
                metric.get_label().iter().map(|pair| (pair.name(), pair.value())).collect();
            if labels.get(label).is_some_and(|value| !keep.contains(value)) {
                // It may be gone already; then it is as it should be.
                drop(remove(&labels));
            }
        }
    }
}
