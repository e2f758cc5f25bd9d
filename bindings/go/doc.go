// Package p2pmap is a replicated key-value map that lives inside your process.
//
// Every process that opens the map "flags" holds a full copy of it: reads are reads of local memory, writes are local and
// reach every other copy through peer-to-peer gossip, and no server has to run anywhere. Where two write the same key, the
// later write wins, everywhere. It is for small, cluster-wide state: configuration, feature flags, routing tables, service
// registries.
//
//	flags, err := p2pmap.Open("flags", p2pmap.WithBootstrap("/dns4/seed/tcp/7400"))
//	if err != nil {
//		return err
//	}
//	defer flags.Close()
//
//	if _, err := flags.Put(ctx, "dark_mode", []byte("on")); err != nil {
//		return err
//	}
//	for event := range flags.Watch(ctx) {
//		fmt.Println(event.Kind, event.Key, string(event.Value))
//	}
//
// # Nodes and maps
//
// [Open] opens a map on a node of its own. [OpenNode] is for several maps on one node, and for control: a [Node] has an
// identity and listens; [Node.Map] opens maps on it. [Options] lists every option; [With] sets any of them by name.
//
// # Reading and writing
//
// Keys are strings and values are byte slices; both may hold any bytes. What a call returns is the caller's own copy, and what
// it is given it copies. Reads ([Map.Get], [Map.Scan], ...) look into this process's memory and never wait. A write is done
// when the call returns: the next read here sees it, and it reaches the other copies by itself. The context of a write ends
// calls that have to wait for a disk; a memory map never waits.
//
// An entry written with [Map.PutTTL] expires: every node hides it when its time is up, and tells an [EventExpire]. On a map
// opened with the option presence, entries are seen only while the node that wrote them is in the cluster. [Map.WaitReplicated]
// waits until other nodes hold a write.
//
// Reads of a map that was closed find nothing: [Map.Err] tells that from a map that is empty, and [Map.Lookup] tells it of one
// key.
//
// # Events
//
// [Map.Watch] gives changes as a channel, [Map.Subscribe] calls a function. Only changes of the view make events. A reader that
// falls behind is told the newest state of each key: memory stays bounded, and nobody is slowed down by it.
//
// # Errors
//
// Every error of the library is an [*Error] with a [Code], and matches the variable of its kind:
//
//	if errors.Is(err, p2pmap.ErrTooLarge) { ... }
//
// # Goroutines and memory
//
// Everything but a [Batch] may be used by any number of goroutines at once, callbacks included. Close is idempotent. A node or
// map that nothing refers to any more, not even a subscription or a watch, is closed by the garbage collector.
package p2pmap
