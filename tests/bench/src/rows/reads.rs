//! Row 1: `get`, in Rust, beside the bare hash index.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};

use p2pmap::{Config, Map};

use crate::clock::{Samples, now_ns};
use crate::floors::index::{BareIndex, bare_index};
use crate::load::{Key, Random, VALUE_BYTES, key, shuffled, value};
use crate::report::{Curve, Figures, Floor, Line, Plot, Unit, percentiles};
use crate::{Effort, Result, load};

/// So many reads are timed together.
pub const BLOCK: usize = 1000;
/// Keys that stay in the processor's cache.
pub const HOT: usize = 64;

/// A map alone, with entries of numbers up to `entries`.
pub fn filled(entries: usize) -> Result<Map> {
    let map = p2pmap::open("bench", Config::new())?;
    for number in 0..entries {
        map.put(key(number), value(number as u64, 0))?;
    }
    Ok(map)
}

pub fn measure(effort: Effort) -> Result<Figures> {
    let entries: usize = effort.pick(100_000, 1_000_000);
    let rounds = effort.pick(2_000, 5_000);
    let map = filled(entries)?;
    let bare = bare_index();
    for number in 0..entries {
        let _ = bare.insert_sync(key(number).into(), value(number as u64, 0).into());
    }
    let keys = shuffled(entries);
    let hot: Vec<Key> = (0..BLOCK).map(|at| keys[at % HOT]).collect();

    let mut lines = Vec::new();
    for (keys, how) in [(&hot, "hot".to_owned()), (&keys, format!("uniform over {}", load::count(entries)))] {
        let (got, copied, floor) = side_by_side(&map, &bare, keys, rounds);
        let line = |what: &str, ours: &Samples, goal: &str| Line {
            row: 1,
            what: format!("{what}, {how}"),
            unit: Unit::Nanoseconds,
            ours: ours.median(),
            p99: None,
            floor: Some(Floor { what: "bare index, value copied".into(), is: floor.median(), p99: None }),
            samples: format!("{rounds} x {BLOCK}"),
            goal: goal.into(),
        };
        lines.push(line("get, a counted reference", &got, ""));
        lines.push(line("get_with, value copied", &copied, "<= 1.2"));
    }
    let (line, plot) = beside_a_writer(&map, &bare, &keys, effort);
    lines.push(line);
    map.close();
    Ok(Figures { lines, plots: vec![plot] })
}

/// Nanoseconds a read, by turns: `get`, `get_with` that copies, the bare index that copies.
fn side_by_side(map: &Map, bare: &BareIndex, keys: &[Key], rounds: usize) -> (Samples, Samples, Samples) {
    let mut copy = [0; VALUE_BYTES];
    let (mut got, mut copied, mut floor) = (Vec::new(), Vec::new(), Vec::new());
    let mut blocks = keys.chunks_exact(BLOCK).cycle();
    let mut timed = |samples: &mut Vec<u64>, read: &mut dyn FnMut(&Key)| {
        let block = blocks.next().unwrap_or_default();
        let start = now_ns();
        block.iter().for_each(&mut *read);
        samples.push((now_ns() - start) * 10 / BLOCK as u64);
    };
    for _ in 0..rounds {
        timed(&mut got, &mut |key| drop(black_box(map.get(key))));
        timed(&mut copied, &mut |key| {
            let _ = black_box(map.get_with(key, |value| copy.copy_from_slice(value)));
        });
        timed(&mut floor, &mut |key| {
            let _ = black_box(bare.peek_with(&key[..], |_, value| copy.copy_from_slice(value)));
        });
    }
    (tenths(got), tenths(copied), tenths(floor))
}

/// Samples of tenths of nanoseconds, as nanoseconds to the nearest.
fn tenths(samples: Vec<u64>) -> Samples {
    samples.into_iter().map(|tenths| (tenths + 5) / 10).collect()
}

/// Single reads while another thread overwrites as fast as it can, and without; and of the bare index.
fn beside_a_writer(map: &Map, bare: &BareIndex, keys: &[Key], effort: Effort) -> (Line, Plot) {
    let count = effort.pick(200_000, 1_000_000);
    let mut copy = [0; VALUE_BYTES];
    let mut ours = || {
        single_reads(keys, count, |key| {
            let _ = black_box(map.get_with(key, |value| copy.copy_from_slice(value)));
        })
    };
    let without = ours();
    let stop = AtomicBool::new(false);
    let with = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = Random(7);
            let mut written = 0;
            while !stop.load(Ordering::Relaxed) {
                written += 1;
                let _ = map.put(keys[random.below(keys.len())], value(written, 1));
            }
        });
        let with = ours();
        stop.store(true, Ordering::Relaxed);
        with
    });
    let mut copy = [0; VALUE_BYTES];
    let floor = single_reads(keys, count, |key| {
        let _ = black_box(bare.peek_with(&key[..], |_, value| copy.copy_from_slice(value)));
    });
    let title = format!("get: single reads, values copied, uniform over {}, the clock included", load::count(keys.len()));
    let curves = vec![
        Curve::ours(0, "p2pmap", percentiles(&without)),
        Curve::ours(1, "p2pmap, a writer running", percentiles(&with)),
        Curve::floor(0, "bare index", percentiles(&floor)),
    ];
    let line = Line {
        row: 1,
        what: "p99 of single reads, a writer running".into(),
        unit: Unit::Nanoseconds,
        ours: with.p99(),
        p99: None,
        floor: Some(Floor { what: "without the writer".into(), is: without.p99(), p99: None }),
        samples: count.to_string(),
        goal: "<= 2".into(),
    };
    (line, Plot::of_latency("latency-get", &title, curves))
}

/// Each read timed by itself, the clock's own time included.
fn single_reads(keys: &[Key], count: usize, mut read: impl FnMut(&Key)) -> Samples {
    let timed = |key: &Key| {
        let start = now_ns();
        read(key);
        now_ns() - start
    };
    keys.iter().cycle().take(count).map(timed).collect()
}
