package detect_test

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/detect"
)

func TestNormalise(t *testing.T) {
	for _, c := range []struct {
		how         detect.Normaliser
		value, want string
	}{
		{detect.Email, " Ada.Lovelace@Example.COM ", "ada.lovelace@example.com"},
		{detect.Email, "\uff21da@example.com", "ada@example.com"},
		{detect.Email, "STRASSE@Bücher.example", "strasse@bücher.example"},
		{detect.Phone, "+1 (415) 555-0132", "+14155550132"},
		{detect.Phone, "(415) 555-0132", "+14155550132"},
		{detect.Phone, "0044 20 7946 0958", "+442079460958"},
		{detect.Phone, "+44 (0)20 7946 0958", "+442079460958"},
		{detect.Phone, "+1-415-555-0132 x89", "+14155550132;ext=89"},
		{detect.Phone, "06 12 34 56 78", "0612345678"},
		{detect.Phone, "467 3395", "4673395"},
		{detect.Phone, "extension unknown", "extension unknown"},
		{detect.Digits, "4111-1111 1111\u00a01111", "4111111111111111"},
		{detect.Alnum, "de89 3704 0044 0532 0130 00", "DE89370400440532013000"},
		{detect.Digits, "536-22-8471", "536228471"},
		{detect.IP, "2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
		{detect.IP, "::ffff:192.0.2.1", "192.0.2.1"},
		{detect.IP, "192.0.2.0/24", "192.0.2.0/24"},
		{detect.IP, "not one", "not one"},
		{detect.Exact, " sk_live_AbC ", "sk_live_AbC"},
		{detect.Fold, "  Ada\u00a0 \n LOVELACE ", "ada lovelace"},
		{detect.Fold, "\ufb01ona", "fiona"},
		{detect.Fold, "", ""},
	} {
		if got := detect.Normalise(c.how, c.value); got != c.want {
			t.Errorf("%s %q: got %q, want %q", c.how, c.value, got, c.want)
		}
	}
}

// What is normal stays as it is, or two look-ups of the same thing could differ. (Of phone numbers that holds for
// those which parse: the digits of one that does not may be a number when they stand alone.)
func TestNormaliseTwiceIsOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		how := rapid.SampledFrom(detect.Normalisers()).Draw(r, "how")
		value := rapid.String().Draw(r, "value")
		if how == detect.Phone {
			value = rapid.StringMatching(`\+?[0-9 ()-]{0,16}( x[0-9]{1,4})?`).Draw(r, "phone")
		}
		once := detect.Normalise(how, value)
		if how == detect.Phone && !strings.HasPrefix(once, "+") {
			return
		}
		if twice := detect.Normalise(how, once); twice != once {
			r.Fatalf("%s %q: %q, then %q", how, value, once, twice)
		}
	})
}

func TestPartial(t *testing.T) {
	for value, want := range map[string]string{
		"4111 1111 1111 1234": "**** **** **** 1234",
		"536-22-8471":         "***-**-8471",
		"ada@example.com":     "***@******e.com",
		"+1 (415) 555-0132":   "+* (***) ***-0132",
		"1234":                "****",
		"12-34":               "**-**",
		"12345":               "*2345",
		"é1":                  "**",
		"Zoe\u0301 Núñez":     "*** *úñez",
		"a$b%c^d!e":           "**b*c*d*e",
		"":                    "",
	} {
		if got := detect.Partial("ANY", value); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
}

// Partial never shows more than four letters and digits, and none of a short value.
func TestPartialShowsFour(t *testing.T) {
	count := func(s string) int {
		n := 0
		for _, r := range s {
			if unicode.IsLetter(r) || unicode.IsNumber(r) {
				n++
			}
		}
		return n
	}
	rapid.Check(t, func(r *rapid.T) {
		value := rapid.String().Draw(r, "value")
		want := 4
		if count(value) <= 4 {
			want = 0
		}
		if got := count(detect.Partial("ANY", value)); got != want {
			r.Fatalf("%q: shows %d, want %d", value, got, want)
		}
	})
}

func TestMasked(t *testing.T) {
	for _, e := range detect.Entities() {
		if got := detect.Masked(e); !strings.HasPrefix(got, "<") || strings.Trim(got, "<>") != e {
			t.Errorf("%s: %q", e, got)
		}
	}
}
