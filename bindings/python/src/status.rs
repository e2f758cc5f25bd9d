//! What a node and a map say of themselves, as the dataclasses of `_status.py`.

use pyo3::prelude::*;

fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("p2pmap._status")?.getattr(name)
}

pub(crate) fn peer_info<'py>(py: Python<'py>, peer: p2pmap::PeerInfo) -> PyResult<Bound<'py, PyAny>> {
    let round_trip = peer.round_trip.map(|time| time.as_secs_f64());
    class(py, "PeerInfo")?.call1((peer.id.to_string(), peer.addr, peer.outbound, round_trip, peer.maps, peer.in_sync))
}

pub(crate) fn node_status<'py>(py: Python<'py>, status: p2pmap::NodeStatus) -> PyResult<Bound<'py, PyAny>> {
    let peers = status.peers.into_iter().map(|peer| peer_info(py, peer)).collect::<PyResult<Vec<_>>>()?;
    class(py, "NodeStatus")?.call1((
        status.id.to_string(),
        status.cluster_id,
        status.addrs,
        status.maps,
        peers,
        status.members,
        status.rejected_messages,
    ))
}

pub(crate) fn map_status<'py>(py: Python<'py>, status: p2pmap::MapStatus) -> PyResult<Bound<'py, PyAny>> {
    let peer = class(py, "MapPeer")?;
    let peers = status.peers.into_iter().map(|of| peer.call1((of.id.to_string(), of.in_sync, of.last_sync_ms)));
    let peers = peers.collect::<PyResult<Vec<_>>>()?;
    class(py, "MapStatus")?.call1((
        status.name,
        status.live,
        status.tombstones,
        status.bytes,
        status.digest.to_string(),
        peers,
        status.outbox,
        status.refused_entries,
        status.ahead_entries,
        status.rejected_messages,
        status.gaps,
        status.syncs,
    ))
}
