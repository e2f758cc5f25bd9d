package main

// #cgo noescape copy_out
// #cgo nocallback copy_out
// #include <string.h>
// static const char value[100] = "v";
// static void copy_out(void *to) { memcpy(to, value, sizeof value); }
import "C"

import "unsafe"

// copyOut is a call of C that copies 100 bytes to the buffer, which has room for them.
func copyOut(to []byte) { C.copy_out(unsafe.Pointer(unsafe.SliceData(to))) }
