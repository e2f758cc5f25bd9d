//! The fuzzer: one program for every target, named by the environment variable `P2PMAP_FUZZ`. `make fuzz` runs it.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod fuzz {
    use std::sync::LazyLock;

    use libfuzzer_sys::fuzz_target;

    use p2pmap::fuzz::{TARGETS, Target};

    static TARGET: LazyLock<Target> = LazyLock::new(|| {
        let name = std::env::var("P2PMAP_FUZZ").unwrap_or_default();
        let mut targets = TARGETS.into_iter().chain([("c_abi", p2pmap_fuzz::c_abi as Target)]);
        targets.find(|(known, _)| *known == name).unwrap_or_else(|| panic!("P2PMAP_FUZZ: there is no target `{name}`")).1
    });

    fuzz_target!(|data: &[u8]| TARGET(data));
}

#[cfg(not(fuzzing))]
fn main() {
    eprintln!("This was built without what watches the code: `make fuzz` builds it with.");
    std::process::exit(1);
}
