//! The data directory: whose it is, what is in it, and how a map leaves it.

use std::io;

use super::*;
use crate::store::fault::Fault;

#[test]
fn a_directory_has_one_process_and_a_map_is_open_once() {
    let disk = FaultDisk::new(1);
    let dir = data_dir(&disk).expect("a data directory");
    let error = data_dir(&disk).err().expect("in use");
    assert_eq!(error.kind(), ErrorKind::Locked);
    let process = format!("/data is in use by process {}", std::process::id());
    assert!(error.message().contains(&process), "{error}");

    let (store, ..) = open(&dir).expect("a map");
    assert_eq!(open(&dir).err().map(|error| error.kind()), Some(ErrorKind::Locked));
    assert_eq!(dir.destroy(MAP).expect_err("open").kind(), ErrorKind::Locked);
    // A map that is open holds the directory too.
    drop(dir);
    assert!(data_dir(&disk).is_err());
    drop(store);
    data_dir(&disk).expect("free again");
}

#[test]
fn map_names_of_any_bytes_are_told_apart() {
    let long = |last: u8| [vec![b'x'; 254], vec![last]].concat();
    let mut names: Vec<Vec<u8>> = [
        "flags",
        "Flags",
        "FLAGS",
        ".",
        "..",
        "a/b",
        "a\\b",
        "a b",
        "a%20b",
        "a=20b",
        "-",
        "_",
        "con",
        "nul.txt",
        "lock",
        "identity",
        "map-flags",
        "a.new",
        "a.gone",
        "\u{e4}",
        "a\u{308}",
        "\u{1f600}",
        "a\n",
        "~",
        "$HOME",
        "*",
        "a:b",
        "\"",
    ]
    .iter()
    .map(|name| name.as_bytes().to_vec())
    .collect();
    names.extend((0..=255).map(|byte| vec![byte]));
    names.extend([long(b'a'), long(b'b'), vec![0; 255], vec![0xFF; 255], vec![b'x'; 120], vec![b'x'; 121]]);
    names.sort();
    names.dedup();

    let disk = FaultDisk::new(1);
    let dir = data_dir(&disk).expect("a data directory");
    for (index, map) in names.iter().enumerate() {
        let (mut store, _) = dir.open_map(map, index as u64, &mut |_, _| Ok(())).expect("a map");
        store.append([Row::put(b"name", map)]).expect("appended");
        store.close().expect("closed");
    }
    assert_eq!(dir.maps().expect("listed"), names);
    for map in &names {
        let mut found = Vec::new();
        let take = &mut |_: &[u8], value: &[u8]| {
            found.extend_from_slice(value);
            Ok(())
        };
        dir.open_map(map, 0, take).expect("a map");
        assert_eq!(&found, map);
    }
    // Where case does not count, and where little is allowed, they still differ and are allowed.
    let directories: std::collections::BTreeSet<String> = names.iter().map(|map| name::directory_name(map)).collect();
    assert_eq!(directories.len(), names.len());
    for directory in directories {
        assert!(directory.len() <= 128 && directory.is_ascii() && directory == directory.to_lowercase(), "{directory}");
        assert!(directory.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte)), "{directory}");
    }
    for map in [vec![], vec![b'a'; 256]] {
        let refused = dir.open_map(&map, 0, &mut |_, _| Ok(())).err();
        assert_eq!(refused.map(|error| error.kind()), Some(ErrorKind::InvalidArgument));
    }
}

#[test]
fn a_map_in_the_place_of_another_is_refused() {
    let disk = FaultDisk::new(1);
    let dir = data_dir(&disk).expect("a data directory");
    drop(open(&dir).expect("a map"));
    disk.rename(Path::new("/data/map-flags"), Path::new("/data/map-other")).expect("renamed");
    let error = dir.open_map(b"other", 0, &mut |_, _| Ok(())).err().expect("not its own");
    assert_eq!(error.kind(), ErrorKind::Corrupted);
    assert!(error.message().contains("another map"), "{error}");
}

#[test]
fn a_map_whose_files_are_gone_does_not_start_empty() {
    let disk = FaultDisk::new(1);
    let dir = data_dir(&disk).expect("a data directory");
    drop(open(&dir).expect("a map"));
    disk.remove(Path::new("/data/map-flags/00000001.log")).expect("removed");
    assert_eq!(open(&dir).err().map(|error| error.kind()), Some(ErrorKind::Corrupted));
    assert_eq!(dir.maps().expect_err("no log").kind(), ErrorKind::Corrupted);
}

#[test]
fn an_error_of_whoever_takes_the_rows_ends_the_opening_and_changes_nothing() {
    let disk = FaultDisk::new(1);
    let dir = data_dir(&disk).expect("a data directory");
    let (mut store, ..) = open(&dir).expect("a map");
    store.append([Row::put(b"a", b"1")]).expect("appended");
    store.close().expect("closed");
    let before = disk.files();
    let refuse = &mut |_: &[u8], _: &[u8]| Err(crate::Error::new(ErrorKind::Corrupted, "not a row of ours"));
    assert_eq!(dir.open_map(MAP, 0, refuse).err().map(|error| error.kind()), Some(ErrorKind::Corrupted));
    assert_eq!(disk.files(), before);
}

#[test]
fn rows_come_in_the_same_order_each_time() {
    let disk = FaultDisk::new(1);
    let dir = data_dir(&disk).expect("a data directory");
    let (mut store, ..) = open(&dir).expect("a map");
    for key in 0..100_u8 {
        store.append([Row::put(&[key], &[key])]).expect("appended");
    }
    store.close().expect("closed");
    let order = || {
        let mut keys = Vec::new();
        let take = &mut |key: &[u8], _: &[u8]| {
            keys.push(key[0]);
            Ok(())
        };
        dir.open_map(MAP, ID, take).expect("a map");
        keys
    };
    assert_eq!(order(), order());
    assert_eq!(order().len(), 100);
}

#[test]
fn destroying_a_map_removes_what_is_ours_and_nothing_else() {
    let disk = FaultDisk::new(1);
    let dir = data_dir(&disk).expect("a data directory");
    assert!(!dir.destroy(MAP).expect("nothing to destroy"));
    let (mut store, ..) = open(&dir).expect("a map");
    compact(&mut store, &Rows::new()).expect("compacted");
    let unfinished = store.rotate().expect("rotated");
    drop(store);
    let other = dir.open_map(b"other", 1, &mut |_, _| Ok(())).expect("another map");
    for name in ["note.txt", "00000000.log", "1.log", "00000009.log.bak", "x.snap"] {
        disk.add(&Path::new("/data/map-flags").join(name), b"somebody's");
    }
    assert!(dir.destroy(MAP).expect("destroyed"));
    drop((unfinished, other));
    assert_eq!(dir.maps().expect("listed"), [b"other"]);
    let kept = disk.files().into_keys().filter(|path| path.starts_with("/data/map-flags.gone")).count();
    assert_eq!(kept, 5, "{:?}", disk.files().keys());
    // The name is free, though what is not ours is still there.
    let (store, ..) = open(&dir).expect("a new map");
    drop(store);
    drop(dir);
    assert_eq!(data_dir(&disk).expect("opened").maps().expect("listed"), [MAP, b"other"]);
}

#[test]
fn a_destroyed_map_is_there_whole_or_gone_wherever_it_is_interrupted() {
    let mut outcomes = [0; 2];
    for at in 0.. {
        let disk = FaultDisk::new(at);
        let dir = data_dir(&disk).expect("a data directory");
        let (mut store, ..) = open(&dir).expect("a map");
        store.append([Row::put(b"a", b"1")]).expect("appended");
        compact(&mut store, &Rows::from([(b"a".to_vec(), b"1".to_vec())])).expect("compacted");
        drop(store);
        disk.plan(at, Fault::Power);
        let ended = dir.destroy(MAP);
        // The power fails; or the process ends, and the power fails while the next one goes on from what it sees.
        let lost = (0..20).map(|image| disk.after_power_loss(image));
        let killed = (0..60).map(|image| {
            let disk = disk.after_kill();
            disk.plan(image / 5, Fault::Power);
            drop(data_dir(&disk));
            disk.after_power_loss(image)
        });
        for disk in lost.chain(killed).chain([disk.after_kill()]) {
            let dir = data_dir(&disk).expect("opened");
            let is_there = !dir.maps().expect("listed").is_empty();
            assert!(!(ended.is_ok() && is_there), "destroyed, and back");
            let (_, recovered, rows) = open(&dir).expect("a map");
            assert_eq!((recovered.last, rows.len()), if is_there { (1, 1) } else { (0, 0) });
            assert!(disk.files().keys().all(|path| !path.to_string_lossy().contains(".gone")), "{:?}", disk.files().keys());
            outcomes[usize::from(is_there)] += 1;
        }
        if ended.is_ok() {
            break;
        }
    }
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
}

#[test]
fn an_identity_is_drawn_once_and_lasts_before_it_is_used() {
    let draw = |byte: u8| move || Ok([byte; 32]);
    for at in 0.. {
        let disk = FaultDisk::new(at);
        let dir = data_dir(&disk).expect("a data directory");
        disk.plan(at, Fault::Power);
        let first = identity(&dir, draw(1));
        for image in 0..10 {
            let disk = disk.after_power_loss(image);
            let dir = data_dir(&disk).expect("opened");
            let again = identity(&dir, draw(2)).expect("an identity");
            assert!(first.is_err() || again == [1; 32], "an identity that was used is lost");
            assert_eq!(identity(&dir, draw(3)).expect("the same"), again);
        }
        if first.is_ok() {
            break;
        }
    }
}

#[test]
fn an_identity_that_is_damaged_or_open_to_others_is_refused() {
    let disk = FaultDisk::new(1);
    let dir = data_dir(&disk).expect("a data directory");
    identity(&dir, || Ok([9; 32])).expect("an identity");
    let path = Path::new("/data/identity");
    let bytes = disk.files()[path].clone();
    let found = |bytes: &[u8]| {
        disk.overwrite(path, bytes);
        identity(&dir, || panic!("there is one")).map_err(|error| error.kind())
    };
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        assert_eq!(found(&flipped), Err(ErrorKind::Corrupted), "byte {at}");
        assert_eq!(found(&bytes[..at]), Err(ErrorKind::Corrupted), "length {at}");
    }
    assert_eq!(found(&bytes), Ok([9; 32]));
    disk.open_to_others(path);
    let error = identity(&dir, || panic!("there is one")).expect_err("seen by others");
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert!(error.message().contains("chmod 600 /data/identity"), "{error}");
}

#[test]
fn a_data_directory_that_cannot_be_made_says_why() {
    let disk = FaultDisk::new(1);
    disk.plan(0, Fault::Always(io::ErrorKind::PermissionDenied));
    let error = data_dir(&disk).err().expect("not allowed");
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.message().contains("/data") && error.message().contains("let this user"), "{error}");
}
