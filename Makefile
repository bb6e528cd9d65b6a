# Everything is built in one profile, because RocksDB takes long to compile.
# sccache is used when it is there; nothing needs it.
ifneq (,$(shell command -v sccache 2>/dev/null))
export RUSTC_WRAPPER ?= sccache
endif

# Tests do not need naze itself optimized, which takes minutes.
QUICK = --config profile.release.package.naze.opt-level=0

.PHONY: demo test build lint doc bench setup clean

demo: build
	target/release/naze demo

test:
	@scripts/setup test
	cargo test --release --locked $(QUICK)

build: setup
	cargo build --release --locked

lint: setup
	cargo fmt --check
	cargo clippy --release --locked --all-targets -- -D warnings

doc: setup
	RUSTDOCFLAGS="-D warnings" cargo doc --release --locked --no-deps --lib

bench: build
	benches/run
	cargo bench --locked --bench samples
	cargo bench --locked --bench sources
	cargo bench --locked --bench trend

setup:
	@scripts/setup

clean:
	cargo clean
