#!/usr/bin/env bash
# Drives a real gateway over TLS with clients and servers that nobody here wrote.
#
#   run-clients.sh [PART...]   none or `all`: every part, in this order
#
#   python      the openai SDK for Python, three tenants, over HTTP/1.1 and HTTP/2, before the sandbox API
#   node        the openai SDK for Node, the same
#   openai-python, openai-node
#               every operation that the profile serves, by the same SDKs, as two tenants; the audit trail is the witness
#   anthropic-python, anthropic-node
#               the same of the profile `anthropic`, by Anthropic's SDKs
#   faults      the same by node before a gateway whose profiles miss some checks: each has to be found
#   aimock      an OpenAI-shaped mock behind TLS (counterparties/aimock.json), by the SDKs of OpenAI and Anthropic
#   llama       llama.cpp's server behind TLS, with a tiny model, the same
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
# A part whose SDK or server is not installed is skipped by name. The last line is `clients: N parts passed, …`.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/.." && pwd)
CACHE=${CONSENTRY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/consentry}
export CONSENTRY_CACHE=$CACHE
# shellcheck source=tests/counterparties/doccano.sh
. "$HERE/counterparties/doccano.sh"
ALL=(python node openai-python openai-node anthropic-python anthropic-node faults aimock llama label-studio doccano prometheus)

usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0"; exit 2; }
say() { printf 'clients: %s\n' "$*"; }

passed=() failed=() skipped=()
skip() { skipped+=("$1"); printf 'skip: %s: %s\n' "$1" "$2"; }

parts=("$@")
if [ ${#parts[@]} = 0 ] || [ "${parts[*]}" = all ]; then parts=("${ALL[@]}"); fi
for part in "${parts[@]}"; do case " ${ALL[*]} " in *" $part "*) ;; *) usage ;; esac; done
wanted() { case " ${parts[*]} " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

if [ -z "${CONSENTRY_BIN:-}" ]; then
  (cd "$ROOT" && cargo build --locked --quiet)
  CONSENTRY_BIN=${CARGO_TARGET_DIR:-$ROOT/target}/debug/consentry
fi
[ -x "$CONSENTRY_BIN" ] || { say "there is no program at $CONSENTRY_BIN" >&2; exit 2; }

WORK=$(mktemp -d "${TMPDIR:-/tmp}/consentry-clients.XXXXXX")
GATEWAY='' FAULTY='' SANDBOX='' PROMETHEUS='' STARTED=()
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
  stop "$FAULTY"
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
    upstream anthropic "$SANDBOX_URL" "$SANDBOX_CA"
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
    route anthropic /anthropic anthropic
    # Both speak both APIs.
    if [ "$AIMOCK" = 1 ]; then route aimock /aimock; fi
    if [ "$LLAMA" = 1 ]; then route llama /llama; fi
    local name
    for name in ${AIMOCK/1/aimock} ${LLAMA/1/llama}; do
      [ "$name" = 0 ] || printf '  - {name: %s-anthropic, path: /%s-anthropic, upstream: %s, api: anthropic}\n' "$name" "$name" "$name"
    done
    if [ "$LABEL_STUDIO" = 1 ]; then route label-studio /label-studio label-studio; fi
    if [ "$DOCCANO" = 1 ]; then route doccano /doccano doccano; fi
  } > "$config/consentry.yaml"
  # Each run of a driver has tenants of its own: it looks that a list holds what it made, and nothing else.
  local run
  for run in python1 python2 node1 node2 others label-studio doccano; do
    KEYS[$run]="$(tenant "acme-$run" granted) $(tenant "globex-$run" granted) $(tenant "initech-$run" none)"
  done
  for run in {openai,anthropic}-{python,node}; do
    KEYS[$run]="$(tenant "acme-$run" all) $(tenant "globex-$run" all) none"
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
  local purposes='inference, train, evaluate, annotate'
  if [ "$2" = all ]; then purposes+=', store'; fi
  {
    printf 'tenant: %s\nkeys:\n  - {id: main, hash: "%s", purposes: [%s]}\n' "$1" "$(json hash <<< "$made")" "$purposes"
    # The drivers ask the upstream to store, and look that nothing is stored.
    printf 'consent:\n  store_without_grant: turn_off\n'
    if [ "$2" = all ]; then
      printf '  grants:\n'
      local purpose
      for purpose in train evaluate store; do
        printf '    - {purpose: %s, scope: tenant, evidence: a test}\n    - {purpose: %s, scope: {dataset: "*"}, evidence: a test}\n' $purpose $purpose
      done
    elif [ "$2" = granted ]; then
      printf '  grants:\n    - {purpose: train, scope: tenant, evidence: a test}\n    - {purpose: train, scope: {dataset: "*"}, evidence: a test}\n'
    fi
    printf 'censor:\n  request: {EMAIL_ADDRESS: pseudonym}\n'
    # Pictures and sound can't be looked into.
    if [ "$2" = all ]; then printf 'opaque: [createImageEdit, createImageVariation, createSpeech, createTranscription, createTranslation]\n'; fi
  } > "$WORK/config/tenants/$1.yaml"
  json key <<< "$made"
}

# serve FOLDER NAME: a gateway with that configuration, its log in NAME.log; sets SERVING, ADDRESS and METRICS.
serve() {
  CONSENTRY_LOG=debug "$CONSENTRY_BIN" serve --config "$1" > "$WORK/$2.out" 2> "$WORK/$2.log" &
  SERVING=$!
  until_true $SECONDS_TO_START grep -q '"serving"' "$WORK/$2.log" || { echo 'FAIL the gateway did not start'; tail -n 20 "$WORK/$2.log"; return 1; }
  # The line names both addresses: {"data":"127.0.0.1:…","metrics":"127.0.0.1:…"}.
  local line
  line=$(grep -m 1 '"serving"' "$WORK/$2.log")
  ADDRESS=https://localhost:$(sed -E 's/.*"data":"[^"]*:([0-9]+)".*/\1/' <<< "$line")
  METRICS=http://$(sed -E 's/.*"metrics":"([^"]+)".*/\1/' <<< "$line")
  until_true $SECONDS_TO_START fetch "$METRICS/readyz" || { echo 'FAIL the gateway is not ready'; return 1; }
}

start_gateway() {
  "$CONSENTRY_BIN" check --config "$WORK/config"
  serve "$WORK/config" gateway || { say 'there is no gateway'; exit 1; }
  GATEWAY=$SERVING GATEWAY_URL=$ADDRESS METRICS_URL=$METRICS
  GATEWAY_CA=$WORK/config/data/tls/ca.pem
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

# What the gateway says that it serves and refuses, in coverage.jsonl.
coverage() {
  [ -s "$WORK/coverage.jsonl" ] || "$CONSENTRY_BIN" coverage --config "$WORK/config" --format json > "$WORK/coverage.jsonl"
}

# How many WebSockets were refused, by the trail.
upgrades() { cat "$WORK"/config/data/audit/*.jsonl | grep -c '"reason":"upgrade_refused"' || true; }
more_upgrades() { [ "$(upgrades)" -gt "$1" ]; }

operations_driver() { # SDK LANGUAGE
  local route=sandbox path='' run=$1-$2
  [ "$1" = openai ] || { route=$1 path=/$1; }
  local -a drive=("$CACHE/venv/bin/python" "$HERE/clients/drive_operations.py")
  [ "$2" = python ] || drive=(node "$HERE/clients/drive_operations.mjs")
  coverage || return 1
  local -a of=(--route "$route" --coverage "$WORK/coverage.jsonl")
  local before
  before=$(upgrades)
  as "$run" "${drive[@]}" --sdk "$1" --base "$GATEWAY_URL$path" --ca "$GATEWAY_CA" "${of[@]}" || return 1
  # Only OpenAI's SDKs open one; whose it was is not known where it is refused.
  [ "$1" != openai ] || until_true 10 more_upgrades "$before" || { echo 'FAIL the trail has no WebSocket that was refused'; return 1; }
  python3 "$HERE/clients/covered.py" "${of[@]}" --trail "$WORK/config/data/audit" --tenants "acme-$run,globex-$run"
}

# Whether tests/setup.sh installed that SDK for that language.
has_sdk() { # SDK LANGUAGE
  if [ "$2" = python ]; then "$CACHE/venv/bin/python" -c "import $1" 2> /dev/null; else
    local -A packages=([openai]=openai [anthropic]=@anthropic-ai/sdk)
    [ -d "$CACHE/node/node_modules/${packages[$1]}" ]
  fi
}

# What is taken out of the profiles (clients/plant.py), and the lines by which the drivers have to say so.
OPENAI_FAULTS=(
  'retrieveFile::uses: [{kind: file, path: file_id}]::plain: [file_id]'
  'createVectorStoreFile::      - {kind: file, json: [/file_id], required: true}'
  'getAssistant::uses: [{kind: assistant, path: assistant_id}]::plain: [assistant_id]'
  'listModels::    list: {kind: model, items: /data, id: /id}'
  '-::      ListSkills: GET /v1/skills'
)
# shellcheck disable=SC2034 # faults_driver names it by the SDK
OPENAI_FOUND=(
  "retrieveFile, another's file: NotFoundError" "createVectorStoreFile, another's file: NotFoundError"
  "getAssistant, another's assistant: NotFoundError" "listModels of B: holds nobody else's" 'ListSkills: is refused'
)
ANTHROPIC_FAULTS=(
  'files.retrieve_metadata::uses: [{kind: file, path: file_id}]::plain: [file_id]'
  'batched::      - {kind: file, json: ["/requests/*/params/messages/**/file_id", "/requests/*/params/system/**/file_id"]}'
  'files.list::    only: {kind: file, query: "ids[]", none: file_none, at_most: 100}'
  'files.list::    shows: [{kind: file, at: ["/data/*/id"], required: true}]' 'files.list::[beta]::[beta, page]'
)
# shellcheck disable=SC2034 # faults_driver names it by the SDK
ANTHROPIC_FOUND=(
  "files.retrieve_metadata, another's file: NotFoundError" "messages.batches.create, another's file: NotFoundError"
  "files.list of B: holds nobody else's"
)

# The drivers can fail: before a gateway whose profiles miss checks they name each of these.
faults_driver() {
  local faulty=$WORK/faulty sdk found line
  mkdir -p "$faulty/apis"
  cp -r "$WORK/config/consentry.yaml" "$WORK"/config/*.key "$WORK/config/tenants" "$faulty"
  # The hashes of the tenants' keys are made with it.
  mkdir "$faulty/data"
  cp "$WORK/config/data/master.key" "$faulty/data"
  python3 "$HERE/clients/plant.py" "$ROOT/config/apis/openai.yaml" "${OPENAI_FAULTS[@]}" > "$faulty/apis/openai.yaml" || return 1
  python3 "$HERE/clients/plant.py" "$ROOT/config/apis/anthropic.yaml" "${ANTHROPIC_FAULTS[@]}" > "$faulty/apis/anthropic.yaml" || return 1
  serve "$faulty" faulty || return 1
  FAULTY=$SERVING
  coverage || return 1
  for sdk in openai anthropic; do
    local route=sandbox path=''
    [ "$sdk" = openai ] || { route=$sdk path=/$sdk; }
    as "$sdk-node" node "$HERE/clients/drive_operations.mjs" --sdk "$sdk" --base "$ADDRESS$path" --ca "$faulty/data/tls/ca.pem" \
      --route "$route" --coverage "$WORK/coverage.jsonl" > "$WORK/faulty-$sdk.log" && { echo "FAIL $sdk: the driver found nothing"; return 1; }
    local -n wanted_lines=${sdk^^}_FOUND
    for line in "${wanted_lines[@]}"; do
      found=$(grep -cF "$line" <(grep '^FAIL ' "$WORK/faulty-$sdk.log")) || { echo "FAIL $sdk: the driver did not find: $line"; return 1; }
      echo "ok   $sdk: found by $found checks: $line"
    done
  done
  stop "$FAULTY"
  FAULTY=''
}

counterparty_driver() { # NAME WITNESS
  local http
  for http in $(versions); do
    as others "$CACHE/venv/bin/python" "$HERE/counterparties/drive.py" --server "$1" --base "$GATEWAY_URL/$1" \
      --ca "$GATEWAY_CA" --witness "$2" --http "$http" || return 1
    has_sdk anthropic python || { skip "$1 by Anthropic's SDK" 'tests/setup.sh clients did not install it'; continue; }
    as others "$CACHE/venv/bin/python" "$HERE/counterparties/drive_anthropic.py" --server "$1" --base "$GATEWAY_URL/$1-anthropic" \
      --ca "$GATEWAY_CA" --witness "$2" --http "$http" || return 1
  done
  has_sdk anthropic node || { skip "$1 by node" 'tests/setup.sh clients did not install it'; return 0; }
  as others node "$HERE/counterparties/drive.mjs" --server "$1" --base "$GATEWAY_URL/$1" --ca "$GATEWAY_CA" --witness "$2"
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
for name in {openai,anthropic}-{python,node}; do
  wanted "$name" || continue
  if has_sdk "${name%-*}" "${name#*-}"; then part "$name" operations_driver "${name%-*}" "${name#*-}"; else skip "$name" 'tests/setup.sh clients did not install it'; fi
done
if wanted faults; then
  if has_sdk openai node && has_sdk anthropic node; then part faults faults_driver; else skip faults 'tests/setup.sh clients did not install the SDKs'; fi
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
  local told=0
  # The callers are on loopback; the upstream's address is the operator's own and stands in no request's line.
  if grep -E '"(refused|failed)"' "$WORK/gateway.log" | grep -E '127\.0\.0\.1|OpenAI/|undici|node-fetch|curl/'; then told=1; fi
  if grep -E 'csk_[0-9A-Za-z]{49}' "$WORK/gateway.log"; then told=1; fi
  [ "$told" = 0 ] || { echo 'FAIL the log tells of a caller'; return 1; }
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
  # The part `faults` asks a gateway of its own.
  [ "${parts[*]}" = faults ] || for role in used created ended; do
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
say "$summary"
