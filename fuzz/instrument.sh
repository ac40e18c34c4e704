#!/bin/sh
# rustc, with coverage for the fuzzer in the crate that is fuzzed and in no other: its dependencies are fuzzed by others,
# and stay as `make test` compiled them. Every flag is one of stable Rust.
set -eu
case " $* " in
*" --crate-name consentry --edition"*)
    exec "$@" --cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=8 \
        -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
        -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares
    ;;
esac
exec "$@"
