package report

import (
	"strconv"
	"strings"
	"time"
)

// count writes a number with a comma between thousands.
func count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var out strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out.WriteByte(',')
		}
		out.WriteRune(d)
	}
	return sign + out.String()
}

// percent writes hundredths of a percent.
func percent(n int64) string {
	text := strconv.FormatFloat(float64(n)/100, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + " %"
}

// span writes seconds in the two largest units that it has.
func span(seconds int64) string {
	if seconds < 0 {
		return "-" + span(-seconds)
	}
	units := []struct {
		long int64
		name string
	}{{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}}
	for i, u := range units {
		if seconds < u.long && u.name != "s" {
			continue
		}
		text := strconv.FormatInt(seconds/u.long, 10) + " " + u.name
		if i+1 < len(units) {
			if rest := seconds % u.long / units[i+1].long; rest > 0 {
				text += " " + strconv.FormatInt(rest, 10) + " " + units[i+1].name
			}
		}
		return text
	}
	return ""
}

// plural writes a number with what it counts.
func plural(n int64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + more
}

// moment writes a time for people.
func moment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05") + " UTC" }

// onDay writes a day, and with it an hour where the time is not midnight.
func onDay(t time.Time) string {
	if t = t.UTC(); t.Equal(t.Truncate(day)) {
		return t.Format("2 January 2006")
	}
	return moment(t)
}
