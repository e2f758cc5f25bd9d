//go:build p2pmap_static

package p2pmap

// #cgo CFLAGS: -I${SRCDIR}/include
// #cgo linux,amd64 LDFLAGS: ${SRCDIR}/lib/linux_amd64/libp2pmap.a
// #cgo linux,arm64 LDFLAGS: ${SRCDIR}/lib/linux_arm64/libp2pmap.a
// #cgo linux LDFLAGS: -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc
import "C"
