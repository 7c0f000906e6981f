package detect_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/detect"
)

func TestFolded(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "",
		"plain text":             "plain text",
		"caf\u00e9":              "caf\u00e9",
		"\uff11\uff12\uff20":     "12@",
		"1\u00a02\u202f3\u30004": "1 2 3 4",
		"1\u200b2\u00ad3\ufeff":  "123",
		"1\u20112\u20133\u22124": "1-2-3-4",
		"1\u20142, a\u2014b":     "1-2, a\u2014b",
		"\u0661\u0662\u0669":     "129",
		"\u0966\u096f":           "09",
		"\U0001d7ce\U0001d7d7":   "09",
		"\U0001d7d8\U0001d7e1":   "09",
		"a\xff\u00a0\x80b":       "a\xff \x80b",
	} {
		if got, _ := detect.Folded(text, nil); got != want {
			t.Errorf("%+q: got %+q, want %+q", text, got, want)
		}
	}
}

// Every part of a folded text maps to a part of the original that folds to it.
func TestFoldedMapsBack(t *testing.T) {
	alphabet := []string{"a", "7", " ", "\u00e9", "\uff11", "\u00a0", "\u200b", "\u0663", "\u2011", "\xff", "\U0001d7ce", "\u6771"}
	rapid.Check(t, func(r *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(alphabet), 0, 30).Draw(r, "text"), "")
		folded, origin := detect.Folded(text, nil)
		for start := range folded {
			for end := start + 1; end <= len(folded); end++ {
				if !detect.OnBoundary(folded, end) {
					continue
				}
				from, to := origin(start, end)
				if from < 0 || to > len(text) || from >= to || !detect.OnBoundary(text, from) || !detect.OnBoundary(text, to) {
					r.Fatalf("%+q: %d:%d maps to %d:%d", text, start, end, from, to)
				}
				if part, _ := detect.Folded(text[from:to], nil); part != folded[start:end] {
					r.Fatalf("%+q: %+q maps to %+q", text, folded[start:end], text[from:to])
				}
			}
		}
	})
}

func TestOnBoundary(t *testing.T) {
	const text = "a\u00e9\u6771\U0001f600\xff\x80"
	var got []int
	for i := -1; i <= len(text)+1; i++ {
		if detect.OnBoundary(text, i) {
			got = append(got, i)
		}
	}
	if diff := cmp.Diff([]int{0, 1, 3, 6, 10, 11, 12}, got); diff != "" {
		t.Error(diff)
	}
	rapid.Check(t, func(r *rapid.T) {
		text := string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(r, "bytes"))
		ends := map[int]bool{0: true}
		for i := 0; i < len(text); {
			_, size := utf8.DecodeRuneInString(text[i:])
			i += size
			ends[i] = true
		}
		for i := range len(text) + 1 {
			if detect.OnBoundary(text, i) != ends[i] {
				r.Fatalf("%+q at %d", text, i)
			}
		}
	})
}

// Values written with characters that look or read the same are found, at their place in the original.
func TestFindThroughFolding(t *testing.T) {
	d := newDetector(t, detect.Options{})
	for text, want := range map[string]found{
		"\u201ccall\u201d \uff14\uff11\uff15\uff0d\uff15\uff15\uff15\uff0d\uff10\uff11\uff13\uff12!": {
			detect.PhoneNumber, "\uff14\uff11\uff15\uff0d\uff15\uff15\uff15\uff0d\uff10\uff11\uff13\uff12"},
		"\u00e9 card 4111\u00a01111\u202f1111\u00a01111.":           {detect.CreditCard, "4111\u00a01111\u202f1111\u00a01111"},
		"\u00e9 ada\u200b@example\u00ad.com\u200b":                  {detect.EmailAddress, "ada\u200b@example\u00ad.com"},
		"SSN 536\u201322\u20138471":                                 {detect.USSSN, "536\u201322\u20138471"},
		"IBAN DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000": {detect.IBANCode, "DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000"},
		"\u96fb\u8a71 +81 3-1234-5678\u3067\u3059":                  {detect.PhoneNumber, "+81 3-1234-5678"},
		"ip \uff11\uff10.0.0.\uff17":                                {detect.IPAddress, "\uff11\uff10.0.0.\uff17"},
	} {
		if diff := cmp.Diff([]found{want}, values(text, find(t, d, text))); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}
