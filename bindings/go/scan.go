package p2pmap

// #include "glue.h"
import "C"

import (
	"iter"
	"runtime"
)

// ScanOptions say what a scan covers: everything, where all fields are zero. Bounds combine.
type ScanOptions struct {
	// Prefix leaves out keys that do not start with it.
	Prefix string
	// Start leaves out keys below it.
	Start string
	// End leaves out keys from it on; "" is no bound.
	End string
	// Limit is how many entries at most; 0 is no limit.
	Limit int
	// Reverse goes from the greatest key down.
	Reverse bool
}

// Scan gives entries in the order of their keys' bytes. It sees each key once, keeps no writer waiting, and may be left at any
// time. Of several options the last counts; without any it covers everything.
func (m *Map) Scan(options ...ScanOptions) iter.Seq[Entry] {
	return scan(m, options, entryFrom)
}

// Keys gives keys, in the order of [Map.Scan].
func (m *Map) Keys(options ...ScanOptions) iter.Seq[string] {
	return scan(m, options, func(entry *C.p2pmap_entry) string { return stringFrom(entry.key, entry.key_len) })
}

// Values gives values, in the order of [Map.Scan].
func (m *Map) Values(options ...ScanOptions) iter.Seq[[]byte] {
	return scan(m, options, func(entry *C.p2pmap_entry) []byte { return bytesFrom(entry.value, entry.value_len) })
}

// Entries gives keys with their values, in the order of [Map.Scan].
func (m *Map) Entries(options ...ScanOptions) iter.Seq2[string, []byte] {
	pairs := scan(m, options, func(entry *C.p2pmap_entry) *C.p2pmap_entry { return entry })
	return func(yield func(string, []byte) bool) {
		for entry := range pairs {
			if !yield(stringFrom(entry.key, entry.key_len), bytesFrom(entry.value, entry.value_len)) {
				return
			}
		}
	}
}

// scan gives what take makes of each entry, which is the scan's until take returned for the next.
func scan[T any](m *Map, options []ScanOptions, take func(*C.p2pmap_entry) T) iter.Seq[T] {
	var covers ScanOptions
	if len(options) > 0 {
		covers = options[len(options)-1]
	}
	return func(yield func(T) bool) {
		ptr := m.beginScan(covers)
		defer C.p2pmap_scan_free(ptr)
		var entry C.p2pmap_entry
		for ptr != nil && C.p2pmap_scan_next(ptr, &entry, nil) == C.P2PMAP_OK {
			if !yield(take(&entry)) {
				return
			}
		}
	}
}

// beginScan gives nil if the map is closed.
func (m *Map) beginScan(covers ScanOptions) *C.p2pmap_scan {
	var ptr *C.p2pmap_scan
	prefix, prefixLen := bytesOfString(covers.Prefix)
	start, startLen := bytesOfString(covers.Start)
	end, endLen := bytesOfString(covers.End)
	limit, reverse := C.size_t(max(covers.Limit, 0)), C.bool(covers.Reverse)
	C.map_scan(m.ptr, prefix, prefixLen, start, startLen, end, endLen, limit, reverse, &ptr, nil)
	runtime.KeepAlive(m)
	return ptr
}
