# `make test` is the whole of it: it installs what the tests drive the gateway with (tests/setup.sh), runs every check,
# stops at the first that fails, and ends with what each runner said of itself. From cold, on two cores, it takes about
# half an hour; nearly all of that is compiling.
#
# Everything is built with the development profile into one folder: `target`, or $CARGO_TARGET_DIR.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help test setup fmt clippy unit charts clients bench fuzz demo schema deny

TARGET := $(or $(CARGO_TARGET_DIR),target)
export CONSENTRY_BIN ?= $(abspath $(TARGET))/debug/consentry
# What tests/setup.sh unpacked.
export PATH := $(PATH):$(or $(CONSENTRY_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/consentry)/prometheus/usr/bin
STEP := tests/step.sh $(TARGET)/steps

help: ## what there is
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

test: ## every check
	@tests/step.sh $(TARGET)/steps --begin
	@for step in setup fmt clippy unit charts clients; do $(MAKE) --no-print-directory $$step; done
	@tests/step.sh $(TARGET)/steps --end

setup: ## installs what the tests need: SDKs, servers, tools
	@$(STEP) setup tests/setup.sh

fmt: ## the code is formatted
	@$(STEP) fmt cargo fmt --all --check

clippy: ## the lints, none of them a warning
	@$(STEP) clippy cargo clippy --locked --all-targets -- -D warnings

unit: ## unit, property and document tests
	@$(STEP) unit cargo test --locked

charts: ## the Helm chart, the dashboard, the rules
	@$(STEP) build cargo build --locked
	@$(STEP) charts tests/charts/run.sh

clients: ## unmodified SDKs and servers that nobody here wrote
	@$(STEP) build cargo build --locked
	@$(STEP) clients tests/run-clients.sh all

bench: ## how fast, beside its peers
	@cargo bench --locked
	@benches/run.sh

fuzz: ## one fuzzer for a while: make fuzz NAME=json SECONDS=600
	@fuzz/run.sh $(NAME) $(SECONDS)

demo: ## the gateway before a sandbox, and a tour of its decisions
	@cargo run --release --locked -- demo

schema: ## writes the generated files anew: schemas, coverage, metrics, reasons
	@UPDATE=1 cargo test --locked --test tidy generated

deny: ## advisories and everything else that cargo-deny knows
	@cargo deny --version > /dev/null 2>&1 || cargo install --locked cargo-deny
	@cargo deny --locked check
