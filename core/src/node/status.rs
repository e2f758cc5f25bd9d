//! What a node and a map say of themselves.

use std::time::Duration;

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
    /// When a sync from this peer last completed. Units: milliseconds since the Unix epoch.
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
}
