//! What arrives from peers: checked outside every lock, then merged.

use std::sync::atomic::Ordering::Relaxed;

use super::clock::now_ms;
use super::state::MapState;
use crate::net::{Delivered, Pull, PullStep};
use crate::peer::PeerId;
use crate::replica::{Context, Delta, Incoming, Merged, Puller, Step};
use crate::wire::{self, Malformed};
use std::sync::Arc;

/// Entries of a page that are merged under one holding of the writer lock.
const MERGE_AT_ONCE: usize = 512;

impl MapState {
    /// Merges a gossiped delta.
    pub fn receive_delta(&self, from: &PeerId, bytes: &[u8], max_drift_ms: u64) -> Delivered {
        let delta = match wire::delta::decode(bytes) {
            Ok(delta) => delta,
            Err(malformed) => {
                self.reject(from, malformed);
                return Delivered::Rejected;
            }
        };
        let refused = self.refused(from, &delta.entries, max_drift_ms);
        match self.merge_delta(&delta, &refused) {
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

    fn merge_delta(&self, delta: &Delta<'_>, refused: &[usize]) -> Merged {
        let mut changes = Vec::with_capacity(delta.entries.len());
        let mut writer = self.writer();
        let merged = writer.replica.merge_delta(delta, refused, &mut changes);
        writer.tell(&changes);
        merged
    }

    fn merge_page(&self, entries: &[Incoming<'_>], refused: &[usize]) {
        let mut refused = refused;
        let mut changes = Vec::with_capacity(MERGE_AT_ONCE);
        for (chunk, entries) in entries.chunks(MERGE_AT_ONCE).enumerate() {
            let end = (chunk + 1) * MERGE_AT_ONCE;
            let (here, later) = refused.split_at(refused.partition_point(|&at| at < end));
            let here: Vec<usize> = here.iter().map(|at| at - chunk * MERGE_AT_ONCE).collect();
            refused = later;
            let mut writer = self.writer();
            writer.replica.merge_entries(entries, &here, &mut changes);
            writer.tell(&changes);
            drop(writer);
            changes.clear();
        }
    }

    /// The positions of the entries that may not be merged: too far ahead, over a limit, or refused by the validator.
    fn refused(&self, from: &PeerId, entries: &[Incoming<'_>], max_drift_ms: u64) -> Vec<usize> {
        let newest_ms = now_ms().saturating_add(max_drift_ms);
        let is_refused = |entry: &Incoming<'_>| {
            if entry.stamp.time_ms() > newest_ms {
                self.counters.ahead_entries.fetch_add(1, Relaxed);
                tracing::warn!(%from, author = %entry.stamp.author(), map = self.name, "an entry from too far ahead was set aside");
                return true;
            }
            let settings = &self.settings;
            let fits = entry.key.len() <= settings.max_key_bytes
                && entry.value.is_none_or(|value| {
                    value.len() <= settings.max_value_bytes && settings.validators.refuse(entry.key, value).is_none()
                });
            if !fits {
                self.counters.refused_entries.fetch_add(1, Relaxed);
            }
            !fits
        };
        (0..entries.len()).filter(|&at| is_refused(&entries[at])).collect()
    }

    pub fn reject(&self, from: &PeerId, malformed: Malformed) {
        self.counters.rejected_messages.fetch_add(1, Relaxed);
        tracing::warn!(%from, map = self.name, "{malformed}");
    }
}

/// This side of one pull.
pub struct MapPull {
    map: Arc<MapState>,
    from: PeerId,
    puller: Puller,
    max_drift_ms: u64,
}

impl MapPull {
    pub fn new(map: Arc<MapState>, from: &PeerId, max_drift_ms: u64) -> Self {
        let suspicious = map.peers.lock().get_mut(from).is_some_and(|compared| std::mem::take(&mut compared.suspicious));
        let base = if suspicious { Context::default() } else { map.writer().replica.context().clone() };
        Self { map, from: from.clone(), puller: Puller::new(base), max_drift_ms }
    }
}

impl Pull for MapPull {
    fn request(&mut self) -> Vec<u8> {
        wire::sync::encode_pull(self.map.topic, self.puller.request())
    }

    fn response(&mut self, response: &[u8]) -> PullStep {
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
        let refused = map.refused(&self.from, &entries, self.max_drift_ms);
        map.merge_page(&entries, &refused);
        let stamps = refused.iter().map(|&at| entries[at].stamp.clone());
        match self.puller.page(end, stamps) {
            Step::More => PullStep::More,
            Step::Join(join) => {
                let mut writer = map.writer();
                writer.replica.join(&join);
                let equal = writer.replica.digest() == join.digest;
                drop(writer);
                map.counters.syncs.fetch_add(1, Relaxed);
                let mut peers = map.peers.lock();
                let compared = peers.entry(self.from.clone()).or_default();
                compared.equal = Some(equal);
                compared.last_sync_ms = Some(now_ms());
                PullStep::Done { equal }
            }
            Step::Malformed => {
                map.reject(&self.from, Malformed("page out of place"));
                PullStep::Failed
            }
        }
    }

    fn blocks(&self) -> bool {
        self.map.settings.validators.may_block()
    }
}
