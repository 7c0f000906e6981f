package evidence

import (
	"strconv"
	"strings"
	"time"
)

// timeLayout is that of entries.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// moment is a time as a cell, empty for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeLayout)
}

func count(n int) string     { return strconv.Itoa(n) }
func place(i int64) string   { return strconv.FormatInt(i, 10) }
func list(s []string) string { return strings.Join(s, " ") }

// number reads a count, 0 where it is none.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// span is a duration as a cell, in whole seconds.
func span(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// between is the time from one moment to another, empty where one of them is not.
func between(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	return span(to.Sub(from))
}

// percent is a share with two decimals, empty of nothing.
func percent(part, whole int) string {
	if whole == 0 {
		return ""
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 2, 64)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// counted writes what is counted as name=count, by name.
func counted(counts map[string]int) string {
	var b strings.Builder
	for i, name := range names(counts) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(name + "=" + strconv.Itoa(counts[name]))
	}
	return b.String()
}

// own is a copy of a string of an entry that is kept: what is read of a leaf may be a
// part of it, and would keep all of it in memory.
func own(s string) string { return strings.Clone(s) }

// A pool keeps one copy of strings that many rows have.
type pool map[string]string

func (p pool) one(s string) string {
	if kept, known := p[s]; known {
		return kept
	}
	s = own(s)
	p[s] = s
	return s
}
