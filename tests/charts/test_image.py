"""The container as Kubernetes would run it, without a container engine: the image's root file system, the chart's volumes at the paths
that the chart names, user 65532, the chart's arguments, its probes, its `helm test`, and SIGTERM."""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import pytest
import yaml

import chart
import pod

# As `helm test` asks: nothing secret is sent.
UNVERIFIED = ssl.create_default_context()
UNVERIFIED.check_hostname, UNVERIFIED.verify_mode = False, ssl.CERT_NONE


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def status(url):
    """The status of an answer; None while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5, context=UNVERIFIED if url.startswith("https") else None) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def test_it_starts_refuses_drains_and_ends(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    root, (chain, key) = tmp_path / "rootfs", pod.certificate()
    subprocess.run(["sh", chart.ROOT / "charts" / "image" / "rootfs.sh", pod.program(), root], check=True)
    # pytest's folders are for one user only; the container's is another.
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    https, plain = free_port(), free_port()
    text = chart.template(
        *chart.CASES["gateway"], "--set",
        f"listener.address=127.0.0.1,listener.port={https},metrics.port={plain},shutdown.preDrainSeconds=1,shutdown.drainSeconds=3",
    )  # fmt: skip
    objects = [o for o in yaml.safe_load_all(text) if o]
    spec, container = pod.serving(objects)
    arguments = pod.lay_out(
        objects, root, lambda path: {"tls/tls.crt": chain, "tls/tls.key": key}.get(path) or pod.stand_in(path), rebase=False
    )
    user = f"{container['securityContext']['runAsUser']}:{container['securityContext']['runAsGroup']}"
    (test,) = [o["spec"]["containers"][0] for o in objects if o["kind"] == "Pod"]

    def probe(name):
        return status(f"http://127.0.0.1:{plain}{container[name]['httpGet']['path']}")

    with open(tmp_path / "log", "w+") as log:
        command = [shutil.which("chroot"), f"--userspec={user}", root, "/usr/bin/consentry", *arguments]
        process = subprocess.Popen(command, stdout=log, stderr=log, env={})
        try:
            patience = time.monotonic() + container["startupProbe"]["periodSeconds"] * container["startupProbe"]["failureThreshold"]
            while probe("startupProbe") != 200:
                log.seek(0)
                assert process.poll() is None, log.read()
                assert time.monotonic() < patience, "the start-up probe never succeeded"
                time.sleep(0.1)
            assert probe("livenessProbe") == 200
            assert probe("readinessProbe") == 200
            # What the pod of `helm test` asks, and the answer that it wants.
            path = re.search(r":\d+(/.*)", test["env"][0]["value"])[1]
            assert status(f"https://127.0.0.1:{https}{path}") == 401
            with urllib.request.urlopen(f"http://127.0.0.1:{plain}/metrics", timeout=5) as answer:
                assert "consentry_build_info{" in answer.read().decode()
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            assert probe("readinessProbe") == 503, "load balancers have to be told"
            assert process.wait(timeout=spec["terminationGracePeriodSeconds"]) == 0
        finally:
            process.kill()
            process.wait()
    written = [path for path in root.rglob("*") if path.is_file() and path.stat().st_uid == 65532]
    assert written and all(path.is_relative_to(root / "var" / "lib" / "consentry") for path in written), written
