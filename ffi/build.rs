//! Gives the shared library its name: `libp2pmap.so.0.<minor>` while the version begins with 0, `libp2pmap.so.<major>` from then on.

use std::env::var;

fn main() {
    let version = |part: &str| var(format!("CARGO_PKG_VERSION_{part}")).unwrap_or_default();
    let abi = match version("MAJOR").as_str() {
        "0" => format!("0.{}", version("MINOR")),
        major => major.to_owned(),
    };
    if var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libp2pmap.so.{abi}");
        // The library has threads and a fork handler: it must stay loaded.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
