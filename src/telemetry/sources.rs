//! What other rooms count themselves: asked for at every scrape.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus::{Counter, IntCounter, IntCounterVec, IntGauge};

use super::catalogue as defs;
use super::families::Builder;
use crate::{audit, store};

type Ask<T> = Box<dyn Fn() -> T + Send + Sync>;

/// What the spool holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spool {
    /// Bytes in it.
    pub bytes: u64,
    /// Bytes that it may hold.
    pub limit: u64,
}

/// Whom to ask. What is not given stays at zero.
#[derive(Default)]
pub struct Sources {
    /// The store.
    pub store: Option<Ask<store::Stats>>,
    /// The audit trail.
    pub audit: Option<Ask<audit::Stats>>,
    /// The spool.
    pub spool: Option<Ask<Spool>>,
    /// Log lines that were dropped.
    pub log_lines_dropped: Option<Arc<AtomicU64>>,
}

pub(super) struct Pulled {
    sources: Sources,
    audit_events: IntCounterVec,
    audit_dropped: IntCounter,
    audit_syncs: IntCounter,
    audit_sync_seconds: Counter,
    audit_taken: IntGauge,
    audit_up: IntGauge,
    store_writes: IntCounterVec,
    store_commits: IntCounter,
    store_commit_seconds: Counter,
    store_lookups: IntCounterVec,
    store_cached: IntGauge,
    store_waiting: IntGauge,
    store_bytes: IntGauge,
    store_up: IntGauge,
    spool_bytes: IntGauge,
    spool_limit: IntGauge,
    log_dropped: IntCounter,
}

impl Pulled {
    pub(super) fn new(builder: &Builder<'_>) -> Result<Self, prometheus::Error> {
        let pulled = Self {
            sources: Sources::default(),
            audit_events: builder.counters(&defs::AUDIT_EVENTS)?,
            audit_dropped: builder.counter(&defs::AUDIT_DROPPED)?,
            audit_syncs: builder.counter(&defs::AUDIT_SYNCS)?,
            audit_sync_seconds: builder.seconds(&defs::AUDIT_SYNC_SECONDS)?,
            audit_taken: builder.gauge(&defs::AUDIT_TAKEN)?,
            audit_up: builder.gauge(&defs::AUDIT_UP)?,
            store_writes: builder.counters(&defs::STORE_WRITES)?,
            store_commits: builder.counter(&defs::STORE_COMMITS)?,
            store_commit_seconds: builder.seconds(&defs::STORE_COMMIT_SECONDS)?,
            store_lookups: builder.counters(&defs::STORE_LOOKUPS)?,
            store_cached: builder.gauge(&defs::STORE_CACHED)?,
            store_waiting: builder.gauge(&defs::STORE_WAITING)?,
            store_bytes: builder.gauge(&defs::STORE_BYTES)?,
            store_up: builder.gauge(&defs::STORE_UP)?,
            spool_bytes: builder.gauge(&defs::SPOOL_BYTES)?,
            spool_limit: builder.gauge(&defs::SPOOL_LIMIT)?,
            log_dropped: builder.counter(&defs::LOG_DROPPED)?,
        };
        pulled.store(&store::Stats::default());
        pulled.audit(&audit::Stats::default());
        Ok(pulled)
    }

    pub(super) fn watch(&mut self, sources: Sources) {
        self.sources = sources;
    }

    /// Asks everybody.
    pub(super) fn pull(&self) {
        let Sources { store, audit, spool, log_lines_dropped } = &self.sources;
        if let Some(ask) = store {
            self.store(&ask());
        }
        if let Some(ask) = audit {
            self.audit(&ask());
        }
        if let Some(ask) = spool {
            let Spool { bytes, limit } = ask();
            set(&self.spool_bytes, bytes);
            set(&self.spool_limit, limit);
        }
        if let Some(dropped) = log_lines_dropped {
            raise(&self.log_dropped, dropped.load(Ordering::Relaxed));
        }
    }

    fn store(&self, stats: &store::Stats) {
        raise(&self.store_writes.with_label_values(&["ok"]), stats.writes.saturating_sub(stats.faults));
        raise(&self.store_writes.with_label_values(&["fault"]), stats.faults);
        raise(&self.store_commits, stats.commits);
        raise_seconds(&self.store_commit_seconds, stats.commit_nanos);
        raise(&self.store_lookups.with_label_values(&["hit"]), stats.cache_hits);
        raise(&self.store_lookups.with_label_values(&["miss"]), stats.cache_misses);
        set(&self.store_cached, stats.cached);
        set(&self.store_waiting, stats.queued);
        set(&self.store_bytes, stats.bytes);
        set(&self.store_up, u64::from(stats.healthy));
    }

    fn audit(&self, stats: &audit::Stats) {
        raise(&self.audit_events.with_label_values(&["written"]), stats.written);
        raise(&self.audit_events.with_label_values(&["refused"]), stats.refused);
        raise(&self.audit_dropped, stats.abandoned);
        raise(&self.audit_syncs, stats.syncs);
        raise_seconds(&self.audit_sync_seconds, stats.sync_nanos);
        set(&self.audit_taken, stats.taken);
        set(&self.audit_up, u64::from(stats.healthy));
    }
}

/// Brings a counter to what its source has counted.
fn raise(counter: &IntCounter, to: u64) {
    counter.inc_by(to.saturating_sub(counter.get()));
}

fn raise_seconds(counter: &Counter, nanos: u64) {
    let seconds = std::time::Duration::from_nanos(nanos).as_secs_f64();
    counter.inc_by((seconds - counter.get()).max(0.0));
}

fn set(gauge: &IntGauge, value: u64) {
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
}
