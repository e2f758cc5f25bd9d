package p2pmap_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2pmap/p2pmap/bindings/go"
)

func TestAWriteIsWaitedFor(t *testing.T) {
	a, b := openPair(t)
	stamp := put(t, a, "sky", "blue")
	who, err := a.WaitReplicated(within(t), stamp, 1)
	if err != nil || !slices.Equal(who, []p2pmap.PeerID{b.Node().ID()}) {
		t.Fatalf("got %v, %v", who, err)
	}
	wantValue(t, b, "sky", "blue")
	// Without a limit, and with a stamp that was told by other means.
	told := p2pmap.NewStamp(stamp.Timestamp(), stamp.Epoch(), stamp.Author())
	if told != stamp {
		t.Errorf("got %v of %v", told, stamp)
	}
	if who, err := b.WaitReplicated(context.Background(), told, 1); err != nil || !slices.Equal(who, []p2pmap.PeerID{a.Node().ID()}) {
		t.Errorf("got %v, %v", who, err)
	}
	if who, err := a.WaitReplicated(context.Background(), stamp, 0); err != nil || len(who) != 0 {
		t.Errorf("got %v, %v", who, err)
	}
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	a, _ := openPair(t)
	stamp := put(t, a, "sky", "blue")
	if _, err := a.WaitReplicated(within(t), stamp, 1); err != nil {
		t.Fatal(err)
	}
	// More than one slice of waiting.
	ctx, cancel := context.WithTimeout(context.Background(), 1200*time.Millisecond)
	defer cancel()
	who, err := a.WaitReplicated(ctx, stamp, 2)
	if who != nil || !errors.Is(err, p2pmap.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, %v", who, err)
	}
	if !strings.Contains(err.Error(), "1") {
		t.Errorf("it does not say how many were reached: %v", err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	go cancel()
	if _, err := a.WaitReplicated(ctx, stamp, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNobodyWaitsForWhatIsNotHeld(t *testing.T) {
	a, other := open(t), open(t)
	stamp := put(t, a, "sky", "blue")
	for name, stamp := range map[string]p2pmap.Stamp{"elsewhere": put(t, other, "sky", "red"), "zero": {}} {
		if _, err := a.WaitReplicated(within(t), stamp, 1); !errors.Is(err, p2pmap.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.WaitReplicated(within(t), stamp, -1); !errors.Is(err, p2pmap.ErrInvalidArgument) {
		t.Errorf("negative: %v", err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := other.WaitReplicated(within(t), stamp, 1); !errors.Is(err, p2pmap.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

func TestAWaitEndsWhenItsMapIsClosed(t *testing.T) {
	a := open(t)
	stamp := put(t, a, "sky", "blue")
	ended := make(chan error, 1)
	go func() {
		_, err := a.WaitReplicated(context.Background(), stamp, 1)
		ended <- err
	}()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, p2pmap.ErrClosed) {
			t.Errorf("got %v", err)
		}
	case <-time.After(patience):
		t.Fatal("it goes on")
	}
}

func TestStatusSaysHowAPeerCompares(t *testing.T) {
	a, b := openPair(t)
	put(t, a, "sky", "blue")
	if err := a.Sync(within(t)); err != nil {
		t.Fatal(err)
	}
	status, err := a.Status()
	if err != nil || len(status.Peers) != 1 {
		t.Fatalf("got %+v, %v", status, err)
	}
	peer := status.Peers[0]
	if peer.ID != b.Node().ID() || !peer.Connected || !peer.Compared || !peer.InSync || peer.Behind != 0 {
		t.Errorf("got %+v", peer)
	}
	if peer.AheadEntries != 0 || peer.HoldsUpForgetting || peer.Drift.Abs() > time.Minute {
		t.Errorf("got %+v", peer)
	}
	if status.Origins != 1 || status.Forgotten != 0 || status.SelfChecks != 0 || status.Hidden != 0 || status.ClockAhead > time.Minute {
		t.Errorf("got %+v", status)
	}
	node, err := a.Node().Status()
	if err != nil || node.ClockSuspect || node.ClockDrift.Abs() > time.Minute {
		t.Errorf("got %+v, %v", node, err)
	}
}
