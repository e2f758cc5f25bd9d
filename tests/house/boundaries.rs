//! Which outside world each part may touch: the network library, the disk, clocks, chance, the async runtime.

use crate::source::{Breach, Source};

/// A word of the outside world (a whole one: `rand` is not `operand`), and the only places that may say it.
struct Wall {
    word: &'static str,
    may: &'static [&'static str],
    why: &'static str,
}

const WALLS: [Wall; 11] = [
    Wall { word: "libp2p", may: &["core/src/net/"], why: "plain types outside net/" },
    Wall { word: "tokio", may: &["core/src/net/", "core/src/node/"], why: "the rest has no async" },
    Wall { word: "std::fs", may: &["core/src/store/"], why: "only store/ touches a disk" },
    Wall { word: "fs", may: &["core/src/store/"], why: "only store/ touches a disk" },
    Wall { word: "File", may: &["core/src/store/"], why: "only store/ touches a disk" },
    Wall { word: "SystemTime", may: &["core/src/node/"], why: "time comes in as an argument" },
    // The network has deadlines, pauses and a round trip to measure; none of them decides what a map holds.
    Wall { word: "Instant", may: &["core/src/node/", "core/src/net/"], why: "time comes in as an argument" },
    // Keys and nonces are drawn one by one; nothing that a map holds depends on them.
    Wall { word: "getrandom", may: &["core/src/node/", "core/src/secret/"], why: "chance comes in as a seed" },
    Wall { word: "rand", may: &["core/src/node/"], why: "chance comes in as a seed" },
    Wall { word: "thread", may: &["core/src/node/", "core/src/net/", "core/src/store/"], why: "no threads of its own" },
    Wall { word: "println", may: &[], why: "a library does not print" },
];

/// Headers that a face over the C ABI may include from this repository.
const FACE_HEADER: &str = "p2pmap.h";

pub fn check(source: &Source) -> Vec<Breach> {
    let mut breaches = faces(source);
    if source.path.starts_with("core/src/") {
        for (index, code) in source.shipped() {
            for wall in &WALLS {
                if says(code, wall.word) && !wall.may.iter().any(|may| source.path.starts_with(may)) {
                    breaches.push(source.breach(index, format!("`{}`: {}", wall.word, wall.why)));
                }
            }
        }
    }
    if source.is_rust() && ["ffi/", "bindings/"].iter().any(|face| source.path.starts_with(face)) {
        for (index, _) in source.shipped().filter(|(_, code)| says(code, "libp2p")) {
            breaches.push(source.breach(index, "`libp2p`: a face knows only the core's public face"));
        }
    }
    breaches
}

/// Go and C++ know the C header, and nothing else of ours.
fn faces(source: &Source) -> Vec<Breach> {
    let is_face = source.path.starts_with("bindings/go/") || source.path == "include/p2pmap.hpp";
    let mut breaches = Vec::new();
    for (index, line) in source.text.lines().enumerate().filter(|_| is_face) {
        let included = line.trim().trim_start_matches("// ").strip_prefix("#include \"");
        if let Some(header) = included.and_then(|rest| rest.split('"').next()) {
            let own = source.path.starts_with("bindings/go/") && !header.contains('/');
            if header != FACE_HEADER && !own {
                breaches.push(source.breach(index, format!("includes {header}: only {FACE_HEADER}")));
            }
        }
    }
    breaches
}

/// Whether code has a word (or a path) as a whole: not as a part of a longer one.
pub fn says(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(path: &str, text: &str) -> usize {
        check(&Source::new(path, text)).len()
    }

    #[test]
    fn a_planted_breach_of_each_wall_is_found() {
        assert_eq!(breaches("core/src/node/map.rs", "use libp2p::Swarm;"), 1);
        assert_eq!(breaches("core/src/replica/mod.rs", "use tokio::sync::mpsc;"), 1);
        assert_eq!(breaches("core/src/node/map.rs", "let a = File::open(path);"), 1);
        assert!(breaches("core/src/node/map.rs", "std::fs::read(path)") > 0);
        assert!(breaches("core/src/node/map.rs", "use std::{fs, io};") > 0);
        assert_eq!(breaches("core/src/net/mod.rs", "let now = SystemTime::now();"), 1);
        assert_eq!(breaches("core/src/replica/clock.rs", "let now = Instant::now();"), 1);
        assert_eq!(breaches("core/src/net/mod.rs", "getrandom::fill(&mut seed)"), 1);
        assert_eq!(breaches("core/src/replica/mod.rs", "let x = rand::random();"), 1);
        assert_eq!(breaches("core/src/replica/mod.rs", "std::thread::spawn(f)"), 1);
        assert_eq!(breaches("core/src/node/map.rs", "println!(\"hello\");"), 1);
        assert_eq!(breaches("ffi/src/map.rs", "use libp2p::PeerId;"), 1);
        assert_eq!(breaches("bindings/go/map.go", "#include \"../../ffi/inner.h\""), 1);
        assert_eq!(breaches("include/p2pmap.hpp", "#include \"inner.h\""), 1);
    }

    #[test]
    fn what_stays_within_is_let_be() {
        assert_eq!(breaches("core/src/net/swarm.rs", "use libp2p::Swarm; tokio::time::Instant::now();"), 0);
        assert_eq!(breaches("core/src/node/map.rs", "// libp2p does it\nlet operand = 1; let a = \"std::fs\";"), 0);
        assert_eq!(breaches("core/src/node/map.rs", "#[cfg(test)]\nfn f() {\n    std::fs::read(path);\n}"), 0);
        assert_eq!(breaches("include/p2pmap.hpp", "#include \"p2pmap.h\"\n#include <string>"), 0);
        assert_eq!(breaches("bindings/go/map.go", "// #include \"p2pmap.h\""), 0);
    }
}
