#!/bin/sh
# Says whether this machine has what a part needs: toolchain.sh [-q] PART, for one of rust c python node go fuzzer peers protoc.
#
# What is missing is named with how to get it. Debian's small packages are installed where the user is root; whole toolchains
# never are. With -q it says and installs nothing.
set -eu

quiet=
if [ "${1-}" = -q ]; then quiet=yes; shift; fi

missing() {
    [ -n "$quiet" ] || echo "--- left out: $part. It needs $1." >&2
    exit 1
}

has() { command -v "$1" > /dev/null 2>&1; }

# at_least HAVE WANTED: compares versions such as 1.24.3.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# Whether a program is there, if need be by installing this package of Debian's.
has_or_install() {
    has "$1" && return
    [ -z "$quiet" ] && [ "$(id -u)" = 0 ] && has apt-get || return
    echo "--- installing $2, for $1" >&2
    [ -n "$(find /var/lib/apt/lists -name '*Packages*' -print -quit 2> /dev/null)" ] || apt-get update -qq >&2 || return
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" > /dev/null 2>&1 || return
    has "$1"
}

needs_rust() {
    has cargo || missing "Rust 1.88 or later: https://rustup.rs"
    at_least "$(rustc --version | cut -d' ' -f2)" 1.88 || missing "Rust 1.88 or later (rustup update); here: $(rustc --version)"
    has_or_install cc gcc || missing "a C compiler, to link with (apt-get install gcc)"
}

needs_c() {
    has_or_install cc gcc || missing "a C compiler (apt-get install gcc)"
    has_or_install pkg-config pkg-config || missing "pkg-config (apt-get install pkg-config)"
}

needs_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        has "$candidate" && "$candidate" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2> /dev/null && return
    done
    missing "Python 3.11 or later with venv (apt-get install python3 python3-venv, or set PYTHON)"
}

needs_node() {
    wanted="Node.js 20 or later with npm: https://nodejs.org"
    has node && has npm || missing "$wanted"
    at_least "$(node --version | tr -d v)" 20 || missing "$wanted; here: $(node --version)"
}

needs_go() {
    has_or_install cc gcc || missing "a C compiler (apt-get install gcc)"
    wanted="Go 1.24 or later: https://go.dev/dl"
    has go || missing "$wanted"
    at_least "$(go env GOVERSION | sed 's/^go//')" 1.24 || missing "$wanted; here: $(go env GOVERSION)"
}

# What p2pmap is compared with. A server that is missing is left out of the comparison.
needs_peers() {
    needs_rust
    at_least "$(rustc --version | cut -d' ' -f2)" 1.91 || missing "Rust 1.91 or later, for iroh (rustup update)"
    for tool in redis-server:redis-server etcd:etcd-server nats-server:nats-server; do
        has_or_install "${tool%%:*}" "${tool#*:}" || echo "--- not compared with: no ${tool%%:*} (apt-get install ${tool#*:})" >&2
    done
}

# libFuzzer is compiled.
needs_fuzzer() {
    needs_rust
    has_or_install g++ g++ || missing "a C++ compiler (apt-get install g++)"
}

# The client of etcd is generated, from files that import protobuf's own.
needs_protoc() {
    wanted="protoc with its files (apt-get install protobuf-compiler libprotobuf-dev)"
    has_or_install protoc protobuf-compiler || missing "$wanted"
    own=/usr/include/google/protobuf/descriptor.proto
    [ -e "$own" ] || has_or_install "$own" libprotobuf-dev || [ -e "$own" ] || missing "$wanted"
}

part=${1-}
case $part in
    rust | c | python | node | go | fuzzer | peers | protoc) "needs_$part" ;;
    # What some tests use beside that. Without them those tests say that they were skipped.
    test-tools)
        for tool in g++:g++ valgrind:valgrind ip:iproute2 cmake:cmake; do
            has_or_install "${tool%%:*}" "${tool#*:}" || echo "--- some tests are left out: no ${tool%%:*} (apt-get install ${tool#*:})" >&2
        done
        ;;
    *)
        echo "usage: $0 [-q] rust|c|python|node|go|fuzzer|peers|protoc|test-tools" >&2
        exit 2
        ;;
esac
