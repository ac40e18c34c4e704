//! Whether the gateway lives, has started, and can take requests.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use jiff::Timestamp;

/// Something that has to work for requests to be taken, asked at every probe.
pub struct Check {
    /// Its name in the answer of `/readyz`.
    pub name: &'static str,
    /// Whether it works; must not wait.
    pub works: Box<dyn Fn() -> bool + Send + Sync>,
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Check({})", self.name)
    }
}

/// The state that probes ask for.
#[derive(Debug)]
pub struct Health {
    started: AtomicBool,
    draining: AtomicBool,
    /// Seconds since 1970.
    certificate_until: AtomicI64,
    checks: Vec<Check>,
}

impl Health {
    /// Not started yet. The checks are those of the store, the audit trail and whatever else has to work.
    #[must_use]
    pub const fn new(checks: Vec<Check>) -> Self {
        Self {
            started: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            certificate_until: AtomicI64::new(0),
            checks,
        }
    }

    /// The listeners are bound and the configuration is in force.
    pub fn set_started(&self) {
        self.started.store(true, Ordering::Release);
    }

    /// The gateway is shutting down: no new requests.
    pub fn set_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// The certificate in use ends at this time.
    pub fn set_certificate_until(&self, end: Timestamp) {
        self.certificate_until.store(end.as_second(), Ordering::Release);
    }

    /// Whether the start is over.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }

    /// Whether the gateway is shutting down.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Whether requests can be taken, and the state of each part as JSON.
    #[must_use]
    pub fn readiness(&self) -> (bool, String) {
        let certificate = self.certificate_until.load(Ordering::Acquire) > Timestamp::now().as_second();
        let own = [
            ("started", self.is_started()),
            ("not_draining", !self.is_draining()),
            ("certificate", certificate),
        ];
        let mut ready = true;
        let mut parts = String::new();
        for (name, works) in
            own.into_iter().chain(self.checks.iter().map(|check| (check.name, (check.works)())))
        {
            ready &= works;
            // Writing into a String can't fail.
            let _ok = write!(parts, ",\"{name}\":{works}");
        }
        (ready, format!("{{\"ready\":{ready}{parts}}}\n"))
    }
}
