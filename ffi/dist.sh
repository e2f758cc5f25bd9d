#!/bin/sh
# Packs the C and C++ library: dist.sh [DIRECTORY] leaves p2pmap-<version>-<system>-<machine>.tar.gz there (default: dist).
#
# The archive holds one directory that works wherever it is unpacked: lib, include, examples, licences. Build first, as for install.sh.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$here/..
out=${1:-$root/dist}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
name=p2pmap-$version-$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
DESTDIR='' "$here/install.sh" "$place/$name" > /dev/null
install -d "$place/$name/examples" "$out"
install -m 644 "$here/examples/"*.c "$here/examples/"*.cpp "$place/$name/examples"
for file in "$root"/LICENSE* "$root/CHANGELOG.md"; do
    if [ -f "$file" ]; then install -m 644 "$file" "$place/$name"; fi
done
tar -C "$place" --owner=0 --group=0 --sort=name -czf "$out/$name.tar.gz" "$name"
echo "$out/$name.tar.gz"
