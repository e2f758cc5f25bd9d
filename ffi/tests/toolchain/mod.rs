//! What these tests need to build and run C programs against the library that cargo just built.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The shared library's name for the linker, and for programs.
pub const SONAME: &str = "libp2pmap.so.0.1";
pub const C: &[&str] = &["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-g"];
pub const CPP: &[&str] = &["-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-g"];

/// Fails on a bad access and on memory that nothing points to any more.
pub const VALGRIND: &[&str] = &[
    "--quiet",
    "--error-exitcode=9",
    "--leak-check=full",
    "--show-leak-kinds=definite",
    "--errors-for-leak-kinds=definite",
    "--fair-sched=yes",
];

/// This crate's directory.
pub fn crate_path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Where `libp2pmap_c.so` and `.a` are: beside this test.
pub fn built() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

/// An empty directory of this name.
pub fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// Whether a program can be run here; says so where it cannot.
pub fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        eprintln!("SKIPPED: `{program}` is not installed");
    }
    found
}

/// The C and the C++ compiler.
pub fn compiler(source: &Path) -> &'static str {
    if source.extension().is_some_and(|extension| extension == "cpp") { "g++" } else { "gcc" }
}

/// Runs a command. Panics with all that it said unless it ends with success.
pub fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}: {status}\n{out}\n{err}");
    out.into_owned()
}

/// A C or C++ program, built from its sources against the shared library. `None`, said loudly, without a compiler.
pub fn program(name: &str, sources: &[PathBuf]) -> Option<PathBuf> {
    let compiler = compiler(&sources[0]);
    if !has(compiler) {
        return None;
    }
    let place = directory(name);
    for file in ["libp2pmap.so", SONAME] {
        symlink(built().join("libp2pmap_c.so"), place.join(file)).unwrap();
    }
    let program = place.join(name);
    let mut command = Command::new(compiler);
    command.args(if compiler == "gcc" { C } else { CPP }).args(sources).arg("-o").arg(&program);
    command.arg("-I").arg(crate_path("../include")).arg("-L").arg(&place).args(["-lp2pmap", "-pthread"]);
    command.arg(format!("-Wl,-rpath,{}", place.display()));
    run(&mut command);
    Some(program)
}
