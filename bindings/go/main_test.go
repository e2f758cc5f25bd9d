package p2pmap_test

import (
	"context"
	"testing"
	"time"

	"github.com/p2pmap/p2pmap/bindings/go"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// open opens a map on a node of its own, for one test.
func open(t testing.TB, options ...p2pmap.Option) *p2pmap.Map {
	t.Helper()
	m, err := p2pmap.Open("colours", options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// openPair opens a map on two nodes that are connected.
func openPair(t testing.TB, options ...p2pmap.Option) (a, b *p2pmap.Map) {
	t.Helper()
	a, b = open(t, options...), open(t, options...)
	if _, err := b.Node().Connect(within(t), a.Node().Addrs()[0]); err != nil {
		t.Fatal(err)
	}
	return a, b
}

// within is a context that ends when patience does.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func put(t testing.TB, m *p2pmap.Map, key, value string) p2pmap.Stamp {
	t.Helper()
	stamp, err := m.Put(context.Background(), key, []byte(value))
	if err != nil {
		t.Fatal(err)
	}
	return stamp
}

func wantValue(t testing.TB, m *p2pmap.Map, key, want string) {
	t.Helper()
	if got, found := m.Get(key); !found || string(got) != want {
		t.Errorf("%s: got %q, %t; want %q", key, got, found, want)
	}
}

// receive takes an event, or fails the test.
func receive(t testing.TB, events <-chan p2pmap.Event) p2pmap.Event {
	t.Helper()
	select {
	case event, more := <-events:
		if !more {
			t.Fatal("the channel was closed")
		}
		return event
	case <-time.After(patience):
		t.Fatal("no event came")
	}
	panic("unreachable")
}

// await waits for a channel to be closed.
func await[T any](t testing.TB, what string, done <-chan T) {
	t.Helper()
	limit := time.After(patience)
	for {
		select {
		case _, more := <-done:
			if !more {
				return
			}
		case <-limit:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// eventually polls for what announces itself to nobody.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
