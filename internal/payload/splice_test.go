package payload_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/payload"
)

var plainJSON = payload.Options{Shape: payload.JSON}

// broken says which promise of Splice does not hold for a model.
func broken(m *model, guards ...payload.Fault) error {
	body := m.body()
	d, err := payload.ParseWithout(body, plainJSON, guards...)
	if err != nil {
		return err
	}
	if len(d.Leaves()) != len(m.leaves) {
		return fmt.Errorf("%d leaves, not %d", len(d.Leaves()), len(m.leaves))
	}
	for i, l := range m.leaves {
		if got := d.Leaves()[i]; got.Text != l.text(m.cells) || got.Kind != l.kind {
			return fmt.Errorf("leaf %d is %s %q, not %s %q", i, got.Kind, got.Text, l.kind, l.text(m.cells))
		}
	}
	if same, err := d.Splice(nil); err != nil || !bytes.Equal(same, body) {
		return fmt.Errorf("no edit changed something, %w", err)
	}
	out, err := d.Splice(m.calls())
	if err != nil {
		return err
	}
	if want := m.edited(); !bytes.Equal(out, want) {
		return fmt.Errorf("(-want +got)\n%s", cmp.Diff(string(want), string(out)))
	}
	return rereadBroken(m, d, out)
}

// rereadBroken says whether Rereads knew how the edited body is read.
func rereadBroken(m *model, d *payload.Document, out []byte) error {
	shifts, err := d.Rereads(m.calls())
	if err != nil {
		return err
	}
	again, err := payload.Parse(out, plainJSON)
	if err != nil {
		return err
	}
	var got, want []string
	for _, l := range again.Leaves() {
		got = append(got, l.Text)
	}
	want = append(want, m.texts()...)
	if same := cmp.Equal(got, want); same != (len(shifts) == 0) {
		return fmt.Errorf("read alike: %v, but Rereads says %v", same, shifts)
	}
	return nil
}

// TestInvariant3_SpliceChangesNothingElse draws bodies and edits. The model
// says which bytes must come out.
func TestInvariant3_SpliceChangesNothingElse(t *testing.T) {
	check(t, 3000, func(r *rapid.T) {
		m := models.Draw(r, "body")
		if err := broken(m); err != nil {
			r.Fatalf("%s\nedits %+v\n%v", m.body(), m.calls(), err)
		}
	})
}

// TestInvariant3_Twin takes out the escaping of new text, then the offsets of
// escapes: the property must notice.
func TestInvariant3_Twin(t *testing.T) {
	for name, guard := range map[string]payload.Fault{"escape": payload.PlainEscape, "offsets": payload.RawOffsets} {
		t.Run(name, func(t *testing.T) {
			for seed := range 500 {
				if broken(models.Example(seed), guard) != nil {
					return
				}
			}
			t.Error("nobody noticed")
		})
	}
}

// TestModelReachesDepth asserts that the drawn bodies hold what the property
// is about.
func TestModelReachesDepth(t *testing.T) {
	var edits, numbers int
	var depths [payload.MaxNested + 1]int
	for seed := range 500 {
		m := models.Example(seed)
		if !json.Valid(m.body()) {
			t.Fatalf("not JSON: %s", m.body())
		}
		edits += len(m.edits)
		for i, l := range m.leaves {
			depths[l.depth] += len(m.of(i))
			if l.kind == payload.KindNumber {
				numbers++
			}
		}
	}
	for depth, n := range depths {
		if n < 20 {
			t.Errorf("only %d edits at depth %d", n, depth)
		}
	}
	if edits < 500 || numbers < 50 {
		t.Errorf("%d edits, %d numbers", edits, numbers)
	}
}

// TestInvariant3_FixturesComeBack puts a token over each leaf of each fixture
// and takes it away again, from a body that was read anew in between.
func TestInvariant3_FixturesComeBack(t *testing.T) {
	for _, f := range fixtures(t) {
		t.Run(f.name, func(t *testing.T) {
			d := parse(t, f.body, f.opts)
			f.opts.Shape = d.Shape()
			var hide []payload.Edit
			for i, l := range d.Leaves() {
				if l.Kind != payload.KindNumber { // a number comes back as a string
					hide = append(hide, payload.Edit{Leaf: i, End: len(l.Text), With: fmt.Sprintf("[TOKEN_%d]", i)})
				}
			}
			hidden := splice(t, d, hide)
			if shifts, err := d.Rereads(hide); err != nil || len(shifts) > 0 {
				t.Fatal(shifts, err)
			}
			for _, l := range d.Leaves() {
				if len(l.Text) > 6 && l.Kind == payload.KindText && bytes.Contains(hidden, []byte(l.Text)) && l.Text != "4155550132" {
					t.Errorf("%s is still there", l.Pointer)
				}
			}
			again := parse(t, hidden, f.opts)
			var show []payload.Edit
			for i, l := range again.Leaves() {
				if l.Kind != payload.KindNumber {
					show = append(show, payload.Edit{Leaf: i, End: len(l.Text), With: d.Leaves()[i].Text})
				}
			}
			if diff := cmp.Diff(list(d), list(parse(t, splice(t, again, show), f.opts))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func splice(tb testing.TB, d *payload.Document, edits []payload.Edit) []byte {
	tb.Helper()
	out, err := d.Splice(edits)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func TestSpliceSpellings(t *testing.T) {
	for _, c := range []struct {
		name, body string
		edits      []payload.Edit
		want       string
	}{
		{"a number becomes a string", `[ 4155550132 ]`, []payload.Edit{{0, 0, 10, "[T]"}}, `[ "[T]" ]`},
		{"a part of one too", `[4155550132]`, []payload.Edit{{0, 3, 10, "\""}}, `["415\""]`},
		{"and in a string", `["[4155550132]"]`, []payload.Edit{{0, 0, 10, "[T]"}}, `["[\"[T]\"]"]`},
		{"a key", `{"\u0061@b" :1}`, []payload.Edit{{0, 0, 3, "k\n"}}, `{"k\n" :1}`},
		{"half a pair next to it", `["\ud83dX\ude00"]`, []payload.Edit{{0, 3, 4, "Y"}}, `["\ud83dY\ude00"]`},
		{"half a pair in it", `["\ud83dX"]`, []payload.Edit{{0, 0, 3, "Y"}}, `["YX"]`},
		{"a whole pair", `["\ud83d\ude00X"]`, []payload.Edit{{0, 0, 4, ""}}, `["X"]`},
		{"touching", `["abc"]`, []payload.Edit{{0, 1, 2, "2"}, {0, 0, 1, "1"}}, `["12c"]`},
		{"put in", `["abc"]`, []payload.Edit{{0, 3, 3, "!"}, {0, 0, 0, "?"}}, `["?abc!"]`},
		{"put in twice", `["ab"]`, []payload.Edit{{0, 1, 1, "1"}, {0, 1, 1, "2"}}, `["a12b"]`},
		{"left out beside a new one", `["\ud83dXY\ude00"]`, []payload.Edit{{0, 3, 4, ""}, {0, 4, 5, "-"}}, `["\ud83d-\ude00"]`},
		{"backslashes", `["\\ud83dX\\ude00"]`, []payload.Edit{{0, 6, 7, ""}}, `["\\ud83d\\ude00"]`},
		{"twice the same key", `{"a":"x","a":"x"}`, []payload.Edit{{1, 0, 1, "1"}, {3, 0, 1, "2"}}, `{"a":"1","a":"2"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := splice(t, parse(t, []byte(c.body), plainJSON), c.edits)
			if string(got) != c.want {
				t.Errorf("%s, not %s", got, c.want)
			}
		})
	}
}

func TestSpliceRefuses(t *testing.T) {
	const body = `["a\u00e9b","\ud83dX\ude00","[\"\\ud83dX\\ude00\"]","\ud83dXY\ude00"]`
	d := parse(t, []byte(body), plainJSON)
	for _, c := range []struct {
		name  string
		edits []payload.Edit
		want  payload.Rule
	}{
		{"no leaf", []payload.Edit{{4, 0, 0, ""}}, payload.RuleEditLeaf},
		{"negative leaf", []payload.Edit{{-1, 0, 0, ""}}, payload.RuleEditLeaf},
		{"behind the end", []payload.Edit{{0, 0, 5, ""}}, payload.RuleEditRange},
		{"before the start", []payload.Edit{{0, -1, 2, ""}}, payload.RuleEditRange},
		{"backwards", []payload.Edit{{0, 1, 0, ""}}, payload.RuleEditRange},
		{"from within a character", []payload.Edit{{0, 2, 3, ""}}, payload.RuleEditRange},
		{"into a character", []payload.Edit{{0, 0, 2, ""}}, payload.RuleEditRange},
		{"overlap", []payload.Edit{{0, 0, 3, "x"}, {0, 1, 4, "y"}}, payload.RuleEditOverlap},
		{"put into another", []payload.Edit{{0, 0, 3, "x"}, {0, 1, 1, "y"}}, payload.RuleEditOverlap},
		{"not UTF-8", []payload.Edit{{0, 0, 1, "\xff"}}, payload.RuleEditUTF8},
		{"two halves meet", []payload.Edit{{1, 3, 4, ""}}, payload.RuleEditJoin},
		{"two halves meet in a string", []payload.Edit{{2, 3, 4, ""}}, payload.RuleEditJoin},
		{"two halves meet over two edits", []payload.Edit{{3, 3, 4, ""}, {3, 4, 5, ""}}, payload.RuleEditJoin},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := d.Splice(c.edits); !errors.Is(err, c.want) {
				t.Errorf("%v, not %v", err, c.want)
			}
		})
	}
}

// TestTwinHalvesMeet shows what the refusal is for.
func TestTwinHalvesMeet(t *testing.T) {
	const body = `["\ud83dX\ude00"]`
	d, err := payload.ParseWithout([]byte(body), plainJSON, payload.Joining)
	if err != nil {
		t.Fatal(err)
	}
	out := splice(t, d, []payload.Edit{{Leaf: 0, Start: 3, End: 4}})
	if got := parse(t, out, plainJSON).Leaves()[0].Text; got == "\ufffd\ufffd" {
		t.Errorf("%q: the guard guards nothing", got)
	}
}

func TestRereads(t *testing.T) {
	chat := `{"model":"gpt","messages":[{"role":"tool","tool_call_id":"jane@x","content":"[\"a\"b\"]",` +
		`"tool_calls":[{"function":{"arguments":"[\"a\"b\"]"}}],"audio":{"data":"jane@x"}}]}`
	d := parse(t, []byte(chat), payload.Options{Shape: payload.OpenAIChatRequest})
	find := func(pointer string) int {
		for i, l := range d.Leaves() {
			if l.Pointer == "/messages/0/"+pointer {
				return i
			}
		}
		t.Fatalf("no leaf %s", pointer)
		return 0
	}
	for _, c := range []struct {
		name, pointer string
		start, end    int
		with          string
		shifts        bool
	}{
		{"text that becomes JSON", "tool_calls/0/function/arguments", 2, 5, "[T]", true},
		{"text that does not", "tool_calls/0/function/arguments", 1, 5, "[T]", false},
		{"a message may be JSON", "content", 2, 5, "[T]", false},
		{"an id becomes one", "tool_call_id", 0, 6, "tok_1", true},
		{"or does not", "tool_call_id", 0, 6, "[T]", false},
		{"media become base64", "audio/data", 0, 6, "tok_1", true},
		{"a text becomes a data URL", "content", 0, 7, "data:a/b;base64,AAAA", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			leaf := find(c.pointer)
			got, err := d.Rereads([]payload.Edit{{Leaf: leaf, Start: c.start, End: c.end, With: c.with}})
			if err != nil || (len(got) == 1 && got[0] == leaf) != c.shifts {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
	if _, err := d.Rereads([]payload.Edit{{Leaf: 99}}); !errors.Is(err, payload.RuleEditLeaf) {
		t.Error(err)
	}
}
