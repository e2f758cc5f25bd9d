//! An installed p2pmap, and an unpacked archive of it, build the examples as users would, and run them.

mod toolchain;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use toolchain::{C, CPP, built, compiler, crate_path, directory, has, run};

const EXAMPLES: [&str; 2] = ["examples/quickstart.c", "examples/quickstart.cpp"];

/// A command that does not know where this project is.
fn script(name: &str) -> Command {
    let mut command = Command::new(crate_path(name));
    command.env("P2PMAP_BUILT", built());
    command
}

fn example_runs(program: &Path, library: Option<&Path>) {
    let mut command = Command::new(program);
    command.env_remove("LD_LIBRARY_PATH");
    if let Some(library) = library {
        command.env("LD_LIBRARY_PATH", library);
    }
    let told = run(&mut command);
    assert!(told.contains("dark_mode is on\n"), "{told}");
}

fn pkg_config(prefix: &Path, arguments: &[&str]) -> Vec<String> {
    let told =
        run(Command::new("pkg-config").env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")).args(arguments).arg("p2pmap"));
    told.split_whitespace().map(str::to_owned).collect()
}

/// Builds each example with what pkg-config says and runs it.
fn builds_with_pkg_config(prefix: &Path, place: &Path) {
    for example in EXAMPLES {
        let source = crate_path(example);
        let compiler = compiler(&source);
        if !has(compiler) || !has("pkg-config") {
            return;
        }
        let flags = if compiler == "gcc" { C } else { CPP };
        let build = |name: &str, libraries: &[String]| -> PathBuf {
            let program = place.join(format!("{name}_{compiler}"));
            run(Command::new(compiler).args(flags).arg(&source).arg("-o").arg(&program).args(libraries));
            program
        };
        let shared = build("shared", &pkg_config(prefix, &["--cflags", "--libs"]));
        example_runs(&shared, Some(&prefix.join("lib")));

        // `-Wl,-Bstatic` takes the archive although the shared library stands beside it.
        let mut libraries = pkg_config(prefix, &["--static", "--cflags", "--libs"]);
        let at = libraries.iter().position(|word| word == "-lp2pmap").unwrap();
        libraries.splice(at..=at, ["-Wl,-Bstatic", "-lp2pmap", "-Wl,-Bdynamic"].map(str::to_owned));
        example_runs(&build("static", &libraries), None);
    }
}

fn builds_with_cmake(prefix: &Path, place: &Path) {
    if !has("cmake") || !has("g++") {
        return;
    }
    let project = r#"
cmake_minimum_required(VERSION 3.16)
project(quickstart C CXX)
set(CMAKE_CXX_STANDARD 17)
find_package(p2pmap 0.1 REQUIRED)
add_executable(shared quickstart.c)
target_link_libraries(shared p2pmap::p2pmap)
add_executable(static quickstart.cpp)
target_link_libraries(static p2pmap::static)
"#;
    fs::write(place.join("CMakeLists.txt"), project).unwrap();
    for example in EXAMPLES {
        fs::copy(crate_path(example), place.join(Path::new(example).file_name().unwrap())).unwrap();
    }
    let built = place.join("built");
    run(Command::new("cmake")
        .arg("-S")
        .arg(place)
        .arg("-B")
        .arg(&built)
        .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())));
    run(Command::new("cmake").arg("--build").arg(&built));
    example_runs(&built.join("shared"), None);
    example_runs(&built.join("static"), None);
}

#[test]
fn an_installed_library_builds_the_examples() {
    let place = directory("installed");
    let prefix = place.join("prefix");
    run(script("install.sh").arg(&prefix));
    run(script("install.sh").arg(&prefix)); // again, over itself
    builds_with_pkg_config(&prefix, &place);
    builds_with_cmake(&prefix, &place);
}

#[test]
fn an_archive_works_wherever_it_is_unpacked() {
    let place = directory("unpacked");
    let told = run(script("dist.sh").arg(place.join("dist")));
    let archive = PathBuf::from(told.trim());
    run(Command::new("tar").arg("-C").arg(&place).arg("-xzf").arg(&archive));
    let name = archive.file_name().unwrap().to_str().unwrap().trim_end_matches(".tar.gz");
    let moved = place.join("moved elsewhere");
    fs::rename(place.join(name), &moved).unwrap();
    let moved = fs::canonicalize(moved).unwrap();
    for file in ["include/p2pmap.h", "include/p2pmap.hpp", "lib/libp2pmap.a", "lib/libp2pmap.so.0.1", "examples/services.c"] {
        assert!(moved.join(file).exists(), "{file}");
    }
    builds_with_cmake(&moved, &place);
}
