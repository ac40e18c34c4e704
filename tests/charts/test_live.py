"""Every query against a Prometheus that scrapes a gateway at work: sandbox API, gateway, and Prometheus with the rules, all on this machine.

The gateway runs with what the chart renders. Traffic of two tenants makes each series that the dashboard shows, so that every panel has
to show something. Needs a built `consentry` and Debian's `prometheus`; takes half a minute.
"""

import functools
import http.client
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import time
import urllib.parse
import urllib.request
import uuid

import pytest
import yaml

import chart
import pod
import test_queries

ACCOUNT_KEY = "account-of-the-live-test"
RULE = """version: 1
rules:
  - id: house-number
    description: What the live test has censored
    entity: HOUSE_NUMBER
    groups: [house]
    severity: 5
    action: redact
    keywords: [house-]
    pattern: 'house-[0-9]{6}'
    examples: [["house-", "123456"]]
"""
GRANTS = {"grants": [{"purpose": "train", "scope": "tenant"}, {"purpose": "train", "scope": {"dataset": "*"}}]}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Stack:
    """The processes, ended by `close`."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []

    def start(self, name, *command):
        log = open(self.folder / f"{name}.log", "w")
        self.processes.append(subprocess.Popen([*map(str, command)], cwd=self.folder, stdout=log, stderr=log))

    def wait_for(self, name, url):
        for _ in range(300):
            try:
                with urllib.request.urlopen(url, timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"{name} does not answer: {(self.folder / f'{name}.log').read_text()}")

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def values(ports, keys):
    """What the chart is given: the sandbox and an upstream where nobody listens, two tenants, one with a grant."""
    tenants = {
        name: {"tenant": name, "keys": [{"id": "k", "hash": made["hash"], "purposes": ["inference", "train"]}]} for name, made in keys.items()
    }
    if tenants:
        tenants["acme"]["consent"] = GRANTS
    return {
        "image": {"repository": "registry.example/consentry"},
        "masterKey": {"existingSecret": "master"},
        "tls": {"existingSecret": "tls"},
        "listener": {"address": "127.0.0.1", "port": ports["https"]},
        "metrics": {"port": ports["metrics"]},
        "upstreams": {
            "sandbox": {
                "url": f"https://localhost:{ports['sandbox']}",
                "credential": {"existingSecret": "sandbox", "key": "key"},
                "ca": {"existingSecret": "sandbox-ca"},
            },
            "dead": {"url": f"http://127.0.0.1:{ports['dead']}"},
        },
        "routes": {"openai": {"upstream": "sandbox", "api": "openai"}, "dead": {"upstream": "dead", "api": "openai", "path": "/dead"}},
        "tenants": {f"{name}.yaml": yaml.safe_dump(tenant) for name, tenant in (tenants or {"none": {"tenant": "none"}}).items()},
        "rules": {"house.yaml": RULE},
    }


class Caller:
    """A tenant, or somebody without a key."""

    def __init__(self, port, trust, key=None):
        self.port, self.key = port, key
        self.trust = ssl.create_default_context(cadata=trust)

    def call(self, method, path, body=None, content_type="application/json"):
        connection = http.client.HTTPSConnection("localhost", self.port, context=self.trust, timeout=30)
        headers = {"authorization": f"Bearer {self.key}"} if self.key else {}
        if body is not None:
            headers["content-type"] = content_type
            body = json.dumps(body) if content_type == "application/json" else body
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text

    def upload(self):
        boundary = uuid.uuid4().hex
        record = '{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}\n'
        parts = f'--{boundary}\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
        parts += f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="t.jsonl"\r\ncontent-type: application/jsonl\r\n\r\n{record}\r\n--{boundary}--\r\n'
        return self.call("POST", "/v1/files", parts, f"multipart/form-data; boundary={boundary}")


def traffic(port, acme, zeta, nobody):
    """One round; returns the statuses by what was done."""
    say = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "I live in house-123456"}]}
    seen = {"list": acme.call("GET", "/v1/models")[0], "chat": acme.call("POST", "/v1/chat/completions", say)[0]}
    seen["stream"] = acme.call("POST", "/v1/chat/completions", say | {"stream": True})[0]
    seen["upload"], made = acme.upload()
    file = json.loads(made)["id"]
    job = {"model": "gpt-4o-mini-2024-07-18", "training_file": file}
    seen["train"] = acme.call("POST", "/v1/fine_tuning/jobs", job)[0]
    seen["another's file"] = zeta.call("GET", f"/v1/files/{file}")[0]
    seen["no grant"] = zeta.upload()[0]
    seen["no key"] = nobody.call("GET", "/v1/models")[0]
    seen["dead upstream"] = acme.call("GET", "/dead/v1/models")[0]
    seen["unknown operation"] = acme.call("GET", "/v1/nope")[0]
    with socket.create_connection(("127.0.0.1", port)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        plain.settimeout(5)
        try:
            plain.recv(1)
        except OSError:
            pass
    return seen


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """The address of Prometheus."""
    program = pod.program()
    if shutil.which("prometheus") is None:
        pytest.skip("`prometheus` is not installed")
    folder = tmp_path_factory.mktemp("live")
    chain, key = pod.certificate()
    stack, ports = Stack(folder), {name: free_port() for name in ("https", "metrics", "sandbox", "dead", "prometheus")}
    master = os.urandom(32).hex()
    stack.start("sandbox", program, "sandbox", "--address", f"127.0.0.1:{ports['sandbox']}", "--tls-dir", folder / "sandbox", "--account-key", ACCOUNT_KEY)
    for _ in range(100):
        if (folder / "sandbox" / "server.crt").exists():
            break
        time.sleep(0.1)

    def contents(path):
        return {
            "master/master.key": master, "tls/tls.crt": chain, "tls/tls.key": key, "upstreams/sandbox/credential": ACCOUNT_KEY,
            "upstreams/sandbox/ca.crt": (folder / "sandbox" / "ca.crt").read_text(),
        }[path]  # fmt: skip

    def deploy(place, keys):
        file = folder / "values.yaml"
        file.write_text(yaml.safe_dump(values(ports, keys)))
        return pod.lay_out([o for o in yaml.safe_load_all(chart.template("-f", file)) if o], place, contents)

    # Twice: keys are made with the master key that the first one holds.
    made = {}
    _, *configuration = deploy(folder / "first", {})
    for tenant in ("acme", "zeta"):
        done = subprocess.run([program, "keys", "new", *configuration, "--id", "k", "--json"], capture_output=True, text=True, check=True)
        made[tenant] = json.loads(done.stdout)
    try:
        stack.start("gateway", program, *deploy(folder / "pod", made))
        stack.wait_for("gateway", f"http://127.0.0.1:{ports['metrics']}/readyz")
        settings = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(path) for path in sorted((chart.CHART / "rules").glob("*.yaml"))],
            "scrape_configs": [{"job_name": "consentry", "static_configs": [{"targets": [f"127.0.0.1:{ports['metrics']}"]}]}],
        }
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(settings))
        stack.start(
            "prometheus", "prometheus", f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
        )  # fmt: skip
        address = f"http://127.0.0.1:{ports['prometheus']}"
        stack.wait_for("prometheus", f"{address}/-/ready")
        callers = [Caller(ports["https"], chain, made.get(name, {}).get("key")) for name in ("acme", "zeta", "")]
        for _ in range(8):
            time.sleep(1.5)
            seen = traffic(ports["https"], *callers)
            assert seen == {
                "list": 200, "chat": 200, "stream": 200, "upload": 200, "train": 200, "another's file": 404, "no grant": 403, "no key": 401,
                "dead upstream": 502, "unknown operation": 404,
            }  # fmt: skip
        time.sleep(2.5)
        yield address, ports
    finally:
        stack.close()


@pytest.fixture
def prometheus(live, monkeypatch):
    """`test_queries.ask` goes to the live one."""
    monkeypatch.setenv("PROMETHEUS_URL", live[0])
    return live[0]


@functools.cache
def series(_address):
    """Metric → labels of the live gateway."""
    return test_queries.metrics.__wrapped__()


def test_promtool_takes_the_exposition(live):
    """Names, units, help texts and types, as Prometheus' own tool wants them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{live[1]['metrics']}/metrics", timeout=5) as answer:
        text = answer.read()
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


@test_queries.every_query
def test_every_metric_and_label_is_there(query, prometheus):
    test_queries.check_metrics(query, series(prometheus))
    test_queries.check_labels(query, series(prometheus))


@pytest.mark.parametrize("query", list(test_queries.dashboard()), ids=repr)
def test_every_panel_shows_something(query, prometheus):
    answer = test_queries.ask("query", query=query.text)
    assert answer["status"] == "success", answer
    assert answer["data"]["result"] or query.where.startswith("annotation"), f"nothing for {query.text}"


def test_every_rule_is_healthy(prometheus):
    with urllib.request.urlopen(f"{prometheus}/api/v1/rules", timeout=5) as answer:
        rules = [rule for group in json.load(answer)["data"]["groups"] for rule in group["rules"]]
    assert len(rules) == len(list(test_queries.rules()))
    assert not [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"]
    recorded = {rule["name"] for rule in rules if rule["type"] == "recording"}
    silent = {name for name in recorded if not test_queries.ask("query", query=name)["data"]["result"]}
    assert not silent, "recorded nothing"


def test_the_attempt_on_another_tenant_is_an_alert_at_once(prometheus):
    with urllib.request.urlopen(f"{prometheus}/api/v1/alerts", timeout=5) as answer:
        alerts = json.load(answer)["data"]["alerts"]
    firing = [alert["labels"] for alert in alerts if alert["state"] == "firing"]
    assert [(a["alertname"], a.get("tenant"), a.get("kind")) for a in firing] == [("ConsentryIsolationViolation", "zeta", "cross_tenant_id")]
