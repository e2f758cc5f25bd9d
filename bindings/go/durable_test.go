package p2pmap_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/p2pmap/p2pmap/bindings/go"
)

func TestADurableMapIsThereWhenItIsOpenedAgain(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "data")
	kept := []p2pmap.Option{p2pmap.With("data_dir", directory), p2pmap.With("durability", "sync")}
	m := open(t, kept...)
	put(t, m, "sky", "blue")
	if _, err := m.PutTTL(context.Background(), "sea", []byte("green"), p2pmap.Forever); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	m = open(t, kept...)
	wantValue(t, m, "sky", "blue")
	wantValue(t, m, "sea", "green")

	status, err := m.Status()
	if err != nil || status.Durability != "sync" || status.StorageError != "" || status.LogBytes == 0 {
		t.Errorf("status: %+v, %v", status, err)
	}
	if err := os.RemoveAll(directory); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Put(context.Background(), "sky", nil); !errors.Is(err, p2pmap.ErrStorage) {
		t.Errorf("a put without a disk: %v", err)
	}
	if status, err := m.Status(); err != nil || status.StorageError == "" {
		t.Errorf("status without a disk: %+v, %v", status, err)
	}
	wantValue(t, m, "sea", "green")
}

func TestAMapIsDumpedAndLoaded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dump")
	one, other := open(t), open(t)
	put(t, one, "sky", "blue")
	put(t, one, "\xff", "\x00")
	for _, step := range []func() (int, error){
		func() (int, error) { return one.Dump(within(t), path) },
		func() (int, error) { return other.Load(within(t), path) },
	} {
		if count, err := step(); count != 2 || err != nil {
			t.Fatalf("%d entries, %v", count, err)
		}
	}
	wantValue(t, other, "sky", "blue")
	wantValue(t, other, "\xff", "\x00")

	if _, err := one.Dump(within(t), filepath.Join(path, "none")); !errors.Is(err, p2pmap.ErrStorage) {
		t.Errorf("a dump below a file: %v", err)
	}
	if _, err := other.Load(within(t), "a\x00b"); !errors.Is(err, p2pmap.ErrInvalidArgument) {
		t.Errorf("a path with a NUL: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := other.Load(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("a load that was given up before: %v", err)
	}
}

func TestACopyOfADirectoryIsRefused(t *testing.T) {
	directory, copied := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "copy")
	node := func(directory string) *p2pmap.Node {
		node, err := p2pmap.OpenNode(p2pmap.With("data_dir", directory))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = node.Close() })
		return node
	}
	first := node(directory)
	if err := errors.Join(os.CopyFS(copied, os.DirFS(directory)), os.Chmod(filepath.Join(copied, "identity"), 0o600)); err != nil {
		t.Fatal(err)
	}
	second := node(copied)
	if _, err := second.Connect(within(t), first.Addrs()[0]); !errors.Is(err, p2pmap.ErrLocked) {
		t.Errorf("the copy connects: %v", err)
	}
	if status, err := second.Status(); err != nil || !strings.Contains(status.IdentityError, copied) {
		t.Errorf("the copy's status: %+v, %v", status, err)
	}
	if status, err := first.Status(); err != nil || status.IdentityError != "" {
		t.Errorf("the first one's status: %+v, %v", status, err)
	}
}
