package p2pmap

// #include "glue.h"
import "C"

import (
	"runtime"
	"runtime/cgo"
	"sync/atomic"
)

// Subscription is a callback's registration.
type Subscription struct {
	ptr      *C.p2pmap_subscription
	callback func(Event)
	ended    atomic.Bool
	// keeps the map from being collected while the subscription is active: until then the library's handle refers to this.
	keeps *Map
}

// Subscribe calls back on every change of the view, one at a time and in order, until the subscription or the map is closed.
// The first call may come before Subscribe returns. Of several options the last counts.
//
// Callbacks run on a goroutine and a thread of the subscription's own, under no lock: they may call anything, also Unsubscribe
// of themselves, and delay nobody else when they take their time. A panic ends the program, as on any goroutine.
func (m *Map) Subscribe(callback func(Event), options ...WatchOptions) (*Subscription, error) {
	if callback == nil {
		return nil, &Error{Code: CodeInvalidArgument, Message: "the callback is nil"}
	}
	which := lastOf(options)
	subscription := &Subscription{callback: callback, keeps: m}
	handle := C.uintptr_t(cgo.NewHandle(subscription))
	prefix, prefixLen := bytesOfString(which.Prefix)
	var ptr *C.p2pmap_subscription
	err := m.try(func(mapPtr *C.p2pmap_map, told told) C.p2pmap_status {
		return C.map_subscribe(mapPtr, prefix, prefixLen, C.bool(which.Snapshot), handle, &ptr, told)
	})
	if err != nil {
		return nil, err
	}
	subscription.ptr = ptr
	runtime.AddCleanup(subscription, func(ptr *C.p2pmap_subscription) { go C.p2pmap_subscription_free(ptr) }, ptr)
	return subscription, nil
}

// Active says whether callbacks may still come: until Unsubscribe, or until the map is closed.
func (s *Subscription) Active() bool {
	defer runtime.KeepAlive(s)
	return bool(C.p2pmap_subscription_is_active(s.ptr))
}

// Unsubscribe ends it. When it returns, no callback is running or will run, so hold no lock that the callback takes; within its
// own callback it returns at once. Doing so again is fine.
func (s *Subscription) Unsubscribe() {
	s.ended.Store(true)
	C.p2pmap_subscription_close(s.ptr, nil)
	runtime.KeepAlive(s)
}
