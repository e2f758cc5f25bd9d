//! Disks that are full, read-only or broken.

use std::io;

use super::life::Life;
use super::power::seeds;
use super::*;
use crate::store::fault::Fault;

const KINDS: [io::ErrorKind; 3] = [io::ErrorKind::StorageFull, io::ErrorKind::ReadOnlyFilesystem, io::ErrorKind::InvalidData];

#[test]
fn g7_what_was_synced_survives_an_error_of_the_disk_at_every_operation() {
    for seed in seeds().step_by(2) {
        let disk = FaultDisk::new(seed);
        Life::default().live(&disk, seed).expect("nothing fails yet");
        for at in 0..disk.operations() {
            let kind = KINDS[(at % 3) as usize];
            for fault in [Fault::Once(kind), Fault::Always(kind)] {
                let told = format!("seed {seed}, {fault:?} at operation {at}");
                let disk = FaultDisk::new(seed);
                disk.plan(at, fault);
                let mut life = Life::default();
                if let Err(error) = life.live(&disk, seed) {
                    // The disk that breaks while it is read says so too.
                    assert!(matches!(error.kind(), ErrorKind::Storage), "{told}: {error}");
                    assert!(error.message().contains("/") && error.message().contains("as planned"), "{told}: {error}");
                }
                for disk in [disk.after_kill(), disk.after_power_loss(at)] {
                    let dir = data_dir(&disk).unwrap_or_else(|error| panic!("{told}: {error}"));
                    life.clone().reopen(&dir).unwrap_or_else(|error| panic!("{told}: {error}"));
                    drop(dir);
                    life.clone().live(&disk, seed + 1).unwrap_or_else(|error| panic!("{told}: {error}"));
                }
            }
        }
    }
}

/// A map with one synced commit.
fn one_commit() -> (FaultDisk, DataDir, Store) {
    let disk = FaultDisk::new(1);
    let dir = data_dir(&disk).expect("a data directory");
    let (mut store, ..) = open(&dir).expect("a map");
    store.append([Row::put(b"a", b"1")]).expect("appended");
    store.sync().expect("synced");
    (disk, dir, store)
}

#[test]
fn after_a_write_that_failed_nothing_is_written_until_the_map_is_opened_again() {
    let (disk, dir, mut store) = one_commit();
    store.append([Row::put(b"b", &[7; 3 * EXTENT_BYTES as usize])]).expect("gathered");
    disk.plan(0, Fault::Once(io::ErrorKind::StorageFull));
    let error = store.sync().expect_err("full");
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.message().contains("00000001.log") && error.message().contains("free some space"), "{error}");

    // The disk works again, but what it has nobody knows.
    assert_eq!(store.append([Row::put(b"c", b"3")]).expect_err("over"), error);
    assert_eq!(store.write().expect_err("over"), error);
    assert_eq!(store.sync().expect_err("over"), error);
    assert_eq!(store.rotate().err().expect("over"), error);
    assert_eq!(store.check().expect_err("over"), error);
    assert_eq!(store.close().expect_err("over"), error);

    let (mut store, recovered, rows) = open(&dir).expect("opened again");
    assert_eq!((recovered.last, recovered.cut, rows.len()), (1, None, 1), "the log was left as it had been");
    assert_eq!(store.append([Row::put(b"c", b"3")]).expect("appended"), 2);
    assert_eq!(store.sync().expect("synced"), 2);
}

#[test]
fn a_sync_that_failed_is_never_tried_again() {
    let (disk, dir, mut store) = one_commit();
    store.append([Row::put(b"b", b"2")]).expect("appended");
    store.write().expect("written");
    disk.plan(0, Fault::Once(io::ErrorKind::InvalidData));
    store.sync().expect_err("broken");
    // A second one would find nothing to do, and say that all is well.
    store.sync().expect_err("still");
    assert_eq!(store.durable(), 1);
    drop((store, dir));
    let dir = data_dir(&disk.after_power_loss(9)).expect("a data directory");
    let (_, recovered, _) = open(&dir).expect("opened again");
    assert!((1..=2).contains(&recovered.last));
}

#[test]
fn a_disk_without_room_for_a_snapshot_leaves_the_map_as_it_was() {
    for at in 0..4 {
        let (disk, _dir, mut store) = one_commit();
        disk.plan(at, Fault::Once(io::ErrorKind::StorageFull));
        let rows = Rows::from([(b"a".to_vec(), b"1".to_vec())]);
        // The new segment is made and written and synced, and has its name; or it has not.
        compact(&mut store, &rows).expect_err("full");
        if at < 3 {
            store.check().expect("the log goes on");
            assert_eq!(store.append([Row::put(b"b", b"2")]).expect("appended"), 2);
            assert_eq!(store.sync().expect("synced"), 2);
            compact(&mut store, &rows).expect("there is room again");
        } else {
            store.check().expect_err("two segments that nobody can tell apart");
        }
    }
}

#[test]
fn what_was_replaced_may_be_removed_later_and_twice() {
    let (disk, dir, mut store) = one_commit();
    let mut replaced = Vec::new();
    for _ in 0..2 {
        let snapshot = store.rotate().expect("rotated").finish(0).expect("finished");
        replaced.push(store.install(snapshot).expect("installed"));
    }
    for replaced in replaced {
        replaced.remove().expect("removed");
    }
    let left: Vec<_> = disk.files().into_keys().filter(|path| path.starts_with("/data/map-flags")).collect();
    assert_eq!(left, [Path::new("/data/map-flags/00000003.log"), Path::new("/data/map-flags/00000003.snap")]);
    drop((store, dir));
}

#[test]
fn a_log_is_worth_a_snapshot_when_it_is_larger_than_the_rows_and_large() {
    let (_disk, _dir, mut store) = one_commit();
    let live = 8 * 1024 * 1024;
    let value = vec![1; 1024 * 1024];
    for (megabytes, expected) in [(3, [false; 3]), (5, [true, false, false]), (9, [true, true, false]), (17, [true; 3])] {
        while store.log_bytes() < megabytes * 1024 * 1024 {
            store.append([Row::put(b"b", &value)]).expect("appended");
        }
        let found = [store.should_compact(0), store.should_compact(live), store.is_overgrown(0)];
        assert_eq!(found, expected, "{megabytes} MB");
    }
}

#[test]
fn a_row_over_its_limit_changes_nothing() {
    let (_disk, _dir, mut store) = one_commit();
    let whole = vec![0; crate::limits::MAX_FRAME_BYTES];
    let error = store.append([Row::put(b"b", b"1"), Row::put(b"c", &whole)]).expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(store.append([Row::put(b"b", b"2")]).expect("appended"), 2);
    assert_eq!(store.append::<Row<'_>>([]).expect("nothing"), 2);
    assert_eq!(store.sync().expect("synced"), 2);
}

#[test]
fn a_row_over_its_limit_in_a_commit_of_which_a_part_has_left_ends_the_store() {
    let (disk, dir, mut store) = one_commit();
    store.set_piece_bytes(8);
    let whole = vec![0; crate::limits::MAX_FRAME_BYTES];
    let error =
        store.append([Row::put(b"b", b"12345678"), Row::put(b"c", b""), Row::put(b"d", &whole)]).expect_err("too large");
    assert_eq!(store.append([Row::put(b"b", b"2")]).expect_err("over"), error);
    drop((store, dir));
    let (_store, found, rows) = open(&data_dir(&disk.after_kill()).expect("a data directory")).expect("a map");
    assert_eq!(found.cut.map(|cut| cut.what), Some("its last commit is not whole"));
    assert_eq!(rows, [(b"a".to_vec(), b"1".to_vec())].into());
}

#[test]
fn a_snapshot_of_commits_that_there_are_not_is_refused() {
    let (_disk, _dir, mut store) = one_commit();
    let snapshot = store.rotate().expect("rotated").finish(2).expect("finished");
    assert_eq!(store.install(snapshot).err().map(|error| error.kind()), Some(ErrorKind::Internal));
}
