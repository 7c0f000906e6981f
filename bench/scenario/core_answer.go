package scenario

import (
	"bytes"
	"errors"
	"fmt"
)

// hand is what one client of a load works with: it writes its requests into the same
// memory and reads its answers into the same memory, so that the harness leaves the
// cores to what it measures.
type hand struct {
	body   []byte
	answer bytes.Buffer

	// The last request that was answered, for the check after the load.
	scope string
	sent  []string
}

// errAnswer begins what is wrong with an answer. What stands in it is never told.
var errAnswer = errors.New("wrong answer")

// listIn returns the strings of the list that a member of an answer is, appended to
// into. It reads only what the works of this package send and expect, strings in which
// JSON escapes nothing: another one is a wrong answer. That costs a tenth of decoding.
func listIn(into [][]byte, answer []byte, member string) ([][]byte, error) {
	at := bytes.Index(answer, []byte(`"`+member+`":[`))
	if at < 0 {
		return into, fmt.Errorf("%w: there is no list of %s", errAnswer, member)
	}
	rest := answer[at+len(member)+len(`"":[`):]
	for {
		if len(rest) == 0 || rest[0] != '"' {
			return into, fmt.Errorf("%w: %s is no list of strings", errAnswer, member)
		}
		end := bytes.IndexByte(rest[1:], '"') + 1
		if end < 1 || end+1 >= len(rest) || bytes.IndexByte(rest[1:end], '\\') >= 0 {
			return into, fmt.Errorf("%w: a string of %s does not end, or is escaped", errAnswer, member)
		}
		into = append(into, rest[1:end])
		switch rest = rest[end+1:]; rest[0] {
		case ',':
			rest = rest[1:]
		case ']':
			return into, nil
		default:
			return into, fmt.Errorf("%w: %s is no list", errAnswer, member)
		}
	}
}

// sameList tells whether an answer's list is exactly what is wanted, in its order.
func sameList(answer []byte, member string, want []string) error {
	got, err := listIn(make([][]byte, 0, many), answer, member)
	if err != nil {
		return err
	}
	if len(got) != len(want) {
		return fmt.Errorf("%w: %d %s, want %d", errAnswer, len(got), member, len(want))
	}
	for i := range got {
		if string(got[i]) != want[i] {
			return fmt.Errorf("%w: number %d of %s is not what was sent", errAnswer, i, member)
		}
	}
	return nil
}

// tokensIn are the tokens of an answer to values: as many as were sent, no value
// among them.
func tokensIn(answer []byte, member string, sent []string) ([]string, error) {
	got, err := listIn(make([][]byte, 0, many), answer, member)
	if err != nil {
		return nil, err
	}
	if len(got) != len(sent) {
		return nil, fmt.Errorf("%w: %d tokens for %d values", errAnswer, len(got), len(sent))
	}
	tokens := make([]string, len(got))
	for i := range got {
		if tokens[i] = string(got[i]); tokens[i] == "" || tokens[i] == sent[i] {
			return nil, fmt.Errorf("%w: number %d is no token", errAnswer, i)
		}
	}
	return tokens, nil
}
