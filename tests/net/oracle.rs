//! What must be left after chaos, from what every process wrote down.
//!
//! Certain is what a process wrote that lived to the end, and what such a process saw: that must not be lost. What a killed
//! process wrote may be gone with it, if it had not been sent; but if it is there, it must be what was written. One write of
//! a killed process may be in doubt: begun, and perhaps applied, but not acknowledged.

use std::collections::HashMap;
use std::path::Path;

use p2pmap::Stamp;
use p2pmap_tests::journal::{Told, Written};

#[derive(Default)]
pub struct Oracle {
    /// The greatest certain write of each key.
    certain: HashMap<String, Written>,
    /// What killed processes have acknowledged.
    possible: HashMap<String, Vec<Written>>,
    /// What they had begun.
    in_doubt: Vec<(String, Option<String>)>,
    acknowledged: usize,
    by_killed: usize,
}

/// What the entries that are left look like against it.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Keys that were written at all.
    pub keys: usize,
    pub acknowledged: usize,
    pub by_killed: usize,
    /// Keys whose state is a killed process's write that nobody who lived wrote over.
    pub from_killed: usize,
    pub wrong: Vec<String>,
}

impl Oracle {
    /// The journal of a process that lived to the end, or was killed.
    pub fn wrote(&mut self, journal: &Path, killed: bool) {
        let told = Told::read(journal).expect("a journal");
        self.acknowledged += told.written.len();
        if !killed {
            assert_eq!(told.in_doubt, None, "{} ends within a write", journal.display());
            told.written.into_iter().for_each(|written| self.is_certain(written));
            return;
        }
        self.by_killed += told.written.len();
        self.in_doubt.extend(told.in_doubt);
        for written in told.written {
            self.possible.entry(written.key.clone()).or_default().push(written);
        }
    }

    /// What a process saw that lived to the end.
    pub fn saw(&mut self, seen: &Path) {
        read(seen).into_iter().for_each(|written| self.is_certain(written));
    }

    fn is_certain(&mut self, written: Written) {
        match self.certain.get(&written.key) {
            Some(known) if known.stamp >= written.stamp => {}
            _ => {
                self.certain.insert(written.key.clone(), written);
            }
        }
    }

    /// Judges what is left.
    pub fn judge(&self, entries: &Path) -> Verdict {
        let left: HashMap<String, Written> = read(entries).into_iter().map(|written| (written.key.clone(), written)).collect();
        let mut keys: Vec<&String> = self.certain.keys().chain(self.possible.keys()).chain(left.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut verdict =
            Verdict { keys: keys.len(), acknowledged: self.acknowledged, by_killed: self.by_killed, ..Verdict::default() };
        for key in keys {
            let (left, certain) = (left.get(key), self.certain.get(key));
            match self.check(key, left) {
                Ok(true) => verdict.from_killed += 1,
                Ok(false) => {}
                Err(why) => {
                    let show = |written: Option<&Written>| written.map_or("nothing".into(), Written::to_string);
                    verdict.wrong.push(format!("{why}: {key} is {}, certain is {}", show(left), show(certain)));
                }
            }
        }
        verdict
    }

    /// Whether a killed process's write has won.
    fn check(&self, key: &str, left: Option<&Written>) -> Result<bool, &'static str> {
        let certain = self.certain.get(key);
        let removed = |written: &&Written| written.value.is_none();
        match (left, certain) {
            (Some(left), Some(certain)) if left == certain => Ok(false),
            (Some(left), Some(certain)) if left.stamp < certain.stamp && certain.value.is_none() => Err("back from the dead"),
            (Some(left), Some(certain)) if left.stamp < certain.stamp => Err("lost"),
            (Some(left), _) if self.is_possible(left) => Ok(true),
            (Some(_), _) => Err("written by nobody"),
            (None, None) => Ok(false),
            (None, Some(certain)) if certain.value.is_none() => Ok(false),
            (None, Some(certain)) => {
                let later = self.possible_after(key, &certain.stamp).any(|written| removed(&written));
                if later || self.in_doubt.contains(&(key.into(), None)) { Ok(true) } else { Err("lost") }
            }
        }
    }

    fn possible_after<'a>(&'a self, key: &str, stamp: &'a Stamp) -> impl Iterator<Item = &'a Written> {
        self.possible.get(key).into_iter().flatten().filter(move |written| written.stamp > *stamp)
    }

    fn is_possible(&self, left: &Written) -> bool {
        let acknowledged = self.possible.get(&left.key).is_some_and(|all| all.contains(left));
        acknowledged || self.in_doubt.contains(&(left.key.clone(), left.value.clone()))
    }
}

fn read(path: &Path) -> Vec<Written> {
    let text = std::fs::read_to_string(path).expect("a file of writes");
    text.lines().map(|line| line.parse().expect("a write")).collect()
}
