package p2pmap_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/p2pmap/p2pmap/bindings/go"
)

func putTTL(t testing.TB, m *p2pmap.Map, key, value string, ttl time.Duration) p2pmap.Stamp {
	t.Helper()
	stamp, err := m.PutTTL(context.Background(), key, []byte(value), ttl)
	if err != nil {
		t.Fatal(err)
	}
	return stamp
}

// lifetime is how long after its writing an entry expires; 0: never.
func lifetime(t testing.TB, m *p2pmap.Map, key string) time.Duration {
	t.Helper()
	entry, found := m.Entry(key)
	if !found {
		t.Fatalf("no %s", key)
	}
	if entry.ExpiresAt.IsZero() {
		return 0
	}
	return entry.ExpiresAt.Sub(entry.Time)
}

func about(got, want time.Duration) bool { return got > want-time.Minute && got < want+time.Minute }

func TestAnEntryExpires(t *testing.T) {
	m := open(t)
	events := m.Watch(within(t))
	stamp := putTTL(t, m, "sky", "blue", 50*time.Millisecond)
	if event := receive(t, events); event.Kind != p2pmap.EventPut || event.Stamp != stamp {
		t.Errorf("got %+v", event)
	}
	event := receive(t, events)
	if event.Kind != p2pmap.EventExpire || event.Key != "sky" || event.Value != nil || string(event.OldValue) != "blue" {
		t.Errorf("got %+v", event)
	}
	if !event.Local || event.Stamp != stamp || event.Kind.String() != "expire" {
		t.Errorf("by %v, %v", event.Stamp, event.Kind)
	}
	if _, found := m.Get("sky"); found || m.Len() != 0 {
		t.Error("it is still there")
	}
}

func TestAPutSaysHowLongItLives(t *testing.T) {
	m := open(t, p2pmap.With("default_ttl_ms", "3600000"))
	put(t, m, "default", "1")
	putTTL(t, m, "day", "1", 24*time.Hour)
	putTTL(t, m, "forever", "1", p2pmap.Forever)
	putTTL(t, m, "century", "1", 36500*24*time.Hour)
	var batch p2pmap.Batch
	batch.Put("batch/default", nil)
	batch.PutTTL("batch/day", []byte("1"), 24*time.Hour)
	batch.PutTTL("batch/forever", []byte("1"), p2pmap.Forever)
	if _, err := m.Apply(context.Background(), &batch); err != nil || batch.Len() != 3 {
		t.Fatal(err)
	}
	for key, want := range map[string]time.Duration{
		"default": time.Hour, "day": 24 * time.Hour, "forever": 0, "century": 36500 * 24 * time.Hour,
		"batch/default": time.Hour, "batch/day": 24 * time.Hour, "batch/forever": 0,
	} {
		if got := lifetime(t, m, key); !about(got, want) || (got == 0) != (want == 0) {
			t.Errorf("%s lives for %v, not %v", key, got, want)
		}
	}
}

func TestATimeToLiveThatIsNoneIsRefused(t *testing.T) {
	m := open(t)
	putTTL(t, m, "sky", "blue", time.Hour)
	for _, ttl := range []time.Duration{0, -1, -time.Hour, 40000 * 24 * time.Hour, p2pmap.Forever - 1} {
		if _, err := m.PutTTL(context.Background(), "sky", nil, ttl); !errors.Is(err, p2pmap.ErrInvalidArgument) {
			t.Errorf("%v: %v", ttl, err)
		}
		var batch p2pmap.Batch
		batch.Put("sea", nil)
		batch.PutTTL("sky", nil, ttl)
		if _, err := m.Apply(context.Background(), &batch); !errors.Is(err, p2pmap.ErrInvalidArgument) {
			t.Errorf("%v in a batch: %v", ttl, err)
		}
	}
	wantValue(t, m, "sky", "blue")
	if m.Len() != 1 {
		t.Error("something of a refused batch was applied")
	}
	// Less than a millisecond is one.
	putTTL(t, m, "sky", "grey", time.Nanosecond)
	eventually(t, "it is gone", func() bool { return !m.Contains("sky") })

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.PutTTL(ctx, "sky", nil, time.Hour); !errors.Is(err, context.Canceled) || m.Contains("sky") {
		t.Errorf("with a cancelled context: %v", err)
	}
}

func TestPresenceHidesWhoIsGone(t *testing.T) {
	a, b := openPair(t, p2pmap.With("presence", "true"))
	stamp := put(t, b, "sea", "green")
	eventually(t, "it arrives", func() bool { return a.Contains("sea") })
	events := a.Watch(within(t))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	event := receive(t, events)
	if event.Kind != p2pmap.EventPrune || event.Key != "sea" || string(event.OldValue) != "green" || event.Local || event.Stamp != stamp {
		t.Errorf("got %+v", event)
	}
	status, err := a.Status()
	if err != nil || status.Hidden != 1 || status.Live != 0 || status.Tombstones != 0 {
		t.Errorf("got %+v, %v", status, err)
	}
}
