//! What a node and a map say of themselves.
use std::time::Duration;
use crate::{Digest, PeerId};

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
    /// Whether all maps in common were equal when last compared; `None` before the first comparison.
    pub in_sync: Option<bool>,
}

#[derive(Clone, Debug)]
pub struct NodeStatus {
    pub id: PeerId,
    pub cluster_id: String,
    pub addrs: Vec<String>,
    pub maps: Vec<String>,
    pub peers: Vec<PeerInfo>,
    /// Members known, connected or not, without this one.
    pub members: usize,
    /// Messages dropped because they were malformed, oversized or for no map of this node.
    pub rejected_messages: u64,
}

#[derive(Clone, Debug)]
pub struct MapPeer {
    pub id: PeerId,
    /// Whether the replicas were equal when last compared; `None` before the first comparison.
    pub in_sync: Option<bool>,
    /// When a sync with this peer last completed. Units: milliseconds since the Unix epoch.
    pub last_sync_ms: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct MapStatus {
    pub name: String,
    /// Entries in the view.
    pub live: usize,
    pub tombstones: usize,
    /// Keys and values held, in bytes.
    pub bytes: u64,
    pub digest: Digest,
    pub peers: Vec<MapPeer>,
    /// Writes that wait for the network.
    pub outbox: usize,
    /// Entries refused by the validator or a limit, from peers.
    pub refused_entries: u64,
    /// Entries set aside because they were stamped too far ahead, from peers.
    pub ahead_entries: u64,
    /// Messages dropped because they were malformed.
    pub rejected_messages: u64,
    /// Gaps seen in the chains of deltas.
    pub gaps: u64,
    /// Syncs completed.
    pub syncs: u64,
}
