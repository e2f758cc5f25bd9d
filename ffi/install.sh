#!/bin/sh
# Installs the C and C++ library: install.sh PREFIX
#
#   lib/         libp2pmap.so with its versioned names, libp2pmap.a, and files for pkg-config and CMake
#   include/     p2pmap.h, p2pmap.hpp
#
# Build first: cargo build --release -p p2pmap-ffi. DESTDIR goes before PREFIX, for packagers. P2PMAP_BUILT names the directory
# of the built libraries where it is not target/release.
set -eu

if [ $# -ne 1 ]; then
    echo "usage: $0 PREFIX" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
prefix=${DESTDIR:-}$1
built=${P2PMAP_BUILT:-${CARGO_TARGET_DIR:-$here/../target}/release}
if [ ! -f "$built/libp2pmap_c.so" ]; then
    echo "$0: no $built/libp2pmap_c.so; run: cargo build --release -p p2pmap-ffi" >&2
    exit 1
fi

of_manifest() { sed -n "s/^$1 = \"\(.*\)\"/\1/p" "$here/../Cargo.toml" | head -n 1; }
version=$(of_manifest version)
url=$(of_manifest repository)
# As build.rs has it: 0.<minor> while the version begins with 0.
case $version in
    0.*) abi=${version%.*} ;;
    *) abi=${version%%.*} ;;
esac
# What a program that links libp2pmap.a needs besides (rustc --print native-static-libs).
system_libraries="-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc"

fill() {
    sed -e "s|@VERSION@|$version|g" -e "s|@ABI@|$abi|g" -e "s|@URL@|$url|g" -e "s|@SYSTEM_LIBRARIES@|$system_libraries|g" \
        "$here/package/$1.in" > "$2/$1"
    chmod 644 "$2/$1"
}

install -d "$prefix/lib/pkgconfig" "$prefix/lib/cmake/p2pmap" "$prefix/include/p2pmap"
install -m 755 "$built/libp2pmap_c.so" "$prefix/lib/libp2pmap.so.$version"
if [ "$(uname -s)" = Linux ]; then
    # The static library as one object in which only p2pmap_* is visible: smaller, and at peace with other libraries that bring a
    # Rust runtime.
    place=$(mktemp -d)
    trap 'rm -rf "$place"' EXIT
    roots=$(nm -D --defined-only "$built/libp2pmap_c.so" | awk '$3 ~ /^p2pmap_/ {print "-u", $3}')
    # shellcheck disable=SC2086 # one argument each
    ld -r --gc-sections $roots -o "$place/whole.o" "$built/libp2pmap_c.a"
    objcopy --wildcard --keep-global-symbol='p2pmap_*' --strip-unneeded -R .llvmbc -R .llvmcmd "$place/whole.o" "$place/p2pmap.o"
    rm -f "$prefix/lib/libp2pmap.a"
    ar rcsD "$prefix/lib/libp2pmap.a" "$place/p2pmap.o"
    strip --strip-unneeded "$prefix/lib/libp2pmap.so.$version"
else
    install -m 644 "$built/libp2pmap_c.a" "$prefix/lib/libp2pmap.a"
fi
ln -sf "libp2pmap.so.$version" "$prefix/lib/libp2pmap.so.$abi"
ln -sf "libp2pmap.so.$abi" "$prefix/lib/libp2pmap.so"
install -m 644 "$here/../include/p2pmap.h" "$here/../include/p2pmap.hpp" "$prefix/include"
install -m 644 "$here/../include/p2pmap/"*.hpp "$prefix/include/p2pmap"
fill p2pmap.pc "$prefix/lib/pkgconfig"
fill p2pmap-config.cmake "$prefix/lib/cmake/p2pmap"
fill p2pmap-config-version.cmake "$prefix/lib/cmake/p2pmap"
echo "installed p2pmap $version in $prefix"
