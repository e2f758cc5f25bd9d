//! Row 14: opening a map again, beside reading a file of the same bytes and filling bare indexes.
//!
//! Each is done by a process of its own: what an earlier map has left in memory helps or hinders none of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use scc::TreeIndex;

use crate::clock::{Samples, now_ns};
use crate::floors::index::bare_index;
use crate::load::{self, KEY_BYTES, key, value};
use crate::process::{Peer, line, serve};
use crate::report::{Figures, Floor, Line, Unit};
use crate::rows::durable::{Place, open};
use crate::{Effort, Result};

/// What a row of the log has beside key and value, about.
const ROW_BYTES: usize = 40;

pub fn measure(effort: Effort) -> Result<Figures> {
    let mut lines = reopened(100_000, effort.pick(3, 7), "")?;
    if !effort.quick {
        lines.extend(reopened(1_000_000, 5, "<= 1.5 x")?);
    }
    Ok(lines.into())
}

fn reopened(entries: usize, rounds: usize, goal: &str) -> Result<Vec<Line>> {
    let place = Place::new()?;
    let map = open(&place.0, "async")?;
    for number in 0..entries {
        map.put(key(number), value(number as u64, 0))?;
    }
    map.close();
    let bare = place.0.join("bare");
    let row = |number| [&key(number)[..], &value(number as u64, 0), &[0; ROW_BYTES]].concat();
    std::fs::write(&bare, (0..entries).flat_map(row).collect::<Vec<u8>>())?;

    let took = |role: &str, path: &Path, kind: &str| -> Result<u64> {
        let peer = Peer::start(role, &[&path.to_string_lossy(), &entries.to_string(), kind])?;
        Ok(peer.ready.parse()?)
    };
    let (mut ours, mut hash, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        ours.push(took("reopen", &place.0, "")?);
        hash.push(took("refill", &bare, "hash")?);
        all.push(took("refill", &bare, "all")?);
    }
    let ours = Samples::new(ours).median();
    let against = |what: &str, floor: &str, samples, goal: &str| Line {
        row: 14,
        what: what.into(),
        unit: Unit::Nanoseconds,
        ours,
        p99: None,
        floor: Some(Floor { what: floor.into(), is: Samples::new(samples).median(), p99: None }),
        samples: rounds.to_string(),
        goal: goal.into(),
    };
    let what = format!("open again, {} entries on disk", load::count(entries));
    Ok(vec![
        against(&what, "bare read and bare index", hash, goal),
        against("the same", "bare read, and bare indexes by key, in key order, and in the order of writes", all, ""),
    ])
}

/// `reopen PLACE ENTRIES KIND`: opens the map that is kept there; says how long that took.
pub fn reopen(args: &[String]) -> Result<()> {
    let [place, entries, _] = args else { return Err("reopen PLACE ENTRIES KIND".into()) };
    let start = now_ns();
    let map = open(Path::new(place), "async")?;
    let took = now_ns() - start;
    if map.len()? != entries.parse::<usize>()? {
        return Err(format!("{} of {entries} entries came back", map.len()?).into());
    }
    map.close();
    serve(&line([took]), |_| Ok("reopened".into()))
}

/// `refill FILE ENTRIES hash|all`: reads a file of entries and puts them into the bare index, or into all the indexes that a map
/// has; says how long that took.
pub fn refill(args: &[String]) -> Result<()> {
    let [file, entries, kind] = args else { return Err("refill FILE ENTRIES hash|all".into()) };
    let entries: usize = entries.parse()?;
    let start = now_ns();
    let mut bytes = Vec::new();
    File::open(file)?.read_to_end(&mut bytes)?;
    let rows = bytes.chunks_exact(bytes.len() / entries).map(|row| row[..row.len() - ROW_BYTES].split_at(KEY_BYTES));
    if kind == "hash" {
        let index = bare_index();
        for (key, value) in rows {
            index.insert_sync(key.into(), value.into()).map_err(|_| "twice")?;
        }
        return serve(&line([now_ns() - start]), |_| Ok("refilled".into()));
    }
    let by_key = scc::HashIndex::with_hasher(foldhash::fast::RandomState::default());
    let (ordered, mut written) = (TreeIndex::new(), BTreeMap::new());
    for (at, (key, value)) in rows.enumerate() {
        let key: Arc<[u8]> = key.into();
        by_key.insert_sync(key.clone(), Box::<[u8]>::from(value)).map_err(|_| "twice")?;
        ordered.insert_sync(key.clone(), ()).map_err(|_| "twice")?;
        written.insert(at as u64, key);
    }
    serve(&line([now_ns() - start]), |_| Ok("refilled".into()))
}
