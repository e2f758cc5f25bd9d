//! Reads and writes of a map that has no peers.

use std::hint::black_box;

use p2pmap::{Batch, Config, Map, ScanOptions};

use crate::{KEY_BYTES, Key, Result, VALUE, keys, measure};

const ENTRIES: usize = 10_000;
/// Entries of a batch, and of a scan.
const MANY: usize = 100;

fn filled() -> Result<Map> {
    let map = p2pmap::open("counts", Config::new())?;
    put_all(&map, &keys(0, ENTRIES))?;
    Ok(map)
}

fn put_all(map: &Map, keys: &[Key]) -> Result<()> {
    for key in keys {
        map.put(key, VALUE)?;
    }
    Ok(())
}

pub fn reads() -> Result<()> {
    let map = filled()?;
    let keys = keys(0, ENTRIES);
    measure("get", ENTRIES, || {
        for key in &keys {
            black_box(map.get(key)?);
        }
        Ok(())
    })?;
    let mut copy = VALUE;
    measure("get_with, value copied", ENTRIES, || {
        for key in &keys {
            black_box(map.get_with(key, |value| copy.copy_from_slice(value))?);
        }
        Ok(())
    })?;
    let mut found = 0;
    let mut scan = |prefix: &[u8], limit, reverse| {
        let options = ScanOptions { prefix: prefix.to_vec(), limit, reverse, ..ScanOptions::default() };
        found += map.scan(options)?.map(black_box).count();
        Ok(())
    };
    let scans = ENTRIES / MANY;
    let prefix = |key: &Key| key[..KEY_BYTES - 2].to_vec();
    measure("scan of a prefix with 100 entries", scans, || {
        keys[..scans].iter().try_for_each(|key| scan(&prefix(key), None, false))
    })?;
    measure("scan of the first 100 of all entries", scans, || (0..scans).try_for_each(|_| scan(b"", Some(MANY), false)))?;
    measure("scan of the last 100 of a prefix", scans, || (0..scans).try_for_each(|_| scan(b"0", Some(MANY), true)))?;
    map.close();
    if found == 3 * scans * MANY { Ok(()) } else { Err(format!("{found} entries in {scans} scans").into()) }
}

pub fn writes() -> Result<()> {
    let map = filled()?;
    let (old, new, newer) = (keys(0, ENTRIES), keys(ENTRIES, ENTRIES), keys(2 * ENTRIES, ENTRIES));
    measure("put, overwriting", ENTRIES, || put_all(&map, &old))?;
    measure("put, new keys", ENTRIES, || put_all(&map, &new))?;
    measure("batch of 100 new keys, one of them", ENTRIES, || {
        for keys in newer.chunks(MANY) {
            let mut batch = Batch::new();
            for key in keys {
                batch.put(key, VALUE);
            }
            map.apply(&batch)?;
        }
        Ok(())
    })?;
    measure("remove", ENTRIES, || {
        for key in &old {
            map.remove(key)?;
        }
        Ok(())
    })?;
    map.close();
    Ok(())
}
