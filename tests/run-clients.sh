#!/usr/bin/env bash
# Drives a real gateway over TLS with clients and servers that nobody here wrote.
#
#   run-clients.sh [PART...]   none or `all`: every part, in this order
#
#   python      the openai SDK for Python, three tenants, over HTTP/1.1 and HTTP/2, before the sandbox API
#   node        the openai SDK for Node, the same
#   aimock      an OpenAI-shaped mock behind TLS (counterparties/aimock.json)
#   llama       llama.cpp's server behind TLS, with a tiny model
#   label-studio  a real Label Studio behind TLS, by its own SDK, two tenants of one service account
#   doccano     a real doccano behind TLS, by its own client, two tenants of one service account
#   prometheus  promtool reads the metrics; a real Prometheus scrapes them, and every query of the dashboard and the
#               rules is sent to it
#
# After the parts, always: the log holds no client address, SIGTERM ends the gateway with status 0, and the audit trail
# verifies. Everything is made in a folder of its own, which stays only if something failed (or KEEP=1).
#
#   CONSENTRY_BIN    the program (target/debug/consentry, built if it is not set)
#   CONSENTRY_CACHE  where tests/setup.sh put the SDKs and servers (~/.cache/consentry)
#   HTTP             1, 2 or both (both)
#   RECORDS          records in the uploaded file (2000)
#   VERBOSE=1        shows every check, not only those that fail
#
# A part whose SDK or server is not installed is skipped by name; one that was named on the command line and is skipped has
# failed. The last line is `clients: N parts passed, …`.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/.." && pwd)
CACHE=${CONSENTRY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/consentry}
export CONSENTRY_CACHE=$CACHE
# shellcheck source=tests/counterparties/doccano.sh
. "$HERE/counterparties/doccano.sh"
ALL=(python node aimock llama label-studio doccano prometheus)

usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0"; exit 2; }
say() { printf 'clients: %s\n' "$*"; }

passed=() failed=() skipped=()
skip() { skipped+=("$1"); printf 'skip: %s: %s\n' "$1" "$2"; }

parts=("$@") named=1
if [ ${#parts[@]} = 0 ] || [ "${parts[*]}" = all ]; then parts=("${ALL[@]}") named=0; fi
for part in "${parts[@]}"; do case " ${ALL[*]} " in *" $part "*) ;; *) usage ;; esac; done
wanted() { case " ${parts[*]} " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

if [ -z "${CONSENTRY_BIN:-}" ]; then
  (cd "$ROOT" && cargo build --locked --quiet)
  CONSENTRY_BIN=${CARGO_TARGET_DIR:-$ROOT/target}/debug/consentry
fi
[ -x "$CONSENTRY_BIN" ] || { say "there is no program at $CONSENTRY_BIN" >&2; exit 2; }

WORK=$(mktemp -d "${TMPDIR:-/tmp}/consentry-clients.XXXXXX")
GATEWAY='' SANDBOX='' PROMETHEUS='' STARTED=()
declare -A KEYS

stop() { # PID
  [ -n "$1" ] || return 0
  kill "$1" 2> /dev/null || return 0
  for ((i = 0; i < 100; i++)); do kill -0 "$1" 2> /dev/null || return 0; sleep 0.1; done
  kill -KILL "$1" 2> /dev/null || true
}

finish() {
  local status=$?
  stop "$PROMETHEUS"
  stop "$GATEWAY"
  stop "$SANDBOX"
  [ ${#STARTED[@]} = 0 ] || "$HERE/counterparties/up.sh" stop "${STARTED[@]}" > /dev/null 2>&1 || true
  if [ "$status" != 0 ] || [ "${KEEP:-}" = 1 ]; then say "logs and state are in $WORK"; else rm -rf "$WORK"; fi
}
trap finish EXIT

# until_true SECONDS COMMAND...: asks again and again.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.2
  done
}

fetch() { curl --silent --fail --max-time 20 --noproxy '*' "$@"; }
json() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# --- the servers behind ------------------------------------------------------------

SECONDS_TO_START=60

start_sandbox() {
  "$CONSENTRY_BIN" sandbox --journal --step-ms 100 --tls-dir "$WORK/sandbox" > "$WORK/sandbox.out" 2> "$WORK/sandbox.log" &
  SANDBOX=$!
  until_true $SECONDS_TO_START grep -q . "$WORK/sandbox.out" || { say 'the sandbox did not start'; cat "$WORK/sandbox.log"; exit 1; }
  read -r address SANDBOX_CA < "$WORK/sandbox.out"
  SANDBOX_URL=https://localhost:${address##*:}
}

# counterparty NAME PATH: true if it runs. What runs already is not ours to stop.
counterparty() {
  local url name=${1^^}
  url=$("$HERE/counterparties/up.sh" env | sed -n "s/^${name//-/_}_URL=//p")
  if ! fetch -o /dev/null "$url$2"; then
    if ! "$HERE/counterparties/up.sh" start "$1" > "$WORK/$1.up" 2>&1; then
      skip "$1" "$(tail -n 1 "$WORK/$1.up")"
      return 1
    fi
    STARTED+=("$1")
  fi
  eval "$("$HERE/counterparties/up.sh" env)"
}

# --- the gateway --------------------------------------------------------------------

route() { # NAME PATH [API]: a route to the upstream of that name
  printf '  - {name: %s, path: %s, upstream: %s, api: %s}\n' "$1" "$2" "$1" "${3:-openai}"
}

upstream() { # NAME URL CA
  printf '  %s: {url: "%s", ca: "%s", credential: {bearer: "file:account.key"}}\n' "$1" "$2" "$3"
}

configure() {
  local config=$WORK/config
  mkdir -p "$config/tenants"
  printf 'sandbox-account-key\n' > "$config/account.key"
  {
    printf 'listeners:\n  data: {address: "127.0.0.1:0", tls: {development: {}}}\n  metrics: {address: "127.0.0.1:0"}\n'
    printf 'upstreams:\n'
    upstream sandbox "$SANDBOX_URL" "$SANDBOX_CA"
    if [ "$AIMOCK" = 1 ]; then upstream aimock "$AIMOCK_TLS_URL" "$COUNTERPARTY_CA"; fi
    if [ "$LLAMA" = 1 ]; then upstream llama "$LLAMA_TLS_URL" "$COUNTERPARTY_CA"; fi
    if [ "$LABEL_STUDIO" = 1 ]; then
      printf 'Token %s\n' "$(cat "$LABEL_STUDIO_DATA/token")" > "$config/label-studio.key"
      printf '  label-studio: {url: "%s", ca: "%s", credential: {header: {name: authorization, value: "file:label-studio.key"}}}\n' \
        "$LABEL_STUDIO_TLS_URL" "$COUNTERPARTY_CA"
    fi
    if [ "$DOCCANO" = 1 ]; then
      printf 'Token %s\n' "$(cat "$DOCCANO_DATA/token")" > "$config/doccano.key"
      printf '  doccano: {url: "%s", ca: "%s", credential: {header: {name: authorization, value: "file:doccano.key"}}}\n' \
        "$DOCCANO_TLS_URL" "$COUNTERPARTY_CA"
    fi
    printf 'routes:\n'
    route sandbox /
    if [ "$AIMOCK" = 1 ]; then route aimock /aimock; fi
    if [ "$LLAMA" = 1 ]; then route llama /llama; fi
    if [ "$LABEL_STUDIO" = 1 ]; then route label-studio /label-studio label-studio; fi
    if [ "$DOCCANO" = 1 ]; then route doccano /doccano doccano; fi
  } > "$config/consentry.yaml"
  # Each run of a driver has tenants of its own: it looks that a list holds what it made, and nothing else.
  local run
  for run in python1 python2 node1 node2 others label-studio doccano; do
    KEYS[$run]="$(tenant "acme-$run" granted) $(tenant "globex-$run" granted) $(tenant "initech-$run" none)"
  done
}

# as RUN COMMAND...: with the keys of that run's three tenants.
as() {
  local a b c
  read -r a b c <<< "${KEYS[$1]}"
  shift
  KEY_A=$a KEY_B=$b KEY_C=$c "$@"
}

# tenant NAME GRANTS: writes the tenant's file and prints its key.
tenant() {
  local made
  made=$("$CONSENTRY_BIN" keys new --config "$WORK/config" --id main --json)
  {
    printf 'tenant: %s\nkeys:\n  - {id: main, hash: "%s", purposes: [inference, train, evaluate, annotate]}\n' "$1" "$(json hash <<< "$made")"
    # The drivers ask the upstream to store, and look that nothing is stored.
    printf 'consent:\n  store_without_grant: turn_off\n'
    if [ "$2" = granted ]; then
      printf '  grants:\n    - {purpose: train, scope: tenant, evidence: a test}\n    - {purpose: train, scope: {dataset: "*"}, evidence: a test}\n'
    fi
    printf 'censor:\n  request: {EMAIL_ADDRESS: pseudonym}\n'
  } > "$WORK/config/tenants/$1.yaml"
  json key <<< "$made"
}

start_gateway() {
  "$CONSENTRY_BIN" check --config "$WORK/config"
  CONSENTRY_LOG=debug "$CONSENTRY_BIN" serve --config "$WORK/config" > "$WORK/gateway.out" 2> "$WORK/gateway.log" &
  GATEWAY=$!
  until_true $SECONDS_TO_START grep -q '"serving"' "$WORK/gateway.log" || { say 'the gateway did not start'; tail -n 20 "$WORK/gateway.log"; exit 1; }
  # The line names both addresses: {"data":"127.0.0.1:…","metrics":"127.0.0.1:…"}.
  local line
  line=$(grep -m 1 '"serving"' "$WORK/gateway.log")
  GATEWAY_URL=https://localhost:$(sed -E 's/.*"data":"[^"]*:([0-9]+)".*/\1/' <<< "$line")
  METRICS_URL=http://$(sed -E 's/.*"metrics":"([^"]+)".*/\1/' <<< "$line")
  GATEWAY_CA=$WORK/config/data/tls/ca.pem
  until_true $SECONDS_TO_START fetch "$METRICS_URL/readyz" || { say 'the gateway is not ready'; exit 1; }
  say "the gateway serves at $GATEWAY_URL, its metrics at $METRICS_URL"
}

# --- the parts ------------------------------------------------------------------------

# part NAME COMMAND...: runs it; shows what failed, what was noted, and the summary. A command that is a function of
# this script has to end its own failures with `|| return 1`: where a status is looked at, `set -e` does not work.
part() {
  local name=$1 status=0 since=$SECONDS shown='^ok  '
  shift
  say "$name"
  "$@" > "$WORK/$name.log" 2>&1 || status=$?
  if [ "${VERBOSE:-}" = 1 ]; then shown='^$'; fi
  grep -vE "$shown" "$WORK/$name.log" | sed -E "s/^([0-9]+ checks, [0-9]+ failed)$/$name: \1/" || true
  if [ "$status" = 0 ]; then passed+=("$name"); else failed+=("$name"); fi
  say "$name: $([ "$status" = 0 ] && echo passed || echo "FAILED with status $status") in $((SECONDS - since)) s"
}

# The versions of HTTP that are spoken.
versions() { if [ "${HTTP:-both}" = both ]; then echo 1 2; else echo "$HTTP"; fi; }

driver() { # RUN COMMAND...
  local run=$1 http
  shift
  for http in $(versions); do
    as "$run$http" "$@" --base "$GATEWAY_URL" --ca "$GATEWAY_CA" --journal "$SANDBOX_URL" --journal-ca "$SANDBOX_CA" \
      --http "$http" --records "${RECORDS:-2000}" --restores || return 1
  done
}

python_driver() { driver python "$CACHE/venv/bin/python" "$HERE/clients/drive_openai.py"; }
node_driver() { driver node node "$HERE/clients/drive_openai.mjs"; }

counterparty_driver() { # NAME WITNESS
  local http
  for http in $(versions); do
    as others "$CACHE/venv/bin/python" "$HERE/counterparties/drive.py" --server "$1" --base "$GATEWAY_URL/$1" \
      --ca "$GATEWAY_CA" --witness "$2" --http "$http" || return 1
  done
}

label_studio_driver() {
  NAME_A=acme-label-studio as label-studio "$CACHE/label-studio/bin/python" "$HERE/clients/drive_labelstudio.py" \
    --base "$GATEWAY_URL/label-studio" --ca "$GATEWAY_CA" --files "$LABEL_STUDIO_DATA/files"
}

doccano_driver() {
  local listed=$ROOT/src/catalog/tests/doccano-operations.txt
  in_doccano "$CACHE/doccano" "$DOCCANO_DATA" "$CACHE/doccano/bin/python" "$HERE/counterparties/doccano_operations.py" \
    > "$WORK/doccano-operations.txt" 2> "$WORK/doccano-operations.log" || return 1
  diff "$WORK/doccano-operations.txt" <(grep -v '^#' "$listed") || { echo "FAIL the server's own table is not that of $listed"; return 1; }
  echo "ok   the server's own table of $(wc -l < "$WORK/doccano-operations.txt") operations is the one that the profile is compared with"
  as doccano "$CACHE/doccano-client/bin/python" "$HERE/clients/drive_doccano.py" --base "$GATEWAY_URL/doccano" --ca "$GATEWAY_CA"
}

# Some of everything that is counted, for a scrape that follows no other part.
some_traffic() {
  local KEY_A KEY_C
  read -r KEY_A _ KEY_C <<< "${KEYS[others]}"
  local chat='{"model":"gpt-4o-mini-2024-07-18","messages":[{"role":"user","content":"write to jane.roe@mail-desk.com"}]}'
  local -a ask=(curl --silent --output /dev/null --max-time 20 --noproxy '*' --cacert "$GATEWAY_CA")
  "${ask[@]}" "$GATEWAY_URL/v1/models"
  "${ask[@]}" -H "Authorization: Bearer $KEY_A" "$GATEWAY_URL/v1/models"
  "${ask[@]}" -H "Authorization: Bearer $KEY_A" "$GATEWAY_URL/v1/files/file-00000000000000000000"
  "${ask[@]}" -H "Authorization: Bearer $KEY_A" -H 'Content-Type: application/json' -d "$chat" "$GATEWAY_URL/v1/chat/completions"
  "${ask[@]}" -H "Authorization: Bearer $KEY_C" -F purpose=fine-tune -F "file=@$WORK/config/account.key;filename=t.jsonl" "$GATEWAY_URL/v1/files"
}

scraped_up() {
  fetch --get "$PROMETHEUS_URL/api/v1/query" --data-urlencode 'query=up{job="consentry"} == 1 and on() count_over_time(up{job="consentry"}[30s]) >= 4' |
    python3 -c 'import json, sys; sys.exit(not json.load(sys.stdin)["data"]["result"])'
}

start_prometheus() {
  local port
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  export PROMETHEUS_URL=http://127.0.0.1:$port
  printf 'global: {scrape_interval: 1s}\nscrape_configs:\n  - {job_name: consentry, static_configs: [{targets: ["%s"]}]}\n' \
    "${METRICS_URL#http://}" > "$WORK/prometheus.yaml"
  prometheus --config.file="$WORK/prometheus.yaml" --storage.tsdb.path="$WORK/tsdb" --web.listen-address="127.0.0.1:$port" \
    > "$WORK/prometheus.out" 2>&1 &
  PROMETHEUS=$!
}

prometheus_part() {
  fetch "$METRICS_URL/metrics" > "$WORK/metrics.txt" || return 1
  promtool check metrics < "$WORK/metrics.txt" || return 1
  echo "ok   promtool finds nothing to say about $(grep -c '^# TYPE' "$WORK/metrics.txt") metrics"
  until_true $SECONDS_TO_START scraped_up || { echo 'FAIL Prometheus does not scrape it'; tail -n 5 "$WORK/prometheus.out"; return 1; }
  echo 'ok   Prometheus scrapes it'
  cd "$HERE/charts" || return 1
  "$CACHE/venv-charts/bin/python" -m pytest --quiet --no-header --tb=short -p no:cacheprovider test_queries.py || return 1
  cd "$ROOT"
}

# --- all of it --------------------------------------------------------------------------

PATH=$PATH:$CACHE/prometheus/usr/bin
AIMOCK=0 LLAMA=0 LABEL_STUDIO=0 DOCCANO=0
if wanted aimock && counterparty aimock /v1/models; then AIMOCK=1; fi
if wanted llama && counterparty llama /v1/models; then LLAMA=1; fi
if wanted label-studio && counterparty label-studio /health; then LABEL_STUDIO=1; fi
if wanted doccano && counterparty doccano /v1/health/; then DOCCANO=1; fi
start_sandbox
configure
start_gateway

if wanted python; then
  if [ -x "$CACHE/venv/bin/python" ]; then part python python_driver; else skip python 'tests/setup.sh clients did not install it'; fi
fi
if wanted node; then
  if [ -d "$CACHE/node/node_modules" ]; then part node node_driver; else skip node 'tests/setup.sh clients did not install it'; fi
fi
if [ $((AIMOCK + LLAMA)) != 0 ] && [ ! -x "$CACHE/venv/bin/python" ]; then
  skip 'aimock, llama' 'tests/setup.sh clients did not install the SDK'
else
  if [ "$AIMOCK" = 1 ]; then part aimock counterparty_driver aimock "$AIMOCK_URL"; fi
  if [ "$LLAMA" = 1 ]; then part llama counterparty_driver llama "$LLAMA_URL"; fi
fi
if [ "$LABEL_STUDIO" = 1 ]; then part label-studio label_studio_driver; fi
if [ "$DOCCANO" = 1 ]; then part doccano doccano_driver; fi
if wanted prometheus; then
  if ! command -v prometheus > /dev/null || ! command -v promtool > /dev/null; then
    skip prometheus 'there is no prometheus; tests/charts/run.sh fetches it where apt-get is there'
  elif [ ! -x "$CACHE/venv-charts/bin/python" ]; then
    skip prometheus 'tests/charts/run.sh has not installed its tools yet'
  else
    some_traffic
    start_prometheus
    part prometheus prometheus_part
  fi
fi

quiet_log() {
  local told=0 agents='OpenAI/|undici|node-fetch|python-requests|httpx|Python/|curl/|quiet-log-agent' key='csk_[0-9A-Za-z]{49}'
  # One more that is refused, by an agent that nothing else in the log is called like: there is something to be quiet about.
  curl --silent --output /dev/null --max-time 20 --noproxy '*' --cacert "$GATEWAY_CA" --user-agent quiet-log-agent "$GATEWAY_URL/v1/models" ||
    { echo 'FAIL the gateway does not answer'; return 1; }
  until_true 20 grep -qE '"refused".*credential_missing|credential_missing.*"refused"' "$WORK/gateway.log" || { echo 'FAIL the log says nothing of what was refused'; return 1; }
  grep -q '"level":"DEBUG"' "$WORK/gateway.log" || { echo 'FAIL the log is not at its level debug'; return 1; }
  # The callers are on loopback; the upstream's address is the operator's own and stands in no request's line.
  if grep -E '"(refused|failed)"' "$WORK/gateway.log" | grep -F '127.0.0.1'; then told=1; fi
  if grep -E "$agents" "$WORK/gateway.log"; then told=1; fi
  if grep -E "$key" "$WORK/gateway.log"; then told=1; fi
  [ "$told" = 0 ] || { echo 'FAIL the log tells of a caller'; return 1; }
  # What would be found, if it were there.
  local a
  read -r a _ <<< "${KEYS[others]}"
  grep -qE "$agents" <<< 'agent: quiet-log-agent' && grep -qE "$key" <<< "key: $a" || { echo 'FAIL this looks for nothing'; return 1; }
  echo "ok   none of the log's $(wc -l < "$WORK/gateway.log") lines, at level debug, tells an address, a user agent or a key"
}

ending() {
  local status=0
  kill -TERM "$GATEWAY" || return 1
  wait "$GATEWAY" || status=$?
  GATEWAY=''
  [ "$status" = 0 ] || { echo "FAIL SIGTERM ended the gateway with status $status"; tail -n 5 "$WORK/gateway.log"; return 1; }
  echo 'ok   SIGTERM ends the gateway with status 0'
  local told
  told=$("$CONSENTRY_BIN" audit verify --config "$WORK/config") || { echo "FAIL the trail: $told"; return 1; }
  echo "$told"
  [[ $told == *'; seal checked; '* ]] || { echo 'FAIL the seal was not checked'; return 1; }
  local role
  for role in used created ended; do
    grep -q "\"resources\":\[.*\"role\":\"$role\"" "$WORK"/config/data/audit/*.jsonl || { echo "FAIL no resource was $role"; return 1; }
  done
  if grep -qE 'file-[A-Za-z0-9]{8}|ftjob-|127\.0\.0\.1' "$WORK"/config/data/audit/*.jsonl; then echo 'FAIL the trail has an id or an address in clear'; return 1; fi
  echo 'ok   the trail names what was used, created and ended, by keyed hashes'
  # The reader that docs/audit.md gives to those who don't take our word comes to the same end.
  awk -v fence="$(printf '\140\140\140')" '$0 == fence { on = 0 } on { print } $0 == fence "python" { on = 1 }' \
    "$ROOT/docs/audit.md" > "$WORK/verify.py"
  python3 "$WORK/verify.py" "$WORK/config/data/audit" > "$WORK/verify.out" || return 1
  [ "$(tail -c 65 "$WORK/verify.out")" = "${told: -64}" ] || { echo "FAIL docs/audit.md: $(cat "$WORK/verify.out")"; return 1; }
  echo 'ok   the lines of docs/audit.md verify it too'
}

part log quiet_log
part ending ending

summary="${#passed[@]} parts passed, ${#failed[@]} failed, ${#skipped[@]} skipped"
if [ ${#failed[@]} != 0 ]; then
  say "$summary; FAILED: ${failed[*]}"
  exit 1
fi
if [ "$named" = 1 ] && [ ${#skipped[@]} != 0 ]; then
  say "$summary; asked for by name and SKIPPED: ${skipped[*]}"
  exit 1
fi
say "$summary"
