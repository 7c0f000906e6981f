package analyzer_test

import (
	"context"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/analyzer"
	"github.com/counterfoil/counterfoil/internal/detect"
)

// TestSpansFitTheText: whatever the text holds and is reserved in it, detection takes what comes back, and what
// leaves has the length of the text and nothing that is reserved.
func TestSpansFitTheText(t *testing.T) {
	s := newServer(t, map[string]string{"a": "PERSON", "ä": "LOCATION", "a b": "CUSTOM_ID", "* b": "PERSON", "ä *": "PERSON"})
	c := client(t, analyzer.Config{URL: s.URL})
	detector, err := detect.New(detect.Options{Entities: []string{detect.EmailAddress}})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "ä", " ", "b", "[T]", "日", "🙂", "\xff", "é"}), 0, 30).Draw(t, "parts")
		var reserved [][2]int
		var text string
		for _, part := range parts {
			if part == "[T]" || part == "é" && rapid.Bool().Draw(t, "reserve") {
				reserved = append(reserved, [2]int{len(text), len(text) + len(part)})
			}
			text += part
		}
		spans, err := c.Analyze(context.Background(), text, reserved)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := detector.Search(context.Background(), text, reserved, spans); err != nil {
			t.Fatalf("%q without %v: %v", text, reserved, err)
		}
		asked := s.questions()
		left := *asked[len(asked)-1].Text
		if strings.Contains(left, "T") || utf8.RuneCountInString(left) != utf8.RuneCountInString(text) {
			t.Fatalf("%q left as %q", text, left)
		}
	})
}

// FuzzAnswer: whatever an analyzer says, the answer is spans that fit, or an error.
func FuzzAnswer(f *testing.F) {
	seeds := []string{
		`[]`, `null`, `[{"entity_type":"PERSON","start":0,"end":3,"score":0.9}]`, `[{"entity_type":"PERSON","start":2,"end":3,"score":1},{"start":-1}]`, `{`,
		`[{"entity_type":"PERSON","start":0,"end":5,"score":1e400}]`, `[{"entity_type":"PERSON","start":0,"end":9223372036854775807,"score":1}]`,
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		const text = "äb[T]🙂\xffc"
		spans, err := analyzer.Read(answer, text, [][2]int{{3, 6}}, known)
		if err != nil && spans != nil {
			t.Fatal("spans beside an error")
		}
		for _, s := range spans {
			if s.Start < 0 || s.Start >= s.End || s.End > len(text) || s.Start < 6 && s.End > 3 || !utf8.RuneStart(text[s.Start]) && text[s.Start] != 0xff {
				t.Fatalf("span %d to %d", s.Start, s.End)
			}
		}
	})
}
