//! Which module of the core may know which.

use std::collections::BTreeMap;

use crate::source::{Breach, Source};

/// What each module may import, itself aside. A module that is not here may import nothing of the core.
const MAY: [(&str, &[&str]); 10] = [
    ("node", &["replica", "wire", "store", "net", "error", "limits", "peer", "fork", "options", "secret"]),
    ("net", &["wire", "replica", "secret", "error", "limits", "peer"]),
    ("store", &["error", "limits"]),
    ("wire", &["replica", "error", "limits", "peer"]),
    ("replica", &["error", "limits", "peer"]),
    ("options", &["store", "secret", "error", "limits", "peer"]),
    ("secret", &[]),
    ("peer", &["error", "limits"]),
    ("fork", &["error"]),
    ("error", &[]),
];

/// Which module each name of the crate's root comes from, read from `lib.rs`.
pub struct Names {
    modules: Vec<String>,
    items: BTreeMap<String, String>,
    /// The module that is re-exported with a glob: where a name comes from that nobody else claims.
    glob: Option<String>,
}

impl Names {
    pub fn of(root: &Source) -> Self {
        let mut names = Self { modules: Vec::new(), items: BTreeMap::new(), glob: None };
        let code: Vec<&str> = root.shipped().map(|(_, code)| code).collect();
        for statement in code.join(" ").split(';') {
            let words: Vec<&str> = statement.split_whitespace().collect();
            if let [.., "mod", module] = words.as_slice() {
                names.modules.push(module.to_string());
            }
            if let Some(path) = statement.trim().strip_prefix("pub use ") {
                names.re_export(path.trim_start_matches("crate::"));
            }
        }
        names
    }

    fn re_export(&mut self, path: &str) {
        let Some((module, items)) = path.split_once("::") else {
            return;
        };
        for item in items.split(['{', '}', ',', ' ']).filter(|item| !item.is_empty()) {
            if item == "*" {
                self.glob = Some(module.into());
            } else {
                let name = item.rsplit("::").next().unwrap_or(item);
                self.items.insert(name.into(), module.into());
            }
        }
    }

    /// The module that a name at the crate's root leads to.
    fn module_of(&self, name: &str) -> Option<&str> {
        if let Some(module) = self.modules.iter().find(|module| *module == name) {
            return Some(module);
        }
        let constant = name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        match self.items.get(name) {
            Some(module) => Some(module),
            None if constant => None,
            None => self.glob.as_deref(),
        }
    }
}

/// Every reference from a module of the core to one that it may not know.
pub fn check(source: &Source, names: &Names) -> Vec<Breach> {
    let Some(path) = source.path.strip_prefix("core/src/") else {
        return Vec::new();
    };
    if path == "lib.rs" {
        return Vec::new();
    }
    let own = path.split(['/', '.']).next().unwrap_or_default();
    let allowed = MAY.iter().find(|(module, _)| *module == own).map_or(&[][..], |(_, allowed)| allowed);
    let mut breaches = Vec::new();
    for (line, name) in root_names(source, path) {
        let Some(module) = names.module_of(&name) else {
            continue;
        };
        if module != own && !allowed.contains(&module) {
            breaches.push(source.breach(line, format!("`{own}` may not know `{module}` ({name})")));
        }
    }
    breaches
}

/// The names that shipped code takes from the crate's root, as `crate::name`, in a `crate::{...}` list, or up through
/// `super`.
fn root_names(source: &Source, path: &str) -> Vec<(usize, String)> {
    let up = "super::".repeat(depth(path));
    let mut found = Vec::new();
    // A list may span lines: look at the text as a whole, and count its lines.
    let mut code = String::new();
    let mut starts = Vec::new();
    for (index, line) in source.shipped() {
        starts.push((code.len(), index));
        code.push_str(line);
        code.push('\n');
    }
    for root in ["crate::", up.as_str()] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | ':')) {
                continue;
            }
            let line = starts.iter().rev().find(|(start, _)| *start <= at).map_or(0, |(_, index)| *index);
            found.extend(first_names(&code[at + root.len()..]).into_iter().map(|name| (line, name)));
        }
    }
    found
}

/// How many `super::` lead from a file to the crate's root.
fn depth(path: &str) -> usize {
    let parts = path.split('/').count();
    if path.ends_with("/mod.rs") { parts - 1 } else { parts }
}

/// The first segment of a path, or of each path in a list.
fn first_names(text: &str) -> Vec<String> {
    let Some(list) = text.strip_prefix('{') else {
        return vec![text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()];
    };
    let mut names = vec![String::new()];
    let mut depth = 0;
    let mut in_first = true;
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(String::new());
                in_first = true;
            }
            _ if depth > 0 || c.is_whitespace() => {}
            // Invariant: there is always a last name.
            c if in_first && (c.is_alphanumeric() || c == '_') => names.last_mut().unwrap().push(c),
            _ => in_first = false,
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "mod error;\nmod net;\nmod node;\nmod replica;\nmod wire;\nmod peer;\nmod options;\n\
        pub use error::{Error, Result};\npub use node::*;\npub use replica::{\n    Digest,\n    Stamp,\n};\npub use options::Config;";

    fn breaches(path: &str, text: &str) -> Vec<String> {
        let names = Names::of(&Source::new("core/src/lib.rs", ROOT));
        check(&Source::new(path, text), &names).iter().map(Breach::to_string).collect()
    }

    #[test]
    fn a_planted_import_is_found() {
        let found = breaches("core/src/replica/merge.rs", "use crate::wire::Topic;");
        assert_eq!(found, ["core/src/replica/merge.rs:1: `replica` may not know `wire` (wire)"]);
        assert_eq!(breaches("core/src/wire/mod.rs", "\nuse crate::{Error, net::{A, B}, Stamp};").len(), 1);
        assert_eq!(breaches("core/src/wire/mod.rs", "use crate::{\n    Stamp,\n    net,\n};").len(), 1);
        assert_eq!(breaches("core/src/net/mod.rs", "fn f(c: crate::Config) {}").len(), 1);
        assert_eq!(breaches("core/src/net/mod.rs", "use crate::Node;").len(), 1);
        assert_eq!(breaches("core/src/net/swarm.rs", "use super::super::node::Node;").len(), 1);
        assert_eq!(breaches("core/src/peer.rs", "use super::wire;").len(), 1);
        assert_eq!(breaches("core/src/stray.rs", "use crate::Error;").len(), 1);
    }

    #[test]
    fn what_is_allowed_is_let_be() {
        for (path, text) in [
            ("core/src/node/map.rs", "use crate::{Config, Result, net::Network, wire};\nuse super::Key;"),
            ("core/src/net/swarm.rs", "use crate::wire::{Topic, node};\nuse super::Host;\nuse crate::Result;"),
            ("core/src/replica/mod.rs", "use crate::Error;\n// crate::net\nlet a = \"crate::net\";"),
            ("core/src/replica/mod.rs", "#[cfg(test)]\nmod tests {\n    use crate::node::Map;\n}"),
            ("core/src/wire/mod.rs", "const A: &str = crate::VERSION;"),
            ("ffi/src/lib.rs", "use crate::node::X;"),
        ] {
            assert_eq!(breaches(path, text), [""; 0], "{text}");
        }
    }
}
