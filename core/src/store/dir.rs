//! A node's data directory: one process at a time, a directory for each map, and the node's identity.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::disk::{Disk, Lock, refused};
use super::files::{FIRST_SEGMENT, Files};
use super::header::Header;
use super::log::Log;
use super::map::Store;
use super::name::{directory_name, is_map};
use super::recovery::{self, Recovered};
use super::rows::TakeRow;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::MAX_MAP_NAME_BYTES;

const LOCK: &str = "lock";
/// A map's directory until it is whole.
const UNFINISHED: &str = ".new";
/// A map's directory once it is destroyed, and until it is gone.
const DESTROYED: &str = ".gone";
/// A log's length is a multiple of this. Small maps stay small, and few cuts could end on one.
const EXTENT_BYTES: u32 = 64 * 1024;

/// A data directory, held by this process for as long as this and every map opened from it is.
#[derive(Clone)]
pub struct DataDir(Arc<Inner>);

struct Inner {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    extent: u32,
    /// The maps that are open, by directory.
    open: Mutex<BTreeSet<String>>,
    _lock: Box<dyn Send + Sync>,
}

/// A map's claim to its directory.
pub struct Held {
    dir: DataDir,
    map: String,
}

impl DataDir {
    /// Opens a data directory, makes it where there is none, and finishes what an earlier process could not.
    ///
    /// Errors: `Locked` with the process that has it, `Storage`.
    pub fn open(disk: Arc<dyn Disk>, path: &Path) -> Result<Self> {
        Self::with_extent(disk, path, EXTENT_BYTES)
    }

    pub(super) fn with_extent(disk: Arc<dyn Disk>, path: &Path, extent: u32) -> Result<Self> {
        // The process may change its own directory later.
        let path = &std::path::absolute(path).map_err(|error| refused("open", path, &error))?;
        make(&*disk, path)?;
        let lock = lock(&*disk, &path.join(LOCK))?;
        let inner = Inner { disk, path: path.to_owned(), extent, open: Mutex::default(), _lock: lock };
        let dir = Self(Arc::new(inner));
        // What is seen is made to last before anything is removed on its account.
        dir.sync()?;
        for name in dir.list()? {
            if is_map(&name, UNFINISHED) || is_map(&name, DESTROYED) {
                dir.clear(&path.join(name))?;
            }
        }
        Ok(dir)
    }

    /// The names of the maps that are here, open or not.
    ///
    /// Errors: `Corrupted` for a map whose name cannot be read.
    #[cfg(test)]
    pub fn maps(&self) -> Result<Vec<Vec<u8>>> {
        use super::{disk::corrupted, files::log_name, header::Kind, reader::Reader};
        let mut maps = Vec::new();
        for name in self.list()?.into_iter().filter(|name| is_map(name, "")) {
            let directory = self.0.path.join(&name);
            let files = Files::list(self.disk(), &directory)?;
            let segment = files.logs.last().copied().unwrap_or(FIRST_SEGMENT);
            if files.logs.is_empty() {
                return Err(corrupted(&directory.join(log_name(segment)), 0, "it is missing"));
            }
            let mut reader = Reader::open(self.disk(), directory.join(log_name(segment)))?;
            let (header, ..) = Header::read(&mut reader, Kind::Log)?;
            maps.push(header.name);
        }
        maps.sort_unstable();
        Ok(maps)
    }

    /// Opens a map, and makes it where there is none. `each` gets every row once, as the last commit left it; its error ends the
    /// opening. `id` is any number that chance gave: a new map's files are tied together with it.
    ///
    /// Errors: `Corrupted` with path and place, `Unsupported`, `Storage`: nothing is opened, removed or changed. `Locked` when the
    /// map is open already.
    pub fn open_map(&self, map: &[u8], id: u64, each: &mut TakeRow<'_>) -> Result<(Store, Recovered)> {
        let held = self.hold(map)?;
        let directory = self.0.path.join(&held.map);
        if !self.list()?.contains(&held.map) {
            self.create(map, &directory, id)?;
        }
        let opened = recovery::open(self.disk(), &directory, map, each)?;
        let recovered = opened.recovered.clone();
        Ok((Store::new(self.0.disk.clone(), directory, opened, held), recovered))
    }

    /// Removes a map's files, which must not be open; says whether there were any. Files that are not ours stay.
    ///
    /// Errors: `Locked` when it is open; `Storage`, after which the map is there whole or, when it is gone from its place, the
    /// next opening of the data directory removes the rest.
    pub fn destroy(&self, map: &[u8]) -> Result<bool> {
        let held = self.hold(map)?;
        let (directory, destroyed) = (self.0.path.join(&held.map), self.0.path.join(format!("{}{DESTROYED}", held.map)));
        let names = self.list()?;
        if names.contains(&format!("{}{DESTROYED}", held.map)) {
            self.clear(&destroyed)?;
        }
        if !names.contains(&held.map) {
            return Ok(false);
        }
        self.disk().rename(&directory, &destroyed).map_err(|error| refused("remove", &directory, &error))?;
        self.sync()?;
        self.clear(&destroyed)?;
        Ok(true)
    }

    pub fn path(&self) -> &Path {
        &self.0.path
    }

    pub(super) fn disk(&self) -> &dyn Disk {
        &*self.0.disk
    }

    pub(super) fn sync(&self) -> Result<()> {
        self.disk().sync_directory(&self.0.path).map_err(|error| refused("sync", &self.0.path, &error))
    }

    pub(super) fn list(&self) -> Result<Vec<String>> {
        self.disk().list(&self.0.path).map_err(|error| refused("list", &self.0.path, &error))
    }

    /// Makes a map that is whole when it gets its name.
    fn create(&self, map: &[u8], directory: &Path, id: u64) -> Result<()> {
        let unfinished = self.0.path.join(format!("{}{UNFINISHED}", directory_name(map)));
        if self.list()?.iter().any(|name| unfinished.ends_with(name)) {
            self.clear(&unfinished)?;
        }
        self.disk().create_directory(&unfinished).map_err(|error| refused("make", &unfinished, &error))?;
        let header = Header { id, segment: FIRST_SEGMENT, base: 0, link: 0, extent: self.0.extent, name: map.to_vec() };
        Log::prepare(self.disk(), &unfinished, header)?.publish(self.disk(), &unfinished)?;
        self.disk().rename(&unfinished, directory).map_err(|error| refused("make", directory, &error))?;
        self.sync()
    }

    /// Removes a directory that is no map any more, or not yet.
    fn clear(&self, directory: &Path) -> Result<()> {
        for name in Files::list(self.disk(), directory)?.names() {
            let path = directory.join(name);
            self.disk().remove(&path).map_err(|error| refused("remove", &path, &error))?;
        }
        match self.disk().remove_directory(directory) {
            // Somebody put a file there that is not ours to remove.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            removed => removed.map_err(|error| refused("remove", directory, &error)),
        }
    }

    fn hold(&self, map: &[u8]) -> Result<Held> {
        if !(1..=MAX_MAP_NAME_BYTES).contains(&map.len()) {
            let message = format!("a map's name has 1 to {MAX_MAP_NAME_BYTES} bytes, this one {}", map.len());
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let map = directory_name(map);
        if !self.0.open.lock().insert(map.clone()) {
            let message = format!("{} is open in this process: close the map first", self.0.path.join(&map).display());
            return Err(Error::new(ErrorKind::Locked, message));
        }
        Ok(Held { dir: self.clone(), map })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.dir.0.open.lock().remove(&self.map);
    }
}

/// Makes a directory and those above it, each of which then lasts.
fn make(disk: &dyn Disk, path: &Path) -> Result<()> {
    match disk.list(path) {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(refused("open", path, &error)),
    }
    let parent = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Ok(()),
    };
    make(disk, parent)?;
    match disk.create_directory(path) {
        // Another process was faster: the lock decides between the two.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|()| disk.sync_directory(parent)).map_err(|error| refused("make", path, &error)),
    }
}

fn lock(disk: &dyn Disk, path: &Path) -> Result<Box<dyn Send + Sync>> {
    match disk.lock(path).map_err(|error| refused("lock", path, &error))? {
        Lock::Taken(lock) => Ok(lock),
        Lock::Held(holder) => {
            let holder = holder.map_or("another process".to_owned(), |holder| format!("process {holder}"));
            let directory = path.parent().unwrap_or(path).display();
            let message = format!("{directory} is in use by {holder}: close that one, or use another data_dir");
            Err(Error::new(ErrorKind::Locked, message))
        }
    }
}
