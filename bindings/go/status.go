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
}

// MapPeer is a peer that a map is shared with.
type MapPeer struct {
	ID PeerID
	// Compared says whether the copies were compared yet, and InSync that they were equal when last compared.
	Compared, InSync bool
	// LastSync is when a sync with this peer last completed; zero before the first.
	LastSync time.Time
}

// MapStatus is what a map says of itself.
type MapStatus struct {
	Name string
	// Live is how many entries are in the view.
	Live       int
	Tombstones int
	// Bytes of keys and values held.
	Bytes uint64
	// Digest is equal where the state is.
	Digest Digest
	// Outbox is how many writes wait for the network.
	Outbox int
	// Peers are those that have this map open.
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
	}
}

func mapStatusFrom(name string, report *C.p2pmap_map_report, list *C.p2pmap_map_peer_list) MapStatus {
	peers := make([]MapPeer, 0, int(list.count))
	for _, item := range unsafe.Slice(list.items, int(list.count)) {
		peer := MapPeer{ID: peerIDFrom(item.id), Compared: item.in_sync >= 0, InSync: item.in_sync == 1}
		if item.last_sync_ms >= 0 {
			peer.LastSync = time.UnixMilli(int64(item.last_sync_ms))
		}
		peers = append(peers, peer)
	}
	return MapStatus{
		Name:             name,
		Live:             int(report.live),
		Tombstones:       int(report.tombstones),
		Bytes:            uint64(report.bytes),
		Digest:           *(*Digest)(unsafe.Pointer(&report.digest.bytes)),
		Outbox:           int(report.outbox),
		Peers:            peers,
		RefusedEntries:   uint64(report.refused_entries),
		AheadEntries:     uint64(report.ahead_entries),
		RejectedMessages: uint64(report.rejected_messages),
		Gaps:             uint64(report.gaps),
		Syncs:            uint64(report.syncs),
	}
}

// peerIDFrom reads the library's own text of a peer id, which is always one.
func peerIDFrom(text *C.char) PeerID {
	var id PeerID
	C.p2pmap_peer_id_parse(text, &id.id, nil)
	return id
}
