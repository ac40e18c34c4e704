#!/usr/bin/env bash
# Starts and stops the servers that nobody here wrote, on loopback.
#
#   up.sh start NAME...   aimock, llama, label-studio, doccano; waits until each answers; prints its addresses
#   up.sh stop NAME...    stops what this script started
#   up.sh env             addresses as shell assignments
#
# Each is there plain (AIMOCK_PORT 18300, LLAMA_PORT 18200, LABEL_STUDIO_PORT 18400, DOCCANO_PORT 18500) and with TLS in front (AIMOCK_TLS_PORT
# 18310, LLAMA_TLS_PORT 18210, LABEL_STUDIO_TLS_PORT 18410, DOCCANO_TLS_PORT 18510) under the certificate of COUNTERPARTY_TLS/server.crt, for
# localhost, by ca.crt beside it.
# tests/setup.sh installs them. Process ids and logs are in $CONSENTRY_CACHE/run.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${CONSENTRY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/consentry}
RUN=$CACHE/run
TLS=${COUNTERPARTY_TLS:-$CACHE/tls}
AIMOCK_PORT=${AIMOCK_PORT:-18300} AIMOCK_TLS_PORT=${AIMOCK_TLS_PORT:-18310}
LLAMA_PORT=${LLAMA_PORT:-18200} LLAMA_TLS_PORT=${LLAMA_TLS_PORT:-18210}
LABEL_STUDIO_PORT=${LABEL_STUDIO_PORT:-18400} LABEL_STUDIO_TLS_PORT=${LABEL_STUDIO_TLS_PORT:-18410}
DOCCANO_PORT=${DOCCANO_PORT:-18500} DOCCANO_TLS_PORT=${DOCCANO_TLS_PORT:-18510}
# Not below the cache: the profile takes no path of a local storage that has a hidden folder in it.
LABEL_STUDIO_DATA=${LABEL_STUDIO_DATA:-${TMPDIR:-/tmp}/consentry-label-studio}
# shellcheck source=tests/counterparties/label_studio.sh
. "$HERE/label_studio.sh"
DOCCANO_DATA=$RUN/doccano
# shellcheck source=tests/counterparties/doccano.sh
. "$HERE/doccano.sh"

fail() { printf 'up.sh: %s\n' "$*" >&2; exit 1; }
usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0"; exit 2; }

# started PID: when the process was started, so that an id given to another process since is never taken for ours.
started() { local stat; stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1; stat=${stat##*) }; cut -d' ' -f20 <<< "$stat"; }

running() { # NAME: prints its process id
  local pid since
  read -r pid since 2>/dev/null < "$RUN/$1.pid" || return 1
  [ "$(started "$pid")" = "$since" ] && echo "$pid"
}

spawn() { # NAME COMMAND...
  local name=$1
  shift
  "$@" > "$RUN/$name.log" 2>&1 < /dev/null &
  echo "$! $(started $!)" > "$RUN/$name.pid"
}

halt() { # NAME
  local pid i
  if pid=$(running "$1"); then
    kill "$pid" 2>/dev/null || true
    for ((i = 0; i < 50; i++)); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null || true
  fi
  rm -f "$RUN/$1.pid"
}

answers() { # NAME URL
  local i
  for ((i = 0; i < 120; i++)); do
    running "$1" > /dev/null || { tail -n 5 "$RUN/$1.log" >&2; fail "$1: ended while starting; its log is $RUN/$1.log"; }
    if curl -sf -o /dev/null -m 5 --noproxy '*' --cacert "$TLS/ca.crt" "$2"; then return; fi
    sleep 0.25
  done
  fail "$1: no answer from $2; its log is $RUN/$1.log"
}

certificates() {
  if openssl x509 -checkend 86400 -noout -in "$TLS/server.crt" > /dev/null 2>&1; then return; fi
  mkdir -p "$TLS"
  (
    cd "$TLS"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 800 -subj '/CN=counterparties, for tests only' \
      -addext 'keyUsage=critical,keyCertSign' -keyout ca.key -out ca.crt
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=localhost' -keyout server.key -out server.csr
    printf '%s\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' 'extendedKeyUsage=serverAuth' \
      'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1' > server.ext
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 800 -extfile server.ext -out server.crt
    rm -f server.csr server.ext ca.srl ca.key
  ) > "$RUN/tls.log" 2>&1 || fail "can't make a certificate; the log is $RUN/tls.log"
}

start_aimock() {
  [ -x "$CACHE/aimock/node_modules/.bin/llmock" ] || fail 'aimock is not installed: tests/setup.sh aimock'
  spawn aimock env -u AIMOCK_API_KEYS "$CACHE/aimock/node_modules/.bin/llmock" --host 127.0.0.1 --port "$AIMOCK_PORT" \
    --fixtures "$HERE/aimock.json" --log-level warn --chunk-size 7 --journal-max 0
  spawn aimock-tls python3 "$HERE/tls_front.py" "$AIMOCK_TLS_PORT" "$AIMOCK_PORT" "$TLS/server.crt" "$TLS/server.key"
  answers aimock "http://127.0.0.1:$AIMOCK_PORT/v1/models"
  answers aimock-tls "https://localhost:$AIMOCK_TLS_PORT/v1/models"
}

start_llama() {
  [ -e "$CACHE/llama/tiny.gguf" ] || fail 'llama is not installed: tests/setup.sh llama'
  spawn llama env LLAMA_SERVER_SLOTS_DEBUG=1 "$CACHE/llama/bin/python" "$HERE/llama_server.py" "$LLAMA_PORT" "$CACHE/llama/tiny.gguf" tiny
  spawn llama-tls python3 "$HERE/tls_front.py" "$LLAMA_TLS_PORT" "$LLAMA_PORT" "$TLS/server.crt" "$TLS/server.key"
  answers llama "http://127.0.0.1:$LLAMA_PORT/health"
  answers llama-tls "https://localhost:$LLAMA_TLS_PORT/health"
}

# Each start has a database of its own, as it was seeded.
start_label-studio() {
  local folder=$CACHE/label-studio data=$LABEL_STUDIO_DATA
  [ -e "$folder/.installed" ] || fail 'label-studio is not installed: tests/setup.sh label-studio'
  rm -rf "$data"
  cp -a "$folder/seed" "$data"
  in_label_studio "$data" spawn label-studio "$folder/bin/label-studio" start --no-browser --data-dir "$data" \
    --internal-host 127.0.0.1 -p "$LABEL_STUDIO_PORT" --enable-legacy-api-token
  spawn label-studio-tls python3 "$HERE/tls_front.py" "$LABEL_STUDIO_TLS_PORT" "$LABEL_STUDIO_PORT" "$TLS/server.crt" "$TLS/server.key"
  answers label-studio "http://127.0.0.1:$LABEL_STUDIO_PORT/health"
  answers label-studio-tls "https://localhost:$LABEL_STUDIO_TLS_PORT/health"
}

# A server and the worker that its imports and exports wait for; a database of its own for each start.
start_doccano() {
  local folder=$CACHE/doccano data=$DOCCANO_DATA
  [ -e "$folder/.installed" ] || fail 'doccano is not installed: tests/setup.sh doccano'
  rm -rf "$data"
  cp -a "$folder/seed" "$data"
  in_doccano "$folder" "$data" spawn doccano "$folder/bin/gunicorn" --bind "127.0.0.1:$DOCCANO_PORT" --workers 2 config.wsgi
  in_doccano "$folder" "$data" spawn doccano-worker "$folder/bin/celery" --app config worker --loglevel=INFO --concurrency=1 --pool=solo
  spawn doccano-tls python3 "$HERE/tls_front.py" "$DOCCANO_TLS_PORT" "$DOCCANO_PORT" "$TLS/server.crt" "$TLS/server.key"
  answers doccano "http://127.0.0.1:$DOCCANO_PORT/"
  answers doccano-tls "https://localhost:$DOCCANO_TLS_PORT/"
  for ((i = 0; i < 240; i++)); do
    if grep -q ' ready\.' "$RUN/doccano-worker.log"; then return; fi
    running doccano-worker > /dev/null || break
    sleep 0.25
  done
  tail -n 5 "$RUN/doccano-worker.log" >&2
  fail "doccano: its worker did not start; the log is $RUN/doccano-worker.log"
}

environment() {
  printf '%s=%q\n' COUNTERPARTY_CA "$TLS/ca.crt" \
    AIMOCK_URL "http://127.0.0.1:$AIMOCK_PORT" AIMOCK_TLS_URL "https://localhost:$AIMOCK_TLS_PORT" \
    LLAMA_URL "http://127.0.0.1:$LLAMA_PORT" LLAMA_TLS_URL "https://localhost:$LLAMA_TLS_PORT" \
    LABEL_STUDIO_URL "http://127.0.0.1:$LABEL_STUDIO_PORT" LABEL_STUDIO_TLS_URL "https://localhost:$LABEL_STUDIO_TLS_PORT" \
    LABEL_STUDIO_DATA "$LABEL_STUDIO_DATA" \
    DOCCANO_URL "http://127.0.0.1:$DOCCANO_PORT" DOCCANO_TLS_URL "https://localhost:$DOCCANO_TLS_PORT" DOCCANO_DATA "$DOCCANO_DATA"
}

command=${1:-}
shift || usage
mkdir -p "$RUN"
for name in "$@"; do case $name in aimock | llama | label-studio | doccano) ;; *) usage ;; esac; done
case $command in
  start)
    certificates
    for name in "$@"; do
      if running "$name" > /dev/null && running "$name-tls" > /dev/null; then continue; fi
      halt "$name"
      halt "$name-tls"
      halt "$name-worker"
      "start_$name"
    done
    environment
    ;;
  stop) for name in "$@"; do halt "$name-tls"; halt "$name-worker"; halt "$name"; done ;;
  env) environment ;;
  *) usage ;;
esac
