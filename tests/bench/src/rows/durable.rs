//! Row 13: a put that returns when it is on disk, beside an append and a sync of the same bytes.

use std::path::{Path, PathBuf};
use std::thread;

use p2pmap::{Config, Map};

use crate::clock::now_ns;
use crate::floors::log::BareLog;
use crate::load::{Key, key, value};
use crate::report::{Figures, Floor, Line, Unit};
use crate::rows::overwrites;
use crate::{Effort, Result};

pub fn measure(effort: Effort) -> Result<Figures> {
    let mut lines = Vec::new();
    for (writers, goal) in [(1, ">= 0.9 x"), (32, ">= 0.8 x")] {
        lines.push(puts(writers, effort.pick(1_500, 10_000), goal)?);
    }
    lines.extend(overwrites::measure("async", effort.pick(1_000_000, 4_000_000))?);
    lines.extend(overwrites::measure("sync", effort.pick(30_000, 75_000))?);
    Ok(lines.into())
}

/// A directory on the disk that the build is on, gone when this is.
pub struct Place(pub PathBuf);

impl Place {
    pub fn new() -> Result<Self> {
        let path = std::env::current_exe()?.with_file_name(format!("bench-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Opens the map `bench` that is kept there.
pub fn open(place: &Path, durability: &str) -> Result<Map> {
    let mut config = Config::new();
    config.set("data_dir", &place.join("data").to_string_lossy())?.set("durability", durability)?;
    Ok(p2pmap::open("bench", config)?)
}

/// Ours and the floor in turns, so that both meet the same disk.
fn puts(writers: usize, count: usize, goal: &str) -> Result<Line> {
    const ROUNDS: usize = 4;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    let (mut ours_ns, mut bare_ns) = (0, 0);
    for round in 0..ROUNDS {
        let place = Place::new()?;
        let map = open(&place.0, "sync")?;
        let keys: Vec<Key> = (0..1_000).map(key).collect();
        let share = count / ROUNDS / writers;
        ours_ns += run(writers, share, &mut ours, |writer, at| {
            map.put(keys[(writer * share + at) % 1_000], value(at as u64, round as u64)).map(drop).map_err(Into::into)
        })?;
        map.close();
        let log = BareLog::create(&place.0.join("bare"))?;
        bare_ns += run(writers, share, &mut bare, |_, at| log.append(&[&[0_u8; 40], &value(at as u64, 0)[..]].concat()))?;
    }
    let rate = |samples: &[u64], ns: u64| samples.len() as f64 * 1e9 / ns as f64;
    let what = if writers == 1 { "an append and fdatasync" } else { "a bare log with group commit" };
    Ok(Line {
        row: 13,
        what: format!("put, on disk when it returns, {writers} writer{}", if writers == 1 { "" } else { "s" }),
        unit: Unit::Rate,
        ours: rate(&ours, ours_ns),
        p99: None,
        floor: Some(Floor { what: what.into(), is: rate(&bare, bare_ns), p99: None }),
        samples: format!("{ROUNDS} x {}", count / ROUNDS),
        goal: goal.into(),
    })
}

/// Has every writer write so often; how long all of it took. Adds how long each took.
fn run(writers: usize, share: usize, samples: &mut Vec<u64>, write: impl Fn(usize, usize) -> Result<()> + Sync) -> Result<u64> {
    let start = now_ns();
    let taken = thread::scope(|scope| {
        let write = &write;
        let one = |writer: usize| {
            scope.spawn(move || -> Result<Vec<u64>> {
                let timed = |at: usize| {
                    let start = now_ns();
                    write(writer, at)?;
                    Ok(now_ns() - start)
                };
                (0..share).map(timed).collect()
            })
        };
        let running: Vec<_> = (0..writers).map(one).collect();
        running.into_iter().map(|one| one.join().map_err(|_| "a writer panicked")?).collect::<Result<Vec<_>>>()
    })?;
    let ns = now_ns() - start;
    samples.extend(taken.into_iter().flatten());
    Ok(ns)
}
