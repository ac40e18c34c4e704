"""Every query of the dashboard and the rules: does it parse, and does the gateway really have what it asks for?

test_live.py asks the same of a gateway and a Prometheus that it starts itself. Here the gateway's metrics are read from
  PROMETHEUS_URL   a Prometheus that scrapes a gateway: its series, and every query is sent to it
  METRICS_FILE     what `curl http://gateway:9901/metrics` printed
  docs/metrics.md  if neither is set: the table that is written from the gateway's own catalogue of metrics
"""

import functools
import json
import os
import pathlib
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import promql_parser as promql
import pytest
import yaml

import chart

# Put there by Prometheus itself or by its discovery, not by the gateway.
TARGET_LABELS = {"job", "instance", "namespace", "pod", "container", "service", "endpoint"}
SUBSTITUTES = {"$__rate_interval": "5m", "$__range": "6h", "$job": ".*", "$instance": ".*", "$route": ".*", "$tenant": ".*"}
LEGEND = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
ALERT_LABEL = re.compile(r"\$labels\.(\w+)")


class Query:
    """One expression, where it stands, and the labels that its reader needs of the result."""

    def __init__(self, where, text, wanted=()):
        self.where, self.text, self.wanted = where, text, set(wanted)
        for name, value in SUBSTITUTES.items():
            self.text = self.text.replace(name, value)

    def __repr__(self):
        return self.where


def dashboard():
    """The queries of the dashboard: panels, annotations, and the selectors of its variables."""
    board = json.loads((chart.CHART / "dashboards" / "consentry.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield Query(f"panel {panel['title']}", target["expr"], LEGEND.findall(target["legendFormat"]))
    for note in board["annotations"]["list"]:
        yield Query(f"annotation {note['name']}", note["expr"], LEGEND.findall(note["titleFormat"]))
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"]).groups()
            yield Query(f"variable {variable['name']}", selector, [label])


def rules():
    """(query, rule) of every rule."""
    for path in sorted((chart.CHART / "rules").glob("*.yaml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                texts = [*rule.get("annotations", {}).values(), *rule.get("labels", {}).values()]
                name = rule.get("alert") or rule["record"]
                severity = rule.get("labels", {}).get("severity", "")
                yield Query(f"rule {name} {severity}".strip(), rule["expr"], ALERT_LABEL.findall(" ".join(texts))), rule


QUERIES = [*dashboard(), *(query for query, _ in rules())]
ALERTS = [rule for _, rule in rules() if "alert" in rule]
RECORDED = {rule["record"]: query for query, rule in rules() if "record" in rule}
every_query = pytest.mark.parametrize("query", QUERIES, ids=repr)


# --- what the gateway has ---


def parse_exposition(text):
    """Metric → the names of its labels, from the text format."""
    metrics = {}
    for line in text.splitlines():
        if match := re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ", line):
            metrics.setdefault(match[1], set()).update(re.findall(r'([a-zA-Z_]\w*)="(?:[^"\\]|\\.)*"', match[2] or ""))
    return metrics


def parse_document(text):
    """Metric → the names of its labels, from the table of docs/metrics.md."""
    metrics = {}
    for name, kind, labels in re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*) ?\|", text, re.MULTILINE):
        own = set(re.findall(r"`(\w+)`", labels))
        if kind == "histogram":
            metrics |= {f"{name}_bucket": own | {"le"}, f"{name}_sum": own, f"{name}_count": own}
        else:
            metrics[name] = own
    return metrics


def ask(path, **parameters):
    """One call of Prometheus' API."""
    url = f"{os.environ['PROMETHEUS_URL'].rstrip('/')}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


@functools.cache
def metrics():
    """Metric → its labels, of the gateway at hand."""
    if "PROMETHEUS_URL" in os.environ:
        found = {}
        for series in ask("series", **{"match[]": '{__name__=~"(consentry|process)_.+|up"}'})["data"]:
            found.setdefault(series.pop("__name__"), set()).update(series)
        return found
    if "METRICS_FILE" in os.environ:
        return {**parse_exposition(pathlib.Path(os.environ["METRICS_FILE"]).read_text()), "up": set()}
    path = chart.ROOT / "docs" / "metrics.md"
    if not path.exists():
        pytest.skip("no metrics: neither PROMETHEUS_URL nor METRICS_FILE is set, and docs/metrics.md is not there")
    return {**parse_document(path.read_text()), "up": set()}


# --- what a query asks for ---


def selectors(node):
    """Every selector in an expression."""
    match node:
        case promql.VectorSelector():
            yield node
        case promql.MatrixSelector():
            yield node.vector_selector
        case promql.Call():
            for argument in node.args:
                yield from selectors(argument)
        case promql.BinaryExpr():
            yield from selectors(node.lhs)
            yield from selectors(node.rhs)
        case promql.AggregateExpr() | promql.SubqueryExpr() | promql.ParenExpr() | promql.UnaryExpr():
            yield from selectors(node.expr)
        case promql.NumberLiteral() | promql.StringLiteral():
            pass
        case _:
            raise AssertionError(f"an expression of an unknown kind: {type(node)}")


def labels_of(name, known):
    """The labels that a metric has, for recorded ones what their rule leaves."""
    if name in RECORDED:
        return result(promql.parse(RECORDED[name].text), known)
    return known[name] | TARGET_LABELS


def scalar(node):
    """Whether an operand is one number, without labels."""
    if isinstance(node, promql.ParenExpr | promql.UnaryExpr):
        return scalar(node.expr)
    if isinstance(node, promql.BinaryExpr):
        return scalar(node.lhs) and scalar(node.rhs)
    return isinstance(node, promql.NumberLiteral) or (isinstance(node, promql.Call) and node.func.name in {"time", "scalar"})


def result(node, known):
    """The labels that an expression's result can have. Fails for a grouping by a label that is not there, and for two sides that
    can't match because their labels differ."""
    match node:
        case promql.VectorSelector():
            return labels_of(node.name, known)
        case promql.MatrixSelector():
            return labels_of(node.vector_selector.name, known)
        case promql.Call():
            return set().union(*(result(argument, known) for argument in node.args))
        case promql.AggregateExpr():
            inner = result(node.expr, known)
            if node.modifier is None:
                return set()
            given = set(node.modifier.labels)
            if node.modifier.type == promql.AggModifierType.Without:
                return inner - given
            assert given <= inner, f"grouped by {sorted(given - inner)}, which {node.expr.prettify()} does not have"
            return given
        case promql.BinaryExpr():
            left, right = result(node.lhs, known), result(node.rhs, known)
            if scalar(node.lhs) or scalar(node.rhs):
                return right if scalar(node.lhs) else left
            matched = node.modifier is not None and node.modifier.matching is not None
            assert matched or left == right, f"{sorted(left)} never matches {sorted(right)} in {node.prettify()}"
            return left
        case promql.SubqueryExpr() | promql.ParenExpr() | promql.UnaryExpr():
            return result(node.expr, known)
        case _:
            return set()


# --- the checks ---


@every_query
def test_it_parses(query):
    promql.parse(query.text)


def test_prometheus_parses_all_of_them(tmp_path):
    """A second opinion, of the tool that has to read them."""
    group = {"name": "all", "rules": [{"record": f"test:query:{n}", "expr": q.text} for n, q in enumerate(QUERIES)]}
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [group]}))
    done = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"{len(QUERIES)} rules found" in done.stdout


def check_metrics(query, known):
    """Each metric is one that the gateway has, or that a rule records, and each label in a selector is one of its own."""
    for selector in selectors(promql.parse(query.text)):
        name = selector.name
        assert name in known or name in RECORDED, f"{name} is not a metric of the gateway"
        for matcher in selector.matchers.matchers:
            assert matcher.name in labels_of(name, known), f"{name} has no label {matcher.name}"


def check_labels(query, known):
    """Groupings, legends and alert texts name labels that the result has."""
    have = result(promql.parse(query.text), known)
    assert query.wanted <= have, f"{sorted(query.wanted - have)} is not in the result; it has {sorted(have)}"


@every_query
def test_its_metrics_and_labels_exist(query):
    check_metrics(query, metrics())
    check_labels(query, metrics())


def codes():
    """The closed set of reasons, from the source."""
    return set(re.findall(r'^ {4}\w+ = "(\w+)",', (chart.ROOT / "src" / "reason.rs").read_text(), re.MULTILINE))


def test_reasons_are_real():
    """A reason that is matched by name is one that the gateway can give; so is each half of an alternative."""
    known, seen = codes(), 0
    assert len(known) > 40
    for query in QUERIES:
        for selector in selectors(promql.parse(query.text)):
            if selector.name != "consentry_blocked_total":
                continue
            for matcher in selector.matchers.matchers:
                if matcher.name == "reason":
                    for part in matcher.value.split("|"):
                        seen += 1
                        assert any(re.fullmatch(part, code) for code in known), f"{query.where}: {part}"
    assert seen


# (metric, label) → where the words of its closed set stand: a file, and the block of it.
WORDS = {
    ("consentry_requests_total", "decision"): ("src/audit/entry.rs", "impl Decision"),
    ("consentry_consent_decisions_total", "outcome"): ("src/telemetry/labels.rs", "ConsentOutcome {"),
    ("consentry_tls_handshakes_total", "result"): ("src/telemetry/labels.rs", "Handshake {"),
    ("consentry_requests_in_flight", "listener"): ("src/telemetry/labels.rs", "Listener {"),
    ("consentry_connections", "listener"): ("src/telemetry/labels.rs", "Listener {"),
    ("consentry_store_cache_lookups_total", "result"): ("src/telemetry/sources.rs", "store_lookups"),
}


def test_words_are_real():
    """A value that is matched by name is a word of the label's closed set: a query for another would be empty for ever."""
    for query in QUERIES:
        for selector in selectors(promql.parse(query.text)):
            for matcher in selector.matchers.matchers:
                if matcher.value == ".*" or matcher.name == "reason":
                    continue
                file, block = WORDS[selector.name, matcher.name]
                text = (chart.ROOT / file).read_text().split(block, 1)[1]
                text = text if block == "store_lookups" else text.split("\n    }\n", 1)[0]
                words = re.findall(r'(?:=|=>) "([\w.]+)"|\["(\w+)"\]', text)
                for part in matcher.value.split("|"):
                    assert part in {word for pair in words for word in pair}, f"{query.where}: {matcher.name}={part}"


if "PROMETHEUS_URL" in os.environ:

    @every_query
    def test_prometheus_answers_it(query):
        answer = ask("query", query=query.text)
        assert answer["status"] == "success", answer


# --- the rules' own form ---


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_is_complete(rule):
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    for name in ("summary", "description", "runbook_url"):
        assert rule["annotations"][name].strip()
    assert not rule["annotations"]["summary"].endswith(".")
    assert rule["annotations"]["description"].endswith(".")


def test_every_alert_has_a_runbook_and_every_runbook_an_alert():
    """The address's last part is a heading of docs/alerts.md, which says what it means and what to do."""
    text = (chart.ROOT / "docs" / "alerts.md").read_text()
    sections = {m[1]: m[2] for m in re.finditer(r"^## (Consentry\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)}
    assert set(sections) == {rule["alert"] for rule in ALERTS}
    for rule in ALERTS:
        assert rule["annotations"]["runbook_url"].endswith(f"/docs/alerts.md#{rule['alert'].lower()}")
    for name, body in sections.items():
        for part in ("**What it means.**", "**Look.**", "**Do.**"):
            assert part in body, f"{name}: {part}"


def test_every_rule_has_a_unit_test():
    """rules_test.yaml lets every alert fire and stay quiet, and computes every recorded series."""
    tests = yaml.safe_load((chart.HERE / "rules_test.yaml").read_text())["tests"]
    fired, quiet, computed = set(), set(), set()
    for test in tests:
        for case in test.get("alert_rule_test", []):
            if case.get("exp_alerts"):
                fired |= {(case["alertname"], a["exp_labels"]["severity"]) for a in case["exp_alerts"]}
            else:
                quiet.add(case["alertname"])
        for case in test.get("promql_expr_test", []):
            computed.add(case["expr"].split("{")[0])
    assert fired == {(rule["alert"], rule["labels"]["severity"]) for rule in ALERTS}
    assert quiet == {rule["alert"] for rule in ALERTS}
    assert set(RECORDED) <= computed


def test_recorded_names_are_level_metric_operation():
    for name in RECORDED:
        assert re.fullmatch(r"(job|tenant):consentry_\w+:[a-z0-9_]+", name), name


# --- the dashboard's own form ---


def test_the_dashboard_is_current():
    import make_dashboard

    assert make_dashboard.PATH.read_text() == make_dashboard.dashboard()


def test_panels_do_not_overlap():
    board = json.loads((chart.CHART / "dashboards" / "consentry.json").read_text())
    taken, numbers = {}, [panel["id"] for panel in board["panels"]]
    assert len(numbers) == len(set(numbers))
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken.get((x, y))}"
                taken[x, y] = panel["title"]


def test_every_panel_can_be_filtered_and_says_what_it_shows():
    board = json.loads((chart.CHART / "dashboards" / "consentry.json").read_text())
    for panel in board["panels"]:
        if panel["type"] == "row":
            continue
        assert panel["description"] and panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}"
            for selector in selectors(promql.parse(Query("", target["expr"]).text)):
                assert {"job", "instance"} <= {m.name for m in selector.matchers.matchers}, panel["title"]
