//! The repository's own files, and how a broken rule is reported.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::scanner::{Line, scan};

/// Directories that hold what was built or fetched, not what was written.
const FOREIGN: [&str; 8] = ["target", "node_modules", "dist", "build", "__pycache__", ".git", ".venv", "venv"];
/// What is read: sources and prose.
const READ: [&str; 20] = [
    "rs", "py", "pyi", "js", "cjs", "mjs", "ts", "mts", "go", "c", "h", "cc", "cpp", "hpp", "md", "toml", "sh", "txt", "json",
    "yml",
];

/// One file, by its path from the root of the repository.
pub struct Source {
    pub path: String,
    pub text: String,
    /// For Rust: code and comments apart.
    pub lines: Vec<Line>,
}

/// A place that breaks a rule.
#[derive(Debug)]
pub struct Breach {
    path: String,
    line: usize,
    what: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let lines = if path.ends_with(".rs") { scan(text) } else { Vec::new() };
        let mut source = Self { path: path.into(), text: text.into(), lines };
        if source.is_test_file() {
            source.lines.iter_mut().for_each(|line| line.test = true);
        }
        source
    }

    pub fn read(path: &str) -> Self {
        let text = std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self::new(path, &text)
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it only ever runs in tests.
    pub fn is_test_file(&self) -> bool {
        let mut parts: Vec<&str> = self.path.split('/').collect();
        let name = parts.pop().unwrap_or_default();
        name == "tests.rs" || name.ends_with("_tests.rs") || parts.iter().any(|part| matches!(*part, "tests" | "test"))
    }

    /// A breach at a line, counted from 0.
    pub fn breach(&self, line: usize, what: impl Into<String>) -> Breach {
        Breach { path: self.path.clone(), line: line + 1, what: what.into() }
    }

    /// Code that ships: lines outside tests, with their index.
    pub fn shipped(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines.iter().enumerate().filter(|(_, line)| !line.test).map(|(index, line)| (index, line.code.as_str()))
    }

    /// Whether the statement at a line is explained: by a comment with that word on its own lines or right above it.
    pub fn explained(&self, index: usize, word: &str) -> bool {
        let said = |index: usize| self.lines[index].comment.contains(word);
        let mut at = index;
        while !said(at) {
            if at == 0 {
                return false;
            }
            let above = self.lines[at - 1].code.trim();
            // An attribute or the head of a closure belongs to the statement.
            let goes_on = above.starts_with("#[") || above.ends_with("| {");
            if !goes_on && above.ends_with([';', '{', '}']) {
                return false;
            }
            // A blank line without a comment ends the paragraph.
            if above.is_empty() && self.lines[at - 1].comment.is_empty() {
                return false;
            }
            at -= 1;
        }
        true
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Every source of the repository.
pub fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    walk(&root(), &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(directory: &Path, found: &mut Vec<Source>) {
    let entries = std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if !FOREIGN.contains(&name.as_str()) && !name.ends_with(".egg-info") {
                walk(&path, found);
            }
        } else if is_read(&name) {
            // What is not text is not a source.
            if let (Ok(text), Ok(relative)) = (std::fs::read_to_string(&path), path.strip_prefix(root())) {
                found.push(Source::new(&relative.to_string_lossy(), &text));
            }
        }
    }
}

fn is_read(name: &str) -> bool {
    match name.rsplit_once('.') {
        Some((_, extension)) => READ.contains(&extension),
        None => name == "Makefile" || name == "run",
    }
}

/// The root of the repository: the parent of the tests crate, as `cargo` says when it runs the tests.
fn root() -> PathBuf {
    let tests = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    // Invariant: the tests crate is one directory below the root.
    tests.parent().unwrap().to_path_buf()
}
