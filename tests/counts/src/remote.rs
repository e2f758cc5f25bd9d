//! A delta: cut and encoded by its author, decoded and merged by who receives it.

use std::hint::black_box;

use crate::peer::PeerId;
use crate::replica::{Merged, Origin, Replica, Rules, Write};
use crate::wire::gossip::{self, Gossip};
use crate::{Key, Result, VALUE, keys, measure};

const ENTRIES: usize = 10_000;
/// Entries of a delta.
const MANY: usize = 100;
/// What the clock says, always.
const NOW_MS: u64 = 1_700_000_000_000;

fn replica(author: u8) -> Result<Replica> {
    let rules = Rules {
        presence: false,
        signed: false,
        tombstone_ttl_ms: 3_600_000,
        origin_retention_ms: 2_592_000_000,
        peer_timeout_ms: 3_000,
        max_clock_drift_ms: 60_000,
    };
    Ok(Replica::new(Origin::new(PeerId::from_bytes(&[author; 38])?, 1), rules))
}

/// Writes each key, in deltas of `MANY`.
fn deltas(author: &mut Replica, keys: &[Key]) -> Result<Vec<Vec<u8>>> {
    let mut deltas = Vec::new();
    for keys in keys.chunks(MANY) {
        author.apply(keys.iter().map(|key| Write { key, value: Some(&VALUE), expires_at_ms: 0 }), NOW_MS);
        deltas.push(gossip::encode_delta(&author.cut_delta(1).ok_or("nothing to tell")?));
    }
    Ok(deltas)
}

pub fn delta() -> Result<()> {
    let (mut author, mut receiver) = (replica(1)?, replica(2)?);
    let keys = keys(0, ENTRIES);
    let new = measure("a delta of 100: written, cut, encoded; one entry", ENTRIES, || deltas(&mut author, &keys))?;
    let over = deltas(&mut author, &keys)?;
    measure("decode of a delta of 100, one entry", ENTRIES, || {
        for bytes in &new {
            black_box(gossip::decode(bytes)?);
        }
        Ok(())
    })?;
    measure("decode and merge of a delta of 100 new keys, one entry", ENTRIES, || take_all(&mut receiver, &new))?;
    measure("decode and merge of a delta of 100 overwrites, one entry", ENTRIES, || take_all(&mut receiver, &over))
}

fn take_all(receiver: &mut Replica, deltas: &[Vec<u8>]) -> Result<()> {
    for bytes in deltas {
        let Gossip::Delta(delta) = gossip::decode(bytes)? else { return Err("no delta".into()) };
        let mut changes = Vec::with_capacity(delta.entries.len());
        if receiver.merge_delta(&delta, &[], NOW_MS, &mut changes) != Merged::Whole || changes.len() != MANY {
            return Err("not merged".into());
        }
    }
    Ok(())
}
