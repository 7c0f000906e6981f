package detect_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/detect"
)

func TestVariants(t *testing.T) {
	for name, c := range map[string]struct {
		how           detect.Normaliser
		entity, value string
		want          []string
	}{
		"a tag": {detect.Email, "EMAIL_ADDRESS", "Ada+News@Example.com", []string{"ada@example.com"}},
		"an address that is nothing else": {
			detect.Email, "EMAIL_ADDRESS", "ada.lovelace@example.com", nil,
		},
		"gmail": {detect.Email, "EMAIL_ADDRESS", "ada.l@gmail.com", []string{
			"adal@gmail.com", "ada.l@googlemail.com", "adal@googlemail.com",
		}},
		"gmail with a tag": {detect.Email, "EMAIL_ADDRESS", "ada.l+x@googlemail.com", []string{
			"ada.l@googlemail.com", "adal@googlemail.com", "adal+x@googlemail.com",
			"ada.l@gmail.com", "ada.l+x@gmail.com", "adal@gmail.com", "adal+x@gmail.com",
		}},
		"dots elsewhere count": {detect.Email, "EMAIL_ADDRESS", "a.b@gmail.com.example", nil},
		"only a tag":           {detect.Email, "EMAIL_ADDRESS", "+x@example.com", nil},
		"no address":           {detect.Email, "EMAIL_ADDRESS", "ada", nil},
		"Germany":              {detect.Phone, "PHONE_NUMBER", "+49 30 901820", []string{"030901820", "4930901820"}},
		"Germany by zeros":     {detect.Phone, "PHONE_NUMBER", "0049 30 901820", []string{"030901820", "4930901820"}},
		"Germany at home":      {detect.Phone, "PHONE_NUMBER", "030 901820", nil},
		"Italy keeps its zero": {detect.Phone, "PHONE_NUMBER", "+39 06 698 12345", []string{"0669812345", "390669812345"}},
		"a number of America":  {detect.Phone, "PHONE_NUMBER", "(415) 555-0132", nil},
		"one that is not given out": {
			detect.Phone, "PHONE_NUMBER", "999 555 0132", []string{"+19995550132", "19995550132"},
		},
		"the same with its country": {
			detect.Phone, "PHONE_NUMBER", "+1 999 555 0132", []string{"9995550132", "19995550132"},
		},
		"the same with a one": {
			detect.Phone, "PHONE_NUMBER", "1 999 555 0132", []string{"+19995550132", "9995550132"},
		},
		"an extension":   {detect.Phone, "PHONE_NUMBER", "+49 30 901820 ext. 12", nil},
		"not ten digits": {detect.Phone, "PHONE_NUMBER", "555 0132", nil},
		"first and last": {detect.Fold, "PERSON", "Ada Lovelace", []string{"lovelace, ada"}},
		"last and first": {detect.Fold, "PERSON", "Lovelace, Ada", []string{"ada lovelace"}},
		"an initial": {detect.Fold, "PERSON", "Ada K. Lovelace", []string{
			"lovelace, ada k.", "ada lovelace", "lovelace, ada", "k. lovelace, ada",
		}},
		"an initial behind": {detect.Fold, "PERSON", "Lovelace, Ada K", []string{
			"ada k lovelace", "ada lovelace", "lovelace, ada",
		}},
		"several last names": {detect.Fold, "PERSON", "Jan van der Berg", []string{
			"berg, jan van der", "der berg, jan van", "van der berg, jan",
		}},
		"one name":          {detect.Fold, "PERSON", "Ada", nil},
		"half a name":       {detect.Fold, "PERSON", "Lovelace,", nil},
		"a list of people":  {detect.Fold, "PERSON", "Lovelace, Ada, Babbage", nil},
		"a sentence":        {detect.Fold, "PERSON", "one two three four five six seven", nil},
		"something else":    {detect.Fold, "LOCATION", "New York", nil},
		"an account number": {detect.Alnum, "IBAN_CODE", "DE89 3704 0044 0532 0130 00", nil},
	} {
		if diff := cmp.Diff(c.want, detect.Variants(c.how, c.entity, c.value)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// faulty says what is wrong with the variants of a value.
func faulty(how detect.Normaliser, value string, got []string) string {
	own := detect.Normalise(how, value)
	for i, v := range got {
		switch {
		case v == own || v == "":
			return "the value itself, or nothing"
		case detect.Normalise(how, v) == own:
			return "a form of the value itself"
		case slices.Contains(got[:i], v):
			return "the same twice"
		}
	}
	if len(got) > 8 {
		return "too many"
	}
	return ""
}

func drawIdentifier(t *rapid.T) (how detect.Normaliser, entity, value string) {
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		return detect.Email, "EMAIL_ADDRESS", rapid.StringMatching(`[A-Za-z.+]{0,8}@(gmail\.com|googlemail\.com|example\.com|)`).Draw(t, "address")
	case 1:
		return detect.Phone, "PHONE_NUMBER", rapid.StringMatching(`(\+|00|\+49|\+1 |1|0)?[0-9 ()-]{0,14}( x[0-9]{1,3})?`).Draw(t, "number")
	case 2:
		return detect.Fold, "PERSON", rapid.StringMatching(`[A-Za-zé]{0,4}(,? [A-Z]\.?){0,3}( [a-z]{1,5}){0,4}`).Draw(t, "name")
	}
	return rapid.SampledFrom(detect.Normalisers()).Draw(t, "how"), "PERSON", rapid.String().Draw(t, "value")
}

func TestVariantsAreOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		how, entity, value := drawIdentifier(t)
		got := detect.Variants(how, entity, value)
		if problem := faulty(how, value, got); problem != "" {
			t.Fatalf("%s %q: %s in %q", how, value, problem, got)
		}
		if diff := cmp.Diff(got, detect.Variants(how, entity, value)); diff != "" {
			t.Fatalf("%s %q: another answer: %s", how, value, diff)
		}
	})
}

func TestVariantsTwinTheValueItselfIsCaught(t *testing.T) {
	for _, got := range [][]string{
		{"ada@example.com"}, {"Ada@Example.com"}, {"a@example.com", "a@example.com"}, {""},
		{"a", "b", "c", "d", "e", "f", "g", "h", "i"},
	} {
		if faulty(detect.Email, "ADA@example.com", got) == "" {
			t.Errorf("%q passed", got)
		}
	}
}
