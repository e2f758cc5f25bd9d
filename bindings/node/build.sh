#!/bin/sh
# Installs the pinned development tools, builds the native module beside package.json, and packs everything into one npm tarball
# in dist/. Usage: build.sh [destination folder]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
dist=${1:-$root/dist}
cd "$here"

# The tools are for `npm run lint` and `npm test`; the tarball holds none of them.
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --ignore-scripts --no-fund --no-audit
fi

cargo build --release --package p2pmap-node --manifest-path "$root/Cargo.toml"

# Symbols would double the download. Removed beside the old file and moved over it, which a running process may have mapped.
name=$(node -p "require('./lib/platform.cjs').platform()")
built=${CARGO_TARGET_DIR:-$root/target}/release/libp2pmap_node
[ -f "$built.so" ] && built=$built.so || built=$built.dylib
cp "$built" "p2pmap.$name.node.new"
strip -S -x "p2pmap.$name.node.new" 2>/dev/null || true
mv "p2pmap.$name.node.new" "p2pmap.$name.node"

mkdir -p "$dist"
npm pack --ignore-scripts --loglevel error --pack-destination "$dist"
