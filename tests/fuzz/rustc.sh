#!/bin/sh
# The compiler for the members of the workspace when they are fuzzed: the fuzzer sees each branch that is taken and each
# comparison, and overflows and broken debug assertions are found too. Dependencies and build scripts are compiled as ever.
case " $* " in
    *" --crate-name build_script_"* | *" -vV "*) exec "$@" ;;
esac
exec "$@" --cfg fuzzing -Adead_code -Cdebug-assertions -Coverflow-checks -Ccodegen-units=1 -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
