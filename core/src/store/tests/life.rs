//! A random life of one map, and what must be true of it whenever it is looked at.

use super::*;
use crate::dice::Dice;

const KEYS: usize = 8;
const STEPS: usize = 30;

/// A commit: keys with their new values, or without.
type Commit = Vec<(u8, Option<Vec<u8>>)>;

/// What was done to a map so far.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// All that were begun; those at the end may not have got anywhere.
    commits: Vec<Commit>,
    /// So many last, whatever happens.
    pub floor: u64,
    /// The map was opened once.
    created: bool,
    /// It is being destroyed, or is: it may be there whole, or not at all.
    destroyed: bool,
}

impl Life {
    /// The rows after so many commits.
    pub fn rows(&self, commits: u64) -> Rows {
        let mut rows = Rows::new();
        for (key, value) in self.commits[..commits as usize].iter().flatten() {
            match value {
                Some(value) => drop(rows.insert(vec![*key], value.clone())),
                None => drop(rows.remove(&vec![*key])),
            }
        }
        rows
    }

    /// Opens the map, and holds what is found against what was done. From here on that is what was done.
    pub fn reopen(&mut self, dir: &DataDir) -> Result<(Store, Recovered)> {
        let is_there = dir.maps()?.contains(&MAP.to_vec());
        assert!(is_there || !self.created || self.destroyed, "the map is gone");
        let (store, recovered, rows) = open(dir)?;
        if !is_there || (self.destroyed && recovered.last == 0) {
            *self = Self::default();
        }
        let last = recovered.last;
        assert!(last >= self.floor, "commit {} was synced, {last} is found: {recovered:?}", self.floor);
        assert!(last <= self.commits.len() as u64, "commit {last} is found, of {}", self.commits.len());
        assert_eq!(rows, self.rows(last), "the state after commit {last} of {}", self.commits.len());
        self.commits.truncate(last as usize);
        (self.floor, self.created, self.destroyed) = (last, true, false);
        assert_eq!((store.last(), store.durable()), (last, last));
        Ok((store, recovered))
    }

    /// Lives on for a while, until something fails or the end.
    pub fn live(&mut self, disk: &FaultDisk, seed: u64) -> Result<()> {
        let mut dice = Dice::new(seed);
        let mut dir = data_dir(disk)?;
        let (mut store, _) = self.reopen(&dir)?;
        for _ in 0..STEPS {
            match dice.weighted(&[40, 8, 20, 10, 3, 5, 3, 2]) {
                0 => self.append(&mut store, &mut dice)?,
                1 => store.write()?,
                2 => self.floor = store.sync()?,
                3 => self.compact(&mut store, &mut dice)?,
                // A compaction that comes to nothing.
                4 => drop(store.rotate()?),
                5 => {
                    let last = store.last();
                    store.close()?;
                    self.floor = last;
                    (store, _) = self.reopen(&dir)?;
                }
                6 => {
                    // As when the process ends: what only gathered is lost.
                    drop((store, dir));
                    dir = data_dir(disk)?;
                    (store, _) = self.reopen(&dir)?;
                }
                _ => {
                    drop(store);
                    self.destroyed = true;
                    self.floor = 0;
                    assert!(dir.destroy(MAP)?);
                    self.created = false;
                    (store, _) = self.reopen(&dir)?;
                    assert_eq!(store.last(), 0);
                }
            }
            // What rotates or installs may sync too.
            self.floor = self.floor.max(store.durable());
        }
        Ok(())
    }

    fn append(&mut self, store: &mut Store, dice: &mut Dice) -> Result<()> {
        let mut commit = Commit::new();
        for key in 0..KEYS as u8 {
            if dice.chance(25) {
                let len = if dice.chance(10) { dice.roll(900) } else { dice.roll(40) };
                let value = vec![dice.roll(256) as u8; len];
                commit.push((key, (!dice.chance(20)).then_some(value)));
            }
        }
        let is_empty = commit.is_empty();
        if !is_empty {
            self.commits.push(commit.clone());
        }
        store.set_piece_bytes(if dice.chance(30) { 1 + dice.roll(100) } else { 1 << 20 });
        let rows = commit.iter().map(|(key, value)| Row { key: std::slice::from_ref(key), value: value.as_deref() });
        assert_eq!(store.append(rows)?, self.commits.len() as u64);
        Ok(())
    }

    /// Walks through the rows as a node does: while writers go on.
    fn compact(&mut self, store: &mut Store, dice: &mut Dice) -> Result<()> {
        let mut writer = store.rotate()?;
        for key in 0..KEYS as u8 {
            if let Some(value) = self.rows(self.commits.len() as u64).get(&vec![key]) {
                writer.row(&[key], value)?;
            }
            if dice.chance(30) {
                self.append(store, dice)?;
            }
            if dice.chance(10) {
                self.floor = store.sync()?;
            }
        }
        let snapshot = writer.finish(store.last())?;
        if dice.chance(30) {
            self.append(store, dice)?;
        }
        let replaced = store.install(snapshot)?;
        if dice.chance(80) {
            replaced.remove()?;
        }
        Ok(())
    }
}
