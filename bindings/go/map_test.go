package p2pmap_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2pmap/p2pmap/bindings/go"
)

func TestAPutIsRead(t *testing.T) {
	m := open(t)
	before := time.Now().Truncate(time.Millisecond)
	stamp := put(t, m, "sky", "blue")
	wantValue(t, m, "sky", "blue")
	entry, found := m.Entry("sky")
	if !found || entry.Key != "sky" || string(entry.Value) != "blue" || entry.Stamp != stamp {
		t.Errorf("got %+v, %t", entry, found)
	}
	if entry.Author() != m.Node().ID() || entry.Time.Before(before) || !entry.Time.Equal(stamp.Time()) {
		t.Errorf("by %v at %v", entry.Author(), entry.Time)
	}
	if !m.Contains("sky") || m.Len() != 1 || m.Name() != "colours" {
		t.Errorf("contains %t, %d entries, name %s", m.Contains("sky"), m.Len(), m.Name())
	}
}

func TestWhatIsAbsentIsNotFound(t *testing.T) {
	m := open(t)
	if value, found := m.Get("sky"); value != nil || found {
		t.Errorf("got %q, %t", value, found)
	}
	if value, found, err := m.Lookup("sky"); value != nil || found || err != nil {
		t.Errorf("got %q, %t, %v", value, found, err)
	}
	if entry, found := m.Entry("sky"); found || entry.Value != nil {
		t.Errorf("got %+v", entry)
	}
	if m.Contains("sky") || m.Contains(strings.Repeat("k", 100_000)) || m.Len() != 0 {
		t.Error("found something")
	}
}

func TestKeysAndValuesAreAnyBytes(t *testing.T) {
	m := open(t)
	for _, text := range []string{"", "\x00", "a\x00b", "\xff\xfe", "héllo"} {
		put(t, m, text, text)
		if value, found := m.Get(text); !found || value == nil || string(value) != text {
			t.Errorf("%q: got %q, %t", text, value, found)
		}
	}
	if m.Len() != 5 {
		t.Errorf("%d entries", m.Len())
	}
	if _, err := m.Put(context.Background(), "nil", nil); err != nil {
		t.Error(err)
	}
	wantValue(t, m, "nil", "")
}

func TestValuesOfEveryLengthAreCopiedWhole(t *testing.T) {
	m := open(t)
	for _, length := range []int{0, 1, 255, 256, 257, 4096, 1 << 20} {
		put(t, m, "k", strings.Repeat("v", length))
		value, found := m.Get("k")
		if !found || len(value) != length || bytes.Count(value, []byte("v")) != length {
			t.Errorf("%d: got %d bytes, %t", length, len(value), found)
		}
		room := make([]byte, 0, 256)
		value, found = m.GetInto("k", room)
		if !found || len(value) != length {
			t.Errorf("%d: got %d bytes into a buffer, %t", length, len(value), found)
		}
		if inPlace := cap(value) == cap(room); inPlace != (length <= 256) {
			t.Errorf("%d: in place %t", length, inPlace)
		}
	}
}

func TestAValueIsTheCallersOwn(t *testing.T) {
	m := open(t)
	put(t, m, "sky", "blue")
	value, _ := m.Get("sky")
	value[0] = 'g'
	wantValue(t, m, "sky", "blue")
}

func TestARemoveSaysWhetherAValueWasThere(t *testing.T) {
	m := open(t)
	put(t, m, "sky", "blue")
	for _, want := range []bool{true, false} {
		if removed, err := m.Remove(context.Background(), "sky"); removed != want || err != nil {
			t.Errorf("got %t, %v", removed, err)
		}
	}
	for _, key := range []string{"a/1", "a/2", "b/1"} {
		put(t, m, key, "v")
	}
	if removed, err := m.RemovePrefix(context.Background(), "a/"); removed != 2 || err != nil {
		t.Errorf("got %d, %v", removed, err)
	}
	if keys := slices.Collect(m.Keys()); !slices.Equal(keys, []string{"b/1"}) {
		t.Errorf("left %q", keys)
	}
}

func TestABatchIsAppliedWhole(t *testing.T) {
	m := open(t, p2pmap.With("max_value_bytes", "4"))
	put(t, m, "old", "v")
	var batch p2pmap.Batch
	value := []byte("a")
	batch.Put("new", value)
	value[0] = 'b'
	batch.Remove("old")
	stamp, err := m.Apply(context.Background(), &batch)
	if err != nil || stamp.IsZero() || batch.Len() != 2 {
		t.Fatalf("got %v, %v", stamp, err)
	}
	wantValue(t, m, "new", "a")
	if m.Contains("old") {
		t.Error("old was not removed")
	}

	batch.Put("large", []byte("value"))
	batch.Put("new", []byte("c"))
	if _, err := m.Apply(context.Background(), &batch); !errors.Is(err, p2pmap.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	wantValue(t, m, "new", "a")

	batch.Clear()
	batch.Remove("absent")
	if stamp, err := m.Apply(context.Background(), &batch); !stamp.IsZero() || err != nil {
		t.Errorf("got %v, %v", stamp, err)
	}
}

func TestScansCoverWhatTheirOptionsSay(t *testing.T) {
	m := open(t)
	for _, key := range []string{"b/2", "a/1", "b/1", "c/1", "b/3"} {
		put(t, m, key, "value of "+key)
	}
	for _, test := range []struct {
		options p2pmap.ScanOptions
		want    string
	}{
		{p2pmap.ScanOptions{}, "a/1 b/1 b/2 b/3 c/1"},
		{p2pmap.ScanOptions{Prefix: "b/"}, "b/1 b/2 b/3"},
		{p2pmap.ScanOptions{Start: "b/2", End: "c/1"}, "b/2 b/3"},
		{p2pmap.ScanOptions{Start: "b/2"}, "b/2 b/3 c/1"},
		{p2pmap.ScanOptions{End: "b/2"}, "a/1 b/1"},
		{p2pmap.ScanOptions{Limit: 2}, "a/1 b/1"},
		{p2pmap.ScanOptions{Reverse: true, Limit: 2}, "c/1 b/3"},
		{p2pmap.ScanOptions{Prefix: "d"}, ""},
	} {
		want := strings.Fields(test.want)
		if got := slices.Collect(m.Keys(test.options)); !slices.Equal(got, want) {
			t.Errorf("%+v: keys %q", test.options, got)
		}
		var keys []string
		for entry := range m.Scan(test.options) {
			if string(entry.Value) != "value of "+entry.Key || entry.Stamp.IsZero() {
				t.Errorf("got %+v", entry)
			}
			keys = append(keys, entry.Key)
		}
		if !slices.Equal(keys, want) {
			t.Errorf("%+v: entries %q", test.options, keys)
		}
	}
	for key, value := range m.Entries() {
		if string(value) != "value of "+key {
			t.Errorf("%s: got %q", key, value)
		}
		if key == "b/2" {
			break
		}
	}
	if values := slices.Collect(m.Values()); len(values) != 5 || string(values[4]) != "value of c/1" {
		t.Errorf("values %q", values)
	}
}

func TestAScanMayWriteWhatItReads(t *testing.T) {
	m := open(t)
	for _, key := range []string{"a", "b", "c"} {
		put(t, m, key, "v")
	}
	for key := range m.Keys() {
		if _, err := m.Remove(context.Background(), key); err != nil {
			t.Error(err)
		}
	}
	if m.Len() != 0 {
		t.Errorf("%d entries left", m.Len())
	}
}

func TestStampsAreOrderedAsTheyWereWritten(t *testing.T) {
	m := open(t)
	first, second := put(t, m, "k", "1"), put(t, m, "k", "2")
	if first.Compare(second) >= 0 || second.Compare(first) <= 0 || first.Compare(first) != 0 || first == second {
		t.Errorf("%v and %v", first, second)
	}
	if first.Epoch() != second.Epoch() || first.Timestamp() >= second.Timestamp() {
		t.Errorf("%v and %v", first, second)
	}
}

func TestPeerIDsAreText(t *testing.T) {
	m := open(t)
	id := m.Node().ID()
	text, err := id.MarshalText()
	if err != nil || !strings.HasSuffix(m.Node().Addrs()[0], "/p2p/"+string(text)) {
		t.Errorf("%s in %v, %v", text, m.Node().Addrs(), err)
	}
	var parsed p2pmap.PeerID
	if err := parsed.UnmarshalText(text); err != nil || parsed != id {
		t.Errorf("got %v, %v", parsed, err)
	}
	if err := parsed.UnmarshalText([]byte("no body")); !errors.Is(err, p2pmap.ErrInvalidArgument) || parsed != id {
		t.Errorf("got %v, %v", parsed, err)
	}
	if nobody := (p2pmap.PeerID{}); !nobody.IsZero() || nobody.String() != "" {
		t.Errorf("nobody is %q", nobody)
	}
}
