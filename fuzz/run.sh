#!/bin/sh
# Runs one fuzzer with the Rust that is there: fuzz/run.sh TARGET [SECONDS] [options of libFuzzer]
# What it comes upon is kept in fuzz/corpus/TARGET, what breaks an invariant in fuzz/artifacts/TARGET.
set -eu
cd "$(dirname "$0")"
target=${1:?"fuzz/run.sh TARGET [SECONDS]: $(sed -n 's/^name = "\([a-z]*\)"$/\1/p' Cargo.toml | tr '\n' ' ')"}
seconds=${2:-60}
shift $(($# < 2 ? $# : 2))

folder=${CARGO_TARGET_DIR:-$(cd .. && pwd)/target}
RUSTC_WRAPPER="$PWD/instrument.sh" CARGO_TARGET_DIR="$folder" \
    "${CARGO:-cargo}" build --quiet --locked --manifest-path Cargo.toml --bin "$target"

mkdir -p "corpus/$target" "artifacts/$target"
begun=$(date +%s)
status=0
nice -n 19 "$folder/debug/$target" "corpus/$target" "corpus-seed/$target" -dict=dictionary -max_total_time="$seconds" \
    -artifact_prefix="artifacts/$target/" -print_final_stats=1 -rss_limit_mb=2048 -timeout=20 "$@" || status=$?
echo "$target: $(($(date +%s) - begun)) s of wall time; processor time of the run:"
times
exit "$status"
