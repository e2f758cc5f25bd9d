package p2pmap

// #include <stdlib.h>
// #include "glue.h"
import "C"

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"unsafe"
)

// Bytes across the border. Go's go in as a pointer that C keeps no longer than the call; C's come out as copies.

func bytesOf(value []byte) (*C.uint8_t, C.size_t) {
	return (*C.uint8_t)(unsafe.SliceData(value)), C.size_t(len(value))
}

func bytesOfString(key string) (*C.uint8_t, C.size_t) {
	return (*C.uint8_t)(unsafe.StringData(key)), C.size_t(len(key))
}

// bytesFrom copies; nil stays nil, and what is empty is not nil.
func bytesFrom(data *C.uint8_t, length C.size_t) []byte {
	if data == nil {
		return nil
	}
	return bytes.Clone(unsafe.Slice((*byte)(data), int(length)))
}

func stringFrom(data *C.uint8_t, length C.size_t) string {
	return string(unsafe.Slice((*byte)(data), int(length)))
}

// stringsFrom copies an array of texts.
func stringsFrom(items **C.char, count C.size_t) []string {
	texts := make([]string, 0, int(count))
	for _, item := range unsafe.Slice(items, int(count)) {
		texts = append(texts, C.GoString(item))
	}
	return texts
}

// withText makes a call with a text. C's strings end at a NUL, so a text that holds one is refused rather than cut short.
func withText(what, text string, call func(text *C.char, told told) C.p2pmap_status) error {
	if strings.IndexByte(text, 0) >= 0 {
		return &Error{Code: CodeInvalidArgument, Message: fmt.Sprintf("the %s holds a NUL byte", what)}
	}
	copied := C.CString(text)
	defer C.free(unsafe.Pointer(copied))
	return try(func(told told) C.p2pmap_status { return call(copied, told) })
}

// withTexts does so with two.
func withTexts(what1, text1, what2, text2 string, call func(text1, text2 *C.char, told told) C.p2pmap_status) error {
	var inner error
	outer := withText(what1, text1, func(copied1 *C.char, _ told) C.p2pmap_status {
		inner = withText(what2, text2, func(copied2 *C.char, told told) C.p2pmap_status {
			return call(copied1, copied2, told)
		})
		return C.P2PMAP_OK
	})
	return cmp.Or(outer, inner)
}
