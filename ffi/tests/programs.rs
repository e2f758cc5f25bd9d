//! The C programs under `tests/c` and the examples: built, run, and, where valgrind is installed, run under it.

mod toolchain;

use std::process::Command;

use toolchain::{crate_path, has, program, run};

/// Builds one source and runs it; what it printed.
fn runs(name: &str, source: &str) -> Option<String> {
    Some(run(&mut Command::new(program(name, &[crate_path(source)])?)))
}

#[test]
fn bytes_go_in_and_out() {
    runs("values", "tests/c/values.c");
}

#[test]
fn who_holds_a_write_is_told() {
    runs("cluster", "tests/c/cluster.c");
}

#[test]
fn destructors_run_once_and_callbacks_end_when_they_should() {
    runs("lifecycle", "tests/c/lifecycle.c");
}

#[test]
fn watches_fit_into_event_loops() {
    runs("watch", "tests/c/watch.c");
}

#[test]
fn a_forked_child_fails_fast_and_can_start_anew() {
    runs("fork", "tests/c/fork.c");
}

#[test]
fn opening_and_closing_again_leaves_nothing() {
    if let Some(told) = runs("again", "tests/c/again.c") {
        print!("{told}");
    }
}

#[test]
fn the_cpp_face_closes_throws_and_calls_back() {
    runs("face", "tests/c/face.cpp");
}

#[test]
fn the_examples_run() {
    for source in ["examples/quickstart.c", "examples/quickstart.cpp"] {
        if let Some(told) = runs(&source.replace(['/', '.'], "_"), source) {
            assert!(told.contains("dark_mode is on\n"), "{told}");
        }
    }
}

#[test]
fn valgrind_finds_nothing() {
    if !has("valgrind") {
        return;
    }
    for name in ["values", "cluster", "lifecycle", "watch"] {
        let Some(program) = program(&format!("valgrind_{name}"), &[crate_path(&format!("tests/c/{name}.c"))]) else { return };
        run(Command::new("valgrind").args(toolchain::VALGRIND).arg(program));
    }
}
