"""Does the gateway itself take what the chart renders? Needs a built `consentry`: CONSENTRY_BIN, or one under target/."""

import subprocess

import pytest
import yaml

import chart
import pod


def run(*arguments, folder):
    return subprocess.run([pod.program(), *arguments], cwd=folder, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("case", [case for case in chart.CASES if case not in ("shared-store", "sidecar-oldest")])
def test_the_gateway_takes_the_rendered_configuration(case, tmp_path):
    """Every key that the chart writes is one that the gateway knows, and every file is where it is looked for."""
    pod.program()
    _, *arguments = pod.lay_out(chart.objects(case), tmp_path)
    done = run("check", *arguments, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    tenants = list((tmp_path / "etc" / "consentry" / "tenants").glob("*.yaml"))
    assert tenants and f"{len(tenants)} tenant" in done.stdout, done.stdout


def test_the_check_can_fail(tmp_path):
    """A misspelt key in a tenant's file is what the check before an upgrade is for."""
    pod.program()
    _, *arguments = pod.lay_out(chart.objects("sidecar-full"), tmp_path, lambda path: "tenant: acme\ncensro: {}\n" if path.endswith("acme.yaml") else pod.stand_in(path))
    done = run("check", *arguments, folder=tmp_path)
    assert done.returncode == 64
    assert "censro" in done.stderr and "acme.yaml" in done.stderr


def test_the_command_of_the_guide_makes_a_key(tmp_path):
    """docs/kubernetes.md makes a key with the program in the pod; its hash fits into a tenant's file."""
    pod.program()
    pod.lay_out(chart.objects("gateway"), tmp_path)
    guide = (chart.ROOT / "docs" / "kubernetes.md").read_text()
    line = next(line for line in guide.splitlines() if "/usr/bin/consentry keys new" in line)
    done = run(*line.split("/usr/bin/consentry ")[1].replace("/etc/consentry", f"{tmp_path}/etc/consentry").split(), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    keys = yaml.safe_load(done.stdout.split("tenant's file:")[1])
    assert [key["id"] for key in keys["keys"]] == ["first"]
    (tmp_path / "etc" / "consentry" / "tenants" / "acme.yaml").write_text(yaml.safe_dump({"tenant": "acme"} | keys))
    done = run("check", "--config", tmp_path / "etc" / "consentry", folder=tmp_path)
    assert done.returncode == 0, done.stderr
