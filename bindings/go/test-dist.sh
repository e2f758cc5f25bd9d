#!/bin/sh
# Tries the packed Go package as a user would: test-dist.sh [DIRECTORY] (default: dist), after dist.sh.
#
# In an empty directory, without a network and without an installed library: a module of its own that is the quickstart
# example, built and run.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
archive=$(find "${1:-$root/dist}" -name "p2pmap-go-*-$(go env GOOS)-$(go env GOARCH).tar.gz" | sort | tail -n 1)
if [ -z "$archive" ]; then
    echo "$0: no archive; run $here/dist.sh" >&2
    exit 1
fi

place=$(mktemp -d)
quickstart=
trap 'if [ -n "$quickstart" ]; then kill "$quickstart" 2> /dev/null || true; fi; rm -rf "$place"' EXIT
export GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local PKG_CONFIG=false
unset CGO_CFLAGS CGO_LDFLAGS LD_LIBRARY_PATH PKG_CONFIG_PATH 2> /dev/null || true

cd "$place"
tar -xzf "$archive"
module=$(echo p2pmap-go-*)
mkdir app
cd app
go mod init example.org/app 2> /dev/null
go mod edit -require "github.com/p2pmap/p2pmap/bindings/go@v${module#p2pmap-go-}" \
    -replace "github.com/p2pmap/p2pmap/bindings/go=../$module"
cp "../$module/examples/quickstart/main.go" .
go vet .
go build -o quickstart .

./quickstart > told &
quickstart=$!
tries=0
until grep -qs '^synced' told; do
    tries=$((tries + 1))
    if [ "$tries" -gt 200 ] || ! kill -0 "$quickstart" 2> /dev/null; then
        echo "$0: the quickstart did not get there; it printed:" >&2
        cat told >&2
        exit 1
    fi
    sleep 0.05
done
grep -q '^put .* hello from Go$' told
kill -INT "$quickstart"
wait "$quickstart"
quickstart=
echo "ok: $(basename "$archive") builds and runs from an empty directory"
