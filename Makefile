# Masthead. `make` alone lists what can be made.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# One set of flags for every build and test, so that they share the build cache.
# nodynamic keeps the WebP encoder from looking for a library at run time.
export CGO_ENABLED := 0
export GOFLAGS := -tags=nodynamic -trimpath

FUZZTIME ?= 10s
STORIES ?= 20000
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

##@ The program

.PHONY: help
help: ## list what can be made
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: front-end ## build bin/masthead: the front end and the program, one static binary
	go build -ldflags '-s -w' -o bin/masthead ./cmd/masthead
	@if ldd bin/masthead >/dev/null 2>&1; then echo 'bin/masthead is not static' >&2; exit 1; fi
	@echo "bin/masthead $$(( $$(wc -c < bin/masthead) / 1000000 )) MB, static"

.PHONY: demo
demo: build ## build, seed a newsroom in demo-newsroom/ and serve it
	bin/masthead demo --dir demo-newsroom --serve

.PHONY: docs
docs: ## write docs/cli.md and docs/masthead.example.toml anew
	go run ./cmd/masthead docs docs

##@ Tests

.PHONY: test
test: tools check ## run every test: both databases, scripts, browser; installs what it needs
	go run ./tools/withpostgres go test -p 3 $(PACKAGES)
	go test -timeout 20m -v ./e2e 2>&1 | { grep -Ev '^=== (RUN|PAUSE|CONT|NAME)' || true; }

# Every package but the browser tests, which want the machine to themselves. Three at
# once, also on two cores: they wait for disks, clocks and other programs most of the time.
PACKAGES = $$(go list ./... | grep -v '/e2e$$')

.PHONY: check
check: front-end ## format, vet, floors, doc comments, generated manual
	@unformatted=$$(git ls-files -z -co --exclude-standard '*.go' | xargs -0 gofmt -l); if [ -n "$$unformatted" ]; then echo "not formatted by gofmt:" >&2; echo "$$unformatted" >&2; exit 1; fi
	go vet ./...
	go test -run 'TestImportsPointDown|TestOnlyAllowedModules|TestFilesAreShort|TestNothingIsSkippedSilently' .
	go run ./tools/doccheck internal ui
	@manual=$$(mktemp -d); trap 'rm -rf "$$manual"' EXIT; go run ./cmd/masthead docs "$$manual"; \
	for f in cli.md masthead.example.toml; do diff -u docs/$$f "$$manual/$$f" || { echo "docs/$$f is out of date: make docs" >&2; exit 1; }; done

.PHONY: fuzz
fuzz: front-end ## run each fuzz target for FUZZTIME (10s)
	@grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' internal | sort | while IFS=: read -r file name; do \
		echo "$${name#func } in $$(dirname "$$file")"; \
		go test -run '^$$' -fuzz "^$${name#func }$$" -fuzztime $(FUZZTIME) "./$$(dirname "$$file")" </dev/null; done

.PHONY: golden
golden: front-end ## write the golden files anew (-update); look at the difference before you commit it
	@grep -rlE --include='*_test.go' 'flag\.Bool\("update"' . | xargs -r -n1 dirname | sort -u | while read -r folder; do go test "$$folder" -update </dev/null; done
	UPDATE_SCRIPTS=1 go test -run '^TestScripts$$' .

.PHONY: bench
bench: tools build ## measure side by side with nginx and bare Go, then the hot paths, a large import, and pages in a browser
	@command -v wrk >/dev/null || $(call apt,wrk)
	@command -v h2load >/dev/null || $(call apt,nghttp2-client)
	@[ -x /usr/sbin/nginx ] || command -v nginx >/dev/null || $(call apt,nginx-light)
	go run ./bench/run -stories $(STORIES)
	go test -run '^$$' -bench . -benchmem ./internal/wall ./internal/doc ./internal/search
	MASTHEAD_LARGE=1 go run ./tools/withpostgres go test -timeout 30m -v -run TwentyThousand ./internal/archive | grep -Ev '^=== '
	go test -timeout 20m -v -run '^TestPerformance$$' ./e2e -performance | grep -Ev '^=== '

.PHONY: pictures
pictures: tools ## take the pictures of docs/pictures anew
	go test -timeout 20m -v -run 'Pictures$$' ./e2e -pictures ../docs/pictures | grep -Ev '^=== '

##@ What is installed

.PHONY: tools
tools: front-end ## install what the tests need: chromium, postgresql, varnish, a Java runtime, the browser checks
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || $(call apt,chromium)
	@[ -n "$$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null)" ] || command -v initdb >/dev/null || $(call apt,postgresql)
	@command -v java >/dev/null || $(call apt,default-jre-headless)
	@{ [ -x /usr/sbin/varnishd ] || command -v varnishd >/dev/null; } && ls /usr/lib/*/varnish/vmods/libvmod_xkey.so >/dev/null 2>&1 || $(call apt,varnish varnish-modules)
	@$(call npm,tools/browser)

.PHONY: front-end
front-end:
	@command -v npm >/dev/null || $(call apt,nodejs npm)
	@$(call npm,ui)
	@go run ./ui/build

# $(call apt,PACKAGES) installs Debian packages.
apt = { $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1); }

# $(call npm,FOLDER) installs what the folder's lock names, unless it is there.
# No script of a package is run.
npm = cmp -s $(1)/package-lock.json $(1)/node_modules/.masthead-lock || \
	{ echo "npm ci in $(1)"; npm ci --prefix $(1) --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null && cp $(1)/package-lock.json $(1)/node_modules/.masthead-lock; }
