#!/usr/bin/env bash
# Runs the test suites and prints the totals: suites.sh [SUITE]..., of rust python node go; all of them without arguments.
#
# A suite that fails does not stop the others. A language whose tools are missing is named and left out. What each suite said
# is kept in build/test. The status is 0 when every suite passed.
set -uo pipefail
cd "$(dirname "$0")/.."
logs=build/test
mkdir -p "$logs"
summary=()
total_passed=0 total_failed=0 total_skipped=0

# Counts what a runner said at its end: cargo test, pytest, node --test, go test -v, and the conformance runners.
count() {
    awk '
        { gsub(/\033\[[0-9;]*m/, "") }
        /^test result: / { passed += $4; failed += $6; skipped += $8 }
        /^=+ .* in [0-9.]+s.* =+$/ {
            for (i = 2; i <= NF; i++) {
                if ($i ~ /^passed/) passed += $(i - 1)
                if ($i ~ /^(failed|errors?)/) failed += $(i - 1)
                if ($i ~ /^skipped/) skipped += $(i - 1)
            }
        }
        /^(#|ℹ) (pass|fail|cancelled|skipped) [0-9]+$/ {
            if ($2 == "pass") passed += $3; else if ($2 == "skipped") skipped += $3; else failed += $3
        }
        /^ *--- PASS: / { passed++ }
        /^ *--- FAIL: / { failed++ }
        /^ *--- SKIP: / { skipped++ }
        # A script of one test, and a runner of conformance scripts that no other runner counts.
        /^ok: / { passed++ }
        /^ok tests\/conformance\// { passed++ }
        /^FAIL tests\/conformance\// { failed++ }
        /^skip tests\/conformance\// { skipped++ }
        END { print passed + 0, failed + 0, skipped + 0 }
    ' "$1"
}

# suite NAME COMMAND...: runs it, says and keeps what it says, and counts.
suite() {
    local name=$1 log="$logs/$1.log" start=$SECONDS passed failed skipped
    shift
    printf '\n=== %s: %s\n' "$name" "$*"
    "$@" 2>&1 | tee "$log"
    local status=${PIPESTATUS[0]}
    read -r passed failed skipped < <(count "$log")
    # A suite that ended badly, or ran nothing, has failed even if no test says so.
    if { [ "$status" != 0 ] && [ "$failed" = 0 ]; } || [ $((passed + failed)) = 0 ]; then failed=$((failed + 1)); fi
    total_passed=$((total_passed + passed)) total_failed=$((total_failed + failed)) total_skipped=$((total_skipped + skipped))
    summary+=("$(printf '%-12s %6d passed %4d failed %4d skipped %5d s' "$name" "$passed" "$failed" "$skipped" $((SECONDS - start)))")
}

# prepare NAME COMMAND...: what a suite needs to be built. It counts as a failed test when it fails.
prepare() {
    local name=$1
    shift
    printf '\n=== %s: %s\n' "$name" "$*"
    "$@" && return
    total_failed=$((total_failed + 1))
    summary+=("$(printf '%-12s could not be built' "$name")")
    return 1
}

has() {
    tests/toolchain.sh "$1" && return
    summary+=("$(printf '%-12s left out: its tools are missing, see above' "$1")")
    return 1
}

test_rust() {
    tests/toolchain.sh test-tools
    # The Python and Node.js members are tested as the packages they become.
    suite rust cargo test --release --locked -p p2pmap -p p2pmap-ffi -p p2pmap-tests -p p2pmap-counts -p p2pmap-fuzz --no-fail-fast
}

test_python() {
    has python && prepare python bindings/python/build.sh wheel && suite python bindings/python/build.sh test
}

test_node() {
    has node && prepare node bindings/node/build.sh || return
    suite node npm --prefix bindings/node test
    suite node-scripts node bindings/node/test/conformance.mjs tests/conformance/*.txt
}

test_go() {
    has go && prepare go cargo build --release --locked -p p2pmap-ffi || return
    suite go bindings/go/test.sh -race -count=1 -v ./...
    prepare go-package bindings/go/dist.sh && suite go-package bindings/go/test-dist.sh
}

main() {
    tests/toolchain.sh rust || exit 1
    for chosen in "${@:-rust python node go}"; do
        for name in $chosen; do
            case $name in
                rust | python | node | go) "test_$name" ;;
                *) echo "suites.sh: no suite $name" >&2; exit 2 ;;
            esac
        done
    done

    printf '\n=== totals\n'
    printf '%s\n' "${summary[@]}"
    printf '\n%d passed, %d failed, %d skipped\n' "$total_passed" "$total_failed" "$total_skipped"
    [ "$total_failed" = 0 ]
}

main "$@"
exit
