package audit

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// canary is a value that no error may say.
const canary = "canary-5511223344"

// put sets a field to something that its rule allows.
func put(e *Entry, name, value string) {
	f := &fields[fieldIndex[name]]
	switch {
	case name == "kind" || name == "v" || name == "parts" || name == "seq":
	case name == fieldDecision:
		e.Decision = Allow
	case f.str != nil:
		*f.str(e) = value
	case f.list != nil:
		*f.list(e) = []string{value}
	case f.counts != nil:
		*f.counts(e) = map[string]int{value: 1}
	case name == timeField:
		e.Time = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	default:
		e.Client = Client{ClientID: value}
	}
}

func unset(e *Entry, name string) {
	var none Entry
	f := &fields[fieldIndex[name]]
	switch {
	case f.str != nil:
		*f.str(e) = *f.str(&none)
	case f.list != nil:
		*f.list(e) = nil
	case f.counts != nil:
		*f.counts(e) = nil
	case name == timeField:
		e.Time = time.Time{}
	case f.num != nil:
		*f.num(e) = 0
	default:
		e.Client = Client{}
	}
}

// word is a value of a field that the rule of the kind allows.
func word(r *KindRule, name string) string {
	first := func(list []string) string {
		if len(list) == 0 {
			return canary
		}
		return list[0]
	}
	switch name {
	case fieldCode:
		return first(r.Codes)
	case fieldCounts:
		return first(r.Counts)
	case fieldResults:
		return first(r.Results)
	case fieldObligations:
		o := first(r.Obligations)
		if strings.HasSuffix(o, ":") {
			o += "x"
		}
		return o
	default:
		return canary
	}
}

// fullOf is an entry with everything that its kind must have and no more.
func fullOf(r *KindRule) Entry {
	e := Entry{V: Version, Kind: r.Kind}
	for _, name := range append(slices.Clone(everyEntry), r.Must...) {
		put(&e, name, word(r, name))
	}
	if !slices.Contains(r.Decisions, e.Decision) {
		e.Decision = r.Decisions[0]
	}
	if e.Decision == Deny {
		e.Code = refusalCodes[0]
	}
	return e
}

func wantRefusal(t *testing.T, what string, e Entry, field string) {
	t.Helper()
	err := CheckKind(&e)
	switch {
	case !errors.Is(err, ErrSchema):
		t.Errorf("%s, %s: got %v, want %v", e.Kind, what, err, ErrSchema)
	case !strings.Contains(err.Error(), ": "+field+": "):
		t.Errorf("%s, %s: %v, want the field %s", e.Kind, what, err, field)
	case strings.Contains(err.Error(), canary):
		t.Errorf("%s, %s: the error says a value", e.Kind, what)
	}
}

func TestEveryKindHasItsRule(t *testing.T) {
	var ruled, known []Kind
	for _, r := range KindFields() {
		ruled = append(ruled, r.Kind)
	}
	for _, k := range Kinds() {
		known = append(known, k.Kind)
	}
	if diff := cmp.Diff(known, ruled); diff != "" {
		t.Errorf("rules, in the order of kinds (-want +got):\n%s", diff)
	}
	if len(fields) > 64 {
		t.Errorf("%d fields do not fit into a set of 64 bits", len(fields))
	}
}

func TestKindNeedsItsFieldsAndNoOther(t *testing.T) {
	for _, r := range KindFields() {
		full := fullOf(&r)
		if err := CheckKind(&full); err != nil {
			t.Errorf("%s: %v", r.Kind, err)
			continue
		}
		denied := full.Decision == Deny
		allowed := slices.Concat(everyEntry, linkFields, r.Must, r.May)
		for i := range fields {
			name := fields[i].name
			one := full
			switch {
			case name == "kind", slices.Contains(linkFields, name):
			case slices.Contains(everyEntry, name), !denied && slices.Contains(r.Must, name):
				unset(&one, name)
				wantRefusal(t, "without "+name, one, name)
			case slices.Contains(allowed, name):
				put(&one, name, word(&r, name))
				if name != fieldDecision && !denied {
					if err := CheckKind(&one); err != nil {
						t.Errorf("%s with %s: %v", r.Kind, name, err)
					}
				}
			default:
				put(&one, name, canary)
				wantRefusal(t, "with "+name, one, name)
			}
		}
	}
}

func TestKindKeepsItsClosedLists(t *testing.T) {
	for _, r := range KindFields() {
		full := fullOf(&r)
		may := func(name string) bool { return slices.Contains(slices.Concat(r.Must, r.May), name) }
		for _, d := range []Decision{NoDecision, Allow, Partial, Deny} {
			one := full
			one.Decision = d
			if slices.Contains(r.Decisions, d) || d == NoDecision && slices.Contains(r.Must, fieldDecision) {
				continue
			}
			wantRefusal(t, "decision "+string(d), one, fieldDecision)
		}
		for name, closed := range map[string]bool{
			fieldCode: len(r.Codes) > 0, fieldCounts: len(r.Counts) > 0, fieldResults: len(r.Results) > 0, fieldObligations: true,
		} {
			if !may(name) {
				continue
			}
			one := full
			put(&one, name, canary)
			if closed {
				wantRefusal(t, "another "+name, one, name)
			}
			if name == fieldObligations {
				put(&one, name, ObligationProceeding)
				wantRefusal(t, "an obligation about nothing", one, name)
			}
		}
	}
}

func TestDenialSaysWhy(t *testing.T) {
	denial := fullOf(ruleOf(t, KindRestore))
	denial.Decision = Deny
	wantRefusal(t, "without code and results", denial, fieldCode)
	denial.Results = map[string]int{"unknown": 2}
	if err := CheckKind(&denial); err != nil {
		t.Errorf("with results: %v", err)
	}
	denial.Results, denial.Code = nil, "denied:no_rule"
	denial.Counts = map[string]int{countDenials: 3}
	denial.Reason, denial.Actor = "", "svc-1"
	if err := CheckKind(&denial); err != nil {
		t.Errorf("with code and what was known: %v", err)
	}
	denial.Code = "report"
	wantRefusal(t, "with the code of another", denial, fieldCode)
	given := fullOf(ruleOf(t, KindRestore))
	given.Counts = map[string]int{countDenials: 3}
	wantRefusal(t, "denials that were none", given, fieldCounts)
}

func ruleOf(t testing.TB, kind Kind) *KindRule {
	t.Helper()
	for _, r := range KindFields() {
		if r.Kind == kind {
			return &r
		}
	}
	t.Fatalf("no rule for %s", kind)
	return nil
}

// largeSweep is linked: two thousand tokens and keys.
func largeSweep(t testing.TB) []Entry {
	t.Helper()
	e := fullOf(ruleOf(t, KindSweep))
	for i := range 2 * MaxTokens {
		e.Tokens = append(e.Tokens, "T"+strconv.Itoa(i))
		e.KeyIDs = append(e.KeyIDs, strings.Repeat("k", 30)+strconv.Itoa(i))
	}
	parts, err := Link(e)
	if err == nil {
		_, err = Finalise(parts, time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
	}
	if err != nil || len(parts) < 3 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	return parts
}

func TestLinkedPartsCarryLess(t *testing.T) {
	parts := largeSweep(t)
	for i := range parts {
		if err := CheckKind(&parts[i]); err != nil {
			t.Errorf("part %d: %v", i, err)
		}
	}
	second := parts[1]
	second.Counts = map[string]int{"keys": 1}
	wantRefusal(t, "counts in the second part", second, fieldCounts)
	first := parts[0]
	first.Counts = nil
	wantRefusal(t, "no counts in the first part", first, fieldCounts)
}

// What is written by a rule passes it, also once it has been a leaf.
func TestEntriesMadeByTheRulesPass(t *testing.T) {
	rules := KindFields()
	rapid.Check(t, func(t *rapid.T) {
		r := rules[rapid.IntRange(0, len(rules)-1).Draw(t, "kind")]
		e := fullOf(&r)
		for _, name := range r.May {
			if rapid.Bool().Draw(t, name) && name != fieldDecision {
				put(&e, name, word(&r, name))
			}
		}
		if e.Decision == Deny {
			e.Code = "denied:" + rapid.SampledFrom([]string{"no_rule", "hours"}).Draw(t, "about")
			delete(e.Counts, canary)
		}
		parts, err := Link(e)
		if err != nil {
			t.Fatal(err)
		}
		leaves, err := Finalise(parts, time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseLeaf(leaves[0])
		if err == nil {
			err = CheckKind(&back)
		}
		if err != nil {
			t.Fatalf("%s: %v", r.Kind, err)
		}
	})
}

func TestFieldPatternsSayWhatTheRulesSay(t *testing.T) {
	rules := map[string]*rule{}
	for _, f := range fields {
		if f.rule != nil {
			rules[f.name] = f.rule
		}
	}
	seen := 0
	for _, info := range Fields() {
		r := rules[info.Name]
		if r == nil {
			continue
		}
		seen++
		pattern := regexp.MustCompile(info.Pattern)
		for c := range 256 {
			s := strings.Repeat(string([]byte{byte(c)}), max(r.min, 1))
			if pattern.MatchString(s) != r.allows(s) {
				t.Errorf("%s: pattern and rule differ on the character %d", info.Name, c)
			}
		}
		for _, n := range []int{0, r.min - 1, r.min, r.max, r.max + 1} {
			if s := strings.Repeat("a", max(n, 0)); pattern.MatchString(s) != r.allows(s) {
				t.Errorf("%s: pattern and rule differ on %d characters", info.Name, n)
			}
		}
	}
	if seen != len(rules) {
		t.Errorf("%d fields have a rule, %d a pattern", len(rules), seen)
	}
}

// The twins: with its guard taken out of the rule, each broken entry passes.
func TestTwinWithoutTheRuleTheEntryPasses(t *testing.T) {
	full := func() Entry { return fullOf(ruleOf(t, KindApprovalDecide)) }
	cases := map[string]struct {
		broken Entry
		open   func(*kindCheck)
	}{
		"a field is missing": {
			func() Entry { e := full(); e.Code = ""; return e }(),
			func(k *kindCheck) { k.required = everyMask },
		},
		"a field too many": {
			func() Entry { e := full(); e.Tokens = []string{"7K3QX9M2"}; return e }(),
			func(k *kindCheck) { k.may = ^uint64(0) },
		},
		"another decision": {
			func() Entry { e := full(); e.Decision = Partial; return e }(),
			func(k *kindCheck) { k.Decisions = append(k.Decisions, Partial) },
		},
		"another code": {
			func() Entry { e := full(); e.Code = "wave"; return e }(),
			func(k *kindCheck) { k.Codes = nil },
		},
		"another obligation": {
			func() Entry { e := full(); e.Obligations = []string{"form:full"}; return e }(),
			func(k *kindCheck) { k.Obligations = append(k.Obligations, "form:") },
		},
		"another count": {
			func() Entry {
				e := fullOf(ruleOf(t, KindSweep))
				e.Counts = map[string]int{"pages": 1}
				return e
			}(),
			func(k *kindCheck) { k.Counts = nil },
		},
		"another result": {
			func() Entry {
				e := fullOf(ruleOf(t, KindRestore))
				e.Results = map[string]int{"shown": 1}
				return e
			}(),
			func(k *kindCheck) { k.Results = nil },
		},
	}
	kept := maps.Clone(kindChecks)
	t.Cleanup(func() { kindChecks = kept })
	for name, c := range cases {
		if CheckKind(&c.broken) == nil {
			t.Errorf("%s: it passes with its guard", name)
		}
		kindChecks = maps.Clone(kept)
		open := *kept[c.broken.Kind]
		c.open(&open)
		kindChecks[c.broken.Kind] = &open
		if err := CheckKind(&c.broken); err != nil {
			t.Errorf("%s: without its guard it is refused by another: %v", name, err)
		}
		kindChecks = kept
	}
}

func BenchmarkCheckKind(b *testing.B) {
	e := fullOf(ruleOf(b, KindRestore))
	e.Obligations, e.Results = []string{"form:full", "max_tokens:50"}, map[string]int{"restored": 2}
	for b.Loop() {
		if err := CheckKind(&e); err != nil {
			b.Fatal(err)
		}
	}
}
