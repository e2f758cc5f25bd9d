//go:build !p2pmap_static && !p2pmap_flags

package p2pmap

// #cgo pkg-config: p2pmap
import "C"
