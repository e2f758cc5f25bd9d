//! The conformance scripts, played by the C runner, by it under valgrind, and by the C++ runner.

mod toolchain;

use std::path::PathBuf;
use std::process::Command;

use toolchain::{VALGRIND, crate_path, has, program, run};

fn scripts() -> Vec<PathBuf> {
    let listed = std::fs::read_dir(crate_path("../tests/conformance")).unwrap();
    let mut scripts: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|ext| ext == "txt")).collect();
    scripts.sort();
    assert!(scripts.len() >= 40, "{} scripts", scripts.len());
    scripts
}

fn runner(name: &str, sources: &[&str]) -> Option<PathBuf> {
    let sources: Vec<PathBuf> = sources.iter().map(|file| crate_path("tests/conformance").join(file)).collect();
    program(name, &sources)
}

fn play(command: &mut Command) {
    let told = run(command.args(scripts()));
    println!("{}", told.lines().last().unwrap_or_default());
}

const C_SOURCES: &[&str] = &["main.c", "player.c", "token.c", "nodes.c", "maps.c", "events.c"];

#[test]
fn every_script_passes_in_c() {
    if let Some(runner) = runner("conformance_c", C_SOURCES) {
        play(&mut Command::new(runner));
    }
}

#[test]
fn every_script_passes_in_cpp() {
    if let Some(runner) = runner("conformance_cpp", &["main.cpp", "player.cpp"]) {
        play(&mut Command::new(runner));
    }
}

#[test]
fn valgrind_finds_nothing_in_the_c_run() {
    if !has("valgrind") {
        return;
    }
    if let Some(runner) = runner("conformance_valgrind", C_SOURCES) {
        play(Command::new("valgrind").args(VALGRIND).arg(runner));
    }
}
