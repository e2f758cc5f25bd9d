//! What must be left after chaos, from what every process wrote down.
//!
//! - Certain is what a process wrote that lived to the end, and what such a process saw. It must not be lost.
//! - What a killed process wrote may be gone with it: it may not have been sent. If it is there, it must be what was written.
//! - One write of a killed process may be in doubt: begun, perhaps applied, not acknowledged.
//! - A removal takes with it what its author had seen. A write that it had not seen, older by clock, may outlive it once the
//!   removal is forgotten: to those who come late, it is new. The journal says which write each removal removed.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use p2pmap::Stamp;
use p2pmap_tests::journal::{Told, Written};

#[derive(Default)]
pub struct Oracle {
    /// The greatest certain write of each key.
    certain: HashMap<String, Written>,
    /// All that was acknowledged, by any process, under its stamp.
    acknowledged: HashMap<Stamp, Written>,
    /// Of them, what killed processes wrote, by key.
    by_killed: HashMap<String, Vec<Written>>,
    /// What killed processes had begun: the key, and the value or nothing.
    in_doubt: Vec<(String, Option<String>)>,
}

/// How what is left compares.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Keys that were written at all.
    pub keys: usize,
    pub acknowledged: usize,
    pub by_killed: usize,
    /// Keys whose state is a killed process's last word.
    pub from_killed: usize,
    /// Keys whose value a removal had not seen, which was forgotten before they met.
    pub unseen: usize,
    pub wrong: Vec<String>,
}

/// Why a key may be as it is.
#[derive(Debug, PartialEq, Eq)]
enum Right {
    Certain,
    FromKilled,
    Unseen,
}

impl Oracle {
    /// The journal of a process that lived to the end, or was killed.
    pub fn wrote(&mut self, journal: &Path, killed: bool) {
        let told = Told::read(journal).expect("a journal");
        assert!(killed || told.in_doubt.is_none(), "{} ends within a write", journal.display());
        self.add(told, killed);
    }

    fn add(&mut self, told: Told, killed: bool) {
        self.in_doubt.extend(told.in_doubt);
        for written in told.written {
            self.acknowledged.insert(written.stamp.clone(), written.clone());
            match killed {
                true => self.by_killed.entry(written.key.clone()).or_default().push(written),
                false => self.is_certain(written),
            }
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
        let keys: BTreeSet<&String> = self.certain.keys().chain(self.by_killed.keys()).chain(left.keys()).collect();
        let mut verdict = Verdict {
            keys: keys.len(),
            acknowledged: self.acknowledged.len(),
            by_killed: self.by_killed.values().map(Vec::len).sum(),
            ..Verdict::default()
        };
        for key in keys {
            let left = left.get(key);
            match self.check(key, left) {
                Ok(Right::Certain) => {}
                Ok(Right::FromKilled) => verdict.from_killed += 1,
                Ok(Right::Unseen) => verdict.unseen += 1,
                Err(why) => {
                    let show = |written: Option<&Written>| written.map_or("nothing".into(), Written::to_string);
                    verdict.wrong.push(format!("{why}: {key} is {}, certain is {}", show(left), show(self.certain.get(key))));
                }
            }
        }
        verdict
    }

    fn check(&self, key: &str, left: Option<&Written>) -> Result<Right, &'static str> {
        let certain = self.certain.get(key);
        let Some(left) = left else {
            return match certain.filter(|certain| certain.value.is_some()) {
                None => Ok(Right::Certain),
                Some(certain) if self.may_be_removed(certain) => Ok(Right::FromKilled),
                Some(_) => Err("lost"),
            };
        };
        if !self.was_written(left) {
            return Err("written by nobody");
        }
        match certain {
            Some(certain) if certain.stamp == left.stamp => Ok(Right::Certain),
            Some(certain) if left.stamp < certain.stamp && certain.value.is_some() => Err("lost"),
            Some(certain) if left.stamp < certain.stamp => match self.had_seen(certain, left) {
                true => Err("back from the dead"),
                false => Ok(Right::Unseen),
            },
            _ => Ok(Right::FromKilled),
        }
    }

    /// Whether exactly that was written, as far as anybody knows.
    fn was_written(&self, left: &Written) -> bool {
        let known = self.acknowledged.get(&left.stamp);
        let same = known.is_some_and(|known| (&known.key, &known.value) == (&left.key, &left.value));
        same || self.in_doubt.contains(&(left.key.clone(), left.value.clone()))
    }

    /// Whether a killed process may have removed it.
    fn may_be_removed(&self, certain: &Written) -> bool {
        let mut by_killed = self.by_killed.get(&certain.key).into_iter().flatten();
        let removed = by_killed.any(|written| written.value.is_none() && written.stamp > certain.stamp);
        removed || self.in_doubt.contains(&(certain.key.clone(), None))
    }

    /// Whether the author of a removal is known to have seen a write to its key: it removed that one, or a later one of the same author. An
    /// older one of somebody else may have been made behind a cut. Of a removal in doubt nothing is known.
    fn had_seen(&self, removal: &Written, written: &Written) -> bool {
        let removal = self.acknowledged.get(&removal.stamp);
        removal.and_then(|removal| removal.removed.as_ref()).is_none_or(|removed| {
            written.stamp == *removed || (written.stamp < *removed && written.stamp.author() == removed.author())
        })
    }
}

fn read(path: &Path) -> Vec<Written> {
    let text = std::fs::read_to_string(path).expect("a file of writes");
    text.lines().map(|line| line.parse().expect("a write")).collect()
}

/// An oracle that knows one process that lived and one that was killed, both writing to the key `k`.
fn oracle(certain: &[Written], by_killed: &[Written], in_doubt: Option<Option<&str>>) -> Oracle {
    let mut oracle = Oracle::default();
    oracle.add(Told { written: certain.to_vec(), in_doubt: None }, false);
    let in_doubt = in_doubt.map(|value| ("k".into(), value.map(str::to_string)));
    oracle.add(Told { written: by_killed.to_vec(), in_doubt }, true);
    oracle
}

fn stamp(timestamp: u64) -> Stamp {
    Stamp::new(timestamp, 1, p2pmap::PeerId::from_bytes(b"author").expect("an id"))
}

fn put(timestamp: u64, value: &str) -> Written {
    Written { stamp: stamp(timestamp), key: "k".into(), value: Some(value.into()), removed: None }
}

fn removal(timestamp: u64, of: u64) -> Written {
    Written { stamp: stamp(timestamp), key: "k".into(), value: None, removed: Some(stamp(of)) }
}

#[test]
fn the_oracle_accepts_the_greatest_certain_write_and_nothing_older() {
    let it = oracle(&[put(1, "a"), put(2, "b")], &[], None);
    assert_eq!(it.check("k", Some(&put(2, "b"))), Ok(Right::Certain));
    assert_eq!(it.check("k", Some(&put(1, "a"))), Err("lost"));
    assert_eq!(it.check("k", None), Err("lost"));
    assert_eq!(it.check("k", Some(&put(3, "c"))), Err("written by nobody"));
    assert_eq!(it.check("k", Some(&put(2, "c"))), Err("written by nobody"));
}

#[test]
fn the_oracle_knows_what_a_removal_had_seen() {
    let it = oracle(&[put(1, "a"), put(3, "b"), removal(4, 1)], &[], None);
    assert_eq!(it.check("k", None), Ok(Right::Certain));
    assert_eq!(it.check("k", Some(&put(1, "a"))), Err("back from the dead"));
    assert_eq!(it.check("k", Some(&put(3, "b"))), Ok(Right::Unseen));
    let foreign = Stamp::new(2, 1, p2pmap::PeerId::from_bytes(b"somebody else").expect("an id"));
    let foreign = Written { stamp: foreign, key: "k".into(), value: Some("c".into()), removed: None };
    let it = oracle(&[put(1, "a"), foreign.clone(), put(3, "b"), removal(4, 3)], &[], None);
    assert_eq!(it.check("k", Some(&put(1, "a"))), Err("back from the dead"), "the same author's, older");
    assert_eq!(it.check("k", Some(&foreign)), Ok(Right::Unseen), "it may have been made behind a cut");
}

#[test]
fn the_oracle_allows_a_killed_process_what_it_wrote_and_no_more() {
    let it = oracle(&[put(2, "a")], &[put(1, "old"), put(3, "b")], None);
    assert_eq!(it.check("k", Some(&put(3, "b"))), Ok(Right::FromKilled));
    assert_eq!(it.check("k", Some(&put(2, "a"))), Ok(Right::Certain));
    assert_eq!(it.check("k", Some(&put(1, "old"))), Err("lost"));
    assert_eq!(it.check("k", None), Err("lost"));
    assert_eq!(oracle(&[put(2, "a")], &[removal(3, 2)], None).check("k", None), Ok(Right::FromKilled));
    assert_eq!(oracle(&[put(2, "a")], &[removal(1, 0)], None).check("k", None), Err("lost"));
    assert_eq!(oracle(&[put(2, "a")], &[], Some(None)).check("k", None), Ok(Right::FromKilled));
    assert_eq!(oracle(&[put(2, "a")], &[], Some(Some("c"))).check("k", Some(&put(9, "c"))), Ok(Right::FromKilled));
}
