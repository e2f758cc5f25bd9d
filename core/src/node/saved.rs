//! Between a durable replica and the rows of its store: what changed becomes rows, and rows become a replica again.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{MAX_COMMIT_BYTES, MAX_ROW_BYTES};
use crate::replica::{Head, Origin, Replica, Restorer, Rules, Unsaved};
use crate::store::{Row, SnapshotWriter, Store};
use crate::wire::rows::{self, Row as Decoded};

/// Half of what a commit may have: a row more does not make it too large.
const COMMIT_BYTES: usize = MAX_COMMIT_BYTES / 2;

/// Adds what changed to the store, as one commit.
///
/// More than fits in one: entries come first, and what is known of origins, with what was forgotten, last. An entry that is held and
/// not claimed as seen does no harm; the other way round it would.
pub fn append(store: &mut Store, unsaved: &Unsaved) -> Result<()> {
    let (mut held, mut gone) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    for (slot, saved) in &unsaved.entries {
        let key = rows::entry_key(slot.key());
        match saved {
            None => gone.push((key, None)),
            Some(saved) => {
                let value = rows::encode_entry(saved);
                bytes += key.len() + value.len() + 8;
                held.push((key, Some(value)));
            }
        }
        if bytes > COMMIT_BYTES {
            commit(store, &std::mem::take(&mut held))?;
            bytes = 0;
        }
    }
    held.extend(gone);
    let origins = unsaved.origins.iter();
    held.extend(origins.map(|(number, known)| (rows::origin_key(*number), known.as_ref().map(rows::encode_known))));
    held.push((rows::head_key(), Some(rows::encode_head(&unsaved.head))));
    commit(store, &held)
}

fn commit(store: &mut Store, rows: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<()> {
    let rows = rows.iter().map(|(key, value)| Row { key, value: value.as_deref() });
    store.append(rows).map(|_| ())
}

/// Writes the head and what is known of origins into a snapshot; entries follow with [`snapshot_entry`].
pub fn snapshot_known(writer: &mut SnapshotWriter, head: &Head, known: &[(u32, crate::replica::Known)]) -> Result<()> {
    writer.row(&rows::head_key(), &rows::encode_head(head))?;
    known.iter().try_for_each(|(number, known)| writer.row(&rows::origin_key(*number), &rows::encode_known(known)))
}

/// Writes one entry into a snapshot.
pub fn snapshot_entry(writer: &mut SnapshotWriter, key: &[u8], entry: &crate::replica::SavedEntry) -> Result<()> {
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

    /// Takes a row. Errors: `Corrupted`, `InvalidConfig` when the map was kept with another `presence`.
    pub fn row(&mut self, directory: &Path, key: &[u8], value: &[u8]) -> Result<()> {
        match rows::decode_row(key, value).map_err(|malformed| corrupted(directory, malformed.0))? {
            Decoded::Head(head) => {
                if head.presence != self.rules.presence {
                    let (kept, asked) = (head.presence, self.rules.presence);
                    let message = format!(
                        "the map in {} was kept with `presence={kept}` and cannot be opened with `presence={asked}`: open it \
                         as it was, or destroy it first",
                        directory.display()
                    );
                    return Err(Error::new(ErrorKind::InvalidConfig, message));
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
        Ok(self.restorer.finish())
    }
}

fn corrupted(directory: &Path, what: &str) -> Error {
    let message = format!("{}: {what}: restore it from a backup, or destroy it and sync it anew", directory.display());
    Error::new(ErrorKind::Corrupted, message)
}

const _: () = assert!(COMMIT_BYTES + 2 * MAX_ROW_BYTES < MAX_COMMIT_BYTES);
