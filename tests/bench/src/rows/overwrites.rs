//! Row 13 while the log is compacted: few keys, overwritten without end, so that nearly all of the log is of no use any more.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::Result;
use crate::clock::{Samples, now_ns};
use crate::floors::log::{BareLog, LazyLog};
use crate::load::{self, ENTRY_BYTES, Key, Value, key, value};
use crate::report::{Floor, Line, Unit};
use crate::rows::durable::{Place, open};

const KEYS: usize = 1_000;
/// What a row of a log has beside key and value.
const HEAD_BYTES: usize = 40;
/// Between two looks at the directory.
const LOOK_EVERY: Duration = Duration::from_micros(200);

/// How long puts take while a compaction runs, beside the appends of a bare log that never is compacted; and the largest size of
/// the directory.
pub fn measure(durability: &str, count: usize) -> Result<Vec<Line>> {
    let place = Place::new()?;
    let keys: Vec<Key> = (0..KEYS).map(key).collect();
    let map = open(&place.0, durability)?;
    keys.iter().enumerate().try_for_each(|(at, key)| map.put(key, value(at as u64, 0)).map(drop))?;
    let (watch, mut during) = (Watch::default(), Vec::new());
    thread::scope(|scope| {
        scope.spawn(|| watch.run(&place.0.join("data/map-bench")));
        let written = overwrite(&keys, count, &mut during, &watch.compacting, |key, value| map.put(key, value).map(drop));
        watch.over.store(true, Ordering::Relaxed);
        written
    })?;
    map.close();
    let (ours, bare) = (Samples::new(during), Samples::new(bare(durability, &place.0.join("bare"), &keys, count)?));
    if ours.count() == 0 {
        let largest = watch.largest.into_inner();
        return Err(format!("{count} puts, {durability}: no compaction was seen, and no more than {largest} bytes").into());
    }
    let floor = if durability == "sync" { "an append and fdatasync" } else { "an append, fdatasync every 100 ms" };
    let samples = format!("{} of {}", ours.count(), load::count(count));
    let line = |what: String, ours: f64, p99, floor, goal: &str| {
        let (samples, goal, unit) = (samples.clone(), goal.into(), Unit::Nanoseconds);
        Line { row: 13, what, unit, ours, p99, floor: Some(floor), samples, goal }
    };
    let of_bare = |is: f64, p99| Floor { what: floor.into(), is, p99 };
    let what = format!("put, {durability}, {} keys overwritten, log being compacted", load::count(KEYS));
    let disk = Line {
        unit: Unit::Bytes,
        ours: watch.largest.into_inner() as f64,
        floor: Some(Floor { what: "keys and values".into(), is: (KEYS * ENTRY_BYTES) as f64, p99: None }),
        samples: load::count(count),
        ..line("its directory at its largest".into(), 0.0, None, of_bare(0.0, None), "<= 18 MB")
    };
    Ok(vec![
        line(what, ours.median(), Some(ours.p99()), of_bare(bare.median(), Some(bare.p99())), "p99 <= 20 medians"),
        line("its 99.9th percentile".into(), ours.quantile(0.999), None, of_bare(bare.quantile(0.999), None), ""),
        line("its longest".into(), ours.quantile(1.0), None, of_bare(bare.quantile(1.0), None), ""),
        disk,
    ])
}

/// Overwrites the keys in turn. Adds how long each write took that was made while the flag was set.
fn overwrite<E>(
    keys: &[Key],
    count: usize,
    samples: &mut Vec<u64>,
    flag: &AtomicBool,
    mut write: impl FnMut(&Key, Value) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    for at in 0..count {
        let (key, value) = (&keys[at % keys.len()], value(at as u64, 1));
        let start = now_ns();
        write(key, value)?;
        let took = now_ns() - start;
        if flag.load(Ordering::Relaxed) {
            samples.push(took);
        }
    }
    Ok(())
}

/// The same into a bare log.
fn bare(durability: &str, path: &Path, keys: &[Key], count: usize) -> Result<Vec<u64>> {
    let (mut samples, always) = (Vec::with_capacity(count), AtomicBool::new(true));
    let row = |key: &Key, value: Value| [&[0_u8; HEAD_BYTES][..], key, &value].concat();
    if durability == "sync" {
        let log = BareLog::create(path)?;
        overwrite(keys, count, &mut samples, &always, |key, value| log.append(&row(key, value)))?;
        return Ok(samples);
    }
    let log = LazyLog::create(path)?;
    thread::scope(|scope| {
        let syncing = scope.spawn(|| log.run());
        let written: Result<()> = overwrite(keys, count, &mut samples, &always, |key, value| {
            log.append(&row(key, value));
            Ok(())
        });
        log.close();
        syncing.join().map_err(|_| "the log panicked")?.map_err(Into::into).and(written)
    })?;
    Ok(samples)
}

/// Looks at a map's directory from outside.
#[derive(Default)]
struct Watch {
    /// A snapshot, or the segment that it begins with, is there beside what it will replace.
    compacting: AtomicBool,
    largest: AtomicU64,
    over: AtomicBool,
}

impl Watch {
    fn run(&self, directory: &Path) {
        while !self.over.load(Ordering::Relaxed) {
            let (mut bytes, mut logs, mut unfinished) = (0, 0, 0);
            for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
                // It may be gone by now.
                bytes += entry.metadata().map_or(0, |file| file.len());
                logs += usize::from(entry.path().extension().is_some_and(|end| end == "log"));
                unfinished += usize::from(entry.path().extension().is_some_and(|end| end == "new"));
            }
            self.compacting.store(logs > 1 || unfinished > 0, Ordering::Relaxed);
            self.largest.fetch_max(bytes, Ordering::Relaxed);
            thread::sleep(LOOK_EVERY);
        }
    }
}
