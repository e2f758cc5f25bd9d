// Reads from Go, beside cgo calls that return as much: `get ENTRIES ROUNDS`.
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"math/rand"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/p2pmap/p2pmap/bindings/go"
)

const (
	// block is how many calls are timed together.
	block = 1000
	// hot is how many keys stay in the processor's cache.
	hot        = 64
	valueBytes = 100
	goal       = "<= 1.3"
)

// kept is where what was read goes, so that it is made.
var kept []byte

func main() {
	if len(os.Args) != 4 || os.Args[1] != "get" {
		log.Fatal("usage: get ENTRIES ROUNDS")
	}
	entries, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	rounds, err := strconv.Atoi(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	if err := get(entries, rounds); err != nil {
		log.Fatal(err)
	}
}

// get fills a map of each kind and reads them by turns.
func get(entries, rounds int) error {
	m, err := p2pmap.Open("bench")
	if err != nil {
		return err
	}
	defer m.Close()
	value, plain, keys := bytes.Repeat([]byte("v"), valueBytes), map[string][]byte{}, make([]string, entries)
	for number := range keys {
		keys[number] = fmt.Sprintf("%016d", number)
		plain[keys[number]] = bytes.Clone(value)
		if _, err := m.Put(context.Background(), keys[number], value); err != nil {
			return err
		}
	}
	fillTable(keys)
	rand.New(rand.NewSource(7)).Shuffle(entries, func(a, b int) { keys[a], keys[b] = keys[b], keys[a] })
	hottest := make([]string, block)
	for at := range hottest {
		hottest[at] = keys[at%hot]
	}
	measure("hot", m, plain, hottest, rounds)
	measure("uniform over "+count(entries), m, plain, keys, rounds)
	return nil
}

func measure(how string, m *p2pmap.Map, plain map[string][]byte, keys []string, rounds int) {
	room := make([]byte, 128)
	times := medians(keys, rounds,
		func(keys []string) {
			for _, key := range keys {
				kept, _ = m.Get(key)
			}
		},
		func(keys []string) {
			for _, key := range keys {
				kept, _ = m.GetInto(key, room)
			}
		},
		func(keys []string) {
			for range keys {
				kept = make([]byte, valueBytes)
				copyOut(kept)
			}
		},
		func(keys []string) {
			for range keys {
				copyOut(room)
			}
		},
		func(keys []string) {
			for _, key := range keys {
				kept = bytes.Clone(plain[key])
			}
		},
		func(keys []string) {
			for _, key := range keys {
				kept = make([]byte, valueBytes)
				findCopy(key, kept)
			}
		},
		func(keys []string) {
			for _, key := range keys {
				findCopy(key, room)
			}
		},
	)
	if how == "hot" {
		say("m.Get(key), hot", times[0], "cgo call into a new slice", times[2], goal)
		say("m.GetInto(key, buf), hot", times[1], "cgo call into a slice", times[3], goal)
	}
	say("m.Get(key), "+how, times[0], "cgo lookup in a bare table, into a new slice", times[5], "")
	say("m.GetInto(key, buf), "+how, times[1], "cgo lookup in a bare table, into a slice", times[6], "")
	say("m.Get(key), "+how, times[0], "a map, value copied", times[4], "")
}

// medians are the nanoseconds of one call of each reader, which have their turns by blocks.
func medians(keys []string, rounds int, readers ...func(keys []string)) []float64 {
	took := make([][]time.Duration, len(readers))
	blocks := slices.Collect(slices.Chunk(keys, block))
	turn := 0
	for range rounds {
		for at, reader := range readers {
			keys := blocks[turn%len(blocks)]
			turn++
			start := time.Now()
			reader(keys)
			took[at] = append(took[at], time.Since(start))
		}
	}
	times := make([]float64, len(readers))
	for at, samples := range took {
		slices.Sort(samples)
		times[at] = float64(samples[len(samples)/2]) / block
	}
	return times
}

// say prints one line of the table.
func say(what string, ours float64, floor string, floorIs float64, goal string) {
	fmt.Printf("Go: %s\t%.1f\t%s\t%.1f\t%s\n", what, ours, floor, floorIs, goal)
}

// count is a number of entries, for people.
func count(entries int) string {
	if entries >= 1_000_000 {
		return fmt.Sprintf("%d M", entries/1_000_000)
	}
	return fmt.Sprintf("%d k", entries/1000)
}
