//! Row 5: a scan of a prefix with 100 entries, beside the same from the bare ordered index.

use std::hint::black_box;

use p2pmap::{Map, ScanOptions};

use crate::clock::{Samples, now_ns};
use crate::floors::index::{BareOrder, bare_scan};
use crate::load::{self, Key, shuffled, value};
use crate::report::{Figures, Floor, Line, Unit};
use crate::rows::reads::filled;
use crate::{Effort, Result};

/// Keys under one prefix: those that differ in their last two digits.
const KEYS: usize = 100;
const DIGITS: usize = 2;

pub fn measure(effort: Effort) -> Result<Figures> {
    let entries: usize = effort.pick(100_000, 1_000_000);
    let rounds = effort.pick(5_000, 20_000);
    let map = filled(entries)?;
    let bare = BareOrder::new();
    for number in 0..entries {
        bare.insert_sync(load::key(number)[..].into(), value(number as u64, 0)[..].into()).map_err(|_| "twice")?;
    }
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for key in shuffled(entries).iter().cycle().take(rounds) {
        ours.push(time(key, |prefix| scan(&map, prefix))?);
        floor.push(time(key, |prefix| Ok(bare_scan(&bare, prefix)))?);
    }
    // The first prefix is the same for all that begin with it or below it: every scan of the whole map, for one.
    let (mut ours_first, mut floor_first) = (Vec::new(), Vec::new());
    for _ in 0..effort.pick(500, 2_000) {
        ours_first.push(time(&load::key(0), |prefix| scan(&map, prefix))?);
        floor_first.push(time(&load::key(0), |prefix| Ok(bare_scan(&bare, prefix)))?);
    }
    map.close();
    let line = |what: String, ours: Samples, floor: Samples| Line {
        row: 5,
        what,
        unit: Unit::Nanoseconds,
        ours: ours.median(),
        p99: Some(ours.p99()),
        floor: Some(Floor { what: "bare ordered index".into(), is: floor.median(), p99: Some(floor.p99()) }),
        samples: ours.count().to_string(),
        goal: "<= 2".into(),
    };
    let what = format!("scan of a prefix with {KEYS} of {} entries", load::count(entries));
    Ok(vec![
        line(what, Samples::new(ours), Samples::new(floor)),
        line("the same, from below all keys".into(), Samples::new(ours_first), Samples::new(floor_first)),
    ]
    .into())
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
