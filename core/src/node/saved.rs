//! Between a durable replica and the rows of its store: what changed becomes rows, and rows become a replica again.

use std::path::Path;
use std::thread;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{MAX_BATCH_BYTES, MAX_BATCH_ENTRIES, MAX_COMMIT_BYTES, MAX_ROW_BYTES};
use crate::replica::{
    Head, Known, Mutation, Origin, Record, Replica, Restorer, Rules, SavedEntry, Slot, Task, Unsaved, mutated, same_batch,
};
use crate::store::{Row, SnapshotWriter, Store};
use crate::wire::rows::{self, Row as Decoded};

/// Half of what a commit may have: a batch and a row more do not make it too large.
const COMMIT_BYTES: usize = MAX_COMMIT_BYTES / 2;
/// What a row takes beside key and value, generously.
const ROW_BYTES: usize = 40;

pub type Rows = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// Adds what changed to the store, as one commit.
///
/// More than fits in one: what was dropped comes first, then entries, whole batches in the order of their stamps, then what is known
/// of origins, and at last what was forgotten. An entry that is held and not claimed as seen does no harm; the other way round it
/// would. Nor does a tombstone that is there still; one that is gone and not known to be would.
pub fn append(store: &mut Store, unsaved: &Unsaved) -> Result<()> {
    commits_of(unsaved, COMMIT_BYTES, &mut |rows| commit(store, rows))
}

/// Adds one commit.
pub fn commit(store: &mut Store, rows: &Rows) -> Result<()> {
    store.append(rows.iter().map(|(key, value)| Row { key, value: value.as_deref() })).map(drop)
}

/// What changed, in commits of about that size.
pub fn commits_of(unsaved: &Unsaved, commit_bytes: usize, each: &mut dyn FnMut(&Rows) -> Result<()>) -> Result<()> {
    let mut commits = Commits { each, rows: Rows::new(), bytes: 0, most: commit_bytes };
    if mutated(Mutation::ContextSavedFirst) {
        commits.known(unsaved);
        commits.end()?;
    }
    for slot in &unsaved.dropped {
        commits.row(rows::entry_key(slot.key()), None)?;
    }
    let mut held: Vec<_> = unsaved.entries.iter().filter_map(|(slot, saved)| Some((slot, saved.as_ref()?))).collect();
    let bytes = |(slot, saved): &(&Slot, &SavedEntry)| slot.key().len() + saved.record.bytes().len() + ROW_BYTES;
    if commits.bytes + held.iter().map(bytes).sum::<usize>() > commit_bytes {
        held.sort_unstable_by_key(|(_, saved)| (saved.origin, saved.record.stamp().timestamp));
        // Entries name their origins; nothing else is said of those before the end.
        for (number, origin) in &unsaved.named {
            commits.add(rows::origin_key(*number), Some(rows::encode_known(&Known::nothing_of(origin.clone()))));
        }
    }
    let mut last: Option<&Record> = None;
    for (slot, saved) in held {
        if !last.is_some_and(|last| same_batch(last, &saved.record)) {
            commits.end_if_full()?;
        }
        commits.add(rows::entry_key(slot.key()), Some(rows::encode_entry(saved)));
        last = Some(&saved.record);
    }
    commits.known(unsaved);
    for (slot, _) in unsaved.entries.iter().filter(|(_, saved)| saved.is_none()) {
        commits.row(rows::entry_key(slot.key()), None)?;
    }
    // Nothing names them now.
    for (number, _) in unsaved.origins.iter().filter(|(_, known)| known.is_none()) {
        commits.row(rows::origin_key(*number), None)?;
    }
    commits.end()
}

/// Rows on their way into commits of about a size.
struct Commits<'a> {
    each: &'a mut dyn FnMut(&Rows) -> Result<()>,
    rows: Rows,
    bytes: usize,
    most: usize,
}

impl Commits<'_> {
    fn row(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) -> Result<()> {
        self.end_if_full()?;
        self.add(key, value);
        Ok(())
    }

    /// Adds a row to the commit that the last one is in.
    fn add(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.bytes += key.len() + value.as_ref().map_or(0, Vec::len) + ROW_BYTES;
        self.rows.push((key, value));
    }

    /// What is known of origins, in one piece.
    fn known(&mut self, unsaved: &Unsaved) {
        for (number, known) in unsaved.origins.iter().filter_map(|(number, known)| Some((number, known.as_ref()?))) {
            self.add(rows::origin_key(*number), Some(rows::encode_known(known)));
        }
        self.add(rows::head_key(), Some(rows::encode_head(&unsaved.head)));
    }

    fn end_if_full(&mut self) -> Result<()> {
        if self.bytes > self.most { self.end() } else { Ok(()) }
    }

    fn end(&mut self) -> Result<()> {
        (self.each)(&self.rows)?;
        self.rows.clear();
        self.bytes = 0;
        Ok(())
    }
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

fn corrupted(directory: &Path, what: &str) -> Error {
    let message = format!("{}: {what}: restore it from a backup, or destroy it and sync it anew", directory.display());
    Error::new(ErrorKind::Corrupted, message)
}

const _: () = assert!(COMMIT_BYTES + MAX_BATCH_BYTES + MAX_BATCH_ENTRIES * ROW_BYTES + MAX_ROW_BYTES < MAX_COMMIT_BYTES);
