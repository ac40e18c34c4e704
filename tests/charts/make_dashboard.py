"""Writes charts/consentry/dashboards/consentry.json, the Grafana dashboard, from the short form below.

    python3 tests/charts/make_dashboard.py            # writes
    python3 tests/charts/make_dashboard.py --check    # exit 1 if it would change something

A panel is one line here and sixty in Grafana's JSON. Every query is filtered by the job and instance that are chosen above; `S` stands
for that filter.
"""

import json
import pathlib
import sys

PATH = pathlib.Path(__file__).resolve().parent.parent.parent / "charts" / "consentry" / "dashboards" / "consentry.json"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
SELECT = 'job=~"$job",instance=~"$instance"'
RATE = "$__rate_interval"


def quantiles(metric, by=(), filters="", quantiles=(0.5, 0.95, 0.99)):
    """Lines of a histogram's quantiles."""
    labels = ", ".join(["le", *by])
    name = " ".join(["p{}", *(f"{{{{{label}}}}}" for label in by)])
    selector = ",".join(part for part in ("S", filters) if part)
    return [
        (f"histogram_quantile({q}, sum by ({labels}) (rate({metric}_bucket{{{selector}}}[{RATE}])))", name.format(f"{q * 100:g}"))
        for q in quantiles
    ]


def rate(metric, by, filters="", legend=None):
    """Events per second, by labels."""
    selector = ",".join(part for part in ("S", filters) if part)
    legend = legend or " · ".join(f"{{{{{label}}}}}" for label in by)
    total = f"sum by ({', '.join(by)})" if by else "sum"
    return [(f"{total} (rate({metric}{{{selector}}}[{RATE}]))", legend)]


TENANT = 'tenant=~"$tenant"'
ROUTE = 'route=~"$route"'

# A row is a title and its panels; a panel is (kind, title, width, unit, queries, what it says, more options).
ROWS = [
    ("Overview", [
        ("stat", "Running", 3, "short", [("count(consentry_build_info{S})", "")], "Processes that are scraped."),
        ("stat", "Requests", 3, "reqps", rate("consentry_requests_total", []), "Requests a second, refusals included."),
        ("stat", "Failed", 3, "percentunit", [('sum(rate(consentry_requests_total{S,decision="error"}[' + RATE + ']) or 0 * rate(consentry_requests_total{S}[' + RATE + '])) / sum(rate(consentry_requests_total{S}[' + RATE + ']))', "")],
         "What callers could not get because the gateway or an upstream failed; what policy refused is not in it.", {"thresholds": [(None, "green"), (0.001, "orange"), (0.0144, "red")]}),
        ("stat", "Blocked flows", 3, "reqps", rate("consentry_blocked_total", []), "Refusals a second, for whatever reason."),
        ("stat", "Censored values", 3, "ops", rate("consentry_censored_values_total", []), "Values a second that were replaced or that blocked a body."),
        ("stat", "Isolation violations, 24 h", 3, "short", [("sum(increase(consentry_isolation_violations_total{S}[24h]))", "")],
         "Attempts to reach another tenant's resource. Each was answered as for an id that never existed.", {"thresholds": [(None, "green"), (1, "red")], "decimals": 0}),
        ("stat", "Duration, p99", 3, "s", quantiles("consentry_request_duration_seconds", quantiles=(0.99,)), "End to end."),
        ("stat", "Overhead, p99", 3, "s", [(f"max(histogram_quantile(0.99, sum by (le, stage) (rate(consentry_gateway_overhead_seconds_bucket{{S}}[{RATE}]))))", "")],
         "The gateway's own time in its slowest stage, without the wait for upstreams.", {"thresholds": [(None, "green"), (0.01, "orange"), (0.05, "red")]}),
    ]),
    ("Requests", [
        ("lines", "Requests by route", 8, "reqps", rate("consentry_requests_total", ["route"], ROUTE), "Rate."),
        ("lines", "Requests by decision", 8, "reqps", rate("consentry_requests_total", ["decision"], f"{ROUTE},{TENANT}"), "What became of them.", {"stack": True}),
        ("lines", "Requests by status", 8, "reqps", rate("consentry_requests_total", ["code_class"], f"{ROUTE},{TENANT}"), "As the caller sees it.", {"stack": True}),
        ("lines", "Failed requests by route", 8, "reqps", rate("consentry_requests_total", ["route"], f'{ROUTE},decision="error"'), "Errors."),
        ("lines", "Duration", 8, "s", quantiles("consentry_request_duration_seconds", filters=ROUTE), "From the first byte in to the last byte out.", {"log": True}),
        ("lines", "Time to first byte", 8, "s", quantiles("consentry_time_to_first_byte_seconds", filters=ROUTE), "For streams, what people feel.", {"log": True}),
        ("lines", "Requests by tenant", 12, "reqps", rate("consentry_requests_total", ["tenant"], TENANT), "Configured tenants; `_unknown` is who has not said who it is."),
        ("lines", "Bytes by direction", 6, "Bps", rate("consentry_request_body_bytes_total", ["direction"], TENANT), "Bodies, as callers sent and got them."),
        ("lines", "Sizes of bodies, p99", 6, "bytes", quantiles("consentry_body_size_bytes", ["direction"], quantiles=(0.99,)), "By direction.", {"log": True}),
    ]),
    ("Blocked flows", [
        ("lines", "By reason", 12, "reqps", rate("consentry_blocked_total", ["reason"], TENANT), "The reason is the one that the answer and the audit trail name.", {"stack": True}),
        ("lines", "By tenant", 12, "reqps", rate("consentry_blocked_total", ["tenant"], TENANT), "Whose requests were refused.", {"stack": True}),
        ("table", "By tenant and reason, in the time shown", 14, "short", [(f"sum by (tenant, reason) (increase(consentry_blocked_total{{S,{TENANT}}}[$__range])) > 0", "")], "Sorted by number."),
        ("lines", "Isolation violations", 10, "short", [(f"sum by (tenant, kind) (increase(consentry_isolation_violations_total{{S,{TENANT}}}[{RATE}]))", "{{tenant}} · {{kind}}")],
         "Attempts to reach another tenant's resource.", {"bars": True}),
    ]),
    ("Consent", [
        ("lines", "Decisions by outcome", 8, "ops", rate("consentry_consent_decisions_total", ["outcome"], TENANT), "What the ledger said.", {"stack": True}),
        ("lines", "Decisions by purpose and outcome", 8, "ops", rate("consentry_consent_decisions_total", ["purpose", "outcome"], TENANT), "Which uses were asked for."),
        ("lines", "Refused for want of a grant, by tenant", 8, "ops", rate("consentry_consent_decisions_total", ["tenant"], f'{TENANT},outcome="deny"'), "A grant may have expired while a pipeline still runs."),
        ("lines", "Records by outcome", 24, "ops", rate("consentry_records_total", ["outcome"], TENANT), "Lines and rows of uploads.", {"stack": True}),
    ]),
    ("Censoring", [
        ("lines", "Values by entity", 12, "ops", rate("consentry_censored_values_total", ["entity"]), "What was found."),
        ("lines", "Values by action", 6, "ops", rate("consentry_censored_values_total", ["action"]), "What was done with it.", {"stack": True}),
        ("lines", "Values by direction", 6, "ops", rate("consentry_censored_values_total", ["direction"]), "Towards the upstream, or back.", {"stack": True}),
        ("table", "By entity, direction and action, in the time shown", 24, "short", [("sum by (entity, direction, action) (increase(consentry_censored_values_total{S}[$__range])) > 0", "")], "Sorted by number."),
    ]),
    ("The gateway itself", [
        ("lines", "Overhead by stage, p99", 12, "s", quantiles("consentry_gateway_overhead_seconds", ["stage"], ROUTE, (0.99,)), "Own time, without the wait for upstreams.", {"log": True}),
        ("lines", "Overhead, mean of a request", 12, "s", [(f"sum by (stage) (rate(consentry_gateway_overhead_seconds_sum{{S,{ROUTE}}}[{RATE}])) / on () group_left () sum(rate(consentry_requests_total{{S,{ROUTE}}}[{RATE}]))", "{{stage}}")],
         "What each stage adds to a request on average.", {"stack": True}),
        ("lines", "Requests in flight", 8, "short", [('sum by (instance) (consentry_requests_in_flight{S,listener="data"})', "{{instance}}")], "Until the last byte of the answer."),
        ("lines", "Connections", 8, "short", [('sum by (state) (consentry_connections{S,listener="data"})', "{{state}}")], "On the data port."),
        ("lines", "Shed", 8, "reqps", rate("consentry_blocked_total", ["reason"], 'reason=~"overloaded|spool_full|tenant_over_limit|draining"'), "503 or 429 under load. No check is skipped instead."),
    ]),
    ("Upstreams", [
        ("lines", "Requests by upstream and status", 6, "reqps", rate("consentry_upstream_requests_total", ["upstream", "code_class"]), "What upstreams answered."),
        ("lines", "Errors by upstream and reason", 6, "reqps", rate("consentry_upstream_errors_total", ["upstream", "reason"]), "No answer, or none that can be used."),
        ("lines", "Duration by upstream, p99", 6, "s", quantiles("consentry_upstream_request_duration_seconds", ["upstream"], quantiles=(0.99,)), "To the answer's head.", {"log": True}),
        ("lines", "In flight by upstream", 6, "short", [("sum by (upstream) (consentry_upstream_requests_in_flight{S})", "{{upstream}}")], "Waiting, or reading the answer."),
    ]),
    ("TLS and configuration", [
        ("lines", "Handshakes by result", 8, "ops", rate("consentry_tls_handshakes_total", ["result"]), "Not only failures of ours: port scans are `not_tls`."),
        ("lines", "Handshakes by version", 4, "ops", rate("consentry_tls_handshakes_total", ["version"]), "TLS 1.2 or 1.3.", {"stack": True}),
        ("table", "Certificates", 6, "s", [("min by (listener, subject) (consentry_tls_certificate_not_after_timestamp_seconds{S}) - time()", "")], "Time left of what is served."),
        ("table", "Configurations", 6, "short", [("count by (hash) (consentry_config_info{S})", "")], "Processes by fingerprint: one line, unless a roll is under way."),
    ]),
    ("Audit, store, spool", [
        ("lines", "Audit entries", 6, "ops", rate("consentry_audit_events_total", ["result"]), "One for every decision."),
        ("lines", "Time to write a group of audit entries", 6, "s", [(f"sum by (instance) (rate(consentry_audit_sync_seconds_total{{S}}[{RATE}])) / sum by (instance) (rate(consentry_audit_syncs_total{{S}}[{RATE}]))", "{{instance}}")],
         "Mean. A refusal or a training use waits for it."),
        ("lines", "Requests and entries that hold a place in the trail", 6, "short", [("sum by (instance) (consentry_audit_slots_taken{S})", "{{instance}}")], "Places are bounded: a slow disk slows callers down, and nothing is dropped."),
        ("lines", "Decisions without an entry", 6, "short", [(f"sum(increase(consentry_audit_dropped_total{{S}}[{RATE}]))", "lost")], "Always a mistake.", {"bars": True}),
        ("lines", "Changes of the store", 6, "ops", rate("consentry_store_writes_total", ["result"]), "Owners, lineage, grants.", {"stack": True}),
        ("lines", "Time of a commit", 6, "s", [(f"sum by (instance) (rate(consentry_store_commit_seconds_total{{S}}[{RATE}])) / sum by (instance) (rate(consentry_store_commits_total{{S}}[{RATE}]))", "{{instance}}")], "Mean."),
        ("lines", "Owners found in memory", 6, "percentunit", [(f'sum(rate(consentry_store_cache_lookups_total{{S,result="hit"}}[{RATE}])) / sum(rate(consentry_store_cache_lookups_total{{S}}[{RATE}]))', "hits")], "The rest is read from the file.", {"max": 1}),
        ("lines", "Changes that wait", 6, "short", [("sum by (instance) (consentry_store_writes_waiting{S})", "{{instance}}")], "For the single writer."),
        ("lines", "Size of the store", 6, "bytes", [("sum by (instance) (consentry_store_size_bytes{S})", "{{instance}}")], "The file and its log."),
        ("lines", "Spool in use", 6, "percentunit", [("consentry_spool_bytes{S} / consentry_spool_limit_bytes{S}", "{{instance}}")], "Bodies that wait for their decision.", {"max": 1}),
        ("lines", "To be taken back upstream", 6, "short", [("sum by (instance) (consentry_upstream_undos_waiting{S})", "{{instance}}")], "Objects without a recorded owner."),
        ("lines", "Lost log lines and series", 6, "short", [(f"sum(increase(consentry_log_lines_dropped_total{{S}}[{RATE}]))", "log lines"), (f"sum(increase(consentry_metric_series_dropped_total{{S}}[{RATE}]))", "series")],
         "What monitoring itself can't keep up with.", {"bars": True}),
    ]),
    ("Process", [
        ("lines", "CPU", 6, "short", [(f"sum by (instance) (rate(process_cpu_seconds_total{{S}}[{RATE}]))", "{{instance}}")], "Cores."),
        ("lines", "Resident memory", 6, "bytes", [("sum by (instance) (process_resident_memory_bytes{S})", "{{instance}}")], "Bounded by configuration, whatever bodies' lengths."),
        ("lines", "File descriptors", 6, "percentunit", [("process_open_fds{S} / process_max_fds{S}", "{{instance}}")], "Of those allowed.", {"max": 1}),
        ("lines", "Up for", 6, "s", [("time() - process_start_time_seconds{S}", "{{instance}}")], "Since the last start."),
    ]),
]  # fmt: skip


def target(expr, legend, index, table):
    query = expr.replace("{S,", "{" + SELECT + ",").replace("{S}", "{" + SELECT + "}")
    made = {"datasource": SOURCE, "editorMode": "code", "expr": query, "legendFormat": legend or "__auto", "range": not table, "refId": chr(65 + index)}
    if table:
        made |= {"format": "table", "instant": True}
    return made


def steps(thresholds):
    return {"mode": "absolute", "steps": [{"color": color, "value": value} for value, color in thresholds]}


def panel(number, place, spec):
    kind, title, width, unit, queries, description, *options = spec
    options = options[0] if options else {}
    table = kind == "table"
    defaults = {"unit": unit, "thresholds": steps(options.get("thresholds", [(None, "green")]))}
    for key in ("decimals", "max"):
        if key in options:
            defaults[key] = options[key]
    made = {
        "id": number,
        "type": {"stat": "stat", "lines": "timeseries", "table": "table"}[kind],
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "gridPos": place,
        "targets": [target(expr, legend, index, table) for index, (expr, legend) in enumerate(queries)],
        "fieldConfig": {"defaults": defaults, "overrides": []},
    }
    if kind == "stat":
        made["options"] = {"colorMode": "value", "graphMode": "area", "justifyMode": "auto", "textMode": "value", "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    elif kind == "lines":
        defaults["min"] = 0
        defaults["custom"] = {
            "drawStyle": "bars" if options.get("bars") else "line",
            "fillOpacity": 30 if options.get("stack") or options.get("bars") else 5,
            "lineWidth": 1,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"group": "A", "mode": "normal" if options.get("stack") else "none"},
        }
        if options.get("log"):
            defaults["custom"]["scaleDistribution"] = {"type": "log", "log": 10}
            del defaults["min"]
        made["options"] = {"legend": {"calcs": ["mean", "max"], "displayMode": "table", "placement": "bottom", "showLegend": True}, "tooltip": {"mode": "multi", "sort": "desc"}}
    else:
        made["options"] = {"cellHeight": "sm", "showHeader": True, "sortBy": [{"desc": True, "displayName": "Value"}]}
        made["transformations"] = [{"id": "organize", "options": {"excludeByName": {"Time": True}, "indexByName": {}, "renameByName": {}}}]
    return made


def panels():
    """All panels, laid out in rows of 24."""
    made, y = [], 0
    for title, row in ROWS:
        made.append({"id": len(made) + 1, "type": "row", "title": title, "collapsed": False, "gridPos": {"h": 1, "w": 24, "x": 0, "y": y}, "panels": []})
        y, x = y + 1, 0
        for spec in row:
            width, height = spec[2], 4 if spec[0] == "stat" else 8
            if x + width > 24:
                x, y = 0, y + height
            made.append(panel(len(made) + 1, {"h": height, "w": width, "x": x, "y": y}, spec))
            x += width
        y += height
    return made


def variable(name, label, query):
    return {
        "name": name, "label": label, "type": "query", "datasource": SOURCE, "definition": query,
        "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1, "multi": True, "includeAll": True, "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]}, "hide": 0, "options": [], "regex": "", "skipUrlSync": False,
    }  # fmt: skip


def dashboard():
    """The dashboard's JSON text."""
    made = {
        "uid": "consentry",
        "title": "Consentry",
        "description": "A privacy gateway: what passes, what does not, and why.",
        "tags": ["consentry", "privacy"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "",
        "links": [],
        "annotations": {"list": [{
            "name": "Starts", "datasource": SOURCE, "enable": True, "hide": False, "iconColor": "blue", "titleFormat": "{{instance}} started",
            "expr": f"changes(process_start_time_seconds{{{SELECT}}}[1m]) > 0", "step": "1m",
        }]},
        "templating": {"list": [
            {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1, "hide": 0, "current": {}, "options": [], "regex": "", "multi": False, "includeAll": False, "skipUrlSync": False},
            variable("job", "Job", "label_values(consentry_build_info, job)"),
            variable("instance", "Instance", 'label_values(consentry_build_info{job=~"$job"}, instance)'),
            variable("route", "Route", f"label_values(consentry_requests_total{{{SELECT}}}, route)"),
            variable("tenant", "Tenant", f"label_values(consentry_requests_total{{{SELECT}}}, tenant)"),
        ]},
        "panels": panels(),
    }  # fmt: skip
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def main():
    if PATH.exists() and PATH.read_text() == dashboard():
        return 0
    if "--check" in sys.argv:
        print(f"{PATH} is not current: run python3 tests/charts/make_dashboard.py", file=sys.stderr)
        return 1
    PATH.write_text(dashboard())
    return 0


if __name__ == "__main__":
    sys.exit(main())
