package detect_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/detect/names"
)

// besideNames are texts in which names and places stand beside what is surer than they are.
var besideNames = map[string]struct {
	text string
	want []found
}{
	"a letter": {"Dear Ms. Okonkwo,\nyour card 4111 1111 1111 1111 was sent to 12 Elm Street, Springfield, IL 62704.\nRegards,\nJonas Weidenfeller", []found{
		{detect.Person, "Okonkwo"}, {detect.CreditCard, "4111 1111 1111 1111"}, {detect.Location, "12 Elm Street, Springfield, IL 62704"}, {detect.Person, "Jonas Weidenfeller"}}},
	"a card before an address": {"Paid with 4111 1111 1111 1111, 12 Elm Street, Springfield, IL 62704", []found{
		{detect.CreditCard, "4111 1111 1111 1111"}, {detect.Location, "12 Elm Street, Springfield, IL 62704"}}},
	"a card that touches one": {"4111 1111 1111 1111 Main Street", []found{{detect.CreditCard, "4111 1111 1111 1111"}, {detect.Location, "Main Street"}}},
	"a phone after one": {"We are at 12 Elm Street, Springfield, 212-555-0100.", []found{
		{detect.Location, "12 Elm Street, Springfield"}, {detect.PhoneNumber, "212-555-0100"}}},
	"an address of e-mail":   {"Write to anna.lindqvist@example.com.", []found{{detect.EmailAddress, "anna.lindqvist@example.com"}}},
	"a postcode within":      {"Sie wohnt in der Hauptstraße 15, 10827 Berlin.", []found{{detect.Location, "Hauptstraße 15, 10827 Berlin"}}},
	"full width":             {"My name is Ｊｏｈｎ Smith.", []found{{detect.Person, "Ｊｏｈｎ Smith"}}},
	"an invisible character": {"I spoke with Sarah Con\u200bnor about it.", []found{{detect.Person, "Sarah Con\u200bnor"}}},
}

func TestNamesBesideOtherFindings(t *testing.T) {
	d := newDetector(t, detect.Options{})
	for name, c := range besideNames {
		if diff := cmp.Diff(c.want, values(c.text, find(t, d, c.text))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestNamesBesideOtherFindingsTwin: the rules for names by themselves take the card into the address. So it is the
// detector that keeps them apart.
func TestNamesBesideOtherFindingsTwin(t *testing.T) {
	text, swallowed := besideNames["a card that touches one"].text, false
	err := names.Default().Find(context.Background(), text, func(f names.Finding) {
		swallowed = swallowed || strings.Contains(text[f.Start:f.End], "1111")
	})
	if err != nil || !swallowed {
		t.Errorf("nothing to keep apart: %v", err)
	}
}

func TestNamesAndReservedRanges(t *testing.T) {
	d := newDetector(t, detect.Options{})
	text := "I spoke with Sarah [TOKEN] Connor in Hamburg."
	at := strings.Index(text, "[")
	spans, err := d.FindReserved(context.Background(), text, [][2]int{{at, at + len("[TOKEN]")}})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range values(text, spans) {
		if strings.Contains(v.Value, "TOKEN") {
			t.Errorf("%v reaches into a token", v)
		}
	}
	if len(spans) == 0 {
		t.Error("nothing found beside a token")
	}
}

func TestNamesOnlyIfWanted(t *testing.T) {
	text := "Anna Lindqvist of Siemens Ltd lives in Hamburg."
	for _, e := range []string{detect.Person, detect.Location, detect.Organization} {
		for _, s := range find(t, newDetector(t, detect.Options{Entities: []string{e}}), text) {
			if s.Entity != e {
				t.Errorf("%s asked for, %s found", e, s.Entity)
			}
		}
	}
	if got := find(t, newDetector(t, detect.Options{Entities: []string{detect.EmailAddress}}), text); len(got) != 0 {
		t.Errorf("%v found, e-mail asked for", got)
	}
	for _, s := range find(t, newDetector(t, detect.Options{}), text) {
		if s.Entity == detect.Organization {
			t.Error("organisations are opt-in")
		}
	}
}

// The model looks at the clock, too: between two pieces.
func TestNamesHeedTheDeadline(t *testing.T) {
	d := newDetector(t, detect.Options{Entities: []string{detect.Person}, Timeout: time.Millisecond})
	spans, err := d.Find(context.Background(), strings.Repeat("Anna Lindqvist met Sarah Connor. ", 100000))
	if !errors.Is(err, detect.ErrTimeout) || spans != nil {
		t.Errorf("%d spans, %v", len(spans), err)
	}
}
