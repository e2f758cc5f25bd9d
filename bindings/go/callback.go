package p2pmap

// #include "glue.h"
import "C"

import (
	"runtime/cgo"
	"unsafe"
)

// The Go ends of glue.c's callbacks. They run on threads of the library, and Go makes goroutines of them. The handle is that of
// a *Subscription or of a validator.

//export p2pmapGoEvents
func p2pmapGoEvents(events *C.p2pmap_event, count C.size_t, handle C.uintptr_t) {
	subscription := cgo.Handle(handle).Value().(*Subscription)
	batch := unsafe.Slice(events, int(count))
	for i := range batch {
		if subscription.ended.Load() {
			return
		}
		subscription.callback(eventFrom(&batch[i]))
	}
}

//export p2pmapGoValidate
func p2pmapGoValidate(key *C.uint8_t, keyLen C.size_t, value *C.uint8_t, valueLen C.size_t, handle C.uintptr_t) (valid C.bool) {
	validator := cgo.Handle(handle).Value().(func(key string, value []byte) error)
	defer func() {
		if recover() != nil {
			valid = false
		}
	}()
	return C.bool(validator(stringFrom(key, keyLen), bytesFrom(value, valueLen)) == nil)
}

//export p2pmapGoRelease
func p2pmapGoRelease(handle C.uintptr_t) {
	cgo.Handle(handle).Delete()
}
