"""What the values may say: the schema is closed, and what can't be deployed is refused by name."""

import json
import re
import tempfile
import tomllib

import pytest
import yaml

import chart
import make_readme

SCHEMA = json.loads((chart.CHART / "values.schema.json").read_text())
GATEWAY = chart.CHART / "ci" / "gateway-values.yaml"


def nodes(schema, path=""):
    """Every subschema with its path."""
    if isinstance(schema, dict):
        yield path, schema
        for key, value in schema.items():
            yield from nodes(value, f"{path}/{key}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from nodes(value, f"{path}/{index}")


def test_every_object_of_the_schema_is_closed():
    """`additionalProperties` is false, or a schema for the values of a map. Helm's own `global` is the one exception."""
    seen = 0
    for path, schema in nodes(SCHEMA):
        if "properties" in schema and path.rsplit("/", 1)[-1] != "properties":
            assert schema.get("type") == "object", path
        if schema.get("type") == "object" and path != "/properties/global":
            seen += 1
            extra = schema.get("additionalProperties")
            assert extra is False or (isinstance(extra, dict) and extra), path
            if extra is False:
                assert schema.get("properties"), path
    assert seen > 60


def test_every_definition_is_used():
    used = {node["$ref"] for _, node in nodes(SCHEMA) if "$ref" in node}
    assert used == {f"#/definitions/{name}" for name in SCHEMA["definitions"]}


def keys(values, schema, path=""):
    """Paths of the maps of values.yaml that the schema closes, against the schema's."""
    if "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].rsplit("/", 1)[1]]
    if not isinstance(values, dict) or "properties" not in schema:
        return
    yield path, set(values), set(schema["properties"])
    for key, value in values.items():
        if key in schema["properties"]:
            yield from keys(value, schema["properties"][key], f"{path}.{key}")


def test_values_and_schema_know_the_same_keys():
    """Every key of values.yaml is in the schema, and every top-level one of the schema has a default."""
    values = yaml.safe_load((chart.CHART / "values.yaml").read_text())
    for path, have, known in keys(values, SCHEMA):
        assert have <= known, path
    assert set(SCHEMA["properties"]) - set(values) == {"global"}


def test_versions_agree():
    """The chart installs this version of the gateway, and the image is built by a compiler that can."""
    cargo = tomllib.loads((chart.ROOT / "Cargo.toml").read_text())["package"]
    assert yaml.safe_load((chart.CHART / "Chart.yaml").read_text())["appVersion"] == cargo["version"]
    image = re.search(r"^ARG RUST_IMAGE=\S+/rust:([\d.]+)-", (chart.ROOT / "Containerfile").read_text(), re.MULTILINE)[1]
    assert [int(n) for n in image.split(".")] >= [int(n) for n in cargo["rust-version"].split(".")[:2]]


def test_the_readme_is_current():
    assert (chart.CHART / "README.md").read_text() == make_readme.readme()


# What is set → a part of Helm's answer. The first group is the schema's; the second is templates/_refuse.tpl's.
REFUSED = {
    "an unknown key": (["--set", "replicas=2"], "Additional property replicas is not allowed"),
    "an unknown key below": (["--set", "image.repo=x"], "Additional property repo is not allowed"),
    "an unknown key of an upstream": (["--set", "upstreams.openai.uri=https://x"], "Additional property uri is not allowed"),
    "an unknown key of a probe": (["--set", "probes.startup.path=/"], "Additional property path is not allowed"),
    "an unknown key deep in affinity": (
        ["--set", "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topology=x"],
        "Additional property topology is not allowed",
    ),
    "a string for a number": (["--set-string", "replicaCount=1"], "Invalid type. Expected: integer, given: string"),
    "a number for a string": (["--set", "image.tag=1"], "Invalid type. Expected: string, given: integer"),
    "a list for a map": (["--set-json", 'upstreams=[{"url":"https://x"}]'], "Invalid type. Expected: object, given: array"),
    "an unknown mode": (["--set", "mode=proxy"], "mode must be one of the following"),
    "an unknown store": (["--set", "store.kind=postgres"], "store.kind must be one of the following"),
    "a privileged port": (["--set", "listener.port=443"], "Must be greater than or equal to 1024"),
    "a duration without a unit": (["--set-string", "listener.bounds.idle=30"], "Does not match pattern"),
    "a digest that is none": (["--set", "image.digest=latest"], "Does not match pattern"),
    "a plain-text public URL": (["--set", "listener.publicUrl=http://gw.example"], "Does not match pattern"),
    "credentials in a URL": (["--set", "upstreams.openai.url=https://user:word@host"], "Does not match pattern"),
    "a credential in the values": (["--set", "upstreams.openai.credential.value=x"], "Additional property value is not allowed"),
    "a tenant file that is not YAML by name": (["--set", "tenants.acme=x"], "Does not match pattern"),
    "two replicas of the embedded store": (["--set", "replicaCount=2"], "replicaCount: 2 pods can't share the embedded store"),
    "autoscaling of the embedded store": (["--set", "autoscaling.enabled=true"], "autoscaling.enabled: pods can't share the embedded store"),
    "plain http to elsewhere": (["--set", "upstreams.openai.url=http://api.openai.com"], "upstreams.openai.url: plain http is for loopback"),
    "plain http to a look-alike": (["--set", "upstreams.openai.url=http://127.0.0.1.example.com"], "upstreams.openai.url: plain http is for loopback"),
    "a route to nowhere": (["--set", "routes.openai.upstream=opneai"], 'routes.openai.upstream: there is no upstream "opneai"'),
    "no certificate": (["--set", "tls.existingSecret="], "tls: there is no plain-text data port"),
    "two certificates": (["--set", "tls.development=true"], "tls: development excludes existingSecret"),
    "a certificate without names": (["--set", "tls.certManager.enabled=true,tls.certManager.issuerRef.name=ca"], "tls.certManager: give dnsNames or uris"),
    "a certificate without an issuer": (["--set", "tls.certManager.enabled=true,tls.certManager.dnsNames={gw}"], "tls.certManager.issuerRef.name"),
    "a drain that ends before it begins": (["--set", "shutdown.preDrainSeconds=30"], "shutdown.drainSeconds: 30 leaves nothing"),
    "a log level that is none": (["--set", "logLevel=verbose"], "logLevel must be one of the following"),
    "no image": (["--set", "image.repository="], "image.repository"),
    "no master key": (["--set", "masterKey.existingSecret="], "masterKey.existingSecret"),
    "no upstream": (["--set", "upstreams=null,routes=null"], "upstreams: name at least one"),
    "no tenant": (["--set", "tenants=null"], "tenants: without one, every request is refused"),
    "a store that would be lost on every roll": (["--set", "persistence.accessMode=ReadWriteMany"], "accessMode must be one of the following"),
    "a source of tenants of another form": (["--set", "tenantsFrom[0].key=x"], "Additional property key is not allowed"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what):
    arguments, answer = REFUSED[what]
    with pytest.raises(chart.Refused) as refused:
        chart.template("-f", GATEWAY, *arguments)
    assert answer in str(refused.value)


def test_every_refusal_at_once():
    """As `consentry check` does it: one look, all errors."""
    with pytest.raises(chart.Refused) as refused:
        chart.template()
    text = str(refused.value)
    for name in ("image.repository", "masterKey.existingSecret", "tls:", "upstreams:", "routes:", "tenants:"):
        assert f"  - {name}" in text, text


def test_the_chart_needs_native_sidecars():
    with pytest.raises(chart.Refused) as refused:
        chart.helm("template", "demo", chart.CHART, "-f", GATEWAY, "--kube-version", "1.28")
    assert "incompatible with Kubernetes" in str(refused.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000/v1", "http://127.8.9.1/x", "https://10.0.0.1:8443"])
def test_loopback_may_be_plain(url):
    chart.template("-f", GATEWAY, "--set", f"upstreams.openai.url={url}")


def test_a_text_file_arrives_byte_for_byte():
    """Indented first lines, blank lines, comments, quotes and non-ASCII stand in the ConfigMap as they were written."""
    for text in ("  # indented first\ntenant: acme\n", "tenant: acme\n\n\ncensor: {}\n", 'tenant: "ä: \'b\' | >"\n#\n', "a: |\n  x\n   y\n"):
        values = {"tenants": {"acme.yaml": text}}
        made = [o for o in yaml.safe_load_all(render_with(values)) if o and o["metadata"]["name"] == "demo-consentry-tenants"]
        assert made[0]["data"]["acme.yaml"] == text


def render_with(values):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(yaml.safe_load(GATEWAY.read_text()) | values, file)
        file.flush()
        return chart.template("-f", file.name)
