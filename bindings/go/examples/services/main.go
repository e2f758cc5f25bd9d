// Command services is one of several processes, each in its own language, that share the map "services": a small service
// registry. It loads its part of a file in the format of /etc/services, tells every change, and takes commands on standard
// input.
//
//	services NAME BOOTSTRAP-ADDRESS-OR-"" FILE PART PARTS
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/p2pmap/p2pmap/bindings/go"
)

const pings = "~ping/"

var ctx = context.Background()

// seen is what the callback, which runs on a goroutine of its own, tells the report.
var seen struct {
	sync.Mutex
	events    int
	latencies []int64
}

func main() {
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, `usage: services NAME BOOTSTRAP-ADDRESS-OR-"" FILE PART PARTS`)
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]); err != nil {
		log.Fatal(err)
	}
}

func run(name, bootstrap, path, part, parts string) error {
	node, err := openNode(bootstrap)
	if err != nil {
		return err
	}
	defer node.Close()
	for _, addr := range node.Addrs() {
		fmt.Println("addr", addr)
	}
	services, err := node.Map("services")
	if err != nil {
		return err
	}
	if _, err := services.Subscribe(onEvent, p2pmap.WatchOptions{Snapshot: true}); err != nil {
		return err
	}
	if err := load(services, path, part, parts); err != nil {
		return err
	}
	for commands := bufio.NewScanner(os.Stdin); commands.Scan() && commands.Text() != "quit"; {
		answer, err := perform(services, name, strings.SplitN(commands.Text(), " ", 3))
		if err != nil {
			return err
		}
		fmt.Println(answer)
	}
	return nil
}

func openNode(bootstrap string) (*p2pmap.Node, error) {
	options := []p2pmap.Option{p2pmap.WithEnv()}
	if bootstrap != "" {
		options = append(options, p2pmap.WithBootstrap(bootstrap))
	}
	return p2pmap.OpenNode(options...)
}

// onEvent prints every change but the pings, which say how long a write took to get here.
func onEvent(event p2pmap.Event) {
	now := time.Now().UnixMicro()
	if event.Kind == p2pmap.EventSynced {
		return
	}
	seen.Lock()
	defer seen.Unlock()
	if strings.HasPrefix(event.Key, pings) {
		if sent, err := strconv.ParseInt(string(event.Value), 10, 64); err == nil && !event.Local {
			seen.latencies = append(seen.latencies, now-sent)
		}
		return
	}
	seen.events++
	where := "remote"
	if event.Local {
		where = "local"
	}
	fmt.Println("event", event.Kind, event.Key, where, event.Author())
}

// load writes this process's part: `http 80/tcp www # x` is the entry `http/tcp` with the value `80 www`.
func load(services *p2pmap.Map, path, part, parts string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	mine, _ := strconv.Atoi(part)
	of, _ := strconv.Atoi(parts)
	index := 0
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		index++
		if len(words) == 1 || (index-1)%max(of, 1) != mine {
			continue
		}
		port, protocol, _ := strings.Cut(words[1], "/")
		value := strings.Join(append([]string{port}, words[2:]...), " ")
		if _, err := services.Put(ctx, words[0]+"/"+protocol, []byte(value)); err != nil {
			return err
		}
	}
	return nil
}

// perform carries out one command and gives its answer.
func perform(services *p2pmap.Map, name string, words []string) (string, error) {
	switch {
	case words[0] == "put" && len(words) == 3:
		_, err := services.Put(ctx, words[1], []byte(words[2]))
		return "ok", err
	case words[0] == "remove" && len(words) == 2:
		removed, err := services.Remove(ctx, words[1])
		return fmt.Sprint("ok ", removed), err
	case words[0] == "ping" && len(words) == 2:
		return "ok", ping(services, name, words[1])
	case words[0] == "report" && len(words) == 1:
		return report(services)
	}
	return "error unknown command", nil
}

// ping puts the time, for the others to measure how long it takes to reach them.
func ping(services *p2pmap.Map, name, times string) error {
	count, err := strconv.Atoi(times)
	for range count {
		now := strconv.FormatInt(time.Now().UnixMicro(), 10)
		if _, err := services.Put(ctx, pings+name, []byte(now)); err != nil {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err == nil {
		_, err = services.Remove(ctx, pings+name)
	}
	return err
}

func report(services *p2pmap.Map) (string, error) {
	status, err := services.Status()
	if err != nil {
		return "", err
	}
	seen.Lock()
	defer seen.Unlock()
	median := "-"
	if sorted := slices.Sorted(slices.Values(seen.latencies)); len(sorted) > 0 {
		median = strconv.FormatInt(sorted[len(sorted)/2], 10)
	}
	return fmt.Sprintf("report entries=%d digest=%s events=%d latency_us=%s", status.Live, status.Digest, seen.events, median), nil
}
