package conformance

import (
	"context"
	"sync"
	"time"

	"github.com/p2pmap/p2pmap/bindings/go"
)

// listener is what a subscribe or a watch opened.
type listener struct {
	// events ends when the listener does.
	events func() (event p2pmap.Event, more bool, err error)
	end    func()
	// last is the event taken last, for `origin`.
	last *p2pmap.Event
}

// onEvents performs operations on subscriptions of both kinds.
func (p *player) onEvents(op string, args []string) ([]string, error) {
	if op == "subscribe" || op == "watch" {
		return p.listen(op, args)
	}
	if len(args) != 1 || p.listeners[args[0]] == nil {
		return nil, scriptError("%s: no such subscription", op)
	}
	l := p.listeners[args[0]]
	switch {
	case op == "unsubscribe":
		l.end()
		return ok, nil
	case op == "event":
		return l.next()
	case l.last == nil:
		return nil, scriptError("%s has had no event", args[0])
	case l.last.Stamp.IsZero():
		return list(nil)
	default:
		return []string{l.last.Author().String(), l.last.Stamp.String()}, nil
	}
}

func (p *player) listen(op string, tokens []string) ([]string, error) {
	if len(tokens) < 2 || p.maps[tokens[1]] == nil {
		return nil, scriptError("%s: no such map", op)
	}
	m := p.maps[tokens[1]]
	var options p2pmap.WatchOptions
	for _, token := range tokens[2:] {
		name, value, err := p.option(token)
		switch {
		case err != nil:
			return nil, err
		case name == "prefix":
			options.Prefix = value
		case name == "snapshot":
			options.Snapshot = value == "true"
		default:
			return nil, scriptError("%s: no such option", token)
		}
	}
	open := subscribe
	if op == "watch" {
		open = watch
	}
	l, err := open(m, options)
	if err != nil {
		return nil, err
	}
	p.listeners[tokens[0]] = l
	return ok, nil
}

func watch(m *p2pmap.Map, options p2pmap.WatchOptions) (*listener, error) {
	ctx, cancel := context.WithCancel(background)
	events := m.Watch(ctx, options)
	if err := m.Err(); err != nil {
		cancel()
		return nil, err
	}
	next := func() (p2pmap.Event, bool, error) {
		select {
		case event, more := <-events:
			return event, more, nil
		case <-time.After(patience):
			return p2pmap.Event{}, false, errTimeout
		}
	}
	return &listener{events: next, end: cancel}, nil
}

// errTimeout says that no event came.
var errTimeout = scriptError("timeout")

// subscribe appends to a queue, which keeps all that the callback was handed.
func subscribe(m *p2pmap.Map, options p2pmap.WatchOptions) (*listener, error) {
	var lock sync.Mutex
	var queue []p2pmap.Event
	grown := make(chan struct{}, 1)
	ended := make(chan struct{})
	subscription, err := m.Subscribe(func(event p2pmap.Event) {
		lock.Lock()
		queue = append(queue, event)
		lock.Unlock()
		select {
		case grown <- struct{}{}:
		default:
		}
	}, options)
	if err != nil {
		return nil, err
	}
	take := func() (event p2pmap.Event, taken bool) {
		lock.Lock()
		defer lock.Unlock()
		if len(queue) == 0 {
			return p2pmap.Event{}, false
		}
		event, queue = queue[0], queue[1:]
		return event, true
	}
	next := func() (p2pmap.Event, bool, error) {
		deadline := time.After(patience)
		for {
			if event, taken := take(); taken {
				return event, true, nil
			}
			select {
			case <-grown:
			case <-ended:
				event, taken := take()
				return event, taken, nil
			case <-deadline:
				return p2pmap.Event{}, false, errTimeout
			}
		}
	}
	end := sync.OnceFunc(func() {
		subscription.Unsubscribe()
		close(ended)
	})
	return &listener{events: next, end: end}, nil
}

func (l *listener) next() ([]string, error) {
	event, more, err := l.events()
	switch {
	case err != nil:
		return one("timeout")
	case !more:
		return one("end")
	}
	l.last = &event
	if event.Kind == p2pmap.EventSynced {
		return one("synced")
	}
	where := "remote"
	if event.Local {
		where = "local"
	}
	return []string{event.Kind.String(), event.Key, orNone(event.Value), orNone(event.OldValue), where}, nil
}

func orNone(value []byte) string {
	if value == nil {
		return "none"
	}
	return string(value)
}
