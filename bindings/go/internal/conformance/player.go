package conformance

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/p2pmap/p2pmap/bindings/go"
)

const (
	patience = 10 * time.Second
	pause    = 10 * time.Millisecond
)

// player holds everything that a script has opened, by name.
type player struct {
	nodes     map[string]*p2pmap.Node
	maps      map[string]*p2pmap.Map
	listeners map[string]*listener
	sockets   []net.Listener
	// directories are removed when the script ends.
	directories []string
	variables   map[string]string
}

// skipped ends a script that asks for something Go does not have.
type skipped string

func (s skipped) Error() string { return string(s) }

// errScript wraps what is wrong with a script, so that it is never taken for the result of a step.
var errScript = errors.New("script")

func scriptError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errScript, fmt.Sprintf(format, args...))
}

func newPlayer() *player {
	return &player{
		nodes:     map[string]*p2pmap.Node{},
		maps:      map[string]*p2pmap.Map{},
		listeners: map[string]*listener{},
		variables: map[string]string{},
	}
}

func (p *player) close() {
	for _, listener := range p.listeners {
		listener.end()
	}
	for _, m := range p.maps {
		m.Close()
	}
	for _, node := range p.nodes {
		node.Close()
	}
	for _, socket := range p.sockets {
		socket.Close()
	}
	for _, directory := range p.directories {
		os.RemoveAll(directory)
	}
}

// play plays one step, and says why the script ends if it does.
func (p *player) play(step step) error {
	deadline := time.Now().Add(patience)
	for {
		err := p.attempt(step)
		if err == nil || !step.awaited || errors.Is(err, errScript) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(pause)
	}
}

func (p *player) attempt(step step) error {
	got, err := p.perform(step.op, step.args)
	var told *p2pmap.Error
	explained := ""
	if errors.As(err, &told) {
		got, explained = []string{"!" + told.Code.String()}, fmt.Sprintf(" (%s)", told.Message)
	} else if err != nil {
		return err
	}
	if step.expect != nil {
		expected, err := p.decodeAll(step.expect)
		if err != nil {
			return err
		}
		if !slices.Equal(got, expected) {
			return fmt.Errorf("expected %s got %s%s", show(expected), show(got), explained)
		}
		return nil
	}
	if told != nil {
		return fmt.Errorf("expected no error got %s%s", show(got), explained)
	}
	if step.variable != "" {
		if len(got) != 1 {
			return fmt.Errorf("expected one token got %s", show(got))
		}
		p.variables[step.variable] = got[0]
	}
	return nil
}

// perform gives the tokens of a step's result, an error of the library, or one of errScript.
func (p *player) perform(op string, args []string) ([]string, error) {
	switch op {
	case "requires":
		if len(args) == 1 && (args[0] == "byte_keys" || args[0] == "validator_function") {
			return ok, nil
		}
		return nil, skipped("requires " + strings.Join(args, " "))
	case "socket":
		return p.socket()
	case "path":
		return p.path()
	case "write":
		return p.writeFile(args)
	case "node", "id", "addr", "connect", "peers", "maps", "map", "open":
		return p.onNode(op, args)
	case "subscribe", "watch", "event", "origin", "unsubscribe":
		return p.onEvents(op, args)
	case "close":
		if len(args) == 1 && p.nodes[args[0]] != nil {
			return ok, p.nodes[args[0]].Close()
		}
	}
	return p.onMap(op, args)
}

func (p *player) socket() ([]string, error) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, scriptError("%v", err)
	}
	p.sockets = append(p.sockets, socket)
	return one(fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", socket.Addr().(*net.TCPAddr).Port))
}

// path is one at which there is nothing, in a directory of its own.
func (p *player) path() ([]string, error) {
	directory, err := os.MkdirTemp("", "p2pmap-script-")
	if err != nil {
		return nil, scriptError("%v", err)
	}
	p.directories = append(p.directories, directory)
	return one(filepath.Join(directory, "new"))
}

func (p *player) writeFile(args []string) ([]string, error) {
	args, err := p.decodeAll(args)
	if err != nil || len(args) != 2 {
		return nil, scriptError("write takes a path and a text")
	}
	if err := os.WriteFile(args[0], []byte(args[1]), 0o600); err != nil {
		return nil, scriptError("%v", err)
	}
	return ok, nil
}

func (p *player) decode(token string) (string, error) {
	text, err := decode(token, p.variables)
	if err != nil {
		return "", scriptError("%v", err)
	}
	return text, nil
}

func (p *player) decodeAll(tokens []string) ([]string, error) {
	decoded := make([]string, len(tokens))
	for i, token := range tokens {
		var err error
		if decoded[i], err = p.decode(token); err != nil {
			return nil, err
		}
	}
	return decoded, nil
}

// option gives an option's name and its decoded value.
func (p *player) option(token string) (name, value string, err error) {
	name, value, ok := strings.Cut(token, "=")
	if !ok {
		return "", "", scriptError("%s is not name=value", token)
	}
	value, err = p.decode(value)
	return name, value, err
}

// ok is the result of an operation with nothing to say.
var ok = []string{"ok"}

func one(value any) ([]string, error) { return []string{fmt.Sprint(value)}, nil }

// list is the result of an operation that gives a list.
func list(tokens []string) ([]string, error) {
	if len(tokens) == 0 {
		return []string{"none"}, nil
	}
	return tokens, nil
}
