# The steps of .ci/run one at a time. `just` lists them.

default:
    @just --list --unsorted

# Everything that has to hold before a change is merged
ci:
    bash .ci/run

# The invariants of DESIGN.md
tidy *options:
    cargo xtask tidy {{options}}

# What README tells a newcomer to run
test *options:
    cargo test --workspace {{options}}

# Formatting, and clippy on everything and on the feature combinations that matter
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features -- -D warnings
    cargo clippy --package instructor-rs --no-default-features -- -D warnings
    cargo clippy --package instructor-rs --no-default-features --features derive,testing -- -D warnings
    cargo clippy --package instructor-rs --features blocking -- -D warnings

# The documentation, without a broken link
docs *options:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features {{options}}

# The benchmarks
bench *options:
    cargo run --release --package bench -- {{options}}

# The first example of README; it needs no key and no network
quickstart:
    cargo run --package instructor-rs --features testing --example quickstart

# Spans through OpenTelemetry's SDK to a collector on the loopback address; a package outside of the workspace
otlp:
    cargo test --manifest-path examples/otlp/Cargo.toml

# The public API as it is now, where it was meant to change
api *options:
    cargo xtask api {{options}}

# Before a release: licences, each feature by itself, the oldest compiler, WebAssembly, the API since the last one
harden *steps:
    bash .ci/harden {{steps}}

# Licences, advisories, bans and sources of all dependencies; needs cargo-deny
deny:
    cargo deny check
