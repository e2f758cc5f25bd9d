//! Words that have no place: in the names of files, and anywhere in their text.

use crate::source::{Breach, Source};

/// Names for what nobody found a name for.
const NAMELESS: [&str; 8] = ["util", "utils", "common", "helper", "helpers", "manager", "misc", "stuff"];

/// Traces of one machine or of work in hand. Each is written in two parts, so that this file does not hold it.
const TRACES: [(&str, &str); 9] = [
    ("/wo", "rk/"),
    ("/tmp/", "wt"),
    ("/ro", "ot/"),
    ("/home/", "user"),
    ("TO", "DO"),
    ("FIX", "ME"),
    ("XX", "X"),
    ("issue ", "#"),
    ("HA", "CK"),
];
/// Files that a tool writes, and what it adds unless told not to: where it found things.
const LOCKS: [(&str, &str); 1] = [("package-lock.json", "\"resolved\": \"http")];

pub fn file_names(source: &Source) -> Vec<Breach> {
    let nameless = |part: &str| NAMELESS.contains(&part.split('.').next().unwrap_or_default());
    match source.path.split('/').any(nameless) {
        true => vec![source.breach(0, "a name that says nothing")],
        false => Vec::new(),
    }
}

pub fn traces(source: &Source) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let traces = TRACES.map(|(one, two)| format!("{one}{two}"));
    for (index, line) in source.text.lines().enumerate() {
        for trace in traces.iter().filter(|trace| holds(line, trace)) {
            breaches.push(source.breach(index, format!("`{trace}` has no place here")));
        }
        for (file, _) in LOCKS.iter().filter(|(file, address)| source.path.ends_with(file) && line.contains(address)) {
            breaches.push(source.breach(index, format!("{file} names a registry")));
        }
    }
    breaches
}

/// Whether a line holds a trace; one made of letters only counts as a word of its own.
fn holds(line: &str, trace: &str) -> bool {
    match trace.chars().all(char::is_alphabetic) {
        true => crate::boundaries::says(line, trace),
        false => line.contains(trace),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planted_traces_are_found() {
        for (one, two) in TRACES {
            let text = format!("fine\n// see {one}{two} here\n");
            assert_eq!(traces(&Source::new("core/src/a.rs", &text)).len(), 1, "{one}{two}");
            assert_eq!(traces(&Source::new("README.md", &text)).len(), 1, "{one}{two}");
        }
        let lock = "  \"resolved\": \"http://mirror.local/a.tgz\",";
        assert_eq!(traces(&Source::new("bindings/node/package-lock.json", lock)).len(), 1);
    }

    #[test]
    fn longer_words_are_let_be() {
        let text = format!("let {}{}_LIST = \"net{}{}\";", "TO", "DO", "/wo", "rk");
        assert!(traces(&Source::new("core/src/a.rs", &text)).is_empty());
    }

    #[test]
    fn planted_names_are_found() {
        assert_eq!(file_names(&Source::new("core/src/node/utils.rs", "")).len(), 1);
        assert_eq!(file_names(&Source::new("bindings/go/helpers/map.go", "")).len(), 1);
        assert!(file_names(&Source::new("core/src/node/map.rs", "")).is_empty());
    }
}
