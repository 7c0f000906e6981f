package detect

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// evenDigits is a check for tests: the digits sum up to an even number.
func evenDigits(value string) bool {
	sum := 0
	for i := range len(value) {
		if isDigit(value[i]) {
			sum += int(value[i] - '0')
		}
	}
	return sum%2 == 0
}

// testRules stand for the kinds of rules there are. They are filed under the entities of another family, since only
// known entities can be asked for.
var testRules = []idRule{
	{
		entity: USSSN, name: "checked", check: evenDigits, words: words{"sin": noun, "tax": hint, "order": hint},
		forms: []idForm{{"999_999_999", " -", idGrouped}, {"9{9}", "", idChecked}},
	},
	{
		entity: CreditCard, name: "letters", words: words{"nino": noun},
		forms: []idForm{{"@@9{6}@|@@_99_99_99_@", " -", idCertain}},
	},
	{
		entity: IBANCode, name: "exact", exact: true, check: func(v string) bool { return v == strings.ToLower(v) },
		forms: []idForm{{"*{12}", "", idCertain}},
	},
	{
		entity: PhoneNumber, name: "named", words: words{"licence": noun, "driver": hint},
		forms: []idForm{{"@9{4-6}", "", idNamed}, {"+7_(999)_99", " ", idGrouped}},
	},
}

func ruleDetector(tb testing.TB, rules []idRule, opts Options) *Detector {
	tb.Helper()
	d, err := build(opts, identifiers(rules))
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// marks are the findings of a text, as "value=rule".
func marks(tb testing.TB, d *Detector, text string) string {
	tb.Helper()
	spans, err := d.Find(context.Background(), text)
	if err != nil {
		tb.Fatal(err)
	}
	var out []string
	for _, s := range spans {
		out = append(out, fmt.Sprintf("%s=%s", text[s.Start:s.End], s.Rule))
	}
	return strings.Join(out, "; ")
}

func TestIdentifierForms(t *testing.T) {
	d := ruleDetector(t, testRules, Options{})
	for text, want := range map[string]string{
		"a 130 692 544 b":                            "130 692 544=checked/bare",
		"130-692-544.":                               "130-692-544=checked/lone",
		"(130-692-544)":                              "130-692-544=checked/bare",
		"a 130 692-544 b":                            "", // two kinds of separators
		"a 130/692/544 b":                            "", // no separator of the form
		"a 130 692 545 b":                            "", // the check
		"a 130692544 b":                              "", // too common without a word
		"130692544":                                  "130692544=checked/lone",
		"\"130692544\"\n":                            "130692544=checked/lone",
		"SIN: 130692544":                             "130692544=checked/named",
		"my sin 130692544":                           "130692544=checked/named",
		"tax no 130692544":                           "130692544=checked/hint",
		"tax: 130692544":                             "130692544=checked/named", // a hint that labels it
		"Tax ID number: 130692544":                   "130692544=checked/named", // a label of three words
		"tax of number: 130692544":                   "130692544=checked/hint",
		"130692544 (SIN)":                            "130692544=checked/named",
		"assassin 130692544, basin 130692544":        "", // whole words only
		"order 130692544":                            "130692544=checked/hint",
		"SIN of the order we version 130 692 544":    "",
		"version of the SIN 130 692 544":             "130 692 544=checked/named",
		"AB 12 34 56 C and AB-12-34-56-D, AB123456E": "AB 12 34 56 C=letters/bare; AB-12-34-56-D=letters/bare; AB123456E=letters/bare",
		"AB12 34 56 C":                               "",
		"see ab123456e there":                        "",
		"nino ab123456e":                             "ab123456e=letters/named",
		"a1b2c3d4e5f6":                               "a1b2c3d4e5f6=exact/lone",
		"x a1b2c3d4e5f6":                             "a1b2c3d4e5f6=exact/bare",
		"A1b2c3d4e5f6":                               "",
		"A12345":                                     "",
		"driver A12345":                              "",
		"licence A1234, A12345, A123456":             "A1234=named/named; A12345=named/named; A123456=named/named",
		"licence A123, A1234567":                     "",
		"+7 (123) 45 now":                            "+7 (123) 45=named/bare",
		"NINO of Ada:\u00a0AB\u200b12345６C now":      "AB\u200b12345６C=letters/named",
	} {
		if diff := cmp.Diff(want, marks(t, d, text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestIdentifiersStandByThemselves(t *testing.T) {
	d := ruleDetector(t, testRules, Options{})
	for _, text := range []string{
		"x130-692-544", "130-692-544x", "1130-692-544", "130-692-5440", "_130-692-544", "é130-692-544", "0.130-692-544", "130-692-544.5",
		"a/130-692-544", "7-130-692-544", "130-692-544-7", "12 130 692 544", "130 692 544 12", "$130-692-544", "€ 130-692-544", "130-692-544%",
		"XAB123456C", "AB123456CX", "AB123456C7", "AB123456C-1", "a/AB123456C", "x-AB123456C",
	} {
		if got := marks(t, d, "x, "+text+", y"); got != "" {
			t.Errorf("%q: %s", text, got)
		}
	}
	// The twin: the same values where nothing else is amiss.
	for _, text := range []string{"(130-692-544)", "=130-692-544&", "번호는130-692-544입니다", "a, 130-692-544, 7", "#130-692-544"} {
		if got := marks(t, d, text+" ."); !strings.HasPrefix(got, "130-692-544=") {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// TestIdentifierThresholds: rules that cannot reach the threshold of their entity are not even filed, and those who ask
// for less get what scores less.
func TestIdentifierThresholds(t *testing.T) {
	d := ruleDetector(t, testRules, Options{Thresholds: map[string]float64{USSSN: 0.1, PhoneNumber: 0.8}})
	if got := marks(t, d, "a 130692544 b"); got != "130692544=checked/bare" {
		t.Errorf("below its usual threshold: %s", got)
	}
	if got := marks(t, d, "licence A1234"); got != "" {
		t.Errorf("above what the rule can reach: %s", got)
	}
	if d.plan.ids.by[1][5] != nil {
		t.Error("a rule that never scores enough is tried")
	}
	d = ruleDetector(t, testRules, Options{Entities: []string{IBANCode}})
	if got := marks(t, d, "SIN 130692544"); got != "" {
		t.Errorf("entity that nobody wants: %s", got)
	}
}

func TestTwinContextOfIdentifiersCountsWholeWords(t *testing.T) {
	rules := []idRule{testRules[0]}
	rules[0].words = words{"assassin": noun}
	d := ruleDetector(t, rules, Options{})
	if got := marks(t, d, "assassin 130692544"); got == "" {
		t.Error("a word that is in the set is not seen: the test of whole words shows nothing")
	}
}

// TestIdentifierShapes: tables that say something impossible do not start.
func TestIdentifierShapes(t *testing.T) {
	if diff := cmp.Diff([]string{"A99", "A999", "AA99", "AA999"}, expand("A{1-2}9{2-3}")); diff != "" {
		t.Error(diff)
	}
	for _, f := range []idForm{
		{shape: "@@@"}, {shape: "9{100}"}, {shape: "9{3"}, {shape: "9{3-2}"}, {shape: "9{x}"}, {shape: "999_999"}, {shape: "-_-", seps: "-"},
		{shape: "9_9", seps: "x"}, {shape: "9{1-9}@{1-9}9{1-9}"}, {shape: ""},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("form %q with %q is accepted", f.shape, f.seps)
				}
			}()
			f.scores = idCertain
			ruleDetector(t, []idRule{{entity: USSSN, name: "bad", forms: []idForm{f}}}, Options{})
		}()
	}
}

// TestIdentifiersWhereverTheyStand: a value is found, to the byte, between whatever words, and each of several.
func TestIdentifiersWhereverTheyStand(t *testing.T) {
	d := ruleDetector(t, testRules, Options{Entities: []string{CreditCard}})
	rapid.Check(t, func(t *rapid.T) {
		around := rapid.StringMatching(`([a-zé가]{1,9}[ ,;:(]{1,2}){0,12}`)
		var text, want strings.Builder
		for range rapid.IntRange(1, 3).Draw(t, "values") {
			value := rapid.StringMatching(`[A-Z]{2}[0-9]{6}[A-Z]|[A-Z]{2}( [0-9]{2}){3} [A-Z]`).Draw(t, "value")
			text.WriteString(around.Draw(t, "around"))
			text.WriteString(" [")
			fmt.Fprintf(&want, "%d-%d ", text.Len(), text.Len()+len(value))
			text.WriteString(value + "] ")
		}
		spans, err := d.Find(context.Background(), text.String())
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, s := range spans {
			fmt.Fprintf(&got, "%d-%d ", s.Start, s.End)
		}
		if diff := cmp.Diff(want.String(), got.String()); diff != "" {
			t.Fatalf("%q: %s", text.String(), diff)
		}
	})
}

// TestIdentifierContextIsScanContext: the shared dictionary weighs words as every other recogniser does.
func TestIdentifierContextIsScanContext(t *testing.T) {
	set := words{"sin": noun, "tax": hint, "digits": faint, "order": against, "né": noun}
	x := newIDIndex(identifiers([]idRule{{entity: USSSN, name: "x", words: set, forms: []idForm{{"9{9}", "", idChecked}}}}), map[string]float64{USSSN: .1})
	weights := make([]weight, len(x.wordIDs)+1)
	for w, is := range set {
		weights[x.wordIDs[w]] = is
	}
	word := rapid.SampledFrom([]string{"sin", "SIN", "tax", "digits", "order", "né", "the", "taxSin", "0sin", "sin_", "a", "=", ":", "(", "\n", "·"})
	rapid.Check(t, func(t *rapid.T) {
		before := strings.Join(rapid.SliceOfN(word, 0, 14).Draw(t, "before"), rapid.SampledFrom([]string{" ", ""}).Draw(t, "gap"))
		after := strings.Join(rapid.SliceOfN(word, 0, 3).Draw(t, "after"), " ")
		text := before + " 130692544 " + after
		s := &scan{d: &Detector{plan: plan{ids: x}}, text: text}
		from := len(before) + 1
		want := s.context(set, from, from+9)
		if want == faint {
			want = nothing
		}
		got := s.idContext(weights, from, from+9)
		if got == faint {
			got = nothing
		}
		if got != want {
			t.Fatalf("%q: %d instead of %d", text, got, want)
		}
	})
}

// TestVersionKnowsTheTables: what a table says is part of the version of a detector, where its checks lie in memory is not.
func TestVersionKnowsTheTables(t *testing.T) {
	printed := func(rules []idRule) string { return fmt.Sprintf("%#v", idFacts(rules)) }
	if strings.Contains(printed(testRules), "0x") || printed(testRules) != printed(slices.Clone(testRules)) {
		t.Error("the facts of a table are not the same each time")
	}
	for what, change := range map[string]func(*idRule){
		"score": func(r *idRule) { r.forms = []idForm{{r.forms[0].shape, r.forms[0].seps, idCertain}} },
		"shape": func(r *idRule) { r.forms = []idForm{{"9_9", " ", r.forms[0].scores}} },
		"words": func(r *idRule) { r.words = words{"sin": hint} },
		"check": func(r *idRule) { r.check = nil },
		"case":  func(r *idRule) { r.anyCase = true },
	} {
		rules := slices.Clone(testRules)
		change(&rules[0])
		if printed(rules) == printed(testRules) {
			t.Errorf("another %s is no other version", what)
		}
	}
}
