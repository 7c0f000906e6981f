package access_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/access"
)

// withText is the shipped bundle with this file of texts and no other.
func withText(t testing.TB, text string) fstest.MapFS {
	t.Helper()
	files := copyOfShipped(t)
	for name := range files {
		if strings.HasPrefix(name, "texts/") {
			delete(files, name)
		}
	}
	files["texts/a.yaml"] = &fstest.MapFile{Data: []byte(text)}
	return files
}

// TestTexts reads cases as they are written.
func TestTexts(t *testing.T) {
	p := load(t, withText(t, `# two cases
cases:
  - text: Write to jane@example.com.
    destination: openai/us
    environment: production
    at: 2026-07-01T12:00:00+02:00
    expect:
      - {entity: EMAIL_ADDRESS, action: tokenize, count: 1}

  - {text: Nothing., expect: []}
`))
	want := []access.TextCase{
		{
			File: "texts/a.yaml", Line: 3, Text: "Write to jane@example.com.", Destination: "openai/us",
			Environment: "production", At: time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC),
			Expect: []access.TextExpect{{Entity: "EMAIL_ADDRESS", Action: access.ActTokenize, Count: 1}},
		},
		{File: "texts/a.yaml", Line: 10, Text: "Nothing."},
	}
	if diff := cmp.Diff(want, p.Texts()); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
	// What a caller does to it is its own affair.
	p.Texts()[0].Expect[0].Count = 9
	if p.Texts()[0].Expect[0].Count != 1 {
		t.Error("the policy changed")
	}
}

// TestShippedTexts pins that every destination is tried, and that something is
// blocked, tokenized, and not found.
func TestShippedTexts(t *testing.T) {
	p := shipped(t)
	destinations, actions, nothing := map[string]bool{}, map[access.EntityAction]bool{}, false
	for _, c := range p.Texts() {
		destinations[c.Destination] = true
		nothing = nothing || len(c.Expect) == 0
		for _, e := range c.Expect {
			actions[e.Action] = true
		}
	}
	for _, d := range p.Destinations() {
		if d.Name != access.DefaultDestination && !destinations[d.Name] {
			t.Errorf("no text goes to %s", d.Name)
		}
	}
	if !destinations[""] || !actions[access.ActTokenize] || !actions[access.ActBlock] || !nothing {
		t.Errorf("tried: %v, %v, a text without findings: %t", destinations, actions, nothing)
	}
}

// TestTextsRefused has what a file of texts may not say.
func TestTextsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"empty":               "",
		"no cases":            "cases: []\n",
		"an unknown key":      "cases:\n  - {text: a, expects: []}\n",
		"no text":             "cases:\n  - {expect: []}\n",
		"no expectation":      "cases:\n  - {text: a}\n",
		"a null":              "cases: [null]\n",
		"destination":         "cases:\n  - {text: a, destination: openai, expect: []}\n",
		"environment":         "cases:\n  - {text: a, environment: prod, expect: []}\n",
		"time":                "cases:\n  - {text: a, at: today, expect: []}\n",
		"entity":              "cases:\n  - {text: a, expect: [{entity: EMAIL, action: tokenize, count: 1}]}\n",
		"action":              "cases:\n  - {text: a, expect: [{entity: PERSON, action: keep, count: 1}]}\n",
		"none of it":          "cases:\n  - {text: a, expect: [{entity: PERSON, action: mask, count: 0}]}\n",
		"too many":            "cases:\n  - {text: a, expect: [{entity: PERSON, action: mask, count: 1001}]}\n",
		"the same twice":      "cases:\n  - {text: a, expect: [{entity: PERSON, action: mask, count: 1}, {entity: PERSON, action: mask, count: 1}]}\n",
		"too many cases":      "cases:\n" + strings.Repeat("  - {text: a, expect: []}\n", 2001),
		"more than one of it": "cases:\n  - {text: a, expect: []}\n---\ncases: []\n",
	} {
		_, err := access.Load(withText(t, text))
		if !errors.Is(err, access.ErrBundle) || !strings.Contains(err.Error(), "texts") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := access.Load(withText(t, "cases:\n  - {text: a, expect: []}\n  - {text: secret, destination: b, expect: []}\n"))
	if err == nil || !strings.Contains(err.Error(), "texts/a.yaml: line 3") || strings.Contains(err.Error(), "secret") {
		t.Errorf("the error says the place, and not the text: %v", err)
	}
}
