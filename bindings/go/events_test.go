package p2pmap_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/p2pmap/p2pmap/bindings/go"
)

func TestAWatchTellsEveryChange(t *testing.T) {
	m := open(t)
	events := m.Watch(within(t))
	stamp := put(t, m, "sky", "blue")
	first := receive(t, events)
	if first.Kind != p2pmap.EventPut || first.Key != "sky" || string(first.Value) != "blue" || first.OldValue != nil {
		t.Errorf("got %+v", first)
	}
	if !first.Local || first.Stamp != stamp || first.Author() != m.Node().ID() {
		t.Errorf("got %+v", first)
	}
	put(t, m, "sky", "")
	if event := receive(t, events); event.Value == nil || string(event.OldValue) != "blue" {
		t.Errorf("got %+v", event)
	}
	if _, err := m.Remove(context.Background(), "sky"); err != nil {
		t.Fatal(err)
	}
	if event := receive(t, events); event.Kind != p2pmap.EventRemove || event.Value != nil || event.OldValue == nil {
		t.Errorf("got %+v", event)
	}
}

func TestASnapshotComesFirst(t *testing.T) {
	m := open(t)
	for _, key := range []string{"a/1", "b/1", "b/2"} {
		put(t, m, key, "v")
	}
	events := m.Watch(within(t), p2pmap.WatchOptions{Prefix: "b/", Snapshot: true})
	put(t, m, "a/2", "v")
	put(t, m, "b/3", "v")
	var told []string
	for range 4 {
		event := receive(t, events)
		told = append(told, event.Kind.String()+" "+event.Key)
	}
	if got := strings.Join(told, ", "); got != "put b/1, put b/2, synced , put b/3" {
		t.Errorf("got %s", got)
	}
}

func TestAWatchEndsWithItsContext(t *testing.T) {
	m := open(t)
	ctx, cancel := context.WithCancel(context.Background())
	events := m.Watch(ctx)
	put(t, m, "sky", "blue")
	receive(t, events)
	cancel()
	await(t, "the channel is closed", events)
	await(t, "a watch with an ended context ends", m.Watch(ctx))
}

func TestNothingThatChangesAfterItsContextEndedIsWatched(t *testing.T) {
	m := open(t)
	for range 2000 {
		ctx, cancel := context.WithCancel(context.Background())
		events := m.Watch(ctx)
		put(t, m, "sky", "grey")
		receive(t, events)
		cancel()
		put(t, m, "sky", "blue")
		for event := range events {
			t.Fatalf("told of %v", event)
		}
	}
}

func TestAWatchEndsWithItsMapAndTellsAllBefore(t *testing.T) {
	m := open(t)
	events := m.Watch(within(t))
	const writes = 500
	for i := range writes {
		put(t, m, fmt.Sprint(i), "v")
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	told := 0
	for range events {
		told++
	}
	if told != writes {
		t.Errorf("%d of %d changes were told", told, writes)
	}
}

func TestWatchesLeaveNoGoroutineBehind(t *testing.T) {
	m := open(t)
	before := runtime.NumGoroutine()
	for round := range 50 {
		ctx, cancel := context.WithCancel(context.Background())
		watches := make([]<-chan p2pmap.Event, 10)
		for i := range watches {
			watches[i] = m.Watch(ctx, p2pmap.WatchOptions{Snapshot: i%2 == 0})
		}
		// More than the channel holds, so that some goroutines wait to send when the context ends.
		for i := range 100 {
			put(t, m, fmt.Sprint(i), fmt.Sprint(round))
		}
		cancel()
		for _, events := range watches {
			await(t, "the channel is closed", events)
		}
	}
	eventually(t, "all goroutines end", func() bool { return runtime.NumGoroutine() <= before })
}

func TestASlowReaderEndsAtTheNewestState(t *testing.T) {
	m := open(t)
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	events := m.Watch(ctx)
	const writes, keys = 20_000, 10
	for i := range writes {
		put(t, m, fmt.Sprint(i%keys), fmt.Sprint(i))
	}
	newest, told := map[string]bool{}, 0
	for len(newest) < keys {
		event := receive(t, events)
		value, _ := m.Get(event.Key)
		if string(value) == string(event.Value) {
			newest[event.Key] = true
		}
		told++
	}
	if told >= writes {
		t.Errorf("all of %d changes were told: nothing was conflated", told)
	}
}

func TestACallbackIsToldInOrderUntilItUnsubscribes(t *testing.T) {
	m := open(t)
	events := make(chan p2pmap.Event, 1000)
	subscription, err := m.Subscribe(func(event p2pmap.Event) { events <- event }, p2pmap.WatchOptions{Prefix: "k"})
	if err != nil {
		t.Fatal(err)
	}
	put(t, m, "other", "v")
	for i := range 100 {
		put(t, m, fmt.Sprintf("k%d", i), "v")
	}
	for i := range 100 {
		if event := receive(t, events); event.Key != fmt.Sprintf("k%d", i) {
			t.Fatalf("%d: got %s", i, event.Key)
		}
	}
	if !subscription.Active() {
		t.Error("not active")
	}
	for range 2 {
		subscription.Unsubscribe()
	}
	put(t, m, "k", "v")
	if subscription.Active() || len(events) != 0 {
		t.Errorf("active %t, %d events", subscription.Active(), len(events))
	}
}

func TestACallbackMayUnsubscribeItself(t *testing.T) {
	m := open(t)
	subscriptions := make(chan *p2pmap.Subscription, 1)
	var calls atomic.Int32
	done := make(chan struct{})
	subscription, err := m.Subscribe(func(p2pmap.Event) {
		calls.Add(1)
		mine := <-subscriptions
		mine.Unsubscribe()
		mine.Unsubscribe()
		close(done)
	})
	if err != nil {
		t.Fatal(err)
	}
	// A batch of more than one event, so that there is something left when the first has unsubscribed.
	var batch p2pmap.Batch
	for i := range 10 {
		batch.Put(fmt.Sprint(i), nil)
	}
	if _, err := m.Apply(context.Background(), &batch); err != nil {
		t.Fatal(err)
	}
	subscriptions <- subscription
	await(t, "the callback returns", done)
	subscription.Unsubscribe()
	if calls.Load() != 1 {
		t.Errorf("%d calls", calls.Load())
	}
}

func TestACallbackMayCallAnything(t *testing.T) {
	m := open(t)
	done := make(chan struct{})
	var once sync.Once
	_, err := m.Subscribe(func(event p2pmap.Event) {
		if event.Key != "go" {
			return
		}
		put(t, m, "from the callback", "v")
		m.Get("go")
		for range m.Keys() {
		}
		if _, err := m.Subscribe(func(p2pmap.Event) {}); err != nil {
			t.Error(err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		once.Do(func() { close(done) })
	})
	if err != nil {
		t.Fatal(err)
	}
	put(t, m, "go", "")
	await(t, "the callback returns", done)
}

func TestNoCallbackRunsAfterUnsubscribe(t *testing.T) {
	m := open(t)
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Add(1)
	go func() {
		defer writer.Done()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				put(t, m, "k", fmt.Sprint(i))
			}
		}
	}()
	for range 100 {
		var ended atomic.Bool
		called := make(chan struct{})
		var once sync.Once
		subscription, err := m.Subscribe(func(p2pmap.Event) {
			once.Do(func() { close(called) })
			if ended.Load() {
				t.Error("called after Unsubscribe had returned")
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		await(t, "the first event", called)
		subscription.Unsubscribe()
		ended.Store(true)
	}
	close(stop)
	writer.Wait()
}
