package payload_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/payload"
)

const megabyte = 1 << 20

// fill repeats a unit to about a megabyte, between two ends.
func fill(before, unit, after string) []byte {
	return []byte(before + strings.Repeat(unit, megabyte/len(unit)) + after)
}

// quoted escapes a text for one level.
func quoted(text string) string { return `"` + deepen(text, 1) + `"` }

// hostile are bodies that cost a careless reader its stack, its memory, or the
// square of their length; and what becomes of them.
var hostile = []struct {
	name string
	body []byte
	rule payload.Rule
}{
	{"brackets", fill("", "[", ""), payload.RuleDepth},
	{"objects", fill("", `{"a":`, ""), payload.RuleDepth},
	{"both", fill("", `[{"a":`, ""), payload.RuleDepth},
	{"closing brackets", fill("", "]", ""), payload.RuleSyntax},
	{"white space", fill("", " ", ""), payload.RuleSyntax},
	{"backslashes", fill(`["`, `\\`, `"]`), ""},
	{"half escapes", fill(`["`, `\`, ``), payload.RuleSyntax},
	{"escaped NUL", fill(`["`, `\u0000`, `"]`), ""},
	{"half units", fill(`["`, `\u`, `"]`), payload.RuleSyntax},
	{"half pairs", fill(`["`, `\ud800`, `"]`), ""},
	{"quotes", fill(`["`, `\"`, `"]`), ""},
	{"a number", fill(``, `1`, ``), ""},
	{"a number with an exponent", fill(`1e`, `9`, ``), ""},
	{"small numbers", fill(`[1`, `,1`, `]`), ""},
	{"empty strings", fill(`[""`, `,""`, `]`), payload.RuleLeaves},
	{"numbers in objects", fill(`[{"":1}`, `,{"":1}`, `]`), payload.RuleLeaves},
	{"numbers and strings", fill(`[""`, `,1,""`, `]`), payload.RuleLeaves},
	{"empty objects", fill(`[{}`, `,{}`, `]`), ""},
	{"one key, often", fill(`{"a":null`, `,"a":null`, `}`), ""},
	{"one key in the envelope, often", fill(`{"jsonrpc":"2.0","result":{"a":null`, `,"a":null`, `}}`), payload.RuleDuplicate},
	{"different keys in the envelope", []byte(`{"messages":[],` + keys(60_000) + `}`), ""},
	{"a long key above many", fill(`{"`+strings.Repeat("k", megabyte/4)+`":["x"`, `,"x"`, `]}`), payload.RulePointers},
	{"long keys in one another", fill(strings.Repeat(`{"`+strings.Repeat("/", 4096)+`":`, 120)+`["x"`, `,"x"`,
		`]`+strings.Repeat("}", 120)), payload.RulePointers},
	{"brackets in a string", fill(`["`, `[`, `]"]`), ""},
	{"objects in a string", fill(`["`, `{\"a\":`, `}"]`), ""},
	{"strings of brackets", fill(`["[]"`, `,"[[]"`, `]`), payload.RuleLeaves},
	{"a data URL", fill(`["data:image/png;base64,`, `A`, `"]`), ""},
	{"nearly a data URL", fill(`["data:`, `;base64,`, `"]`), ""},
	{"base64 and then not", fill(`{"messages":[{"content":[{"type":"input_audio","input_audio":{"data":"`, `A`, ` "}}]}]}`), ""},
	{"strings in strings", []byte(quoted("[" + quoted("["+quoted(strings.Repeat("[", megabyte/16))+"]") + "]")), ""},
}

// TestHostileBodies reads bodies that are meant to hurt. The bound on memory
// shows that nothing in them is repeated more than a constant number of times.
func TestHostileBodies(t *testing.T) {
	const bytesPerByte = 128 // a key and a value of twelve bytes take 16 on the tape, and twice that of a leaf and its pointer
	for _, h := range hostile {
		t.Run(strings.ReplaceAll(h.name, " ", "_"), func(t *testing.T) {
			opts := plainJSON
			if shape := payload.Detect(h.body); shape != payload.UnknownShape {
				opts.Shape = shape
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			d, err := payload.Parse(h.body, opts)
			runtime.ReadMemStats(&after)
			if h.rule == "" && err != nil || h.rule != "" && !errors.Is(err, h.rule) {
				t.Fatalf("%v, not %q", err, h.rule)
			}
			if took := int(after.TotalAlloc - before.TotalAlloc); took > bytesPerByte*len(h.body) {
				t.Errorf("%d bytes for each byte", took/len(h.body))
			}
			if d == nil {
				return
			}
			if out := splice(t, d, nil); string(out) != string(h.body) {
				t.Error("no edit changed something")
			}
			var edits []payload.Edit
			for i, l := range d.Leaves() {
				edits = append(edits, payload.Edit{Leaf: i, End: len(l.Text), With: fmt.Sprintf("[T%d]", i)})
			}
			parse(t, splice(t, d, edits), opts)
		})
	}
}

// TestManyEdits makes an edit at each character of a long text, which must not
// be walked from its beginning each time, or joined piece by piece.
func TestManyEdits(t *testing.T) {
	for name, text := range map[string]string{"plain": "a", "escaped": `\u00e9`, "one escape": "a"} {
		body := fill(`["`, text, `"]`)
		if name == "one escape" {
			body = append([]byte(`["\n`), body[2:]...)
		}
		d := parse(t, body, plainJSON)
		var edits []payload.Edit
		for at := range d.Leaves()[0].Text {
			edits = append(edits, payload.Edit{Start: at, End: at, With: "x"})
		}
		if out := splice(t, d, edits); len(out) != len(body)+len(edits) {
			t.Errorf("%s: %d bytes", name, len(out))
		}
	}
}

// TestInvariant17_LimitsHold reaches each limit and passes it by one.
func TestInvariant17_LimitsHold(t *testing.T) {
	text := func(n int) []byte { return []byte(`"` + strings.Repeat("a", n-2) + `"`) }
	list := func(n int) []byte { return []byte(`["` + strings.Repeat(`","`, n-1) + `"]`) }
	deep := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	long := func(n int) []byte { // key, text and list: three pointers of n/3 and five bytes more
		return []byte(fmt.Sprintf(`{"%s":["x","y"]}`, strings.Repeat("k", (n-4)/3-1)))
	}
	for _, c := range []struct {
		name string
		make func(n int) []byte
		most int
		by   int
		rule payload.Rule
	}{
		{"bytes", text, payload.MaxBytes, 1, payload.RuleSize},
		{"leaves", list, payload.MaxLeaves, 1, payload.RuleLeaves},
		{"depth", deep, payload.MaxDepth, 1, payload.RuleDepth},
		{"pointers", long, payload.MaxPointerBytes, 3, payload.RulePointers},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := payload.Parse(c.make(c.most), plainJSON); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			if _, err := payload.Parse(c.make(c.most+c.by), plainJSON); !errors.Is(err, c.rule) {
				t.Errorf("behind the limit: %v, not %v", err, c.rule)
			}
			raised := payload.Options{Shape: payload.JSON, MaxDepth: 1 << 30, MaxLeaves: 1 << 30}
			if _, err := payload.Parse(c.make(c.most+c.by), raised); !errors.Is(err, c.rule) {
				t.Errorf("options raised the limit: %v", err)
			}
		})
	}
}
