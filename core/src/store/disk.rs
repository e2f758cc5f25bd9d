//! The disk as the store sees it: so little that a test can stand in for it and lose power wherever it likes.

use std::io;
use std::path::Path;

use crate::error::{Error, ErrorKind};

/// A disk. What is not synced may be lost, in whole or in part, in any order: bytes of files and entries of directories alike.
pub trait Disk: Send + Sync {
    /// The names in a directory, in no order; without those that are not UTF-8, which are not ours.
    fn list(&self, directory: &Path) -> io::Result<Vec<String>>;
    /// Makes a directory that only its owner may enter. Its parent is there.
    fn create_directory(&self, directory: &Path) -> io::Result<()>;
    /// Removes a directory, which is empty.
    fn remove_directory(&self, directory: &Path) -> io::Result<()>;
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn DiskFile>>;
    /// Gives a file or directory another name in the same directory, at once or not at all.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes a directory's entries last: files made, renamed and removed in it.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;
    /// Takes a lock that no other process, and nobody else in this one, has; it ends with what is returned. The file then
    /// says which process that is: this one.
    fn lock(&self, path: &Path) -> io::Result<Lock>;
}

/// A lock that was asked for.
pub enum Lock {
    Taken(Box<dyn Send + Sync>),
    /// Somebody has it: that process, where it is known.
    Held(Option<u32>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    Read,
    /// To read and to write, and there already.
    Write,
    /// To write, and not there yet. Only its owner may read it.
    New,
}

pub trait DiskFile: Send {
    fn len(&self) -> io::Result<u64>;
    /// Reads until the buffer is full or the file ends; says how much.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;
    /// Writes all of it. After an error any part of it may be there.
    fn write_at(&mut self, bytes: &[u8], at: u64) -> io::Result<()>;
    fn truncate(&mut self, len: u64) -> io::Result<()>;
    /// Makes the bytes last, and the length. Errors: `NotFound` when the file was removed meanwhile.
    fn sync(&mut self) -> io::Result<()>;
    /// Whether it still has a name. Errors: `NotFound`: it takes everything, and keeps nothing.
    fn check_named(&self) -> io::Result<()>;
    /// Whether somebody beside its owner may read it.
    fn is_open_to_others(&self) -> io::Result<bool>;
}

/// The error for a disk that refused: what was tried, with what, why, and what helps.
pub fn refused(tried: &str, path: &Path, error: &io::Error) -> Error {
    let remedy = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space, then open it again",
        io::ErrorKind::ReadOnlyFilesystem => "mount it writable, then open it again",
        io::ErrorKind::PermissionDenied => "let this user read and write there",
        io::ErrorKind::NotFound => "somebody removed it while it was in use, or it never was there",
        _ => "look after the disk, then open it again",
    };
    Error::new(ErrorKind::Storage, format!("cannot {tried} {}: {error}: {remedy}", path.display()))
}

/// The error for a file that is not as it was written. It was not changed.
pub fn corrupted(path: &Path, offset: u64, what: &str) -> Error {
    let message = format!(
        "{} is damaged at byte {offset}: {what}. Nothing was opened or changed: restore the directory from a backup, or move it \
         away and let this node take its copy from another one",
        path.display()
    );
    Error::new(ErrorKind::Corrupted, message)
}
