//! The registry, and the table of handles for the configuration in force.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use prometheus::process_collector::ProcessCollector;
use prometheus::{Registry, TextEncoder};

use super::catalogue as defs;
use super::families::{Builder, Families};
use super::labels::{ConnectionState, ConsentOutcome, Handshake, Listener, TlsVersion, Violation};
use super::meters::{Held, RequestMeter, RouteHistograms, TenantCounters, UpstreamMeter};
use super::sources::{Pulled, Sources};
use crate::names::{NameMap, Purpose, RouteName, TenantId, UpstreamId};
use crate::reason::Reason;
use crate::store::Tally;

/// Tenants that have a label of their own.
const TENANTS: usize = 500;

/// Up to so many tenants, every series of theirs starts at zero; beyond, at its first increase.
const TENANTS_AT_ZERO: usize = 50;

const UNKNOWN: &str = "_unknown";
const OTHER: &str = "_other";

/// What runs here.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// Version of the package.
    pub version: &'static str,
    /// Revision of the sources.
    pub revision: &'static str,
    /// Version of the compiler.
    pub rustc: &'static str,
    /// The cryptography.
    pub tls_provider: &'static str,
}

impl Build {
    /// This program. Revision and compiler are given to the build by `CONSENTRY_REVISION` and `CONSENTRY_RUSTC`.
    pub const CURRENT: Self = Self {
        version: env!("CARGO_PKG_VERSION"),
        revision: match option_env!("CONSENTRY_REVISION") {
            Some(revision) => revision,
            None => "unknown",
        },
        rustc: match option_env!("CONSENTRY_RUSTC") {
            Some(rustc) => rustc,
            None => concat!(">=", env!("CARGO_PKG_RUST_VERSION")),
        },
        tls_provider: "aws-lc-rs",
    };
}

/// The configured names that are label values.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The tenants.
    pub tenants: Vec<TenantId>,
    /// The routes.
    pub routes: Vec<RouteName>,
    /// The upstreams.
    pub upstreams: Vec<UpstreamId>,
    /// The dry runs of the censor, and when they end.
    pub dry_runs: Vec<(TenantId, RouteName, Timestamp)>,
}

/// The handles of a tenant.
struct TenantMeters {
    label: Arc<str>,
    routes: NameMap<RouteName, Arc<RequestMeter>>,
    no_route: Arc<RequestMeter>,
}

/// The handles for the configuration in force.
struct Table {
    tenants: NameMap<TenantId, TenantMeters>,
    unknown: TenantMeters,
    other: TenantMeters,
    upstreams: NameMap<UpstreamId, Arc<UpstreamMeter>>,
}

impl Table {
    fn new(families: &Arc<Families>, names: &Names, labelled: &[TenantId]) -> Self {
        let unknown_route = Arc::new(RouteHistograms::new(UNKNOWN));
        let routes: Vec<_> = names
            .routes
            .iter()
            .map(|route| (route, Arc::new(RouteHistograms::new(route.as_str()))))
            .collect();
        let at_zero = labelled.len() <= TENANTS_AT_ZERO;
        let meters = |label: &str| {
            let counters = Arc::new(TenantCounters::new(families, label, at_zero));
            let meter = |route: &Arc<_>| {
                Arc::new(RequestMeter::new(families.clone(), counters.clone(), Arc::clone(route)))
            };
            let tenant = TenantMeters {
                label: label.into(),
                routes: routes.iter().map(|(name, route)| ((*name).clone(), meter(route))).collect(),
                no_route: meter(&unknown_route),
            };
            if at_zero {
                tenant.routes.values().for_each(|meter| meter.at_zero());
                for kind in Violation::ALL {
                    families.isolation.with_label_values(&[label, kind.as_str()]);
                }
            }
            tenant
        };
        let upstream = |id: &UpstreamId| Arc::new(UpstreamMeter::new(families.clone(), id.as_str()));
        Self {
            tenants: labelled.iter().map(|id| (id.clone(), meters(id.as_str()))).collect(),
            unknown: meters(UNKNOWN),
            other: meters(OTHER),
            upstreams: names.upstreams.iter().map(|id| (id.clone(), upstream(id))).collect(),
        }
    }

    fn tenant(&self, tenant: Option<&TenantId>) -> &TenantMeters {
        tenant.map_or(&self.unknown, |id| self.tenants.get(id).unwrap_or(&self.other))
    }
}

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    families: Arc<Families>,
    table: ArcSwap<Table>,
    /// Tenants with a label of their own, and those without: one load at a time.
    tenants: Mutex<Tenants>,
    pulled: Mutex<Pulled>,
}

#[derive(Default)]
struct Tenants {
    labelled: Vec<TenantId>,
    folded: HashSet<TenantId>,
}

impl Tenants {
    /// Who has a label keeps it; what is left goes to the others in their order. Gives how many are new beyond the cap.
    fn assign(&mut self, tenants: &[TenantId]) -> usize {
        let configured: HashSet<_> = tenants.iter().collect();
        self.labelled.retain(|tenant| configured.contains(tenant));
        let has: HashSet<_> = self.labelled.iter().cloned().collect();
        let mut folded = HashSet::new();
        for tenant in tenants.iter().filter(|tenant| !has.contains(tenant)) {
            if self.labelled.len() < TENANTS {
                self.labelled.push(tenant.clone());
            } else {
                folded.insert(tenant.clone());
            }
        }
        let new = folded.difference(&self.folded).count();
        self.folded = folded;
        new
    }
}

impl Metrics {
    /// A registry of its own, with everything at zero.
    ///
    /// # Errors
    /// Two metrics of one name: a mistake in the catalogue.
    pub fn new(build: &Build, names: &Names) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        registry.register(Box::new(ProcessCollector::for_self()))?;
        let builder = Builder(&registry);
        let Build { version, revision, rustc, tls_provider } = *build;
        builder.gauges(&defs::BUILD)?.with_label_values(&[version, revision, rustc, tls_provider]).set(1);
        let families = Arc::new(Families::new(&builder)?);
        families.at_zero();
        let pulled = Mutex::new(Pulled::new(&builder)?);
        let table = ArcSwap::from_pointee(Table::new(&families, &Names::default(), &[]));
        let metrics = Self { registry, families, table, tenants: Mutex::default(), pulled };
        metrics.reload(names);
        Ok(metrics)
    }

    /// Takes over the names of a new configuration; the series of names that are gone go with them.
    pub fn reload(&self, names: &Names) {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let new = tenants.assign(&names.tenants);
        self.families.series_dropped.inc_by(u64::try_from(new).unwrap_or(0));
        self.table.store(Arc::new(Table::new(&self.families, names, &tenants.labelled)));
        let own = [UNKNOWN, OTHER];
        let keep = tenants.labelled.iter().map(TenantId::as_str).chain(own).collect();
        self.families.forget("tenant", &keep);
        let keep = names.routes.iter().map(RouteName::as_str).chain(own).collect();
        self.families.forget("route", &keep);
        let keep = names.upstreams.iter().map(UpstreamId::as_str).chain(own).collect();
        self.families.forget("upstream", &keep);
        self.families.dry_until.reset();
        let table = self.table.load();
        for (tenant, route, until) in &names.dry_runs {
            let label = &table.tenant(Some(tenant)).label;
            self.families.dry_until.with_label_values(&[label, route.as_str()]).set(until.as_second());
        }
    }

    /// The handle for a tenant's requests on a route.
    #[must_use]
    pub fn meter(&self, tenant: Option<&TenantId>, route: Option<&RouteName>) -> Arc<RequestMeter> {
        let table = self.table.load();
        let tenant = table.tenant(tenant);
        Arc::clone(route.and_then(|route| tenant.routes.get(route)).unwrap_or(&tenant.no_route))
    }

    /// The handle for requests to an upstream.
    #[must_use]
    pub fn upstream(&self, upstream: &UpstreamId) -> Arc<UpstreamMeter> {
        let known = self.table.load().upstreams.get(upstream).cloned();
        known.unwrap_or_else(|| Arc::new(UpstreamMeter::new(self.families.clone(), OTHER)))
    }

    /// A request is under way, for as long as the guard is held: in its answer's body.
    #[must_use]
    pub fn in_flight(&self, listener: Listener) -> Held {
        Held::new(&self.families.in_flight[listener as usize])
    }

    /// A connection is in a state, for as long as the guard is held.
    #[must_use]
    pub fn connection(&self, listener: Listener, state: ConnectionState) -> Held {
        Held::new(&self.families.connections.with_label_values(&[listener.as_str(), state.as_str()]))
    }

    /// A handshake has ended.
    pub fn handshake(&self, listener: Listener, result: Handshake, version: TlsVersion) {
        let values = [listener.as_str(), result.as_str(), version.as_str()];
        self.families.handshakes.with_label_values(&values).inc();
    }

    /// The certificate in use, by the subject that stands in it.
    pub fn certificate(&self, listener: Listener, subject: &str, not_after: Timestamp) {
        self.families.not_after.reset();
        self.families.not_after.with_label_values(&[listener.as_str(), subject]).set(not_after.as_second());
    }

    /// A question of consent was decided; the reason is that of a refusal.
    pub fn consent(
        &self,
        tenant: Option<&TenantId>,
        purpose: Purpose,
        outcome: ConsentOutcome,
        reason: Option<Reason>,
    ) {
        let table = self.table.load();
        let reason = reason.map_or("none", Reason::code);
        let values = [&*table.tenant(tenant).label, purpose.as_str(), outcome.as_str(), reason];
        self.families.consent.with_label_values(&values).inc();
    }

    /// A question to an analyser has ended so.
    pub fn analysed(&self, analyser: &str, result: &str) {
        self.families.analysed.with_label_values(&[analyser, result]).inc();
    }

    /// Isolation was about to be broken.
    pub fn violation(&self, tenant: Option<&TenantId>, kind: Violation) {
        let table = self.table.load();
        self.families.isolation.with_label_values(&[&*table.tenant(tenant).label, kind.as_str()]).inc();
    }

    /// How the queue of what is to be done upstream stands.
    pub fn tasks(&self, tally: &Tally, now: Timestamp) {
        let set = |state: &str, many: u64| {
            let many = i64::try_from(many).unwrap_or(i64::MAX);
            self.families.tasks.with_label_values(&[state]).set(many);
        };
        set("open", tally.open);
        set("failed", tally.failed);
        set("held", tally.held);
        set("done", tally.done);
        self.families.undos.set(i64::try_from(tally.undos).unwrap_or(i64::MAX));
        let age = tally.oldest.map_or(0, |oldest| now.as_second() - oldest.as_second());
        self.families.tasks_oldest.set(age.max(0));
    }

    /// A configuration came into force; `hash` is its fingerprint.
    pub fn loaded(&self, hash: &str) {
        self.families.config_reloads.with_label_values(&["success"]).inc();
        self.families.config_ok.set(1);
        self.families.config_time.set(Timestamp::now().as_second());
        self.families.config_info.reset();
        self.families.config_info.with_label_values(&[hash]).set(1);
    }

    /// A configuration was refused.
    pub fn load_refused(&self) {
        self.families.config_reloads.with_label_values(&["failure"]).inc();
        self.families.config_ok.set(0);
    }

    /// Asks these at every scrape.
    pub fn watch(&self, sources: Sources) {
        self.pulled.lock().unwrap_or_else(PoisonError::into_inner).watch(sources);
    }

    /// Everything in Prometheus' text format, version 0.0.4.
    ///
    /// # Errors
    /// A name or label that the format does not allow: a mistake in the catalogue.
    pub fn encode(&self) -> Result<String, prometheus::Error> {
        self.pulled.lock().unwrap_or_else(PoisonError::into_inner).pull();
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}
