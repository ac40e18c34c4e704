use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use jiff::Timestamp;

use super::*;
use crate::audit::{Decision, Entry, Found, Records};
use crate::names::{Direction, Entity, Purpose, RequestId, RouteName, TenantId, UpstreamId};
use crate::reason::Reason;
use crate::store::Tally;

fn names(tenants: &[&str]) -> Names {
    Names {
        tenants: tenants.iter().map(|name| TenantId::new(name)).collect(),
        routes: vec![RouteName::new("openai"), RouteName::new("labels")],
        upstreams: vec![UpstreamId::new("account")],
        dry_runs: Vec::new(),
    }
}

fn metrics(tenants: &[&str]) -> Metrics {
    Metrics::new(&Build::CURRENT, &names(tenants)).unwrap()
}

/// The value of a series, by the text that it has in the exposition.
fn value(metrics: &Metrics, series: &str) -> Option<f64> {
    let text = metrics.encode().unwrap();
    let line = text.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')));
    line.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

fn entry(decision: Decision, status: StatusCode) -> Entry {
    Entry {
        tenant: Some(TenantId::new("acme")),
        route: Some(RouteName::new("openai")),
        status: Some(status),
        bytes_in: 1_000,
        bytes_out: 5_000,
        ..Entry::new(RequestId::fresh(), decision)
    }
}

fn record(metrics: &Metrics, entry: &Entry, method: &Method) {
    let mut watch = Stopwatch::start();
    watch.time(Stage::Decide, || ());
    watch.add(Stage::Request, Duration::from_micros(70));
    watch.first_byte();
    metrics.meter(entry.tenant.as_ref(), entry.route.as_ref()).record(entry, method, &watch);
}

#[test]
fn a_request_is_counted_as_the_trail_records_it() {
    let metrics = metrics(&["acme", "zeta"]);
    let censored = Entry {
        purpose: Some(Purpose::Train),
        found: vec![Found {
            entity: Entity::new("email"),
            direction: Direction::Request,
            action: "redact",
            count: 3,
        }],
        records: Records { passed: 10, censored: 2, dropped: 1, anonymised: 0 },
        ..entry(Decision::Censored, StatusCode::OK)
    };
    record(&metrics, &censored, &Method::POST);
    record(&metrics, &censored, &Method::from_bytes(b"BREW").unwrap());
    let refused =
        Entry { reason: Some(Reason::ResourceUnknown), ..entry(Decision::Denied, StatusCode::NOT_FOUND) };
    record(&metrics, &refused, &Method::GET);
    let nobody = Entry { tenant: None, route: None, status: None, ..refused };
    record(&metrics, &nobody, &Method::GET);

    let requests = |labels: &str| value(&metrics, &format!("consentry_requests_total{{{labels}}}"));
    let label = |class, decision, method, route, tenant| {
        format!(
            r#"code_class="{class}",decision="{decision}",method="{method}",route="{route}",tenant="{tenant}""#
        )
    };
    assert_eq!(requests(&label("2xx", "censored", "POST", "openai", "acme")), Some(1.0));
    assert_eq!(requests(&label("2xx", "censored", "_other", "openai", "acme")), Some(1.0));
    assert_eq!(requests(&label("4xx", "denied", "GET", "openai", "acme")), Some(1.0));
    assert_eq!(requests(&label("none", "denied", "GET", "_unknown", "_unknown")), Some(1.0));
    assert_eq!(
        requests(&label("2xx", "forward", "POST", "labels", "zeta")),
        Some(0.0),
        "known series start at 0"
    );

    let blocked =
        |reason, tenant| format!(r#"consentry_blocked_total{{reason="{reason}",tenant="{tenant}"}}"#);
    assert_eq!(value(&metrics, &blocked("resource_unknown", "acme")), Some(1.0));
    assert_eq!(value(&metrics, &blocked("resource_unknown", "_unknown")), Some(1.0));
    for reason in Reason::ALL {
        assert!(value(&metrics, &blocked(reason.code(), "zeta")) == Some(0.0), "{reason} starts at 0");
    }
    let bytes = |way| format!(r#"consentry_request_body_bytes_total{{direction="{way}",tenant="acme"}}"#);
    assert_eq!(value(&metrics, &bytes("request")), Some(3_000.0));
    assert_eq!(value(&metrics, &bytes("response")), Some(15_000.0));
    let found = r#"consentry_censored_values_total{action="redact",direction="request",entity="email"}"#;
    assert_eq!(value(&metrics, found), Some(6.0));
    let dropped = r#"consentry_records_total{outcome="dropped",purpose="train",tenant="acme"}"#;
    assert_eq!(value(&metrics, dropped), Some(2.0));
    let slow = r#"consentry_gateway_overhead_seconds_bucket{route="openai",stage="request",le="0.0001"}"#;
    assert_eq!(value(&metrics, slow), Some(3.0));
    let size = r#"consentry_body_size_bytes_bucket{direction="response",le="4096"}"#;
    assert_eq!(value(&metrics, size), Some(0.0));
    assert_eq!(
        value(&metrics, r#"consentry_request_duration_seconds_count{code_class="2xx",route="openai"}"#),
        Some(2.0)
    );
}

#[test]
fn guards_count_for_as_long_as_they_are_held() {
    let metrics = metrics(&["acme"]);
    let series = r#"consentry_requests_in_flight{listener="data"}"#;
    assert_eq!(value(&metrics, series), Some(0.0));
    let (one, two) = (metrics.in_flight(Listener::Data), metrics.in_flight(Listener::Data));
    let connection = metrics.connection(Listener::Data, ConnectionState::Open);
    let upstream = metrics.upstream(&UpstreamId::new("account"));
    let flight = upstream.begin();
    assert_eq!(value(&metrics, series), Some(2.0));
    assert_eq!(value(&metrics, r#"consentry_upstream_requests_in_flight{upstream="account"}"#), Some(1.0));
    drop((one, flight));
    assert_eq!(value(&metrics, series), Some(1.0));
    assert_eq!(value(&metrics, r#"consentry_upstream_requests_in_flight{upstream="account"}"#), Some(0.0));
    assert_eq!(value(&metrics, r#"consentry_connections{listener="data",state="open"}"#), Some(1.0));
    drop((two, connection));
    assert_eq!(value(&metrics, r#"consentry_connections{listener="data",state="open"}"#), Some(0.0));
}

#[test]
fn everything_else_is_counted_too() {
    let metrics = metrics(&["acme"]);
    let acme = TenantId::new("acme");
    metrics.consent(Some(&acme), Purpose::Train, ConsentOutcome::Deny, Some(Reason::ConsentMissing));
    metrics.consent(None, Purpose::Store, ConsentOutcome::Strip, None);
    metrics.violation(Some(&acme), Violation::CrossTenantId);
    metrics.handshake(Listener::Data, Handshake::Ok, TlsVersion::V13);
    metrics.certificate(Listener::Data, "CN=old", Timestamp::from_second(5).unwrap());
    metrics.certificate(Listener::Data, "CN=new \"quoted\"", Timestamp::from_second(7).unwrap());
    metrics.loaded("abc");
    metrics.loaded("def");
    metrics.load_refused();
    let oldest = Timestamp::from_second(40).ok();
    let tally = Tally { undos: 4, open: 3, failed: 2, held: 1, done: 9, oldest };
    metrics.tasks(&tally, Timestamp::from_second(100).unwrap());
    let upstream = metrics.upstream(&UpstreamId::new("account"));
    upstream.answered(StatusCode::OK, Duration::from_millis(30));
    upstream.failed(Reason::UpstreamTimeout);
    for (series, expected) in [
        (
            r#"consentry_consent_decisions_total{outcome="deny",purpose="train",reason="consent_missing",tenant="acme"}"#,
            Some(1.0),
        ),
        (
            r#"consentry_consent_decisions_total{outcome="strip",purpose="store",reason="none",tenant="_unknown"}"#,
            Some(1.0),
        ),
        (r#"consentry_isolation_violations_total{kind="cross_tenant_id",tenant="acme"}"#, Some(1.0)),
        (r#"consentry_isolation_violations_total{kind="conflicting_claim",tenant="acme"}"#, Some(0.0)),
        (r#"consentry_tls_handshakes_total{listener="data",result="ok",version="1.3"}"#, Some(1.0)),
        (r#"consentry_tls_certificate_not_after_timestamp_seconds{listener="data",subject="CN=old"}"#, None),
        (
            r#"consentry_tls_certificate_not_after_timestamp_seconds{listener="data",subject="CN=new \"quoted\""}"#,
            Some(7.0),
        ),
        (r#"consentry_config_info{hash="abc"}"#, None),
        (r#"consentry_config_info{hash="def"}"#, Some(1.0)),
        (r#"consentry_config_reload_total{result="success"}"#, Some(2.0)),
        (r#"consentry_config_reload_total{result="failure"}"#, Some(1.0)),
        ("consentry_config_last_reload_successful", Some(0.0)),
        ("consentry_upstream_undos_waiting", Some(4.0)),
        (r#"consentry_tasks{state="open"}"#, Some(3.0)),
        (r#"consentry_tasks{state="failed"}"#, Some(2.0)),
        (r#"consentry_tasks{state="held"}"#, Some(1.0)),
        (r#"consentry_tasks{state="done"}"#, Some(9.0)),
        ("consentry_tasks_oldest_seconds", Some(60.0)),
        (r#"consentry_upstream_requests_total{code_class="2xx",upstream="account"}"#, Some(1.0)),
        (r#"consentry_upstream_requests_total{code_class="5xx",upstream="account"}"#, Some(0.0)),
        (r#"consentry_upstream_errors_total{reason="upstream_timeout",upstream="account"}"#, Some(1.0)),
        (r#"consentry_upstream_request_duration_seconds_count{upstream="account"}"#, Some(1.0)),
    ] {
        assert_eq!(value(&metrics, series), expected, "{series}");
    }
}

#[test]
fn sources_are_asked_at_every_scrape() {
    let metrics = metrics(&[]);
    assert_eq!(value(&metrics, "consentry_store_up"), Some(0.0));
    let (calls, dropped) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let asked = Arc::clone(&calls);
    metrics.watch(Sources {
        store: Some(Box::new(move || {
            let n = asked.fetch_add(1, Ordering::Relaxed) + 1;
            let nanos = n * 1_500_000_000;
            let stats =
                crate::store::Stats { writes: 10 * n, faults: n, commit_nanos: nanos, ..Default::default() };
            crate::store::Stats { cache_hits: 7, bytes: 4_096, healthy: true, ..stats }
        })),
        audit: Some(Box::new(|| crate::audit::Stats {
            written: 5,
            refused: 2,
            abandoned: 1,
            ..Default::default()
        })),
        spool: Some(Box::new(|| Spool { bytes: 3, limit: 9 })),
        log_lines_dropped: Some(Arc::clone(&dropped)),
    });
    dropped.store(11, Ordering::Relaxed);
    assert_eq!(value(&metrics, r#"consentry_store_writes_total{result="ok"}"#), Some(9.0));
    assert_eq!(value(&metrics, r#"consentry_store_writes_total{result="ok"}"#), Some(18.0));
    assert_eq!(value(&metrics, "consentry_store_commit_seconds_total"), Some(4.5));
    assert_eq!(value(&metrics, "consentry_store_up"), Some(1.0));
    assert_eq!(value(&metrics, r#"consentry_audit_events_total{result="refused"}"#), Some(2.0));
    assert_eq!(value(&metrics, "consentry_audit_dropped_total"), Some(1.0));
    assert_eq!(value(&metrics, "consentry_spool_limit_bytes"), Some(9.0));
    assert_eq!(value(&metrics, "consentry_log_lines_dropped_total"), Some(11.0));
}

#[test]
fn a_reload_drops_what_is_gone_and_keeps_what_stays() {
    let metrics = metrics(&["acme", "zeta"]);
    record(&metrics, &entry(Decision::Forward, StatusCode::OK), &Method::POST);
    let zeta = Entry { tenant: Some(TenantId::new("zeta")), ..entry(Decision::Forward, StatusCode::OK) };
    record(&metrics, &zeta, &Method::POST);
    metrics.consent(Some(&TenantId::new("zeta")), Purpose::Train, ConsentOutcome::Permit, None);
    let stale = metrics.meter(zeta.tenant.as_ref(), zeta.route.as_ref());
    metrics.reload(&Names { routes: vec![RouteName::new("openai")], ..names(&["acme", "newcomer"]) });
    let text = metrics.encode().unwrap();
    assert!(!text.contains(r#"tenant="zeta""#) && !text.contains(r#"route="labels""#));
    assert!(text.contains(r#"tenant="newcomer""#));
    let kept = r#"consentry_request_body_bytes_total{direction="request",tenant="acme"}"#;
    assert_eq!(value(&metrics, kept), Some(1_000.0));
    // A request that began before the reload ends after it, in a way that was not counted before.
    stale.record(&Entry { reason: Some(Reason::Overloaded), ..zeta }, &Method::PUT, &Stopwatch::start());
    metrics.reload(&names(&["acme", "newcomer"]));
    assert!(!metrics.encode().unwrap().contains(r#"tenant="zeta""#));
}

#[test]
fn tenants_beyond_the_cap_are_counted_together() {
    let many: Vec<_> = (0..510).map(|n| format!("t{n:03}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let metrics = metrics(&many);
    let dropped = "consentry_metric_series_dropped_total";
    assert_eq!(value(&metrics, dropped), Some(10.0));
    for name in ["t000", "t505", "t509", "never-configured"] {
        let entry = Entry { tenant: Some(TenantId::new(name)), ..entry(Decision::Forward, StatusCode::OK) };
        record(&metrics, &entry, &Method::POST);
    }
    let bytes =
        |tenant| format!(r#"consentry_request_body_bytes_total{{direction="request",tenant="{tenant}"}}"#);
    assert_eq!(value(&metrics, &bytes("t000")), Some(1_000.0));
    assert_eq!(value(&metrics, &bytes("_other")), Some(3_000.0));
    assert_eq!(value(&metrics, &bytes("t505")), None);
    // Loading the same again folds nobody anew; a place that is free is taken.
    metrics.reload(&names(&many));
    assert_eq!(value(&metrics, dropped), Some(10.0));
    metrics.reload(&names(&many[1..]));
    assert_eq!(value(&metrics, &bytes("t000")), None);
    assert_eq!(value(&metrics, &bytes("t500")), Some(0.0));
    let series = metrics.encode().unwrap().lines().filter(|line| !line.starts_with('#')).count();
    assert!(series < 10_000, "{series} series");
}

#[test]
fn promtool_finds_nothing_to_say() {
    let metrics = metrics(&["acme", "zeta"]);
    record(&metrics, &entry(Decision::Censored, StatusCode::OK), &Method::POST);
    metrics.certificate(Listener::Data, "CN=gw", Timestamp::from_second(7).unwrap());
    metrics.loaded("abc");
    metrics.consent(None, Purpose::Store, ConsentOutcome::Strip, None);
    let text = metrics.encode().unwrap();
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    if promtool.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        let why = "skip: promtool_finds_nothing_to_say: there is no promtool (tests/setup.sh prometheus)";
        let _ = writeln!(std::io::stderr(), "{why}");
        return;
    }
    let mut promtool = promtool.unwrap();
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

#[test]
fn the_document_is_current_and_complete() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    if std::env::var_os("REGENERATE").is_some() {
        std::fs::write(path, document()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(written, document(), "run REGENERATE=1 cargo test --lib telemetry");
    let metrics = metrics(&["acme"]);
    record(&metrics, &entry(Decision::Censored, StatusCode::OK), &Method::POST);
    for line in metrics.encode().unwrap().lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            assert!(written.contains(&format!("| `{name}` |")) && written.contains(help), "{name}");
        }
    }
}

fn get(admin: &Admin, method: Method, path: &str) -> http::Response<http_body_util::Full<bytes::Bytes>> {
    admin.answer(&Request::builder().method(method).uri(path).body(()).unwrap())
}

async fn body(answer: http::Response<http_body_util::Full<bytes::Bytes>>) -> String {
    let mut body = answer.into_body();
    let mut text = Vec::new();
    while let Some(frame) = body.frame().await {
        text.extend_from_slice(frame.unwrap().data_ref().unwrap());
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn probes_tell_the_parts_apart() {
    let store = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&store);
    let check = Check { name: "store", works: Box::new(move || asked.load(Ordering::Relaxed)) };
    let health = Arc::new(Health::new(vec![check]));
    let admin = Admin::new(Arc::new(metrics(&["acme"])), Arc::clone(&health));
    let status = |path| get(&admin, Method::GET, path).status().as_u16();
    assert_eq!([status("/livez"), status("/startupz"), status("/readyz")], [200, 503, 503]);
    health.set_started();
    assert_eq!(
        [status("/livez"), status("/startupz"), status("/readyz")],
        [200, 200, 503],
        "no certificate yet"
    );
    health.set_certificate_until(Timestamp::now() + jiff::SignedDuration::from_secs(60));
    assert_eq!(status("/readyz"), 200);
    store.store(false, Ordering::Relaxed);
    let answer = get(&admin, Method::GET, "/readyz");
    assert_eq!(answer.status(), 503);
    let parts: serde_json::Value = serde_json::from_str(&body(answer).await).unwrap();
    assert_eq!(parts["store"], false);
    assert_eq!(parts["started"], true);
    store.store(true, Ordering::Relaxed);
    health.set_certificate_until(Timestamp::now() - jiff::SignedDuration::from_secs(1));
    assert_eq!(status("/readyz"), 503, "expired");
    health.set_certificate_until(Timestamp::now() + jiff::SignedDuration::from_secs(60));
    health.set_draining();
    assert_eq!([status("/livez"), status("/readyz")], [200, 503]);
}

#[tokio::test]
async fn the_admin_listener_answers_nothing_else() {
    let admin = Admin::new(Arc::new(metrics(&["acme"])), Arc::new(Health::new(Vec::new())));
    let answer = get(&admin, Method::GET, "/metrics");
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/plain; version=0.0.4; charset=utf-8");
    assert!(body(answer).await.contains("# TYPE consentry_requests_total counter"));
    let answer = get(&admin, Method::POST, "/metrics");
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers()[header::ALLOW], "GET, HEAD");
    let answer = get(&admin, Method::HEAD, "/livez");
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(body(answer).await, "");
    assert_eq!(get(&admin, Method::GET, "/metrics/../admin").status(), StatusCode::NOT_FOUND);
    let answer = hyper::service::Service::call(&admin, Request::new(())).await.unwrap();
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
}

#[test]
fn a_trace_goes_on_or_begins() {
    let request = RequestId::fresh();
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let of = |header: &str| Trace::of(Some(header.as_bytes()), request);
    let own = Trace::of(None, request);
    assert_eq!(own.trace_id(), request.to_string().replace('-', ""));
    assert_eq!(own.header(), format!("00-{}-{}-00", own.trace_id(), own.span_id()).as_str());
    let good = format!("00-{trace}-{parent}-01");
    assert_eq!(of(&good).header(), format!("00-{trace}-{}-01", own.span_id()).as_str());
    assert_eq!(
        of(&format!("00-{trace}-{parent}-ff")).header().as_bytes()[54],
        b'1',
        "only the known flag goes on"
    );
    assert_eq!(of(&format!("cc-{trace}-{parent}-01-later")).trace_id(), trace);
    for bad in [
        "",
        "garbage",
        &format!("00-{trace}-{parent}-01-more"),
        &format!("00-{trace}-{parent}-0"),
        &format!("ff-{trace}-{parent}-01"),
        &format!("cc-{trace}-{parent}-01x"),
        &format!("00-{}-{parent}-01", "0".repeat(32)),
        &format!("00-{trace}-{}-01", "0".repeat(16)),
        &format!("00-{}-{parent}-01", trace.to_uppercase()),
        &format!("00_{trace}-{parent}-01"),
        &format!("0g-{trace}-{parent}-01"),
        &format!("00-{trace}-{parent}-\u{e4}"),
    ] {
        assert_eq!(of(bad), own, "{bad}");
    }
    for cut in 0..good.len() {
        assert_eq!(of(&good[..cut]), own);
    }
    let forms = HeaderValue::try_from(good).unwrap();
    assert_eq!(Trace::of(Some(forms.as_bytes()), request).trace_id(), trace);
}

#[test]
#[ignore = "a measurement; `cargo test --release -- --ignored --nocapture cost_of_counting`"]
fn cost_of_counting() {
    let metrics = metrics(&["acme", "zeta"]);
    let entry = entry(Decision::Forward, StatusCode::OK);
    record(&metrics, &entry, &Method::POST);
    let started = Instant::now();
    for _ in 0..1_000_000 {
        record(&metrics, &entry, &Method::POST);
    }
    writeln!(std::io::stdout(), "{:?} a request", started.elapsed() / 1_000_000).unwrap();
}
