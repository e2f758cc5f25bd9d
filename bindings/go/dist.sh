#!/bin/sh
# Packs the Go package: dist.sh [DIRECTORY] leaves p2pmap-go-<version>-<system>-<machine>.tar.gz there (default: dist).
#
# The archive is the Go module with the header and the static library inside: it needs a C compiler, and nothing installed.
# Build first: cargo build --release -p p2pmap-ffi.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${1:-$root/dist}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
system=$(go env GOOS)
machine=$(go env GOARCH)
name=p2pmap-go-$version

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
module=$place/$name
installed=$place/installed
library=$module/lib/${system}_$machine/libp2pmap.a
DESTDIR='' "$root/ffi/install.sh" "$installed" > /dev/null
install -d "$module/include" "$(dirname "$library")" "$out"
install -m 644 "$here"/*.go "$here"/glue.* "$here/go.mod" "$here/README.md" "$module"
rm "$module"/*_test.go
cp -R "$here/examples" "$module"
install -m 644 "$root/include/p2pmap.h" "$module/include"
for file in "$root"/LICENSE* "$root/CHANGELOG.md"; do
    if [ -f "$file" ]; then install -m 644 "$file" "$module"; fi
done

# In the archive the library inside is what is linked, unless -tags p2pmap_installed asks for an installed one.
sed -i.was 's|^//go:build .*|//go:build !p2pmap_installed \&\& !p2pmap_flags|' "$module/link_static.go"
sed -i.was 's|^//go:build .*|//go:build p2pmap_installed|' "$module/link_installed.go"
rm "$module"/*.was

install -m 644 "$installed/lib/libp2pmap.a" "$library"

archive=$out/$name-$system-$machine.tar.gz
tar -C "$place" --owner=0 --group=0 --sort=name -czf "$archive" "$name"
echo "$archive"
