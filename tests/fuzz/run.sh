#!/usr/bin/env bash
# Looks for inputs that break something: run.sh [TARGET]..., each for FUZZ_SECONDS (20); every target without arguments.
#
# It starts from tests/fuzz/corpora, which every test run repeats, and keeps what it finds in build/fuzz: inputs that reach
# something new in build/fuzz/TARGET, and what breaks it beside, as TARGET-crash-*. The status is 0 when nothing broke.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${FUZZ_SECONDS:-20}
tests/toolchain.sh fuzzer || exit 0
if [ $# = 0 ]; then set -- decode sync greeting recovery options c_abi; fi

# Of its own, as the same crates are compiled otherwise.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
RUSTC_WORKSPACE_WRAPPER=$PWD/tests/fuzz/rustc.sh \
    cargo build --release --locked --quiet -p p2pmap-fuzz --features libfuzzer --bin p2pmap-fuzz

failed=()
for target in "$@"; do
    found=build/fuzz/$target
    mkdir -p "$found"
    printf '\n=== fuzz %s: %s s\n' "$target" "$seconds"
    P2PMAP_FUZZ=$target "$CARGO_TARGET_DIR/release/p2pmap-fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -max_len=4096 -use_value_profile=1 -artifact_prefix="$found-" -print_final_stats=1 "$found" "tests/fuzz/corpora/$target" \
        > "$found.log" 2>&1 || failed+=("$target")
    grep -E '^(stat::number_of_executed_units|stat::peak_rss)|cov: .*DONE|panicked|ERROR|Test unit written' "$found.log" || true
done
[ ${#failed[@]} = 0 ] || { printf 'broke: %s, see build/fuzz/*.log\n' "${failed[*]}" >&2; exit 1; }
