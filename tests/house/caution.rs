//! Code that needs a reason beside it: unsafe blocks, panics, silenced lints; and channels without a bound, which have none.

use crate::boundaries::says;
use crate::source::{Breach, Source};

/// Where `unsafe` is the point: the C ABI, what calls it as C does, and the glue to a JavaScript engine's.
const UNSAFE: [&str; 3] = ["ffi/", "tests/fuzz/src/", "bindings/node/"];
/// What may end a program. Tests may; the rest only where it cannot happen, and says why.
const PANICS: [&str; 5] = [".unwrap()", ".expect(", "panic!(", "unreachable!(", "assert!("];
/// What is not finished.
const UNFINISHED: [&str; 3] = ["todo!(", "unimplemented!(", "dbg!("];
const UNBOUNDED: [&str; 4] = ["unbounded_channel", "unbounded(", "unbounded::<", "mpsc::channel()"];

pub fn unsafe_code(source: &Source) -> Vec<Breach> {
    let allowed = UNSAFE.iter().any(|place| source.path.starts_with(place));
    let mut breaches = Vec::new();
    for (index, line) in source.lines.iter().enumerate() {
        let code = line.code.replace("#[unsafe(", "#[").replace("unsafe_code", "");
        if !says(&code, "unsafe") {
            continue;
        }
        // A signature or a type is unsafe to call; its documentation says when it is not.
        let declares = ["unsafe fn", "unsafe extern", "unsafe trait"].iter().any(|declaration| code.contains(declaration));
        if !allowed {
            breaches.push(source.breach(index, "unsafe code has no place here"));
        } else if !declares && !source.explained(index, "SAFETY:") {
            breaches.push(source.breach(index, "unsafe without `// SAFETY:` above it"));
        }
    }
    breaches
}

pub fn panics(source: &Source) -> Vec<Breach> {
    // Examples end when something fails, as a user's first program would.
    if !source.path.contains("src/") || source.path.starts_with("tests/") {
        return Vec::new();
    }
    let mut breaches = Vec::new();
    for (index, code) in source.shipped() {
        for word in UNFINISHED.into_iter().filter(|word| code.contains(word)) {
            breaches.push(source.breach(index, format!("`{word}` is unfinished")));
        }
        // A constant that panics does not compile.
        let compiled = in_constant(source, index);
        for word in PANICS.into_iter().filter(|word| code.contains(word) && !code.contains("debug_assert!(")) {
            if !compiled && !source.explained(index, "Invariant:") {
                breaches.push(source.breach(index, format!("`{word}` without `// Invariant:` above it")));
            }
        }
    }
    breaches
}

/// Whether a line belongs to a constant, and so runs when it is compiled: a line above it, less indented, starts one.
fn in_constant(source: &Source, index: usize) -> bool {
    let indent = |code: &str| code.len() - code.trim_start().len();
    let mut within = usize::MAX;
    for line in source.lines[..=index].iter().rev().map(|line| line.code.as_str()) {
        if line.trim().is_empty() || indent(line) >= within {
            continue;
        }
        within = indent(line);
        let words = line.trim_start().trim_start_matches("pub ");
        if words.starts_with("const ") && !words.starts_with("const fn ") {
            return true;
        }
    }
    false
}

pub fn unbounded_channels(source: &Source) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (index, code) in source.shipped() {
        if UNBOUNDED.iter().any(|word| code.contains(word)) {
            breaches.push(source.breach(index, "a channel without a bound"));
        }
    }
    breaches
}

pub fn allows(source: &Source) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (index, line) in source.lines.iter().enumerate() {
        let code = line.code.trim();
        if !code.starts_with("#[allow(") && !code.starts_with("#![allow(") && !code.starts_with("#[expect(") {
            continue;
        }
        let above = index.checked_sub(1).map(|above| &source.lines[above]);
        let explained = above.is_some_and(|above| above.code.trim().is_empty() && is_plain(&above.comment));
        let attribute_end = (index..source.lines.len()).find(|at| source.lines[*at].code.contains(")]"));
        let reasoned = (index..=attribute_end.unwrap_or(index)).any(|at| source.lines[at].code.contains("reason ="));
        if !explained && !reasoned && line.comment.is_empty() {
            breaches.push(source.breach(index, "an `allow` without a reason"));
        }
    }
    breaches
}

/// Whether a comment is one, and not documentation.
fn is_plain(comment: &str) -> bool {
    !comment.is_empty() && !comment.starts_with(['/', '!'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rule: fn(&Source) -> Vec<Breach>, path: &str, text: &str) -> usize {
        rule(&Source::new(path, text)).len()
    }

    #[test]
    fn planted_unsafe_is_found_outside_the_abi_and_without_a_reason() {
        let plain = "fn f() {\n    unsafe { g() }\n}";
        assert_eq!(found(unsafe_code, "core/src/node/map.rs", plain), 1);
        assert_eq!(found(unsafe_code, "ffi/src/map.rs", plain), 1);
        let reasoned = "fn f() {\n    // SAFETY: the caller promises it.\n    unsafe { g() }\n}";
        assert_eq!(found(unsafe_code, "core/src/node/map.rs", reasoned), 1);
        assert_eq!(found(unsafe_code, "ffi/src/map.rs", reasoned), 0);
        let far = "// SAFETY: of another.\nlet a = 1;\nunsafe { g() }";
        assert_eq!(found(unsafe_code, "ffi/src/map.rs", far), 1);
        let closure = "// SAFETY: made here.\nguard(|| {\n    drop(unsafe { g() })\n});";
        assert_eq!(found(unsafe_code, "ffi/src/map.rs", closure), 0);
        let statement = "// SAFETY: both.\nlet a = f(\n    unsafe { g() },\n);";
        assert_eq!(found(unsafe_code, "ffi/src/map.rs", statement), 0);
        assert_eq!(found(unsafe_code, "ffi/src/map.rs", "unsafe impl Send for A {}"), 1);
    }

    #[test]
    fn what_only_declares_or_forbids_unsafe_is_let_be() {
        assert_eq!(found(unsafe_code, "core/src/lib.rs", "#![forbid(unsafe_code)]\n// unsafe"), 0);
        assert_eq!(found(unsafe_code, "ffi/src/map.rs", "#[unsafe(no_mangle)]\npub unsafe extern \"C\" fn f() {}"), 0);
    }

    #[test]
    fn planted_panics_are_found() {
        for text in ["a.unwrap();", "a.expect(\"b\");", "panic!(\"b\");", "unreachable!()", "todo!()", "    assert!(a);"] {
            assert_eq!(found(panics, "core/src/node/map.rs", text), 1, "{text}");
        }
        assert_eq!(found(panics, "core/src/node/map.rs", "// Invariant: of another.\nlet b = 1;\na.unwrap();"), 1);
    }

    #[test]
    fn panics_that_cannot_happen_or_only_in_tests_are_let_be() {
        for text in [
            "// Invariant: never empty.\nlet b = a\n    .last()\n    .unwrap();",
            "a.unwrap_or_default(); debug_assert!(a);",
            "#[cfg(test)]\nmod tests {\n    fn f() {\n        a.unwrap();\n    }\n}",
            "const _: () = {\n    assert!(A < B);\n};",
            "fn f() {\n    const A: B = match g() {\n        None => panic!(),\n    };\n}",
            "// a.unwrap()",
        ] {
            assert_eq!(found(panics, "core/src/node/map.rs", text), 0, "{text}");
        }
        assert_eq!(found(panics, "core/src/replica/tests.rs", "a.unwrap();"), 0);
    }

    #[test]
    fn planted_unbounded_channels_are_found() {
        for text in ["mpsc::unbounded_channel()", "crossbeam::unbounded()", "std::sync::mpsc::channel()", "unbounded::<u8>()"] {
            assert_eq!(found(unbounded_channels, "core/src/node/map.rs", text), 1, "{text}");
        }
        assert_eq!(found(unbounded_channels, "core/src/node/map.rs", "mpsc::channel(16); sync_channel(1);"), 0);
    }

    #[test]
    fn a_planted_allow_needs_a_reason() {
        assert_eq!(found(allows, "core/src/lib.rs", "#[allow(dead_code)]\nmod a;"), 1);
        assert_eq!(found(allows, "core/src/lib.rs", "/// Docs.\n#[allow(dead_code)]\nmod a;"), 1);
        assert_eq!(found(allows, "core/src/lib.rs", "// The other half of it is generated.\n#[allow(dead_code)]\nmod a;"), 0);
        assert_eq!(found(allows, "core/src/lib.rs", "#[allow(dead_code, reason = \"generated\")]\nmod a;"), 0);
        assert_eq!(found(allows, "core/src/lib.rs", "#[allow(\n    dead_code,\n    reason = \"generated\"\n)]\nmod a;"), 0);
    }
}
