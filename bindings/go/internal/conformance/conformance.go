// Package conformance plays the scripts of tests/conformance against the Go package; the README there is the format.
package conformance

import (
	"fmt"
	"io"
	"os"
)

// Verdict says what became of a script.
type Verdict struct {
	// Steps that passed.
	Steps int
	// Skipped says why it was not played.
	Skipped string
	// Err says what differed, on line Line.
	Err  error
	Line int
}

// Play plays one script from a clean state, and closes what it left open.
func Play(path string) Verdict {
	text, err := os.ReadFile(path)
	if err != nil {
		return Verdict{Err: err}
	}
	player := newPlayer()
	defer player.close()
	var verdict Verdict
	for number, line := range lines(string(text)) {
		step, err := parseStep(line)
		if err == nil {
			err = player.play(step)
		}
		if skip, ok := err.(skipped); ok {
			return Verdict{Skipped: string(skip)}
		}
		if err != nil {
			verdict.Line, verdict.Err = number, err
			return verdict
		}
		verdict.Steps++
	}
	return verdict
}

// Run plays scripts, prints a line for each and the total, and says whether none failed.
func Run(paths []string, out io.Writer) bool {
	var played, passed, failed int
	for _, path := range paths {
		verdict := Play(path)
		if verdict.Skipped != "" {
			fmt.Fprintf(out, "skip %s: %s\n", path, verdict.Skipped)
			continue
		}
		played++
		passed += verdict.Steps
		if verdict.Err != nil {
			failed++
			fmt.Fprintf(out, "FAIL %s:%d %v\n", path, verdict.Line, verdict.Err)
			continue
		}
		fmt.Fprintf(out, "ok %s\n", path)
	}
	total := fmt.Sprintf("conformance: %d scripts, %d steps passed", played, passed)
	if failed > 0 {
		total += fmt.Sprintf(", %d failed", failed)
	}
	fmt.Fprintln(out, total)
	return failed == 0
}
