//! The real disk.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::disk::{Disk, DiskFile, Open};

/// The file system of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsDisk;

impl Disk for OsDisk {
    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn create_directory(&self, directory: &Path) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(directory)
    }

    fn remove_directory(&self, directory: &Path) -> io::Result<()> {
        std::fs::remove_dir(directory)
    }

    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(how != Open::Read).create_new(how == Open::New);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Box::new(OsFile(options.open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    #[cfg(unix)]
    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        File::open(directory)?.sync_all()
    }

    /// Elsewhere a directory cannot be opened as a file, and its entries last by themselves.
    #[cfg(not(unix))]
    fn sync_directory(&self, _directory: &Path) -> io::Result<()> {
        Ok(())
    }

    #[cfg(unix)]
    fn lock(&self, path: &Path, holder: &str) -> io::Result<Option<Box<dyn Send + Sync>>> {
        use rustix::fs::{FlockOperation, flock};
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        // Who holds it is only for the error of others: a full disk is no reason to be without a lock.
        let _ = file.set_len(0).and_then(|()| file.write_all(holder.as_bytes()));
        Ok(Some(Box::new(file)))
    }

    /// No lock, no promise: so no data directory.
    #[cfg(not(unix))]
    fn lock(&self, _path: &Path, _holder: &str) -> io::Result<Option<Box<dyn Send + Sync>>> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "locking a directory is not supported on this system"))
    }
}

struct OsFile(File);

impl DiskFile for OsFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, mut buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let mut file = &self.0;
        file.seek(SeekFrom::Start(at))?;
        let mut read = 0;
        while !buffer.is_empty() {
            match file.read(buffer) {
                Ok(0) => break,
                Ok(more) => {
                    read += more;
                    buffer = &mut buffer[more..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    fn write_at(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.0.seek(SeekFrom::Start(at))?;
        self.0.write_all(bytes)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        // The length with it: fdatasync writes what is needed to read the bytes again.
        self.0.sync_data()?;
        // A file that has no name any more takes everything and keeps nothing.
        #[cfg(unix)]
        if std::os::unix::fs::MetadataExt::nlink(&self.0.metadata()?) == 0 {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(())
    }

    fn is_open_to_others(&self) -> io::Result<bool> {
        #[cfg(unix)]
        return Ok(std::os::unix::fs::PermissionsExt::mode(&self.0.metadata()?.permissions()) & 0o077 != 0);
        #[cfg(not(unix))]
        return Ok(false);
    }
}
