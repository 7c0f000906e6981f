package analyzer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// joined sorts ranges and joins those that overlap or touch.
func joined(ranges [][2]int) [][2]int {
	in := slices.Clone(ranges)
	slices.SortFunc(in, func(a, b [2]int) int { return cmp.Compare(a[0], b[0]) })
	out := in[:0]
	for _, r := range in {
		if n := len(out); n > 0 && r[0] <= out[n-1][1] {
			out[n-1][1] = max(out[n-1][1], r[1])
			continue
		}
		out = append(out, r)
	}
	return out
}

// masked is the text with as many asterisks in place of each range as it has code
// points, so that positions count the same in both.
func masked(text string, ranges [][2]int) string {
	if len(ranges) == 0 {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	at := 0
	for _, r := range ranges {
		b.WriteString(text[at:r[0]])
		b.WriteString(strings.Repeat("*", utf8.RuneCountInString(text[r[0]:r[1]])))
		at = r[1]
	}
	b.WriteString(text[at:])
	return b.String()
}

// byteOffsets maps the code point offsets of findings to byte offsets. A byte that is of no character counts as one,
// as it does in the JSON that was sent.
func byteOffsets(text string, found []finding) (map[int]int, error) {
	points := utf8.RuneCountInString(text)
	at := make(map[int]int, 2*len(found))
	for _, f := range found {
		if *f.Start < 0 || *f.Start >= *f.End || *f.End > points {
			return nil, fmt.Errorf("%w: a finding from %d to %d of %d code points", ErrAnswer, *f.Start, *f.End, points)
		}
		at[*f.Start], at[*f.End] = -1, -1
	}
	point := 0
	for i := range text {
		if _, wanted := at[point]; wanted {
			at[point] = i
		}
		point++
	}
	if _, wanted := at[point]; wanted {
		at[point] = len(text)
	}
	return at, nil
}

// pieces is what a finding has outside the ranges. White space at the cuts, and what holds neither letter nor
// digit, is nobody's.
func pieces(text string, start, end int, ranges [][2]int) [][2]int {
	var out [][2]int
	keep := func(from, to int) {
		piece := text[from:to]
		from += len(piece) - len(strings.TrimLeftFunc(piece, unicode.IsSpace))
		to -= len(piece) - len(strings.TrimRightFunc(piece, unicode.IsSpace))
		if from < to && strings.ContainsFunc(text[from:to], func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
			out = append(out, [2]int{from, to})
		}
	}
	whole := true
	for _, r := range ranges {
		if r[1] <= start || r[0] >= end {
			continue
		}
		whole = false
		if start < r[0] {
			keep(start, r[0])
		}
		start = r[1]
	}
	switch {
	case whole:
		out = append(out, [2]int{start, end})
	case start < end:
		keep(start, end)
	}
	return out
}
