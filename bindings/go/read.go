package p2pmap

// #cgo noescape quiet_get
// #cgo nocallback quiet_get
// #cgo noescape quiet_contains
// #cgo nocallback quiet_contains
// #cgo noescape quiet_len
// #cgo nocallback quiet_len
// #include "glue.h"
import "C"

import (
	"bytes"
	"runtime"
	"time"
)

// Entry is an entry of the view.
type Entry struct {
	Key   string
	Value []byte
	// Stamp is that of the write that made it.
	Stamp Stamp
	// Time is when its author wrote it, by the author's clock.
	Time time.Time
	// ExpiresAt is when it expires, by each node's own clock; zero: never.
	ExpiresAt time.Time
}

// Author is who wrote it.
func (e Entry) Author() PeerID { return e.Stamp.Author() }

// Get reads a copy of the value under a key, and says whether there is one. It never waits. After Close there is none.
func (m *Map) Get(key string) ([]byte, bool) {
	value, found, _ := m.Lookup(key)
	return value, found
}

// Lookup is Get that fails with [ErrClosed] after Close.
func (m *Map) Lookup(key string) ([]byte, bool, error) {
	var room [256]byte
	size, found, err := m.copyTo(room[:], key)
	switch {
	case !found:
		return nil, false, err
	case size <= len(room):
		return bytes.Clone(room[:size]), true, nil
	}
	return m.lookupLong(key, size)
}

// GetInto is Get that puts the value into buf's memory, up to its capacity, and allocates only if the value is longer.
func (m *Map) GetInto(key string, buf []byte) ([]byte, bool) {
	buf = buf[:cap(buf)]
	size, found, _ := m.copyTo(buf, key)
	switch {
	case !found:
		return nil, false
	case size <= len(buf):
		return buf[:size], true
	}
	value, found, _ := m.lookupLong(key, size)
	return value, found
}

// lookupLong reads a value into memory for size bytes, or for more if it was overwritten meanwhile.
func (m *Map) lookupLong(key string, size int) ([]byte, bool, error) {
	for {
		room := make([]byte, size)
		var found bool
		var err error
		size, found, err = m.copyTo(room, key)
		if !found {
			return nil, false, err
		}
		if size <= len(room) {
			return room[:size], true, nil
		}
	}
}

// copyTo says how long the value is, and copies it to room if that is enough for it.
func (m *Map) copyTo(room []byte, key string) (size int, found bool, err error) {
	data, length := bytesOfString(key)
	buffer, capacity := bytesOf(room)
	var needed C.size_t
	var told *C.p2pmap_error
	status := C.quiet_get(m.ptr, data, length, buffer, capacity, &needed, &told)
	runtime.KeepAlive(m)
	if status == C.P2PMAP_OK || status == C.P2PMAP_BUFFER_TOO_SMALL {
		return int(needed), true, nil
	}
	return 0, false, failed(status, told)
}

// Entry reads a value with its stamp, author, time and expiry, and says whether there is one.
func (m *Map) Entry(key string) (Entry, bool) {
	var entry C.p2pmap_entry
	data, length := bytesOfString(key)
	status := C.map_entry(m.ptr, data, length, &entry, nil)
	runtime.KeepAlive(m)
	if status != C.P2PMAP_OK {
		return Entry{}, false
	}
	defer C.p2pmap_entry_release(&entry)
	return entryFrom(&entry), true
}

// Contains says whether there is a value under a key.
func (m *Map) Contains(key string) bool {
	var found C.bool
	data, length := bytesOfString(key)
	status := C.quiet_contains(m.ptr, data, length, &found, nil)
	runtime.KeepAlive(m)
	return status == C.P2PMAP_OK && bool(found)
}

// Len is how many entries are in the view.
func (m *Map) Len() int {
	length, _ := m.length()
	return length
}

func (m *Map) length() (int, error) {
	var length C.size_t
	var told *C.p2pmap_error
	status := C.quiet_len(m.ptr, &length, &told)
	runtime.KeepAlive(m)
	if err := failed(status, told); err != nil {
		return 0, err
	}
	return int(length), nil
}

func entryFrom(entry *C.p2pmap_entry) Entry {
	made := Entry{
		Key:   stringFrom(entry.key, entry.key_len),
		Value: bytesFrom(entry.value, entry.value_len),
		Stamp: Stamp{entry.stamp},
		Time:  time.UnixMilli(int64(entry.time_ms)),
	}
	if entry.expires_at_ms != 0 {
		made.ExpiresAt = time.UnixMilli(int64(entry.expires_at_ms))
	}
	return made
}
