module github.com/p2pmap/p2pmap/bindings/go

go 1.24
