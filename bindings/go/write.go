package p2pmap

// #cgo noescape quiet_put
// #cgo nocallback quiet_put
// #cgo noescape quiet_remove
// #cgo nocallback quiet_remove
// #include "glue.h"
import "C"

import (
	"context"
	"math"
	"runtime"
	"time"
)

// Forever is the time to live of an entry that never expires.
const Forever time.Duration = math.MaxInt64

// Put writes a value and returns the write's stamp. The next read here sees it, and it is on its way to the others.
// On a map opened with default_ttl_ms the entry expires when that has passed. With durability=sync this and every other write
// waits until the disk has it, with one sync for all that wait; otherwise none waits.
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

// PutTTL writes an entry that expires when ttl has passed: from then on it is absent on every node, and each tells its
// subscribers by itself, with an EventExpire. A later put renews it. [Forever] means that it never expires, whatever the
// map's default_ttl_ms. What is less than a millisecond counts as one.
// Errors: those of Put, and [ErrInvalidArgument] for a ttl of 0, a negative one, or one above 100 years; then nothing changed.
func (m *Map) PutTTL(ctx context.Context, key string, value []byte, ttl time.Duration) (Stamp, error) {
	if err := ctx.Err(); err != nil {
		return Stamp{}, context.Cause(ctx)
	}
	var stamp Stamp
	data, length := bytesOfString(key)
	valueData, valueLength := bytesOf(value)
	err := m.try(func(ptr *C.p2pmap_map, told told) C.p2pmap_status {
		return C.map_put_ttl(ptr, data, length, valueData, valueLength, ttlOf(ttl), &stamp.stamp, told)
	})
	return stamp, err
}

// ttlOf is a time to live in milliseconds, rounded up. The library refuses 0, which negative ones are here.
func ttlOf(ttl time.Duration) C.uint64_t {
	if ttl == Forever {
		return C.P2PMAP_FOREVER
	}
	ms := ttl.Milliseconds()
	if ttl > time.Duration(ms)*time.Millisecond {
		ms++
	}
	return C.uint64_t(max(ms, 0))
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

// Flush returns when every write made here before is on disk: for maps with durability=async. It waits for the disk; ctx is looked
// at before it begins. Errors: [ErrStorage], [ErrClosed].
func (m *Map) Flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	return m.try(func(ptr *C.p2pmap_map, told told) C.p2pmap_status { return C.p2pmap_map_flush(ptr, told) })
}
