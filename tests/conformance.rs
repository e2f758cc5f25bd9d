//! The conformance scripts, played by the Rust runner.

use std::path::Path;

use p2pmap_tests::conformance;

#[test]
fn every_script_passes_in_rust() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    let scripts = conformance::scripts(&directory).unwrap();
    assert!(scripts.len() >= 40, "{} scripts in {}", scripts.len(), directory.display());
    assert!(conformance::run(&scripts), "a script failed: its line is above");
}
