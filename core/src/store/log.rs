//! The log's newest segment, as it is written: commits gather in memory, leave in one piece, and are synced together.

use std::io;
use std::path::{Path, PathBuf};

use super::disk::{Disk, DiskFile, Open, refused};
use super::files::{log_name, unfinished};
use super::frame::{self, Says};
use super::header::{Header, Kind};
use super::rows::ToRow;
use crate::error::{Error, Result};

/// What gathers before it leaves for the file by itself, and about what a frame holds: a larger commit is of several.
const PIECE_BYTES: usize = 1024 * 1024;
/// How far a log grows at once, at most: it is filled with zeros ahead, so that a sync need not write a new length.
const MAX_GROWTH_BYTES: u64 = 1024 * 1024;
/// The zeros that end a log.
const END_BYTES: u64 = 8;

/// Where a log stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The last commit.
    pub last: u64,
    /// The link of its frame, or of the mark after it.
    pub link: u64,
    /// Where its frame ends in the file.
    pub end: u64,
}

/// One segment, open at its end.
pub struct Log {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    header: Header,
    /// What was appended, of which all but the last `gathered` is in the file.
    at: Position,
    gathered: Vec<u8>,
    piece_bytes: usize,
    /// The file's length: frames, then zeros.
    len: u64,
    durable: u64,
    /// Why nothing is written any more.
    failed: Option<Error>,
}

impl Log {
    /// Makes a segment, whole and lasting, under a name that the next opening removes; `publish` gives it its own.
    pub fn prepare(disk: &dyn Disk, directory: &Path, header: Header) -> Result<Self> {
        let path = directory.join(log_name(header.segment));
        let unfinished = unfinished(&path);
        let (mut bytes, link) = header.encode(Kind::Log);
        let at = Position { last: header.base, link, end: bytes.len() as u64 };
        let len = (at.end + END_BYTES).next_multiple_of(u64::from(header.extent));
        bytes.resize(len as usize, 0);
        let write = || -> io::Result<Box<dyn DiskFile>> {
            let mut file = disk.open(&unfinished, Open::New)?;
            file.write_at(&bytes, 0)?;
            file.sync()?;
            Ok(file)
        };
        let file = write().map_err(|error| {
            // If this fails too, the next opening removes it.
            let _ = disk.remove(&unfinished);
            refused("write", &unfinished, &error)
        })?;
        Ok(Self {
            file,
            path,
            at,
            gathered: Vec::new(),
            piece_bytes: PIECE_BYTES,
            len,
            durable: header.base,
            failed: None,
            header,
        })
    }

    /// Errors: `Storage`; whether the segment has its name is then not known.
    pub fn publish(&self, disk: &dyn Disk, directory: &Path) -> Result<()> {
        disk.rename(&unfinished(&self.path), &self.path)
            .and_then(|()| disk.sync_directory(directory))
            .map_err(|error| refused("write", &self.path, &error))
    }

    /// Goes on after the last good frame of a segment; what is behind it goes. Everything before lasts when this returns.
    pub fn resume(disk: &dyn Disk, path: PathBuf, header: Header, at: Position, is_clean: bool) -> Result<Self> {
        let mut len = 0;
        let mut write = || -> io::Result<Box<dyn DiskFile>> {
            let mut file = disk.open(&path, Open::Write)?;
            len = file.len()?;
            if !is_clean {
                len = (at.end + END_BYTES).next_multiple_of(u64::from(header.extent));
                file.truncate(at.end)?;
                file.write_at(&vec![0; (len - at.end) as usize], at.end)?;
            }
            file.sync()?;
            Ok(file)
        };
        let file = write().map_err(|error| refused("write", &path, &error))?;
        Ok(Self { file, path, at, gathered: Vec::new(), piece_bytes: PIECE_BYTES, len, durable: at.last, failed: None, header })
    }

    /// Takes a commit in, of any size. Returns its number.
    ///
    /// Errors: `TooLarge` for a row that does not fit in a frame, with nothing changed, or, once a part of the commit has left, as
    /// an error of `write`; `Storage` as in `write`.
    pub fn append<R: ToRow>(&mut self, rows: impl IntoIterator<Item = R>) -> Result<u64> {
        self.check()?;
        let before = self.at;
        let number = before.last + 1;
        let mut at = frame::begin(&mut self.gathered);
        for row in rows {
            let row = row.to_row();
            if let Err(error) = row.check_size() {
                self.take_back(before, at, &error);
                return Err(error);
            }
            let held = self.gathered.len() - at - frame::HEAD_BYTES;
            if held > 0 && held + row.stored_bytes() > self.piece_bytes {
                self.finish_frame(at, number, true);
                self.write_a_piece()?;
                at = frame::begin(&mut self.gathered);
            }
            row.encode(&mut self.gathered);
        }
        if self.gathered.len() - at == frame::HEAD_BYTES {
            // Nothing to say is nothing to write.
            self.gathered.truncate(at);
            return Ok(self.at.last);
        }
        self.finish_frame(at, number, false);
        self.at.last = number;
        self.write_a_piece()?;
        Ok(number)
    }

    /// The commit that was begun is none.
    fn take_back(&mut self, before: Position, at: usize, error: &Error) {
        let begun = (self.at.end - before.end) as usize;
        match at.checked_sub(begun) {
            Some(start) => {
                self.gathered.truncate(start);
                self.at = before;
            }
            None => self.failed = Some(error.clone()),
        }
    }

    fn write_a_piece(&mut self) -> Result<()> {
        if self.gathered.len() >= self.piece_bytes { self.write() } else { Ok(()) }
    }

    #[cfg(test)]
    pub fn set_piece_bytes(&mut self, piece_bytes: usize) {
        self.piece_bytes = piece_bytes;
    }

    /// Hands what was appended to the system: after that it survives the end of the process, not yet that of the machine.
    ///
    /// Errors: `Storage`, now and at every later call: what was not synced may or may not be found when the map is opened again.
    pub fn write(&mut self) -> Result<()> {
        self.check()?;
        if self.gathered.is_empty() {
            return Ok(());
        }
        let (from, old_len) = (self.at.end - self.gathered.len() as u64, self.len);
        if self.at.end + END_BYTES > self.len {
            let growth = self.len.min(MAX_GROWTH_BYTES);
            self.len = (self.at.end + END_BYTES + growth).next_multiple_of(u64::from(self.header.extent));
            self.gathered.resize((self.len - from) as usize, 0);
        }
        let written = self.file.write_at(&self.gathered, from);
        self.gathered.clear();
        // One large commit need not be remembered by its buffer.
        self.gathered.shrink_to(2 * PIECE_BYTES);
        written.map_err(|error| {
            // Leave the file as it was, as well as it lets us; the next opening cuts what stays.
            let _ = self.file.truncate(old_len);
            let _ = self.file.write_at(&vec![0; (old_len - from) as usize], from);
            self.fail(&error)
        })
    }

    /// Makes everything appended last. Returns the last commit.
    ///
    /// Errors: as in `write`. After a sync that failed nobody knows what is on disk, so there is no second try.
    pub fn sync(&mut self) -> Result<u64> {
        self.write()?;
        if self.durable < self.at.last {
            self.file.sync().map_err(|error| self.fail(&error))?;
            self.durable = self.at.last;
        }
        Ok(self.durable)
    }

    /// Syncs, and says so in the file: whatever is damaged later was whole, and is not taken for a torn tail.
    pub fn seal(&mut self) -> Result<()> {
        self.sync()?;
        let at = frame::begin(&mut self.gathered);
        self.finish_frame(at, self.at.last, false);
        self.write()?;
        self.file.sync().map_err(|error| self.fail(&error))
    }

    /// The segment after this one, which is synced first and not written any more.
    ///
    /// Errors: `Storage`. If the disk had no room for the segment this one goes on, and that is all; otherwise as in `write`.
    pub fn next(&mut self, disk: &dyn Disk, directory: &Path) -> Result<Self> {
        self.sync()?;
        let (segment, base, link) = (self.header.segment + 1, self.at.last, self.at.link);
        let next = Self::prepare(disk, directory, Header { segment, base, link, ..self.header.clone() })?;
        // A segment that may be there must not be contradicted by this one.
        next.publish(disk, directory).inspect_err(|error| self.failed = Some(error.clone()))?;
        Ok(next)
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    pub fn last(&self) -> u64 {
        self.at.last
    }

    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// How much of it are frames.
    pub fn bytes(&self) -> u64 {
        self.at.end
    }

    /// Whether the file is still where it was: nobody misses it before something is written. Errors: as in `write`.
    pub fn look(&mut self) -> Result<()> {
        self.check()?;
        self.file.check_named().map_err(|error| self.fail(&error))
    }

    pub fn check(&self) -> Result<()> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    fn finish_frame(&mut self, at: usize, number: u64, goes_on: bool) {
        let says = Says { number, goes_on, durable: self.durable, previous: self.at.link };
        self.at.link = frame::finish(&mut self.gathered, at, self.header.id, says);
        self.at.end += (self.gathered.len() - at) as u64;
    }

    fn fail(&mut self, error: &io::Error) -> Error {
        let error = refused("write", &self.path, error);
        self.failed = Some(error.clone());
        error
    }
}
