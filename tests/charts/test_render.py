"""What Helm makes of the chart: golden files, the API's own schemas, and what must be true of every pod."""

import ipaddress
import json
import os
import pathlib
import re
import shutil
import tempfile

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft7Validator

import chart

GOLDENS = [case for case in chart.CASES if case != "shared-store"]
CRDS = {path.stem: json.loads(path.read_text()) for path in (chart.HERE / "crds").glob("*.json")}


@pytest.mark.parametrize("case", GOLDENS)
def test_golden(case):
    """The rendered chart is the golden file; UPDATE=1 writes it anew, for `git diff` to show."""
    path, text = chart.GOLDEN / f"{case}.yaml", chart.rendered(case)
    # The dashboard is compared by a test of its own; 3,000 lines of it would hide what matters here.
    text = re.sub(r"(\n  [\w.-]+\.json: \|-\n)(?: {4}.*\n|\n)+", r"\1    (dashboards/consentry.json)\n", text)
    if os.environ.get("UPDATE") == "1":
        path.write_text(text)
    assert path.read_text() == text, f"{path} differs; UPDATE=1 tests/charts/run.sh writes it anew"


@pytest.mark.parametrize("version", [chart.OLDEST, chart.NEWEST])
@pytest.mark.parametrize("case", chart.CASES)
def test_core_objects_are_valid(case, version):
    """Every core object is valid and has no unknown field, by Kubernetes' own schemas."""
    if version == chart.OLDEST and case != "sidecar-oldest":
        text = chart.template(
            *chart.CASES[case], "--kube-version", version, chart=chart.parent() if case == "library" else chart.CHART
        )
        found = [o for o in yaml.safe_load_all(text) if o]
    else:
        found = chart.objects(case)
    core = [o for o in found if o["kind"] not in CRDS]
    assert core
    for o in core:
        kubernetes_validate.validate(o, version, strict=True)


@pytest.mark.parametrize("kind", CRDS)
def test_custom_objects_are_valid(kind):
    """Every custom object fits its CRD, and at least one case makes one."""
    validator, seen = Draft7Validator(CRDS[kind]), 0
    for case in chart.CASES:
        for o in chart.of_kind(case, kind):
            seen += 1
            errors = [f"{'/'.join(map(str, e.path))}: {e.message}" for e in validator.iter_errors(o)]
            assert not errors, f"{case}: {errors}"
    assert seen


@pytest.mark.parametrize("case", chart.CASES)
def test_every_kind_is_checked_by_something(case):
    """An object of a kind that neither schema knows would pass unseen."""
    for o in chart.objects(case):
        core = "." not in o["apiVersion"].split("/")[0] or o["apiVersion"].split("/")[0].endswith(".k8s.io")
        assert core or o["kind"] in CRDS, o["kind"]


@pytest.mark.parametrize("case", chart.CASES)
def test_pods_are_restricted(case):
    """The `restricted` Pod Security Standard, a root file system that can't be written, no token."""
    for name, _, spec in chart.pods(case):
        assert spec["automountServiceAccountToken"] is False, name
        assert not any(spec.get(k) for k in ("hostNetwork", "hostPID", "hostIPC")), name
        assert not any("hostPath" in v for v in spec.get("volumes", [])), name
        for container in chart.containers(spec):
            context = container["securityContext"]
            assert context["runAsNonRoot"] is True
            assert context["runAsUser"] >= 10000
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert context["seccompProfile"] == {"type": "RuntimeDefault"}
            assert not any("hostPort" in p for p in container.get("ports", []))


@pytest.mark.parametrize("case", chart.CASES)
def test_nothing_is_mounted_by_sub_path(case):
    """A subPath mount never changes when its ConfigMap does."""
    for _, _, spec in chart.pods(case):
        for container in chart.containers(spec):
            assert not any("subPath" in m or "subPathExpr" in m for m in container.get("volumeMounts", []))


@pytest.mark.parametrize("case", chart.CASES)
def test_mounts_and_volumes_are_the_same_set(case):
    for name, _, spec in chart.pods(case):
        mounted = {m["name"] for c in chart.containers(spec) for m in c.get("volumeMounts", [])}
        assert mounted == {v["name"] for v in spec.get("volumes", [])}, name


@pytest.mark.parametrize("case", chart.CASES)
def test_no_secret_is_made_and_none_is_in_the_environment(case):
    """Secrets are somebody else's objects, and reach the gateway as files."""
    assert not chart.of_kind(case, "Secret")
    for _, _, spec in chart.pods(case):
        for container in chart.containers(spec):
            assert not any("secretKeyRef" in e.get("valueFrom", {}) for e in container.get("env", []))
            assert "envFrom" not in container


def gateways(case):
    """The containers that serve, with their pods' specs."""
    for _, metadata, spec in chart.pods(case):
        for container in chart.containers(spec):
            if container.get("args", [""])[0] == "serve":
                yield metadata, spec, container


@pytest.mark.parametrize("case", chart.CASES)
def test_the_gateway_is_probed_and_has_time_to_stop(case):
    found = list(gateways(case))
    assert len(found) == 1
    _, spec, container = found[0]
    for probe, path in (("startupProbe", "/startupz"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        assert container[probe]["httpGet"] == {"path": path, "port": "metrics"}
    bounds = settings(case)["listeners"]["data"]["bounds"]
    stop = sum(int(bounds[k].removesuffix("s")) for k in ("pre_drain", "drain"))
    assert spec["terminationGracePeriodSeconds"] > stop
    assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("case", ["sidecar", "sidecar-full", "sidecar-oldest", "library"])
def test_the_sidecar_is_native(case):
    """It starts before the app, is stopped after it, and the app can't be reached but through it."""
    _, spec, container = next(gateways(case))
    assert container in spec["initContainers"]
    assert container["restartPolicy"] == "Always"
    assert "startupProbe" in container
    app = spec["containers"][0]
    assert "ports" not in app
    assert any("127.0.0.1" in a for a in app["args"])
    assert settings(case)["upstreams"]["app"]["url"].startswith("http://127.0.0.1:8000")


def test_the_app_outlives_the_endpoints_where_kubernetes_can_do_that():
    """The sleep action is on by default from 1.30; before, an empty preStop would be refused."""
    _, newest, _ = next(gateways("sidecar"))
    _, oldest, _ = next(gateways("sidecar-oldest"))
    assert newest["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"] == 5
    assert "lifecycle" not in oldest["containers"][0]


def settings(case):
    """The gateway's consentry.yaml."""
    for o in chart.of_kind(case, "ConfigMap"):
        if "consentry.yaml" in o["data"] and "check" not in o["metadata"]["name"]:
            return yaml.safe_load(o["data"]["consentry.yaml"])
    raise AssertionError("no consentry.yaml")


@pytest.mark.parametrize("case", chart.CASES)
def test_projected_files_exist(case):
    """Each file of the configuration's volume is a key of a ConfigMap that the chart makes, or of one that the values name."""
    made = {o["metadata"]["name"]: set(o["data"]) for o in chart.of_kind(case, "ConfigMap")}
    for name, _, spec in chart.pods(case):
        for volume in spec.get("volumes", []):
            paths = []
            for source in volume.get("projected", {}).get("sources", []):
                (body,) = source.values()
                paths += [item["path"] for item in body["items"]]
                if "configMap" in source and body["name"].startswith(("demo-", "gw-")):
                    assert {item["key"] for item in body["items"]} == made[body["name"]], name
            assert len(paths) == len(set(paths)), f"{name}: two sources for one file"


@pytest.mark.parametrize("case", chart.CASES)
def test_every_path_of_the_configuration_is_mounted(case):
    """What consentry.yaml names lies on a volume: secrets as projected files, state where it can be written."""
    text = yaml.safe_dump(settings(case))
    _, spec, container = next(gateways(case))
    mounts = {m["mountPath"]: m for m in container["volumeMounts"]}
    volumes = {v["name"]: v for v in spec["volumes"]}
    secrets = {
        "/run/secrets/consentry/" + item["path"]
        for source in volumes["consentry-secrets"]["projected"]["sources"]
        for item in next(iter(source.values()))["items"]
    }
    named = set(re.findall(r"/(?:run|etc|var)/[\w./-]+", text))
    assert named
    for path in named:
        if path.startswith("/run/secrets/consentry/"):
            assert path in secrets, path
        else:
            assert path in mounts and not mounts[path].get("readOnly"), path
    if case != "gateway-full":
        assert secrets - named <= {p for p in secrets if "/extra/" in p}, "a projected secret that nothing names"
    spool = volumes["consentry-spool"]["emptyDir"]
    assert int(spool["sizeLimit"]) > settings(case)["state"]["spool"], "the kubelet would evict before the gateway refuses"


@pytest.mark.parametrize("case", chart.CASES)
def test_the_data_port_is_tls_and_ports_agree(case):
    found = settings(case)
    _, _, container = next(gateways(case))
    ports = {p["name"]: p["containerPort"] for p in container["ports"]}
    assert set(found["listeners"]) == {"data", "metrics"}
    assert set(found["listeners"]["data"]["tls"]) in ({"files"}, {"development"})
    assert found["listeners"]["data"]["address"].endswith(f":{ports['https']}")
    assert found["listeners"]["metrics"]["address"].endswith(f":{ports['metrics']}")
    assert all(port >= 1024 for port in ports.values())


@pytest.mark.parametrize("case", chart.CASES)
def test_selectors_find_the_gateway_and_nothing_else(case):
    """Service, monitors, PDB, NetworkPolicy and spread select the gateway's pod; never the test's or the check's."""
    others = [m["labels"] for name, m, _ in chart.pods(case) if name.endswith(("-test", "-check"))]
    metadata, _, _ = next(gateways(case))

    def selects(selector, labels):
        return selector.items() <= labels.items()

    selectors = {}
    for o in chart.objects(case):
        spec, name = o.get("spec", {}), f"{o['kind']}/{o['metadata']['name']}"
        match o["kind"]:
            case "Service":
                selectors[name] = spec["selector"]
            case "NetworkPolicy":
                selectors[name] = spec["podSelector"]["matchLabels"]
            case "Deployment" | "PodDisruptionBudget" | "PodMonitor":
                selectors[name] = spec["selector"]["matchLabels"]
            case "ServiceMonitor":
                services = chart.of_kind(case, "Service")
                found = [s for s in services if selects(spec["selector"]["matchLabels"], s["metadata"]["labels"])]
                assert [p["name"] for s in found for p in s["spec"]["ports"]] == ["metrics"]
    assert "NetworkPolicy" in " ".join(selectors)
    for name, selector in selectors.items():
        assert selects(selector, metadata["labels"]), name
        assert not any(selects(selector, labels) for labels in others), name


@pytest.mark.parametrize("case", ["gateway", "sidecar"])
def test_network_policy_lets_out_dns_and_upstreams_only(case):
    (policy,) = chart.of_kind(case, "NetworkPolicy")
    assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    ports = [{p["port"] for p in rule["ports"]} for rule in policy["spec"]["egress"]]
    assert ports == ([{53}, {443}] if case == "gateway" else [{53}])
    assert all(rule["to"] for rule in policy["spec"]["egress"]), "an empty `to` means everywhere"
    metrics = [r for r in policy["spec"]["ingress"] if r["ports"][0]["port"] == "metrics"]
    assert metrics and metrics[0]["from"], "an empty `from` would open the metrics port to all"


def test_default_egress_excludes_private_addresses():
    """A stolen URL can't turn the gateway against the cluster or the cloud's metadata service."""
    (policy,) = chart.of_kind("gateway", "NetworkPolicy")
    blocks = [peer["ipBlock"] for peer in policy["spec"]["egress"][1]["to"]]

    def reachable(address):
        ip = ipaddress.ip_address(address)
        return any(
            ip in ipaddress.ip_network(b["cidr"]) and not any(ip in ipaddress.ip_network(e) for e in b.get("except", []))
            for b in blocks
        )

    assert reachable("8.8.8.8") and reachable("2606:4700::1111")
    for address in ("169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.100.100.200", "127.0.0.1", "fd00::1", "fe80::1"):
        assert not reachable(address), address


def test_single_writer():
    """One pod, stopped before the next one starts, on a claim for one pod that `helm uninstall` leaves."""
    (deployment,) = chart.of_kind("gateway", "Deployment")
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    (claim,) = chart.of_kind("gateway", "PersistentVolumeClaim")
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert not chart.of_kind("gateway", "HorizontalPodAutoscaler")


def test_a_shared_store_would_scale():
    """The templates for a store that pods can share, which the schema does not yet have."""
    (deployment,) = chart.of_kind("shared-store", "Deployment")
    assert "replicas" not in deployment["spec"]
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    (scaler,) = chart.of_kind("shared-store", "HorizontalPodAutoscaler")
    assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert [m["type"] for m in scaler["spec"]["metrics"]] == ["Resource", "Pods"]


def checksum(*arguments):
    text = chart.template("-f", chart.CHART / "ci" / "gateway-values.yaml", *arguments)
    return re.search(r"checksum/config: (\w{64})", text)[1]


def test_pods_roll_when_the_configuration_changes_and_only_then():
    """The gateway reloads on SIGHUP, which nothing in the pod sends; a changed file must make a new pod."""
    before = checksum()
    assert checksum("--set", "service.type=NodePort") == before
    assert checksum("--set", "limits.depth=32") != before
    assert checksum("--set", "tenants.zeta\\.yaml=tenant: zeta") != before


def test_configuration_is_checked_before_the_running_pod_is_stopped():
    """The hook reads the same files with the same image as the Deployment will."""
    (job,) = chart.of_kind("gateway", "Job")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    (container,) = job["spec"]["template"]["spec"]["containers"]
    _, spec, gateway = next(gateways("gateway"))
    assert container["image"] == gateway["image"]
    assert container["args"][0] == "check" and container["args"][1:] == gateway["args"][1:]
    maps = {o["metadata"]["name"]: o["data"] for o in chart.of_kind("gateway", "ConfigMap")}
    assert maps["demo-consentry-check-config"] == maps["demo-consentry-config"]
    assert maps["demo-consentry-check-tenants"] == maps["demo-consentry-tenants"]


def test_names_stay_within_limits():
    """The longest release name that Helm takes still gives valid names."""
    text = chart.helm("template", "r" * 53, chart.CHART, "-f", chart.HERE / "values" / "gateway-full.yaml", "--set", "fullnameOverride=")
    for o in yaml.safe_load_all(text):
        if o:
            assert len(o["metadata"]["name"]) <= 63, o["metadata"]["name"]
            assert all(len(str(v)) <= 63 for v in o["metadata"].get("labels", {}).values())


def test_numeric_names_stay_strings():
    """A release or version that looks like a number must not become one in a label."""
    text = chart.helm("template", "123", chart.CHART, "-f", chart.CHART / "ci" / "gateway-values.yaml", "--kube-version", chart.NEWEST)
    for o in yaml.safe_load_all(text):
        if o:
            kubernetes_validate.validate(o, chart.NEWEST, strict=True)


def test_the_dashboard_is_the_file():
    (found,) = [o for o in chart.of_kind("gateway-full", "ConfigMap") if o["metadata"]["name"].endswith("-dashboard")]
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    (text,) = found["data"].values()
    assert text.strip() == (chart.CHART / "dashboards" / "consentry.json").read_text().strip()


def test_the_rules_are_the_files_with_their_own_runbooks():
    (found,) = chart.of_kind("gateway-full", "PrometheusRule")
    expected = []
    for path in sorted((chart.CHART / "rules").glob("*.yaml")):
        text = path.read_text().replace(
            "https://github.com/consentry/consentry/blob/main/docs/alerts.md", "https://wiki.example.com/consentry/alerts"
        )
        expected += yaml.safe_load(text)["groups"]
    assert found["spec"]["groups"] == expected
    assert "github.com/consentry/consentry/blob" not in chart.rendered("gateway-full")


def notes(case):
    """NOTES.txt as an installation would print it. Helm shows it to a cluster only, so it is rendered as a template here."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(chart.CHART, pathlib.Path(folder) / "consentry")
        text = (copy / "templates" / "NOTES.txt").read_text()
        (copy / "templates" / "notes.yaml").write_text('{{- define "notes" }}' + text + '{{ end }}\nnotes: {{ include "notes" . | quote }}\n')
        return yaml.safe_load(chart.template(*chart.CASES[case], "--show-only", "templates/notes.yaml", chart=copy))["notes"]


def test_notes_say_what_is_special():
    assert "https://demo-consentry.prod.svc:443." in notes("gateway")
    assert "renews the certificate" in notes("gateway-full")
    for word in ("emptyDir", "development"):
        assert word in notes("sidecar-full") and word not in notes("gateway")
