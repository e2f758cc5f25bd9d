package p2pmap

// #include "glue.h"
import "C"

// EventKind says what happened.
type EventKind int32

// The kinds of events.
const (
	// EventPut is a value under this key: a new one, or another one.
	EventPut EventKind = C.P2PMAP_EVENT_PUT
	// EventRemove means that the key was removed.
	EventRemove EventKind = C.P2PMAP_EVENT_REMOVE
	// EventExpire means that the entry's time to live is over. Each node tells it by itself, by its own clock.
	EventExpire EventKind = C.P2PMAP_EVENT_EXPIRE
	// EventPrune means that the entry's author is gone, on a map opened with presence. The entry is hidden, not lost: an
	// EventPut without an OldValue tells that its author has come back.
	EventPrune EventKind = C.P2PMAP_EVENT_PRUNE
	// EventSynced ends a snapshot; changes follow. It has no key, no values and no stamp.
	EventSynced EventKind = C.P2PMAP_EVENT_SYNCED
)

// String is the name of the kind, such as "put".
func (k EventKind) String() string {
	return C.GoString(C.p2pmap_event_kind_name(C.p2pmap_event_kind(k)))
}

// Event is one change of the view. It is the receiver's own copy.
type Event struct {
	Kind EventKind
	Key  string
	// Value is the new value; nil unless Kind is EventPut.
	Value []byte
	// OldValue is what the view held before; nil if nothing.
	OldValue []byte
	// Local says that this node wrote it: the write that Stamp is of.
	Local bool
	// Stamp is that of the write that made the change; for EventExpire and EventPrune, that of the entry that went.
	Stamp Stamp
}

// Author is whose write Stamp is of.
func (e Event) Author() PeerID { return e.Stamp.Author() }

// WatchOptions say which changes are told: all, where all fields are zero.
type WatchOptions struct {
	// Prefix leaves out keys that do not start with it.
	Prefix string
	// Snapshot asks for an EventPut for every entry of the view first, then EventSynced, then the changes: nothing is missed,
	// and nothing comes twice.
	Snapshot bool
}

func lastOf(options []WatchOptions) WatchOptions {
	if len(options) == 0 {
		return WatchOptions{}
	}
	return options[len(options)-1]
}

func eventFrom(event *C.p2pmap_event) Event {
	return Event{
		Kind:     EventKind(event.kind),
		Key:      stringFrom(event.key, event.key_len),
		Value:    bytesFrom(event.value, event.value_len),
		OldValue: bytesFrom(event.old_value, event.old_value_len),
		Local:    bool(event.local),
		Stamp:    Stamp{event.stamp},
	}
}
