package stream_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/stream"
)

// author writes texts and JSON as models do, with tokens in them.
type author struct {
	*rand.Rand
	tokens []string
}

func newAuthor(name string) *author {
	return &author{random(name), slices.Sorted(maps.Keys(values))}
}

func (a *author) pick(of ...string) string { return of[a.IntN(len(of))] }

// text is some words, tokens as they are and as models change them, and what
// begins like one.
func (a *author) text() string {
	var b strings.Builder
	for range a.IntN(5) {
		tok := a.tokens[a.IntN(len(a.tokens))]
		switch a.IntN(9) {
		case 0, 1, 2:
			b.WriteString(tok)
		case 3:
			b.WriteString(strings.ToLower(tok))
		case 4:
			b.WriteString(strings.Trim(tok, "[]"))
		case 5:
			b.WriteString(strings.ReplaceAll(tok, "_", a.pick("\\_", " ", "-")))
		case 6:
			b.WriteString(tok[:a.IntN(len(tok))])
		default:
			b.WriteString(a.pick("https://x.example/", "`", "\n", "\"", "\\", "{", "[", "]", " ", "é", "\U0001f600", "\u200b", "null", "1", ",", "](", "<a "))
		}
		b.WriteString(a.pick("", "", " ", ", "))
	}
	return b.String()
}

// value is JSON, with JSON in strings.
func (a *author) value(depth int) string {
	kinds := 7
	if depth == 0 {
		kinds = 4
	}
	switch a.IntN(kinds) {
	case 0:
		return a.pick("true", "false", "null", "0", "-0", "12", "-1.50e+3", "1E9")
	case 4:
		var parts []string
		for range a.IntN(4) {
			parts = append(parts, a.value(depth-1))
		}
		return "[" + a.space() + strings.Join(parts, a.space()+",") + "]"
	case 5:
		var parts []string
		for range a.IntN(4) {
			parts = append(parts, a.str(a.text())+a.space()+":"+a.value(depth-1))
		}
		return "{" + strings.Join(parts, ","+a.space()) + "}"
	case 6:
		return a.str(a.space() + a.value(depth-1))
	}
	return a.str(a.text())
}

func (a *author) space() string { return a.pick("", "", "", " ", "\n") }

// str spells a string, some characters with an escape that they do not need.
func (a *author) str(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\' || r < ' ' || a.IntN(12) == 0:
			if r > 0xffff {
				high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
				fmt.Fprintf(&b, `\u%04x\u%04X`, high, low)
			} else {
				fmt.Fprintf(&b, `\u%04x`, r)
			}
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// deltas cuts a text between characters and puts each piece into a frame.
func (a *author) deltas(form, text string) string {
	var b strings.Builder
	most := 1 + a.IntN(24)
	runes := []rune(text)
	for len(runes) > 0 {
		n := min(len(runes), a.IntN(most+1))
		fmt.Fprintf(&b, form, a.str(string(runes[:n])))
		runes = runes[n:]
	}
	return b.String()
}

const (
	contentForm   = `data: {"choices":[{"index":0,"delta":{"content":%s}}]}` + "\n\n"
	argumentsForm = `data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":%s}}]}}]}` + "\n\n"
)

// TestInvariant19_Texts: random texts, cut into random deltas, come out as the
// whole text does.
func TestInvariant19_Texts(t *testing.T) {
	v := vocabulary(t)
	a := newAuthor(t.Name())
	for range many() {
		text := a.text() + a.text() + a.text()
		in := a.deltas(contentForm, text)
		got := listen(stream.FormatChat, restore(t, begin(t, v, stream.FormatChat), in).Out).texts["content0"]
		if diff := cmp.Diff(restored(v, text, false), got); diff != "" {
			t.Fatalf("%q\n%s", in, diff)
		}
	}
}

// TestInvariant19_Calls: random arguments, cut into random deltas, come out as the
// whole body does, escapes and all.
func TestInvariant19_Calls(t *testing.T) {
	v := vocabulary(t)
	a := newAuthor(t.Name())
	asked := 0
	for range many() {
		args := a.value(5)
		if args[0] != '{' && args[0] != '[' {
			args = `{"a":` + args + `}`
		}
		if broken(args) {
			continue // the stream has taken it for JSON, up to where it is not
		}
		in := a.deltas(argumentsForm, args)
		r := restore(t, begin(t, v, stream.FormatChat), in)
		got := listen(stream.FormatChat, r.Out).calls["call0.0"]
		if diff := cmp.Diff(restoredCall(t, v, args), got); diff != "" {
			t.Fatalf("%s\n%s\n%s", args, in, diff)
		}
		for _, c := range r.Asked {
			if asked++; c.Place != stream.PlaceTool && c.Place != stream.PlaceURL {
				t.Fatalf("%+v", c)
			}
		}
	}
	if asked < many()/2 {
		t.Errorf("only %d tokens in %d calls", asked, many())
	}
}

// broken says whether a string of a JSON text begins like an object or a list,
// with a token in what is JSON of it, and is none.
func broken(text string) bool {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return true
	}
	var walk func(v any) bool
	walk = func(v any) bool {
		switch v := v.(type) {
		case string:
			s := strings.TrimLeft(v, " \n\t\r")
			return s != "" && (s[0] == '{' || s[0] == '[') && strings.ContainsRune(s, '"') && broken(s)
		case []any:
			return slices.ContainsFunc(v, walk)
		case map[string]any:
			for _, item := range v {
				if walk(item) {
					return true
				}
			}
		}
		return false
	}
	return walk(v)
}

// TestBrokenJSONStaysWhole: where a string only begins like JSON, or is cut off,
// the JSON around it is never broken by a value, and no token is lost.
func TestBrokenJSONStaysWhole(t *testing.T) {
	v := vocabulary(t)
	a := newAuthor(t.Name())
	asked := 0
	for range many() {
		inner := a.value(4)
		inner = inner[:a.IntN(len(inner)+1)] + a.text()
		args := `{"a":` + a.str(inner) + `,"b":` + a.str(a.text()) + `}`
		r := restore(t, begin(t, v, stream.FormatChat), a.deltas(argumentsForm, args))
		got := listen(stream.FormatChat, r.Out).calls["call0.0"]
		var out struct{ A, B string }
		if err := json.Unmarshal([]byte(got), &out); err != nil {
			t.Fatalf("%s\n%s\n%v", args, got, err)
		}
		asked += len(r.Asked)
	}
	if asked < many() {
		t.Errorf("only %d tokens", asked)
	}
}

// TestStringsThatLookLikeLists: a token at the beginning of a string is not lost
// because it begins like a list, and what stood before counts for the place.
func TestStringsThatLookLikeLists(t *testing.T) {
	v := vocabulary(t)
	for inner, want := range map[string]string{
		"[EMAIL_ADDRESS_3SZCTBH51T] and":                           "tool",
		" \n[EMAIL_ADDRESS_3SZCTBH51T]":                            "tool",
		"[email address 3szctbh51t]":                               "tool",
		"[[EMAIL_ADDRESS_3SZCTBH51T]]":                             "tool",
		`["x"] [EMAIL_ADDRESS_3SZCTBH51T]`:                         "tool",
		`{"a": [EMAIL_ADDRESS_3SZCTBH51T]}`:                        "tool",
		`{"a": "https://x.example/ [EMAIL_ADDRESS_3SZCTBH51T`:      "tool",
		`["https://x.example/?q=[EMAIL_ADDRESS_3SZCTBH51T]`:        "url",
		`{"a": https://x.example/?q=[EMAIL_ADDRESS_3SZCTBH51T]`:    "url",
		`["](https://x.example/" [EMAIL_ADDRESS_3SZCTBH51T]`:       "url",
		`{"a":"` + "\\u005b" + `EMAIL_ADDRESS_3SZCTBH51T]"}`:       "tool",
		`[true, EMAIL_ADDRESS_3SZCTBH51T`:                          "tool",
		`[1, -2.5e1, {"k":[EMAIL_ADDRESS_3SZCTBH51T]`:              "tool",
		`[nullEMAIL_ADDRESS_3SZCTBH51T] [EMAIL_ADDRESS_3SZCTBH51T`: "tool",
	} {
		args, err := json.Marshal(map[string]string{"a": inner})
		if err != nil {
			t.Fatal(err)
		}
		for size := 1; size < 9; size++ {
			var in strings.Builder
			for piece := range slices.Chunk(args, size) {
				fmt.Fprintf(&in, argumentsForm, strconv.Quote(string(piece)))
			}
			r := restore(t, begin(t, v, stream.FormatChat), in.String())
			if len(r.Asked) != 1 || string(r.Asked[0].Place) != want {
				t.Errorf("%s in pieces of %d: %+v", inner, size, r.Asked)
			}
		}
	}
}

// many is how often a property is tried.
func many() int {
	switch {
	case long():
		return 100_000
	case raceEnabled:
		return 300
	}
	return 2_000
}

// TestCutOffArguments: an answer that ends within arguments is escaped as JSON as
// far as it goes, and its last string is read to the end.
func TestCutOffArguments(t *testing.T) {
	v := vocabulary(t)
	for args, want := range map[string]string{
		`{"to":"[PERSON_5JQ7BRW43B]`:            `{"to":"Ann \"Q\" O'Neil\n<b>&amp;</b> \\`,
		`{"to":"PERSON_5JQ7BRW43B`:              `{"to":"Ann \"Q\" O'Neil\n<b>&amp;</b> \\`,
		`{"to":"[PERSON_5JQ7`:                   `{"to":"[PERSON_5JQ7`,
		`{"to":"x\u00`:                          `{"to":"x\u00`,
		`{"to":"x\ud83d`:                        `{"to":"x\ud83d`,
		`{"[PERSON_SP4C53X04W]`:                 `{"{\"a\":\"b\"}`,
		`{"d":"{\"to\":\"[PERSON_5JQ7BRW43B]\"`: `{"d":"{\"to\":\"Ann \\\"Q\\\" O'Neil\\n<b>&amp;</b> \\\\\"`,
		`plain [PERSON_5JQ7BRW43B] text`:        "plain Ann \"Q\" O'Neil\n<b>&amp;</b> \\ text",
	} {
		a := newAuthor(args)
		got := listen(stream.FormatChat, restore(t, begin(t, v, stream.FormatChat), a.deltas(argumentsForm, args)).Out).calls["call0.0"]
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", args, diff)
		}
	}
}
