//! Row 5: a scan of a prefix with 100 entries, beside the same from the bare ordered index.

use std::hint::black_box;
use std::ops::Bound;

use p2pmap::{Map, ScanOptions};
use scc::{Guard, TreeIndex};

use crate::clock::{Samples, now_ns};
use crate::load::{self, Key, shuffled, value};
use crate::reads::filled;
use crate::table::{Floor, Line, Unit};
use crate::{Effort, Result};

/// Keys under one prefix: those that differ in their last two digits.
const KEYS: usize = 100;
const DIGITS: usize = 2;

type Bare = TreeIndex<Box<[u8]>, Box<[u8]>>;

pub fn measure(effort: Effort) -> Result<Vec<Line>> {
    let entries: usize = effort.pick(100_000, 1_000_000);
    let rounds = effort.pick(5_000, 20_000);
    let map = filled(entries)?;
    let bare = Bare::new();
    for number in 0..entries {
        bare.insert_sync(load::key(number)[..].into(), value(number as u64, 0)[..].into()).map_err(|_| "twice")?;
    }
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for key in shuffled(entries).iter().cycle().take(rounds) {
        ours.push(time(key, |prefix| scan(&map, prefix))?);
        floor.push(time(key, |prefix| Ok(scan_bare(&bare, prefix)))?);
    }
    map.close();
    let (ours, floor) = (Samples::new(ours), Samples::new(floor));
    Ok(vec![Line {
        row: 5,
        what: format!("scan of a prefix with {KEYS} of {} entries", load::count(entries)),
        unit: Unit::Nanoseconds,
        ours: ours.median(),
        p99: Some(ours.p99()),
        floor: Some(Floor { what: "bare ordered index".into(), is: floor.median(), p99: Some(floor.p99()) }),
        samples: rounds.to_string(),
        goal: "<= 2".into(),
    }])
}

fn time(key: &Key, scan: impl FnOnce(&[u8]) -> Result<usize>) -> Result<u64> {
    let start = now_ns();
    let found = scan(&key[..key.len() - DIGITS])?;
    let took = now_ns() - start;
    if found == KEYS { Ok(took) } else { Err(format!("{found} of {KEYS} entries").into()) }
}

fn scan(map: &Map, prefix: &[u8]) -> Result<usize> {
    let scan = map.scan(ScanOptions { prefix: prefix.to_vec(), ..ScanOptions::default() })?;
    Ok(scan.filter(|entry| !black_box(entry.value()).is_empty()).count())
}

fn scan_bare(bare: &Bare, prefix: &[u8]) -> usize {
    let guard = Guard::new();
    let from = bare.range::<[u8], _>((Bound::Included(prefix), Bound::Unbounded), &guard);
    from.take_while(|(key, _)| key.starts_with(prefix)).filter(|(_, value)| !black_box(value).is_empty()).count()
}
