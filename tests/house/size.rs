//! How long things may get.

use crate::scanner::item_end;
use crate::source::{Breach, Source};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;
/// Languages whose files are counted; prose and data are not.
const COUNTED: [&str; 14] = ["rs", "py", "pyi", "js", "cjs", "mjs", "ts", "mts", "go", "c", "cc", "cpp", "hpp", "sh"];
/// Files that a program writes.
const GENERATED: [&str; 2] = ["bindings/node/native.d.ts", "bindings/node/native.js"];

pub fn files(source: &Source) -> Vec<Breach> {
    let extension = source.path.rsplit('.').next().unwrap_or_default();
    let lines = source.text.lines().count();
    let counted = COUNTED.contains(&extension) && !GENERATED.contains(&source.path.as_str());
    match counted && lines > FILE_LINES {
        true => vec![source.breach(lines, format!("{lines} lines in a file, of {FILE_LINES}"))],
        false => Vec::new(),
    }
}

pub fn functions(source: &Source) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (start, line) in source.lines.iter().enumerate() {
        let Some(at) = function_starts(&line.code) else {
            continue;
        };
        let indent = line.code.len() - line.code.trim_start().len();
        let lines = item_end(&source.lines, start, at.saturating_sub(indent)) - start + 1;
        if lines > FUNCTION_LINES {
            breaches.push(source.breach(start, format!("{lines} lines in a function, of {FUNCTION_LINES}")));
        }
    }
    breaches
}

/// Where in a line a function's definition starts.
fn function_starts(code: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = code[from..].find("fn ").map(|at| from + at) {
        let whole = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if whole && code[at + 3..].starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Some(at);
        }
        from = at + 3;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        format!(
            "impl A {{\n    pub fn f(a: [u8; 2]) -> B\n    where\n        A: B,\n    {{\n{}    }}\n}}\n",
            "        a; // {\n".repeat(lines - 5)
        )
    }

    #[test]
    fn a_planted_long_function_is_found() {
        let long = Source::new("core/src/a.rs", &function(71));
        let found: Vec<String> = functions(&long).iter().map(Breach::to_string).collect();
        assert_eq!(found, ["core/src/a.rs:2: 71 lines in a function, of 70"]);
        assert!(functions(&Source::new("core/src/a.rs", &function(70))).is_empty());
    }

    #[test]
    fn a_function_without_a_body_ends_at_its_semicolon() {
        let text = format!("trait A {{\n    fn f(&self);\n{}}}", "    const B: u8 = 1;\n".repeat(80));
        assert!(functions(&Source::new("core/src/a.rs", &text)).is_empty());
    }

    #[test]
    fn a_planted_long_file_is_found() {
        assert_eq!(files(&Source::new("core/src/a.rs", &"\n".repeat(401))).len(), 1);
        assert_eq!(files(&Source::new("bindings/python/a.py", &"\n".repeat(401))).len(), 1);
        assert!(files(&Source::new("core/src/a.rs", &"\n".repeat(400))).is_empty());
        assert!(files(&Source::new("docs/a.md", &"\n".repeat(500))).is_empty());
    }
}
