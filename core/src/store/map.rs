//! One durable map: commits go in, and come back as rows.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::dir::Held;
use super::disk::{Disk, refused};
use super::files::Files;
use super::log::Log;
use super::recovery::Opened;
use super::rows::ToRow;
use super::snapshot::{Snapshot, SnapshotWriter};
use crate::error::{Error, ErrorKind, Result};

/// A log that is smaller than this is not worth a snapshot.
const MIN_LOG_BYTES: u64 = 4 * 1024 * 1024;

/// A log that is so many times larger than one that is worth a snapshot is too large.
const OVERGROWN: u64 = 4;

/// A map on disk, opened.
///
/// Commits are atomic, numbered without gaps, and found again in that order up to some last one, which is at least the one that
/// the last `sync` returned.
///
/// Dropped without `close`, what only gathered is lost, as when the process ends.
///
/// Threads: one at a time. A snapshot is written on any other meanwhile.
/// Errors: after a write or a sync that failed every later call fails with the same `Storage` error: nobody knows what is on
/// disk. Opening the map again finds out; what was synced is there.
pub struct Store {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    log: Log,
    /// Earlier segments that no snapshot replaces yet, with their bytes.
    closed: Vec<(u64, u64)>,
    _held: Held,
}

impl Store {
    pub(super) fn new(disk: Arc<dyn Disk>, directory: PathBuf, opened: Opened, held: Held) -> Self {
        Self { disk, directory, log: opened.log, closed: opened.closed, _held: held }
    }

    /// Adds a commit, of any size; returns its number. It leaves for the file with `write` or `sync`, or when much has gathered.
    /// Without rows it is none, and the number that of the last.
    ///
    /// Errors: `TooLarge` for a row of more than 64 MiB; `Storage`.
    pub fn append<R: ToRow>(&mut self, rows: impl IntoIterator<Item = R>) -> Result<u64> {
        self.log.append(rows)
    }

    /// Has commits leave in smaller pieces.
    #[cfg(test)]
    pub fn set_piece_bytes(&mut self, piece_bytes: usize) {
        self.log.set_piece_bytes(piece_bytes);
    }

    /// Hands what was appended to the system: it survives the end of this process from then on.
    pub fn write(&mut self) -> Result<()> {
        self.log.write()
    }

    /// Makes everything appended survive a loss of power. Returns the last commit.
    ///
    /// Cost: one fdatasync, however much was appended.
    pub fn sync(&mut self) -> Result<u64> {
        self.log.sync()
    }

    /// The last commit appended.
    pub fn last(&self) -> u64 {
        self.log.last()
    }

    /// The last commit that a loss of power cannot take.
    #[cfg(test)]
    pub fn durable(&self) -> u64 {
        self.log.durable()
    }

    /// What the log takes that an opening would have to replay.
    pub fn log_bytes(&self) -> u64 {
        self.log.bytes() + self.closed.iter().map(|(_, bytes)| bytes).sum::<u64>()
    }

    /// Whether a snapshot would pay: the log is larger than the rows that it changed, and large at all.
    pub fn should_compact(&self, live_bytes: u64) -> bool {
        self.log_bytes() > live_bytes.max(MIN_LOG_BYTES)
    }

    /// Whether commits come faster than a snapshot can be written. Who lets writers wait for it then keeps the disk bounded
    /// whatever they do.
    pub fn is_overgrown(&self, live_bytes: u64) -> bool {
        self.log_bytes() > OVERGROWN * live_bytes.max(MIN_LOG_BYTES)
    }

    /// Starts a compaction: syncs, and begins a new segment of the log. The caller then hands the writer every row, as each is at
    /// some moment after this call, on any thread and at any pace, while commits go on here; and brings the snapshot to `install`.
    ///
    /// Errors: `Storage`. If only room was missing for the new segment, the store goes on as before: `check` tells.
    pub fn rotate(&mut self) -> Result<SnapshotWriter> {
        let next = self.log.next(&*self.disk, &self.directory)?;
        let before = std::mem::replace(&mut self.log, next);
        self.closed.push((before.header().segment, before.bytes()));
        SnapshotWriter::create(self.disk.clone(), &self.directory, self.log.header().clone())
    }

    /// Puts a snapshot in its place, once the log lasts up to its end. What it replaces is returned, to be removed at leisure.
    ///
    /// Errors: `Internal` when the snapshot claims commits that there are not; `Storage`, which leaves both the snapshot and what
    /// it would replace, and the store as it was unless the sync failed.
    pub fn install(&mut self, snapshot: Snapshot) -> Result<Replaced> {
        if snapshot.end > self.log.last() {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("a snapshot up to commit {} of {}", snapshot.end, self.log.last()),
            ));
        }
        if snapshot.end > self.log.durable() {
            self.log.sync()?;
        }
        snapshot
            .publish(&*self.disk)
            .and_then(|()| self.disk.sync_directory(&self.directory))
            .map_err(|error| refused("write", &snapshot.path, &error))?;
        self.closed.retain(|(segment, _)| *segment >= snapshot.segment);
        let names = Files::list(&*self.disk, &self.directory)?.leftovers();
        let paths = names.into_iter().map(|name| self.directory.join(name)).collect();
        Ok(Replaced { disk: self.disk.clone(), paths })
    }

    /// Whether what was written is still there, or was removed meanwhile. Errors: `Storage`, which ends this store.
    ///
    /// Cost: one call of the system, which does not wait for the disk.
    pub fn look(&mut self) -> Result<()> {
        self.log.look()
    }

    /// The error that ended this store, if one did.
    pub fn check(&self) -> Result<()> {
        self.log.check()
    }

    /// Syncs, and marks the log as whole: damage to it is then never taken for a torn tail.
    pub fn close(mut self) -> Result<()> {
        self.log.seal()
    }
}

/// Files that a snapshot has replaced. Where they are not removed, the next opening does it.
#[must_use = "they take room until they are removed"]
pub struct Replaced {
    disk: Arc<dyn Disk>,
    paths: Vec<PathBuf>,
}

impl Replaced {
    /// Cost: freeing large files can take milliseconds; any thread will do.
    pub fn remove(self) -> Result<()> {
        for path in &self.paths {
            match self.disk.remove(path) {
                // What an earlier snapshot had replaced, and is removed at leisure elsewhere.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed.map_err(|error| refused("remove", path, &error))?,
            }
        }
        Ok(())
    }
}
