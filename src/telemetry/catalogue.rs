//! Every metric, once: the registry is filled from this table, and `docs/metrics.md` is written from it.

use std::fmt::Write;

/// Seconds of requests: inference and uploads are long.
const LATENCY: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];

/// Seconds of the gateway's own work.
const OVERHEAD: &[f64] =
    &[0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];

/// Bytes: powers of four from 256 to 1 GiB.
const SIZE: &[f64] = &[
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
    268_435_456.0,
    1_073_741_824.0,
];

/// The type of a metric.
#[derive(Clone, Copy, Debug)]
pub(super) enum Type {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by upper bounds.
    Histogram(&'static [f64]),
}

/// A metric.
#[derive(Debug)]
pub(super) struct Def {
    pub(super) name: &'static str,
    pub(super) kind: Type,
    pub(super) labels: &'static [&'static str],
    pub(super) help: &'static str,
}

macro_rules! defs {
    ($($id:ident = $kind:expr, $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(pub(super) const $id: Def = Def { name: $name, kind: $kind, labels: &[$($label),*], help: $help };)*

        /// Every metric but those of the process.
        const ALL: &[Def] = &[$($id),*];
    };
}

use Type::{Counter, Gauge, Histogram};

defs! {
    BUILD = Gauge, "consentry_build_info" ["version", "revision", "rustc", "tls_provider"]
        "What runs here; always 1.";
    // Requests
    REQUESTS = Counter, "consentry_requests_total" ["tenant", "route", "method", "code_class", "decision"]
        "Requests that have ended, by what became of them.";
    BLOCKED = Counter, "consentry_blocked_total" ["tenant", "reason"]
        "Requests that did not pass, by the one reason; equals the refusals in the audit trail.";
    DURATION = Histogram(LATENCY), "consentry_request_duration_seconds" ["route", "code_class"]
        "From the request's head to the last byte of its answer.";
    FIRST_BYTE = Histogram(LATENCY), "consentry_time_to_first_byte_seconds" ["route"]
        "From the request's head to the first byte of its answer.";
    OVERHEAD_SECONDS = Histogram(OVERHEAD), "consentry_gateway_overhead_seconds" ["route", "stage"]
        "The gateway's own time until the first byte of the answer, without what it waited for the caller's body and the upstream.";
    IN_FLIGHT = Gauge, "consentry_requests_in_flight" ["listener"]
        "Requests under way, until their answer's last byte.";
    CONNECTIONS = Gauge, "consentry_connections" ["listener", "state"]
        "Connections from callers.";
    BODY_BYTES = Counter, "consentry_request_body_bytes_total" ["tenant", "direction"]
        "Bytes of bodies as callers sent and got them; the answers' are direction=response.";
    BODY_SIZE = Histogram(SIZE), "consentry_body_size_bytes" ["direction"]
        "Sizes of bodies as callers sent and got them; empty bodies are left out.";
    // What they are about
    RECORDS = Counter, "consentry_records_total" ["tenant", "purpose", "outcome"]
        "Records in bodies (JSON lines, rows): passed, censored, anonymised or dropped.";
    RECORD_FINDINGS = Counter, "consentry_record_findings_total" ["tenant", "finding", "action"]
        "Records of data sets that did not simply pass, by what was found first and what became of them.";
    CONSENT = Counter, "consentry_consent_decisions_total" ["tenant", "purpose", "outcome", "reason"]
        "Questions of consent that were decided; reason is none where the answer is yes.";
    CENSORED = Counter, "consentry_censored_values_total" ["entity", "direction", "action"]
        "Values that were found in bodies and treated.";
    DRY_VALUES = Counter, "consentry_dry_run_values_total" ["entity", "direction", "action"]
        "Values that were found in bodies in a dry run and passed as they were, by what would have been done.";
    DRY_REQUESTS = Counter, "consentry_dry_run_requests_total" ["tenant", "decision"]
        "Requests whose censor ran dry, by what would have become of them.";
    DRY_UNTIL = Gauge, "consentry_dry_run_until_timestamp_seconds" ["tenant", "route"]
        "When a dry run of the censor ends, or has ended. Until then nothing that is found in the tenant's bodies on the route is stopped.";
    ANALYSED = Counter, "consentry_analyser_requests_total" ["analyser", "result"]
        "Questions to analysers, by how they ended; anything but ok has stopped a request or an answer.";
    ISOLATION = Counter, "consentry_isolation_violations_total" ["tenant", "kind"]
        "Attempts on another tenant's resources that were stopped; tenant is who tried.";
    // Upstream
    UPSTREAM_REQUESTS = Counter, "consentry_upstream_requests_total" ["upstream", "code_class"]
        "Requests that the upstream answered.";
    UPSTREAM_DURATION = Histogram(LATENCY), "consentry_upstream_request_duration_seconds" ["upstream"]
        "From the request to the upstream to the head of its answer.";
    UPSTREAM_ERRORS = Counter, "consentry_upstream_errors_total" ["upstream", "reason"]
        "Requests that the upstream did not answer as it should.";
    UPSTREAM_IN_FLIGHT = Gauge, "consentry_upstream_requests_in_flight" ["upstream"]
        "Requests that wait for the upstream or read its answer.";
    UPSTREAM_UNDOS = Gauge, "consentry_upstream_undos_waiting" []
        "Objects that have to be taken back upstream and are not yet.";
    TASKS = Gauge, "consentry_tasks" ["state"]
        "What is to be done upstream: open, failed (tried often and in vain, and tried still), held by a legal hold; and done.";
    TASKS_OLDEST = Gauge, "consentry_tasks_oldest_seconds" []
        "Age of the oldest task that is not done; 0 if there is none.";
    // Configuration
    CONFIG_RELOADS = Counter, "consentry_config_reload_total" ["result"]
        "Loads of the configuration.";
    CONFIG_OK = Gauge, "consentry_config_last_reload_successful" []
        "Whether the last load went well: 1 or 0.";
    CONFIG_TIME = Gauge, "consentry_config_last_reload_success_timestamp_seconds" []
        "When the configuration in force was loaded.";
    CONFIG_INFO = Gauge, "consentry_config_info" ["hash"]
        "The configuration in force; always 1.";
    // TLS
    HANDSHAKES = Counter, "consentry_tls_handshakes_total" ["listener", "result", "version"]
        "TLS handshakes with callers.";
    NOT_AFTER = Gauge, "consentry_tls_certificate_not_after_timestamp_seconds" ["listener", "subject"]
        "When the certificate in use expires.";
    // Records
    AUDIT_EVENTS = Counter, "consentry_audit_events_total" ["result"]
        "Audit entries that were written, and requests that were refused because theirs could not be.";
    AUDIT_DROPPED = Counter, "consentry_audit_dropped_total" []
        "Requests that ended without an audit entry. Always a mistake.";
    AUDIT_SYNCS = Counter, "consentry_audit_syncs_total" []
        "Groups of audit entries that were written.";
    AUDIT_SYNC_SECONDS = Counter, "consentry_audit_sync_seconds_total" []
        "Time spent on writing audit entries.";
    AUDIT_TAKEN = Gauge, "consentry_audit_slots_taken" []
        "Requests under way and audit entries that wait to be written.";
    AUDIT_UP = Gauge, "consentry_audit_up" []
        "Whether the audit trail can record: 1 or 0.";
    STORE_WRITES = Counter, "consentry_store_writes_total" ["result"]
        "Changes of the store; a fault is the store's own.";
    STORE_COMMITS = Counter, "consentry_store_commits_total" []
        "Commits of the store; each holds one change or more.";
    STORE_COMMIT_SECONDS = Counter, "consentry_store_commit_seconds_total" []
        "Time spent in commits.";
    STORE_LOOKUPS = Counter, "consentry_store_cache_lookups_total" ["result"]
        "Look-ups of owners that were warm (hit) or went to the file (miss).";
    STORE_CACHED = Gauge, "consentry_store_cache_entries" []
        "Owners that are warm.";
    STORE_WAITING = Gauge, "consentry_store_writes_waiting" []
        "Changes that wait for the store's writer.";
    STORE_BYTES = Gauge, "consentry_store_size_bytes" []
        "Bytes of the store's file and its log.";
    STORE_UP = Gauge, "consentry_store_up" []
        "Whether the store can record: 1 or 0.";
    SPOOL_BYTES = Gauge, "consentry_spool_bytes" []
        "Bytes of bodies that wait in the spool to be decided.";
    SPOOL_LIMIT = Gauge, "consentry_spool_limit_bytes" []
        "Bytes that the spool may hold.";
    LOG_DROPPED = Counter, "consentry_log_lines_dropped_total" []
        "Log lines that nobody read in time.";
    SERIES_DROPPED = Counter, "consentry_metric_series_dropped_total" []
        "Tenants beyond the cap, counted as _other.";
}

/// Those of the process, as the `prometheus` crate names them.
const PROCESS: [(&str, &str, &str); 7] = [
    ("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds."),
    ("process_max_fds", "gauge", "Maximum number of open file descriptors."),
    ("process_open_fds", "gauge", "Number of open file descriptors."),
    ("process_resident_memory_bytes", "gauge", "Resident memory size in bytes."),
    ("process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds."),
    ("process_threads", "gauge", "Number of OS threads in the process."),
    ("process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes."),
];

/// The text of `docs/metrics.md`.
#[must_use]
pub fn document() -> String {
    let mut out = String::from(
        "# Metrics\n\nWritten from `src/telemetry/catalogue.rs`; `REGENERATE=1 cargo test --lib telemetry` writes it \
         anew.\n\n`tenant` is a configured tenant, `_unknown` if none was found out, `_other` beyond the cap of 500. \
         `route` is a configured route or `_unknown`. Methods beyond the common ones are `_other`.\n\n\
         | Metric | Type | Labels | Meaning |\n|---|---|---|---|\n",
    );
    for def in ALL {
        let kind = match def.kind {
            Counter => "counter",
            Gauge => "gauge",
            Histogram(_) => "histogram",
        };
        let labels: Vec<_> = def.labels.iter().map(|label| format!("`{label}`")).collect();
        // Writing into a String can't fail.
        let _ok = writeln!(out, "| `{}` | {kind} | {} | {} |", def.name, labels.join(", "), def.help);
    }
    for (name, kind, help) in PROCESS {
        let _ok = writeln!(out, "| `{name}` | {kind} | | {help} |");
    }
    out.push_str("\n## Buckets\n\n");
    for def in ALL {
        if let Histogram(buckets) = def.kind {
            let bounds: Vec<_> = buckets.iter().map(f64::to_string).collect();
            let _ok = writeln!(out, "- `{}`: {}", def.name, bounds.join(", "));
        }
    }
    out
}
