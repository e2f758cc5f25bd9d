package p2pmap

// #include "glue.h"
import "C"

import (
	"time"
	"unsafe"
)

// Peer is a peer that a node is connected to.
type Peer struct {
	ID PeerID
	// Addr is the address that the connection uses.
	Addr string
	// Outbound says that this node dialled; otherwise the peer did.
	Outbound bool
	// Compared says whether the maps in common were compared yet, and InSync that all of them were equal when last compared.
	Compared, InSync bool
	// RoundTrip is that of the last ping; 0 before the first.
	RoundTrip time.Duration
	// Maps are the names of those that both have open.
	Maps []string
	// Drift is how far its clock is ahead of this node's, when last compared; behind when negative; 0 before that.
	Drift time.Duration
}

// NodeStatus is what a node says of itself.
type NodeStatus struct {
	ID        PeerID
	ClusterID string
	// Peers is how many are connected, and Members how many of the cluster are known, connected or not, without this one.
	Peers, Members int
	// Maps is how many are open.
	Maps int
	// RejectedMessages were dropped because they were malformed, oversized or for no map of this node.
	RejectedMessages uint64
	// ClockDrift is how far the others' clocks are ahead of this node's: the median of its peers; behind when negative; 0
	// without peers.
	ClockDrift time.Duration
	// ClockSuspect says that this node's clock is the odd one out: most peers agree with each other, and not with it. What it
	// writes may be set aside by all, or lose against older writes: mend the clock.
	ClockSuspect bool
	// IdentityError says why this node has left the network for good: another one runs with its identity, because its data_dir
	// was copied. Its maps are read, and take no writes: ErrLocked. It is empty while all is well.
	IdentityError string
	// AdmissionError says why the node that was dialled last is no peer, if one of the two is a stranger to the other: no secret in
	// common, another cluster, not allowed, another version. It is empty once a dialled node is a peer.
	AdmissionError string
}

// MapPeer is a peer that a map is shared with, or an author that something is wrong with, who need not be connected.
type MapPeer struct {
	ID PeerID
	// Compared says whether the copies were compared yet, and InSync that they were equal when last compared.
	Compared, InSync bool
	// LastSync is when a sync with this peer last completed; zero before the first.
	LastSync time.Time
	// Connected says that it is connected and has the map open.
	Connected bool
	// Behind is how many entries held here it lacked when last compared; 0 before the first comparison.
	Behind uint64
	// Drift is how far its clock is ahead of this node's, when last compared; behind when negative; 0 before that.
	Drift time.Duration
	// AheadEntries were written by it and set aside here, each time they came, because they were stamped too far ahead.
	AheadEntries uint64
	// HoldsUpForgetting says that removals cannot be forgotten here until writes of it arrive, which are known of and missing.
	HoldsUpForgetting bool
}

// MapStatus is what a map says of itself.
type MapStatus struct {
	Name string
	// Live is how many entries are in the view.
	Live int
	// Tombstones are removals, and entries that expired, which are remembered.
	Tombstones int
	// Hidden is how many entries presence hides, because their author is gone.
	Hidden int
	// Bytes of keys and values held.
	Bytes uint64
	// Digest is equal where the state is.
	Digest Digest
	// Outbox is how many writes wait for the network.
	Outbox int
	// Peers are the connected ones that have this map open, and authors that something is wrong with.
	Peers []MapPeer
	// RefusedEntries came from peers and were refused by the validator or a limit.
	RefusedEntries uint64
	// AheadEntries came from peers and were set aside because they were stamped too far ahead.
	AheadEntries uint64
	// RejectedMessages were dropped because they were malformed.
	RejectedMessages uint64
	// Gaps were seen in what arrived; a sync closes each.
	Gaps uint64
	// Syncs completed.
	Syncs uint64
	// SelfChecks are comparisons that found the same writes seen and yet another state: a full sync follows each.
	SelfChecks uint64
	// Forgotten are removals and expired entries, since the map was opened.
	Forgotten uint64
	// Origins are the openings of this map, by any node, that its causal context names.
	Origins int
	// ClockAhead is how far this map's clock is ahead of this node's wall clock, because a peer's or its own was.
	ClockAhead time.Duration
	// Durability is how long what is written lasts: "none", "async" or "sync".
	Durability string
	// StorageError is why the disk is not written to any more, if so: the map refuses writes, or goes on in memory, as
	// on_storage_error says. It is empty while all is well.
	StorageError string
	// CutBytes were cut off a torn log when the map was opened.
	CutBytes uint64
	// LogBytes of log are on disk beside the snapshot.
	LogBytes uint64
}

func peersFrom(list *C.p2pmap_peer_list) []Peer {
	peers := make([]Peer, 0, int(list.count))
	for _, item := range unsafe.Slice(list.items, int(list.count)) {
		peers = append(peers, Peer{
			ID:        peerIDFrom(item.id),
			Addr:      C.GoString(item.addr),
			Outbound:  bool(item.outbound),
			Compared:  item.in_sync >= 0,
			InSync:    item.in_sync == 1,
			RoundTrip: time.Duration(max(item.round_trip_us, 0)) * time.Microsecond,
			Maps:      stringsFrom(item.maps, item.map_count),
			Drift:     driftFrom(item.drift_ms),
		})
	}
	return peers
}

func nodeStatusFrom(report *C.p2pmap_node_report) NodeStatus {
	return NodeStatus{
		ID:               PeerID{report.id},
		ClusterID:        C.GoString(&report.cluster_id[0]),
		Peers:            int(report.peers),
		Members:          int(report.members),
		Maps:             int(report.maps),
		RejectedMessages: uint64(report.rejected_messages),
		ClockDrift:       driftFrom(report.clock_drift_ms),
		ClockSuspect:     bool(report.clock_suspect),
		IdentityError:    C.GoString(&report.identity_error[0]),
		AdmissionError:   C.GoString(&report.admission_error[0]),
	}
}

func mapStatusFrom(name string, report *C.p2pmap_map_report, list *C.p2pmap_map_peer_list) MapStatus {
	peers := make([]MapPeer, 0, int(list.count))
	for _, item := range unsafe.Slice(list.items, int(list.count)) {
		peer := MapPeer{
			ID:                peerIDFrom(item.id),
			Compared:          item.in_sync >= 0,
			InSync:            item.in_sync == 1,
			Connected:         bool(item.connected),
			Behind:            uint64(max(item.behind, 0)),
			Drift:             driftFrom(item.drift_ms),
			AheadEntries:      uint64(item.ahead_entries),
			HoldsUpForgetting: bool(item.holds_up_forgetting),
		}
		if item.last_sync_ms >= 0 {
			peer.LastSync = time.UnixMilli(int64(item.last_sync_ms))
		}
		peers = append(peers, peer)
	}
	return MapStatus{
		Name:             name,
		Live:             int(report.live),
		Tombstones:       int(report.tombstones),
		Hidden:           int(report.hidden),
		Bytes:            uint64(report.bytes),
		Digest:           *(*Digest)(unsafe.Pointer(&report.digest.bytes)),
		Outbox:           int(report.outbox),
		Peers:            peers,
		RefusedEntries:   uint64(report.refused_entries),
		AheadEntries:     uint64(report.ahead_entries),
		RejectedMessages: uint64(report.rejected_messages),
		Gaps:             uint64(report.gaps),
		Syncs:            uint64(report.syncs),
		SelfChecks:       uint64(report.self_checks),
		Forgotten:        uint64(report.forgotten),
		Origins:          int(report.origins),
		ClockAhead:       time.Duration(report.clock_ahead_ms) * time.Millisecond,
		Durability:       C.GoString(report.durability),
		StorageError:     C.GoString(&report.storage_error[0]),
		CutBytes:         uint64(report.cut_bytes),
		LogBytes:         uint64(report.log_bytes),
	}
}

// driftFrom is 0 for what is not known.
func driftFrom(ms C.int64_t) time.Duration {
	if ms == C.P2PMAP_UNKNOWN {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

// peerIDFrom reads the library's own text of a peer id, which is always one.
func peerIDFrom(text *C.char) PeerID {
	var id PeerID
	C.p2pmap_peer_id_parse(text, &id.id, nil)
	return id
}
