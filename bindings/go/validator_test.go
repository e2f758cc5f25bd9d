package p2pmap_test

import (
	"context"
	"errors"
	"testing"

	"github.com/p2pmap/p2pmap/bindings/go"
)

// onlyBlue refuses grey, and panics on black.
func onlyBlue(_ string, value []byte) error {
	switch string(value) {
	case "grey":
		return errors.New("not a colour")
	case "black":
		panic("no light")
	}
	return nil
}

func TestAValidatorRefusesLocalWrites(t *testing.T) {
	m := open(t, p2pmap.WithValidator(onlyBlue))
	put(t, m, "sky", "blue")
	for _, value := range []string{"grey", "black"} {
		if _, err := m.Put(context.Background(), "sky", []byte(value)); !errors.Is(err, p2pmap.ErrInvalidValue) {
			t.Errorf("%s: got %v", value, err)
		}
		var batch p2pmap.Batch
		batch.Put("sea", []byte("green"))
		batch.Put("sky", []byte(value))
		if _, err := m.Apply(context.Background(), &batch); !errors.Is(err, p2pmap.ErrInvalidValue) {
			t.Errorf("%s: got %v", value, err)
		}
	}
	wantValue(t, m, "sky", "blue")
	if m.Len() != 1 {
		t.Errorf("%d entries", m.Len())
	}
}

func TestAValidatorRefusesWhatOthersWrote(t *testing.T) {
	node, err := p2pmap.OpenNode()
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	strict, err := node.Map("colours", p2pmap.WithValidator(onlyBlue))
	if err != nil {
		t.Fatal(err)
	}
	lax := open(t, p2pmap.WithBootstrap(node.Addrs()...))
	events := strict.Watch(within(t))
	put(t, lax, "rain", "grey")
	put(t, lax, "night", "black")
	put(t, lax, "sky", "blue")
	if event := receive(t, events); event.Key != "sky" || event.Local || event.Author() != lax.Node().ID() {
		t.Errorf("got %+v", event)
	}
	if strict.Len() != 1 {
		t.Errorf("%d entries", strict.Len())
	}
	eventually(t, "the refusals are counted", func() bool {
		status, err := strict.Status()
		return err == nil && status.RefusedEntries >= 2
	})
}

func TestAValidatorMayReadItsMap(t *testing.T) {
	var m *p2pmap.Map
	m = open(t, p2pmap.WithValidator(func(key string, value []byte) error {
		if old, found := m.Get(key); found && string(old) > string(value) {
			return errors.New("values only grow")
		}
		return nil
	}))
	put(t, m, "k", "1")
	put(t, m, "k", "2")
	if _, err := m.Put(context.Background(), "k", []byte("1")); !errors.Is(err, p2pmap.ErrInvalidValue) {
		t.Errorf("got %v", err)
	}
}
