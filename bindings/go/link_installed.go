//go:build !p2pmap_static

package p2pmap

// #cgo pkg-config: p2pmap
import "C"
