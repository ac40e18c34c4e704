#!/usr/bin/env bash
# Installs what the tests drive the gateway with, at the versions pinned beside this script.
#
#   tests/setup.sh [NAME...]   clients, aimock, llama, presidio, prometheus, label-studio, doccano; none: all
#
#   clients  the SDKs of OpenAI and Anthropic for Python (clients/requirements.txt) and Node (clients/package-lock.json)
#   aimock   an OpenAI-shaped mock that nobody here wrote (counterparties/package-lock.json)
#   prometheus  promtool, for what the metrics look like
#   llama    llama.cpp's HTTP server and a tiny model (counterparties/requirements-llama.txt)
#   presidio Presidio's analyzer, for the tests of the gateway (counterparties/requirements-presidio.txt)
#   label-studio  Label Studio, its SDK and a migrated data folder (counterparties/requirements-label-studio.txt)
#   doccano  doccano and a migrated data folder (counterparties/requirements-doccano.txt), and its client
#            (counterparties/requirements-doccano-client.txt); python 3.11 alone
#
# Everything goes under $CONSENTRY_CACHE (~/.cache/consentry): venv, node, aimock, llama, presidio, label-studio, doccano, doccano-client. Needed programs that are
# missing are installed with apt-get when that is allowed. What is there already is left as it is. A part that can't
# be installed is named on a line of its own, `setup: NAME: skipped: why`, and the exit status is 3.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${CONSENTRY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/consentry}
LOG=$CACHE/run/setup.log
skipped=0
# shellcheck source=tests/counterparties/label_studio.sh
. "$HERE/counterparties/label_studio.sh"
# shellcheck source=tests/counterparties/doccano.sh
. "$HERE/counterparties/doccano.sh"

say() { printf 'setup: %s\n' "$*"; }
skip() { say "$1: skipped: $2"; skipped=1; }
usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0"; exit 2; }

# quietly WHAT COMMAND...: runs it; when it fails, shows the end of what it said.
quietly() {
  local what=$1
  shift
  say "$what"
  if "$@" >> "$LOG" 2>&1; then return 0; fi
  tail -n 8 "$LOG" >&2
  return 1
}

# package PROGRAM PACKAGE: true if the program is there, or can be installed.
package() {
  if command -v "$1" > /dev/null; then return 0; fi
  command -v apt-get > /dev/null || return 1
  local as=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo > /dev/null && sudo -n true 2> /dev/null || return 1
    as=(sudo -n)
  fi
  quietly "apt-get install $2 (there is no $1)" "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$2" &&
    command -v "$1" > /dev/null
}

print_of() { cat "$@" | sha256sum | cut -c1-16; }

# there PART PRINT: whether the part was installed from just this.
there() {
  [ "$(cat "$CACHE/$1/.installed" 2> /dev/null)" = "$2" ] || return 1
  say "$1: there already"
}

installed() { # PART PRINT SINCE
  printf '%s' "$2" > "$CACHE/$1/.installed"
  say "$1: installed in $((SECONDS - $3)) s"
}

# venv PART REQUIREMENTS
venv() {
  rm -rf "${CACHE:?}/$1"
  quietly "$1: a virtual environment with $(python3 -V)" python3 -m venv "$CACHE/$1" || return 1
  quietly "$1: pip install -r ${2#"$HERE"/}" "$CACHE/$1/bin/python" -m pip install --disable-pip-version-check --no-deps -r "$2"
}

# node PART FOLDER: npm ci from the folder's lock
node_modules() {
  mkdir -p "$CACHE/$1"
  cp "$2/package.json" "$2/package-lock.json" "$CACHE/$1/"
  quietly "$1: npm ci from ${2#"$HERE"/}/package-lock.json" npm --prefix "$CACHE/$1" ci --no-audit --no-fund --loglevel=error
}

need_python() { # PART
  package python3 python3-venv || { skip "$1" 'there is no python3'; return 1; }
  python3 -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || { skip "$1" 'needs python 3.11 or later with venv'; return 1; }
}

need_node() { # PART
  package node nodejs || { skip "$1" 'there is no node'; return 1; }
  package npm npm || { skip "$1" 'there is no npm'; return 1; }
  [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || { skip "$1" 'needs node 20 or later'; return 1; }
}

setup_clients() {
  local print since=$SECONDS
  if need_python 'clients (Python)'; then
    print=$(print_of "$HERE/clients/requirements.txt")
    if ! there venv "$print"; then
      if venv venv "$HERE/clients/requirements.txt"; then installed venv "$print" "$since"; else skip 'clients (Python)' "see $LOG"; fi
    fi
  fi
  since=$SECONDS
  if need_node 'clients (Node)'; then
    print=$(print_of "$HERE/clients/package-lock.json")
    if ! there node "$print"; then
      if node_modules node "$HERE/clients"; then installed node "$print" "$since"; else skip 'clients (Node)' "see $LOG"; fi
    fi
  fi
}

setup_aimock() {
  local print since=$SECONDS
  need_node aimock || return 0
  print=$(print_of "$HERE/counterparties/package-lock.json")
  if there aimock "$print"; then return; fi
  if node_modules aimock "$HERE/counterparties"; then installed aimock "$print" "$since"; else skip aimock "see $LOG"; fi
}

setup_llama() {
  local print since=$SECONDS
  need_python llama || return 0
  print=$(print_of "$HERE/counterparties/requirements-llama.txt" "$HERE/counterparties/tiny_model.py")
  if there llama "$print"; then return; fi
  if venv llama "$HERE/counterparties/requirements-llama.txt" &&
    quietly 'llama: a random model of half a megabyte' "$CACHE/llama/bin/python" "$HERE/counterparties/tiny_model.py" "$CACHE/llama/tiny.gguf"; then
    installed llama "$print" "$since"
  else
    skip llama "see $LOG"
  fi
}

setup_presidio() {
  local print since=$SECONDS
  need_python presidio || return 0
  print=$(print_of "$HERE/counterparties/requirements-presidio.txt")
  if there presidio "$print"; then return; fi
  if venv presidio "$HERE/counterparties/requirements-presidio.txt"; then
    installed presidio "$print" "$since"
  else
    skip presidio "see $LOG"
  fi
}

setup_label-studio() {
  local print since=$SECONDS folder=$CACHE/label-studio
  need_python label-studio || return 0
  print=$(print_of "$HERE/counterparties/requirements-label-studio.txt" "$HERE/counterparties/seed_label_studio.py")
  if there label-studio "$print"; then return; fi
  if venv label-studio "$HERE/counterparties/requirements-label-studio.txt" && mkdir "$folder/seed" &&
    quietly 'label-studio: migrates an empty database, once' in_label_studio "$folder/seed" \
      "$folder/bin/python" "$HERE/counterparties/seed_label_studio.py" account@example.com; then
    installed label-studio "$print" "$since"
  else
    skip label-studio "see $LOG"
  fi
}

setup_doccano() {
  local print since=$SECONDS folder=$CACHE/doccano
  need_python doccano || return 0
  python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { skip doccano 'needs python 3.11'; return 0; }
  print=$(print_of "$HERE/counterparties/requirements-doccano.txt" "$HERE/counterparties/seed_doccano.py")
  if ! there doccano "$print"; then
    if venv doccano "$HERE/counterparties/requirements-doccano.txt" && mkdir "$folder/seed" &&
      quietly 'doccano: migrates an empty database, once' in_doccano "$folder" "$folder/seed" \
        "$folder/bin/python" "$HERE/counterparties/seed_doccano.py" account; then
      installed doccano "$print" "$since"
    else
      skip doccano "see $LOG"
    fi
  fi
  since=$SECONDS
  print=$(print_of "$HERE/counterparties/requirements-doccano-client.txt")
  if there doccano-client "$print"; then return; fi
  if venv doccano-client "$HERE/counterparties/requirements-doccano-client.txt"; then
    installed doccano-client "$print" "$since"
  else
    skip doccano "see $LOG"
  fi
}

# Debian's package of Prometheus, unpacked: it runs without being installed.
setup_prometheus() {
  if command -v promtool > /dev/null || [ -x "$CACHE/prometheus/usr/bin/promtool" ]; then say 'prometheus: there already'; return; fi
  command -v apt-get > /dev/null || { skip prometheus 'there is no apt-get'; return 0; }
  mkdir -p "$CACHE/prometheus"
  if (cd "$CACHE/prometheus" && quietly 'prometheus: apt-get download' apt-get download prometheus) &&
    quietly 'prometheus: unpacked' dpkg -x "$CACHE"/prometheus/prometheus_*.deb "$CACHE/prometheus"; then
    rm "$CACHE"/prometheus/prometheus_*.deb
  else
    skip prometheus "see $LOG"
  fi
}

[ $# -gt 0 ] || set -- clients aimock llama presidio prometheus label-studio doccano
for name in "$@"; do case $name in clients | aimock | llama | presidio | prometheus | label-studio | doccano) ;; *) usage ;; esac; done
mkdir -p "$CACHE/run"
: > "$LOG"
exec 9> "$CACHE/run/setup.lock"
if command -v flock > /dev/null; then flock 9; fi
for name in "$@"; do
  case $name in aimock | llama | label-studio | doccano) for tool in curl openssl; do package $tool $tool || skip "$name" "there is no $tool"; done ;; esac
  "setup_$name"
done
[ "$skipped" = 0 ] || exit 3
