//! What a node and a map say of themselves.

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::clock::now_ms;
use super::state::MapState;
use crate::net::NetPeer;
use crate::options::Durability;
use crate::peer::PeerId;
use crate::replica::Digest;

/// A connected peer.
#[derive(Clone, Debug)]
pub struct PeerInfo {
    pub id: PeerId,
    /// The address the connection uses.
    pub addr: String,
    /// Whether this node dialled.
    pub outbound: bool,
    /// Round trip of the last ping.
    pub round_trip: Option<Duration>,
    /// Maps that both have open.
    pub maps: Vec<String>,
    /// How far its clock is ahead of this node's, when last compared; behind when negative. Units: milliseconds.
    pub drift_ms: Option<i64>,
    /// Whether all maps in common were equal when last compared; `None` before each was.
    pub in_sync: Option<bool>,
}

#[derive(Clone, Debug)]
pub struct NodeStatus {
    pub id: PeerId,
    pub cluster_id: String,
    /// See [`Node::addrs`](super::Node::addrs).
    pub addrs: Vec<String>,
    pub maps: Vec<String>,
    pub peers: Vec<PeerInfo>,
    /// Members known, connected or not, without this one.
    pub members: usize,
    /// Messages dropped because they were malformed or oversized, before any map was concerned.
    pub rejected_messages: u64,
    /// The median of the peers' `drift_ms`: how far the others are ahead of this node's clock. `None` without peers.
    pub clock_drift_ms: Option<i64>,
    /// Whether this node's own clock is the odd one out: most peers agree with each other, and not with it. What it writes may be
    /// set aside by all, or lose against older writes: mend the clock.
    pub clock_suspect: bool,
    /// Why this node has left the network for good, if so: another one runs with its identity, because its `data_dir` was copied.
    /// Its maps are read, and take no writes.
    pub identity_error: Option<String>,
    /// Why the node that was dialled last is no peer, if one of the two is a stranger to the other: no secret in common, another
    /// cluster, not allowed, another version. `None` once a dialled node is a peer.
    pub admission_error: Option<String>,
}

/// How a peer's copy of a map compares; also a node that is not connected, if it is the author of something that is wrong.
#[derive(Clone, Debug)]
pub struct MapPeer {
    pub id: PeerId,
    /// Whether it is connected and has the map open.
    pub connected: bool,
    /// Whether the replicas were equal when last compared; `None` before the first comparison.
    pub in_sync: Option<bool>,
    /// Entries held here that it lacked when last compared; `None` before the first comparison.
    pub behind: Option<u64>,
    /// How far its clock is ahead of this node's, when last compared; behind when negative. Units: milliseconds.
    pub drift_ms: Option<i64>,
    /// Entries of this author that were set aside, each time they came, because they were stamped too far ahead.
    pub ahead_entries: u64,
    /// Whether removals cannot be forgotten until writes of this author arrive, which are known of and missing here.
    pub holds_up_forgetting: bool,
    /// When a sync with this peer last found the copies equal, or made this one whole. Units: milliseconds since the Unix epoch.
    pub last_sync_ms: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct MapStatus {
    pub name: String,
    /// Entries in the view.
    pub live: usize,
    /// Removals, and entries that expired, remembered.
    pub tombstones: usize,
    /// Entries that presence hides, because their author is gone.
    pub hidden: usize,
    /// Keys and values held, tombstones' keys too.
    pub bytes: u64,
    pub digest: Digest,
    /// Connected peers that have the map open, and authors that something is wrong with.
    pub peers: Vec<MapPeer>,
    /// Writes that wait for the network.
    pub outbox: usize,
    /// Entries from peers refused by the validator or a limit.
    pub refused_entries: u64,
    /// Entries from peers set aside because they were stamped too far ahead.
    pub ahead_entries: u64,
    /// Messages of peers dropped because they were malformed.
    pub rejected_messages: u64,
    /// Deltas that arrived with something missing before them.
    pub gaps: u64,
    /// Pulls completed.
    pub syncs: u64,
    /// Comparisons that found the same writes seen and yet another state: a full sync follows each.
    pub self_checks: u64,
    /// Removals and expired entries forgotten since the map was opened.
    pub forgotten: u64,
    /// Openings of this map, by any node, that its causal context names.
    pub origins: usize,
    /// How far this map's clock is ahead of this node's wall clock, because a peer's or its own was. Units: milliseconds.
    pub clock_ahead_ms: u64,
    /// How long what is written lasts.
    pub durability: Durability,
    /// Why the disk is not written to any more, if so: the map refuses writes, or goes on in memory, as `on_storage_error` says.
    pub storage_error: Option<String>,
    /// What was cut off a torn log when the map was opened: writes that were not acknowledged, unless the disk lost some.
    pub cut_bytes: u64,
    /// Log on disk beside the snapshot.
    pub log_bytes: u64,
}

impl MapState {
    pub fn status(&self, connected: &[NetPeer], drifts: &HashMap<PeerId, i64>) -> MapStatus {
        // Before the writer lock is taken.
        self.keeper.iter().for_each(|keeper| keeper.look(self));
        let (writer, now) = (self.writer(), now_ms());
        let (digest, outbox, origins) = (writer.replica.digest(), writer.replica.waiting(), writer.replica.context().len());
        let (forgotten, clock_ahead_ms) = (writer.replica.forgotten_count(), writer.replica.clock_ahead_ms(now));
        let (ahead, holding_up) = (writer.replica.ahead().clone(), writer.replica.held_up_by(now));
        drop(writer);
        let mut compared = self.peers.lock();
        compared.retain(|id, _| connected.iter().any(|peer| peer.id == *id));
        let with_map = connected.iter().filter(|peer| peer.topics.contains(&self.topic)).map(|peer| &peer.id);
        let mut ids: Vec<_> = with_map.map(|id| (id, true)).collect();
        for id in ahead.keys().chain(&holding_up) {
            if !ids.iter().any(|(known, _)| *known == id) {
                ids.push((id, false));
            }
        }
        let peers = ids.into_iter().map(|(id, connected)| {
            let known = compared.get(id).copied().unwrap_or_default();
            MapPeer {
                id: id.clone(),
                connected,
                in_sync: known.equal,
                behind: known.behind,
                last_sync_ms: known.last_sync_ms,
                drift_ms: drifts.get(id).copied(),
                ahead_entries: ahead.get(id).copied().unwrap_or_default(),
                holds_up_forgetting: holding_up.contains(id),
            }
        });
        let (index, counters, keeper) = (&self.index, &self.counters, self.keeper.as_deref());
        MapStatus {
            name: self.name.clone(),
            live: index.live(),
            tombstones: index.tombstones(),
            hidden: index.hidden(),
            bytes: index.bytes(),
            digest,
            peers: peers.collect(),
            outbox,
            refused_entries: counters.refused_entries.load(Relaxed),
            ahead_entries: ahead.values().sum(),
            rejected_messages: counters.rejected_messages.load(Relaxed),
            gaps: counters.gaps.load(Relaxed),
            syncs: counters.syncs.load(Relaxed),
            self_checks: counters.self_checks.load(Relaxed),
            forgotten,
            origins,
            clock_ahead_ms,
            durability: self.settings.durability,
            storage_error: keeper.and_then(|keeper| keeper.error()).map(|error| error.message().to_owned()),
            cut_bytes: keeper.and_then(|keeper| keeper.cut.as_ref()).map_or(0, |cut| cut.bytes),
            log_bytes: keeper.map_or(0, |keeper| keeper.log_bytes()),
        }
    }
}

/// The median of how far the peers' clocks are ahead, and whether it is this node's own that is off: two peers at the least, and
/// more than half of all, agree with each other within half the limit, and are further than that from this node.
pub(super) fn judge_clock(drifts: &HashMap<PeerId, i64>, max_drift_ms: u64) -> (Option<i64>, bool) {
    let mut sorted: Vec<i64> = drifts.values().copied().collect();
    sorted.sort_unstable();
    let Some(&median) = sorted.get(sorted.len() / 2) else { return (None, false) };
    let agreeing = sorted.iter().filter(|drift| drift.abs_diff(median) <= max_drift_ms / 2).count();
    let suspect = agreeing >= 2 && 2 * agreeing > sorted.len() && median.unsigned_abs() > max_drift_ms / 2;
    (Some(median), suspect)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(drifts: &[i64]) -> (Option<i64>, bool) {
        let id = |name: usize| PeerId::from_bytes(&[name as u8]).expect("one byte is a peer id");
        judge_clock(&drifts.iter().enumerate().map(|(name, drift)| (id(name), *drift)).collect(), 1_000)
    }

    #[test]
    fn g12_the_odd_one_out_is_who_disagrees_with_most() {
        assert_eq!(judge(&[]), (None, false));
        assert_eq!(judge(&[9_000]), (Some(9_000), false), "one against one: nobody can tell");
        assert_eq!(judge(&[9_000, 9_200]), (Some(9_200), true));
        assert_eq!(judge(&[-9_000, -9_200, 3]), (Some(-9_000), true));
        assert_eq!(judge(&[9_000, 0, 10]), (Some(10), false), "the other one is");
        assert!(!judge(&[9_000, -9_000, 0, 4]).1, "no two agree against us");
        assert!(!judge(&[499, 400, 480]).1, "within the limit");
    }
}
