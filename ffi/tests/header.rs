//! The header is what the sources say, compiles without a warning in both languages, and documents every function alike.

#[path = "../header/generate.rs"]
mod generate;
mod toolchain;

use std::fs;
use std::process::Command;

use toolchain::{C, CPP, crate_path, directory, has, run};

#[test]
fn the_committed_header_is_the_generated_one() {
    let committed = fs::read_to_string(generate::path()).unwrap();
    assert!(committed == generate::header(), "include/p2pmap.h is not what the sources say: run `make header`");
}

#[test]
fn both_headers_compile_without_a_warning() {
    let place = directory("headers");
    for (compiler, flags, file, text) in [
        ("gcc", C, "alone.c", "#include <p2pmap.h>\nint main(void) { return P2PMAP_OK; }\n"),
        ("g++", CPP, "alone.cpp", "#include <p2pmap.h>\nint main() { return P2PMAP_OK; }\n"),
        ("g++", CPP, "face.cpp", "#include <p2pmap.hpp>\nint main() { return P2PMAP_OK; }\n"),
        ("g++", CPP, "map.cpp", "#include <p2pmap/map.hpp>\nint main() { return P2PMAP_OK; }\n"),
        ("g++", CPP, "node.cpp", "#include <p2pmap/node.hpp>\nint main() { return P2PMAP_OK; }\n"),
    ] {
        if has(compiler) {
            fs::write(place.join(file), text).unwrap();
            let include = crate_path("../include");
            run(Command::new(compiler).args(flags).arg("-fsyntax-only").arg("-I").arg(include).arg(place.join(file)));
        }
    }
}

#[test]
fn every_function_ends_with_the_same_three_lines() {
    let header = fs::read_to_string(generate::path()).unwrap();
    let lines: Vec<&str> = header.lines().collect();
    let mut functions = 0;
    for (index, line) in lines.iter().enumerate() {
        let declares = line.contains(" p2pmap_") || line.contains("*p2pmap_");
        if !declares || !line.contains('(') || line.starts_with([' ', '/', '#', 't']) {
            continue;
        }
        functions += 1;
        let comment: Vec<&str> = lines[..index].iter().rev().take_while(|line| line.starts_with("///")).copied().collect();
        let place = |word: &str| comment.iter().position(|line| line.starts_with(&format!("/// {word}: ")));
        let places = (place("Blocks"), place("Threads"), place("Ownership"));
        assert!(matches!(places, (Some(a), Some(b), Some(c)) if a < b && b < c), "{line}\n{comment:#?}");
    }
    assert!(functions > 60, "{functions} functions found");
}
