package p2pmap_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/p2pmap/p2pmap/bindings/go"
)

func openNode(t *testing.T, options ...p2pmap.Option) *p2pmap.Node {
	t.Helper()
	node, err := p2pmap.OpenNode(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Close() })
	return node
}

func TestAGeneratedIdentityLastsAndMayBeBanned(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	id, err := p2pmap.GenerateIdentity(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info, err)
	}
	if _, err := p2pmap.GenerateIdentity(path); !errors.Is(err, p2pmap.ErrInvalidArgument) {
		t.Errorf("a second time: %v", err)
	}
	first, second := openNode(t), openNode(t, p2pmap.With("identity_file", path))
	if second.ID() != id {
		t.Errorf("got %v, not %v", second.ID(), id)
	}
	if err := first.Ban(id); err != nil {
		t.Fatal(err)
	}
	if banned, err := first.Banned(); err != nil || !slices.Equal(banned, []p2pmap.PeerID{id}) {
		t.Errorf("got %v, %v", banned, err)
	}
	if _, err := second.Connect(within(t), first.Addrs()[0]); !errors.Is(err, p2pmap.ErrNetwork) || !strings.Contains(err.Error(), "banned") {
		t.Errorf("got %v", err)
	}
	for _, wrong := range []p2pmap.PeerID{first.ID(), {}} {
		if err := first.Ban(wrong); !errors.Is(err, p2pmap.ErrInvalidArgument) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}

func TestOnlyTheWritersOfASignedMapWrite(t *testing.T) {
	first := openNode(t)
	second := openNode(t, p2pmap.With("bootstrap", first.Addrs()[0]))
	options := []p2pmap.Option{p2pmap.With("signed", "true"), p2pmap.With("writers", first.ID().String())}
	a, err := first.Map("m", options...)
	if err != nil {
		t.Fatal(err)
	}
	b, err := second.Map("m", options...)
	if err != nil {
		t.Fatal(err)
	}
	put(t, a, "sky", "blue")
	eventually(t, "it came", func() bool { return b.Len() == 1 })
	if _, err := b.Put(context.Background(), "sky", []byte("grey")); !errors.Is(err, p2pmap.ErrNotPermitted) {
		t.Errorf("got %v", err)
	}
}
