package p2pmap_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/p2pmap/p2pmap/bindings/go"
)

// collect makes the garbage collector run until something holds.
func collect(t *testing.T, what string, holds func() bool) {
	t.Helper()
	eventually(t, what, func() bool {
		runtime.GC()
		return holds()
	})
}

func openFiles(t *testing.T) int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("cannot count open files here")
	}
	return len(files)
}

func TestAMapThatNothingRefersToIsClosed(t *testing.T) {
	a := open(t)
	func() {
		b, err := p2pmap.Open("colours")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Node().Connect(within(t), a.Node().Addrs()[0]); err != nil {
			t.Fatal(err)
		}
	}()
	collect(t, "the peer leaves", func() bool {
		peers, err := a.Node().Peers()
		return err == nil && len(peers) == 0
	})
}

func TestASubscriptionKeepsItsMapAlive(t *testing.T) {
	events := make(chan p2pmap.Event, 10)
	a := open(t)
	var b p2pmap.PeerID
	func() {
		m, err := p2pmap.Open("colours", p2pmap.WithBootstrap(a.Node().Addrs()...))
		if err != nil {
			t.Fatal(err)
		}
		b = m.Node().ID()
		if _, err := m.Subscribe(func(event p2pmap.Event) { events <- event }); err != nil {
			t.Fatal(err)
		}
	}()
	for i := range 20 {
		runtime.GC()
		put(t, a, "k", fmt.Sprint(i))
		if event := receive(t, events); string(event.Value) != fmt.Sprint(i) || event.Author() == b {
			t.Fatalf("got %+v", event)
		}
	}
}

func TestHandlesSurviveTheGarbageCollector(t *testing.T) {
	m := open(t, p2pmap.WithValidator(func(string, []byte) error { return nil }))
	stop := make(chan struct{})
	var collector sync.WaitGroup
	collector.Add(1)
	go func() {
		defer collector.Done()
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	}()
	var work sync.WaitGroup
	for worker := range 4 {
		work.Add(1)
		go func() {
			defer work.Done()
			for i := range 100 {
				handle, err := m.Node().Map("colours")
				if err != nil {
					t.Error(err)
					return
				}
				ctx, cancel := context.WithCancel(context.Background())
				events := handle.Watch(ctx)
				told := make(chan struct{})
				var once sync.Once
				subscription, err := handle.Subscribe(func(p2pmap.Event) { once.Do(func() { close(told) }) })
				if err != nil {
					t.Error(err)
				}
				put(t, handle, fmt.Sprint(worker), fmt.Sprint(i))
				await(t, "the callback", told)
				if i%2 == 0 {
					subscription.Unsubscribe()
				}
				receive(t, events)
				cancel()
				await(t, "the watch ends", events)
			}
		}()
	}
	work.Wait()
	close(stop)
	collector.Wait()
	if m.Len() != 4 {
		t.Errorf("%d entries", m.Len())
	}
}

func TestOpeningAndClosingLeavesNothingOpen(t *testing.T) {
	once := func() {
		m, err := p2pmap.Open("colours", p2pmap.WithValidator(func(string, []byte) error { return nil }))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Subscribe(func(p2pmap.Event) {}); err != nil {
			t.Fatal(err)
		}
		events := m.Watch(context.Background())
		put(t, m, "sky", "blue")
		receive(t, events)
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		await(t, "the watch ends", events)
	}
	once()
	files, goroutines := openFiles(t), runtime.NumGoroutine()
	for range 100 {
		once()
	}
	collect(t, "files and goroutines are as before", func() bool {
		return openFiles(t) <= files && runtime.NumGoroutine() <= goroutines
	})
}

func TestOptionsAreATable(t *testing.T) {
	found := map[string]bool{}
	for _, option := range p2pmap.Options() {
		if option.Name == "" || option.About == "" {
			t.Errorf("got %+v", option)
		}
		found[option.Name] = option.OfMap
	}
	if ofMap, known := found["listen"]; !known || ofMap || !found["max_value_bytes"] || p2pmap.Version() == "" {
		t.Errorf("got %v, version %q", found, p2pmap.Version())
	}
}

func TestASliceMayLieBesidePointers(t *testing.T) {
	m := open(t)
	type neighbours struct {
		room [8]byte
		next *neighbours
	}
	value := &neighbours{next: &neighbours{}}
	copy(value.room[:], "blue")
	if _, err := m.Put(context.Background(), "sky", value.room[:4]); err != nil {
		t.Fatal(err)
	}
	read, _ := m.GetInto("sky", value.room[:])
	if string(read) != "blue" || value.next == nil {
		t.Errorf("got %q", read)
	}
}
