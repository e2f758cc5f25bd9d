#!/bin/sh
# Tests the Go package against the library as it was last built: test.sh [ARGUMENT OF go test]...
#
# Without arguments: gofmt, go vet, then go test -race ./... Build first: cargo build --release -p p2pmap-ffi.
# `eval "$(./test.sh env)"` prepares a shell for go build, go run and go test of your own.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
built=${CARGO_TARGET_DIR:-$root/target}/release
prefix=$root/build/go

# The library as users install it, renewed when it was built again.
if [ ! "$prefix/lib/libp2pmap.so" -nt "$built/libp2pmap_c.so" ] || [ "$root/include/p2pmap.h" -nt "$prefix/include/p2pmap.h" ]; then
    "$root/ffi/install.sh" "$prefix" >&2
fi

# By flags rather than pkg-config: nothing but Go and a C compiler is needed here.
GOFLAGS="${GOFLAGS:+$GOFLAGS }-tags=p2pmap_flags"
CGO_CFLAGS="${CGO_CFLAGS:--O2 -g} -I$prefix/include"
CGO_LDFLAGS="${CGO_LDFLAGS:--O2 -g} -L$prefix/lib -lp2pmap -Wl,-rpath,$prefix/lib"
export GOFLAGS CGO_CFLAGS CGO_LDFLAGS

case ${1-} in
    env)
        echo "export GOFLAGS='$GOFLAGS' CGO_CFLAGS='$CGO_CFLAGS' CGO_LDFLAGS='$CGO_LDFLAGS'"
        ;;
    '')
        cd "$here"
        unformatted=$(gofmt -l .)
        if [ -n "$unformatted" ]; then
            echo "not as gofmt has it: $unformatted" >&2
            exit 1
        fi
        go vet ./...
        go test -race ./...
        ;;
    *)
        cd "$here"
        go test "$@"
        ;;
esac
