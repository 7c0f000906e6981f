package payload_test

import (
	"flag"
	"os"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/payload"
)

func parse(tb testing.TB, body []byte, opts payload.Options) *payload.Document {
	tb.Helper()
	d, err := payload.Parse(body, opts)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// editsOf replaces every occurrence of a text in the leaves.
func editsOf(d *payload.Document, old, with string) []payload.Edit {
	var out []payload.Edit
	for i, leaf := range d.Leaves() {
		for at := 0; ; {
			n := strings.Index(leaf.Text[at:], old)
			if n < 0 {
				break
			}
			out = append(out, payload.Edit{Leaf: i, Start: at + n, End: at + n + len(old), With: with})
			at += n + len(old)
		}
	}
	return out
}

// check runs a property n times: rapid takes the number from its flag. A
// greater number in the flag stands.
func check(t *testing.T, n int, property func(*rapid.T)) {
	t.Helper()
	if os.Getenv("COUNTERFOIL_LONG") == "1" {
		n *= 100
	}
	f := flag.Lookup("rapid.checks")
	before := f.Value.String()
	if asked, err := strconv.Atoi(before); err == nil && asked > n {
		n = asked
	}
	if err := f.Value.Set(strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Value.Set(before) }()
	rapid.Check(t, property)
}
