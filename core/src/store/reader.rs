//! Reading a file in passing, a window at a time.

use std::path::{Path, PathBuf};

use super::disk::{Disk, DiskFile, Open, corrupted, refused};
use crate::error::{Error, Result};

const WINDOW_BYTES: u64 = 1024 * 1024;

/// A file that is read from its start to its end, with looks ahead; or whole, to be looked at again.
///
/// Limits: holds one window, or as much as is asked for at once; never more than the file has.
pub struct Reader {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    len: u64,
    window: Vec<u8>,
    start: u64,
}

impl Reader {
    pub fn open(disk: &dyn Disk, path: PathBuf) -> Result<Self> {
        let opened = disk.open(&path, Open::Read).and_then(|file| Ok((file.len()?, file)));
        let (len, file) = opened.map_err(|error| refused("read", &path, &error))?;
        Ok(Self { file, path, len, window: Vec::new(), start: 0 })
    }

    /// Reads all of it, and keeps it.
    pub fn open_whole(disk: &dyn Disk, path: PathBuf) -> Result<Self> {
        let mut reader = Self::open(disk, path)?;
        let len = usize::try_from(reader.len).map_err(|_| reader.damaged(0, "it is too large for this machine"))?;
        reader.bytes(0, len)?;
        Ok(reader)
    }

    /// What is held now: of a file that was read whole, all of it.
    pub fn held(&self) -> &[u8] {
        &self.window
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    /// The bytes at a place; `None` when the file ends before.
    pub fn bytes(&mut self, at: u64, count: usize) -> Result<Option<&[u8]>> {
        let Some(end) = at.checked_add(count as u64).filter(|end| *end <= self.len) else {
            return Ok(None);
        };
        if at < self.start || end > self.start + self.window.len() as u64 {
            let wanted = (count as u64).max(WINDOW_BYTES).min(self.len - at);
            if self.window.capacity() < wanted as usize {
                // Its zeros cost nothing: the system has them ready.
                self.window = vec![0; wanted as usize];
            }
            self.window.resize(wanted as usize, 0);
            self.start = at;
            let read = self.file.read_at(&mut self.window, at).map_err(|error| refused("read", &self.path, &error))?;
            self.window.truncate(read);
            if read < count {
                return Err(self.damaged(at + read as u64, "it became shorter while it was read"));
            }
        }
        let from = (at - self.start) as usize;
        Ok(Some(&self.window[from..from + count]))
    }

    /// Whether there is nothing but zeros from here to the end.
    pub fn is_zero_from(&mut self, mut at: u64) -> Result<bool> {
        while at < self.len {
            let count = (self.len - at).min(WINDOW_BYTES) as usize;
            if self.bytes(at, count)?.is_some_and(|bytes| bytes.iter().any(|byte| *byte != 0)) {
                return Ok(false);
            }
            at += count as u64;
        }
        Ok(true)
    }

    pub fn damaged(&self, offset: u64, what: &str) -> Error {
        corrupted(&self.path, offset, what)
    }
}

/// A number at a place that the caller knows to be there.
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(bytes, at))
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

/// How many bytes fill up to the next multiple of eight.
pub fn padding(count: usize) -> usize {
    count.next_multiple_of(8) - count
}
