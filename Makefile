# Counterfoil. `make help` lists the targets.

# One static binary: no cgo, and gin without the codec that nobody uses.
TAGS      := nomsgpack
GO        ?= go
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS   := -s -w -X main.version=$(VERSION)

# Tools are built once per version, outside the tree.
TOOLS            ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/counterfoil/tools
GOLANGCI_VERSION := v2.15.0
OAPI_VERSION     := v2.8.2
VULN_VERSION     := v1.1.4
SPECTRAL_VERSION := 6.16.3
HELM_VERSION     := v3.19.0
PLAYWRIGHT_VERSION := 1.65.0
AXE_VERSION      := 4.13.0
OPENAI_VERSION   := 7.55.0
PROMTOOL_VERSION := v0.313.0
BENCHSTAT_VERSION := v0.0.0-20260908200009-22c9c6c9d4da
GOLANGCI := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)/golangci-lint
OAPI     := $(TOOLS)/oapi-codegen-$(OAPI_VERSION)/oapi-codegen
VULN     := $(TOOLS)/govulncheck-$(VULN_VERSION)/govulncheck
HELM     := $(TOOLS)/helm-$(HELM_VERSION)/helm
PROMTOOL := $(TOOLS)/promtool-$(PROMTOOL_VERSION)/promtool
BENCHSTAT := $(TOOLS)/benchstat-$(BENCHSTAT_VERSION)/benchstat
PLAYWRIGHT := $(TOOLS)/playwright-$(PLAYWRIGHT_VERSION)/node_modules
OPENAI   := $(TOOLS)/openai-$(OPENAI_VERSION)/node_modules
SPECTRAL := $(TOOLS)/spectral-$(SPECTRAL_VERSION)/node_modules/.bin/spectral

DATA     ?= ./data
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)

.DEFAULT_GOAL := help
.PHONY: help build run deps test test-long bench bench-quick bench-long bench-micro eval check lint generate check-generated lint-openapi check-deploy check-report generate-deploy image vuln clean

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/counterfoil and bin/counterfoil-verify, and the example: bin/gateway and bin/model
	CGO_ENABLED=0 $(GO) build -trimpath -tags $(TAGS) -ldflags '$(LDFLAGS)' -o bin/ ./cmd/... ./examples/...

run: build ## Build and start the embedded service on 127.0.0.1:8080, data under ./data
	./bin/counterfoil dev --data $(DATA)

deps: ## Install what the tests start, where it is missing: PostgreSQL, PgBouncer, node and its openai package
	@{ ls /usr/lib/postgresql/*/bin/initdb && command -v pgbouncer && command -v pg_dump; } >/dev/null 2>&1 \
		|| { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql pgbouncer; }
	@{ command -v node && command -v npm; } >/dev/null 2>&1 \
		|| { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nodejs npm; }
	@$(MAKE) --no-print-directory $(OPENAI) || echo "openai: npm cannot install it; the tests of examples/gateway skip what needs it"

# The other lines run in full what the race detector makes slow and finds nothing
# in: properties and histories of one goroutine, races in the log, pairs of changes,
# faults that are injected one after the other, stores that are broken on purpose.
test: deps ## Run every test, with the race detector
	OPENAI_MODULES=$(OPENAI) $(GO) test -race -tags $(TAGS) -timeout 30m ./...
	$(GO) test -tags $(TAGS) -timeout 30m -run 'Invariant[34]|TwoUsersBehind|ThousandReloads|_Model|_Races|_Young|BeyondOneCommit' ./internal/vault ./internal/lifemodel
	$(GO) test -tags $(TAGS) -timeout 30m -run 'TestContract/Invariant.*/in_one_window' ./internal/storage/sqlite ./internal/storage/postgres
	$(GO) test -tags $(TAGS) -timeout 30m -run 'Twin|FaultTable|CrashImages|OfMany|RandomBytes|RandomTampering' ./internal/storage/sqlite ./internal/storage/postgres
	$(GO) test -tags $(TAGS) -timeout 30m -run 'Invariant11' ./internal/verify
	$(GO) test -tags $(TAGS) -timeout 30m -run 'Invariant19' ./internal/stream
	$(GO) test -tags $(TAGS) -timeout 30m ./internal/detect/eval
	cd bench && $(GO) test -timeout 10m ./...

test-long: deps ## Run every test with the long variants of the property and crash tests
	OPENAI_MODULES=$(OPENAI) COUNTERFOIL_LONG=1 $(GO) test -tags $(TAGS) -timeout 120m ./...

bench-micro: $(BENCHSTAT) ## Compare the micro-benchmarks of HEAD with those of BASE=<revision> and write bench/MICRO.md
	@test -n "$(BASE)" || { echo "bench-micro: which revision? BASE=<revision>"; exit 1; }
	cd bench && $(GO) run ./micro -base '$(BASE)' -benchstat $(BENCHSTAT) -out MICRO.md $(if $(ONLY),-only '$(ONLY)')

bench: deps ## Measure against the floor, 15 minutes at most, and write bench/REPORT.md
	cd bench && $(GO) run . -mode full -out .

bench-quick: deps ## Measure the core at 16 clients, under 2 minutes, and print it
	@cd bench && $(GO) run . -mode quick

bench-long: deps ## Measure soak, overload and growth, and write bench/LONG.md; hours
	cd bench && $(GO) run . -mode long -out .

eval: ## Measure detection on the data sets under DATA and write internal/detect/EVAL.md
	$(GO) run ./internal/detect/eval -data $(DATA) -out internal/detect/EVAL.md

check: lint check-generated lint-openapi check-deploy check-report vuln ## Lint, generated files, OpenAPI lint, deployment, the report in a browser, known vulnerabilities

lint: $(GOLANGCI) ## Vet and lint, the import law included
	$(GO) vet -tags $(TAGS) ./...
	$(GOLANGCI) run ./...
	cd bench && $(GO) vet ./... && $(GOLANGCI) run --config ../.golangci.yml ./...

generate: $(OAPI) ## Write the generated files anew
	$(OAPI) -config openapi/oapi-codegen.yaml openapi/openapi.yaml

check-generated: generate ## Fail where a generated file or go.mod is not what its source says
	git diff --exit-code -- internal/httpapi
	$(GO) mod tidy -diff

lint-openapi: $(SPECTRAL) ## Lint the OpenAPI document
	$(SPECTRAL) lint --fail-severity=warn --ruleset openapi/.spectral.yaml openapi/openapi.yaml

# The cache of tests does not see the files that helm reads.
check-deploy: $(HELM) $(PROMTOOL) ## Check the chart with helm, the alerts with promtool, the unit, the trial and the image
	HELM=$(HELM) PROMTOOL=$(PROMTOOL) $(GO) test -count=1 -tags $(TAGS),tools ./deploy
	cd deploy/image && $(GO) vet ./... && $(GO) test ./...

check-report: $(PLAYWRIGHT) ## Open the report of a made-up quarter in headless Chromium: console, widths, axe-core, paper
	NODE_MODULES=$(PLAYWRIGHT) $(GO) test -count=1 -timeout 20m -tags $(TAGS),tools -run Chromium ./internal/evidence/report

generate-deploy: $(HELM) ## Render anew what the tests of the chart compare with
	HELM=$(HELM) COUNTERFOIL_WRITE=1 $(GO) test -count=1 -tags $(TAGS),tools -run TestChartRendersWhatIsCommitted ./deploy

image: ## Write dist/image, an OCI layout of the static binary alone; prints its digest
	CGO_ENABLED=0 GOOS=linux $(GO) build -trimpath -buildvcs=false -tags $(TAGS) -ldflags '$(LDFLAGS)' -o dist/counterfoil ./cmd/counterfoil
	cd deploy/image && $(GO) run . --binary ../../dist/counterfoil --licence ../../LICENSE --version '$(VERSION)' --revision '$(REVISION)' --out ../../dist/image

vuln: $(VULN) ## Report known vulnerabilities; never fails where the database cannot be reached
	@$(VULN) ./... || echo "govulncheck: not clean, or its database cannot be reached; see above"

clean: ## Remove what was built
	rm -rf bin dist

$(GOLANGCI):
	GOBIN=$(@D) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

$(OAPI):
	GOBIN=$(@D) $(GO) install github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@$(OAPI_VERSION)

$(VULN):
	GOBIN=$(@D) $(GO) install golang.org/x/vuln/cmd/govulncheck@$(VULN_VERSION)

$(BENCHSTAT):
	GOBIN=$(@D) $(GO) install golang.org/x/perf/cmd/benchstat@$(BENCHSTAT_VERSION)

$(HELM):
	GOBIN=$(@D) $(GO) install helm.sh/helm/v3/cmd/helm@$(HELM_VERSION)

# Its module replaces others, which go install refuses: it is built where it lies.
$(PROMTOOL):
	mkdir -p $(@D)
	cd "$$($(GO) mod download -json github.com/prometheus/prometheus@$(PROMTOOL_VERSION) | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')" \
		&& GOWORK=off CGO_ENABLED=0 $(GO) build -mod=readonly -tags netgo,builtinassets_none,remove_all_sd -ldflags '-s -w' -o $@ ./cmd/promtool

$(SPECTRAL):
	command -v npm >/dev/null || (apt-get update && apt-get install -y --no-install-recommends nodejs npm)
	npm install --prefix $(TOOLS)/spectral-$(SPECTRAL_VERSION) --no-fund --no-audit --silent @stoplight/spectral-cli@$(SPECTRAL_VERSION)

$(PLAYWRIGHT):
	command -v chromium >/dev/null || (apt-get update && apt-get install -y --no-install-recommends chromium)
	command -v npm >/dev/null || (apt-get update && apt-get install -y --no-install-recommends nodejs npm)
	npm install --prefix $(@D) --no-fund --no-audit --silent playwright-core@$(PLAYWRIGHT_VERSION) @axe-core/playwright@$(AXE_VERSION)

$(OPENAI):
	npm install --prefix $(@D) --no-fund --no-audit --silent openai@$(OPENAI_VERSION)
