//! Opening a map's directory: the newest snapshot and the log behind it become rows again, or nothing is opened at all.

use std::path::{Path, PathBuf};

use super::changed::Changed;
use super::disk::{Disk, corrupted, refused};
use super::files::{Files, log_name, snapshot_name};
use super::log::Log;
use super::rows::TakeRow;
use super::segment::Segment;
use super::snapshot::SnapshotReader;
use crate::error::Result;

/// What an opening found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The last commit that is in the rows; all before it are too.
    pub last: u64,
    pub rows: u64,
    /// Bytes read.
    pub bytes: u64,
    /// What was cut from the log's end. Never silent: it may have been a commit.
    pub cut: Option<Cut>,
}

/// A tail that was not whole: torn by a loss of power in the middle of a write, or damaged since, which nobody can tell apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    pub path: PathBuf,
    pub offset: u64,
    /// How many bytes are gone from the file, the zeros behind its end included.
    pub bytes: u64,
    pub what: &'static str,
}

/// What is needed to go on.
pub struct Opened {
    pub log: Log,
    /// The frames of the segments that are replayed beside the newest, by segment.
    pub closed: Vec<(u64, u64)>,
    pub recovered: Recovered,
}

/// Hands every row to `each`, once, as the last commit left it: those of the log first, from its end to its start. Its error ends
/// the opening, with nothing changed.
///
/// Limits: holds the log since the snapshot, 40 bytes for each of its rows, and one window of the snapshot.
pub fn open(disk: &dyn Disk, directory: &Path, name: &[u8], each: &mut TakeRow<'_>) -> Result<Opened> {
    // After the end of a process, what is seen may not be what lasts. Nothing is built on it, or removed, before it does.
    disk.sync_directory(directory).map_err(|error| refused("sync", directory, &error))?;
    let files = Files::list(disk, directory)?;
    let mut earlier = replay(disk, directory, name, &files)?;
    // Invariant: there is at least the segment that is looked for first.
    let newest = earlier.pop().expect("a segment");
    let segments = || earlier.iter().chain([&newest]);
    let bytes = segments().map(|segment| segment.at.end).sum();
    let mut recovered = Recovered { last: newest.at.last, bytes, ..Recovered::default() };
    let changed =
        Changed::new(segments().flat_map(Segment::rows), segments().map(|segment| segment.count).sum(), newest.header.id);
    for (key, value) in changed.last_first() {
        recovered.rows += 1;
        each(key, value)?;
    }
    if let Some(&number) = files.snapshots.last() {
        let first = earlier.first().unwrap_or(&newest);
        unfold(disk, directory.join(snapshot_name(number)), first, &newest, &changed, &mut recovered, each)?;
    }

    // All is well, and only now anything is changed.
    let path = newest.reader.path().to_owned();
    recovered.cut = newest.damage.map(|damage| Cut {
        path: path.clone(),
        offset: newest.at.end,
        bytes: newest.reader.len().saturating_sub(newest.at.end),
        what: damage.what,
    });
    let log = Log::resume(disk, path, newest.header.clone(), newest.at, newest.damage.is_none())?;
    for name in files.leftovers() {
        let path = directory.join(name);
        disk.remove(&path).map_err(|error| refused("remove", &path, &error))?;
    }
    let closed = earlier.iter().map(|segment| (segment.header.segment, segment.at.end)).collect();
    Ok(Opened { log, closed, recovered })
}

/// Reads the log from where it is still needed.
fn replay(disk: &dyn Disk, directory: &Path, name: &[u8], files: &Files) -> Result<Vec<Segment>> {
    let first = files.first_segment();
    let last = files.logs.last().copied().unwrap_or(first).max(first);
    let mut segments: Vec<Segment> = Vec::new();
    for number in first..=last {
        let path = directory.join(log_name(number));
        if !files.logs.contains(&number) {
            return Err(corrupted(&path, 0, "it is missing"));
        }
        let segment = Segment::read(disk, path)?;
        let header = &segment.header;
        if header.name != name {
            return Err(segment.reader.damaged(56, "it belongs to another map"));
        }
        let follows = match segments.last() {
            Some(before) => (header.id, header.base, header.link) == (before.header.id, before.at.last, before.at.link),
            None => files.snapshots.contains(&first) || (header.base, header.link) == (0, 0),
        };
        if header.segment != number || !follows {
            return Err(segment.reader.damaged(16, "it does not follow the segment before it"));
        }
        // A segment is synced before the next one is made: only the newest can have a torn tail.
        if let Some(damage) = segment.damage.filter(|damage| damage.was_durable || number < last) {
            return Err(segment.reader.damaged(segment.at.end, damage.what));
        }
        segments.push(segment);
    }
    Ok(segments)
}

/// Hands over the rows of a snapshot that no later commit changed.
fn unfold(
    disk: &dyn Disk,
    path: PathBuf,
    first: &Segment,
    newest: &Segment,
    changed: &Changed<'_>,
    recovered: &mut Recovered,
    each: &mut TakeRow<'_>,
) -> Result<()> {
    let snapshot = SnapshotReader::open(disk, path.clone())?;
    if snapshot.header != first.header {
        return Err(corrupted(&path, 16, "it does not belong to the log beside it"));
    }
    let mut rows = 0;
    let (end, bytes) = snapshot.rows(&mut |key, value| {
        if changed.contains(key) {
            return Ok(());
        }
        rows += 1;
        each(key, value)
    })?;
    // The log was synced up to there before the snapshot had its name.
    if end > newest.at.last {
        let what = newest.damage.map_or("commits are missing", |damage| damage.what);
        return Err(newest.reader.damaged(newest.at.end, what));
    }
    recovered.rows += rows;
    recovered.bytes += bytes;
    Ok(())
}
