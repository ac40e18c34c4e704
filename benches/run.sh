#!/usr/bin/env bash
# The gateway beside its peers, on this machine: what a request costs each of them. docs/benchmarks.md says how to read it.
#
#   benches/run.sh [--out FOLDER] [--rounds N] [--seconds S] [--connections N] [--cases A,B] [--peers A,B]
#
# The peers: nginx as it is distributed and nginx tuned (`nginx-keepalive`), HAProxy, and a bare proxy out of the gateway's
# own libraries, all as bare TLS proxies; nginx with njs that redacts by hand. Envoy is not packaged for Debian: it takes
# part where `envoy` is installed already, and is named as skipped where it isn't. Load comes from wrk (HTTP/1.1) and
# h2load (HTTP/2).
#
# What is missing is installed by apt-get, where that is allowed: nginx, libnginx-mod-http-js, haproxy, wrk,
# nghttp2-client, openssl. The gateway and the bare proxy are built with the dist profile, unless CONSENTRY_BENCH_BIN
# and CONSENTRY_BENCH_BARE name them.
# Writes benchmark.md and benchmark.json (to `target/benchmark`).
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$HERE")
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}

# package PROBE PACKAGE: true if the program or file is there, or can be installed.
package() {
  local probe=$1 package=$2 as=()
  there() { command -v "$probe" > /dev/null || [ -e "$probe" ]; }
  there && return 0
  command -v apt-get > /dev/null || return 1
  if [ "$(id -u)" != 0 ]; then
    command -v sudo > /dev/null && sudo -n true 2> /dev/null || return 1
    as=(sudo -n)
  fi
  echo "bench: apt-get install $package" >&2
  "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package" > /dev/null && there
}

for needed in nginx:nginx wrk:wrk h2load:nghttp2-client openssl:openssl python3:python3; do
  package "${needed%%:*}" "${needed##*:}" || { echo "bench: there is no ${needed%%:*}, and it can't be installed" >&2; exit 2; }
done
# A peer that can't be installed is skipped by name.
package haproxy haproxy || true
package /usr/lib/nginx/modules/ngx_http_js_module.so libnginx-mod-http-js || true

if [ -z "${CONSENTRY_BENCH_BIN:-}" ]; then
  (cd "$ROOT" && cargo build --locked --profile dist --bin consentry)
  CONSENTRY_BENCH_BIN=$TARGET/dist/consentry
fi
if [ -z "${CONSENTRY_BENCH_BARE:-}" ]; then
  (cd "$ROOT" && cargo build --locked --profile dist --example bare-proxy)
  CONSENTRY_BENCH_BARE=$TARGET/dist/examples/bare-proxy
fi
export CONSENTRY_BENCH_BIN CONSENTRY_BENCH_BARE
exec python3 "$HERE/peers/run.py" --out "$TARGET/benchmark" "$@"
