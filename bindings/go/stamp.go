package p2pmap

// #include "glue.h"
import "C"

import (
	"encoding/hex"
	"fmt"
	"time"
)

// PeerID says who a node is: its libp2p peer id. Two are equal if == says so; the zero PeerID is nobody.
type PeerID struct{ id C.p2pmap_peer_id }

// ParsePeerID reads a peer id from its text.
func ParsePeerID(text string) (PeerID, error) {
	var id PeerID
	err := withText("peer id", text, func(text *C.char, told told) C.p2pmap_status {
		return C.p2pmap_peer_id_parse(text, &id.id, told)
	})
	return id, err
}

// GenerateIdentity makes an identity, a new Ed25519 key, and keeps it in a new file, which only its owner may read: a node's
// identity_file. It returns the peer id of a node with it: what allow_peers, ban_peers and writers of others name. It waits for the
// disk. Errors: [ErrInvalidArgument] when there is something at that path, [ErrStorage]; nothing is left there then.
func GenerateIdentity(path string) (PeerID, error) {
	var id PeerID
	err := withText("path", path, func(path *C.char, told told) C.p2pmap_status {
		return C.p2pmap_generate_identity(path, &id.id, told)
	})
	return id, err
}

// String is the peer id in base58, as it stands at the end of an address; "" for nobody.
func (p PeerID) String() string {
	if p.IsZero() {
		return ""
	}
	var text [C.P2PMAP_PEER_ID_TEXT_BYTES]C.char
	C.p2pmap_peer_id_text(&p.id, &text[0], C.size_t(len(text)), nil)
	return C.GoString(&text[0])
}

// IsZero says whether it is nobody's.
func (p PeerID) IsZero() bool { return p.id.len == 0 }

// MarshalText implements [encoding.TextMarshaler].
func (p PeerID) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (p *PeerID) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*p = PeerID{}
		return nil
	}
	id, err := ParsePeerID(string(text))
	if err == nil {
		*p = id
	}
	return err
}

// Stamp identifies one write. Two are equal if == says so; the zero Stamp is no write's.
type Stamp struct{ stamp C.p2pmap_stamp }

// NewStamp is the stamp of a write that was told by other means, such as a message from the process that made it; its parts
// are what Timestamp, Epoch and Author gave there.
func NewStamp(timestamp, epoch uint64, author PeerID) Stamp {
	return Stamp{C.p2pmap_stamp{timestamp: C.uint64_t(timestamp), epoch: C.uint64_t(epoch), author: author.id}}
}

// Timestamp is the author's hybrid clock: 48 bits of milliseconds since the Unix epoch, then a counter of 16 bits.
func (s Stamp) Timestamp() uint64 { return uint64(s.stamp.timestamp) }

// Epoch says which opening of the map by its author.
func (s Stamp) Epoch() uint64 { return uint64(s.stamp.epoch) }

// Author is who wrote it.
func (s Stamp) Author() PeerID { return PeerID{s.stamp.author} }

// Time is when it was written, by the author's clock.
func (s Stamp) Time() time.Time { return time.UnixMilli(int64(s.Timestamp() >> 16)) }

// IsZero says whether it is no write's.
func (s Stamp) IsZero() bool { return s == Stamp{} }

// Compare is below zero if s is less than other, zero if they are equal, above zero otherwise. The greater stamp wins.
func (s Stamp) Compare(other Stamp) int {
	return int(C.p2pmap_stamp_compare(&s.stamp, &other.stamp))
}

// String is `<timestamp>-<epoch>-<author>`, the numbers in hexadecimal.
func (s Stamp) String() string {
	return fmt.Sprintf("%016x-%016x-%s", s.Timestamp(), s.Epoch(), s.Author())
}

// Digest says with 32 bytes what state a replica is in: equal digests mean equal replicas.
type Digest [32]byte

// String is the digest in hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }
