//! Files that are not as they were written: every byte, every length, every file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::error::Error;

/// A map with everything that there can be: a snapshot, a segment behind it, a closed one, and the newest.
struct Made {
    disk: FaultDisk,
    /// The rows after each commit.
    states: Vec<Rows>,
}

/// Each commit sets its number in one of four keys, and removes another now and then; each is synced by itself.
fn make(is_closed: bool) -> Made {
    let disk = FaultDisk::new(1);
    let dir = data_dir(&disk).expect("a data directory");
    let (mut store, ..) = open(&dir).expect("a map");
    let mut states = vec![Rows::new()];
    for number in 1..=24_u8 {
        let mut rows = states.last().expect("a state").clone();
        let (key, gone) = ([b'a' + number % 4], [b'a' + (number + 1) % 4]);
        let mut commit = vec![Row::put(&key, std::slice::from_ref(&number))];
        rows.insert(key.to_vec(), vec![number]);
        store.set_piece_bytes(1 << 20);
        if number.is_multiple_of(5) {
            // A frame for each row.
            store.set_piece_bytes(1);
            commit.push(Row::remove(&gone));
            rows.remove(gone.as_slice());
        }
        assert_eq!(store.append(commit).expect("appended"), u64::from(number));
        store.sync().expect("synced");
        match number {
            8 => compact(&mut store, &rows).expect("compacted"),
            // The snapshot never came to be.
            16 => drop(store.rotate().expect("rotated")),
            _ => {}
        }
        states.push(rows);
    }
    if is_closed {
        store.close().expect("closed");
    }
    Made { disk, states }
}

impl Made {
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        self.disk.files().into_iter().filter(|(path, _)| !path.ends_with("lock")).collect()
    }

    /// What an opening finds when one file is other than it was. What is refused must not have been touched.
    fn opened_with(&self, path: &Path, bytes: &[u8]) -> std::result::Result<Recovered, Error> {
        let disk = self.disk.after_kill();
        disk.overwrite(path, bytes);
        let before = disk.files();
        let dir = data_dir(&disk).expect("the directory itself is fine");
        match open(&dir) {
            Ok((store, recovered, rows)) => {
                assert_eq!(rows, self.states[recovered.last as usize], "not a state that was");
                // What was cut stays cut, and is told once.
                drop((store, dir));
                let (_, again, same) = open(&data_dir(&disk).expect("the same")).expect("opened before");
                assert_eq!((again.last, again.cut, same), (recovered.last, None, rows));
                Ok(recovered)
            }
            Err(error) => {
                assert_eq!(disk.files(), before, "a file was touched");
                Err(error)
            }
        }
    }
}

/// Where a message says the damage is.
fn offset(error: &Error) -> Option<u64> {
    error.message().split(" at byte ").nth(1)?.split(':').next()?.parse().ok()
}

#[test]
fn g7_every_flipped_byte_is_refused_or_reported() {
    for is_closed in [true, false] {
        let made = make(is_closed);
        let all = made.states.len() as u64 - 1;
        assert_eq!(made.files().len(), 3, "a snapshot and two segments");
        let mut cut = 0;
        for (path, bytes) in made.files() {
            for at in 0..bytes.len() {
                for mask in [0x01, 0x80, 0xFF, 0x5A] {
                    let mut flipped = bytes.clone();
                    flipped[at] ^= mask;
                    let told = format!("{} byte {at} ^ {mask:#x}", path.display());
                    match made.opened_with(&path, &flipped) {
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::Corrupted, "{told}: {error}");
                            assert!(error.message().contains(path.to_str().expect("text")), "{told}: {error}");
                            let offset = offset(&error).unwrap_or_else(|| panic!("{told}: {error}"));
                            assert!(offset <= at as u64 + 4 && offset < bytes.len() as u64, "{told}: {error}");
                        }
                        Ok(recovered) => {
                            let found = recovered.cut.clone().unwrap_or_else(|| panic!("{told}: not a word"));
                            assert_eq!(found.path, path, "{told}");
                            assert!(found.offset <= at as u64 && found.bytes > 0, "{told}: {found:?}");
                            // Every commit was synced by itself, so only the last can pass for torn; none once closed.
                            assert!(recovered.last >= all - u64::from(!is_closed), "{told}: {recovered:?}");
                            cut += u64::from(recovered.last < all);
                        }
                    }
                }
            }
        }
        assert_eq!(cut > 0, !is_closed, "{cut} times a commit was cut");
    }
}

#[test]
fn g7_every_length_is_refused_or_reported_unless_only_zeros_are_gone() {
    for is_closed in [true, false] {
        let made = make(is_closed);
        let all = made.states.len() as u64 - 1;
        for (path, bytes) in made.files() {
            for len in (0..bytes.len() + 300).filter(|len| *len != bytes.len()) {
                let told = format!("{} of {} bytes", path.display(), bytes.len());
                let mut other = bytes.clone();
                other.resize(len, 0);
                match made.opened_with(&path, &other) {
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupted, "{told}, now {len}: {error}"),
                    Ok(Recovered { cut: None, last, .. }) => {
                        let of_zeros = bytes[len.min(bytes.len())..].iter().all(|byte| *byte == 0);
                        assert!(of_zeros && last == all, "{told}, now {len}: not a word");
                        assert!(len.is_multiple_of(EXTENT_BYTES as usize), "{told}, now {len}");
                    }
                    Ok(Recovered { cut: Some(cut), last, .. }) => {
                        assert_eq!(cut.path, path, "{told}, now {len}");
                        assert!(cut.offset <= len as u64 && last <= all, "{told}, now {len}: {cut:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_file_that_is_gone_is_missed() {
    let made = make(true);
    for (path, _) in made.files() {
        let disk = made.disk.after_kill();
        disk.remove(&path).expect("removed");
        let Err(error) = open(&data_dir(&disk).expect("a data directory")) else {
            // The newest segment says nothing that another file knows of, as long as no snapshot begins with it.
            assert!(path.ends_with("00000003.log"), "{}", path.display());
            continue;
        };
        assert_eq!(error.kind(), ErrorKind::Corrupted);
    }
}

#[test]
fn a_file_of_another_map_or_place_does_not_pass() {
    let made = make(true);
    let files = made.files();
    let of = |name: &str| files.iter().find(|(path, _)| path.ends_with(name)).expect("it is there");
    let (second, third) = (of("00000002.log"), of("00000003.log"));
    for (path, bytes) in [(second.0, third.1), (third.0, second.1)] {
        assert_eq!(made.opened_with(path, bytes).expect_err("not its own").kind(), ErrorKind::Corrupted);
    }
    // A frame that is left out, and one that comes twice.
    let frame = frame::HEAD_BYTES + 16;
    let start = second.1.len() - second.1.iter().rev().take_while(|byte| **byte == 0).count();
    let at = (start.next_multiple_of(8) - 2 * frame)..(start.next_multiple_of(8) - frame);
    for twice in [true, false] {
        let mut bytes = second.1.clone();
        let copy: Vec<u8> = bytes[at.clone()].to_vec();
        bytes.splice(at.clone(), if twice { [copy.clone(), copy].concat() } else { Vec::new() });
        bytes.resize(second.1.len(), 0);
        assert_eq!(made.opened_with(second.0, &bytes).expect_err("not as written").kind(), ErrorKind::Corrupted);
    }
}

#[test]
fn a_frame_of_another_history_does_not_pass() {
    let disk = FaultDisk::new(1);
    let dir = data_dir(&disk).expect("a data directory");
    let (mut store, ..) = open(&dir).expect("a map");
    store.append([Row::put(b"a", b"0")]).expect("appended");
    store.sync().expect("synced");
    // What a directory becomes that is copied, and lives on twice.
    let [one, other] = [b"1", b"2"].map(|value| {
        let disk = disk.after_kill();
        let dir = data_dir(&disk).expect("a data directory");
        let (mut store, ..) = open(&dir).expect("a map");
        for key in [b"b", b"c"] {
            store.append([Row::put(key, value)]).expect("appended");
            store.sync().expect("synced");
        }
        store.close().expect("closed");
        disk
    });
    let log = Path::new("/data/map-flags/00000001.log");
    let (ours, theirs) = (one.files()[log].clone(), other.files()[log].clone());
    let first = ours.iter().zip(&theirs).position(|(ours, theirs)| ours != theirs).expect("they differ");
    let start = first / 8 * 8;
    let mut mixed = ours;
    let frame = frame::HEAD_BYTES + 16;
    mixed[start..start + frame].copy_from_slice(&theirs[start..start + frame]);
    one.overwrite(log, &mixed);
    let error = open(&data_dir(&one.after_kill()).expect("a data directory")).err().expect("two histories");
    assert_eq!(error.kind(), ErrorKind::Corrupted);
}

#[test]
fn what_a_snapshot_reflects_is_never_cut_from_the_log() {
    let disk = FaultDisk::new(1);
    let dir = data_dir(&disk).expect("a data directory");
    let (mut store, ..) = open(&dir).expect("a map");
    let mut writer = store.rotate().expect("rotated");
    // Two keys that change together; the walk sees one of them before, the other after.
    writer.row(b"a", b"0").expect("written");
    store.append([Row::put(b"a", b"1"), Row::put(b"b", b"1")]).expect("appended");
    writer.row(b"b", b"1").expect("written");
    let snapshot = writer.finish(store.last()).expect("finished");
    store.install(snapshot).expect("installed").remove().expect("removed");
    assert_eq!(store.durable(), 1);
    drop((store, dir));
    let log = Path::new("/data/map-flags/00000002.log");
    let bytes = disk.files()[log].clone();
    for at in 0..bytes.len() {
        let disk = disk.after_kill();
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x04;
        disk.overwrite(log, &flipped);
        match open(&data_dir(&disk).expect("a data directory")) {
            Ok((_, recovered, rows)) => {
                assert!(
                    recovered.last == 1 && recovered.cut.is_some() && rows.values().all(|value| value == b"1"),
                    "byte {at}"
                );
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupted, "byte {at}"),
        }
    }
}

#[test]
fn a_value_that_looks_like_a_frame_is_a_value() {
    let disk = FaultDisk::new(1);
    let dir = data_dir(&disk).expect("a data directory");
    let (mut store, ..) = open(&dir).expect("a map");
    // A frame of another map's id, with which an author would have a torn commit taken for damage.
    let mut forged = vec![0; 64];
    frame::begin(&mut forged);
    let says = frame::Says { number: 2, goes_on: false, durable: 1, previous: 0 };
    frame::finish(&mut forged, 64, ID + 1, says);
    store.append([Row::put(b"a", &forged)]).expect("appended");
    store.write().expect("written");
    drop((store, dir));
    let (path, mut bytes) = disk.files().into_iter().find(|(path, _)| path.ends_with("00000001.log")).expect("a log");
    let at = bytes.windows(64).position(|window| window == &forged[..64]).expect("the value");
    bytes[at] ^= 1;
    disk.overwrite(&path, &bytes);
    let (_, recovered, rows) = open(&data_dir(&disk).expect("a data directory")).expect("torn, not damaged");
    assert!(recovered.cut.is_some() && rows.is_empty());
}

#[test]
fn a_newer_format_is_unsupported() {
    let made = make(true);
    for (path, mut bytes) in made.files() {
        bytes[8..12].copy_from_slice(&(header::FORMAT + 1).to_le_bytes());
        let guard = xxhash_rust::xxh3::xxh3_64(&bytes[..12]) as u32;
        bytes[12..16].copy_from_slice(&guard.to_le_bytes());
        let error = made.opened_with(&path, &bytes).expect_err("not ours");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("format 2"), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn bytes_of_any_kind_are_read_without_harm(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        at in 0_usize..900,
        file in 0_usize..3,
    ) {
        let made = make(false);
        let (path, mut whole) = made.files().into_iter().nth(file).expect("three files");
        let at = at.min(whole.len());
        let end = whole.len().min(at + bytes.len());
        whole.splice(at..end, bytes);
        if let Err(error) = made.opened_with(&path, &whole) {
            prop_assert_eq!(error.kind(), ErrorKind::Corrupted);
        }
    }

    #[test]
    fn rows_of_any_kind_come_back(rows in prop::collection::vec((any::<Vec<u8>>(), any::<Option<Vec<u8>>>()), 0..20)) {
        let mut bytes = Vec::new();
        let rows: Vec<Row<'_>> = rows.iter().map(|(key, value)| Row { key, value: value.as_deref() }).collect();
        rows.iter().for_each(|row| row.encode(&mut bytes));
        prop_assert_eq!(bytes.len(), rows.iter().map(Row::stored_bytes).sum::<usize>());
        prop_assert_eq!(rows::decode(&bytes).collect::<std::result::Result<Vec<_>, ()>>(), Ok(rows));
        for len in 0..bytes.len() {
            // Ends, whatever it finds.
            rows::decode(&bytes[..len]).for_each(drop);
        }
    }
}
