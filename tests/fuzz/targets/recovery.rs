//! A durable map whose files were altered: it opens with rows, the same each time, or is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use super::fault::FaultDisk;
use super::rows::Row;
use super::{DataDir, Store};
use crate::error::Result;
use crate::fuzz::Feed;

const MAP: &[u8] = b"flags";
const ID: u64 = 0x5EED;
const EDITS: usize = 32;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// With a snapshot, a closed segment, and one that is written.
static MADE: LazyLock<FaultDisk> = LazyLock::new(|| {
    let disk = FaultDisk::new(1);
    let dir = data_dir(&disk).expect("a data directory");
    let (mut store, _) = open(&dir).expect("a map");
    let mut rows = Rows::new();
    for number in 1..=12_u8 {
        let key = [b'a' + number % 4];
        rows.insert(key.to_vec(), vec![number; 3]);
        store.append([Row::put(&key, &[number; 3])]).expect("appended");
        store.sync().expect("synced");
        if number == 4 {
            let mut writer = store.rotate().expect("a snapshot");
            rows.iter().try_for_each(|(key, value)| writer.row(key, value)).expect("written");
            let snapshot = writer.finish(store.last()).expect("finished");
            store.install(snapshot).and_then(|replaced| replaced.remove()).expect("installed");
        } else if number == 8 {
            drop(store.rotate().expect("a segment"));
        }
    }
    drop((store, dir));
    disk
});

pub fn recovery(data: &[u8]) {
    let mut feed = Feed::new(data);
    let disk = MADE.after_kill();
    let files: Vec<_> = disk.files().into_iter().filter(|(path, _)| !path.ends_with("lock")).collect();
    let (path, bytes): &(PathBuf, Vec<u8>) = &files[feed.below(files.len())];
    let mut bytes = bytes.clone();
    for _ in 0..EDITS {
        if feed.is_empty() {
            break;
        }
        edit(&mut bytes, &mut feed);
    }
    disk.overwrite(path, &bytes);
    let Ok(dir) = data_dir(&disk) else { return };
    let before = disk.files();
    match open(&dir) {
        Ok((store, rows)) => {
            drop(store);
            let (_, again) = open(&dir).expect("it was opened before");
            assert_eq!(again, rows, "and holds what it held");
        }
        Err(_) => assert_eq!(disk.files(), before, "what is refused is not touched"),
    }
}

fn edit(bytes: &mut Vec<u8>, feed: &mut Feed<'_>) {
    let what = feed.below(4);
    let at = (usize::from(feed.byte()) << 8 | usize::from(feed.byte())) % (bytes.len() + 1);
    match what {
        0 => bytes.truncate(at),
        1 => bytes.extend_from_slice(feed.some()),
        2 => drop(bytes.splice(at..at, feed.some().iter().copied())),
        _ => {
            let new = feed.some();
            let end = bytes.len().min(at + new.len());
            bytes[at..end].copy_from_slice(&new[..end - at]);
        }
    }
}

fn data_dir(disk: &FaultDisk) -> Result<DataDir> {
    DataDir::with_extent(Arc::new(disk.clone()), Path::new("/data"), 256)
}

fn open(dir: &DataDir) -> Result<(Store, Rows)> {
    let mut rows = Rows::new();
    let (store, _) = dir.open_map(MAP, ID, &mut |key, value| {
        assert!(rows.insert(key.to_vec(), value.to_vec()).is_none(), "each row comes once");
        Ok(())
    })?;
    Ok((store, rows))
}
