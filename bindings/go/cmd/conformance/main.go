// Command conformance plays the conformance scripts named on the command line.
package main

import (
	"fmt"
	"os"

	"github.com/p2pmap/p2pmap/bindings/go/internal/conformance"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: conformance SCRIPT...")
		os.Exit(2)
	}
	if !conformance.Run(os.Args[1:], os.Stdout) {
		os.Exit(1)
	}
}
