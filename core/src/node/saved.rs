//! Between a durable replica and the rows of its store: what changed becomes rows, and rows become a replica again.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{MAX_BATCH_BYTES, MAX_BATCH_ENTRIES, MAX_COMMIT_BYTES, MAX_ROW_BYTES};
use crate::replica::{
    Head, Known, Mutation, Origin, Record, Replica, Restorer, Rules, SavedEntry, Slot, Unsaved, mutated, same_batch,
};
use crate::store::{Row, SnapshotWriter, Store};
use crate::wire::rows::{self, Row as Decoded};

/// Half of what a commit may have: a batch and a row more do not make it too large.
const COMMIT_BYTES: usize = MAX_COMMIT_BYTES / 2;
/// What a row takes beside key and value, generously.
const ROW_BYTES: usize = 40;

type Rows = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// Adds what changed to the store, as one commit.
///
/// More than fits in one: entries come first, whole batches in the order of their stamps, and what is known of origins, with what was
/// forgotten, last. An entry that is held and not claimed as seen does no harm; the other way round it would.
pub fn append(store: &mut Store, unsaved: &Unsaved) -> Result<()> {
    append_in(store, unsaved, COMMIT_BYTES)
}

/// The same, in commits of about that size.
pub fn append_in(store: &mut Store, unsaved: &Unsaved, commit_bytes: usize) -> Result<()> {
    if mutated(Mutation::ContextSavedFirst) {
        commit(store, &known_rows(unsaved))?;
    }
    let mut held: Vec<_> = unsaved.entries.iter().filter_map(|(slot, saved)| Some((slot, saved.as_ref()?))).collect();
    let bytes = |slot: &Slot, saved: &SavedEntry| slot.key().len() + saved.record.bytes().len() + ROW_BYTES;
    let mut rows = Rows::new();
    if held.iter().map(|(slot, saved)| bytes(slot, saved)).sum::<usize>() > commit_bytes {
        held.sort_unstable_by_key(|(_, saved)| (saved.origin, saved.record.stamp().timestamp));
        // Entries name their origins; nothing else is said of those before the end.
        let named = unsaved.named.iter().map(|(number, origin)| (*number, Known::nothing_of(origin.clone())));
        rows.extend(named.map(|(number, known)| (rows::origin_key(number), Some(rows::encode_known(&known)))));
    }
    let mut size = 0;
    let mut last: Option<&Record> = None;
    for (slot, saved) in held {
        if size > commit_bytes && !last.is_some_and(|last| same_batch(last, &saved.record)) {
            commit(store, &std::mem::take(&mut rows))?;
            size = 0;
        }
        size += bytes(slot, saved);
        rows.push((rows::entry_key(slot.key()), Some(rows::encode_entry(saved))));
        last = Some(&saved.record);
    }
    let gone = unsaved.entries.iter().filter(|(_, saved)| saved.is_none());
    rows.extend(gone.map(|(slot, _)| (rows::entry_key(slot.key()), None)));
    rows.extend(known_rows(unsaved));
    commit(store, &rows)
}

fn known_rows(unsaved: &Unsaved) -> Rows {
    let origins = unsaved.origins.iter();
    let mut rows: Rows =
        origins.map(|(number, known)| (rows::origin_key(*number), known.as_ref().map(rows::encode_known))).collect();
    rows.push((rows::head_key(), Some(rows::encode_head(&unsaved.head))));
    rows
}

fn commit(store: &mut Store, rows: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<()> {
    let rows = rows.iter().map(|(key, value)| Row { key, value: value.as_deref() });
    store.append(rows).map(|_| ())
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

const _: () = assert!(COMMIT_BYTES + MAX_BATCH_BYTES + MAX_BATCH_ENTRIES * ROW_BYTES + MAX_ROW_BYTES < MAX_COMMIT_BYTES);
