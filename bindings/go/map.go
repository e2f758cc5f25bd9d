package p2pmap

// #include "glue.h"
import "C"

import (
	"context"
	"runtime"
	"unsafe"
)

// Map is this node's copy of a named replicated map.
//
// All methods may be called by several goroutines at once, callbacks included.
type Map struct {
	ptr  *C.p2pmap_map
	name string
	// node is nil if the map brought its own.
	node *Node
}

// Open opens a map on a node of its own: the quick start. Closing the map closes that node. It waits until the node
// listens. Errors: those of [OpenNode] and [Node.Map].
func Open(name string, options ...Option) (*Map, error) {
	config, err := newConfig(options)
	if err != nil {
		return nil, err
	}
	defer config.free()
	var ptr *C.p2pmap_map
	err = withText("name", name, func(name *C.char, told told) C.p2pmap_status {
		return C.p2pmap_open(name, config.ptr, &ptr, told)
	})
	if err != nil {
		return nil, err
	}
	return newMap(ptr, name, nil), nil
}

func newMap(ptr *C.p2pmap_map, name string, node *Node) *Map {
	m := &Map{ptr: ptr, name: name, node: node}
	// Freeing may have to close, which waits.
	runtime.AddCleanup(m, func(ptr *C.p2pmap_map) { go C.p2pmap_map_free(ptr) }, ptr)
	return m
}

// try makes a call with the map's pointer, and keeps the map from being freed meanwhile.
func (m *Map) try(call func(ptr *C.p2pmap_map, told told) C.p2pmap_status) error {
	defer runtime.KeepAlive(m)
	return try(func(told told) C.p2pmap_status { return call(m.ptr, told) })
}

// Name is the map's name.
func (m *Map) Name() string { return m.name }

// Node is the node that the map is open on: for the addresses and peers of a map from [Open].
func (m *Map) Node() *Node {
	if m.node != nil {
		return m.node
	}
	var ptr *C.p2pmap_node
	_ = m.try(func(mapPtr *C.p2pmap_map, told told) C.p2pmap_status { return C.p2pmap_map_node(mapPtr, &ptr, told) })
	return newNode(ptr, m)
}

// Err says why reads find nothing: nil while the map is open, [ErrClosed] afterwards.
func (m *Map) Err() error {
	_, err := m.length()
	return err
}

// Sync reconciles now with every connected peer that has the map open, and returns when the copies are equal or ctx ends.
// Errors: [ErrTimeout] at the deadline of ctx, [ErrClosed].
func (m *Map) Sync(ctx context.Context) error {
	_, err := waitInSlices(ctx, func(timeout C.uint64_t) (struct{}, error) {
		return struct{}{}, m.try(func(ptr *C.p2pmap_map, told told) C.p2pmap_status {
			return C.p2pmap_map_sync(ptr, timeout, told)
		})
	})
	return err
}

// WaitReplicated waits until that many other nodes hold a write, or a greater one for its key; it returns who does, at
// least that many. The stamp is what a write gave, here or on another node whose write has arrived here. With 0 peers it returns
// at once, with nobody.
//
// Only nodes that this one is connected to are asked: see the option target_peers.
// Errors: [ErrTimeout] at the deadline of ctx, with the number reached; [ErrInvalidArgument] for a stamp that this copy does not
// hold itself; [ErrClosed].
func (m *Map) WaitReplicated(ctx context.Context, stamp Stamp, peers int) ([]PeerID, error) {
	if peers < 0 {
		return nil, &Error{Code: CodeInvalidArgument, Message: "the number of peers to wait for is negative"}
	}
	return waitInSlices(ctx, func(timeout C.uint64_t) ([]PeerID, error) {
		var list C.p2pmap_string_list
		defer C.p2pmap_string_list_free(&list)
		err := m.try(func(ptr *C.p2pmap_map, told told) C.p2pmap_status {
			return C.p2pmap_map_wait_replicated(ptr, &stamp.stamp, C.size_t(peers), timeout, &list, told)
		})
		if err != nil {
			return nil, err
		}
		who := make([]PeerID, 0, int(list.count))
		for _, id := range unsafe.Slice(list.items, int(list.count)) {
			who = append(who, peerIDFrom(id))
		}
		return who, nil
	})
}

// Status is what it says of itself. It does not wait.
func (m *Map) Status() (MapStatus, error) {
	report := C.p2pmap_map_report{struct_size: C.sizeof_p2pmap_map_report}
	err := m.try(func(ptr *C.p2pmap_map, told told) C.p2pmap_status { return C.p2pmap_map_status(ptr, &report, told) })
	if err != nil {
		return MapStatus{}, err
	}
	var list C.p2pmap_map_peer_list
	defer C.p2pmap_map_peer_list_free(&list)
	err = m.try(func(ptr *C.p2pmap_map, told told) C.p2pmap_status { return C.p2pmap_map_peers(ptr, &list, told) })
	if err != nil {
		return MapStatus{}, err
	}
	return mapStatusFrom(m.name, &report, &list), nil
}

// Close stops this copy; the other nodes' copies go on. A map from [Open] closes its node too. It waits for running callbacks,
// but for one that it is called from. Closing again is fine.
func (m *Map) Close() error {
	return m.try(func(ptr *C.p2pmap_map, told told) C.p2pmap_status { return C.p2pmap_map_close(ptr, told) })
}

// Destroy closes this copy and deletes what this node stored of it. It erases nothing on other nodes.
func (m *Map) Destroy() error {
	return m.try(func(ptr *C.p2pmap_map, told told) C.p2pmap_status { return C.p2pmap_map_destroy(ptr, told) })
}
