#!/usr/bin/env bash
# Tests the chart, the dashboard, the rules and the image recipe.
#
#   tests/charts/run.sh               checks; the last line is `charts: N checks passed`
#   UPDATE=1 tests/charts/run.sh      writes golden files, the README's table and the dashboard anew
#
#   CONSENTRY_CACHE    where the tools are kept (~/.cache/consentry)
#   CONSENTRY_BIN      a built `consentry`, to load the rendered configuration with
#   METRICS_FILE, PROMETHEUS_URL    what queries are checked against: see test_queries.py
#
# Exit 0: all passed. What could not be run is listed as `skip:` lines before the last.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
chart=$root/charts/consentry
cache=${CONSENTRY_CACHE:-$HOME/.cache/consentry}
venv=$cache/venv-charts
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

passed=0
failed=()
skipped=()

# check NAME COMMAND…: runs it, and shows what it said only if it failed.
check() {
  local name=$1
  shift
  if "$@" > "$work/output" 2>&1; then
    passed=$((passed + 1))
  else
    failed+=("$name")
    printf 'FAILED %s\n' "$name"
    sed 's/^/    /' "$work/output"
  fi
}

# skip NAME REASON: says that it was not run.
skip() {
  skipped+=("$1: $2")
}

# --- tools ---------------------------------------------------------------------

install_tools() {
  local stamp
  stamp=$(sha256sum "$here/requirements.txt" | cut -d' ' -f1)
  mkdir -p "$cache"
  exec 9> "$cache/venv-charts.lock"
  flock 9
  if [[ $(cat "$venv/stamp" 2> /dev/null) != "$stamp" ]]; then
    echo "charts: installing tools into $venv"
    [[ -x $venv/bin/python ]] || python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    echo "$stamp" > "$venv/stamp"
  fi
  exec 9>&-
}

# Debian's `prometheus` package holds promtool; unpacked, it runs without being installed.
find_promtool() {
  command -v promtool > /dev/null && return
  if [[ ! -x $cache/prometheus/usr/bin/promtool ]] && command -v apt-get > /dev/null; then
    echo "charts: fetching promtool into $cache/prometheus"
    (cd "$work" && apt-get download prometheus && dpkg -x prometheus_*.deb "$cache/prometheus") > /dev/null 2>&1 || true
  fi
  PATH=$cache/prometheus/usr/bin:$PATH
}

install_tools
PATH=$venv/bin:$PATH
find_promtool
export PATH

if [[ ${UPDATE:-} == 1 ]]; then
  python "$here/make_dashboard.py"
  python "$here/make_readme.py"
fi

# --- Helm and the schema ---------------------------------------------------------

for values in "$chart"/ci/*-values.yaml "$here"/values/*-full.yaml; do
  check "helm lint, $(basename "$values")" helm lint --strict --quiet "$chart" --values "$values"
done
check "helm package" helm package --destination "$work" "$chart"
for schema in "$chart/values.schema.json" "$here"/crds/*.json; do
  check "schema of $(basename "$schema")" check-jsonschema --check-metaschema "$schema"
done

# --- Rules -----------------------------------------------------------------------

if command -v promtool > /dev/null; then
  for rules in "$chart"/rules/*.yaml; do
    check "promtool check rules, $(basename "$rules")" promtool check rules "$rules"
  done
  check "promtool test rules" promtool test rules "$here/rules_test.yaml"
else
  skip "promtool check rules, promtool test rules" "no promtool, and none could be fetched"
fi

# --- The image recipe --------------------------------------------------------------

check "hadolint" hadolint "$root/Containerfile"
check "shellcheck" shellcheck --external-sources --source-path="$root" "$here/run.sh" "$root/charts/image/rootfs.sh" "$root"/tests/*.sh "$root"/tests/counterparties/*.sh "$root/.ci/run"

# The image's root file system, with a program in the gateway's place that says who it runs as: the loader finds its
# libraries, and the user is the one that Kubernetes is told.
image_runs() {
  sh "$root/charts/image/rootfs.sh" "$(command -v id)" "$work/rootfs"
  [[ $(chroot --userspec=65532:65532 "$work/rootfs" /usr/bin/consentry) == "uid=65532(nonroot) gid=65532(nonroot) groups=65532(nonroot)" ]]
  [[ $(stat -c %u:%g:%a "$work/rootfs/var/lib/consentry") == 65532:65532:750 ]]
  [[ ! -e $work/rootfs/bin/sh && ! -e $work/rootfs/usr/bin/sh ]]
}
if [[ $(id -u) == 0 ]]; then
  check "the image's root file system runs" image_runs
else
  skip "the image's root file system runs" "chroot needs root"
fi

# --- What is rendered, what is refused, what is asked of Prometheus -------------------

pytest_ran() {
  (cd "$here" && python -m pytest --quiet --no-header --tb=short -p no:cacheprovider --junitxml="$work/junit.xml" .)
}
if pytest_ran > "$work/pytest" 2>&1; then :; else
  sed 's/^/    /' "$work/pytest"
  failed+=("pytest")
fi
# Tests that run once for each query are one line here.
summary=$(
  python - "$work/junit.xml" << 'PY'
import collections, sys, xml.etree.ElementTree as tree

cases = list(tree.parse(sys.argv[1]).iter("testcase"))
skips = collections.Counter()
for case in cases:
    if (skip := case.find("skipped")) is not None:
        skips[case.get("name").split("[")[0], skip.get("message")] += 1
bad = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
print(len(cases) - bad - sum(skips.values()))
for (name, reason), times in sorted(skips.items()):
    print(f"{name}{f' ({times} times)' if times > 1 else ''}: {reason}")
PY
)
passed=$((passed + $(head -n 1 <<< "$summary")))
while read -r line; do
  [[ -n $line ]] && skipped+=("$line")
done < <(tail -n +2 <<< "$summary")

# --- The end -----------------------------------------------------------------------

for line in "${skipped[@]}"; do
  printf 'skip: %s\n' "$line"
done
if ((${#failed[@]} > 0)); then
  printf 'charts: %d checks passed, FAILED: %s\n' "$passed" "${failed[*]}"
  exit 1
fi
printf 'charts: %d checks passed\n' "$passed"
