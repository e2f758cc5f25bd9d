package p2pmap_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/p2pmap/p2pmap/bindings/go"
)

func TestEveryCodeMatchesItsVariableAndNoOther(t *testing.T) {
	variables := map[p2pmap.Code]error{
		p2pmap.CodeInvalidArgument: p2pmap.ErrInvalidArgument,
		p2pmap.CodeInvalidConfig:   p2pmap.ErrInvalidConfig,
		p2pmap.CodeInvalidValue:    p2pmap.ErrInvalidValue,
		p2pmap.CodeTooLarge:        p2pmap.ErrTooLarge,
		p2pmap.CodeClosed:          p2pmap.ErrClosed,
		p2pmap.CodeLocked:          p2pmap.ErrLocked,
		p2pmap.CodeStorage:         p2pmap.ErrStorage,
		p2pmap.CodeCorrupted:       p2pmap.ErrCorrupted,
		p2pmap.CodeNetwork:         p2pmap.ErrNetwork,
		p2pmap.CodeAddressInUse:    p2pmap.ErrAddressInUse,
		p2pmap.CodeTimeout:         p2pmap.ErrTimeout,
		p2pmap.CodeFull:            p2pmap.ErrFull,
		p2pmap.CodeUnsupported:     p2pmap.ErrUnsupported,
		p2pmap.CodeForked:          p2pmap.ErrForked,
		p2pmap.CodeNotPermitted:    p2pmap.ErrNotPermitted,
		p2pmap.CodeInternal:        p2pmap.ErrInternal,
	}
	for code, variable := range variables {
		err := error(&p2pmap.Error{Code: code, Message: "why"})
		for other, match := range variables {
			if errors.Is(err, match) != (other == code) {
				t.Errorf("%v matches %v: %t", code, match, errors.Is(err, match))
			}
		}
		if err.Error() != "p2pmap: why" || code.String() == "UNKNOWN" || !strings.HasPrefix(variable.Error(), "p2pmap: ") {
			t.Errorf("%v: %v, %v", code, err, variable)
		}
	}
}

func TestRefusalsSayWhatAndWhy(t *testing.T) {
	m := open(t, p2pmap.With("max_value_bytes", "4"), p2pmap.With("max_entries", "1"), p2pmap.With("validator", "utf8"))
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	inUse := "/ip4/127.0.0.1/tcp/" + strings.TrimPrefix(taken.Addr().String(), "127.0.0.1:")
	put(t, m, "sky", "blue")

	for _, test := range []struct {
		call func() error
		want error
		says string
	}{
		{func() error { return second(m.Put(context.Background(), "sky", []byte("green"))) }, p2pmap.ErrTooLarge, "max_value_bytes"},
		{func() error { return second(m.Put(context.Background(), "sky", []byte("\xff"))) }, p2pmap.ErrInvalidValue, "validator"},
		{func() error { return second(m.Put(context.Background(), "sea", nil)) }, p2pmap.ErrFull, "max_entries"},
		{func() error { return second(p2pmap.Open("m", p2pmap.With("colour", "red"))) }, p2pmap.ErrInvalidConfig, "colour"},
		{func() error { return second(p2pmap.Open("m", p2pmap.WithTOML("colour = 'red'"))) }, p2pmap.ErrInvalidConfig, "colour"},
		{func() error { return second(p2pmap.Open("m", p2pmap.WithFile("/no/such"))) }, p2pmap.ErrInvalidConfig, "/no/such"},
		{func() error { return second(p2pmap.Open("m", p2pmap.WithListen(inUse))) }, p2pmap.ErrAddressInUse, inUse},
		{func() error { return second(p2pmap.Open("a\x00b")) }, p2pmap.ErrInvalidArgument, "NUL"},
		{func() error { return second(p2pmap.Open("")) }, p2pmap.ErrInvalidArgument, "name"},
		{func() error { return second(m.Node().Map("m", p2pmap.WithListen(":0"))) }, p2pmap.ErrInvalidConfig, "listen"},
		{func() error { return second(m.Node().Map("m", p2pmap.WithEnv())) }, p2pmap.ErrInvalidConfig, "OpenNode"},
		{func() error { return second(m.Node().Map("colours", p2pmap.With("max_bytes", "9"))) }, p2pmap.ErrInvalidConfig, "colours"},
		{func() error { return second(m.Node().Connect(within(t), "nowhere at all")) }, p2pmap.ErrInvalidArgument, "multiaddr"},
		{func() error { return second(m.Subscribe(nil)) }, p2pmap.ErrInvalidArgument, "callback"},
	} {
		err := test.call()
		if !errors.Is(err, test.want) || err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("want %v that says %q, got %v", test.want, test.says, err)
		}
	}
	wantValue(t, m, "sky", "blue")
}

func second[T any](_ T, err error) error { return err }

func TestAClosedMapRefusesEverything(t *testing.T) {
	m := open(t)
	put(t, m, "sky", "blue")
	if err := m.Err(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	ctx := context.Background()
	for name, err := range map[string]error{
		"Err":          m.Err(),
		"Put":          second(m.Put(ctx, "k", nil)),
		"Remove":       second(m.Remove(ctx, "k")),
		"RemovePrefix": second(m.RemovePrefix(ctx, "k")),
		"Apply":        second(m.Apply(ctx, &p2pmap.Batch{})),
		"Sync":         m.Sync(ctx),
		"Status":       second(m.Status()),
		"Subscribe":    second(m.Subscribe(func(p2pmap.Event) {})),
		"Peers":        second(m.Node().Peers()),
		"Maps":         second(m.Node().Maps()),
		"Map":          second(m.Node().Map("m")),
		"Connect":      second(m.Node().Connect(ctx, "/ip4/127.0.0.1/tcp/1")),
	} {
		if !errors.Is(err, p2pmap.ErrClosed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, found, err := m.Lookup("sky"); found || !errors.Is(err, p2pmap.ErrClosed) {
		t.Errorf("Lookup: got %t, %v", found, err)
	}
	_, found := m.Get("sky")
	_, foundEntry := m.Entry("sky")
	if found || foundEntry || m.Contains("sky") || m.Len() != 0 {
		t.Error("a read found something")
	}
	for range m.Keys() {
		t.Error("a scan found something")
	}
	await(t, "the watch of a closed map ends", m.Watch(ctx))
}

func TestAnEndedContextStopsACallBeforeItsWork(t *testing.T) {
	m := open(t)
	why := errors.New("no time")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	var batch p2pmap.Batch
	batch.Put("k", nil)
	for name, err := range map[string]error{
		"Put":          second(m.Put(ctx, "k", nil)),
		"Remove":       second(m.Remove(ctx, "k")),
		"RemovePrefix": second(m.RemovePrefix(ctx, "k")),
		"Apply":        second(m.Apply(ctx, &batch)),
		"Sync":         m.Sync(ctx),
		"Connect":      second(m.Node().Connect(ctx, "/ip4/127.0.0.1/tcp/1")),
	} {
		if !errors.Is(err, why) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if m.Len() != 0 {
		t.Error("something was written")
	}
}

// silence is an address where somebody listens who never answers.
func silence(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return "/ip4/127.0.0.1/tcp/" + strings.TrimPrefix(listener.Addr().String(), "127.0.0.1:")
}

func TestADeadlineIsATimeoutInBothWords(t *testing.T) {
	m := open(t)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := m.Node().Connect(ctx, silence(t))
	if !errors.Is(err, p2pmap.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestACancelledCallReturnsAtOnce(t *testing.T) {
	m := open(t)
	ctx, cancel := context.WithCancel(context.Background())
	addr := silence(t)
	returned := make(chan error)
	go func() { returned <- second(m.Node().Connect(ctx, addr)) }()
	cancel()
	select {
	case err := <-returned:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	case <-time.After(patience):
		t.Fatal("Connect went on waiting")
	}
}
