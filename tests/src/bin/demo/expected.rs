//! What the map must hold: read from the same file by a reader of its own, then changed along with the cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::language::root;

pub struct Expected {
    /// The file that every process loads its part of.
    pub path: String,
    pub parts: usize,
    /// A key that the file has twice may hold either value.
    entries: BTreeMap<String, BTreeSet<String>>,
    /// Which part each key of the file belongs to.
    parts_of: BTreeMap<String, usize>,
}

impl Expected {
    /// The machine's services, or the copy beside the tests where it has none.
    pub fn read(parts: usize) -> Outcome<Self> {
        let path = [PathBuf::from("/etc/services"), root().join("tests/data/services")].into_iter().find(|path| path.is_file());
        let path = path.ok_or("neither /etc/services nor tests/data/services is there")?;
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&path, &text, parts)
    }

    fn parse(path: &Path, text: &str, parts: usize) -> Outcome<Self> {
        let mut expected =
            Self { path: path.display().to_string(), parts, entries: BTreeMap::new(), parts_of: BTreeMap::new() };
        let lines = text.lines().filter_map(|line| line.split('#').next()).filter(|line| !line.trim().is_empty());
        for (index, line) in lines.enumerate() {
            let mut words = line.split_whitespace();
            let (service, port) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let (port, protocol) = port.split_once('/').ok_or_else(|| format!("{}: no port in `{line}`", path.display()))?;
            let value: Vec<&str> = std::iter::once(port).chain(words).collect();
            let key = format!("{service}/{protocol}");
            expected.entries.entry(key.clone()).or_default().insert(value.join(" "));
            expected.parts_of.insert(key, index % parts);
        }
        Ok(expected)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn put(&mut self, key: &str, value: &str) {
        self.entries.insert(key.to_owned(), BTreeSet::from([value.to_owned()]));
    }

    pub fn remove(&mut self, key: &str) {
        self.entries.remove(key);
    }

    /// A key that another part than this one holds: the one wished for if it is one.
    pub fn loaded_by_another(&self, part: usize, wished: &str) -> String {
        let another = |key: &str| self.parts_of.get(key).is_some_and(|owner| *owner != part) && self.entries.contains_key(key);
        if another(wished) {
            return wished.to_owned();
        }
        self.entries.keys().find(|key| another(key)).cloned().unwrap_or_default()
    }

    /// The first entry that differs, if any.
    pub fn compare(&self, held: &BTreeMap<String, String>) -> Outcome {
        for (key, values) in &self.entries {
            match held.get(key) {
                None => return Err(format!("{key} is missing")),
                Some(value) if !values.contains(value) => return Err(format!("{key} is `{value}`, not one of {values:?}")),
                Some(_) => {}
            }
        }
        match held.keys().find(|key| !self.entries.contains_key(*key)) {
            Some(key) => Err(format!("{key} should not be there")),
            None => Ok(()),
        }
    }
}
