//! What the shared library shows to the linker: the functions of the header, all of them, and nothing else.

mod toolchain;

use std::collections::BTreeSet;
use std::process::Command;

use toolchain::{SONAME, built, crate_path, has, run};

#[test]
fn only_the_functions_of_the_header_are_exported() {
    if !has("nm") {
        return;
    }
    let listed = run(Command::new("nm").args(["-D", "--defined-only", "--format=posix"]).arg(built().join("libp2pmap_c.so")));
    let exported: BTreeSet<&str> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
    let header = std::fs::read_to_string(crate_path("../include/p2pmap.h")).unwrap();
    assert_eq!(exported, functions(&header));
}

#[test]
fn the_shared_library_has_its_name_and_stays_loaded() {
    if !has("readelf") {
        return;
    }
    let dynamic = run(Command::new("readelf").arg("-d").arg(built().join("libp2pmap_c.so")));
    assert!(dynamic.contains(&format!("[{SONAME}]")), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}

/// The names that stand before a parenthesis at the start of a declaration.
fn functions(header: &str) -> BTreeSet<&str> {
    let code = header.lines().filter(|line| !line.starts_with([' ', '/', '#', 't', '}']));
    code.filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("p2pmap_"))
        .collect()
}
