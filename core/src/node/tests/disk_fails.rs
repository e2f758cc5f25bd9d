//! Disks that fail under a map that is open.

use std::path::Path;
use std::sync::Arc;

use super::super::clock::now_ms;
use super::super::keeper::Keeper;
use super::super::saved::Loading;
use super::super::state::{MapState, NodeShared, Wait};
use super::super::ttl::Ttl;
use super::*;
use crate::options::{Durability, MapSettings, OnStorageError};
use crate::peer::PeerId;
use crate::replica::{Origin, Rules};
use crate::store::DataDir;
use crate::store::fault::{Fault, FaultDisk};
use crate::wire::Topic;

fn open(disk: &FaultDisk, on_error: OnStorageError) -> MapState {
    open_as(disk, Durability::Sync, on_error)
}

fn open_as(disk: &FaultDisk, durability: Durability, on_error: OnStorageError) -> MapState {
    let mut settings = MapSettings { durability, ..MapSettings::default() };
    settings.on_storage_error = on_error;
    let dir = DataDir::open(Arc::new(disk.clone()), Path::new("/data")).unwrap();
    let rules = Rules {
        presence: false,
        signed: false,
        tombstone_ttl_ms: settings.tombstone_ttl_ms,
        origin_retention_ms: settings.origin_retention_ms,
        peer_timeout_ms: 10_000,
        max_clock_drift_ms: 60_000,
    };
    let origin = Origin::new(PeerId::from_bytes(b"n").unwrap(), now_ms() << 16);
    let (replica, keeper) = Keeper::open("test", &settings, &dir, Loading::new(origin, rules, 1)).unwrap();
    MapState::new("test", Topic([1; 16]), settings, replica, Some(Arc::new(keeper)), NodeShared::default())
}

fn put(map: &MapState, key: &str) -> crate::Result<()> {
    map.put(key.as_bytes(), b"v", Ttl::Default, Wait::Disk).map(|_| ())
}

fn has(map: &MapState, key: &str) -> bool {
    map.index.record(key.as_bytes()).is_some()
}

const REFUSE: OnStorageError = OnStorageError::Refuse;

#[test]
fn g7_a_write_that_the_disk_refused_fails_and_so_does_every_later_one() {
    let disk = FaultDisk::new(1);
    let map = open(&disk, REFUSE);
    put(&map, "before").unwrap();
    let keeper = map.keeper.clone().unwrap();
    keeper.next_delta(&map).expect("what is on disk leaves");
    disk.plan(0, Fault::Always(std::io::ErrorKind::StorageFull));
    let error = put(&map, "refused").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    assert!(keeper.next_delta(&map).is_none(), "what is not on disk does not leave");
    assert!(!keeper.wait_to_leave(&map, map.writer().replica.edits()), "nor does a page with it");
    assert_eq!(put(&map, "later").unwrap_err().kind(), ErrorKind::Storage);
    assert!(has(&map, "before"), "reads go on");
    assert!(map.subscribe(Default::default()).is_ok(), "and subscriptions");
    assert!(map.close(), "it closes");
    assert_eq!(keeper.close(&map).unwrap_err().kind(), ErrorKind::Storage);
    assert!(keeper.next_delta(&map).is_none(), "nor does it leave then");
    drop((map, keeper));

    let map = open(&disk.after_kill(), REFUSE);
    assert!(has(&map, "before"), "what was acknowledged");
    put(&map, "after").unwrap();
}

#[test]
fn a_map_that_is_asked_to_goes_on_in_memory() {
    let disk = FaultDisk::new(2);
    let map = open(&disk, OnStorageError::Memory);
    put(&map, "before").unwrap();
    disk.plan(0, Fault::Always(std::io::ErrorKind::Other));
    put(&map, "in memory").unwrap();
    put(&map, "too").unwrap();
    let keeper = map.keeper.clone().unwrap();
    assert!(keeper.error().is_some(), "and says so");
    assert!(keeper.next_delta(&map).is_some(), "others are told");
    drop((map, keeper));
    let map = open(&disk.after_kill(), REFUSE);
    assert!(has(&map, "before") && !has(&map, "too"));
}

#[test]
fn g7_a_panic_while_one_saves_for_all_ends_the_writing_and_leaves_nobody_waiting() {
    let disk = FaultDisk::new(3);
    let map = open(&disk, REFUSE);
    put(&map, "before").unwrap();
    disk.plan(0, Fault::Panic);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let map = &map;
        let writers: Vec<_> = (0..8).map(|writer| scope.spawn(move || put(map, &writer.to_string()))).collect();
        writers.into_iter().map(|writer| writer.join()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_err()).count(), 1, "one panicked");
    for outcome in outcomes.iter().flatten() {
        assert_eq!(outcome.as_ref().unwrap_err().kind(), ErrorKind::Storage);
    }
    assert!(has(&map, "before"), "reads go on");
    assert!(map.close(), "it closes");
    assert_eq!(map.keeper.clone().unwrap().close(&map).unwrap_err().kind(), ErrorKind::Storage);
    drop(map);
    let map = open(&disk.after_kill(), REFUSE);
    assert!(has(&map, "before"), "what was acknowledged");
    put(&map, "after").unwrap();
}

#[test]
fn g7_a_panic_of_the_thread_that_saves_is_told_to_who_writes() {
    let disk = FaultDisk::new(4);
    let map = Arc::new(open_as(&disk, Durability::Async, REFUSE));
    let keeper = map.keeper.clone().unwrap();
    keeper.start(map.clone(), std::sync::Weak::new()).unwrap();
    disk.plan(0, Fault::Panic);
    // The first is taken at its word, and some more until the thread has come to it.
    let error = (0..).find_map(|key: u32| put(&map, &key.to_string()).err()).unwrap();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert_eq!(map.flush().unwrap_err(), error);
    assert_eq!(keeper.close(&map).unwrap_err(), error);
}

#[test]
fn g7_what_returned_survives_a_loss_of_power() {
    for seed in 0..50 {
        let disk = FaultDisk::new(seed);
        let map = open(&disk, REFUSE);
        for key in 0..20 {
            put(&map, &key.to_string()).unwrap();
        }
        map.remove(b"3", Wait::Disk).unwrap();
        let map = open(&disk.after_power_loss(seed), REFUSE);
        assert!((0..20).all(|key| has(&map, &key.to_string())), "seed {seed}");
        assert!(!map.index.record(b"3").unwrap().is_live());
    }
}
