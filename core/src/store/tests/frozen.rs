//! The format, byte for byte: what was written once opens for ever, and is still what is written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::*;

/// A data directory of format 1. To freeze a new format: `P2PMAP_FREEZE=1 cargo test --release -p p2pmap frozen`.
const FROZEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/store-v1");
const FILES: [&str; 4] = ["identity", "map-flags/00000002.log", "map-flags/00000002.snap", "map-flags/00000003.log"];

fn rows() -> Rows {
    [(&b"config"[..], &b"on"[..]), (b"empty", b""), (b"\x00\xff", b"\x01\x02\x03")]
        .map(|(key, value)| (key.to_vec(), value.to_vec()))
        .into()
}

/// A snapshot, a closed segment behind it, and the newest: a removal, an overwriting, a value without bytes.
fn write() -> BTreeMap<PathBuf, Vec<u8>> {
    let disk = FaultDisk::new(1);
    let dir = data_dir(&disk).expect("a data directory");
    let mut key = [0; 32];
    key.iter_mut().enumerate().for_each(|(index, byte)| *byte = index as u8);
    identity(&dir, || Ok(key)).expect("an identity");
    let (mut store, ..) = open(&dir).expect("a map");
    store.append([Row::put(b"config", b"off"), Row::put(b"gone", b"soon"), Row::put(b"empty", b"")]).expect("appended");
    let first = [("config", "off"), ("gone", "soon"), ("empty", "")];
    let first = first.map(|(key, value)| (key.as_bytes().to_vec(), value.as_bytes().to_vec())).into();
    compact(&mut store, &first).expect("compacted");
    store.append([Row::put(b"config", b"on"), Row::remove(b"gone")]).expect("appended");
    drop(store.rotate().expect("rotated"));
    store.append([Row::put(b"\x00\xff", b"\x01\x02\x03")]).expect("appended");
    store.close().expect("closed");
    disk.files().into_iter().filter(|(path, _)| !path.ends_with("lock")).collect()
}

#[test]
fn a_directory_of_format_1_opens_for_ever() {
    let disk = FaultDisk::new(1);
    for directory in [DATA, "/data/map-flags"] {
        disk.create_directory(Path::new(directory)).expect("made");
    }
    for name in FILES {
        let bytes = std::fs::read(Path::new(FROZEN).join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        disk.add(&Path::new(DATA).join(name), &bytes);
    }
    let dir = data_dir(&disk).expect("opened");
    assert_eq!(dir.maps().expect("listed"), [MAP]);
    let key = identity(&dir, || panic!("there is one")).expect("read");
    assert!(key.iter().enumerate().all(|(index, byte)| usize::from(*byte) == index));
    let (mut store, recovered, found) = open(&dir).expect("opened");
    assert_eq!((recovered.last, recovered.cut, &found), (3, None, &rows()));
    // And goes on.
    store.append([Row::put(b"more", b"1")]).expect("appended");
    compact(&mut store, &found).expect("compacted");
}

#[test]
fn what_is_written_is_format_1() {
    let written = write();
    if std::env::var_os("P2PMAP_FREEZE").is_some() {
        std::fs::create_dir_all(Path::new(FROZEN).join("map-flags")).expect("made");
        for (path, bytes) in &written {
            let name = path.strip_prefix(DATA).expect("in the data directory");
            std::fs::write(Path::new(FROZEN).join(name), bytes).expect("written");
        }
    }
    assert_eq!(written.len(), FILES.len(), "{:?}", written.keys());
    for name in FILES {
        let frozen = std::fs::read(Path::new(FROZEN).join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(written[&Path::new(DATA).join(name)] == frozen, "{name} is written otherwise than it was");
    }
}
