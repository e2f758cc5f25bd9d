# Everything that is built, run and checked. `make help` lists it.
#
# Cargo knows what is out of date, so most targets only call it: one profile (release), one target directory. A language whose
# tools are missing is named, with how to get them, and left out; the others go on. What is made lands in target, build and dist.

SHELL := bash
PREFIX ?= /usr/local
CARGO_BUILD := cargo build --release --locked
HAS := tests/toolchain.sh
LANGUAGES := c python node go

.DEFAULT_GOAL := help
.PHONY: help demo test soak fuzz sanitize sim bench bench-peers counts lint header dist install clean build rust $(LANGUAGES)

help: ## this list
	@echo "make TARGET, one of:"
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | while IFS=$$'\t' read -r name what; do printf '  %-13s%s\n' "$$name" "$$what"; done

demo: build ## builds everything, then runs a cluster of five processes in five languages
	target/release/demo $(foreach language,$(LANGUAGES),$$($(HAS) -q $(language) && echo $(language)))

test: ## runs every test of every language; make test SUITES="rust go" only those
	@tests/suites.sh $(SUITES)

soak: ## sixteen processes in five minutes of chaos, every outage at its full length, a hostile member for a minute; needs root
	@$(HAS) rust
	P2PMAP_HOSTILE_SECONDS=60 cargo test --release --locked -p p2pmap --lib hostile::mix -- --nocapture
	P2PMAP_SOAK_S=$${P2PMAP_SOAK_S:-300} cargo test --release --locked -p p2pmap-tests --test net -- --nocapture

fuzz: ## looks for inputs that break something: make fuzz TARGETS="decode sync" FUZZ_SECONDS=600
	@tests/fuzz/run.sh $(TARGETS)

sanitize: ## the core's tests and calls of the C interface under AddressSanitizer; make sanitize WITH=thread under ThreadSanitizer
	@tests/sanitize.sh $(or $(WITH),address)

sim: ## the deterministic simulation: make sim SEEDS=100000; make sim SEEDS=1 SEED_BASE=4711 runs one again
	SEEDS=$(SEEDS) SEED_BASE=$(SEED_BASE) cargo test --release --locked -p p2pmap --lib sim::g1 -- --nocapture

bench: rust python node go ## measures, each figure beside its floor, and writes docs/benchmarks.md; QUICK=1 takes two minutes
	cargo test --quiet --release --locked --no-run -p p2pmap --lib
	cargo run --release --locked -p p2pmap-bench -- --write docs/benchmarks.md

bench-peers: ## measures beside Redis, etcd, NATS, chitchat, iroh-docs and zenoh, and writes docs/benchmarks-peers.md
	@tests/bench/peers/run.sh

counts: ## counts instructions and allocations of the hot paths anew, into tests/counts/baseline.txt; needs valgrind
	@$(HAS) rust
	P2PMAP_COUNTS=write cargo test --release --locked -p p2pmap-counts -- --nocapture

lint: ## formats, lints, types and licences, of every language
	@tests/lint.sh

header: ## writes include/p2pmap.h from the sources of ffi
	@$(HAS) rust
	cargo run --release --locked -p p2pmap-ffi --example header

dist: build ## packages for users into dist: wheel, npm tarball, C archive, Go package
	ffi/dist.sh dist
	@$(HAS) go || exit 0; bindings/go/dist.sh dist
	@ls -l dist

install: rust ## installs the C and C++ library: make install PREFIX=/usr/local
	ffi/install.sh "$(PREFIX)"

clean: ## removes everything that was made
	cargo clean
	rm -rf build dist bindings/node/node_modules bindings/node/*.node

build: rust $(LANGUAGES) ## builds everything

rust:
	@$(HAS) rust
	$(CARGO_BUILD) -p p2pmap -p p2pmap-ffi -p p2pmap-tests --lib --bins --example services

c: rust
	@$(HAS) c || exit 0; \
	mkdir -p build/demo && ffi/install.sh build/c && \
	cc -std=c11 -O2 -Wall -Wextra -o build/demo/services-c ffi/examples/services.c -pthread \
		$$(PKG_CONFIG_PATH=build/c/lib/pkgconfig pkg-config --cflags --libs p2pmap) -Wl,-rpath,"$$PWD/build/c/lib"

python: rust
	@$(HAS) python || exit 0; bindings/python/build.sh wheel install

node: rust
	@$(HAS) node || exit 0; bindings/node/build.sh

go: rust
	@$(HAS) go || exit 0; \
	eval "$$(bindings/go/test.sh env)" && go build -C bindings/go -o ../../build/demo/services-go ./examples/services
