package stream_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/payload"
	"github.com/counterfoil/counterfoil/internal/stream"
)

var allFormats = []stream.Format{
	stream.FormatSSE, stream.FormatChat, stream.FormatResponses, stream.FormatAnthropic, stream.FormatGemini,
	stream.FormatNDJSON, stream.FormatText,
}

// FuzzStream reads any bytes as any format: nothing panics, nothing is left, the
// output does not depend on the cut, and with no answers no byte is lost but
// texts that moved.
func FuzzStream(f *testing.F) {
	for i, fix := range fixtures(f) {
		f.Add(fix.input, uint8(i), uint16(len(fix.input)/3))
		f.Add(fix.input, uint8(0), uint16(40))
	}
	for _, input := range eventStreams {
		f.Add(input, uint8(0), uint16(3))
	}
	v := vocabulary(f)
	f.Fuzz(func(t *testing.T, input string, format uint8, cut uint16) {
		how := allFormats[int(format)%len(allFormats)]
		want := restore(t, begin(t, v, how), input)
		at := min(int(cut), len(input))
		if got := restore(t, begin(t, v, how), input, at); got.Out != want.Out || !slices.Equal(got.Asked, want.Asked) {
			t.Fatalf("cut at %d: %q, not %q", at, got.Out, want.Out)
		}
		same := run(t, begin(t, v, how), nothing, input).Out
		if how == stream.FormatText && same != input {
			t.Fatal("a text has changed")
		}
		before, after := bytesOf(input), bytesOf(same)
		for b := range before {
			if after[b] < before[b] {
				t.Fatalf("%d bytes %#x became %d: %q", before[b], b, after[b], same)
			}
		}
	})
}

// bytesOf counts the bytes of a stream.
func bytesOf(s string) (n [256]int) {
	for i := range len(s) {
		n[s[i]]++
	}
	return n
}

// FuzzArguments reads any text as arguments: what is JSON is searched as a body
// is, and with no answers the text comes out as it was.
func FuzzArguments(f *testing.F) {
	a := newAuthor(f.Name())
	seeds := []string{"", "{", `{"a":"\ud83d\ude00\ud83d"}`, `[1e5,-0.1E-2,tru`, `[01]`, `{"a":"` + tok + `"}`, `"` + tok + `"`}
	for range 60 {
		seeds = append(seeds, a.value(4))
	}
	for i, seed := range seeds {
		f.Add(seed, uint8(i))
	}
	v := vocabulary(f)
	f.Fuzz(func(t *testing.T, args string, most uint8) {
		if !utf8.ValidString(args) {
			return
		}
		var in strings.Builder
		for piece := range slices.Chunk([]rune(args), 1+int(most)%30) {
			quoted, err := json.Marshal(string(piece))
			if err != nil {
				t.Fatal(err)
			}
			in.WriteString(strings.Replace(argumentsForm, "%s", string(quoted), 1))
		}
		out := run(t, begin(t, v, stream.FormatChat), nothing, in.String()).Out
		if got := listen(stream.FormatChat, out).calls["call0.0"]; got != args {
			t.Fatalf("%q came out as %q", args, got)
		}
		r := restore(t, begin(t, v, stream.FormatChat), in.String())
		got := listen(stream.FormatChat, r.Out).calls["call0.0"]
		d, err := payload.Parse([]byte(args), payload.Options{Shape: payload.JSON})
		if err != nil || broken(args) {
			return
		}
		if trimmed := strings.TrimLeft(args, " \t\r\n"); trimmed[0] == '{' || trimmed[0] == '[' {
			if want := restoredJSON(t, v, d); got != want {
				t.Fatalf("%q came out as %q, not %q", args, got, want)
			}
		}
	})
}
