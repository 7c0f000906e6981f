package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var testWords = words{"scope": true, "spans": true, "text": true, "start": true}

func TestReadStrictTakesOrdinaryJSON(t *testing.T) {
	for body, want := range map[string]any{
		`{}`:                               map[string]any{},
		` { "scope" : "a" } ` + "\r\n\t":   map[string]any{"scope": "a"},
		`{"text":"\ud83d\ude00 \u00e9 é"}`: map[string]any{"text": "😀 é é"},
		`{"text":"\\ud800 is no escape"}`:  map[string]any{"text": `\ud800 is no escape`},
		`{"text":"\u0000"}`:                map[string]any{"text": "\x00"},
		`{"spans":[{"start":0},null,true,[]]}`: map[string]any{
			"spans": []any{map[string]any{"start": json.Number("0")}, nil, true, []any{}},
		},
		`-1`: json.Number("-1"),
	} {
		got, err := readStrict([]byte(body), testWords)
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
}

// Each of these means two things to two parsers, or is more than it should be.
var ambiguous = map[string]struct {
	body   string
	status int
	field  string // of the violation, where there is one
}{
	"empty":                         {"", 400, ""},
	"nothing but space":             {" \n", 400, ""},
	"two values":                    {`{} {}`, 400, ""},
	"trailing bracket":              {`{}}`, 400, ""},
	"trailing zero byte":            {"{}\x00", 400, ""},
	"byte order mark":               {"\ufeff{}", 400, ""},
	"comment":                       {`{/**/}`, 400, ""},
	"trailing comma":                {`{"scope":"a",}`, 400, ""},
	"single quotes":                 {`{'scope':'a'}`, 400, ""},
	"control character in a string": {"{\"scope\":\"a\nb\"}", 400, ""},
	"bad escape":                    {`{"scope":"\x41"}`, 400, ""},
	"NaN":                           {`{"start":NaN}`, 400, ""},
	"leading zero":                  {`{"start":01}`, 400, ""},
	"invalid UTF-8":                 {"{\"scope\":\"\xff\"}", 400, ""},
	"overlong UTF-8":                {"{\"scope\":\"\xc0\x80\"}", 400, ""},
	"raw surrogate":                 {"{\"scope\":\"\xed\xa0\x80\"}", 400, ""},
	"high surrogate alone":          {`{"text":"\ud83d"}`, 400, ""},
	"high surrogate and letter":     {`{"text":"\ud83dx"}`, 400, ""},
	"high surrogate and escape":     {`{"text":"\ud83d\n"}`, 400, ""},
	"high surrogate twice":          {`{"text":"\ud83d\ud83d"}`, 400, ""},
	"low surrogate alone":           {`{"text":"\ude00"}`, 400, ""},
	"surrogates the wrong way":      {`{"text":"\ude00\ud83d"}`, 400, ""},
	"surrogate in a name":           {`{"\ud800":1}`, 400, ""},
	"duplicate":                     {`{"scope":"a","scope":"b"}`, 400, ""},
	"duplicate by an escape":        {`{"scope":"a","sc\u006fpe":"b"}`, 400, ""},
	"duplicate below":               {`{"spans":[{"start":1},{"start":1,"start":2}]}`, 400, "/spans/1"},
	"duplicate below digits":        {`{"spans":{"47160":{"y":1,"y":2}}}`, 400, "/spans"},
	"duplicate of a stranger":       {`{"spans":[{"x":{"y":1,"y":2}}]}`, 400, "/spans/0"},
	"fraction":                      {`{"spans":[{"start":1.0}]}`, 422, "/spans/0/start"},
	"exponent":                      {`{"spans":[{"start":1e2}]}`, 422, "/spans/0/start"},
	"too deep":                      {strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1), 413, ""},
	"far too deep":                  {strings.Repeat(`{"scope":`, 20_000) + "1" + strings.Repeat("}", 20_000), 400, ""},
	"too many values":               {"[" + strings.Repeat("1,", MaxNodes) + "1]", 413, ""},
}

func TestReadStrictRefusesWhatIsAmbiguous(t *testing.T) {
	for name, c := range ambiguous {
		_, err := readStrict([]byte(c.body), testWords)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		p := problemOf(err, "")
		if int(p.Status) != c.status || p.Code != "invalid" {
			t.Errorf("%s: %d %s, want %d invalid", name, p.Status, p.Code, c.status)
		}
		if p.Errors != nil && (*p.Errors)[0].Field != c.field {
			t.Errorf("%s: field %q, want %q", name, (*p.Errors)[0].Field, c.field)
		}
	}
}

// The twin: encoding/json alone takes what the table calls ambiguous, so that
// the checks before it are what refuses them.
func TestReadStrictRefusesWhatIsAmbiguous_Twin(t *testing.T) {
	for _, name := range []string{
		"duplicate", "duplicate by an escape", "high surrogate alone", "low surrogate alone", "invalid UTF-8", "too deep",
	} {
		var v any
		if err := json.Unmarshal([]byte(ambiguous[name].body), &v); err != nil {
			t.Errorf("%s: encoding/json refuses it by itself (%v): the check guards nothing", name, err)
		}
	}
}

func TestDepthIsCountedExactly(t *testing.T) {
	nested := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	if _, err := readStrict(nested(MaxDepth), testWords); err != nil {
		t.Errorf("depth %d: %v", MaxDepth, err)
	}
	_, err := readStrict(nested(MaxDepth+1), testWords)
	var e *vault.Error
	if !errors.As(err, &e) || e.Limit != limitDepth {
		t.Errorf("depth %d: %v, want the limit %s", MaxDepth+1, err, limitDepth)
	}
}

var knownPlace = regexp.MustCompile(`^(/(scope|spans|text|start|[0-9]{1,5}))*$`)

// FuzzReadStrict: what is accepted is exactly what encoding/json reads, with
// no member lost; what is refused is refused without a word of the input.
func FuzzReadStrict(f *testing.F) {
	seeds, err := filepath.Glob("testdata/fuzz/FuzzReadStrict/*")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seed corpus: %v", err)
	}
	for _, c := range ambiguous {
		if len(c.body) < 1<<10 {
			f.Add([]byte(c.body))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := readStrict(body, testWords)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		var want any
		if err := decoder.Decode(&want); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("reads otherwise than encoding/json: %s", diff)
		}
		if members(got) != colons(body) {
			t.Fatalf("%d members of %d: one was lost", members(got), colons(body))
		}
	})
}

func checkRefusal(t *testing.T, err error) {
	p := problemOf(err, "")
	if p.Code != "invalid" {
		t.Fatalf("refused with the code %s", p.Code)
	}
	for _, v := range value(p.Errors) {
		if !knownPlace.MatchString(v.Field) {
			t.Fatalf("a place that is not of the document: %q", v.Field)
		}
	}
}

// members counts the members of all objects.
func members(v any) int {
	n := 0
	switch v := v.(type) {
	case map[string]any:
		n = len(v)
		for _, m := range v {
			n += members(m)
		}
	case []any:
		for _, m := range v {
			n += members(m)
		}
	}
	return n
}

// colons counts members in another way: colons outside strings.
func colons(body []byte) int {
	n, inside := 0, false
	for i := 0; i < len(body); i++ {
		switch {
		case body[i] == '"':
			inside = !inside
		case inside && body[i] == '\\':
			i++
		case !inside && body[i] == ':':
			n++
		}
	}
	return n
}

func TestSeedCorpusIsThere(t *testing.T) {
	seeds, err := os.ReadDir("testdata/fuzz/FuzzReadStrict")
	if err != nil || len(seeds) == 0 {
		t.Fatalf("the seed corpus is empty: %v", err)
	}
}
