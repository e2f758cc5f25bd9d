package p2pmap

// #include "glue.h"
import "C"

import (
	"context"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

const (
	// watchBatch is how many events one call into C takes at most.
	watchBatch = 256
	// watchBuffer is how many events wait in the channel; beyond, they wait in the library, which conflates them.
	watchBuffer = 64
)

// Watch gives every change of the view, in order, as a channel. It is closed when ctx ends, after which no further change is sent,
// and when the map is closed; at once, if the map is closed already. Of several options the last counts.
//
// A reader may take its time: it delays nobody else. One that stops reading must end ctx, or the watch stays. On Linux a
// watch costs a goroutine; elsewhere also a thread.
func (m *Map) Watch(ctx context.Context, options ...WatchOptions) <-chan Event {
	events := make(chan Event, watchBuffer)
	watch := m.beginWatch(lastOf(options))
	if watch == nil {
		close(events)
		return events
	}
	go watch.deliver(ctx, events)
	return events
}

// watch is a stream of the library, used by one goroutine and closed by any.
type watch struct {
	ptr *C.p2pmap_watch
	// ready is readable when there may be something to take; nil where a watch has no descriptor.
	ready syscall.RawConn
	// done frees what ready needs.
	done func() error
	// keeps the map from being collected.
	keeps *Map
}

// beginWatch gives nil if the map is closed.
func (m *Map) beginWatch(which WatchOptions) *watch {
	w := &watch{keeps: m, done: func() error { return nil }}
	prefix, prefixLen := bytesOfString(which.Prefix)
	C.map_watch(m.ptr, prefix, prefixLen, C.bool(which.Snapshot), &w.ptr, nil)
	runtime.KeepAlive(m)
	if w.ptr == nil {
		return nil
	}
	if file := w.descriptor(); file != nil {
		w.ready, _ = file.SyscallConn()
		w.done = file.Close
	}
	return w
}

// descriptor makes the library's descriptor a file that Go's poller can wait for, of its own, so that each side closes one.
func (w *watch) descriptor() *os.File {
	var fd C.int
	if C.p2pmap_watch_fd(w.ptr, &fd, nil) != C.P2PMAP_OK {
		return nil
	}
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	own, err := syscall.Dup(int(fd))
	if err != nil {
		return nil
	}
	syscall.CloseOnExec(own)
	return os.NewFile(uintptr(own), "p2pmap watch")
}

// deliver sends until ctx ends or the map is closed.
func (w *watch) deliver(ctx context.Context, events chan<- Event) {
	defer close(events)
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		C.p2pmap_watch_close(w.ptr, nil)
		close(closed)
	})
	defer func() {
		if !stop() {
			<-closed
		}
		w.done()
		C.p2pmap_watch_free(w.ptr)
	}()
	for {
		batch := w.next()
		if batch == nil {
			return
		}
		for _, event := range batch {
			// A select would choose at random: what changes after the end is not told.
			if ctx.Err() != nil {
				return
			}
			select {
			case events <- event:
			case <-ctx.Done():
				return
			}
		}
	}
}

// next waits for events, and gives none at the end.
func (w *watch) next() []Event {
	var batch []Event
	if w.ready != nil {
		err := w.ready.Read(func(uintptr) bool {
			var status C.p2pmap_status
			batch, status = w.take(0)
			return status != C.P2PMAP_EMPTY
		})
		if err == nil {
			return batch
		}
	}
	batch, _ = w.take(C.P2PMAP_FOREVER)
	return batch
}

func (w *watch) take(timeout C.uint64_t) ([]Event, C.p2pmap_status) {
	var list C.p2pmap_event_list
	status := C.p2pmap_watch_recv(w.ptr, watchBatch, timeout, &list, nil)
	if status != C.P2PMAP_OK {
		return nil, status
	}
	defer C.p2pmap_event_list_free(&list)
	items := unsafe.Slice(list.items, int(list.count))
	batch := make([]Event, len(items))
	for i := range items {
		batch[i] = eventFrom(&items[i])
	}
	return batch, status
}
