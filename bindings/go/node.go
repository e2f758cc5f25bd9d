package p2pmap

// #include "glue.h"
import "C"

import (
	"context"
	"runtime"
)

// Node is one process's participation in a cluster: an identity, a network endpoint, and the maps opened on it.
//
// All methods may be called by several goroutines at once. After Close they fail with [ErrClosed], but for ID and Addrs.
type Node struct {
	ptr *C.p2pmap_node
	// keeps is the map that brought this node, which closes it when it goes.
	keeps *Map
}

// OpenNode starts a node: it listens, and dials what bootstrap names in the background. It waits until it listens.
// Errors: [ErrInvalidConfig], [ErrAddressInUse], [ErrNetwork].
func OpenNode(options ...Option) (*Node, error) {
	config, err := newConfig(options)
	if err != nil {
		return nil, err
	}
	defer config.free()
	var ptr *C.p2pmap_node
	if err := try(func(told told) C.p2pmap_status { return C.p2pmap_node_open(config.ptr, &ptr, told) }); err != nil {
		return nil, err
	}
	return newNode(ptr, nil), nil
}

func newNode(ptr *C.p2pmap_node, keeps *Map) *Node {
	node := &Node{ptr: ptr, keeps: keeps}
	// Freeing may have to close, which waits.
	runtime.AddCleanup(node, func(ptr *C.p2pmap_node) { go C.p2pmap_node_free(ptr) }, ptr)
	return node
}

// try makes a call with the node's pointer, and keeps the node from being freed meanwhile.
func (n *Node) try(call func(ptr *C.p2pmap_node, told told) C.p2pmap_status) error {
	defer runtime.KeepAlive(n)
	return try(func(told told) C.p2pmap_status { return call(n.ptr, told) })
}

// ID is who this node is.
func (n *Node) ID() PeerID {
	var id PeerID
	_ = n.try(func(ptr *C.p2pmap_node, told told) C.p2pmap_status { return C.p2pmap_node_id(ptr, &id.id, told) })
	return id
}

// Addrs are the addresses it listens on, each ending in `/p2p/<peer id>`: what another node takes as bootstrap.
func (n *Node) Addrs() []string {
	var list C.p2pmap_string_list
	defer C.p2pmap_string_list_free(&list)
	_ = n.try(func(ptr *C.p2pmap_node, told told) C.p2pmap_status { return C.p2pmap_node_addrs(ptr, &list, told) })
	return stringsFrom(list.items, list.count)
}

// Connect dials a peer and waits until it is connected, or ctx ends; it returns the peer's id. Dialling goes on for a moment
// after ctx was cancelled. Errors: [ErrInvalidArgument] for what is no address, [ErrNetwork], [ErrTimeout].
func (n *Node) Connect(ctx context.Context, addr string) (PeerID, error) {
	return wait(ctx, func(timeout C.uint64_t) (PeerID, error) {
		var id PeerID
		err := withText("address", addr, func(addr *C.char, told told) C.p2pmap_status {
			return C.p2pmap_node_connect(n.ptr, addr, timeout, &id.id, told)
		})
		runtime.KeepAlive(n)
		return id, err
	})
}

// Ban puts a node out: its connections end, it is forgotten, and not let in again while this node is open; the option ban_peers does
// so from the start. Every node decides for itself: call it on all of them. What it wrote stays. Errors: [ErrInvalidArgument] for
// this node's own id.
func (n *Node) Ban(peer PeerID) error {
	return n.try(func(ptr *C.p2pmap_node, told told) C.p2pmap_status { return C.p2pmap_node_ban(ptr, &peer.id, told) })
}

// Banned are the peer ids that are banned, sorted.
func (n *Node) Banned() ([]PeerID, error) {
	var list C.p2pmap_string_list
	defer C.p2pmap_string_list_free(&list)
	err := n.try(func(ptr *C.p2pmap_node, told told) C.p2pmap_status { return C.p2pmap_node_banned(ptr, &list, told) })
	if err != nil {
		return nil, err
	}
	var banned []PeerID
	for _, text := range stringsFrom(list.items, list.count) {
		id, err := ParsePeerID(text)
		if err != nil {
			return nil, err
		}
		banned = append(banned, id)
	}
	return banned, nil
}

// Peers are those it is connected to. It does not wait.
func (n *Node) Peers() ([]Peer, error) {
	var list C.p2pmap_peer_list
	defer C.p2pmap_peer_list_free(&list)
	err := n.try(func(ptr *C.p2pmap_node, told told) C.p2pmap_status { return C.p2pmap_node_peers(ptr, &list, told) })
	if err != nil {
		return nil, err
	}
	return peersFrom(&list), nil
}

// Status is what it says of itself. It does not wait.
func (n *Node) Status() (NodeStatus, error) {
	report := C.p2pmap_node_report{struct_size: C.sizeof_p2pmap_node_report}
	err := n.try(func(ptr *C.p2pmap_node, told told) C.p2pmap_status { return C.p2pmap_node_status(ptr, &report, told) })
	if err != nil {
		return NodeStatus{}, err
	}
	return nodeStatusFrom(&report), nil
}

// Map opens a map on this node. The same name again gives the same map; with other options that is [ErrInvalidConfig]. It
// does not wait.
func (n *Node) Map(name string, options ...Option) (*Map, error) {
	mapOptions, err := newMapOptions(options)
	if err != nil {
		return nil, err
	}
	defer mapOptions.free()
	defer runtime.KeepAlive(n)
	var ptr *C.p2pmap_map
	err = withText("name", name, func(name *C.char, told told) C.p2pmap_status {
		return C.p2pmap_map_open(n.ptr, name, mapOptions.ptr, &ptr, told)
	})
	if err != nil {
		return nil, err
	}
	return newMap(ptr, name, n), nil
}

// Maps are the names of the maps open on it.
func (n *Node) Maps() ([]string, error) {
	var list C.p2pmap_string_list
	defer C.p2pmap_string_list_free(&list)
	err := n.try(func(ptr *C.p2pmap_node, told told) C.p2pmap_status { return C.p2pmap_node_maps(ptr, &list, told) })
	if err != nil {
		return nil, err
	}
	return stringsFrom(list.items, list.count), nil
}

// Close says goodbye to the peers, closes every map and ends every thread; it waits for running callbacks, but for one that it
// is called from. Closing again is fine.
func (n *Node) Close() error {
	return n.try(func(ptr *C.p2pmap_node, told told) C.p2pmap_status { return C.p2pmap_node_close(ptr, told) })
}
