package p2pmap

// #include "glue.h"
import "C"

import (
	"runtime/cgo"
	"strings"
	"sync/atomic"
)

// Option sets something of a node, and what is left out has its default. Options of maps may be given to a node, as the default
// for its maps; options of nodes may not be given to [Node.Map].
type Option func(target) error

// With sets an option by name; [Options] is the table. Lists are separated by commas, switches are "true" or "false".
// `maps.<map>.<option>` declares a map, which opens with its node.
func With(name, value string) Option {
	return func(to target) error { return to.set(name, value) }
}

// WithBootstrap names members of the cluster to join through: multiaddrs such as "/dns4/seed/tcp/7400", or host:port.
// One that can be reached is enough.
func WithBootstrap(addrs ...string) Option { return With("bootstrap", strings.Join(addrs, ",")) }

// WithListen says where to listen: multiaddrs such as "/ip4/127.0.0.1/tcp/7400", or host:port for TCP and QUIC.
func WithListen(addrs ...string) Option { return With("listen", strings.Join(addrs, ",")) }

// WithTOML sets every option of a TOML document; a table `[maps.<map>]` declares a map.
func WithTOML(document string) Option {
	return func(to target) error { return to.setTOML(document) }
}

// WithFile sets every option of a TOML file.
func WithFile(path string) Option {
	return func(to target) error { return to.load(path) }
}

// WithEnv sets what the environment says: P2PMAP_BOOTSTRAP is "bootstrap", and so on.
func WithEnv() Option {
	return func(to target) error { return to.setEnv() }
}

// WithValidator sets a function that says with an error that the map may not hold this value under this key. It sees local
// writes and everything received, on any goroutine and on several at once, and must answer the same for the same bytes on
// every node. Panicking means no. The value is a copy that it may keep.
func WithValidator(validator func(key string, value []byte) error) Option {
	return func(to target) error {
		haveValidators.Store(true)
		return to.validate(uintptr(cgo.NewHandle(validator)))
	}
}

// haveValidators says whether a write may call into Go, from the first validator on.
var haveValidators atomic.Bool

// target is what options are set on: a node's configuration or a map's options.
type target interface {
	set(name, value string) error
	setTOML(document string) error
	load(path string) error
	setEnv() error
	// validate takes the handle, also when it fails.
	validate(handle uintptr) error
}

func applyOptions(to target, options []Option) error {
	for _, option := range options {
		if err := option(to); err != nil {
			return err
		}
	}
	return nil
}

// config is what opens a node. The zero config has no C side; the caller frees one from newConfig.
type config struct{ ptr *C.p2pmap_config }

func newConfig(options []Option) (config, error) {
	c := config{C.p2pmap_config_new()}
	if err := applyOptions(c, options); err != nil {
		c.free()
		return config{}, err
	}
	return c, nil
}

func (c config) free() { C.p2pmap_config_free(c.ptr) }

func (c config) set(name, value string) error {
	return withTexts("option's name", name, "value of "+name, value, func(name, value *C.char, told told) C.p2pmap_status {
		return C.p2pmap_config_set(c.ptr, name, value, told)
	})
}

func (c config) setTOML(document string) error {
	return withText("TOML document", document, func(document *C.char, told told) C.p2pmap_status {
		return C.p2pmap_config_set_toml(c.ptr, document, told)
	})
}

func (c config) load(path string) error {
	return withText("path", path, func(path *C.char, told told) C.p2pmap_status {
		return C.p2pmap_config_load(c.ptr, path, told)
	})
}

func (c config) setEnv() error {
	return try(func(told told) C.p2pmap_status { return C.p2pmap_config_set_env(c.ptr, told) })
}

func (c config) validate(handle uintptr) error {
	return try(func(told told) C.p2pmap_status { return C.config_validator(c.ptr, C.uintptr_t(handle), told) })
}

// mapOptions are what opens a map on a node. The caller frees those from newMapOptions.
type mapOptions struct{ ptr *C.p2pmap_map_options }

func newMapOptions(options []Option) (mapOptions, error) {
	o := mapOptions{C.p2pmap_map_options_new()}
	if err := applyOptions(o, options); err != nil {
		o.free()
		return mapOptions{}, err
	}
	return o, nil
}

func (o mapOptions) free() { C.p2pmap_map_options_free(o.ptr) }

func (o mapOptions) set(name, value string) error {
	return withTexts("option's name", name, "value of "+name, value, func(name, value *C.char, told told) C.p2pmap_status {
		return C.p2pmap_map_options_set(o.ptr, name, value, told)
	})
}

func (o mapOptions) setTOML(string) error { return ofNodesOnly("a TOML document") }
func (o mapOptions) load(string) error    { return ofNodesOnly("a TOML file") }
func (o mapOptions) setEnv() error        { return ofNodesOnly("the environment") }

func (o mapOptions) validate(handle uintptr) error {
	return try(func(told told) C.p2pmap_status { return C.map_options_validator(o.ptr, C.uintptr_t(handle), told) })
}

func ofNodesOnly(what string) error {
	return &Error{Code: CodeInvalidConfig, Message: what + " configures a node; give it to OpenNode or Open"}
}

// OptionInfo is a row of the table of options.
type OptionInfo struct {
	Name    string
	Default string
	Allowed string
	About   string
	// OfMap says that it is an option of maps; given to a node it is the default for its maps.
	OfMap bool
}

// Options is the table of all options: a node's, then a map's.
func Options() []OptionInfo {
	table := make([]OptionInfo, 0, int(C.p2pmap_option_count()))
	var row C.p2pmap_option
	for C.p2pmap_option_at(C.size_t(len(table)), &row, nil) == C.P2PMAP_OK {
		table = append(table, OptionInfo{
			Name:    C.GoString(row.name),
			Default: C.GoString(row.default_value),
			Allowed: C.GoString(row.allowed),
			About:   C.GoString(row.about),
			OfMap:   bool(row.of_map),
		})
	}
	return table
}

// Version is the version of the library that the program runs with, such as "0.1.0".
func Version() string { return C.GoString(C.p2pmap_version()) }
