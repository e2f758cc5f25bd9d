package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/p2pmap/p2pmap/bindings/go"
)

var background = context.Background()

// onMap performs operations on maps.
func (p *player) onMap(op string, tokens []string) ([]string, error) {
	if len(tokens) == 0 || p.maps[tokens[0]] == nil {
		return nil, scriptError("%s: unknown, or no such map", op)
	}
	m := p.maps[tokens[0]]
	switch op {
	case "keys", "values", "scan", "count":
		return p.scan(m, op, tokens[1:])
	}
	args, err := p.decodeAll(tokens[1:])
	if err != nil {
		return nil, err
	}
	switch op {
	case "put", "remove", "remove_prefix", "apply", "fill":
		return p.write(m, op, args)
	case "get", "entry", "expires", "contains", "len", "is_empty":
		return p.read(m, op, args)
	}
	switch {
	case op == "dump" && len(args) == 1:
		count, err := m.Dump(background, args[0])
		return told(count, err)
	case op == "load" && len(args) == 1:
		count, err := m.Load(background, args[0])
		return told(count, err)
	}
	return p.rest(m, op, tokens[1:])
}

func (p *player) write(m *p2pmap.Map, op string, args []string) ([]string, error) {
	switch {
	case op == "put" && len(args) == 2:
		stamp, err := m.Put(background, args[0], []byte(args[1]))
		return told(stamp, err)
	case op == "put" && len(args) == 3:
		limit, err := ttl(strings.TrimPrefix(args[2], "ttl="))
		if err != nil {
			return nil, err
		}
		stamp, err := m.PutTTL(background, args[0], []byte(args[1]), limit)
		return told(stamp, err)
	case op == "remove" && len(args) == 1:
		removed, err := m.Remove(background, args[0])
		return told(removed, err)
	case op == "remove_prefix" && len(args) == 1:
		removed, err := m.RemovePrefix(background, args[0])
		return told(removed, err)
	case op == "apply":
		return p.apply(m, args)
	case op == "fill" && len(args) == 3:
		count, err := strconv.Atoi(args[1])
		if err != nil {
			return nil, scriptError("%s is not a number", args[1])
		}
		for i := range count {
			if _, err := m.Put(background, fmt.Sprintf("%s%06d", args[0], i), []byte(args[2])); err != nil {
				return nil, err
			}
		}
		return ok, nil
	}
	return nil, scriptError("%s: wrong arguments", op)
}

// ttl is `never`, or a number of milliseconds.
func ttl(text string) (time.Duration, error) {
	if text == "never" {
		return p2pmap.Forever, nil
	}
	ms, err := strconv.ParseInt(text, 10, 48)
	if err != nil {
		return 0, scriptError("%s is no time to live", text)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

func (p *player) apply(m *p2pmap.Map, args []string) ([]string, error) {
	var batch p2pmap.Batch
	for len(args) > 0 {
		switch {
		case args[0] == "put" && len(args) >= 3:
			batch.Put(args[1], []byte(args[2]))
			args = args[3:]
		case args[0] == "put_ttl" && len(args) >= 4:
			limit, err := ttl(args[3])
			if err != nil {
				return nil, err
			}
			batch.PutTTL(args[1], []byte(args[2]), limit)
			args = args[4:]
		case args[0] == "remove" && len(args) >= 2:
			batch.Remove(args[1])
			args = args[2:]
		default:
			return nil, scriptError("apply takes `put KEY VALUE`, `put_ttl KEY VALUE MS` and `remove KEY`")
		}
	}
	stamp, err := m.Apply(background, &batch)
	if err == nil && stamp.IsZero() {
		return list(nil)
	}
	return told(stamp, err)
}

// read performs reads. Those that cannot fail find nothing in a closed map, and then the map says why.
func (p *player) read(m *p2pmap.Map, op string, args []string) ([]string, error) {
	switch {
	case op == "get" && len(args) == 1:
		value, found, err := m.Lookup(args[0])
		if same, also := m.Get(args[0]); also != found || string(same) != string(value) {
			return nil, scriptError("Get and Lookup differ")
		}
		if err == nil && !found {
			return list(nil)
		}
		return told(string(value), err)
	case op == "entry" && len(args) == 1:
		entry, found := m.Entry(args[0])
		if !found {
			return told("none", m.Err())
		}
		return []string{string(entry.Value), entry.Author().String(), entry.Stamp.String()}, nil
	case op == "expires" && len(args) == 1:
		entry, found := m.Entry(args[0])
		switch {
		case !found:
			return told("none", m.Err())
		case entry.ExpiresAt.IsZero():
			return one("never")
		case entry.ExpiresAt.After(entry.Time):
			return one("later")
		}
		return one(entry.ExpiresAt)
	case op == "contains" && len(args) == 1:
		return told(m.Contains(args[0]), m.Err())
	case op == "len" && len(args) == 0:
		return told(m.Len(), m.Err())
	case op == "is_empty" && len(args) == 0:
		return told(m.Len() == 0, m.Err())
	}
	return nil, scriptError("%s: wrong arguments", op)
}

func (p *player) scan(m *p2pmap.Map, op string, tokens []string) ([]string, error) {
	options, nothing, err := p.scanOptions(tokens)
	if err != nil {
		return nil, err
	}
	if nothing {
		return told("none", m.Err())
	}
	var found []string
	switch op {
	case "keys":
		for key := range m.Keys(options) {
			found = append(found, key)
		}
	case "values":
		for value := range m.Values(options) {
			found = append(found, string(value))
		}
	case "scan":
		for key, value := range m.Entries(options) {
			found = append(found, key, string(value))
		}
	case "count":
		count := 0
		for range m.Scan(options) {
			count++
		}
		return told(count, m.Err())
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	return list(found)
}

// scanOptions gives a scan's options, and whether they cover nothing: Go's zero values are no limit and no end.
func (p *player) scanOptions(tokens []string) (options p2pmap.ScanOptions, nothing bool, err error) {
	for _, token := range tokens {
		name, value, err := p.option(token)
		if err != nil {
			return options, false, err
		}
		switch name {
		case "prefix":
			options.Prefix = value
		case "start":
			options.Start = value
		case "end":
			options.End = value
			nothing = nothing || value == ""
		case "limit":
			options.Limit, err = strconv.Atoi(value)
			nothing = nothing || options.Limit == 0
		case "reverse":
			options.Reverse = value == "true"
		default:
			err = errors.New("no such scan option")
		}
		if err != nil {
			return options, false, scriptError("%s: %v", token, err)
		}
	}
	return options, nothing, nil
}

// rest performs what is neither a read nor a write.
func (p *player) rest(m *p2pmap.Map, op string, args []string) ([]string, error) {
	switch {
	case op == "status" && len(args) == 0:
		status, err := m.Status()
		return []string{strconv.Itoa(status.Live), strconv.Itoa(status.Tombstones)}, err
	case op == "hidden" && len(args) == 0:
		status, err := m.Status()
		return told(status.Hidden, err)
	case op == "durability" && len(args) == 0:
		status, err := m.Status()
		return []string{status.Durability, cmp.Or(status.StorageError, "none")}, err
	case op == "flush" && len(args) == 0:
		return ok, m.Flush(background)
	case op == "equal" && len(args) == 1 && p.maps[args[0]] != nil:
		mine, err := m.Status()
		if err != nil {
			return nil, err
		}
		other, err := p.maps[args[0]].Status()
		return told(mine.Digest == other.Digest, err)
	case op == "sync" && len(args) <= 1:
		ctx, cancel, err := p.timeout(args)
		if err != nil {
			return nil, err
		}
		defer cancel()
		return ok, m.Sync(ctx)
	case op == "wait" && len(args) >= 2 && len(args) <= 3:
		return p.wait(m, args)
	case op == "close" && len(args) == 0:
		return ok, m.Close()
	case op == "destroy" && len(args) == 0:
		return ok, m.Destroy()
	}
	return nil, scriptError("%s: unknown, or wrong arguments", op)
}

// wait waits until some peers hold a write.
func (p *player) wait(m *p2pmap.Map, args []string) ([]string, error) {
	text, err := p.decode(args[0])
	if err != nil {
		return nil, err
	}
	stamp, err := stampOf(text)
	if err != nil {
		return nil, err
	}
	peers, err := strconv.Atoi(args[1])
	if err != nil {
		return nil, scriptError("%s is not a number", args[1])
	}
	ctx, cancel, err := p.timeout(args[2:])
	if err != nil {
		return nil, err
	}
	defer cancel()
	who, err := m.WaitReplicated(ctx, stamp, peers)
	if err != nil {
		return nil, err
	}
	different := map[p2pmap.PeerID]bool{}
	for _, id := range who {
		different[id] = true
	}
	if len(different) < len(who) || len(who) < peers {
		return one(who)
	}
	return ok, nil
}

// stampOf reads a stamp from its text, `<timestamp>-<epoch>-<author>`.
func stampOf(text string) (p2pmap.Stamp, error) {
	parts := strings.Split(text, "-")
	if len(parts) != 3 {
		return p2pmap.Stamp{}, scriptError("%s is not a stamp", text)
	}
	timestamp, err1 := strconv.ParseUint(parts[0], 16, 64)
	epoch, err2 := strconv.ParseUint(parts[1], 16, 64)
	author, err3 := p2pmap.ParsePeerID(parts[2])
	if err := errors.Join(err1, err2, err3); err != nil {
		return p2pmap.Stamp{}, scriptError("%s is not a stamp: %v", text, err)
	}
	return p2pmap.NewStamp(timestamp, epoch, author), nil
}

// told is the result of an operation that says one thing or fails.
func told(value any, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	return one(value)
}
