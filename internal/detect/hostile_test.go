package detect_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// hostile are units which, repeated, make a careless finder look at the same bytes again and again.
var hostile = map[string]string{
	"at signs":            "@",
	"digits":              "7",
	"colons":              ":",
	"hyphens":             "-",
	"e-mail chain":        "a@a.a",
	"near e-mail":         "a@b.",
	"local parts":         "a.b+c-",
	"labels":              "x@y-y.z-z.",
	"short groups":        "1 ",
	"phone-like":          "555-123-4567 ",
	"phone-like, joined":  "555-123-4567-",
	"plus numbers":        "+1 212 555 0100,",
	"plus digits":         "+12",
	"zeros":               "0044 20 ",
	"card groups":         "4111 ",
	"cards":               "4111111111111111 ",
	"near cards":          "4111-1111-1111-1112 ",
	"SSN-like":            "123-45-",
	"quads":               "1.2.3.",
	"IPv6-like":           "ab:cd::",
	"hex run":             "f:",
	"IBAN-like":           "GB29 NWBK 6016 ",
	"IBAN letters":        "DE89",
	"PEM begins":          "-----BEGIN PRIVATE KEY-----",
	"PEM begins, body":    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj",
	"PEM ends":            "-----END PRIVATE KEY-----",
	"JWT prefixes":        "eyJ",
	"JWT prefixes, split": "eyJ-",
	"JWT near miss":       "eyJhbGciOiJIUzI1NiJ9.eyJ.",
	"base64 JWT":          "ZXlK-",
	"base64 and PyPI":     "ZXlK-pypi-AgEIcHlwaS5vcmc-",
	"key prefixes":        "ghp_",
	"key prefixes, run":   "sk-proj-",
	"assignments":         "accountkey=",
	"assigned spaces":     "accountkey  ",
	"backward rule":       "abcdef0123456789abcdef0123456789-us",
	"context words":       "phone order 1234567 ",
	"wide digits":         "\uff11",
	"invisible":           "1\u200b",
	"homoglyphs":          "а",
	"mixed scripts":       "aа",
	"letters for zeros":   "1о",
	"dashes":              "1—",
	"marks over digits":   "1\u0308",
	"invalid UTF-8":       "\xff\xfe1\x80@",
}

// TestHostileTextsTakeLinearTime compares a text with one four times as long, by processor time, so that a busy machine
// does not matter. The bound is three times the growth: a square would be sixteen times. The least
// rate catches what is linear only because a window is bounded, but with a window far too wide.
func TestHostileTextsTakeLinearTime(t *testing.T) {
	opts := detect.Everything()
	opts.Timeout = time.Minute
	opts.Entities = slices.DeleteFunc(opts.Entities, func(e string) bool {
		return slices.Contains([]string{"PERSON", "LOCATION", "ORGANIZATION"}, e) // the model has tests of its own
	})
	d := newDetector(t, opts)
	takesLinearTime(t, d, hostile, 128<<10)
}

// takesLinearTime compares each text with one four times as long; short is the bytes of the shorter one.
func takesLinearTime(t *testing.T, d *detect.Detector, units map[string]string, short int) {
	t.Helper()
	const growth, slack, leastRate = 4, 3, 1e6 / raceFactor
	for name, unit := range units {
		text := strings.Repeat(unit, growth*short/raceFactor/len(unit))
		part := text[:len(text)/growth]
		small, large := cost(t, d, part), cost(t, d, text)
		rate := float64(len(text)) / large.Seconds()
		t.Logf("%-20s %6.1f MB/s", name, rate/1e6)
		if large > growth*slack*small+5*time.Millisecond*raceFactor {
			t.Errorf("%s: %v for %d bytes, %v for %d", name, small, len(part), large, len(text))
		}
		if rate < leastRate {
			t.Errorf("%s: %.0f bytes/s", name, rate)
		}
	}
}

// cost is the least processor time of three runs.
func cost(t *testing.T, d *detect.Detector, text string) time.Duration {
	best := time.Hour
	for range 3 {
		from := processorTime()
		find(t, d, text)
		best = min(best, processorTime()-from)
	}
	return best
}
