//! The inputs that were kept: those of the core's targets are repeated by the core's own tests.

#[test]
fn g10_the_inputs_of_the_c_interface_break_nothing() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/c_abi");
    let inputs: Vec<_> = std::fs::read_dir(&corpus).expect("a corpus").map(|input| input.expect("an input").path()).collect();
    assert!(!inputs.is_empty());
    for path in inputs {
        let bytes = std::fs::read(&path).expect("a file");
        let outcome = std::panic::catch_unwind(|| p2pmap_fuzz::c_abi(&bytes));
        assert!(outcome.is_ok(), "{} breaks it", path.display());
    }
}
