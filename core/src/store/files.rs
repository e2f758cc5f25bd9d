//! What the files of one map are called, and which there are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::disk::{Disk, refused};
use crate::error::Result;

/// What a file is called until it is whole. The next opening removes it.
const UNFINISHED: &str = ".new";

pub fn log_name(segment: u64) -> String {
    stem_of(segment) + ".log"
}

pub fn snapshot_name(segment: u64) -> String {
    stem_of(segment) + ".snap"
}

pub fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    name.into()
}

/// The files of a map's directory. Others that are there are let be.
#[derive(Debug, Default)]
pub struct Files {
    pub logs: BTreeSet<u64>,
    pub snapshots: BTreeSet<u64>,
    pub unfinished: Vec<String>,
}

impl Files {
    pub fn list(disk: &dyn Disk, directory: &Path) -> Result<Self> {
        let mut files = Self::default();
        for name in disk.list(directory).map_err(|error| refused("list", directory, &error))? {
            let whole = name.strip_suffix(UNFINISHED);
            let (stem, extension) = whole.unwrap_or(&name).split_once('.').unwrap_or_default();
            let segment = stem.parse().unwrap_or(0);
            if segment < FIRST_SEGMENT || stem != stem_of(segment) {
                continue;
            }
            let of_kind = match extension {
                "log" => &mut files.logs,
                "snap" => &mut files.snapshots,
                _ => continue,
            };
            match whole {
                Some(_) => files.unfinished.push(name),
                None => drop(of_kind.insert(segment)),
            }
        }
        Ok(files)
    }

    /// Those that are of no use beside the newest snapshot: older ones, older segments, and what was never finished.
    pub fn leftovers(&self) -> Vec<String> {
        let first = self.first_segment();
        let logs = self.logs.range(..first).copied().map(log_name);
        let snapshots = self.snapshots.range(..first).copied().map(snapshot_name);
        self.unfinished.iter().cloned().chain(logs).chain(snapshots).collect()
    }

    /// All of them.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let logs = self.logs.iter().copied().map(log_name);
        let snapshots = self.snapshots.iter().copied().map(snapshot_name);
        self.unfinished.iter().cloned().chain(logs).chain(snapshots)
    }

    /// Where the log begins that is still needed.
    pub fn first_segment(&self) -> u64 {
        self.snapshots.last().copied().unwrap_or(FIRST_SEGMENT)
    }
}

/// A map's first segment, which follows no snapshot.
pub const FIRST_SEGMENT: u64 = 1;

fn stem_of(segment: u64) -> String {
    format!("{segment:08}")
}
