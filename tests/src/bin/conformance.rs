//! Plays the conformance scripts named on the command line.

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if paths.is_empty() {
        eprintln!("usage: conformance SCRIPT...");
        return ExitCode::from(2);
    }
    match p2pmap_tests::conformance::run(&paths) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
