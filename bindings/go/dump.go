package p2pmap

// #include "glue.h"
import "C"

import (
	"context"
	"runtime"
)

// Dump writes every entry in the view to a file, as lines of JSON in key order, and says how many. The file is there whole or
// not at all: it takes the place of an older one when it is complete and on disk. Only its owner may read it. It waits for the
// disk; ctx is looked at before it begins.
// Errors: [ErrStorage], and what was there before is as it was; [ErrClosed].
func (m *Map) Dump(ctx context.Context, path string) (int, error) {
	return m.file(ctx, path, func(ptr *C.p2pmap_map, path *C.char, count *C.uint64_t, told told) C.p2pmap_status {
		return C.p2pmap_map_dump(ptr, path, count, told)
	})
}

// Load writes every entry of a file that [Map.Dump] made into this map, and says how many. They are new writes, which win over
// what is here and in the cluster. An entry's expiry is kept: one whose time is over is left out, and one without any never
// expires. All of the file is checked before anything is written. It waits for the disk; ctx is looked at before it begins.
// Errors: [ErrInvalidArgument] for a line that is no entry, [ErrTooLarge], [ErrInvalidValue]: each names the line, and nothing
// changed; [ErrStorage]. While it writes also [ErrFull] and [ErrClosed]: the lines before are loaded, and it may be loaded again.
func (m *Map) Load(ctx context.Context, path string) (int, error) {
	return m.file(ctx, path, func(ptr *C.p2pmap_map, path *C.char, count *C.uint64_t, told told) C.p2pmap_status {
		return C.p2pmap_map_load(ptr, path, count, told)
	})
}

func (m *Map) file(
	ctx context.Context, path string, call func(*C.p2pmap_map, *C.char, *C.uint64_t, told) C.p2pmap_status,
) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, context.Cause(ctx)
	}
	var count C.uint64_t
	err := withText("path", path, func(path *C.char, told told) C.p2pmap_status {
		defer runtime.KeepAlive(m)
		return call(m.ptr, path, &count, told)
	})
	return int(count), err
}
