//! Row 4: `put` into a map in memory that no peer has, beside a write into the bare index.

use p2pmap::Config;
use scc::hash_index::Entry;

use crate::clock::{Samples, now_ns};
use crate::floors::index::bare_index;
use crate::load::{self, Key, key, shuffled, value};
use crate::report::{Figures, Floor, Line, Unit};
use crate::{Effort, Result};

pub fn measure(effort: Effort) -> Result<Figures> {
    let (entries, rounds) = effort.pick((200_000, 3), (1_000_000, 3));
    let order = shuffled(entries);
    let (mut new, mut over, mut bare_new, mut bare_over) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let map = p2pmap::open("bench", Config::new())?;
        let keys: Vec<Key> = (0..entries).map(key).collect();
        new.push(time(&keys, |at, key| map.put(key, value(at, 0)).map(drop))?);
        over.push(time(&order, |at, key| map.put(key, value(at, 1)).map(drop))?);
        map.close();

        let bare = bare_index();
        bare_new.push(time(&keys, |at, key| bare.insert_sync(key[..].into(), value(at, 0).into()).map_err(|_| "twice"))?);
        bare_over.push(time(&order, |at, key| match bare.entry_sync(key[..].into()) {
            Entry::Occupied(mut entry) => {
                entry.update(value(at, 1).into());
                Ok(())
            }
            Entry::Vacant(_) => Err("absent"),
        })?);
    }
    let line = |what: &str, ours: Vec<u64>, floor: Vec<u64>| {
        let rate = |samples: Vec<u64>| entries as f64 * 1e9 / Samples::new(samples).median();
        Line {
            row: 4,
            what: what.into(),
            unit: Unit::Rate,
            ours: rate(ours),
            p99: None,
            floor: Some(Floor { what: "bare index".into(), is: rate(floor), p99: None }),
            samples: format!("{rounds} x {}", load::count(entries)),
            goal: ">= 1 M/s".into(),
        }
    };
    Ok(vec![
        line("put, new keys, no peers, 1 thread", new, bare_new),
        line("put, overwriting in random order", over, bare_over),
    ]
    .into())
}

/// Nanoseconds for one write of every key.
fn time<E>(keys: &[Key], mut write: impl FnMut(u64, &Key) -> std::result::Result<(), E>) -> std::result::Result<u64, E> {
    let start = now_ns();
    for (at, key) in keys.iter().enumerate() {
        write(at as u64, key)?;
    }
    Ok(now_ns() - start)
}
