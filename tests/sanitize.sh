#!/usr/bin/env bash
# Runs the core's tests and the sequences of calls of the C interface with a sanitizer in all that is compiled of Rust:
# sanitize.sh address|thread. It ends where the sanitizer finds something.
#
# The compiler's switches for it are unstable: RUSTC_BOOTSTRAP lets a stable compiler have them. The standard library stays as it is
# shipped; tests/sanitize-thread.txt names what ThreadSanitizer cannot know of it.
set -euo pipefail
cd "$(dirname "$0")/.."
sanitizer=${1-}
case $sanitizer in
    address) flags=() ;;
    thread) flags=(-Cunsafe-allow-abi-mismatch=sanitizer) ;;
    *) echo "usage: $0 address|thread" >&2; exit 2 ;;
esac
tests/toolchain.sh rust
target=$(rustc -vV | sed -n 's/^host: //p')
export RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=$sanitizer ${flags[*]}"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/$sanitizer
export TSAN_OPTIONS="suppressions=$PWD/tests/sanitize-thread.txt halt_on_error=1"
# Left out: what measures memory, which a sanitizer multiplies.
cargo test --release --locked --target "$target" -p p2pmap -p p2pmap-fuzz --lib --tests -- --skip hostile::mix --skip hostile::crowd
