//! The Rust runner of the conformance scripts; `tests/conformance/README.md` is the format it follows.
//!
//! It is the reference: it also refuses scripts that break the bounds which the other languages' runners rely on.

mod events;
mod maps;
mod nodes;
mod player;
mod script;
mod token;

use std::path::{Path, PathBuf};

use player::Player;
use script::Script;

/// What became of one script.
pub enum Verdict {
    Passed {
        steps: usize,
    },
    Skipped {
        why: String,
    },
    /// `steps` passed before `line` did not.
    Failed {
        steps: usize,
        line: usize,
        why: String,
    },
}

/// Plays one script from a clean state, and closes what it left open.
pub fn play(path: &Path) -> Verdict {
    let script = match Script::read(path) {
        Ok(script) => script,
        Err(refused) => {
            return Verdict::Failed { steps: 0, line: refused.line, why: refused.why };
        }
    };
    let mut player = Player::default();
    for (passed, step) in script.steps.iter().enumerate() {
        match player.step(step) {
            Ok(()) => {}
            Err(player::Stop::Skip(why)) => return Verdict::Skipped { why },
            Err(player::Stop::Fail(why)) => {
                return Verdict::Failed { steps: passed, line: step.line, why };
            }
        }
    }
    Verdict::Passed { steps: script.steps.len() }
}

/// Plays scripts in the order given, prints a line for each and the total; whether none failed.
pub fn run(paths: &[PathBuf]) -> bool {
    let (mut played, mut passed, mut failed) = (0, 0, 0);
    for path in paths {
        let name = path.display();
        match play(path) {
            Verdict::Passed { steps } => {
                println!("ok {name}");
                played += 1;
                passed += steps;
            }
            Verdict::Skipped { why } => println!("skip {name}: {why}"),
            Verdict::Failed { steps, line, why } => {
                println!("FAIL {name}:{line} {why}");
                played += 1;
                passed += steps;
                failed += 1;
            }
        }
    }
    match failed {
        0 => println!("conformance: {played} scripts, {passed} steps passed"),
        _ => println!("conformance: {played} scripts, {passed} steps passed, {failed} failed"),
    }
    failed == 0
}

/// Every script of a directory, by name.
pub fn scripts(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
