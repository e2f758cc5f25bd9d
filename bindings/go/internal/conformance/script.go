package conformance

import (
	"errors"
	"iter"
	"slices"
	"strings"
)

// step is a line as data. Tokens stay as written until they are played, since variables come and go.
type step struct {
	awaited bool
	op      string
	args    []string
	// expect is nil unless the line has `->`.
	expect []string
	// variable is "" unless the line has `=>`.
	variable string
}

// lines gives the lines that are steps, with their numbers.
func lines(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		number := 0
		for line := range strings.Lines(text) {
			number++
			line = strings.TrimSuffix(line, "\n")
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			if !yield(number, line) {
				return
			}
		}
	}
}

func parseStep(line string) (step, error) {
	words := strings.Split(line, " ")
	if slices.Contains(words, "") {
		return step{}, errors.New("tokens stand between single spaces")
	}
	var parsed step
	if words[0] == "await" {
		parsed.awaited = true
		words = words[1:]
	}
	isArrow := func(word string) bool { return word == "->" || word == "=>" }
	if at := slices.IndexFunc(words, isArrow); at >= 0 {
		result := words[at+1:]
		if words[at] == "->" {
			parsed.expect = result
		} else if len(result) == 1 {
			parsed.variable = result[0]
		}
		if len(result) == 0 || words[at] == "=>" && len(result) != 1 {
			return step{}, errors.New("`->` is followed by tokens, `=>` by one name")
		}
		words = words[:at]
	}
	if len(words) == 0 {
		return step{}, errors.New("a step without an operation")
	}
	if parsed.awaited && parsed.expect == nil {
		return step{}, errors.New("an awaited step says what it awaits")
	}
	parsed.op, parsed.args = words[0], words[1:]
	return parsed, nil
}
