//! The languages that take part, and where their process is.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::screen::Screen;

/// Processes in the cluster. Where a language is missing, Rust takes its place.
pub const PROCESSES: usize = 5;

pub struct Language {
    pub name: &'static str,
    /// Of the terminal, 0 to 255.
    pub colour: u8,
    /// What starts its process: a program and its first arguments, below the repository's root.
    command: &'static [&'static str],
}

pub static RUST: Language = Language { name: "Rust", colour: 208, command: &["target/release/examples/services"] };

static OTHERS: [Language; PROCESSES - 1] = [
    Language { name: "C", colour: 75, command: &["build/demo/services-c"] },
    Language {
        name: "Python",
        colour: 220,
        command: &["build/venv-python/bin/python", "bindings/python/examples/services.py"],
    },
    Language { name: "Node.js", colour: 77, command: &["node", "bindings/node/examples/services.mjs"] },
    Language { name: "Go", colour: 80, command: &["build/demo/services-go"] },
];

impl Language {
    /// The command that starts its process, without that process's own arguments.
    pub fn command(&self) -> Command {
        let [program, args @ ..] = self.command else { return Command::new(self.name) };
        let mut command = if program.contains('/') { Command::new(root().join(program)) } else { Command::new(program) };
        command.args(args.iter().map(|arg| root().join(arg)));
        command
    }
}

/// Rust and the others that are named (`Node.js` by `node`), five in all. Says which are missing.
pub fn present(named: &[String], screen: Screen) -> Vec<&'static Language> {
    let mut present = vec![&RUST];
    for language in &OTHERS {
        let is_named = |word: &String| language.name.to_lowercase().starts_with(word.as_str());
        if named.iter().any(is_named) {
            present.push(language);
        } else {
            screen.warn(&format!("without {}: Rust takes its place", language.name));
            present.push(&RUST);
        }
    }
    present
}

/// The repository's root.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}
