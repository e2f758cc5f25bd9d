package p2pmap_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/p2pmap/p2pmap/bindings/go"
)

func Example() {
	ctx := context.Background()
	flags, err := p2pmap.Open("flags")
	if err != nil {
		log.Fatal(err)
	}
	defer flags.Close()

	if _, err := flags.Put(ctx, "dark_mode", []byte("on")); err != nil {
		log.Fatal(err)
	}
	if value, found := flags.Get("dark_mode"); found {
		fmt.Println("dark_mode is", string(value))
	}
	// Output: dark_mode is on
}

// Two nodes; in real life they are in two processes.
func Example_cluster() {
	ctx := context.Background()
	first, err := p2pmap.Open("flags")
	if err != nil {
		log.Fatal(err)
	}
	defer first.Close()
	second, err := p2pmap.Open("flags", p2pmap.WithBootstrap(first.Node().Addrs()...))
	if err != nil {
		log.Fatal(err)
	}
	defer second.Close()

	changes := second.Watch(ctx)
	if _, err := first.Put(ctx, "dark_mode", []byte("on")); err != nil {
		log.Fatal(err)
	}
	change := <-changes
	fmt.Println(change.Kind, change.Key, string(change.Value))
	// Output: put dark_mode on
}

func ExampleMap_Watch() {
	flags, err := p2pmap.Open("flags")
	if err != nil {
		log.Fatal(err)
	}
	defer flags.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	flags.Put(ctx, "dark_mode", []byte("on"))

	for event := range flags.Watch(ctx, p2pmap.WatchOptions{Snapshot: true}) {
		fmt.Println(event.Kind, event.Key)
		if event.Kind == p2pmap.EventSynced {
			cancel()
		}
	}
	// Output:
	// put dark_mode
	// synced
}

// A service tells where it is, and renews that in time. When the process dies its entry goes by itself.
func ExampleMap_PutTTL() {
	services, err := p2pmap.Open("services")
	if err != nil {
		log.Fatal(err)
	}
	defer services.Close()
	ctx := context.Background()
	changes := services.Watch(ctx)

	if _, err := services.PutTTL(ctx, "db/1", []byte("10.0.0.5:5432"), 100*time.Millisecond); err != nil {
		log.Fatal(err)
	}
	for range 2 {
		change := <-changes
		fmt.Printf("%s %s, was %q\n", change.Kind, change.Key, change.OldValue)
	}
	// Output:
	// put db/1, was ""
	// expire db/1, was "10.0.0.5:5432"
}

// A write that two processes hold survives the death of one.
func ExampleMap_WaitReplicated() {
	first, err := p2pmap.Open("flags")
	if err != nil {
		log.Fatal(err)
	}
	defer first.Close()
	second, err := p2pmap.Open("flags", p2pmap.WithBootstrap(first.Node().Addrs()...))
	if err != nil {
		log.Fatal(err)
	}
	defer second.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	stamp, err := first.Put(ctx, "dark_mode", []byte("on"))
	if err != nil {
		log.Fatal(err)
	}
	who, err := first.WaitReplicated(ctx, stamp, 1)
	if err != nil {
		log.Fatal(err)
	}
	value, _ := second.Get("dark_mode")
	fmt.Println(len(who), string(value))
	// Output: 1 on
}

func ExampleMap_Keys() {
	services, err := p2pmap.Open("services")
	if err != nil {
		log.Fatal(err)
	}
	defer services.Close()
	for _, key := range []string{"ssh/tcp", "http/udp", "http/tcp"} {
		services.Put(context.Background(), key, nil)
	}

	for key := range services.Keys(p2pmap.ScanOptions{Prefix: "http/"}) {
		fmt.Println(key)
	}
	// Output:
	// http/tcp
	// http/udp
}

func ExampleWithValidator() {
	flags, err := p2pmap.Open("flags", p2pmap.WithValidator(func(key string, value []byte) error {
		if string(value) != "on" && string(value) != "off" {
			return errors.New("a flag is on or off")
		}
		return nil
	}))
	if err != nil {
		log.Fatal(err)
	}
	defer flags.Close()

	_, err = flags.Put(context.Background(), "dark_mode", []byte("maybe"))
	fmt.Println(errors.Is(err, p2pmap.ErrInvalidValue))
	// Output: true
}
