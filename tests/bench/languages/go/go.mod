module github.com/p2pmap/p2pmap/tests/bench/languages/go

go 1.24

require github.com/p2pmap/p2pmap/bindings/go v0.0.0

replace github.com/p2pmap/p2pmap/bindings/go => ../../../../bindings/go
