//! What nodes and maps say of themselves, as JavaScript objects.

use napi_derive::napi;
use p2pmap::{MapPeer, MapStatus, NodeStatus, PeerInfo};

#[napi(object)]
pub struct JsPeerInfo {
    pub id: String,
    pub addr: String,
    pub outbound: bool,
    pub round_trip_ms: Option<f64>,
    pub maps: Vec<String>,
    pub drift_ms: Option<f64>,
    pub in_sync: Option<bool>,
}

impl From<PeerInfo> for JsPeerInfo {
    fn from(peer: PeerInfo) -> Self {
        Self {
            id: peer.id.to_string(),
            addr: peer.addr,
            outbound: peer.outbound,
            round_trip_ms: peer.round_trip.map(|time| time.as_secs_f64() * 1000.0),
            maps: peer.maps,
            drift_ms: peer.drift_ms.map(|ms| ms as f64),
            in_sync: peer.in_sync,
        }
    }
}

#[napi(object)]
pub struct JsNodeStatus {
    pub id: String,
    pub cluster_id: String,
    pub addrs: Vec<String>,
    pub maps: Vec<String>,
    pub peers: Vec<JsPeerInfo>,
    pub members: f64,
    pub rejected_messages: f64,
    pub clock_drift_ms: Option<f64>,
    pub clock_suspect: bool,
    pub identity_error: Option<String>,
    pub admission_error: Option<String>,
}

impl From<NodeStatus> for JsNodeStatus {
    fn from(status: NodeStatus) -> Self {
        Self {
            id: status.id.to_string(),
            cluster_id: status.cluster_id,
            addrs: status.addrs,
            maps: status.maps,
            peers: status.peers.into_iter().map(JsPeerInfo::from).collect(),
            members: status.members as f64,
            rejected_messages: status.rejected_messages as f64,
            clock_drift_ms: status.clock_drift_ms.map(|ms| ms as f64),
            clock_suspect: status.clock_suspect,
            identity_error: status.identity_error,
            admission_error: status.admission_error,
        }
    }
}

#[napi(object)]
pub struct JsMapPeer {
    pub id: String,
    pub connected: bool,
    pub in_sync: Option<bool>,
    pub behind: Option<f64>,
    pub drift_ms: Option<f64>,
    pub ahead_entries: f64,
    pub holds_up_forgetting: bool,
    pub last_sync_ms: Option<f64>,
}

impl From<MapPeer> for JsMapPeer {
    fn from(peer: MapPeer) -> Self {
        Self {
            id: peer.id.to_string(),
            connected: peer.connected,
            in_sync: peer.in_sync,
            behind: peer.behind.map(|entries| entries as f64),
            drift_ms: peer.drift_ms.map(|ms| ms as f64),
            ahead_entries: peer.ahead_entries as f64,
            holds_up_forgetting: peer.holds_up_forgetting,
            last_sync_ms: peer.last_sync_ms.map(|ms| ms as f64),
        }
    }
}

#[napi(object)]
pub struct JsMapStatus {
    pub name: String,
    pub live: f64,
    pub tombstones: f64,
    pub hidden: f64,
    pub bytes: f64,
    pub digest: String,
    pub peers: Vec<JsMapPeer>,
    pub outbox: f64,
    pub refused_entries: f64,
    pub ahead_entries: f64,
    pub rejected_messages: f64,
    pub gaps: f64,
    pub syncs: f64,
    pub self_checks: f64,
    pub forgotten: f64,
    pub origins: f64,
    pub clock_ahead_ms: f64,
    pub durability: String,
    pub storage_error: Option<String>,
    pub cut_bytes: f64,
    pub log_bytes: f64,
}

impl From<MapStatus> for JsMapStatus {
    fn from(status: MapStatus) -> Self {
        Self {
            name: status.name,
            live: status.live as f64,
            tombstones: status.tombstones as f64,
            hidden: status.hidden as f64,
            bytes: status.bytes as f64,
            digest: status.digest.to_string(),
            peers: status.peers.into_iter().map(JsMapPeer::from).collect(),
            outbox: status.outbox as f64,
            refused_entries: status.refused_entries as f64,
            ahead_entries: status.ahead_entries as f64,
            rejected_messages: status.rejected_messages as f64,
            gaps: status.gaps as f64,
            syncs: status.syncs as f64,
            self_checks: status.self_checks as f64,
            forgotten: status.forgotten as f64,
            origins: status.origins as f64,
            clock_ahead_ms: status.clock_ahead_ms as f64,
            durability: status.durability.name().to_owned(),
            storage_error: status.storage_error,
            cut_bytes: status.cut_bytes as f64,
            log_bytes: status.log_bytes as f64,
        }
    }
}
