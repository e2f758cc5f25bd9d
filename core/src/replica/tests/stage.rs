//! What the tests of time act with: replicas whose clock is told, deltas and pulls through the wire format, and what changed.

use super::super::*;
use crate::wire;
use crate::wire::gossip::{self, Gossip};

/// The horizon.
pub const HORIZON: u64 = 1_000;
/// How long origins are known.
pub const RETENTION: u64 = 1_000_000;
/// How far ahead is too far.
pub const DRIFT: u64 = 60_000;
/// A day on which all of it happens: far enough from the epoch that everything may lie before it.
pub const DAY: u64 = 1_700_000_000_000;
/// One page takes everything.
pub const WHOLE: usize = 1 << 24;

pub const RULES: Rules = Rules {
    presence: false,
    signed: false,
    tombstone_ttl_ms: HORIZON,
    origin_retention_ms: RETENTION,
    peer_timeout_ms: 1_000,
    max_clock_drift_ms: DRIFT,
};

pub fn peer(name: u8) -> PeerId {
    PeerId::from_bytes(&[name]).expect("one byte is a peer id")
}

/// An opening of the map by that author: a greater epoch is a later one.
pub fn opening(name: u8, epoch: u64) -> Replica {
    Replica::new(Origin::new(peer(name), epoch), RULES)
}

pub fn replica(name: u8) -> Replica {
    opening(name, 1)
}

pub fn put(replica: &mut Replica, key: &str, now_ms: u64) -> Stamp {
    replica.put(key.as_bytes(), b"value", 0, now_ms).new.stamp().clone()
}

/// Writes an entry that expires.
pub fn put_until(replica: &mut Replica, key: &str, expires_at_ms: u64, now_ms: u64) -> Stamp {
    replica.put(key.as_bytes(), b"value", expires_at_ms, now_ms).new.stamp().clone()
}

pub fn remove(replica: &mut Replica, key: &str, now_ms: u64) -> Stamp {
    replica.remove(key.as_bytes(), now_ms).expect("there was a value").new.stamp().clone()
}

/// Whether readers see it at that time.
pub fn has(replica: &Replica, key: &str, now_ms: u64) -> bool {
    replica.index().read(key.as_bytes(), || now_ms, |_| ()).is_some()
}

/// Whether anything is held of it, if only a tombstone.
pub fn holds(replica: &Replica, key: &str) -> bool {
    replica.index().slot(key.as_bytes()).is_some()
}

/// All that waits, as one message.
pub fn cut(replica: &mut Replica) -> Vec<u8> {
    gossip::encode_delta(&replica.cut_delta(WHOLE).expect("something waits"))
}

/// What waits is lost on the way.
pub fn lose(replica: &mut Replica) {
    drop(cut(replica));
}

pub fn deliver(to: &mut Replica, message: &[u8], now_ms: u64) -> Merged {
    deliver_to_validator(to, message, |_| true, now_ms)
}

/// A delta arrives where a validator looks at the keys.
pub fn deliver_to_validator(to: &mut Replica, message: &[u8], is_valid: impl Fn(&str) -> bool, now_ms: u64) -> Merged {
    let Ok(Gossip::Delta(delta)) = gossip::decode(message) else { panic!("our own delta decodes") };
    to.merge_delta(&delta, &refused(&delta.entries, is_valid), now_ms, &mut Vec::new())
}

fn refused(entries: &[Incoming<'_>], is_valid: impl Fn(&str) -> bool) -> Vec<usize> {
    let key = |entry: &Incoming<'_>| String::from_utf8_lossy(entry.key).into_owned();
    (0..entries.len()).filter(|at| !is_valid(&key(&entries[*at]))).collect()
}

/// Sends all that waits to everyone else.
pub fn tell(from: &mut Replica, others: &mut [&mut Replica], now_ms: u64) {
    let message = cut(from);
    for other in others {
        deliver(other, &message, now_ms);
    }
}

/// One side of a pull that goes on page by page, so that something may happen in between.
pub struct Pull {
    puller: Puller,
    page_bytes: usize,
    is_valid: fn(&str) -> bool,
    pub pages: usize,
    /// Whether it asked for everything, at any time.
    pub was_full: bool,
    pub changes: Vec<Change>,
}

impl Pull {
    pub fn new(to: &Replica, page_bytes: usize) -> Self {
        Self::with(Puller::new(to.context().clone()).but_for(to.past_refusals().clone()), page_bytes)
    }

    pub fn full(to: &Replica, page_bytes: usize) -> Self {
        Self::with(Puller::full(to.context().clone()), page_bytes)
    }

    fn with(puller: Puller, page_bytes: usize) -> Self {
        Self { puller, page_bytes, is_valid: |_| true, pages: 0, was_full: false, changes: Vec::new() }
    }

    pub fn validated(mut self, is_valid: fn(&str) -> bool) -> Self {
        self.is_valid = is_valid;
        self
    }

    /// The next page. Whether the pull goes on.
    pub fn page(&mut self, to: &mut Replica, from: &Replica, now_ms: u64) -> bool {
        let request = wire::sync::encode_pull(wire::Topic([0; 16]), self.puller.request());
        let Ok(wire::sync::Request::Pull(_, request)) = wire::sync::decode_request(&request) else {
            panic!("our own request decodes")
        };
        let response = wire::sync::encode_page(&from.page(&request, self.page_bytes));
        let Ok(wire::sync::Response::Page(entries, end)) = wire::sync::decode_response(&response) else {
            panic!("our own page decodes")
        };
        self.pages += 1;
        let refused = refused(&entries, self.is_valid);
        let unclaimed = to.merge_entries(&entries, &refused, self.puller.mends(), now_ms, &mut self.changes);
        match self.puller.page(&entries, end, unclaimed) {
            Step::More => true,
            Step::Join(join) => {
                self.was_full = join.full.is_some();
                to.join(&join, now_ms, &mut self.changes);
                false
            }
            Step::Malformed => panic!("our own page fits its request"),
        }
    }

    pub fn finish(mut self, to: &mut Replica, from: &Replica, now_ms: u64) -> Self {
        while self.page(to, from, now_ms) {}
        self
    }
}

pub fn pull(to: &mut Replica, from: &Replica, now_ms: u64) -> Pull {
    Pull::new(to, WHOLE).finish(to, from, now_ms)
}

/// Both pull from each other.
pub fn sync(a: &mut Replica, b: &mut Replica, now_ms: u64) {
    pull(a, b, now_ms);
    pull(b, a, now_ms);
}

/// Time goes by: what is due is done, all of it.
pub fn sweep(replica: &mut Replica, now_ms: u64) -> Vec<Change> {
    let mut changes = Vec::new();
    while replica.sweep(now_ms, &mut changes) {}
    changes
}

/// The bytes that a replica's causal context takes on the wire.
pub fn context_bytes(replica: &Replica) -> usize {
    let request = Request { base: replica.context().clone(), since: 0, cursor: None };
    wire::sync::encode_pull(wire::Topic([0; 16]), &request).len()
}
