//! A node's disk: the real store, on a disk that loses power, written and read as the real node does it; and what was on it at every
//! commit, so that what is found is known to be one of those states.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use super::node::Node;
use super::oracle::{Key, Writes};
use crate::dice::Dice;
use crate::error::Result;
use crate::node::saved::{self, Loading};
use crate::replica::{Lasting, Origin, Replica, Rules, SavedEntry, Timestamp};
use crate::store::fault::{Fault, FaultDisk};
use crate::store::tests::data_dir;
use crate::store::{DataDir, Snapshot, SnapshotWriter, Store};

const MAP: &[u8] = b"map";

/// When a write counts as made, and what was cut may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// At once; it is saved later.
    Async,
    /// When it is saved.
    Sync,
}

/// How far what is saved goes.
#[derive(Clone, Copy, Debug)]
pub enum Save {
    /// It gathers in the process.
    Gather,
    /// To the system: it survives the process.
    Write,
    /// To the disk: it survives a loss of power.
    Sync,
}

/// How a life ends that does not close its map.
#[derive(Clone, Copy, Debug)]
pub enum End {
    Killed,
    PowerLost,
}

/// A node when it was saved.
#[derive(Clone, Debug, Default)]
pub struct Image {
    pub lasting: Lasting,
    pub seen: Writes,
    pub covered: Writes,
    pub newest: Timestamp,
    pub newest_heard: Timestamp,
}

pub struct NodeDisk {
    pub durability: Durability,
    disk: FaultDisk,
    running: Option<Running>,
    /// What each commit left on the disk, from the last one that lasts on.
    images: BTreeMap<u64, Image>,
    /// A loss of power is planned.
    pub doomed: bool,
    /// What somebody was told, when it was to last by then.
    pub promised: Writes,
    /// The newest epoch that was used.
    pub last_epoch: u64,
}

struct Running {
    store: Store,
    compaction: Compaction,
    _dir: DataDir,
}

enum Compaction {
    None,
    Walk { writer: Box<SnapshotWriter>, numbers: HashMap<Origin, u32>, after: Option<Key> },
    Whole(Snapshot),
}

/// What an opening found.
pub struct Found {
    pub replica: Replica,
    /// The last commit.
    pub last: u64,
    /// A part of a commit after it was there too.
    pub is_cut: bool,
}

impl NodeDisk {
    pub fn new(durability: Durability, seed: u64) -> Self {
        Self {
            durability,
            disk: FaultDisk::new(seed),
            running: None,
            images: BTreeMap::from([(0, Image::default())]),
            doomed: false,
            promised: Writes::default(),
            last_epoch: 0,
        }
    }

    /// The power fails after so many operations.
    pub fn doom(&mut self, after: u64) {
        self.doomed = true;
        self.disk.plan(after, Fault::Power);
    }

    /// It does not fail any more, unless it has.
    pub fn spare(&mut self) {
        self.doomed = false;
        self.disk.plan(u64::MAX / 2, Fault::Power);
    }

    /// The process is gone, and with it what it had not handed on.
    pub fn end(&mut self, how: End, seed: u64) {
        // What ends does not tidy up: the disk is looked at first.
        self.disk = match how {
            End::Killed => self.disk.after_kill(),
            End::PowerLost => self.disk.after_power_loss(seed),
        };
        self.running = None;
        self.doomed = false;
    }

    /// Reads the map, and forgets what was not found of what was known of it.
    pub fn open(&mut self, origin: Origin, rules: Rules, now_ms: u64) -> Result<Found> {
        let dir = data_dir(&self.disk)?;
        let path = dir.path().to_owned();
        let mut loading = Loading::new(origin, rules, now_ms);
        let (store, found) = dir.open_map(MAP, 0x51AE, &mut |key, value| loading.row(&path, key, value))?;
        let replica = loading.finish(&path)?;
        self.running = Some(Running { store, compaction: Compaction::None, _dir: dir });
        Ok(Found { replica, last: found.last, is_cut: found.cut.is_some() })
    }

    /// The state that a commit left. What came after it is lost.
    pub fn image(&mut self, last: u64) -> Option<Image> {
        self.images.split_off(&(last + 1));
        self.images.get(&last).cloned()
    }

    fn lasts(&mut self, durable: u64) {
        self.images = self.images.split_off(&durable);
    }
}

impl Node {
    /// Saves what changed, as far as that, in pieces of about that size. Errors: the power failed.
    pub fn save(&mut self, how: Save, piece_bytes: usize) -> Result<()> {
        let image = Image {
            lasting: self.replica.lasting(),
            seen: self.seen.clone(),
            covered: self.covered.clone(),
            newest: self.newest,
            newest_heard: self.newest_heard,
        };
        let Some(disk) = &mut self.disk else { return Ok(()) };
        let Some(Running { store, .. }) = &mut disk.running else { return Ok(()) };
        if let Some(unsaved) = self.replica.take_unsaved() {
            // It may be found also where the power fails before this returns.
            disk.images.insert(store.last() + 1, image);
            store.set_piece_bytes(piece_bytes);
            saved::append(store, &unsaved)?;
        }
        match how {
            Save::Gather => return Ok(()),
            Save::Write => return store.write(),
            Save::Sync => store.sync()?,
        };
        let durable = store.durable();
        disk.lasts(durable);
        Ok(())
    }

    /// Goes on with a compaction for a little, or begins one; whether one has come to its end. Errors: the power failed.
    pub fn compact(&mut self, dice: &mut Dice) -> Result<bool> {
        let Some(Running { store, compaction, .. }) = self.disk.as_mut().and_then(|disk| disk.running.as_mut()) else {
            return Ok(false);
        };
        let next = match std::mem::replace(compaction, Compaction::None) {
            Compaction::None => {
                let mut writer = Box::new(store.rotate()?);
                let (head, known) = self.replica.numbered();
                saved::snapshot_known(&mut writer, &head, &known)?;
                let numbers = known.into_iter().map(|(number, known)| (known.origin, number)).collect();
                Compaction::Walk { writer, numbers, after: None }
            }
            Compaction::Walk { mut writer, numbers, mut after } => {
                let mut left = dice.between(1, 4);
                let from = after.clone().map_or(Bound::Unbounded, Bound::Excluded);
                let mut rows = Vec::new();
                self.replica.index().visit((from.as_ref().map(Vec::as_slice), Bound::Unbounded), false, |slot, record| {
                    rows.push((slot.key().to_vec(), record));
                    left -= 1;
                    left > 0
                });
                for (key, record) in &rows {
                    // One whose origin has no number yet is in the log.
                    if let Some(&origin) = numbers.get(&record.stamp().origin) {
                        saved::snapshot_entry(&mut writer, key, &SavedEntry { origin, record: record.clone() })?;
                    }
                }
                match rows.pop() {
                    Some((key, _)) => {
                        after = Some(key);
                        Compaction::Walk { writer, numbers, after }
                    }
                    // All that the walk may have seen is in the log before the snapshot counts.
                    None => {
                        self.save(Save::Gather, usize::MAX)?;
                        let last = self.store().map_or(0, |store| store.last());
                        Compaction::Whole(writer.finish(last)?)
                    }
                }
            }
            Compaction::Whole(snapshot) => {
                let replaced = store.install(snapshot)?;
                if dice.chance(80) {
                    replaced.remove()?;
                }
                return Ok(true);
            }
        };
        if let Some(running) = self.disk.as_mut().and_then(|disk| disk.running.as_mut()) {
            running.compaction = next;
        }
        Ok(false)
    }

    /// Saves everything, and closes the map. Errors: the power failed.
    pub fn close(&mut self) -> Result<()> {
        self.save(Save::Sync, usize::MAX)?;
        match self.disk.as_mut().and_then(|disk| disk.running.take()) {
            Some(Running { store, .. }) => store.close(),
            None => Ok(()),
        }
    }

    fn store(&self) -> Option<&Store> {
        self.disk.as_ref()?.running.as_ref().map(|running| &running.store)
    }
}
