//! The node's secret key, in a file that nobody else may read.

use std::io;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use super::dir::DataDir;
use super::disk::{Disk, Open, corrupted, refused};
use super::files::unfinished;
use super::header::{Kind, check_start, start};
use super::os::OsDisk;
use super::reader::{Reader, u64_at};
use crate::error::{Error, ErrorKind, Result};

const IDENTITY: &str = "identity";
const KEY_BYTES: usize = 32;

/// Where the key of a data directory's node is kept.
pub fn identity_file(dir: &Path) -> PathBuf {
    dir.join(IDENTITY)
}

/// The key of a data directory's node. `draw` makes one where there is none; it is on disk before it is returned.
///
/// Shape of the file: magic 8, format u32, guard u32, key 32, XXH3-64 over all before it.
/// Errors: `InvalidConfig` when others may read the file, `Corrupted`, `Unsupported`, `Storage`.
pub fn identity(dir: &DataDir, draw: impl FnOnce() -> Result<[u8; KEY_BYTES]>) -> Result<[u8; KEY_BYTES]> {
    let path = identity_file(dir.path());
    let unfinished = unfinished(&path);
    let names = dir.list()?;
    if names.iter().any(|name| path.ends_with(name)) {
        return read(dir.disk(), &path);
    }
    if names.iter().any(|name| unfinished.ends_with(name)) {
        dir.disk().remove(&unfinished).map_err(|error| refused("remove", &unfinished, &error))?;
    }
    let key = draw()?;
    let write = || -> io::Result<()> {
        write_new(dir.disk(), &unfinished, &key)?;
        dir.disk().rename(&unfinished, &path)
    };
    write().map_err(|error| refused("write", &path, &error))?;
    dir.sync()?;
    Ok(key)
}

/// The key in a file of the user's own. Errors: as of [`identity`]; `InvalidConfig` also where there is none.
pub fn read_identity(path: &Path) -> Result<[u8; KEY_BYTES]> {
    if !path.is_file() {
        let message = format!("`identity_file`: there is no file {}: make one with `generate_identity`", path.display());
        return Err(Error::new(ErrorKind::InvalidConfig, message));
    }
    read(&OsDisk, path)
}

/// Keeps a key in a new file, which only its owner may read. It is on disk when this returns.
///
/// Errors: `InvalidArgument` when there is something at that path, `Storage`.
pub fn create_identity(path: &Path, key: &[u8; KEY_BYTES]) -> Result<()> {
    let disk = OsDisk;
    let made = write_new(&disk, path, key).and_then(|()| {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        disk.sync_directory(directory.unwrap_or(Path::new(".")))
    });
    made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let message = format!("there is something at {} already: an identity takes nothing's place", path.display());
            Error::new(ErrorKind::InvalidArgument, message)
        }
        _ => refused("write", path, &error),
    })
}

/// A file that half is written is no file.
fn write_new(disk: &dyn Disk, path: &Path, key: &[u8; KEY_BYTES]) -> io::Result<()> {
    let mut bytes = start(Kind::Identity);
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(&xxh3_64(&bytes).to_le_bytes());
    let mut file = disk.open(path, Open::New)?;
    file.write_at(&bytes, 0).and_then(|()| file.sync()).inspect_err(|_| drop(disk.remove(path)))
}

fn read(disk: &dyn Disk, path: &Path) -> Result<[u8; KEY_BYTES]> {
    let file = disk.open(path, Open::Read).map_err(|error| refused("read", path, &error))?;
    if file.is_open_to_others().map_err(|error| refused("read", path, &error))? {
        let path = path.display();
        let message = format!("{path} holds this node's secret key, and others may read it: chmod 600 {path}");
        return Err(Error::new(ErrorKind::InvalidConfig, message));
    }
    let mut reader = Reader::open(disk, path.to_owned())?;
    check_start(&mut reader, Kind::Identity)?;
    let whole = 16 + KEY_BYTES + 8;
    let len = reader.len();
    let bytes = reader.bytes(0, whole)?.filter(|bytes| len == whole as u64 && xxh3_64(&bytes[..48]) == u64_at(bytes, 48));
    let mut key = [0; KEY_BYTES];
    key.copy_from_slice(&bytes.ok_or_else(|| corrupted(path, 16, "it is not as it was written"))?[16..48]);
    Ok(key)
}
