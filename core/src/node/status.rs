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
}

/// How a connected peer's copy of a map compares.
#[derive(Clone, Debug)]
pub struct MapPeer {
    pub id: PeerId,
    /// Whether the replicas were equal when last compared; `None` before the first comparison.
    pub in_sync: Option<bool>,
    /// When a sync from this peer last completed. Units: milliseconds since the Unix epoch.
    pub last_sync_ms: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct MapStatus {
    pub name: String,
    /// Entries in the view.
    pub live: usize,
    /// Removals remembered.
    pub tombstones: usize,
    /// Keys and values held, tombstones' keys too.
    pub bytes: u64,
    pub digest: Digest,
    /// Connected peers that have the map open.
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
}
