package stream_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/stream"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden: what a client gets, byte for byte, and what was asked about it.
func TestGolden(t *testing.T) {
	v := vocabulary(t)
	for _, f := range fixtures(t) {
		got := restore(t, begin(t, v, f.format), f.input)
		var b strings.Builder
		for _, c := range got.Asked {
			fmt.Fprintf(&b, "%s %s %q strict=%v key=%v %q\n", c.Token, c.Place, c.Tool, c.Strict, c.InKey, c.Written)
		}
		for name, text := range map[string]string{f.name: got.Out, f.name + ".asked": b.String()} {
			path := filepath.Join("testdata", "golden", name)
			if *update {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), text); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

// TestInvariant19_AsTheWholeText: the texts of every channel, put together, are
// what the whole-text call makes of the texts that came in.
func TestInvariant19_AsTheWholeText(t *testing.T) {
	v := vocabulary(t)
	for _, f := range fixtures(t) {
		in := listen(f.format, f.input)
		want := expected(t, v, f.format, in)
		got := listen(f.format, restore(t, begin(t, v, f.format), f.input).Out)
		for name, diff := range map[string]string{
			"texts": cmp.Diff(want.texts, got.texts), "calls": cmp.Diff(want.calls, got.calls), "wholes": cmp.Diff(want.wholes, got.wholes),
		} {
			if diff != "" {
				t.Errorf("%s, %s: %s", f.name, name, diff)
			}
		}
		if len(in.texts)+len(in.calls) == 0 {
			t.Errorf("%s: no channels", f.name)
		}
	}
}

// TestInvariant19_TwinEager: a stream that waits for nothing at the end of a frame
// is noticed in every fixture; one that escapes for the frame alone wherever there
// is JSON in its strings.
func TestInvariant19_TwinEager(t *testing.T) {
	v := vocabulary(t)
	for _, f := range fixtures(t) {
		want := restore(t, begin(t, v, f.format), f.input).Out
		if f.format != stream.FormatText && restore(t, begin(t, v, f.format).Without(stream.Eager), f.input).Out == want {
			t.Errorf("%s: deciding at the ends of frames makes no difference", f.name)
		}
		broken := restore(t, begin(t, v, f.format).Without(stream.OneLevel), f.input).Out
		if calls := len(listen(f.format, f.input).calls) > 0; calls && broken == want {
			t.Errorf("%s: escaping once makes no difference", f.name)
		}
	}
}

// TestInvariant19_EveryCut: the output does not depend on how the input is cut:
// in two at every place, in bytes, and in many random ways.
func TestInvariant19_EveryCut(t *testing.T) {
	v := vocabulary(t)
	for _, f := range fixtures(t) {
		want := restore(t, begin(t, v, f.format), f.input)
		check := func(cuts ...int) {
			t.Helper()
			if got := restore(t, begin(t, v, f.format), f.input, cuts...); got.Out != want.Out || !slices.Equal(got.Asked, want.Asked) {
				t.Fatalf("%s cut at %v: %s", f.name, cuts, cmp.Diff(want, got))
			}
		}
		step := 1
		if raceEnabled {
			step = 17 // what is cut in two is read by one goroutine
		}
		var bytes []int
		for at := range f.input {
			if bytes = append(bytes, at); at%step == 0 {
				check(at)
			}
		}
		check(bytes...)
		r := random(f.name)
		for range rounds() {
			check(someCuts(r, len(f.input))...)
		}
	}
}

// rounds is how often each fixture is cut at random: 2,000 times altogether, and
// 100,000 in a long run.
func rounds() int {
	switch {
	case long():
		return 10_000
	case raceEnabled:
		return 20
	}
	return 200
}
