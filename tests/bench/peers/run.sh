#!/usr/bin/env bash
# Installs what p2pmap is compared with, as far as it can be, builds, and measures. QUICK=1, PEER=redis,etcd and JSON=1 as in
# src/main.rs. What the servers write is in a directory that goes when this ends.
set -euo pipefail
cd "$(dirname "$0")/../../.."

tests/toolchain.sh peers
features=()
tests/toolchain.sh protoc || features=(--no-default-features)
# With the target directory of the rest, which holds some of it already.
cargo build --release --locked --manifest-path tests/bench/peers/Cargo.toml --target-dir target "${features[@]}"

data=$(mktemp -d "$PWD/target/peers.XXXXXX")
trap 'rm -rf "$data"' EXIT
write=(--write docs/benchmarks-peers.md)
# A part of the table does not take the place of all of it.
[ -z "${PEER-}" ] || write=()
TMPDIR=$data target/release/p2pmap-bench-peers "${write[@]}"
