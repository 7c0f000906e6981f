package detect_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// with makes a Detector that looks for e-mail addresses and API keys, and for what is custom.
func with(t testing.TB, c detect.Custom) *detect.Detector {
	t.Helper()
	d, err := plain().With(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// plain has nothing custom. To make one takes a while.
var plain = sync.OnceValue(func() *detect.Detector {
	d, err := detect.New(detect.Options{Entities: []string{detect.EmailAddress, detect.APIKey}})
	if err != nil {
		panic(err)
	}
	return d
})

func search(t testing.TB, d *detect.Detector, text string) detect.Found {
	t.Helper()
	found, err := d.Search(context.Background(), text, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// told are findings as "rule: text".
func told(text string, spans []detect.Span) []string {
	var out []string
	for _, s := range spans {
		out = append(out, s.Rule+": "+text[s.Start:s.End])
	}
	return out
}

func TestPatterns(t *testing.T) {
	d := with(t, detect.Custom{Patterns: []detect.Pattern{
		{Name: "contract", Entity: "CUSTOM_ID", Expression: `\bV-\d{4}(?:-\d{2})?\b`},
		{Name: "customer", Entity: "CUSTOM_ID", Expression: `(?i)kundennr[.:]?\s*(?P<value>\d{5,8})`},
		{Name: "desk", Entity: "LOCATION", Expression: `\b\d{3}[A-F]\b`, Context: []string{"desk", "Büro"}, Score: 0.6},
		{Name: "line", Entity: "CUSTOM_ID", Expression: `(?m)^>> .+$`},
	}})
	for text, want := range map[string][]string{
		"see V-1234, V-1234-07 and XV-12345": {"custom/contract: V-1234", "custom/contract: V-1234-07"},
		"V-１２３４ in full width":               {"custom/contract: V-１２３４"},
		"KundenNr: 123456 ok, nr 123456":     {"custom/customer: 123456"},
		"he sits at desk 123B":               {"custom/desk: 123B"},
		"im BÜRO 123B":                       {"custom/desk: 123B"},
		"model 123B, helpdesk 124C":          nil,
		"a\n>> all of it\nb >> none":         {"custom/line: >> all of it"},
		"mail a.b@example.com, V-0000":       {"email/address: a.b@example.com", "custom/contract: V-0000"},
		"":                                   nil,
	} {
		if diff := cmp.Diff(want, told(text, search(t, d, text).Spans)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

// TestPatternAroundReserved: what a match has beside a living token is found, and the token is not touched.
func TestPatternAroundReserved(t *testing.T) {
	d := with(t, detect.Custom{Patterns: []detect.Pattern{{Name: "rest", Entity: "CUSTOM_ID", Expression: `(?i)ref: .+`}}})
	text := "Ref: ab [T] cd [U]"
	found, err := d.Search(context.Background(), text, [][2]int{{8, 11}, {15, 18}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"custom/rest: Ref: ab", "custom/rest: cd"}, told(text, found.Spans)); diff != "" {
		t.Error(diff)
	}
}

// scattered is a long text with contract numbers, some of them over the ends of windows.
func scattered(t *rapid.T) (text string, want int) {
	var b strings.Builder
	for range rapid.IntRange(1, 6).Draw(t, "values") {
		filler := rapid.SampledFrom([]string{"a", "word ", "line\n", "ä", "日本", "…  "}).Draw(t, "filler")
		b.WriteString(strings.Repeat(filler, rapid.IntRange(0, detect.PatternWindow*3/2/len(filler)).Draw(t, "times")))
		b.WriteString(" V-" + rapid.StringMatching(`\d{4,40}`).Draw(t, "number") + " ")
		want++
	}
	return b.String(), want
}

// TestPatternsSeeNoWindows: where a value stands makes no difference.
func TestPatternsSeeNoWindows(t *testing.T) {
	d := with(t, detect.Custom{Patterns: []detect.Pattern{{Name: "c", Entity: "CUSTOM_ID", Expression: `\bV-\d+\b`}}})
	rapid.Check(t, func(rt *rapid.T) {
		text, want := scattered(rt)
		if got := search(t, d, text).Spans; len(got) != want {
			rt.Fatalf("%d of %d in %d bytes", len(got), want, len(text))
		}
	})
}

func TestPatternsTwinWindowsAlone(t *testing.T) {
	d := with(t, detect.Custom{Patterns: []detect.Pattern{{Name: "c", Entity: "CUSTOM_ID", Expression: `\bV-\d+\b`}}})
	text := strings.Repeat("x", detect.PatternWindow-4) + " V-1234567"
	whole, alone := search(t, d, text).Spans, d.FindInWindowsAlone(text)
	if cmp.Equal(whole, alone) || len(whole) != 1 {
		t.Errorf("windows that see nothing behind them find the same: %v %v", whole, alone)
	}
}

func TestRequiredText(t *testing.T) {
	for expression, want := range map[string]string{
		`\bACME-\d{6}\b`: "ACME-", `(?:ID|NR)\d+X`: "X", `(?i)acme\d`: "", `(foo)+[a-z]longer`: "longer", `a{2}b?`: "a", `[ab]c*`: "",
	} {
		if got := with(t, detect.Custom{Patterns: []detect.Pattern{{Name: "p", Entity: "CUSTOM_ID", Expression: expression}}}).Required(); got != want {
			t.Errorf("%s: %q, want %q", expression, got, want)
		}
	}
}

func TestDenyLists(t *testing.T) {
	d := with(t, detect.Custom{Deny: []detect.DenyList{
		{Name: "projects", Entity: "CUSTOM_ID", Phrases: []string{"Blue Heron", "R&D plan", "Änderung Süd", "北京项目", "Blue Heron Two"}},
		{Name: "code", Entity: "ORGANIZATION", Phrases: []string{"Falcon"}, MatchCase: true},
	}})
	for text, want := range map[string][]string{
		"about blue HERON.":                        {"deny/projects: blue HERON"},
		"Blue\n  Heron, BlueHeron":                 {"deny/projects: Blue\n  Heron"},
		"Blue Herons and Blue-Heron":               nil,
		"the r & d  plan":                          {"deny/projects: r & d  plan"},
		"die ÄNDERUNG SÜD":                         {"deny/projects: ÄNDERUNG SÜD"},
		"我们的北京项目很好":                                {"deny/projects: 北京项目"},
		"Falcon, falcon, FALCON, Falcon2":          {"deny/code: Falcon"},
		"blue heron two":                           {"deny/projects: blue heron two", "deny/projects: blue heron"},
		"Ｂlue\u00a0Her\u200bon":                    {"deny/projects: Ｂlue\u00a0Her\u200bon"},
		"Blue" + strings.Repeat(" ", 17) + "Heron": nil,
	} {
		if diff := cmp.Diff(want, told(text, search(t, d, text).Denied)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

// TestDeniedIsFoundWhateverStandsThere: also within what is something else, and the twin: settled like a finding of
// any other kind it would be lost.
func TestDeniedIsFoundWhateverStandsThere(t *testing.T) {
	d := with(t, detect.Custom{Deny: []detect.DenyList{{Name: "l", Entity: "CUSTOM_ID", Phrases: []string{"falcon"}}}})
	text := "write to falcon@example.com"
	if diff := cmp.Diff([]string{"deny/l: falcon"}, told(text, search(t, d, text).Denied)); diff != "" {
		t.Error(diff)
	}
	settled, err := d.FindWithoutDeny(context.Background(), text)
	if err != nil || len(settled) != 1 || settled[0].Entity != detect.EmailAddress {
		t.Errorf("this twin shows nothing: %v %v", settled, err)
	}
}

const githubKey = "ghp_" + "R4nd0mLy9KqTzXvBn2LmWc8sHd7fGjPoYu1Q"

func TestAllowLists(t *testing.T) {
	const desk = "help@example.com"
	for name, test := range map[string]struct {
		custom                 detect.Custom
		text                   string
		spans, allowed, denied []string
	}{
		"exact":                 {detect.Custom{Allow: []detect.AllowList{{Phrases: []string{desk}}}}, "to " + desk, nil, []string{"email/address: " + desk}, nil},
		"another case":          {detect.Custom{Allow: []detect.AllowList{{Phrases: []string{"Help@example.com"}}}}, "to " + desk, []string{"email/address: " + desk}, nil, nil},
		"whatever case":         {detect.Custom{Allow: []detect.AllowList{{Phrases: []string{"Help@Example.com"}, IgnoreCase: true}}}, "to " + desk, nil, []string{"email/address: " + desk}, nil},
		"part of a longer":      {detect.Custom{Allow: []detect.AllowList{{Phrases: []string{"example.com"}}}}, "to " + desk, []string{"email/address: " + desk}, nil, nil},
		"within a phrase":       {detect.Custom{Allow: []detect.AllowList{{Phrases: []string{"write to " + desk}}}}, "write to " + desk, nil, []string{"email/address: " + desk}, nil},
		"the phrase broken":     {detect.Custom{Allow: []detect.AllowList{{Phrases: []string{"write to " + desk}}}}, "write now to " + desk, []string{"email/address: " + desk}, nil, nil},
		"another entity":        {detect.Custom{Allow: []detect.AllowList{{Phrases: []string{desk}, Entities: []string{"PERSON"}}}}, "to " + desk, []string{"email/address: " + desk}, nil, nil},
		"a secret":              {detect.Custom{Allow: []detect.AllowList{{Phrases: []string{githubKey}}}}, "key " + githubKey, nil, []string{"secret/github-pat: " + githubKey}, nil},
		"a secret, and said so": {detect.Custom{Allow: []detect.AllowList{{Phrases: []string{githubKey}, EvenBlocked: true}}}, "key " + githubKey, nil, nil, nil},
		"denied, too": {
			detect.Custom{Allow: []detect.AllowList{{Phrases: []string{"falcon"}, EvenBlocked: true}}, Deny: []detect.DenyList{{Name: "l", Entity: "CUSTOM_ID", Phrases: []string{"falcon"}}}},
			"a falcon", nil, nil, []string{"deny/l: falcon"},
		},
	} {
		found := search(t, with(t, test.custom), test.text)
		got := [][]string{told(test.text, found.Spans), told(test.text, found.Allowed), told(test.text, found.Denied)}
		if diff := cmp.Diff([][]string{test.spans, test.allowed, test.denied}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestSearchSettlesWhatOthersFound: by the order of Resolve, under the same lists, and never within a token.
func TestSearchSettlesWhatOthersFound(t *testing.T) {
	d := with(t, detect.Custom{Allow: []detect.AllowList{{Phrases: []string{"Acme"}}}})
	text := "Zoë of Acme, zoe@example.com, [T]"
	find := func(more ...detect.Span) ([]string, error) {
		found, err := d.Search(context.Background(), text, [][2]int{{31, 34}}, more)
		return told(text, found.Spans), err
	}
	span := func(start, end int) detect.Span {
		return detect.Span{Start: start, End: end, Entity: "PERSON", Score: 0.9, Rule: "analyzer/PERSON"}
	}
	got, err := find(span(0, 4), span(8, 12), span(14, 17))
	if diff := cmp.Diff([]string{"analyzer/PERSON: Zoë", "email/address: zoe@example.com"}, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	for name, bad := range map[string]detect.Span{
		"beyond the text": span(20, 35), "before it": span(-1, 3), "empty": span(4, 4), "backwards": span(6, 5), "in a character": span(0, 3),
		"in a token": span(30, 32), "no score": {Start: 0, End: 2, Entity: "PERSON"}, "a score above 1": {Start: 0, End: 2, Entity: "PERSON", Score: 1.5},
	} {
		if _, err := find(bad); !errors.Is(err, detect.ErrFailed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestInvariant18_CustomPatternsKeepTheDeadline(t *testing.T) {
	d, err := detect.New(detect.Options{
		Timeout: 20 * time.Millisecond,
		Custom:  detect.Custom{Patterns: []detect.Pattern{{Name: "slow", Entity: "CUSTOM_ID", Expression: `a.*z|a`}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if found, err := d.Search(context.Background(), strings.Repeat("a", 1<<20), nil, nil); !errors.Is(err, detect.ErrTimeout) || found.Spans != nil {
		t.Errorf("got %v with %d findings", err, len(found.Spans))
	}
}

func TestCustomIsChecked(t *testing.T) {
	pattern := func(p detect.Pattern) detect.Custom { return detect.Custom{Patterns: []detect.Pattern{p}} }
	expression := func(e string) detect.Custom {
		return pattern(detect.Pattern{Name: "p", Entity: "CUSTOM_ID", Expression: e})
	}
	deny := func(phrases ...string) detect.Custom {
		return detect.Custom{Deny: []detect.DenyList{{Name: "l", Entity: "CUSTOM_ID", Phrases: phrases}}}
	}
	good := detect.Pattern{Name: "p", Entity: "CUSTOM_ID", Expression: "canary"}
	for name, c := range map[string]detect.Custom{
		"no name":            pattern(detect.Pattern{Entity: "CUSTOM_ID", Expression: "canary"}),
		"a bad name":         pattern(detect.Pattern{Name: "A b", Entity: "CUSTOM_ID", Expression: "canary"}),
		"no entity":          pattern(detect.Pattern{Name: "p", Expression: "canary"}),
		"a name twice":       {Patterns: []detect.Pattern{good, good}},
		"no expression":      expression(""),
		"no RE2":             expression(`canary(?=x)`),
		"a backreference":    expression(`(canary)\1`),
		"matches nothing":    expression(`(canary)*`),
		"a boundary":         expression(`\b`),
		"one way is empty":   expression(`canary|x*`),
		"tied to the begin":  expression(`^canary`),
		"tied to the end":    expression(`canary$`),
		"tied by a letter":   expression(`\Acanary`),
		"an empty value":     expression(`canary(?P<value>\d*)`),
		"too long":           expression(strings.Repeat("canary", 200)),
		"too large":          expression(`(?:[a-z]{1,100}[0-9]{1,100}){1,5}canary`),
		"a score below 0":    pattern(detect.Pattern{Name: "p", Entity: "CUSTOM_ID", Expression: "canary", Score: -1}),
		"a score above 1":    pattern(detect.Pattern{Name: "p", Entity: "CUSTOM_ID", Expression: "canary", Score: 1.1}),
		"a score too low":    pattern(detect.Pattern{Name: "p", Entity: detect.EmailAddress, Expression: "canary", Score: 0.1}),
		"context of two":     pattern(detect.Pattern{Name: "p", Entity: "CUSTOM_ID", Expression: "canary", Context: []string{"canary bird"}}),
		"an empty context":   pattern(detect.Pattern{Name: "p", Entity: "CUSTOM_ID", Expression: "canary", Context: []string{""}}),
		"too many":           {Patterns: make([]detect.Pattern, detect.MaxPatterns+1)},
		"no phrases":         deny(),
		"an empty phrase":    deny("canary", " "),
		"a line in a phrase": deny("canary\nbird"),
		"bad UTF-8":          deny("canary\xff"),
		"a long phrase":      deny(strings.Repeat("canary", 50)),
		"too many words":     deny(strings.Repeat("a ", detect.MaxPhraseWords+1)),
		"too many phrases":   deny(make([]string, detect.MaxPhrases+1)...),
		"allow: no entity":   {Allow: []detect.AllowList{{Phrases: []string{"canary"}, Entities: []string{"canary"}}}},
		"allow: no phrases":  {Allow: []detect.AllowList{{}}},
	} {
		_, err := plain().With(c)
		if !errors.Is(err, detect.ErrOptions) || strings.Contains(fmt.Sprint(err, c.Check()), "canary") {
			t.Errorf("%s: got %v", name, err)
		}
		if name != "a score too low" && len(c.Check()) == 0 {
			t.Errorf("%s: Check finds nothing", name)
		}
	}
	if c := pattern(good); len(c.Check()) != 0 {
		t.Errorf("a good one: %v", c.Check())
	}
}

func TestVersionCoversCustom(t *testing.T) {
	seen := map[string]string{}
	for name, c := range map[string]detect.Custom{
		"none":      {},
		"a pattern": {Patterns: []detect.Pattern{{Name: "p", Entity: "CUSTOM_ID", Expression: "a"}}},
		"another":   {Patterns: []detect.Pattern{{Name: "p", Entity: "CUSTOM_ID", Expression: "b"}}},
		"denied":    {Deny: []detect.DenyList{{Name: "p", Entity: "CUSTOM_ID", Phrases: []string{"a"}}}},
		"in case":   {Deny: []detect.DenyList{{Name: "p", Entity: "CUSTOM_ID", Phrases: []string{"a"}, MatchCase: true}}},
		"allowed":   {Allow: []detect.AllowList{{Phrases: []string{"a"}}}},
	} {
		version := with(t, c).Version()
		if version != with(t, c).Version() {
			t.Errorf("%s: two versions", name)
		}
		if other, has := seen[version]; has {
			t.Errorf("%s and %s have one version", name, other)
		}
		seen[version] = name
	}
}

// TestWithReplaces: of a Detector that is customised a second time, nothing is left but its rules.
func TestWithReplaces(t *testing.T) {
	first := with(t, detect.Custom{Deny: []detect.DenyList{{Name: "l", Entity: "CUSTOM_ID", Phrases: []string{"falcon"}}}})
	second, err := first.With(detect.Custom{})
	if err != nil || second.Version() != plain().Version() || len(search(t, second, "falcon").Denied) != 0 || len(search(t, first, "falcon").Denied) != 1 {
		t.Errorf("%v: the versions are %s and %s", err, second.Version(), plain().Version())
	}
}

// FuzzCustom: whatever the lists and the text hold, spans are valid and two runs agree.
func FuzzCustom(f *testing.F) {
	seeds := [][2]string{
		{"blue heron", "about Blue  Heron"}, {"北京", "我北京"}, {"r&d", "R & D\x00"}, {"ß", "SS ß ẞ"}, {"İ", "i̇ İ"}, {"a\u0301", "á a\u0301"}, {"\xff", "\xff\xfe"},
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, s := range seeds {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, phrase, text string) {
		d, err := plain().With(detect.Custom{
			Patterns: []detect.Pattern{{Name: "p", Entity: "CUSTOM_ID", Expression: `\w+\W`}},
			Deny:     []detect.DenyList{{Name: "l", Entity: "CUSTOM_ID", Phrases: []string{phrase}}},
			Allow:    []detect.AllowList{{Phrases: []string{phrase, "x"}}},
		})
		if err != nil {
			t.Skip() // no phrase
		}
		found, err := d.Search(context.Background(), text, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, list := range [][]detect.Span{found.Spans, found.Allowed, found.Denied} {
			for _, s := range list {
				if s.Start < 0 || s.Start >= s.End || s.End > len(text) || !detect.OnBoundary(text, s.Start) || !detect.OnBoundary(text, s.End) {
					t.Fatalf("span %d to %d of %d bytes", s.Start, s.End, len(text))
				}
			}
		}
		if again, err := d.Search(context.Background(), text, nil, nil); err != nil || !cmp.Equal(found, again) {
			t.Fatal("two runs differ")
		}
	})
}

// BenchmarkCustom is what ten patterns and a thousand phrases cost a text, besides what is shipped.
func BenchmarkCustom(b *testing.B) {
	var c detect.Custom
	for n := range 10 {
		c.Patterns = append(c.Patterns, detect.Pattern{Name: fmt.Sprintf("p%d", n), Entity: "CUSTOM_ID", Expression: fmt.Sprintf(`\bK%d-\d{6}\b`, n)})
	}
	var phrases []string
	for n := range 1000 {
		phrases = append(phrases, fmt.Sprintf("project number %d", n))
	}
	c.Deny = []detect.DenyList{{Name: "l", Entity: "CUSTOM_ID", Phrases: phrases}}
	text := strings.Repeat("The quick brown fox of project number seven jumps over the lazy dog, and nobody has to write that down twice. ", 600)
	for name, d := range map[string]*detect.Detector{"shipped": plain(), "custom": with(b, c)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := d.Search(context.Background(), text, nil, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
