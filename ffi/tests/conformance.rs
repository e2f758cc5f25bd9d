//! The conformance scripts, played by the C runner, by it under valgrind, and by the C++ runner.

mod toolchain;

use std::path::{Path, PathBuf};
use std::process::Command;

use toolchain::{VALGRIND, crate_path, has, program};

/// The scripts, named from the project's directory.
fn scripts() -> Vec<PathBuf> {
    let listed = std::fs::read_dir(crate_path("../tests/conformance")).unwrap();
    let name = |entry: std::fs::DirEntry| Path::new("tests/conformance").join(entry.file_name());
    let mut scripts: Vec<PathBuf> = listed.map(|entry| name(entry.unwrap())).collect();
    scripts.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    scripts.sort();
    assert!(scripts.len() >= 40, "{} scripts", scripts.len());
    scripts
}

fn runner(name: &str, sources: &[&str]) -> Option<PathBuf> {
    let sources: Vec<PathBuf> = sources.iter().map(|file| crate_path("tests/conformance").join(file)).collect();
    program(name, &sources)
}

/// Plays every script; shows the total, and of the scripts only those that failed.
fn play(runner: &mut Command) {
    let output = runner.args(scripts()).current_dir(crate_path("..")).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    for line in told.lines().filter(|line| !line.starts_with("ok ")) {
        println!("{line}");
    }
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
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
