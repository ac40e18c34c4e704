#!/usr/bin/env bash
# Instructions and system calls that a request costs the gateway: figures that repeat from run to run, on a busy machine
# too. docs/benchmarks.md says how to read them.
#
#   benches/count.sh [--cases A,B] [--only instructions|calls] [--requests N] [--connections N] [--out FILE] [--keep FOLDER]
#
# What is missing is installed by apt-get, where that is allowed: valgrind, strace, nginx, nghttp2-client, openssl. The
# gateway is built with the dist profile, unless CONSENTRY_BENCH_BIN names one; CONSENTRY_BENCH_BARE may name the bare
# proxy (`cargo build --profile dist --example bare-proxy`), which is counted as well then. `--keep` keeps callgrind's
# profiles, for callgrind_annotate.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$HERE")

for needed in valgrind:valgrind strace:strace nginx:nginx h2load:nghttp2-client openssl:openssl python3:python3; do
  command -v "${needed%%:*}" > /dev/null && continue
  if ! apt-get install -y --no-install-recommends "${needed##*:}" > /dev/null || ! command -v "${needed%%:*}" > /dev/null; then
    echo "count: there is no ${needed%%:*}, and it can't be installed" >&2
    exit 2
  fi
done
if [ -z "${CONSENTRY_BENCH_BIN:-}" ]; then
  (cd "$ROOT" && cargo build --locked --profile dist --bin consentry)
  CONSENTRY_BENCH_BIN=${CARGO_TARGET_DIR:-$ROOT/target}/dist/consentry
fi
export CONSENTRY_BENCH_BIN
exec python3 "$HERE/peers/count.py" "$@"
