package scenario

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/counterfoil/counterfoil/bench/system"
)

// TestBodiesAreJSON: the bodies are put together without an encoder, so none may hold what
// JSON would escape.
func TestBodiesAreJSON(t *testing.T) {
	service, floor := &face{bearer: "b"}, &face{}
	var h chatHand
	for n := range int64(40) {
		sent := values(nil, 3, n, many)
		chat, _ := freshChat(&h, 3, 0, n)
		grown, _ := growingChat(&h, 3, 0, n)
		for name, body := range map[string][]byte{
			"values":           valuesBody(nil, conversation(n), sent),
			"restore":          service.restoreBody(nil, conversation(n), sent),
			"restore of floor": floor.restoreBody(nil, conversation(n), sent),
			"chat":             payloadBody(nil, conversation(n), chat),
			"growing chat":     payloadBody(nil, conversation(n), grown),
			"batch":            batch(nil, sent),
		} {
			if !json.Valid(body) || strings.Contains(string(body), `\`) {
				t.Errorf("%s %d: %.60q is no JSON, or escapes something", name, n, body)
			}
		}
	}
}

func TestValuesAreNewInEachRequest(t *testing.T) {
	seen := make(map[string]bool)
	for series := range int64(3) {
		for n := range int64(100) {
			for _, v := range values(nil, series, n, many) {
				if seen[v] {
					t.Fatalf("load %d, request %d: a value has come before", series, n)
				}
				seen[v] = true
			}
		}
	}
}

// TestChats: one that is sent once is of 2 KB, one that grows is that on average, and holds
// what it held a turn before.
func TestChats(t *testing.T) {
	var fresh, grown chatHand
	var sum, before int
	const rounds = 3 * turns
	for n := range int64(rounds) {
		body, _ := freshChat(&fresh, 1, 0, n)
		if len(body) < 1900 || len(body) > 2300 || len(fresh.sent) != 3+int(n%3) {
			t.Errorf("chat %d: %d bytes, %d values", n, len(body), len(fresh.sent))
		}
		scope := grown.scope
		body, _ = growingChat(&grown, 1, 0, n)
		if first := n%turns == 0; first != (scope != grown.scope) || !first && len(body) <= before {
			t.Errorf("turn %d: scope %q after %q, %d bytes after %d", n, grown.scope, scope, len(body), before)
		}
		if want := int(n%turns) + 1; len(grown.sent) != want {
			t.Errorf("turn %d: %d values, want %d", n, len(grown.sent), want)
		}
		before = len(body)
		sum += len(body)
	}
	if mean := sum / rounds; mean < 1800 || mean > 3200 {
		t.Errorf("a chat that grows is of %d bytes on average", mean)
	}
}

func TestAnswersAreChecked(t *testing.T) {
	want := []string{"a", "b"}
	good := `{"x":1,"values":["a","b"],"results":[]}`
	if err := sameList([]byte(good), "values", want); err != nil {
		t.Errorf("%s: %v", good, err)
	}
	for name, answer := range map[string]string{
		"another value":  `{"values":["a","c"]}`,
		"another order":  `{"values":["b","a"]}`,
		"one too few":    `{"values":["a"]}`,
		"one too many":   `{"values":["a","b","b"]}`,
		"none":           `{"values":[]}`,
		"no list":        `{"values":"a"}`,
		"no such member": `{"value":["a","b"]}`,
		"numbers":        `{"values":[1,2]}`,
		"an escape":      `{"values":["a","\u0062"]}`,
		"cut off":        `{"values":["a","b"`,
		"cut in a value": `{"values":["a","b`,
		"cut at a comma": `{"values":["a",`,
		"no comma":       `{"values":["a""b"]}`,
		"empty":          ``,
	} {
		if err := sameList([]byte(answer), "values", want); !errors.Is(err, errAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := tokensIn([]byte(`{"values":["t1","b"]}`), "values", want); !errors.Is(err, errAnswer) {
		t.Errorf("a value in the place of its token: %v", err)
	}
	if tokens, err := tokensIn([]byte(`{"values":["t1","t2"]}`), "values", want); err != nil || !cmp.Equal(tokens, []string{"t1", "t2"}) {
		t.Errorf("%q, %v", tokens, err)
	}
	made := `{"payload":{"m":"[t1] and [t2]"},"tokens":[{"origin":"new"},{"origin":"reused"}]}`
	if err := noneOf([]byte(made), []string{"Ann", "Bob"}); err != nil {
		t.Error(err)
	}
	for name, values := range map[string][]string{"a value stands there": {"Ann", "and"}, "one is missing": {"Ann", "Bob", "Cy"}} {
		if err := noneOf([]byte(made), values); !errors.Is(err, errAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGoals: what is met, what is not, and what was not measured, at the very limit.
func TestGoals(t *testing.T) {
	at16 := loadOf(usual)
	r := &report.Report{Measurements: []report.Measurement{
		{Work: tokenizeWork, Of: system.Floor, Load: at16, PerSecond: report.Figure{1000, 2000, 1000}},
		{Work: tokenizeWork, Of: system.Counterfoil, Load: at16, PerSecond: report.Figure{600, 1200, 100}, P95: report.Figure{5, 5, 5}, Items: few},
		{Work: encryptWork, Of: system.Transit, Load: at16, PerSecond: report.Figure{1000, 2000, 1000}, P95: report.Figure{4, 9, 9}, Items: 1},
		{Work: chatWork, Of: system.Floor, Load: at16, PerSecond: report.Figure{1000}},
		{Work: chatWork, Of: system.Counterfoil, Load: at16, PerSecond: report.Figure{349}},
		{Work: detectWork, Of: inProcess, Load: loadOf(1), P50: report.Figure{1.5}},
	}}
	(&core{Env: &Env{Report: r}}).judge()
	got := make(map[string]string)
	for _, g := range r.Goals {
		got[g.Work] = g.Verdict
		if (g.Verdict == report.NotMeasured) != (g.Got == "–") {
			t.Errorf("%s: %s, %s", g.Work, g.Got, g.Verdict)
		}
	}
	const met, not, un = report.Met, report.NotMet, report.NotMeasured
	want := map[string]string{
		"tokenize 5 given values, 16 clients":                     met,
		"tokenize 5 given values, 64 clients":                     un,
		"tokenize 5 given values, 1 client: p50 less the floor's": un,
		"tokenize a chat of 2 KB with detection and names":        not,
		"detection in it":                                                           met,
		"detokenize 5 tokens, 16 clients":                                           un,
		"detokenize 5 tokens, 64 clients":                                           un,
		"detokenize 5 tokens, half load, open loop: p50":                            un,
		"detokenize 5 tokens, half load, open loop: p99":                            un,
		"detokenize 50 tokens, per token":                                           un,
		"refused request, each its own entry":                                       un,
		"values tokenized, 5 a call, against transit's encrypt, one a call":         met,
		"the same: p95 less transit's":                                              met,
		"tokens detokenized, 50 a call, against transit's decrypt in batches of 50": un,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
