package conformance

import (
	"path/filepath"
	"testing"
)

func TestEveryScriptPasses(t *testing.T) {
	paths, err := filepath.Glob("../../../../tests/conformance/*.txt")
	if err != nil || len(paths) < 40 {
		t.Fatalf("%d scripts found: looking in the wrong place (%v)", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			verdict := Play(path)
			if verdict.Skipped != "" {
				t.Skip(verdict.Skipped)
			}
			if verdict.Err != nil {
				t.Errorf("%s:%d %v", path, verdict.Line, verdict.Err)
			}
		})
	}
}

func TestTokensDecodeAsTheFormatSays(t *testing.T) {
	variables := map[string]string{"a1": "/ip4"}
	for token, want := range map[string]string{
		"$a1": "/ip4", `""`: "", `\x00*3`: "\x00\x00\x00", "ab*2": "abab", "a*0": "", `a\sb\n\t\\\x2a\xff`: "a b\n\t\\*\xff",
	} {
		if got, err := decode(token, variables); err != nil || got != want {
			t.Errorf("%s: got %q, %v", token, got, err)
		}
	}
	for _, token := range []string{"$unset", "a*", "a*b", `\q`, `\x0`, `\xFF`, `\`, "a*5000001"} {
		if got, err := decode(token, variables); err == nil {
			t.Errorf("%s: accepted as %q", token, got)
		}
	}
}

func TestLinesOutsideTheFormatAreRefused(t *testing.T) {
	for _, line := range []string{"get m  k", "await get m k", "get m k ->", "get m k => a b", "await", "-> a"} {
		if step, err := parseStep(line); err == nil {
			t.Errorf("%s: accepted as %+v", line, step)
		}
	}
}

func TestAScriptThatDiffersFails(t *testing.T) {
	for line, want := range map[string]string{
		"get m k -> value": "expected value got none",
		"no_such_op m":     "script: no_such_op: unknown, or wrong arguments",
		"get m k => a b":   "`->` is followed by tokens, `=>` by one name",
	} {
		player := newPlayer()
		defer player.close()
		if err := player.play(step{op: "open", args: []string{"m", "colours"}}); err != nil {
			t.Fatal(err)
		}
		parsed, err := parseStep(line)
		if err == nil {
			err = player.play(parsed)
		}
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v", line, err)
		}
	}
}
