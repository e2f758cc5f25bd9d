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
    /// Present if, and only if, it was built.
    built: &'static str,
    /// What is missing where it was not.
    needs: &'static str,
}

pub static RUST: Language = Language {
    name: "Rust",
    colour: 208,
    command: &["target/release/examples/services"],
    built: "target/release/examples/services",
    needs: "cargo build --release",
};

static OTHERS: [Language; PROCESSES - 1] = [
    Language {
        name: "C",
        colour: 75,
        command: &["build/demo/services-c"],
        built: "build/demo/services-c",
        needs: "a C compiler (on Debian: apt-get install gcc)",
    },
    Language {
        name: "Python",
        colour: 220,
        command: &["build/venv-python/bin/python", "bindings/python/examples/services.py"],
        built: "build/venv-python/bin/python",
        needs: "Python 3.11 or later (on Debian: apt-get install python3 python3-venv)",
    },
    Language {
        name: "Node.js",
        colour: 77,
        command: &["node", "bindings/node/examples/services.mjs"],
        built: "build/demo/services-node",
        needs: "Node.js 20 or later, with npm (on Debian: apt-get install nodejs npm)",
    },
    Language {
        name: "Go",
        colour: 80,
        command: &["build/demo/services-go"],
        built: "build/demo/services-go",
        needs: "Go 1.23 or later, and a C compiler (on Debian: apt-get install golang gcc)",
    },
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

/// Rust and the others that were built, five in all. Says which are not there, and what would bring them.
pub fn present(screen: Screen) -> Vec<&'static Language> {
    let mut present = vec![&RUST];
    for language in &OTHERS {
        if root().join(language.built).exists() {
            present.push(language);
        } else {
            screen.warn(&format!("without {}: it needs {}; Rust takes its place", language.name, language.needs));
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
