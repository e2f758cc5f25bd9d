//! Between a durable replica and the rows of its store: what changed becomes rows, and rows become a replica again.

use std::path::Path;
use std::thread;

use crate::error::{Error, ErrorKind, Result};
use crate::replica::{Head, Known, Mutation, Origin, Replica, Restorer, Rules, SavedEntry, Task, Unsaved, mutated};
use crate::store::{SnapshotWriter, Store};
use crate::wire::rows::{self, Row as Decoded};

/// Adds what changed to the store, as one commit: it is found again whole or not at all.
pub fn append(store: &mut Store, unsaved: &Unsaved) -> Result<()> {
    if mutated(Mutation::ContextSavedFirst) {
        store.append(known_rows(unsaved))?;
    }
    store.append(changed_rows(unsaved).chain(known_rows(unsaved))).map(drop)
}

/// A row's key, and its value unless it is removed.
type OwnedRow = (Vec<u8>, Option<Vec<u8>>);

/// Entries that changed, and those that are there no more.
fn changed_rows(unsaved: &Unsaved) -> impl Iterator<Item = OwnedRow> {
    let changed =
        unsaved.entries.iter().map(|(slot, saved)| (rows::entry_key(slot.key()), saved.as_ref().map(rows::encode_entry)));
    let dropped = unsaved.dropped.iter().map(|slot| (rows::entry_key(slot.key()), None));
    changed.chain(dropped)
}

/// What is known of origins, and of all of them.
fn known_rows(unsaved: &Unsaved) -> impl Iterator<Item = OwnedRow> {
    let origins = unsaved.origins.iter();
    let origins = origins.map(|(number, known)| (rows::origin_key(*number), known.as_ref().map(rows::encode_known)));
    origins.chain([(rows::head_key(), Some(rows::encode_head(&unsaved.head)))])
}

/// Writes the head and what is known of origins into a snapshot; entries follow with [`snapshot_entry`].
pub fn snapshot_known(writer: &mut SnapshotWriter, head: &Head, known: &[(u32, Known)]) -> Result<()> {
    writer.row(&rows::head_key(), &rows::encode_head(head))?;
    known.iter().try_for_each(|(number, known)| writer.row(&rows::origin_key(*number), &rows::encode_known(known)))
}

/// Writes one entry into a snapshot.
pub fn snapshot_entry(writer: &mut SnapshotWriter, key: &[u8], entry: &SavedEntry) -> Result<()> {
    writer.row(&rows::entry_key(key), &rows::encode_entry(entry))
}

/// A replica that is being read from its store.
pub struct Loading {
    restorer: Restorer,
    rules: Rules,
    /// Entries whose origin has not come yet.
    waiting: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Loading {
    /// See [`Restorer::new`].
    pub fn new(origin: Origin, rules: Rules, now_ms: u64) -> Self {
        Self { restorer: Restorer::new(origin, rules, now_ms), rules, waiting: Vec::new() }
    }

    /// Takes a row. Errors: `Corrupted`, `InvalidConfig` when the map was kept with another `presence` or `signed`.
    pub fn row(&mut self, directory: &Path, key: &[u8], value: &[u8]) -> Result<()> {
        match rows::decode_row(key, value).map_err(|malformed| corrupted(directory, malformed.0))? {
            Decoded::Head(head) => {
                if head.presence != self.rules.presence {
                    return Err(kept_otherwise(directory, "presence", head.presence));
                }
                if head.signed != self.rules.signed {
                    return Err(kept_otherwise(directory, "signed", head.signed));
                }
                self.restorer.head(&head);
            }
            Decoded::Origin(number, known) => self.restorer.origin(number, known),
            Decoded::Entry(entry) => {
                if !self.restorer.entry(&entry) {
                    self.waiting.push((key.to_vec(), value.to_vec()));
                }
            }
        }
        Ok(())
    }

    /// Errors: `Corrupted` when an entry's origin never came.
    pub fn finish(mut self, directory: &Path) -> Result<Replica> {
        for (key, value) in std::mem::take(&mut self.waiting) {
            let taken = matches!(rows::decode_row(&key, &value), Ok(Decoded::Entry(entry)) if self.restorer.entry(&entry));
            if !taken {
                return Err(corrupted(directory, "an entry names an origin that is not there"));
            }
        }
        Ok(self.restorer.finish(both))
    }
}

/// Runs both at once, if there is a thread to be had.
fn both(one: Task<'_>, other: Task<'_>) {
    let started = thread::scope(|scope| {
        let started = thread::Builder::new().name("p2pmap-load".to_owned()).spawn_scoped(scope, &mut *one).is_ok();
        other();
        started
    });
    if !started {
        one();
    }
}

fn kept_otherwise(directory: &Path, option: &str, kept: bool) -> Error {
    let (directory, asked) = (directory.display(), !kept);
    let message = format!(
        "the map in {directory} was kept with `{option}={kept}` and cannot be opened with `{option}={asked}`: open it as it was, \
         or destroy it first"
    );
    Error::new(ErrorKind::InvalidConfig, message)
}

fn corrupted(directory: &Path, what: &str) -> Error {
    let message = format!("{}: {what}: restore it from a backup, or destroy it and sync it anew", directory.display());
    Error::new(ErrorKind::Corrupted, message)
}
