# Two commands do all the set-up: `make demo` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
SWIFT ?= swift
BINARY := .build/release/conurb

# Importing a module that a target cannot reach by what it declares fails the build; scripts/check-arrows is stricter.
# With the Swift runtime linked in the program starts sooner, takes fewer instructions, and runs where there is no Swift.
SWIFT_FLAGS := -c release --static-swift-stdlib --explicit-target-dependency-import-check error

.DEFAULT_GOAL := help
.PHONY: help demo build check test install-deps install bench bench-door bench-check break etsi-suite clean fuzz

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## build, then show a simulated metropolis (options: DEMO='--speed 10 --municipalities 12')
	@exec $(BINARY) demo $(DEMO)

build: ## install what is missing from Debian and build .build/release/conurb
	@scripts/install-dependencies
	$(SWIFT) build $(SWIFT_FLAGS) --product conurb

check: ## what can be checked without a build, in seconds: before every commit
	@SWIFT="$(SWIFT)" scripts/check

test: ## run every test there is
	@SWIFT="$(SWIFT)" SWIFT_FLAGS="$(SWIFT_FLAGS)" scripts/test

install-deps: ## install what building, running and testing need
	@scripts/install-dependencies test

bench: build ## measure on this machine and write docs/benchmarks.md (takes a while)
	@scripts/install-dependencies bench
	.venv/bin/python scripts/bench/bench.py $(BINARY) $(BENCH)
	.venv/bin/python scripts/bench/door.py $(BINARY) $(DOOR)

bench-door: build ## measure the HTTP door only (options: DOOR='--quick' or DOOR='--data some/folder')
	@scripts/install-dependencies bench
	.venv/bin/python scripts/bench/door.py $(BINARY) $(DOOR)

bench-check: ## say which goals of speed the last run reached, and fail where one was not
	@test -f results/door.json || $(MAKE) bench-door
	@.venv/bin/python scripts/bench/doortable.py results/door.json

break: build ## break things on purpose and write docs/reliability.md (an hour, some of it as root; options: BREAK='disk clock --seed 7')
	@scripts/install-dependencies test
	.venv/bin/python scripts/break/run.py $(BINARY) $(BREAK)

etsi-suite: build ## run the ETSI NGSI-LD test suite: make etsi-suite SUITE=path/to/checkout
	@test -n "$(SUITE)" || { echo "Say where the suite is: make etsi-suite SUITE=path/to/ngsi-ld-test-suite" >&2; exit 2; }
	scripts/etsi-suite "$(SUITE)" --binary $(BINARY) $(ETSI_SUITE)

fuzz: ## give the parsers inputs that nobody would write, for 10 minutes (options: FUZZ='3600 json entity' or FUZZ='--guided 600')
	@scripts/install-dependencies
	SWIFT="$(SWIFT)" SWIFT_FLAGS="$(SWIFT_FLAGS)" scripts/fuzz $(FUZZ)

PREFIX ?= /usr/local

install: ## put what build built into $(DESTDIR)$(PREFIX)
	@test -x $(BINARY) || { echo "Run 'make build' first, as the user who owns this folder." >&2; exit 2; }
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/conurb $(DESTDIR)$(PREFIX)/share/doc/conurb
	install -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/lib/conurb/conurb
	for bundle in $(dir $(BINARY))conurb_*.resources; do \
	  test ! -d "$$bundle" || cp -rT "$$bundle" "$(DESTDIR)$(PREFIX)/lib/conurb/$${bundle##*/}" || exit 1; done
	ln -sfn ../lib/conurb/conurb $(DESTDIR)$(PREFIX)/bin/conurb
	install -m 644 docs/operations.md $(DESTDIR)$(PREFIX)/share/doc/conurb/operations.md

clean: ## remove what was built and installed in this folder
	rm -rf .build .build-fuzz .venv results
