package p2pmap

// #include "glue.h"
import "C"

import (
	"bytes"
	"context"
	"time"
)

// Batch is many puts and removes that travel together and are applied whole, here and on every other node. The zero Batch is
// empty. It may be applied more than once, to any map. It is used by one goroutine at a time.
type Batch struct{ writes []write }

type write struct {
	key   string
	value []byte
	kind  writeKind
	// ttl is for putsTTL.
	ttl time.Duration
}

type writeKind int

const (
	puts writeKind = iota
	putsTTL
	removes
)

// Put adds a put of a copy of value.
func (b *Batch) Put(key string, value []byte) {
	b.writes = append(b.writes, write{key: key, value: bytes.Clone(value)})
}

// PutTTL adds a put of a copy of value with a time to live, as [Map.PutTTL] has it. The ttl counts from when the batch is
// applied, and is checked then.
func (b *Batch) PutTTL(key string, value []byte, ttl time.Duration) {
	b.writes = append(b.writes, write{key: key, value: bytes.Clone(value), kind: putsTTL, ttl: ttl})
}

// Remove adds a remove.
func (b *Batch) Remove(key string) { b.writes = append(b.writes, write{key: key, kind: removes}) }

// Len is how many puts and removes it holds.
func (b *Batch) Len() int { return len(b.writes) }

// Clear empties it.
func (b *Batch) Clear() { b.writes = nil }

// Apply applies a batch whole, and returns the stamp of its last write: the zero Stamp if nothing was written. Errors as for
// PutTTL, for the whole batch: then nothing of it was applied.
func (m *Map) Apply(ctx context.Context, batch *Batch) (Stamp, error) {
	if err := ctx.Err(); err != nil {
		return Stamp{}, context.Cause(ctx)
	}
	ptr := C.p2pmap_batch_new()
	defer C.p2pmap_batch_free(ptr)
	for _, write := range batch.writes {
		data, length := bytesOfString(write.key)
		value, valueLength := bytesOf(write.value)
		switch write.kind {
		case puts:
			C.batch_put(ptr, data, length, value, valueLength)
		case putsTTL:
			C.batch_put_ttl(ptr, data, length, value, valueLength, ttlOf(write.ttl))
		case removes:
			C.batch_remove(ptr, data, length)
		}
	}
	var stamp Stamp
	err := m.try(func(mapPtr *C.p2pmap_map, told told) C.p2pmap_status {
		return C.p2pmap_map_apply(mapPtr, ptr, &stamp.stamp, told)
	})
	return stamp, err
}
