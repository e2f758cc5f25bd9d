//! The header: a prelude, then one section for each public module of the crate, in the order of `lib.rs`.
//!
//! cbindgen puts all types before all functions. Run once for each file, it gives what that file declares, so that each noun's
//! type stands with its functions; the file's `//!` text becomes the section's introduction.

use std::fmt::Write;
use std::fs::read_to_string;
use std::path::PathBuf;

use p2pmap::{Config, OptionInfo};

const WIDTH: usize = 120;

/// Where the header is committed.
pub fn path() -> PathBuf {
    crate_path("../include/p2pmap.h")
}

/// The header as the sources have it.
pub fn header() -> String {
    let prelude = read("header/prelude.txt").replace("@EXAMPLE@", &indent(&read("examples/quickstart.c")));
    let mut header = format!("{}\n//\n// Made by `make header`; do not edit.\n\n", comment(prelude.trim_end()));
    header.push_str("#ifndef P2PMAP_H\n#define P2PMAP_H\n\n#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n\n");
    header.push_str("#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    for module in modules() {
        header.push_str(&section(&module));
    }
    header.push_str("\n#ifdef __cplusplus\n}\n#endif\n\n#endif  // P2PMAP_H\n");
    header
}

/// The public modules, in their order.
fn modules() -> Vec<String> {
    let lib = read("src/lib.rs");
    lib.lines().filter_map(|line| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned())).collect()
}

fn section(module: &str) -> String {
    let file = format!("src/{module}.rs");
    let source = read(&file);
    let intro: Vec<&str> =
        source.lines().map_while(|line| line.strip_prefix("//!")).map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    let intro = intro.join("\n").replace("@OPTIONS@", std::panic::catch_unwind(options).unwrap_or_default().trim_end());
    let rule = "-".repeat(WIDTH - 3);
    format!("\n// {rule}\n{}\n// {rule}\n\n{}", comment(&intro), declarations(&file, &source))
}

fn declarations(file: &str, source: &str) -> String {
    let mut config = cbindgen::Config {
        language: cbindgen::Language::C,
        style: cbindgen::Style::Type,
        documentation_style: cbindgen::DocumentationStyle::Cxx,
        usize_is_size_t: true,
        no_includes: true,
        line_length: WIDTH,
        ..cbindgen::Config::default()
    };
    // Types that only another section's functions use are left out unless they are named.
    config.export.include = declared_types(source);
    config.export.rename.insert("Flag".to_owned(), "bool".to_owned());
    let parsed = cbindgen::Builder::new().with_config(config).with_src(crate_path(file)).generate();
    let mut text = Vec::new();
    parsed.unwrap_or_else(|error| panic!("{file}: {error}")).write(&mut text);
    tidy(&String::from_utf8(text).expect("cbindgen writes UTF-8"))
}

fn declared_types(source: &str) -> Vec<String> {
    let declared = |line: &str| {
        let rest = line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub type "))?;
        Some(rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()?.to_owned())
    };
    source.lines().filter_map(declared).collect()
}

/// Negative constants stand in parentheses.
fn tidy(text: &str) -> String {
    let mut tidy = String::new();
    for line in text.trim().lines() {
        let negative = line.strip_prefix("#define ").and_then(|rest| rest.split_once(" -"));
        match negative {
            Some((name, number)) => writeln!(tidy, "#define {name} (-{number})"),
            None => writeln!(tidy, "{line}"),
        }
        .expect("a String takes all text");
    }
    tidy
}

/// The table of options, as the core has it.
fn options() -> String {
    let mut table = String::new();
    for (title, of_map) in [("Of nodes:", false), ("Of maps, and of nodes as the default for their maps:", true)] {
        writeln!(table, "{title}").expect("a String takes all text");
        for row in Config::options().iter().filter(|row| row.of_map == of_map) {
            table.push_str(&option(row));
        }
        table.push('\n');
    }
    table
}

fn option(row: &OptionInfo) -> String {
    const COLUMN: usize = 24;
    let default = if row.default.is_empty() { String::new() } else { format!(" Default: {}.", row.default) };
    let text = format!("{} Allowed: {}{default}", sentence(row.about), period(row.allowed));
    let lines = wrap(&text, WIDTH - 3 - COLUMN);
    let mut rows = String::new();
    for (index, line) in lines.iter().enumerate() {
        let name = if index == 0 { format!("  {}", row.name) } else { String::new() };
        writeln!(rows, "{name:COLUMN$}{line}").expect("a String takes all text");
    }
    rows
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    period(&first.chain(letters).collect::<String>())
}

fn period(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is a first line");
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

fn indent(text: &str) -> String {
    let indented: Vec<String> = text.trim_end().lines().map(|line| format!("    {line}")).collect();
    indented.join("\n")
}

fn comment(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("// {line}").trim_end().to_owned()).collect();
    lines.join("\n")
}

fn read(file: &str) -> String {
    let path = crate_path(file);
    read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn crate_path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file)
}
