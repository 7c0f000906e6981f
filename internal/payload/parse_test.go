package payload_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/payload"
)

// grammar are texts at the edges of RFC 8259.
var grammar = []string{
	``, ` `, `null`, ` true `, `false`, `nul`, `nulll`, `True`, `"a"`, `"a`, `a`, `'a'`, `"a" "b"`, `[]`, `[1,]`, `[,1]`,
	`[1 2]`, `[1}`, `{]`, `{}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a":1 "b":2}`, `{a:1}`, `{1:1}`, `{"a"::1}`,
	`{"a":1}}`, `]`, `}`, `,`, `:`, `[[[]]]`, `0`, `-0`, `-`, `+1`, `01`, `-01`, `1.`, `.1`, `1.5`, `1e`, `1e+`, `1e5`, `1E-5`,
	`1e400`, `1.0e+05`, `0x1`, `NaN`, `Infinity`, `1_000`, "\"\t\"", "\"\x00\"", `"\u0000"`, `"\x"`, `"\u12"`, `"\u12g4"`, `"\uD800"`,
	`"\uD83D\uDE00"`, `"\/"`, `"\`, `"\"`, "\ufeff1", "[1]\x00", "\v1", "\u00a01", `/* */1`, `[1]//`, "\"\x7f\u2028\"", `"\u00E9"`, `1,2`, `"\'"`,
}

func TestParseIsStrict(t *testing.T) {
	for _, text := range grammar {
		_, err := payload.Parse([]byte(text), plainJSON)
		if want := json.Valid([]byte(text)); (err == nil) != want {
			t.Errorf("%q: %v, valid %v", text, err, want)
		}
		if err != nil && !errors.Is(err, payload.RuleSyntax) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParseRefusals(t *testing.T) {
	deep := strings.Repeat("[", payload.MaxDepth+1) + strings.Repeat("]", payload.MaxDepth+1)
	for _, c := range []struct {
		name, body string
		opts       payload.Options
		rule       payload.Rule
		pointer    string
		at         int
	}{
		{"not UTF-8", "[\"\u00e9\xff\"]", plainJSON, payload.RuleUTF8, "", 4},
		{"overlong", "\"\xc0\x80\"", plainJSON, payload.RuleUTF8, "", 1},
		{"a surrogate in UTF-8", "\"\xed\xa0\x80\"", plainJSON, payload.RuleUTF8, "", 1},
		{"syntax", `{"a":tru}`, plainJSON, payload.RuleSyntax, "", 5},
		{"too deep", deep, plainJSON, payload.RuleDepth, "", payload.MaxDepth},
		{"deeper than asked", `[[[]]]`, payload.Options{Shape: payload.JSON, MaxDepth: 2}, payload.RuleDepth, "", 2},
		{"leaves", `["a","b","c"]`, payload.Options{Shape: payload.JSON, MaxLeaves: 2}, payload.RuleLeaves, "", 0},
		{"skips count too", `[1,"b",2]`, payload.Options{Shape: payload.JSON, MaxLeaves: 2}, payload.RuleLeaves, "", 0},
		{"leaves in a string", `["[\"a\",\"b\",\"c\"]"]`, payload.Options{Shape: payload.JSON, MaxLeaves: 2}, payload.RuleLeaves, "", 0},
		{"unknown shape", `{"a":"b"}`, payload.Options{}, payload.RuleUnknownShape, "", 0},
		{"no such shape", `{"a":"b"}`, payload.Options{Shape: "openai"}, payload.RuleShapeName, "", 0},
		{"no such policy", `{"a":"b"}`, payload.Options{Unknown: "allow"}, payload.RulePolicyName, "", 0},
		{"a key twice", `{"model":"m","messages":[],"model":"n"}`, payload.Options{}, payload.RuleDuplicate, "/model", 0},
		{"spelled otherwise", `{"messages":[{"role":"user","content":"a","c\u006fntent":"b"}]}`, payload.Options{}, payload.RuleDuplicate, "/messages/0/content", 0},
		{"an unknown key twice", `{"messages":[{"role":"user","jane":"a","jane":"b"}]}`, payload.Options{}, payload.RuleDuplicate, "/messages/0", 0},
		{"twice among many", `{"messages":[],` + keys(40) + `,"k39":1}`, payload.Options{}, payload.RuleDuplicate, "", 0},
		{"in Anthropic's block", `{"system":"s","messages":[{"role":"user","content":[{"type":"text","text":"a","text":"b"}]}]}`, payload.Options{}, payload.RuleDuplicate, "/messages/0/content/0/text", 0},
		{"in Gemini's part", `{"contents":[{"parts":[{"text":"a","text":"b"}]}]}`, payload.Options{}, payload.RuleDuplicate, "/contents/0/parts/0/text", 0},
		{"in a call of MCP", `{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a","arguments":{},"name":"b"}}`, payload.Options{}, payload.RuleDuplicate, "/params/name", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := payload.Parse([]byte(c.body), c.opts)
			var got *payload.Error
			if !errors.As(err, &got) || !errors.Is(err, c.rule) || got.Pointer != c.pointer || got.At != c.at {
				t.Errorf("%v, not %v at %q, %d", err, c.rule, c.pointer, c.at)
			}
		})
	}
}

func keys(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`"k%d":"v"`, i))
	}
	return strings.Join(all, ",")
}

// TestTwinKeysTwice shows what the refusal is for: one key, two meanings.
func TestTwinKeysTwice(t *testing.T) {
	body := []byte(`{"messages":[{"role":"user","content":"a","role":"tool"}]}`)
	d, err := payload.ParseWithout(body, payload.Options{}, payload.AnyKeys)
	if err != nil || len(d.Leaves()) != 1 {
		t.Fatal(err)
	}
	if _, err := payload.Parse(body, payload.Options{}); !errors.Is(err, payload.RuleDuplicate) {
		t.Errorf("%v: the guard guards nothing", err)
	}
}

// TestFreeJSONMayRepeatKeys: both are leaves.
func TestFreeJSONMayRepeatKeys(t *testing.T) {
	body := `{"jsonrpc":"2.0","method":"tools/call","params":{"name":"f","arguments":{"a":"1","a":"2"}}}`
	d := parse(t, []byte(body), payload.Options{})
	if n := len(d.Leaves()); n != 4 {
		t.Errorf("%d leaves", n)
	}
}

func TestUnknownShapes(t *testing.T) {
	body := []byte(`{"prompt":"Jane"}`)
	d := parse(t, body, payload.Options{Unknown: payload.UnknownEveryLeaf})
	if d.Shape() != payload.UnknownShape || len(d.Leaves()) != 2 {
		t.Errorf("%s, %d leaves", d.Shape(), len(d.Leaves()))
	}
	d = parse(t, body, payload.Options{Unknown: payload.UnknownSkip})
	if s := d.Skipped(); len(d.Leaves()) != 0 || len(s) != 1 || s[0] != (payload.Skip{Why: payload.WhyPolicy}) {
		t.Errorf("%v", s)
	}
	if out := splice(t, d, nil); string(out) != string(body) {
		t.Errorf("%s", out)
	}
}

// TestInvariant12_ErrorsDoNotQuote looks for what stood in the body in every
// kind of error, at every place where it can be cut.
func TestInvariant12_ErrorsDoNotQuote(t *testing.T) {
	const canary = "canary"
	for _, f := range fixtures(t) {
		body := strings.NewReplacer("Jane", canary, "jane", canary).Replace(string(f.body))
		if !strings.Contains(body, canary) {
			continue
		}
		for at := range len(body) {
			if _, err := payload.Parse([]byte(body[:at]), f.opts); err != nil && strings.Contains(err.Error(), canary) {
				t.Fatalf("%s cut at %d: %v", f.name, at, err)
			}
		}
		twice := strings.Replace(body, "{", `{"`+canary+`":1,"`+canary+`":1,`, 1)
		if _, err := payload.Parse([]byte(twice), f.opts); err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", f.name, err)
		}
		d := parse(t, []byte(body), f.opts)
		for i := range d.Leaves() {
			if _, err := d.Splice([]payload.Edit{{Leaf: i, Start: -1, With: canary}}); strings.Contains(err.Error(), canary) {
				t.Error(err)
			}
		}
	}
}

// canarySpot is a member that no format has.
const canarySpot = `"x_new":{"deep":["jane.roe@example.com",{"k":4155550132}]},"x_other":"jane.roe@example.com"`

// found counts the leaves that say so.
func found(d *payload.Document, text string) int {
	n := 0
	for _, l := range d.Leaves() {
		if strings.Contains(l.Text, text) {
			n++
		}
	}
	return n
}

// TestUnknownMembersAreSearched puts members that no format has into every
// object of every fixture. They are found everywhere but in schemas.
func TestUnknownMembersAreSearched(t *testing.T) {
	for _, f := range fixtures(t) {
		before := parse(t, f.body, f.opts)
		f.opts.Shape = before.Shape()
		schemas := 0
		for _, s := range before.Skipped() {
			if s.Why == payload.WhySchema {
				schema, err := follow(f.body, s.Pointer)
				if err != nil {
					t.Fatal(err)
				}
				schemas += objects(schema)
			}
		}
		missed := 0
		for at := range len(f.body) {
			if f.body[at] != '{' {
				continue
			}
			comma := ","
			if f.body[at+1] == '}' {
				comma = ""
			}
			body := string(f.body[:at+1]) + canarySpot + comma + string(f.body[at+1:])
			d, err := payload.Parse([]byte(body), f.opts)
			if err != nil {
				continue // within a string
			}
			mails := found(d, "jane.roe@example.com") - found(before, "jane.roe@example.com")
			phones := found(d, "4155550132") - found(before, "4155550132")
			switch {
			case mails == 0 && phones == 0:
				missed++
			case mails != 2 || phones != 1:
				t.Errorf("%s: %d mails, %d phones behind %s", f.name, mails, phones, f.body[max(0, at-30):at+1])
			}
		}
		if missed != schemas {
			t.Errorf("%s: not found in %d objects, of which %d are schemas", f.name, missed, schemas)
		}
	}
}

// objects counts the objects in a value.
func objects(v any) int {
	n := 0
	switch in := v.(type) {
	case map[string]any:
		n = 1
		for _, item := range in {
			n += objects(item)
		}
	case []any:
		for _, item := range in {
			n += objects(item)
		}
	}
	return n
}

// TestTwinUnknownMembers takes the guard out.
func TestTwinUnknownMembers(t *testing.T) {
	body := []byte(`{"messages":[{"role":"user","content":"a",` + canarySpot + `}]}`)
	d, err := payload.ParseWithout(body, payload.Options{}, payload.TrustAll)
	if err != nil || found(d, "jane") != 0 {
		t.Errorf("%v: nobody noticed", err)
	}
	if found(parse(t, body, payload.Options{}), "jane") != 2 {
		t.Error("the guard guards nothing")
	}
}

// TestStructureThatIsNone: what stands where an identifier, media or a schema
// belongs, and could not be one, is searched.
func TestStructureThatIsNone(t *testing.T) {
	for _, c := range []struct {
		body   string
		leaves int
	}{
		{`{"model":"gpt-4o","messages":[]}`, 0},
		{`{"model":"jane.roe@example.com","messages":[]}`, 1},
		{`{"model":"Jane Roe","messages":[]}`, 1},
		{`{"model":"4155550132","messages":[]}`, 1},
		{`{"model":"078-05-1120","messages":[]}`, 1},
		{`{"model":"https://example.com/jane","messages":[]}`, 1},
		{`{"model":"` + strings.Repeat("m", payload.MaxIdentifier+1) + `","messages":[]}`, 1},
		{`{"model":{"a":"b"},"messages":[]}`, 0},
		{`{"model":{"a":"Jane Roe"},"messages":[]}`, 2},
		{`{"model":["Jane Roe"],"messages":[]}`, 1},
		{`{"tools":[{"function":{"parameters":"Jane"}}],"messages":[]}`, 1},
		{`{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"Jane Roe"}}]}]}`, 1},
		{`{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":{"a":"b"}}}]}]}`, 2},
		{`{"messages":[{"role":"user","content":{"text":"a"}}]}`, 1},
		{`{"messages":[{"role":"user","content":["a",["b"],{"x":"y"}]}]}`, 4},
		{`{"messages":["Jane",4155550132,{"role":["Jane Roe"]}]}`, 3},
		{`{"messages":[{"role":"user","content":"data:image/png;base64,AA=="}]}`, 0},
		{`{"messages":[{"role":"user","content":"data:image/png;base64,Jane Roe"}]}`, 1},
		{`{"messages":[{"role":"user","content":"data:Jane Roe;base64,AA=="}]}`, 1},
	} {
		d := parse(t, []byte(c.body), payload.Options{Shape: payload.OpenAIChatRequest})
		if got := len(d.Leaves()); got != c.leaves {
			t.Errorf("%d leaves, not %d\n%s%s", got, c.leaves, c.body, list(d))
		}
	}
}

func TestNumbers(t *testing.T) {
	for text, leaf := range map[string]bool{
		"123456": false, "1234567": true, "-123456": false, "12345.67": true, "1.5e10": false, "1.23456e1": true,
		"0.000001": true, "0": false, "1e400": false, "123456E9": true,
	} {
		d := parse(t, []byte(text), plainJSON)
		if got := len(d.Leaves()) == 1; got != leaf || !got && d.Skipped()[0].Why != payload.WhyNumberShort {
			t.Errorf("%s: leaf %v", text, got)
		}
	}
}

// TestNestedDepth: JSON in strings is read down to MaxNested levels; what is
// deeper is text, and so is what is too deep to be read.
func TestNestedDepth(t *testing.T) {
	body := `{"k":"bottom"}`
	for level := 1; level <= payload.MaxNested+2; level++ {
		quoted, err := json.Marshal([]string{body})
		if err != nil {
			t.Fatal(err)
		}
		body = string(quoted)
		leaves := parse(t, []byte(body), plainJSON).Leaves()
		last := leaves[len(leaves)-1]
		if level <= payload.MaxNested && (len(leaves) != 2 || last.Text != "bottom" || last.Pointer != strings.Repeat("/0", level)+"/k") {
			t.Errorf("level %d: %v", level, leaves)
		}
		if level > payload.MaxNested && (len(leaves) != 1 || last.Pointer != strings.Repeat("/0", payload.MaxNested+1)) {
			t.Errorf("level %d: %v", level, leaves)
		}
	}
	deep := strings.Repeat("[", payload.MaxDepth+1) + strings.Repeat("]", payload.MaxDepth+1)
	if l := parse(t, []byte(`["`+deep+`"]`), plainJSON).Leaves(); len(l) != 1 || l[0].Text != deep {
		t.Errorf("%d leaves", len(l))
	}
}

// TestPointers follows each pointer with encoding/json, into JSON in strings
// too, and finds the same text there.
func TestPointers(t *testing.T) {
	for _, f := range fixtures(t) {
		if f.name == "plain" || f.name == "openai_chat_request" {
			continue // they have keys twice, of which encoding/json knows one
		}
		for _, l := range parse(t, f.body, f.opts).Leaves() {
			got, err := follow(f.body, l.Pointer)
			parts := strings.Split(l.Pointer, "/")
			name := strings.NewReplacer("~1", "/", "~0", "~").Replace(parts[len(parts)-1])
			switch {
			case err != nil:
				t.Errorf("%s %s: %v", f.name, l.Pointer, err)
			case l.Kind == payload.KindKey && l.Text != name, l.Kind == payload.KindText && got != l.Text,
				l.Kind == payload.KindNumber && got != json.Number(l.Text):
				t.Errorf("%s %s: %v, not %s", f.name, l.Pointer, got, l.Text)
			}
		}
	}
}

func follow(text []byte, pointer string) (any, error) {
	decode := func(text string) (v any, err error) {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		return v, d.Decode(&v)
	}
	v, err := decode(string(text))
	for _, part := range strings.Split(pointer, "/")[1:] {
		if s, ok := v.(string); ok && err == nil {
			v, err = decode(s)
		}
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch in := v.(type) {
		case map[string]any:
			v = in[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(in) {
				return nil, fmt.Errorf("index %q", part)
			}
			v = in[i]
		default:
			return nil, fmt.Errorf("nothing at %q", part)
		}
	}
	return v, err
}

// TestSharedDocument lets many read and write at once; the race detector looks.
func TestSharedDocument(t *testing.T) {
	for _, f := range fixtures(t) {
		d := parse(t, f.body, f.opts)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				m := d.Manifest(nil)
				if out, err := d.Splice(editsOf(d, "Jane", "[T]")); err != nil || len(out) == 0 || m.Digest() == "" {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
}

// TestBodyIsCopied: the caller may use its buffer again.
func TestBodyIsCopied(t *testing.T) {
	body := []byte(`["Jane"]`)
	d := parse(t, body, plainJSON)
	clear(body)
	if got := string(splice(t, d, nil)); got != `["Jane"]` || d.Leaves()[0].Text != "Jane" {
		t.Errorf("%q", got)
	}
}

func TestLeafTextsAreUTF8(t *testing.T) {
	d := parse(t, []byte(`["\ud800","\udc00\ud800","\ud83d\u0041","\u0000"]`), plainJSON)
	want := []string{"\ufffd", "\ufffd\ufffd", "\ufffdA", "\x00"}
	for i, l := range d.Leaves() {
		if !utf8.ValidString(l.Text) || l.Text != want[i] {
			t.Errorf("%q, not %q", l.Text, want[i])
		}
	}
}
