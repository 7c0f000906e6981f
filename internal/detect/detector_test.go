package detect_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// key is in two parts, so that it does not look like one to those who scan this repository.
const key = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"

const letter = `Dear Ms Okafor, call me on (415) 555-0132 or write to ada@example.com.
My card 4111 1111 1111 1111 and IBAN DE89 3704 0044 0532 0130 00 are attached, SSN 536-22-8471, from 203.0.113.7.
The key was ` + key + `. Order 20231121-000417, version 1.12.3, 2023-11-21 10:30:00.`

// found is what a test compares of a span.
type found struct{ Entity, Value string }

func values(text string, spans []detect.Span) []found {
	var out []found
	for _, s := range spans {
		out = append(out, found{s.Entity, text[s.Start:s.End]})
	}
	return out
}

func TestFindLetter(t *testing.T) {
	want := []found{
		{detect.Person, "Okafor"},
		{detect.PhoneNumber, "(415) 555-0132"},
		{detect.EmailAddress, "ada@example.com"},
		{detect.CreditCard, "4111 1111 1111 1111"},
		{detect.IBANCode, "DE89 3704 0044 0532 0130 00"},
		{detect.USSSN, "536-22-8471"},
		{detect.IPAddress, "203.0.113.7"},
		{detect.APIKey, key},
	}
	got := find(t, newDetector(t, detect.Options{}), letter)
	if diff := cmp.Diff(want, values(letter, got)); diff != "" {
		t.Error(diff)
	}
	for _, s := range got {
		if name, rule, ok := strings.Cut(s.Rule, "/"); !ok || name == "" || rule == "" || s.Score < 0.5 || s.Score > 1 {
			t.Errorf("no explanation: %+v", s)
		}
	}
}

func TestEntitiesSelect(t *testing.T) {
	for _, e := range detect.Entities() {
		for _, s := range find(t, newDetector(t, detect.Options{Entities: []string{e}}), letter) {
			if s.Entity != e {
				t.Errorf("only %s wanted, got %+v", e, s)
			}
		}
	}
	if got := find(t, newDetector(t, detect.Options{Entities: []string{}}), letter); len(got) != 0 {
		t.Errorf("nothing wanted, got %v", got)
	}
}

func TestThresholds(t *testing.T) {
	const text = "Seen at 467 3395 in May; also (415) 555-0132."
	low := newDetector(t, detect.Options{Thresholds: map[string]float64{detect.PhoneNumber: 0.05}})
	high := newDetector(t, detect.Options{Thresholds: map[string]float64{detect.PhoneNumber: 1}})
	usual := newDetector(t, detect.Options{})
	counts := []int{len(find(t, low, text)), len(find(t, usual, text)), len(find(t, high, text))}
	if diff := cmp.Diff([]int{2, 1, 0}, counts); diff != "" {
		t.Error(diff)
	}
}

func TestBadOptions(t *testing.T) {
	for name, o := range map[string]detect.Options{
		"unknown entity":        {Entities: []string{"NOBODY"}},
		"threshold of unknown":  {Thresholds: map[string]float64{"NOBODY": 0.5}},
		"threshold zero":        {Thresholds: map[string]float64{detect.USSSN: 0}},
		"threshold above one":   {Thresholds: map[string]float64{detect.USSSN: 1.1}},
		"negative text limit":   {MaxText: -1},
		"negative time limit":   {Timeout: -1},
		"lower-cased entity":    {Entities: []string{"us_ssn"}},
		"empty name of entity":  {Entities: []string{""}},
		"threshold not desired": {Entities: []string{detect.USSSN}, Thresholds: map[string]float64{detect.USSSN: -1}},
	} {
		if d, err := detect.New(o); d != nil || !errors.Is(err, detect.ErrOptions) {
			t.Errorf("%s: got %v, %v", name, d, err)
		}
	}
}

func TestReservedRanges(t *testing.T) {
	d := newDetector(t, detect.Options{})
	// hole marks the reserved range; the value of a finding must stop there.
	for text, want := range map[string][]found{
		"write to <ada@example.com> now":       nil,
		"<ada>@example.com":                    nil,
		"ada@<example.com>":                    nil,
		"call 415-555-<0132>":                  nil,
		"call <0044> 415-555-0132":             {{detect.PhoneNumber, "415-555-0132"}},
		"ada@example.com<bob@example.com>":     {{detect.EmailAddress, "ada@example.com"}},
		"<x>ada@example.com":                   {{detect.EmailAddress, "ada@example.com"}},
		"ghp_16C7e42F292c6912E<7710>c838347Ae": nil,
		"call <x> on 467 3395":                 {{detect.PhoneNumber, "467 3395"}},
		"-----BEGIN PRIVATE KEY-----\nMIIEvQ<x>IBADANBgkqhkiG9w0BAQEFAASCBKcwggSj\n-----END PRIVATE KEY-----": nil,
	} {
		open, shut := strings.Index(text, "<"), strings.Index(text, ">")
		plain := text[:open] + text[open+1:shut] + text[shut+1:]
		hole := [2]int{open, shut - 1}
		spans, err := d.FindReserved(context.Background(), plain, [][2]int{hole})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, values(plain, spans)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
		for _, s := range spans {
			if s.Start < hole[1] && hole[0] < s.End {
				t.Errorf("%q: %+v overlaps the reserved range", text, s)
			}
		}
	}
}

// The twin: without the ranges the same texts have findings across them.
func TestReservedRangesTwinWithoutRanges(t *testing.T) {
	d := newDetector(t, detect.Options{})
	const text = "write to ada@example.com now"
	if got := find(t, d, text); len(got) != 1 || got[0].Start >= 24 {
		t.Errorf("nothing is found without the range, so the range proves nothing: %v", got)
	}
}

func TestReservedRangesInAnyOrder(t *testing.T) {
	d := newDetector(t, detect.Options{})
	text := "a@example.com b@example.com c@example.com"
	spans, err := d.FindReserved(context.Background(), text, [][2]int{{30, 32}, {0, 3}, {2, 14}, {28, 31}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]found{{detect.EmailAddress, "b@example.com"}}, values(text, spans)); diff != "" {
		t.Error(diff)
	}
}

func TestVersion(t *testing.T) {
	usual := newDetector(t, detect.Options{}).Version()
	seen := map[string]string{usual: "usual"}
	for name, o := range map[string]detect.Options{
		"threshold": {Thresholds: map[string]float64{detect.USSSN: 0.7}},
		"entities":  {Entities: []string{detect.USSSN}},
	} {
		v := newDetector(t, o).Version()
		if other, ok := seen[v]; ok {
			t.Errorf("%s has the version of %s", name, other)
		}
		seen[v] = name
	}
	if again := newDetector(t, detect.Options{MaxText: 5}).Version(); again != usual {
		t.Errorf("a limit changed the version from %s to %s", usual, again)
	}
}

// The metadata of the phone library are rules of ours: a new version of it must change Version.
func TestVersionNamesPhoneLibrary(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(mod), detect.PhoneModule) {
		t.Errorf("go.mod does not have %q: set phoneLibrary to what it has", detect.PhoneModule)
	}
}

func TestConcurrentUse(t *testing.T) {
	d := newDetector(t, detect.Options{})
	want := find(t, d, letter)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				got, err := d.Find(context.Background(), letter)
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("got %v, %v", got, err)
				}
			}
		})
	}
	group.Wait()
}
