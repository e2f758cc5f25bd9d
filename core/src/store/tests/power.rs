//! The power fails, everywhere.

use super::life::Life;
use super::*;
use crate::dice::Dice;
use crate::store::fault::Fault;

/// Lives of a test run, unless STORE_SEEDS says otherwise: each loses power at each of its operations.
const SEEDS: u64 = 25;
/// Images of the disk for each loss of power.
const IMAGES: u64 = 3;

#[test]
fn g7_what_was_synced_survives_a_loss_of_power_at_every_operation() {
    let mut images = 0;
    for seed in seeds() {
        let operations = {
            let disk = FaultDisk::new(seed);
            Life::default().live(&disk, seed).expect("nothing fails yet");
            disk.operations()
        };
        for at in 0..operations {
            let disk = FaultDisk::new(seed);
            disk.plan(at, Fault::Power);
            let mut life = Life::default();
            // The last operation of all may be one whose failure nobody needs to know.
            let lived = life.live(&disk, seed);
            assert!(lived.is_err() || at + 1 == operations, "the power failed unseen, at {at} of {operations}");
            // The last image: only the process ended there, and the power fails when the next one opens what it sees.
            for image in 0..=IMAGES {
                images += 1;
                let left = if image == IMAGES { disk.after_kill() } else { disk.after_power_loss(image) };
                let told = format!("STORE_SEED_BASE={seed} STORE_SEEDS=1, power lost at operation {at}, image {image}");
                survives(&left, &mut life.clone(), seed ^ image, &told);
            }
        }
    }
    println!("{images} images");
}

/// Opens what is left; loses power while doing so; and goes on.
fn survives(disk: &FaultDisk, life: &mut Life, seed: u64, told: &str) {
    let told = std::panic::AssertUnwindSafe(told);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut dice = Dice::new(seed);
        let second = disk.copy();
        second.plan(dice.below(40), Fault::Power);
        let mut again = life.clone();
        // It may come to its end before the power fails; then it fails later.
        let _ = data_dir(&second).and_then(|dir| again.clone().reopen(&dir).map(drop));
        let second = second.after_power_loss(dice.below(1 << 40));
        again.reopen(&data_dir(&second).expect("opened after a second loss of power")).expect("a map after the second");

        let dir = data_dir(disk).expect("a loss of power is no reason to refuse");
        life.reopen(&dir).expect("a loss of power is no reason to refuse");
        drop(dir);
        life.live(disk, seed).expect("life goes on");
        life.reopen(&data_dir(disk).expect("opened once more")).expect("a map once more");
    }));
    if let Err(panic) = outcome {
        println!("{}", *told);
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn a_killed_process_loses_nothing_that_was_handed_to_the_system() {
    for seed in seeds() {
        let disk = FaultDisk::new(seed);
        let dir = data_dir(&disk).expect("a data directory");
        let (mut store, ..) = open(&dir).expect("a map");
        store.append([Row::put(b"a", b"1")]).expect("appended");
        store.write().expect("written");
        let (store, recovered, rows) = open(&data_dir(&disk.after_kill()).expect("reopened")).expect("a map");
        assert_eq!((recovered.last, recovered.cut, rows.len()), (1, None, 1));
        drop(store);
    }
}

/// Seeds from STORE_SEED_BASE, so many as STORE_SEEDS says.
pub fn seeds() -> std::ops::Range<u64> {
    let setting = |name, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let first = setting("STORE_SEED_BASE", 0);
    first..first + setting("STORE_SEEDS", SEEDS)
}
