//! What a member may say: messages as an honest one would send, and what becomes of them.

use super::evil::topic;
use crate::peer::PeerId;
use crate::replica::{
    Context, Digest, Forgotten, Origin, Outgoing, Page, PageEnd, Record, RecordParts, Request, Slot, Stamp, Start, Timestamp,
};
use crate::wire::sync::{Digests, encode_compare, encode_page, encode_pull};
use crate::wire::{Topic, gossip};

/// Chance, the same on every run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

pub fn timestamp(ms: u64) -> Timestamp {
    Timestamp(ms << 16)
}

pub fn entry(author: &PeerId, at: Timestamp, key: &[u8], value: &[u8]) -> (Slot, Record) {
    let stamp = Stamp { timestamp: at, origin: Origin::new(author.clone(), 7) };
    let record = Record::new(RecordParts { stamp, expires_at_ms: 0, place: 0, revision: 1 }, Some(value), false);
    (Slot::new(key, record.clone()), record)
}

/// A delta of one entry, as that author's first.
pub fn delta(author: &PeerId, at: Timestamp, key: &[u8], value: &[u8]) -> Vec<u8> {
    let origin = Origin::new(author.clone(), 7);
    let entries = vec![entry(author, at, key, value)];
    gossip::encode_delta(&Outgoing { origin, prev: Timestamp(0), last: at, past: vec![], entries })
}

/// Digests that nobody has, so that who compares pulls.
pub fn compared() -> Vec<u8> {
    crate::wire::sync::encode_compared(&digests(now_ms()))
}

pub fn compare() -> Vec<u8> {
    encode_compare(&digests(now_ms()))
}

fn digests(now_ms: u64) -> Digests {
    Digests { now_ms, maps: vec![(topic(), Digest([9; 32]))] }
}

pub fn pull(topic: Topic) -> Vec<u8> {
    encode_pull(topic, &Request { base: Context::default(), since: 0, cursor: None })
}

/// The page of a pull: its only one, or one of which more follow.
pub fn page(entries: Vec<(Slot, Record)>, start: Start, cursor: Option<(Origin, Timestamp)>) -> Vec<u8> {
    let digest = cursor.is_none().then_some(Digest([9; 32]));
    encode_page(&Page { entries, end: PageEnd { start: Some(start), cursor, digest, ..PageEnd::default() } })
}

/// Says that everything was seen, and forgotten.
pub fn boast(origins: &[Origin], upto: Timestamp) -> Start {
    let mut context = Context::default();
    origins.iter().for_each(|origin| context.add(origin, Timestamp(0), upto));
    let newest = origins.iter().map(|origin| (origin.clone(), upto)).collect();
    Start { context, revision: 9, forgotten: Forgotten { newest, beaten: vec![], revision: 9, pruned_ms: u64::MAX >> 16 } }
}

/// One byte of it is another, one is more, or it ends early.
pub fn damage(mut message: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    let at = dice.below(message.len());
    match dice.below(3) {
        0 => message[at] ^= 1 << dice.below(8),
        1 => message.insert(at, dice.next() as u8),
        _ => message.truncate(at),
    }
    message
}
