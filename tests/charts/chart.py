"""The chart as the tests see it: where it lies, and what Helm makes of it."""

import functools
import pathlib
import shutil
import subprocess
import tempfile

import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CHART = ROOT / "charts" / "consentry"
GOLDEN = HERE / "golden"

# The oldest Kubernetes that Chart.yaml allows, and the newest whose schemas kubernetes-validate carries.
OLDEST, NEWEST = "1.29", "1.37"

# name of the golden file → what Helm is given.
CASES = {
    "gateway": ["-f", CHART / "ci" / "gateway-values.yaml"],
    "gateway-full": ["-f", HERE / "values" / "gateway-full.yaml"],
    "sidecar": ["-f", CHART / "ci" / "sidecar-values.yaml"],
    "sidecar-full": ["-f", HERE / "values" / "sidecar-full.yaml"],
    "sidecar-oldest": ["-f", CHART / "ci" / "sidecar-values.yaml", "--kube-version", OLDEST],
    "shared-store": [
        "-f", CHART / "ci" / "gateway-values.yaml", "-f", HERE / "values" / "shared-store.yaml",
        "--skip-schema-validation",
    ],
    "library": [],
}  # fmt: skip


class Refused(Exception):
    """Helm refused the values; the text is Helm's own."""


def helm(*arguments):
    """Runs Helm and returns its output."""
    done = subprocess.run(["helm", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise Refused(done.stderr)
    return done.stdout


def template(*arguments, chart=CHART):
    """Renders the chart as release `demo` in namespace `prod`."""
    return helm("template", "demo", chart, "--namespace", "prod", "--kube-version", NEWEST, *arguments)


@functools.cache
def parent():
    """The chart of somebody else's, with this one as its dependency."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="consentry-charts-"))
    shutil.copytree(HERE / "parent", folder / "parent")
    shutil.copytree(CHART, folder / "parent" / "charts" / "consentry")
    return folder / "parent"


@functools.cache
def rendered(case):
    """The text of a case."""
    return template(*CASES[case], chart=parent() if case == "library" else CHART)


@functools.cache
def objects(case):
    """The objects of a case."""
    return [o for o in yaml.safe_load_all(rendered(case)) if o]


def of_kind(case, kind):
    """The objects of one kind."""
    return [o for o in objects(case) if o["kind"] == kind]


def pods(case):
    """Every pod template of a case: (the object's name, its metadata, its spec)."""
    for o in objects(case):
        if o["kind"] == "Pod":
            yield o["metadata"]["name"], o["metadata"], o["spec"]
        elif "template" in o.get("spec", {}):
            yield o["metadata"]["name"], o["spec"]["template"]["metadata"], o["spec"]["template"]["spec"]


def containers(spec):
    """All containers of a pod."""
    return spec.get("initContainers", []) + spec["containers"]
