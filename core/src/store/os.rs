//! The real disk.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::disk::{Disk, DiskFile, Lock, Open};

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
    fn lock(&self, path: &Path) -> io::Result<Lock> {
        use rustix::fs::{FlockOperation, flock};
        use rustix::io::Errno;
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        // The directory as well: somebody may have taken the file for a leftover and removed it.
        let directory = path.parent().and_then(|directory| File::open(directory).ok());
        let held = |file: &File| flock(file, FlockOperation::NonBlockingLockExclusive);
        match held(&file) {
            // Where a directory cannot be locked (NFS), the file does it alone.
            Ok(()) if directory.as_ref().map(held) != Some(Err(Errno::WOULDBLOCK)) => {}
            Ok(()) | Err(Errno::WOULDBLOCK) => return Ok(Lock::Held(running(&file))),
            Err(error) => return Err(error.into()),
        }
        // Who holds it is only for the error of others: a full disk is no reason to be without a lock.
        let _ = file.set_len(0).and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
        Ok(Lock::Taken(Box::new((file, directory))))
    }

    /// No lock, no promise: so no data directory.
    #[cfg(not(unix))]
    fn lock(&self, _path: &Path) -> io::Result<Lock> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "locking a directory is not supported on this system"))
    }
}

/// The process that a lock file names. One that has ended was there before the one that has it now, which has not said so yet.
#[cfg(unix)]
fn running(file: &File) -> Option<u32> {
    let mut text = String::new();
    file.take(20).read_to_string(&mut text).ok()?;
    let pid: i32 = text.parse().ok()?;
    let found = rustix::process::test_kill_process(rustix::process::Pid::from_raw(pid)?);
    (found != Err(rustix::io::Errno::SRCH)).then_some(pid.unsigned_abs())
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
        self.check_named()
    }

    fn check_named(&self) -> io::Result<()> {
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
