# Every command a person types. `make` alone says which there are.
#
# Paths are relative, so that a checkout may lie in a folder with a space in its name.

.DEFAULT_GOAL := help
.PHONY: help up build check test format-check lint rust web-check e2e chaos bench agents tools nats-server need

# Handed on by `make up`: make up ARGS="--project ../shop --listen 127.0.0.1:8080"
ARGS ?=

# A cold build takes 250 s of processor time as `dev` and 670 s as `release`, and a first session wants the shorter one;
# it is also what the tests build. SQLite, argon2 and TLS are optimised in both. `make up PROFILE=release` for daily use.
PROFILE ?= dev
BUILT := target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
FLOTILLA := $(BUILT)/flotilla

# nextest runs the tests side by side and counts them at the end; cargo's own runner does where it is not installed.
RUST_TESTS := $(shell cargo nextest --version >/dev/null 2>&1 && echo nextest run || echo test)

OLDEST_CLAUDE := testkit/agents/node_modules/claude-code-2.1.197/node_modules/@anthropic-ai/claude-code-*/claude

NODE := $(shell command -v npm 2>/dev/null)
WEB_SOURCES := $(shell find web/src web/public web/scripts -type f 2>/dev/null) \
	web/index.html web/package.json web/vite.config.ts

help: ## say what can be typed
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 22

up: need nats-server $(if $(NODE),web/dist/index.html) ## build everything and run it on this machine
	@echo 'building flotilla; the first time this takes some minutes ...'
	@cargo build --quiet --profile $(PROFILE) --bin flotilla
	@exec $(FLOTILLA) up $(ARGS)

build: need $(if $(NODE),web/dist/index.html) ## build target/release/flotilla
	cargo build --release --bin flotilla

check: format-check lint web-check ## what can be said without running anything

test: need tools web/dist/index.html ## every check there is; CI runs this and nothing else
	@$(MAKE) --no-print-directory format-check
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory rust
	@$(MAKE) --no-print-directory web-check
	@$(MAKE) --no-print-directory e2e
	@echo '== all of it passed'

format-check:
	@echo '== formatting'
	@cargo fmt --all --check

lint:
	@echo '== lints'
	@cargo clippy --quiet --workspace --all-targets -- --deny warnings

rust: nats-server ## the tests of the Rust crates
	@echo '== tests of the Rust crates'
	@cargo build --quiet --workspace --bins
	@cargo $(RUST_TESTS) --workspace

web-check: web/node_modules/.package-lock.json ## types, lints and unit tests of the web pages
	@echo '== web: types, lints, formatting'
	@cd web && npm run --silent check
	@echo '== web: unit tests'
	@cd web && npm test --silent

e2e: tools web/dist/index.html ## journeys in Chromium, each through a whole installation of its own
	@echo '== journeys in Chromium'
	@command -v chromium >/dev/null || test -n "$$CHROMIUM" || \
		{ echo 'there is no Chromium; Debian: apt install chromium, or name one in CHROMIUM' >&2; exit 1; }
	@cargo build --quiet --bin flotilla --bin scripted-model
	@if ls web/e2e/*.spec.ts >/dev/null 2>&1; then cd web && npm run --silent e2e; \
	else echo 'there are none in web/e2e yet'; fi

# Silences in seconds: SILENCE (cut networks, 60), FREEZE (20), STORM (15), DISK (15). JOBS fleets at work side by side, WAITING
# ones beside them whose fault lasts. MINUTES ends a run in time and RESUME=target/chaos/… goes on with one; REPORT=… writes elsewhere.
chaos: tools ## faults × moments × outcomes, into docs/RELIABILITY.md: make chaos ROUNDS=20 ONLY=runner,gate-open JOBS=4
	@cargo build --quiet --profile $(PROFILE) --bin flotilla --bin chaos
	@$(foreach it,ROUNDS ONLY SESSIONS JOBS WAITING SILENCE FREEZE STORM DISK MINUTES RESUME REPORT,$(if $($(it)),$(it)="$($(it))")) $(BUILT)/chaos

# Figures of anything but a release build on a quiet machine mean little.
bench: tools web/dist/index.html ## what it costs, beside the bare agent and the raw engine, into docs/PERFORMANCE.md
	@cargo build --quiet --profile release --bin flotilla --bin bench
	@$(foreach it,ROUNDS ONLY SESSIONS REPORT,$(if $($(it)),$(it)="$($(it))")) target/release/bench

agents: tools ## the adapter's contract with the oldest supported agents; `make test` holds it to the newest
	@echo '== Claude Code 2.1.197'
	@FLOTILLA_CLAUDE="$$(ls -d "$$PWD"/$(OLDEST_CLAUDE))" cargo $(RUST_TESTS) -p runner --test claude

tools: nats-server ## fetch what the tests run: nats-server, and the agents (600 MB)
	@tools/fetch-agents.sh

nats-server:
	@tools/fetch-nats-server.sh

need:
	@tools/check-machine.sh

web/node_modules/.package-lock.json: web/package-lock.json
	@echo 'fetching what the web pages are built with ...'
	@cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	@echo 'building the web pages ...'
	@cd web && npm run --silent build
	@touch $@
