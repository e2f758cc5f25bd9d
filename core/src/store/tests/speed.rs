//! What the disk costs, beside the least that it could cost. Nothing here can fail: it measures.
//!
//! ```text
//! cargo test --release -p p2pmap --lib store::tests::speed -- --ignored --nocapture
//! ```

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::*;
use crate::dice::Dice;

const SPAN: Duration = Duration::from_secs(3);
const KEY_BYTES: usize = 16;
const VALUE_BYTES: usize = 100;

fn row(number: u64) -> ([u8; KEY_BYTES], [u8; VALUE_BYTES]) {
    let mut key = [b'k'; KEY_BYTES];
    key[..8].copy_from_slice(&number.to_be_bytes());
    let mut value = [7; VALUE_BYTES];
    value[..8].copy_from_slice(&number.to_le_bytes());
    (key, value)
}

/// Repeats something for a while; prints how often a second, and how long it took.
fn measure(what: &str, rows: usize, mut step: impl FnMut()) {
    let (mut took, start) = (Vec::new(), Instant::now());
    while start.elapsed() < SPAN {
        let began = Instant::now();
        step();
        took.push(began.elapsed());
    }
    let rate = took.len() as f64 / start.elapsed().as_secs_f64();
    took.sort();
    let (half, most) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!("{what:44} {rate:8.0}/s  {:10.0} rows/s  p50 {half:9.1?}  p99 {most:9.1?}", rate * rows as f64);
}

#[test]
#[ignore = "measures"]
fn speed() {
    let place = std::env::var_os("P2PMAP_BENCH_DIR").map_or_else(std::env::temp_dir, Into::into);
    let place = place.join(format!("p2pmap-speed-{}", std::process::id()));
    let dir = DataDir::open(Arc::new(OsDisk), &place).expect("a data directory");
    synced(&dir, &place);
    unsynced(&dir);
    overwritten(&dir, &place);
    recovered(&dir, &place);
    drop(dir);
    std::fs::remove_dir_all(place).expect("removed");
}

fn synced(dir: &DataDir, place: &Path) {
    for group in [1, 16, 100, 1000] {
        let mut log = std::fs::File::create(place.join("bare")).expect("a file");
        let bytes = vec![1; group * (KEY_BYTES + VALUE_BYTES + 52)];
        measure(&format!("bare write + fdatasync of {} B", bytes.len()), group, || {
            log.write_all(&bytes).and_then(|()| log.sync_data()).expect("synced");
        });
        let (mut store, ..) = open(dir).expect("a map");
        let mut dice = Dice::new(1);
        measure(&format!("{group} commits of a row, synced together"), group, || {
            for _ in 0..group {
                let (key, value) = row(dice.below(100_000));
                store.append([Row::put(&key, &value)]).expect("appended");
            }
            store.sync().expect("synced");
        });
        drop(store);
        dir.destroy(MAP).expect("destroyed");
    }
}

fn unsynced(dir: &DataDir) {
    let (mut store, ..) = open(dir).expect("a map");
    let (start, count) = (Instant::now(), 3_000_000);
    for number in 0..count {
        let (key, value) = row(number);
        store.append([Row::put(&key, &value)]).expect("appended");
    }
    let appended = start.elapsed();
    store.sync().expect("synced");
    let (rate, mb) = (count as f64 / appended.as_secs_f64(), store.log_bytes() as f64 / 1e6);
    println!(
        "{count} commits of a row, not synced: {rate:.0}/s, {:.0} MB/s; with one sync {:.0} MB/s",
        mb / appended.as_secs_f64(),
        mb / start.elapsed().as_secs_f64()
    );
    drop(store);
    dir.destroy(MAP).expect("destroyed");
}

/// Overwrites few keys for long, compacting as a node would, on a thread.
fn overwritten(dir: &DataDir, place: &Path) {
    let (mut store, ..) = open(dir).expect("a map");
    let (keys, rounds, group) = (1_000, 10_000, 1_000);
    let live = keys * (KEY_BYTES + VALUE_BYTES) as u64;
    let (mut took, mut most, mut compactions) = (Vec::new(), 0, 0);
    let mut writing: Option<JoinHandle<Snapshot>> = None;
    let last = Arc::new(AtomicU64::new(0));
    let (mut dice, start) = (Dice::new(1), Instant::now());
    for round in 0..rounds {
        let began = Instant::now();
        for _ in 0..group {
            let (key, value) = row(dice.below(keys));
            store.append([Row::put(&key, &value)]).expect("appended");
        }
        last.store(store.sync().expect("synced"), Ordering::SeqCst);
        let too_much = store.is_overgrown(live);
        if let Some(walk) = writing.take_if(|walk| too_much || walk.is_finished()) {
            store.install(walk.join().expect("walked")).expect("installed").remove().expect("removed");
            compactions += 1;
        } else if writing.is_none() && store.should_compact(live) {
            let mut writer = store.rotate().expect("rotated");
            let last = last.clone();
            writing = Some(std::thread::spawn(move || {
                (0..keys).map(row).for_each(|(key, value)| writer.row(&key, &value).expect("written"));
                writer.finish(last.load(Ordering::SeqCst)).expect("finished")
            }));
        }
        took.push(began.elapsed());
        if round % 20 == 0 {
            most = most.max(disk_bytes(place));
        }
    }
    took.sort();
    println!(
        "{} overwrites of {keys} keys ({live} B), thousand by thousand: {:.1} s, {compactions} compactions, disk at most {} kB; \
         a thousand took p50 {:.1?}, p99 {:.1?}, at most {:.1?}",
        rounds * group,
        start.elapsed().as_secs_f64(),
        most / 1000,
        took[took.len() / 2],
        took[took.len() * 99 / 100],
        took[took.len() - 1]
    );
    drop(writing.map(JoinHandle::join));
    drop(store);
    dir.destroy(MAP).expect("destroyed");
}

fn disk_bytes(place: &Path) -> u64 {
    let files = std::fs::read_dir(place.join("map-flags")).expect("listed").flatten();
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}

fn recovered(dir: &DataDir, place: &Path) {
    let rows = 1_000_000;
    let (mut store, ..) = open(dir).expect("a map");
    for number in 0..rows {
        let (key, value) = row(number);
        store.append([Row::put(&key, &value)]).expect("appended");
    }
    store.sync().expect("synced");
    for what in ["a log", "a snapshot"] {
        drop(store);
        let (start, mut bare) = (Instant::now(), 0);
        for file in std::fs::read_dir(place.join("map-flags")).expect("listed").flatten() {
            bare += std::fs::read(file.path()).expect("read").len();
        }
        let read = start.elapsed();
        let (start, mut count) = (Instant::now(), 0_u64);
        let opened = dir.open_map(MAP, ID, &mut |_, value| {
            count += u64::from(value[0]);
            Ok(())
        });
        let took = start.elapsed();
        let found;
        (store, found) = opened.expect("opened");
        println!(
            "{rows} rows from {what}: {took:.1?}, {:.0} MB/s; to read the {:.0} MB alone {read:.1?} ({count} of it)",
            found.bytes as f64 / 1e6 / took.as_secs_f64(),
            bare as f64 / 1e6
        );
        let mut writer = store.rotate().expect("rotated");
        (0..rows).map(row).for_each(|(key, value)| writer.row(&key, &value).expect("written"));
        let snapshot = writer.finish(store.last()).expect("finished");
        store.install(snapshot).expect("installed").remove().expect("removed");
    }
}
