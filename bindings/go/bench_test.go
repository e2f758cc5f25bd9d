package p2pmap_test

import (
	"context"
	"testing"
)

func BenchmarkGet(b *testing.B) {
	m := open(b)
	put(b, m, "key", string(make([]byte, 100)))
	b.ReportAllocs()
	for b.Loop() {
		m.Get("key")
	}
}

func BenchmarkGetInto(b *testing.B) {
	m := open(b)
	put(b, m, "key", string(make([]byte, 100)))
	room := make([]byte, 128)
	b.ReportAllocs()
	for b.Loop() {
		m.GetInto("key", room)
	}
}

func BenchmarkPut(b *testing.B) {
	m := open(b)
	ctx, value := context.Background(), make([]byte, 100)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Put(ctx, "key", value); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWatch(b *testing.B) {
	m := open(b)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	events := m.Watch(ctx)
	value := make([]byte, 100)
	b.ReportAllocs()
	for b.Loop() {
		value[0]++
		if _, err := m.Put(ctx, "key", value); err != nil {
			b.Fatal(err)
		}
		<-events
	}
}
