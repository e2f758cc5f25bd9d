package conformance

import (
	"fmt"
	"strconv"
	"strings"
)

// maxTokenBytes is how long a decoded token may be.
const maxTokenBytes = 5_000_000

// decode makes bytes of a token.
func decode(token string, variables map[string]string) (string, error) {
	if name, ok := strings.CutPrefix(token, "$"); ok {
		value, ok := variables[name]
		if !ok {
			return "", fmt.Errorf("no variable %s", name)
		}
		return value, nil
	}
	if token == `""` {
		return "", nil
	}
	star := strings.LastIndexByte(token, '*')
	if star < 0 {
		return unescape(token)
	}
	count, err := strconv.ParseUint(token[star+1:], 10, 32)
	if err != nil {
		return "", fmt.Errorf(`%s: a literal * is written \x2a`, token)
	}
	unit, err := unescape(token[:star])
	if err != nil {
		return "", err
	}
	if len(unit)*int(count) > maxTokenBytes {
		return "", fmt.Errorf("%s: a token has at most %d bytes", token, maxTokenBytes)
	}
	return strings.Repeat(unit, int(count)), nil
}

func unescape(token string) (string, error) {
	var bytes strings.Builder
	for rest := token; rest != ""; {
		if rest[0] != '\\' {
			bytes.WriteByte(rest[0])
			rest = rest[1:]
			continue
		}
		byte, taken, ok := escape(rest)
		if !ok {
			return "", fmt.Errorf("%s: unknown escape", token)
		}
		bytes.WriteByte(byte)
		rest = rest[taken:]
	}
	return bytes.String(), nil
}

// escape decodes the escape that text starts with, and says how long it is.
func escape(text string) (decoded byte, taken int, ok bool) {
	if len(text) < 2 {
		return 0, 0, false
	}
	switch text[1] {
	case 's':
		return ' ', 2, true
	case 'n':
		return '\n', 2, true
	case 't':
		return '\t', 2, true
	case '\\':
		return '\\', 2, true
	case 'x':
		if len(text) < 4 || strings.ToLower(text[2:4]) != text[2:4] {
			return 0, 0, false
		}
		value, err := strconv.ParseUint(text[2:4], 16, 8)
		return byte(value), 4, err == nil
	}
	return 0, 0, false
}

// show makes tokens readable in a message: escaped, and long ones shortened.
func show(tokens []string) string {
	const shown = 60
	texts := make([]string, len(tokens))
	for i, token := range tokens {
		texts[i] = strings.Trim(strconv.QuoteToASCII(token[:min(len(token), shown)]), `"`)
		if token == "" {
			texts[i] = `""`
		}
		if len(token) > shown {
			texts[i] += fmt.Sprintf("...(%d bytes)", len(token))
		}
	}
	return strings.Join(texts, " ")
}
