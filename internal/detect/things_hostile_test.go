package detect_test

import (
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// hostileThings make a careless finder of codes, dates or URLs look at the same bytes again and again.
var hostileThings = map[string]string{
	"one code":         "a1",
	"codes":            "AB12 ",
	"code groups":      "AB 12 34 56 ",
	"letters, digit":   strings.Repeat("a", 95) + "1 ",
	"SIN-like":         "130 692 544 ",
	"SIN, joined":      "130-692-544-",
	"checked digits":   "SIN 130692544 ",
	"base 58":          "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ ",
	"pairs":            "00:1A:",
	"pairs, hyphens":   "00-1A-",
	"addresses":        "00:1A:2B:3C:4D:5E ",
	"schemes":          "a://",
	"URLs":             "http://a.b/?token=1234567 ",
	"one URL":          "http://a.b/?token=&",
	"parameters":       "&token=abcdef",
	"hosts":            "a.com/",
	"hosts, dots":      "x.com.1",
	"hosts, commas":    "x.com,",
	"months":           "May 5, ",
	"month and day":    "5 May ",
	"ISO":              "2024-12-31T23:59:59+00:00 ",
	"clock":            "10:30:",
	"years":            "in 1972 ",
	"birthdays":        "born 1.2.1990 ",
	"usernames":        "username: ",
	"username is":      "username is jdoe4 ",
	"long user":        "username:" + strings.Repeat("a", 60),
	"plates":           "plate 9RSE 75 ",
	"what is no month": "5 Ma ",
}

// TestHostileThingsTakeLinearTime is TestHostileTextsTakeLinearTime with everything on.
func TestHostileThingsTakeLinearTime(t *testing.T) {
	opts := detect.Everything()
	opts.Timeout = time.Minute
	d := newDetector(t, opts)
	takesLinearTime(t, d, hostileThings, 16<<10)
}
