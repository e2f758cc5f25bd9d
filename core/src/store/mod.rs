//! The only code that touches a disk.
//!
//! A durable map is a log of commits, and now and then a snapshot that takes the place of the log before it. The map itself is in
//! memory, so the disk is written in order and read once, when the map is opened: `docs/storage.md` says why, and draws the files.
//!
//! What is kept true: a commit is there whole or not at all; what is found is a prefix of the commits, up to at least the last one
//! synced; what is damaged is refused, or, at the very end, cut and reported; and an opening that fails has changed nothing.

mod changed;
mod dir;
mod disk;
mod draft;
#[cfg(any(test, fuzzing))]
#[path = "tests/fault.rs"]
pub mod fault;
mod files;
mod frame;
#[cfg(any(test, fuzzing))]
#[path = "../../../tests/fuzz/targets/recovery.rs"]
mod fuzz;
mod header;
mod identity;
mod log;
mod map;
mod name;
mod os;
mod pins;
mod reader;
mod recovery;
mod rows;
mod segment;
mod snapshot;
#[cfg(test)]
pub mod tests;

use std::io;
use std::path::Path;

use disk::{Disk, Open};

pub use dir::DataDir;
pub use draft::{Draft, open_text};
#[cfg(any(test, fuzzing))]
pub use fuzz::recovery;
pub use identity::{create_identity, identity, identity_file, read_identity};
pub use map::Store;
pub use os::OsDisk;
pub use pins::{add_pin, pins_file, read_pins};
pub use recovery::Cut;
#[cfg(test)]
pub use snapshot::Snapshot;
pub use snapshot::SnapshotWriter;

/// A small text file, whole, that nobody else may read. The error says what is wrong, and what to do.
pub fn read_private(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let cannot = |error| format!("{shown} cannot be read: {error}");
    let open_to_others = OsDisk.open(path, Open::Read).and_then(|file| file.is_open_to_others()).map_err(cannot)?;
    if open_to_others {
        return Err(format!("{shown} holds a secret, and others may read it: chmod 600 {shown}"));
    }
    read_text(path).map_err(cannot)
}

/// A small text file, whole.
pub fn read_text(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path)
}
