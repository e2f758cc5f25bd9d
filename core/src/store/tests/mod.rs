//! The store against its promises, on disks that fail in every way that is known.

mod changed;
mod damage;
mod directory;
mod draft;
mod faults;
mod frozen;
mod life;
mod power;
mod real;
mod speed;

use std::path::Path;
use std::sync::Arc;

use super::disk::Disk;
use super::fault::FaultDisk;
use super::recovery::Recovered;
use super::rows::Row;
use super::*;
use crate::error::{ErrorKind, Result};

/// Where the tests' data is.
const DATA: &str = "/data";
const MAP: &[u8] = b"flags";
const ID: u64 = 0x5EED;
/// Small, so that a log grows often.
const EXTENT_BYTES: u32 = 256;

type Rows = std::collections::BTreeMap<Vec<u8>, Vec<u8>>;

pub fn data_dir(disk: &FaultDisk) -> Result<DataDir> {
    DataDir::with_extent(Arc::new(disk.clone()), Path::new(DATA), EXTENT_BYTES)
}

/// Opens a map, and everything that is in it.
fn open(dir: &DataDir) -> Result<(Store, Recovered, Rows)> {
    let mut rows = Rows::new();
    let (store, recovered) = dir.open_map(MAP, ID, &mut |key, value| {
        assert!(rows.insert(key.to_vec(), value.to_vec()).is_none(), "each row comes once");
        Ok(())
    })?;
    assert_eq!(recovered.rows, rows.len() as u64);
    Ok((store, recovered, rows))
}

/// Takes a snapshot of rows that nobody changes meanwhile, and removes what it replaces.
fn compact(store: &mut Store, rows: &Rows) -> Result<()> {
    let mut writer = store.rotate()?;
    for (key, value) in rows {
        writer.row(key, value)?;
    }
    let snapshot = writer.finish(store.last())?;
    store.install(snapshot)?.remove()
}
