package stream_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/stream"
)

// naiveEvents reads an event stream as the WHATWG says it, without a thought of
// pieces: the data of whole frames that have any.
func naiveEvents(input string) (names, datas []string) {
	input = strings.TrimPrefix(input, "\ufeff")
	input = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(input)
	name, data, any := "", []string(nil), false
	lines := strings.Split(input, "\n")
	for _, line := range lines[:len(lines)-1] {
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			if any {
				names, datas = append(names, name), append(datas, strings.Join(data, "\n"))
			}
			name, data, any = "", nil, false
		case field == "event":
			name = value
		case field == "data":
			data, any = append(data, value), true
		}
	}
	return names, datas
}

// eventStreams are what the standard says about lines and fields, and more.
var eventStreams = []string{
	"", "\n", "data: a\n\n", "data:a\r\n\r\n", "data\r\r", "data:  a\ndata:b\n\nid: 1\nevent: x\ndata: c\n\n",
	": comment\n\n\n\ndata: a\n\ndata: b", "\ufeffdata: a\n\n", "data: a\r\rdata: b\n\r\ndata: c\r\n\n", "event: a\nevent: b\ndata:x\n\n",
	"retry: 10\nid\ndata : no\n data: no\nDATA: no\n\n", "data:\xf0\x9f\x98\x80\n\n", "\r\n\r\n\ndata: a\r\n\r\n", "data: \x00:\n\n", ":\n:x\ndata:\n\n",
}

// checkEvents compares the framer with the naive reading, cut in two.
func checkEvents(t *testing.T, input string, cut int) {
	t.Helper()
	events, rest := stream.Events(input[:cut], input[cut:])
	var raws, names, datas []string
	for _, e := range events {
		raws = append(raws, e.Raw)
		if strings.Contains(strings.NewReplacer("\r", "\n", "\ufeff", "\n").Replace("\n"+e.Raw), "\ndata") && !isComment(e) {
			names, datas = append(names, e.Name), append(datas, e.Data)
		}
	}
	if got := strings.Join(raws, "") + rest; got != input {
		t.Fatalf("%q cut at %d came out as %q", input, cut, got)
	}
	wantNames, wantDatas := naiveEvents(input)
	if diff := cmp.Diff(wantDatas, datas) + cmp.Diff(wantNames, names); diff != "" {
		t.Fatalf("%q cut at %d: %s", input, cut, diff)
	}
}

// isComment says whether no line of a frame is a data line.
func isComment(e stream.Event) bool {
	return !slices.ContainsFunc(regexp.MustCompile("[\r\n]+").Split(strings.TrimPrefix(e.Raw, "\ufeff"), -1), func(line string) bool {
		name, _, _ := strings.Cut(line, ":")
		return name == "data"
	})
}

func TestFrames(t *testing.T) {
	for _, input := range eventStreams {
		for cut := range len(input) + 1 {
			checkEvents(t, input, cut)
		}
	}
}

func FuzzFrames(f *testing.F) {
	for _, input := range eventStreams {
		f.Add(input, uint16(len(input)/2))
	}
	for _, fix := range fixtures(f) {
		f.Add(fix.input, uint16(17))
	}
	if len(eventStreams) < 10 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, input string, cut uint16) {
		if strings.Contains(strings.TrimPrefix(input, "\ufeff"), "\ufeff") {
			return // a mark in the middle is part of a name
		}
		checkEvents(t, input, min(int(cut), len(input)))
	})
}

// texts finds the strings that a delta may change.
var texts = regexp.MustCompile(`"(content|reasoning_content|refusal|thinking|arguments|input|delta|text|partial_json|response)":( ?)"(\\.|[^"\\])*"`)

// TestFramesStay: where nothing is restored, every frame goes out, in order, with
// the bytes that it had but for texts that wait for the next frame; what is put in
// between are frames for tails, and the last one is empty where a text was held.
func TestFramesStay(t *testing.T) {
	v := vocabulary(t)
	for _, f := range fixtures(t) {
		got := run(t, begin(t, v, f.format), nothing, f.input).Out
		if f.format == stream.FormatText {
			if got != f.input {
				t.Errorf("%s came out as %q", f.name, got)
			}
			continue
		}
		for channel, text := range listen(f.format, f.input).texts {
			if diff := cmp.Diff(text, listen(f.format, got).texts[channel]); diff != "" {
				t.Errorf("%s, %s: %s", f.name, channel, diff)
			}
		}
		separator := regexp.MustCompile(`\r\n\r\n|\n\n|\r\r`)
		if f.format == stream.FormatNDJSON {
			separator = regexp.MustCompile(`\n`)
		}
		in := separator.Split(texts.ReplaceAllString(f.input, `"$1":$2""`), -1)
		extra := 0
		for _, frame := range separator.Split(texts.ReplaceAllString(got, `"$1":$2""`), -1) {
			if len(in) > 0 && frame == in[0] {
				in = in[1:]
				continue
			}
			if extra++; strings.Contains(frame, `"id":"call`) || strings.Contains(frame, `"name"`) {
				t.Errorf("%s: a tail says again what was said: %s", f.name, frame)
			}
		}
		if len(in) > 0 {
			t.Errorf("%s: %d frames are changed or lost, first %s", f.name, len(in), in[0])
		}
		const most = 4
		if extra > most {
			t.Errorf("%s: %d frames for tails", f.name, extra)
		}
	}
}

// TestWithoutTokens: with no token in it and nothing held, a stream comes out as it
// went in.
func TestWithoutTokens(t *testing.T) {
	v := vocabulary(t)
	for _, in := range []string{
		benchStream(3, 0), content(0, "zz\\u00e9\\ud83d zz\\n, 12"), ": a\r\n\r\ndata: [DONE]\r\n\r\n", "data: {\"a\":\ndata: 1}\n\n",
		strings.ReplaceAll(content(3, ", é."), "\n", "\r"),
	} {
		in = strings.ReplaceAll(in, "the ", "zzz ")
		for cut := range len(in) {
			if got := restore(t, begin(t, v, ""), in, cut); got.Out != in {
				t.Fatalf("cut at %d: %s", cut, cmp.Diff(in, got.Out))
			}
		}
	}
}
