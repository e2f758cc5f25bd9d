//! Snapshots: all rows of a map in one file, which takes the place of the log before it.
//!
//! A snapshot is fuzzy: its rows are read while writers go on, each at a moment of its own after its segment began. That is no
//! harm, since the log from that segment on carries every change whole, and is replayed over it: at the latest at `end`, the last
//! commit that a row may reflect, the two agree.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{Disk, DiskFile, Open, refused};
use super::files::{snapshot_name, unfinished};
use super::frame::{self, Found, Says};
use super::header::{Header, Kind};
use super::reader::{Reader, u64_at};
use super::rows::{self, Row, TakeRow};
use crate::error::Result;

/// Where a block stops taking further rows.
const BLOCK_BYTES: usize = 64 * 1024;
/// The number of the frame that says: this is all.
const END: u64 = 0;

/// Writes a snapshot: row by row, block by block, on whatever thread. Dropped before `finish`, it never was.
pub struct SnapshotWriter {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    header: Header,
    file: Box<dyn DiskFile>,
    at: u64,
    link: u64,
    block: Vec<u8>,
    blocks: u64,
    rows: u64,
    finished: bool,
}

/// A snapshot that is whole and on disk, but not in its place.
#[must_use = "it takes no place until it is installed"]
pub struct Snapshot {
    pub(super) segment: u64,
    /// The last commit that it may reflect.
    pub(super) end: u64,
    pub(super) path: PathBuf,
}

impl Snapshot {
    /// Gives it its name, which lasts when the directory is synced.
    pub(super) fn publish(&self, disk: &dyn Disk) -> io::Result<()> {
        disk.rename(&unfinished(&self.path), &self.path)
    }
}

impl SnapshotWriter {
    pub(super) fn create(disk: Arc<dyn Disk>, directory: &Path, header: Header) -> Result<Self> {
        let path = directory.join(snapshot_name(header.segment));
        let (bytes, link) = header.encode(Kind::Snapshot);
        let unfinished = unfinished(&path);
        let file = disk.open(&unfinished, Open::New).map_err(|error| refused("write", &unfinished, &error))?;
        let block = Vec::with_capacity(BLOCK_BYTES);
        let mut writer = Self { disk, path, header, file, at: 0, link, block, blocks: 0, rows: 0, finished: false };
        writer.write(&bytes)?;
        Ok(writer)
    }

    /// Adds a row as it is now. Each key once.
    ///
    /// Errors: `TooLarge`, `Storage`; the snapshot is of no use then, and the log is untouched.
    pub fn row(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let row = Row::put(key, value);
        row.check_size()?;
        if self.block.len() + row.stored_bytes() > BLOCK_BYTES {
            self.end_block()?;
        }
        if self.block.is_empty() {
            frame::begin(&mut self.block);
        }
        row.encode(&mut self.block);
        self.rows += 1;
        Ok(())
    }

    /// That was all; `end` is the last commit that any row may reflect. It is on disk when this returns.
    pub fn finish(mut self, end: u64) -> Result<Snapshot> {
        self.end_block()?;
        frame::begin(&mut self.block);
        self.block.extend_from_slice(&self.rows.to_le_bytes());
        self.block.extend_from_slice(&end.to_le_bytes());
        self.write_block(END)?;
        self.file.sync().map_err(|error| self.refused(&error))?;
        self.finished = true;
        let (segment, path) = (self.header.segment, self.path.clone());
        Ok(Snapshot { segment, end, path })
    }

    fn end_block(&mut self) -> Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        self.blocks += 1;
        self.write_block(self.blocks)
    }

    fn write_block(&mut self, number: u64) -> Result<()> {
        let mut block = std::mem::take(&mut self.block);
        let says = Says { number, goes_on: false, durable: self.header.base, previous: self.link };
        self.link = frame::finish(&mut block, 0, self.header.id, says);
        let written = self.write(&block);
        block.clear();
        self.block = block;
        written
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_at(bytes, self.at).map_err(|error| self.refused(&error))?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn refused(&self, error: &io::Error) -> crate::error::Error {
        refused("write", &unfinished(&self.path), error)
    }
}

impl Drop for SnapshotWriter {
    fn drop(&mut self) {
        if !self.finished {
            // If this fails, the next opening removes it.
            let _ = self.disk.remove(&unfinished(&self.path));
        }
    }
}

/// A snapshot to be read.
pub struct SnapshotReader {
    reader: Reader,
    pub header: Header,
    at: u64,
    link: u64,
}

impl SnapshotReader {
    pub fn open(disk: &dyn Disk, path: PathBuf) -> Result<Self> {
        let mut reader = Reader::open(disk, path)?;
        let (header, at, link) = Header::read(&mut reader, Kind::Snapshot)?;
        Ok(Self { reader, header, at, link })
    }

    /// Every row, in the order they were written. Returns `end`, and how many bytes were read.
    ///
    /// Errors: `Corrupted`: a snapshot was whole before it had its name, so nothing here can be a torn tail.
    pub fn rows(mut self, each: &mut TakeRow<'_>) -> Result<(u64, u64)> {
        let (mut rows, mut blocks) = (0, 0);
        let len = self.reader.len();
        loop {
            let (head, link, bytes, next) = match frame::read(&mut self.reader, self.header.id, self.at, self.link)? {
                Found::Frame { head, link, bytes, next } => (head, link, bytes, next),
                Found::End => return Err(self.reader.damaged(self.at, "it ends early")),
                Found::Damage(what) => return Err(self.reader.damaged(self.at, what)),
            };
            if head.says.number == END {
                if bytes.len() == 16 && u64_at(bytes, 0) == rows && next == len {
                    return Ok((u64_at(bytes, 8), next));
                }
                return Err(self.reader.damaged(self.at, "it does not end as it was written"));
            }
            blocks += 1;
            let is_good = head.says.number == blocks && rows::decode(bytes).all(|row| row.is_ok_and(|row| row.value.is_some()));
            if !is_good {
                return Err(self.reader.damaged(self.at, "a block does not hold rows"));
            }
            for row in rows::decode(bytes).flatten() {
                rows += 1;
                each(row.key, row.value.unwrap_or_default())?;
            }
            (self.at, self.link) = (next, link);
        }
    }
}
