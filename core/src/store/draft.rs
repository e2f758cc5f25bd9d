//! Files of the user's own, outside any data directory: one that is written is there whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::disk::{Disk, DiskFile, Open};
use super::os::OsDisk;

/// What gathers before it leaves for the file.
const GATHER_BYTES: usize = 64 * 1024;

/// A file that is being written beside the place where it will be. It takes that place when it is finished; dropped before, it
/// is gone. Only its owner may read it.
pub struct Draft {
    disk: Arc<dyn Disk>,
    file: Box<dyn DiskFile>,
    unfinished: PathBuf,
    path: PathBuf,
    at: u64,
    gathered: Vec<u8>,
}

impl Draft {
    /// Errors: what the disk says; `InvalidInput` when there is something at that path that is no regular file.
    pub fn create(path: &Path) -> io::Result<Self> {
        // A link stays, and what it leads to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if path.exists() {
            check_regular(&path)?;
        }
        Self::on(Arc::new(OsDisk), path)
    }

    /// One for a path that leads to a regular file, or to nothing.
    pub(super) fn on(disk: Arc<dyn Disk>, path: PathBuf) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!(".p2pmap-{}-{}.new", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let unfinished = path.with_file_name(name);
        let file = disk.open(&unfinished, Open::New)?;
        Ok(Self { disk, file, unfinished, path, at: 0, gathered: Vec::with_capacity(GATHER_BYTES) })
    }

    /// Gives it its name. It lasts when this returns.
    ///
    /// Errors: what the disk says. What was at that path is as it was; or, when only the directory could not be synced, replaced.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        self.file.sync()?;
        self.disk.rename(&self.unfinished, &self.path)?;
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        self.disk.sync_directory(directory.unwrap_or(Path::new(".")))
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= GATHER_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_at(&self.gathered, self.at)?;
        self.at += self.gathered.len() as u64;
        self.gathered.clear();
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It is not there any more when it has its name.
        let _ = self.disk.remove(&self.unfinished);
    }
}

/// A text file, to be read line by line, and once more from the start.
pub fn open_text(path: &Path) -> io::Result<impl BufRead + Seek + use<>> {
    // Before it is opened: that waits, where it is a pipe.
    check_regular(path)?;
    Ok(BufReader::new(File::open(path)?))
}

fn check_regular(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.is_file() {
        return Ok(());
    }
    Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"))
}
