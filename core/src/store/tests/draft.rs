//! Files of the user's own: whole or not there, whatever the disk does.

use std::io::Write;

use super::*;
use crate::store::fault::Fault;

const DUMP: &str = "/dump";

fn old() -> Vec<u8> {
    b"what was there before".to_vec()
}

/// More than gathers at once.
fn new() -> Vec<u8> {
    (0..200_000_u32).map(|at| (at % 251) as u8).collect()
}

/// A disk with a file, and perhaps with one that is to be replaced.
fn disk(seed: u64, replaces: bool) -> FaultDisk {
    let disk = FaultDisk::new(seed);
    if replaces {
        disk.add(Path::new(DUMP), &old());
        disk.sync_directory(Path::new("/")).expect("synced");
    }
    disk
}

fn write(disk: &FaultDisk) -> io::Result<()> {
    let mut draft = Draft::on(Arc::new(disk.clone()), DUMP.into())?;
    new().chunks(1_000).try_for_each(|line| draft.write_all(line))?;
    draft.flush()?;
    draft.finish()
}

/// What is at that path.
fn found(disk: &FaultDisk) -> Option<Vec<u8>> {
    disk.files().remove(Path::new(DUMP))
}

/// How many operations it takes, and where they begin.
fn operations(replaces: bool) -> (u64, u64) {
    let disk = disk(1, replaces);
    let before = disk.operations();
    write(&disk).expect("nothing fails");
    assert_eq!(found(&disk), Some(new()));
    assert_eq!(disk.files().len(), 1, "and nothing else is left");
    (before, disk.operations())
}

#[test]
fn a_loss_of_power_leaves_the_earlier_file_or_the_new_one_and_never_half() {
    for replaces in [true, false] {
        let earlier = replaces.then(old);
        let (before, after) = operations(replaces);
        for at in 0..=after - before {
            for seed in 0..20 {
                let disk = disk(seed, replaces);
                disk.plan(at, Fault::Power);
                let written = write(&disk);
                let found = found(&disk.after_power_loss(seed));
                let is_whole = found == Some(new());
                assert!(is_whole || found == earlier, "operation {at}, seed {seed}: half of it is there");
                assert!(is_whole || written.is_err(), "operation {at}, seed {seed}: it was said to last");
            }
        }
    }
}

#[test]
fn a_disk_that_is_full_or_breaks_leaves_the_earlier_file() {
    for replaces in [true, false] {
        let earlier = replaces.then(old);
        let (before, after) = operations(replaces);
        for at in 0..after - before {
            for fault in [Fault::Once(io::ErrorKind::StorageFull), Fault::Always(io::ErrorKind::StorageFull)] {
                let disk = disk(1, replaces);
                disk.plan(at, fault);
                let error = write(&disk).expect_err("full");
                assert_eq!(error.kind(), io::ErrorKind::StorageFull, "operation {at}");
                // The very last one makes the name last that it has already.
                let expected = if at == after - before - 1 { Some(new()) } else { earlier.clone() };
                assert!(found(&disk) == expected, "operation {at}, {fault:?}");
                let left = disk.files().len() - usize::from(expected.is_some());
                assert!(left == 0 || matches!(fault, Fault::Always(_)), "operation {at}: it cleans up if it can");
            }
        }
    }
}
