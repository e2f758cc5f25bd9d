package p2pmap_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/p2pmap/p2pmap/bindings/go"
)

func TestTwoNodesConverge(t *testing.T) {
	a, b := openPair(t)
	put(t, a, "sky", "blue")
	put(t, b, "sea", "green")
	for _, m := range []*p2pmap.Map{a, b} {
		if err := m.Sync(within(t)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "both hold both", func() bool { return a.Len() == 2 && b.Len() == 2 })
	wantValue(t, a, "sea", "green")
	wantValue(t, b, "sky", "blue")
	mine, err := a.Status()
	if err != nil {
		t.Fatal(err)
	}
	other, err := b.Status()
	if err != nil || mine.Digest != other.Digest || mine.Digest == (p2pmap.Digest{}) {
		t.Errorf("digests %v and %v, %v", mine.Digest, other.Digest, err)
	}
	if mine.Name != "colours" || mine.Live != 2 || mine.Bytes == 0 || len(mine.Peers) != 1 || mine.Peers[0].ID != b.Node().ID() {
		t.Errorf("got %+v", mine)
	}
	if peer := other.Peers[0]; !peer.Compared || !peer.InSync {
		t.Errorf("got %+v", peer)
	}
}

func TestANodeSaysWhoItIsAndWhomItKnows(t *testing.T) {
	a, b := openPair(t)
	peers, err := a.Node().Peers()
	if err != nil || len(peers) != 1 {
		t.Fatalf("got %+v, %v", peers, err)
	}
	if peer := peers[0]; peer.ID != b.Node().ID() || peer.Outbound || peer.Addr == "" {
		t.Errorf("got %+v", peer)
	}
	eventually(t, "the peer's maps are known", func() bool {
		peers, err := a.Node().Peers()
		return err == nil && len(peers) == 1 && slices.Equal(peers[0].Maps, []string{"colours"})
	})
	status, err := a.Node().Status()
	if err != nil || status.ID != a.Node().ID() || status.Peers != 1 || status.Maps != 1 {
		t.Errorf("got %+v, %v", status, err)
	}
}

func TestANodeHasSeveralMaps(t *testing.T) {
	node, err := p2pmap.OpenNode(p2pmap.WithTOML("[maps.declared]\nmax_value_bytes = 4"), p2pmap.WithListen("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	first, err := node.Map("first")
	if err != nil {
		t.Fatal(err)
	}
	again, err := node.Map("first")
	if err != nil {
		t.Fatal(err)
	}
	put(t, first, "k", "v")
	wantValue(t, again, "k", "v")
	names, err := node.Maps()
	slices.Sort(names)
	if err != nil || !slices.Equal(names, []string{"declared", "first"}) {
		t.Errorf("got %q, %v", names, err)
	}
	if first.Node() != node {
		t.Error("not its node")
	}
	if err := first.Close(); err != nil || again.Err() == nil || node.ID().IsZero() {
		t.Errorf("got %v, %v", err, again.Err())
	}
}

func TestConcurrentUseOfTwoNodes(t *testing.T) {
	a, b := openPair(t)
	var work sync.WaitGroup
	for worker, m := range []*p2pmap.Map{a, b, a, b} {
		work.Add(2)
		go func() {
			defer work.Done()
			for i := range 500 {
				key := fmt.Sprintf("%d/%d", worker, i%50)
				put(t, m, key, fmt.Sprint(i))
				if i%7 == 0 {
					if _, err := m.Remove(context.Background(), key); err != nil {
						t.Error(err)
					}
				}
			}
		}()
		go func() {
			defer work.Done()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			events := m.Watch(ctx, p2pmap.WatchOptions{Snapshot: true})
			for i := range 200 {
				m.Get(fmt.Sprintf("%d/%d", worker, i%50))
				for range m.Scan(p2pmap.ScanOptions{Limit: 10}) {
				}
				if i == 100 {
					cancel()
				}
			}
			await(t, "the watch ends", events)
		}()
	}
	work.Wait()
	for _, m := range []*p2pmap.Map{a, b} {
		if err := m.Sync(within(t)); err != nil {
			t.Fatal(err)
		}
	}
	mine, other := slices.Collect(a.Keys()), slices.Collect(b.Keys())
	if !slices.Equal(mine, other) || len(mine) == 0 {
		t.Errorf("%d and %d keys", len(mine), len(other))
	}
}

func TestCloseWhileOthersUseTheMap(t *testing.T) {
	for range 10 {
		m := open(t)
		var work sync.WaitGroup
		for worker := range 4 {
			work.Add(1)
			go func() {
				defer work.Done()
				for i := 0; m.Err() == nil; i++ {
					_, _ = m.Put(context.Background(), fmt.Sprint(worker), []byte(fmt.Sprint(i)))
					m.Get(fmt.Sprint(worker))
					for range m.Keys() {
					}
				}
			}()
		}
		events := m.Watch(context.Background())
		receive(t, events)
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		work.Wait()
		await(t, "the watch ends", events)
	}
}
