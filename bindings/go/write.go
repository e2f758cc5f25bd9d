package p2pmap

// #cgo noescape quiet_put
// #cgo nocallback quiet_put
// #cgo noescape quiet_remove
// #cgo nocallback quiet_remove
// #include "glue.h"
import "C"

import (
	"bytes"
	"context"
	"runtime"
)

// Put writes a value and returns the write's stamp. The next read here sees it, and it is on its way to the others.
// Errors: [ErrInvalidValue], [ErrTooLarge], [ErrFull], [ErrClosed]; then nothing changed.
func (m *Map) Put(ctx context.Context, key string, value []byte) (Stamp, error) {
	if err := ctx.Err(); err != nil {
		return Stamp{}, context.Cause(ctx)
	}
	if haveValidators.Load() {
		return m.checkedPut(key, value)
	}
	var stamp Stamp
	var told *C.p2pmap_error
	data, length := bytesOfString(key)
	valueData, valueLength := bytesOf(value)
	status := C.quiet_put(m.ptr, data, length, valueData, valueLength, &stamp.stamp, &told)
	runtime.KeepAlive(m)
	return stamp, failed(status, told)
}

// checkedPut is the rest of Put where a validator may be a Go function.
func (m *Map) checkedPut(key string, value []byte) (Stamp, error) {
	var stamp Stamp
	data, length := bytesOfString(key)
	valueData, valueLength := bytesOf(value)
	err := m.try(func(ptr *C.p2pmap_map, told told) C.p2pmap_status {
		return C.checked_put(ptr, data, length, valueData, valueLength, &stamp.stamp, told)
	})
	return stamp, err
}

// Remove removes a key, and says whether a value was there; when none was, nothing is written.
func (m *Map) Remove(ctx context.Context, key string) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, context.Cause(ctx)
	}
	var removed C.bool
	var told *C.p2pmap_error
	data, length := bytesOfString(key)
	status := C.quiet_remove(m.ptr, data, length, &removed, &told)
	runtime.KeepAlive(m)
	return bool(removed), failed(status, told)
}

// RemovePrefix removes all keys under a prefix in one batch, and says how many those were. [ErrTooLarge] for more than a batch
// can hold; then nothing changed.
func (m *Map) RemovePrefix(ctx context.Context, prefix string) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, context.Cause(ctx)
	}
	var removed C.size_t
	data, length := bytesOfString(prefix)
	err := m.try(func(ptr *C.p2pmap_map, told told) C.p2pmap_status {
		return C.map_remove_prefix(ptr, data, length, &removed, told)
	})
	return int(removed), err
}

// Batch is many puts and removes that travel together and are applied whole, here and on every other node. The zero Batch is
// empty. It may be applied more than once, to any map. It is used by one goroutine at a time.
type Batch struct{ writes []write }

type write struct {
	key    string
	value  []byte
	remove bool
}

// Put adds a put of a copy of value.
func (b *Batch) Put(key string, value []byte) {
	b.writes = append(b.writes, write{key: key, value: bytes.Clone(value)})
}

// Remove adds a remove.
func (b *Batch) Remove(key string) { b.writes = append(b.writes, write{key: key, remove: true}) }

// Len is how many puts and removes it holds.
func (b *Batch) Len() int { return len(b.writes) }

// Clear empties it.
func (b *Batch) Clear() { b.writes = nil }

// Apply applies a batch whole, and returns the stamp of its last write: the zero Stamp if nothing was written. Errors as for
// Put, for the whole batch: then nothing of it was applied.
func (m *Map) Apply(ctx context.Context, batch *Batch) (Stamp, error) {
	if err := ctx.Err(); err != nil {
		return Stamp{}, context.Cause(ctx)
	}
	ptr := C.p2pmap_batch_new()
	defer C.p2pmap_batch_free(ptr)
	for _, write := range batch.writes {
		data, length := bytesOfString(write.key)
		if write.remove {
			C.batch_remove(ptr, data, length)
			continue
		}
		value, valueLength := bytesOf(write.value)
		C.batch_put(ptr, data, length, value, valueLength)
	}
	var stamp Stamp
	err := m.try(func(mapPtr *C.p2pmap_map, told told) C.p2pmap_status {
		return C.p2pmap_map_apply(mapPtr, ptr, &stamp.stamp, told)
	})
	return stamp, err
}
