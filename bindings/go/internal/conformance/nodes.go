package conformance

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/p2pmap/p2pmap/bindings/go"
)

// onNode performs operations that open things, and operations on nodes.
func (p *player) onNode(op string, tokens []string) ([]string, error) {
	if op == "node" && len(tokens) >= 1 {
		options, err := p.options(tokens[1:])
		if err != nil {
			return nil, err
		}
		node, err := p2pmap.OpenNode(options...)
		if err != nil {
			return nil, err
		}
		p.nodes[tokens[0]] = node
		return ok, nil
	}
	if op == "open" && len(tokens) >= 2 {
		return p.open(tokens[0], tokens[1], tokens[2:], p2pmap.Open)
	}
	at := 0
	if op == "map" {
		at = 1
	}
	if len(tokens) <= at || p.nodes[tokens[at]] == nil {
		return nil, scriptError("%s: no such node", op)
	}
	node, args := p.nodes[tokens[at]], tokens[at+1:]
	switch {
	case op == "map" && len(args) >= 1:
		return p.open(tokens[0], args[0], args[1:], node.Map)
	case op == "connect" && len(args) >= 1:
		return p.connect(node, args)
	case op == "id" && len(args) == 0:
		return one(node.ID())
	case op == "addr" && len(args) == 0:
		return list(node.Addrs()[:min(1, len(node.Addrs()))])
	case op == "maps" && len(args) == 0:
		names, err := node.Maps()
		if err != nil {
			return nil, err
		}
		return list(slices.Sorted(slices.Values(names)))
	case op == "peers" && len(args) == 0:
		peers, err := node.Peers()
		if err != nil {
			return nil, err
		}
		var ids []string
		for _, peer := range peers {
			ids = append(ids, peer.ID.String())
		}
		slices.Sort(ids)
		return list(ids)
	}
	return nil, scriptError("%s: wrong arguments", op)
}

// open opens a map the way that opener does.
func (p *player) open(
	handle, name string, tokens []string, opener func(string, ...p2pmap.Option) (*p2pmap.Map, error),
) ([]string, error) {
	name, err := p.decode(name)
	if err != nil {
		return nil, err
	}
	options, err := p.options(tokens)
	if err != nil {
		return nil, err
	}
	m, err := opener(name, options...)
	if err != nil {
		return nil, err
	}
	p.maps[handle] = m
	return ok, nil
}

func (p *player) connect(node *p2pmap.Node, args []string) ([]string, error) {
	addr, err := p.decode(args[0])
	if err != nil {
		return nil, err
	}
	ctx, cancel, err := p.timeout(args[1:])
	if err != nil {
		return nil, err
	}
	defer cancel()
	peer, err := node.Connect(ctx, addr)
	if err != nil {
		return nil, err
	}
	return one(peer)
}

// timeout makes a context of an optional number of milliseconds.
func (p *player) timeout(args []string) (context.Context, context.CancelFunc, error) {
	limit := patience
	if len(args) > 0 {
		ms, err := strconv.ParseUint(args[0], 10, 32)
		if err != nil {
			return nil, nil, scriptError("%s is not a number", args[0])
		}
		limit = time.Duration(ms) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	return ctx, cancel, nil
}

func (p *player) options(tokens []string) ([]p2pmap.Option, error) {
	var options []p2pmap.Option
	for _, token := range tokens {
		name, value, err := p.option(token)
		if err != nil {
			return nil, err
		}
		if name != "function" {
			options = append(options, p2pmap.With(name, value))
			continue
		}
		how, bad, _ := strings.Cut(value, ":")
		if how != "refuse" && how != "throw" {
			return nil, scriptError("%s: refuse:TEXT or throw:TEXT", token)
		}
		options = append(options, p2pmap.WithValidator(func(_ string, value []byte) error {
			if string(value) != bad {
				return nil
			}
			if how == "throw" {
				panic("the script throws")
			}
			return errors.New("the script refuses it")
		}))
	}
	return options, nil
}
