//! How cost grows with size: reads, writes, scans and memory of maps of a thousand to ten million entries.

use std::hint::black_box;

use p2pmap::{Config, Map, ScanOptions};

use crate::clock::{Samples, now_ns};
use crate::floors::index::{BareIndex, BareOrder, bare_index, bare_scan};
use crate::load::{ENTRY_BYTES, Key, Random, VALUE_BYTES, key, value};
use crate::machine::{available_bytes, resident_bytes};
use crate::process::{Peer, line, serve};
use crate::report::{Axis, Curve, Figures, Plot, Scale, Unit};
use crate::rows::memory::Redis;
use crate::{Effort, Result};

const SIZES: [usize; 5] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];
/// So many keys are taken together.
const BLOCK: usize = 1000;
const SCANS: usize = 50;
const BLOCKS: usize = 500;
/// All keys that differ in their last two digits.
const DIGITS: usize = 2;
/// The largest size is measured where this much is free.
const ROOM_BYTES: u64 = 12 << 30;
/// What fewer take is lost in what Redis holds already; more take long.
const REDIS: std::ops::RangeInclusive<usize> = 100_000..=1_000_000;

/// In the order that `sized` says them.
const OPERATIONS: [&str; 4] = ["put, a new key", "put, overwriting", "get, copied", "scan of 100"];

pub fn measure(effort: Effort) -> Result<Figures> {
    let most = match effort.quick {
        true => 100_000,
        false if available_bytes()? < ROOM_BYTES => 1_000_000,
        false => usize::MAX,
    };
    let (mut ours, mut floor) = (vec![Vec::new(); OPERATIONS.len()], vec![Vec::new(); OPERATIONS.len()]);
    let (mut memory, mut redis, mut payload) = (Vec::new(), Vec::new(), Vec::new());
    for size in SIZES.into_iter().filter(|size| *size <= most) {
        let at = size as f64;
        memory.push((at, sizes("ours", size, &mut ours)? / at));
        payload.push((at, ENTRY_BYTES as f64));
        sizes("bare", size, &mut floor)?;
        if REDIS.contains(&size)
            && let Some(mut server) = Redis::start()?
        {
            redis.push((at, server.fill(size)? / at));
        }
    }
    let entries = || Axis::new("entries in the map", Scale::Tenfold(Unit::Count));
    let mut curves = Vec::new();
    for (colour, ((operation, ours), floor)) in OPERATIONS.iter().zip(ours).zip(floor).enumerate() {
        curves.push(Curve::ours(colour, operation, ours));
        curves.push(Curve::floor(colour, &format!("{operation}: bare index"), floor));
    }
    let cost = Plot {
        name: "size-cost",
        title: "Reads, writes and scans against size, one thread".into(),
        x: entries(),
        y: Axis::new("time of one", Scale::Tenfold(Unit::Nanoseconds)),
        curves,
    };
    let memory = Plot {
        name: "size-memory",
        title: "Memory of an entry against size: key of 16 bytes, value of 100".into(),
        x: entries(),
        y: Axis::new("resident bytes an entry", Scale::Even(Unit::Bytes)),
        curves: [
            Curve::ours(0, "p2pmap", memory),
            Curve::floor(1, "Redis", redis),
            Curve::floor(4, "keys and values", payload),
        ]
        .into_iter()
        .filter(|curve| !curve.points.is_empty())
        .collect(),
    };
    Ok(Figures { lines: Vec::new(), plots: vec![cost, memory] })
}

/// Adds a point to each operation; returns what memory grew by.
fn sizes(what: &str, size: usize, operations: &mut [Vec<(f64, f64)>]) -> Result<f64> {
    let said = Peer::start("sized", &[what, &size.to_string()])?.ready.clone();
    let figures: Vec<f64> = said.split(' ').map(str::parse).collect::<std::result::Result<_, _>>()?;
    let [memory, figures @ ..] = &figures[..] else { return Err("no figures".into()) };
    // In tenths of a nanosecond.
    operations.iter_mut().zip(figures).for_each(|(operation, tenths)| operation.push((size as f64, tenths / 10.0)));
    Ok(*memory)
}

/// What is measured at each size.
trait Sized {
    fn put(&mut self, key: &Key, value: [u8; VALUE_BYTES]) -> Result<()>;
    fn get(&self, key: &Key, into: &mut [u8; VALUE_BYTES]) -> bool;
    fn scan(&self, prefix: &[u8]) -> Result<usize>;
}

impl Sized for Map {
    fn put(&mut self, key: &Key, value: [u8; VALUE_BYTES]) -> Result<()> {
        Ok(Map::put(self, key, value).map(drop)?)
    }

    fn get(&self, key: &Key, into: &mut [u8; VALUE_BYTES]) -> bool {
        self.get_with(key, |value| into.copy_from_slice(value)).is_ok_and(|found| found.is_some())
    }

    fn scan(&self, prefix: &[u8]) -> Result<usize> {
        let scan = Map::scan(self, ScanOptions { prefix: prefix.to_vec(), ..ScanOptions::default() })?;
        Ok(scan.filter(|entry| !black_box(entry.value()).is_empty()).count())
    }
}

/// The least that does the same.
struct Bare {
    by_key: BareIndex,
    ordered: BareOrder,
}

impl Sized for Bare {
    fn put(&mut self, key: &Key, value: [u8; VALUE_BYTES]) -> Result<()> {
        match self.by_key.entry_sync(key[..].into()) {
            scc::hash_index::Entry::Occupied(mut entry) => entry.update(value.into()),
            scc::hash_index::Entry::Vacant(entry) => {
                entry.insert_entry(value.into());
                self.ordered.insert_sync(key[..].into(), value[..].into()).map_err(|_| "twice")?;
            }
        }
        Ok(())
    }

    fn get(&self, key: &Key, into: &mut [u8; VALUE_BYTES]) -> bool {
        self.by_key.peek_with(&key[..], |_, value| into.copy_from_slice(value)).is_some()
    }

    fn scan(&self, prefix: &[u8]) -> Result<usize> {
        Ok(bare_scan(&self.ordered, prefix))
    }
}

/// `sized ours|bare ENTRIES`: says what memory grew by, and what each operation took, in tenths of nanoseconds.
pub fn sized(args: &[String]) -> Result<()> {
    let [what, size] = args else { return Err("sized ours|bare ENTRIES".into()) };
    let size = size.parse()?;
    let figures = match what.as_str() {
        "ours" => figures(p2pmap::open("bench", Config::new())?, size)?,
        _ => figures(Bare { by_key: bare_index(), ordered: BareOrder::new() }, size)?,
    };
    serve(&line(figures), |_| Ok(String::new()))
}

fn figures(mut map: impl Sized, size: usize) -> Result<[u64; 5]> {
    let before = resident_bytes()?;
    let start = now_ns();
    for number in 0..size {
        map.put(&key(number), value(number as u64, 0))?;
    }
    let put = (now_ns() - start) * 10 / size as u64;
    let memory = resident_bytes()?.saturating_sub(before);
    let mut random = Random(7);
    let mut timed = |block: &mut dyn FnMut(&[Key]) -> Result<()>, keys: usize| -> Result<u64> {
        let mut samples = Vec::with_capacity(BLOCKS);
        for _ in 0..BLOCKS {
            let chosen: Vec<Key> = (0..keys).map(|_| key(random.below(size))).collect();
            let start = now_ns();
            block(&chosen)?;
            samples.push((now_ns() - start) * 10 / keys as u64);
        }
        Ok(Samples::new(samples).median() as u64)
    };
    let overwritten = timed(&mut |keys| keys.iter().try_for_each(|key| map.put(key, value(1, 1))), BLOCK)?;
    let mut copy = [0; VALUE_BYTES];
    let get = timed(
        &mut |keys| match keys.iter().all(|key| black_box(map.get(key, &mut copy))) {
            true => Ok(()),
            false => Err("a key is missing".into()),
        },
        BLOCK,
    )?;
    let scan = timed(
        &mut |keys| match keys.iter().all(|key| map.scan(&key[..key.len() - DIGITS]).is_ok_and(|found| found == 100)) {
            true => Ok(()),
            false => Err("a scan misses something".into()),
        },
        SCANS,
    )?;
    Ok([memory, put, overwritten, get, scan])
}
