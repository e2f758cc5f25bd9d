package main

// #cgo noescape copy_out
// #cgo nocallback copy_out
// #cgo noescape find_copy
// #cgo nocallback find_copy
// #include "../table.h"
// static const char value[TABLE_VALUE] = "v";
// static void copy_out(void *to) { memcpy(to, value, sizeof value); }
// static void find_copy(const uint8_t *key, void *to) {
//   const char *found = table_find((const char *)key);
//   if (found != NULL) memcpy(to, found, TABLE_VALUE);
// }
import "C"

import (
	"strings"
	"unsafe"
)

// copyOut is a call of C that copies 100 bytes to the buffer, which has room for them.
func copyOut(to []byte) { C.copy_out(unsafe.Pointer(unsafe.SliceData(to))) }

// fillTable fills the bare table with the keys, of 16 bytes each.
func fillTable(keys []string) {
	all := C.CString(strings.Join(keys, ""))
	defer C.free(unsafe.Pointer(all))
	C.table_fill(all, C.uint32_t(len(keys)))
}

// findCopy is a call of C that looks the key up in the bare table and copies the 100 bytes of its value to the buffer.
func findCopy(key string, to []byte) {
	C.find_copy((*C.uint8_t)(unsafe.StringData(key)), unsafe.Pointer(unsafe.SliceData(to)))
}
