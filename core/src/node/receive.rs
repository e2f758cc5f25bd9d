//! What arrives from peers: checked outside every lock, then merged.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::clock::now_ms;
use super::state::MapState;
use crate::limits::FLOOD_FACTOR;
use crate::net::{Delivered, Pull, PullStep};
use crate::peer::PeerId;
use crate::replica::{Delta, Incoming, Index, Join, Merged, Puller, Record, Step, Unclaimed};
use crate::wire::gossip::Gossip;
use crate::wire::{self, Malformed};

/// Entries of a page that are merged under one holding of the writer lock.
const MERGE_AT_ONCE: usize = 512;

impl MapState {
    /// Takes a gossiped message.
    pub fn receive(&self, from: &PeerId, bytes: &[u8]) -> Delivered {
        match self.read(bytes) {
            Ok(Gossip::Delta(delta)) => self.receive_delta(from, &delta),
            Ok(Gossip::Pulse(pulse)) => {
                let mut changes = Vec::new();
                let mut writer = self.writer();
                let returned = writer.replica.heard(&pulse, now_ms(), &mut changes);
                writer.tell(&changes);
                // What was written by who is back may have been forgotten here.
                if returned { Delivered::Taken } else { Delivered::Heard }
            }
            Err(malformed) => {
                self.reject(from, malformed);
                Delivered::Rejected
            }
        }
    }

    fn receive_delta(&self, from: &PeerId, delta: &Delta<'_>) -> Delivered {
        let refused = self.refused(from, &delta.entries);
        let mut changes = Vec::with_capacity(delta.entries.len());
        let mut writer = self.writer();
        let merged = writer.replica.merge_delta(delta, &refused, now_ms(), &mut changes);
        writer.tell(&changes);
        self.set_alarm(&writer);
        drop(writer);
        self.changed();
        match merged {
            Merged::Whole => Delivered::Taken,
            Merged::Gap => {
                self.counters.gaps.fetch_add(1, Relaxed);
                Delivered::Gap
            }
            Merged::Refused => {
                self.reject(from, Malformed("origin"));
                Delivered::Rejected
            }
        }
    }

    /// Merges a page's entries (`mends`: see [`Puller::mends`]); the stamps that must not be claimed.
    fn merge_page(&self, from: &PeerId, entries: &[Incoming<'_>], mends: bool) -> Vec<Unclaimed> {
        let refused = self.refused(from, entries);
        let (mut refused, mut unclaimed) = (&refused[..], Vec::new());
        let mut changes = Vec::with_capacity(MERGE_AT_ONCE);
        let mut start = 0;
        while start < entries.len() {
            let end = end_of_batch(entries, (start + MERGE_AT_ONCE).min(entries.len()));
            let (here, later) = refused.split_at(refused.partition_point(|&at| at < end));
            let here: Vec<usize> = here.iter().map(|at| at - start).collect();
            refused = later;
            let mut writer = self.writer();
            unclaimed.extend(writer.replica.merge_entries(&entries[start..end], &here, mends, now_ms(), &mut changes));
            writer.tell(&changes);
            self.set_alarm(&writer);
            drop(writer);
            changes.clear();
            start = end;
        }
        self.changed();
        unclaimed
    }

    /// The positions of the entries that may not be merged: not signed as they should be, over a limit, or refused by the validator.
    fn refused(&self, from: &PeerId, entries: &[Incoming<'_>]) -> Vec<usize> {
        let settings = &self.settings;
        let permitted = settings.signed.then(|| self.permitted(from, entries));
        // Where nobody signs, nothing is taken that says it is signed: it would be passed on.
        let is_permitted = |at: usize| permitted.as_ref().map_or(entries[at].proof.is_empty(), |permitted| permitted[at]);
        let fits = |entry: &Incoming<'_>| {
            entry.key.len() <= settings.max_key_bytes
                && entry.value.is_none_or(|value| {
                    value.len() <= settings.max_value_bytes && settings.validators.refuse(entry.key, value).is_none()
                })
        };
        let mut room = Room::of(self);
        let mut is_taken = |at: usize| is_permitted(at) && fits(&entries[at]) && room.takes(&self.index, &entries[at]);
        let refused: Vec<_> = (0..entries.len()).filter(|&at| !is_taken(at)).collect();
        self.counters.refused_entries.fetch_add(refused.len() as u64, Relaxed);
        refused
    }

    pub fn reject(&self, from: &PeerId, malformed: Malformed) {
        self.counters.rejected_messages.fetch_add(1, Relaxed);
        tracing::warn!(%from, map = self.name, "{malformed}");
    }
}

/// How much more of what others write a map with limits takes. Where others write at the same time it may come to a little more.
struct Room {
    entries: Option<u64>,
    bytes: Option<u64>,
}

impl Room {
    fn of(map: &MapState) -> Self {
        let left = |limit: u64, held: u64| (limit > 0).then(|| limit.saturating_mul(FLOOD_FACTOR).saturating_sub(held));
        Self {
            entries: left(map.settings.max_entries, map.index.live() as u64),
            bytes: left(map.settings.max_bytes, map.index.bytes()),
        }
    }

    /// Whether it still has room for that entry. A removal always has.
    fn takes(&mut self, index: &Index, entry: &Incoming<'_>) -> bool {
        let Some(value) = entry.value.filter(|_| self.entries.is_some() || self.bytes.is_some()) else { return true };
        let held = index.record(entry.key).filter(Record::is_live).map(|held| held.bytes().len());
        let more = (value.len() + if held.is_some() { 0 } else { entry.key.len() }).saturating_sub(held.unwrap_or(0)) as u64;
        let fits = (held.is_some() || self.entries != Some(0)) && self.bytes.is_none_or(|left| left >= more);
        if fits {
            self.entries = self.entries.map(|left| left - u64::from(held.is_none()));
            self.bytes = self.bytes.map(|left| left - more);
        }
        fits
    }
}

/// From that position on, the first where no batch is split.
fn end_of_batch(entries: &[Incoming<'_>], at: usize) -> usize {
    let splits = |at: usize| at > 0 && at < entries.len() && entries[at].follows_in_batch(&entries[at - 1]);
    (at..=entries.len()).find(|&at| !splits(at)).unwrap_or(entries.len())
}

/// This side of one pull.
pub struct MapPull {
    map: Arc<MapState>,
    from: PeerId,
    puller: Puller,
}

impl MapPull {
    pub fn new(map: Arc<MapState>, from: &PeerId) -> Self {
        let mut peers = map.peers.lock();
        let compared = peers.entry(from.clone()).or_default();
        let suspicious = std::mem::take(&mut compared.suspicious);
        let anew = !std::mem::replace(&mut compared.asked_anew, true);
        drop(peers);
        let writer = map.writer();
        let (own, refusals) = (writer.replica.context().clone(), writer.replica.past_refusals().clone());
        drop(writer);
        let puller = match (suspicious, anew) {
            (true, _) => Puller::full(own),
            (false, true) => Puller::new(own),
            (false, false) => Puller::new(own).but_for(refusals),
        };
        Self { map, from: from.clone(), puller }
    }

    fn join(&self, join: &Join) -> PullStep {
        let (map, now) = (&self.map, now_ms());
        let mut changes = Vec::new();
        let mut writer = map.writer();
        writer.replica.join(join, now, &mut changes);
        writer.tell(&changes);
        let equal = writer.replica.digest() == join.digest;
        let behind = writer.replica.count_lacking(&join.context);
        drop(writer);
        map.changed();
        map.counters.syncs.fetch_add(1, Relaxed);
        let mut peers = map.peers.lock();
        let compared = peers.entry(self.from.clone()).or_default();
        compared.equal = Some(equal);
        compared.behind = Some(behind);
        compared.last_sync_ms = Some(now);
        PullStep::Done { equal }
    }
}

impl Pull for MapPull {
    fn request(&mut self) -> Vec<u8> {
        wire::sync::encode_pull(self.map.topic, self.puller.request())
    }

    fn response(&mut self, response: &[u8], ask: &mut dyn FnMut(Vec<u8>)) -> PullStep {
        let map = self.map.clone();
        let (entries, end) = match wire::sync::decode_response(response) {
            Ok(wire::sync::Response::Page(entries, end)) if !map.is_closed() => (entries, end),
            Ok(wire::sync::Response::Page(..) | wire::sync::Response::NoMap) => return PullStep::Failed,
            Ok(wire::sync::Response::Compared(_) | wire::sync::Response::Holds(_)) => {
                map.reject(&self.from, Malformed("not a page"));
                return PullStep::Failed;
            }
            Err(malformed) => {
                map.reject(&self.from, malformed);
                return PullStep::Failed;
            }
        };
        // More of this round follows, whatever becomes of these.
        let ahead = end.cursor.is_some();
        let mends = self.puller.mends();
        let unclaimed = if ahead { Vec::new() } else { map.merge_page(&self.from, &entries, mends) };
        let step = self.puller.page(&entries, end, unclaimed);
        if matches!(step, Step::More) {
            ask(self.request());
        }
        if ahead {
            self.puller.leave_unclaimed(map.merge_page(&self.from, &entries, mends));
        }
        match step {
            Step::More => PullStep::More,
            Step::Join(join) => self.join(&join),
            Step::Malformed => {
                map.reject(&self.from, Malformed("page out of place"));
                PullStep::Failed
            }
        }
    }

    fn blocks(&self) -> bool {
        self.map.settings.takes_time()
    }
}
