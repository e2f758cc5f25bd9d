//! What a node and a map say of themselves, as the dataclasses of `_status.py`: fields by name, so that none is taken for another.

use pyo3::prelude::*;
use pyo3::types::PyDict;

pub(crate) fn peer_info<'py>(py: Python<'py>, peer: p2pmap::PeerInfo) -> PyResult<Bound<'py, PyAny>> {
    let fields = PyDict::new(py);
    fields.set_item("id", peer.id.to_string())?;
    fields.set_item("addr", peer.addr)?;
    fields.set_item("outbound", peer.outbound)?;
    fields.set_item("round_trip", peer.round_trip.map(|time| time.as_secs_f64()))?;
    fields.set_item("maps", peer.maps)?;
    fields.set_item("drift_ms", peer.drift_ms)?;
    fields.set_item("in_sync", peer.in_sync)?;
    made("PeerInfo", &fields)
}

pub(crate) fn node_status<'py>(py: Python<'py>, status: p2pmap::NodeStatus) -> PyResult<Bound<'py, PyAny>> {
    let peers = status.peers.into_iter().map(|peer| peer_info(py, peer)).collect::<PyResult<Vec<_>>>()?;
    let fields = PyDict::new(py);
    fields.set_item("id", status.id.to_string())?;
    fields.set_item("cluster_id", status.cluster_id)?;
    fields.set_item("addrs", status.addrs)?;
    fields.set_item("maps", status.maps)?;
    fields.set_item("peers", peers)?;
    fields.set_item("members", status.members)?;
    fields.set_item("rejected_messages", status.rejected_messages)?;
    fields.set_item("clock_drift_ms", status.clock_drift_ms)?;
    fields.set_item("clock_suspect", status.clock_suspect)?;
    fields.set_item("identity_error", status.identity_error)?;
    fields.set_item("admission_error", status.admission_error)?;
    made("NodeStatus", &fields)
}

pub(crate) fn map_status<'py>(py: Python<'py>, status: p2pmap::MapStatus) -> PyResult<Bound<'py, PyAny>> {
    let peers = status.peers.into_iter().map(|peer| map_peer(py, peer)).collect::<PyResult<Vec<_>>>()?;
    let fields = PyDict::new(py);
    fields.set_item("name", status.name)?;
    fields.set_item("live", status.live)?;
    fields.set_item("tombstones", status.tombstones)?;
    fields.set_item("hidden", status.hidden)?;
    fields.set_item("bytes", status.bytes)?;
    fields.set_item("digest", status.digest.to_string())?;
    fields.set_item("peers", peers)?;
    fields.set_item("outbox", status.outbox)?;
    fields.set_item("refused_entries", status.refused_entries)?;
    fields.set_item("ahead_entries", status.ahead_entries)?;
    fields.set_item("rejected_messages", status.rejected_messages)?;
    fields.set_item("gaps", status.gaps)?;
    fields.set_item("syncs", status.syncs)?;
    fields.set_item("self_checks", status.self_checks)?;
    fields.set_item("forgotten", status.forgotten)?;
    fields.set_item("origins", status.origins)?;
    fields.set_item("clock_ahead_ms", status.clock_ahead_ms)?;
    fields.set_item("durability", status.durability.name())?;
    fields.set_item("storage_error", status.storage_error)?;
    fields.set_item("cut_bytes", status.cut_bytes)?;
    fields.set_item("log_bytes", status.log_bytes)?;
    made("MapStatus", &fields)
}

fn map_peer<'py>(py: Python<'py>, peer: p2pmap::MapPeer) -> PyResult<Bound<'py, PyAny>> {
    let fields = PyDict::new(py);
    fields.set_item("id", peer.id.to_string())?;
    fields.set_item("connected", peer.connected)?;
    fields.set_item("in_sync", peer.in_sync)?;
    fields.set_item("behind", peer.behind)?;
    fields.set_item("drift_ms", peer.drift_ms)?;
    fields.set_item("ahead_entries", peer.ahead_entries)?;
    fields.set_item("holds_up_forgetting", peer.holds_up_forgetting)?;
    fields.set_item("last_sync_ms", peer.last_sync_ms)?;
    made("MapPeer", &fields)
}

fn made<'py>(class: &str, fields: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    fields.py().import("p2pmap._status")?.getattr(class)?.call((), Some(fields))
}
