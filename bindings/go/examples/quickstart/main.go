// Command quickstart opens a map, watches it, and writes to it. Run it twice, the second time with the address that the first
// prints, and both print both greetings.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/p2pmap/p2pmap/bindings/go"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	greetings, err := p2pmap.Open("greetings", p2pmap.WithBootstrap(os.Args[1:]...))
	if err != nil {
		log.Fatal(err)
	}
	defer greetings.Close()
	fmt.Println("join me with:", greetings.Node().Addrs()[0])

	me := greetings.Node().ID().String()
	if _, err := greetings.Put(ctx, me, []byte("hello from Go")); err != nil {
		log.Fatal(err)
	}
	for event := range greetings.Watch(ctx, p2pmap.WatchOptions{Snapshot: true}) {
		fmt.Println(event.Kind, event.Key, string(event.Value))
	}
}
