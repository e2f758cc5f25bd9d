#!/usr/bin/env bash
# Builds, tests and packs the Python package. Everything it needs goes into build/venv-python; the wheel goes into dist/.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
venv=$root/build/venv-python
dist=$root/dist

usage() {
    cat <<'EOF'
usage: build.sh COMMAND...
  setup    makes the virtual environment build/venv-python with the tools of requirements-dev.txt
  wheel    builds the wheel in release mode, into dist/
  install  installs that wheel into the virtual environment
  test     runs the tests against the installed wheel (more arguments go to pytest)
  lint     ruff, mypy --strict, and stubtest: the stubs against the module
EOF
}

# The first Python that is new enough: $PYTHON if set, else what the machine has.
python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "build.sh: needs Python 3.11 or later (on Debian: apt-get install python3 python3-venv)" >&2
    return 1
}

setup() {
    local stamp=$venv/requirements.txt
    cmp -s "$here/requirements-dev.txt" "$stamp" && return
    echo "python: making $venv"
    "$(python)" -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-dev.txt"
    cp "$here/requirements-dev.txt" "$stamp"
}

wheel() {
    setup
    # The workspace's own release profile and target directory: libp2p is compiled once for all.
    "$venv/bin/maturin" build --release --manifest-path "$here/Cargo.toml" --interpreter "$venv/bin/python" --out "$dist"
}

install() {
    [ -n "$(find_wheel)" ] || wheel
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall "$(find_wheel)"
}

find_wheel() {
    find "$dist" -maxdepth 1 -name 'p2pmap-*.whl' -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -1 | cut -d' ' -f2-
}

run_tests() {
    (cd "$here" && "$venv/bin/python" -X dev -m pytest "$@")
}

lint() {
    (
        cd "$here"
        for sources in . "$root/tests/bench/languages/python"; do
            "$venv/bin/ruff" check --config pyproject.toml "$sources"
            "$venv/bin/ruff" format --config pyproject.toml --check "$sources"
        done
        "$venv/bin/mypy"
        "$venv/bin/python" -m mypy.stubtest p2pmap --mypy-config-file pyproject.toml
    )
}

[ $# -gt 0 ] || { usage >&2; exit 2; }
while [ $# -gt 0 ]; do
    command=$1
    shift
    case $command in
        setup | wheel | install | lint) "$command" ;;
        test)
            install
            run_tests "$@"
            exit
            ;;
        *)
            usage >&2
            exit 2
            ;;
    esac
done
