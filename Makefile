# Everything a newcomer needs: `make up` runs a city on this machine, `make test` proves the build.
# Both install what is missing (Debian packages; npm and Python packages into the tree's own folders).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
NEXTEST := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo "nextest run" || echo "test")

.PHONY: help setup web up test check unit sdk page api e2e hosts containers sim bugs bench fuzz tck docs clean

help: ## list the targets
	@grep -hE '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## install the Debian packages that are missing
	@scripts/setup.sh

web: setup ## build the verifier and the page that the gateway serves
	@scripts/web.sh

up: web ## run a four-validator city with gateway and demo data; Ctrl-C stops it, another `make up` resumes it
	$(CARGO) build --release --locked --bin zhulian
	$(TARGET)/release/zhulian up $(UP)

test: web unit sdk api e2e page ## everything that CI runs
	@echo "make test: all steps passed"

check: ## format, lints
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

unit: web ## the Rust tests
	$(CARGO) $(NEXTEST) --workspace --locked

sdk: web ## the TypeScript verifier against the shared vectors
	cd sdk/typescript && npm test

api: unit ## schemathesis against the gateway
	scripts/schemathesis.sh

e2e: unit ## four real processes: deposit, tamper, kill, wipe, and verify offline; validators come and go; rules voted in, decided, and decided again
	scripts/e2e.sh
	scripts/e2e-validators.sh
	scripts/rules.sh

hosts: ## four hosts in network namespaces, with latency, loss, cut links and a rolling restart; needs root
	$(CARGO) build --locked --bin zhulian
	scripts/hosts.sh

containers: ## build the image and run its four containers: stopped, missing, made anew; needs docker with compose
	scripts/container.sh

page: unit ## the web page in headless Chromium; the scenarios in the editors bpmn-js and dmn-js
	scripts/page.sh
	scripts/modelers.sh

sim: ## deterministic simulation of whole nodes; SEEDS=n, FIRST=n, TWICE=1 for each seed twice, SEED=n to replay one, WRITES=n for a power cut at every n-th write
	$(CARGO) run --profile sim --locked -p zhulian-sim -- --seeds $(or $(SEEDS),200) $(if $(FIRST),--first $(FIRST)) \
		$(if $(TWICE),--twice) $(if $(SEED),--seed $(SEED)) $(if $(WRITES),--write-points $(WRITES))

bugs: ## three bugs put in on purpose, each of which the simulation must find
	$(CARGO) test --profile sim --locked -p zhulian-sim --features seeded-bugs --test bugs -- --nocapture

bench: ## measured figures of four validator processes on loopback; QUICK=1 for under four minutes
	$(CARGO) build --release --locked -p zhulian-cli -p zhulian-bench
	$(TARGET)/release/zhulian-bench $(if $(QUICK),--quick)

fuzz: ## a million mutated FEEL expressions, 100,000 mutated DMN and as many BPMN files; SHARE=n for n per cent of them
	ZHULIAN_MUTANTS=$(or $(SHARE),100) $(CARGO) test --profile sim --locked -p zhulian-rules -p zhulian-procedure -- --ignored --nocapture fuzz

tck: ## the official DMN Technology Compatibility Kit
	$(CARGO) run --locked -q -p zhulian-rules --example tck

docs: ## rewrite the generated documents and snapshots
	UPDATE_DOCS=1 $(CARGO) test --workspace --locked --quiet

clean: ## remove what was built
	$(CARGO) clean
	rm -rf web/node_modules web/modelers/node_modules sdk/typescript/node_modules sdk/typescript/dist
