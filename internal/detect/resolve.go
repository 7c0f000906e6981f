package detect

import (
	"cmp"
	"slices"
	"strings"
)

// Resolve settles overlaps and returns spans that are sorted by position and do not overlap. Its input may be
// in any order; the outcome does not depend on it. The input is not changed.
//
// Of all spans the first in this order stays, then the next that overlaps none that stayed, and so on:
//
//  1. reserved spans (Score above 1, see ScoreReserved) before all others, so that no finding
//     replaces part of a token;
//  2. the longer span: what contains another value leaves nothing of it uncovered;
//  3. the higher score;
//  4. the earlier start, then entity and rule by name, so that there is exactly one outcome.
//
// Offsets are those of the original text and are never moved: a value is either reported whole or not at
// all. Spans that cover no byte are dropped.
func Resolve(spans []Span) []Span {
	in := make([]Span, 0, len(spans))
	for _, s := range spans {
		if s.Start < s.End {
			in = append(in, s)
		}
	}
	slices.SortFunc(in, byPosition)
	out := in[:0:0]
	for len(in) > 0 {
		n, end := 1, in[0].End
		for n < len(in) && in[n].Start < end {
			end = max(end, in[n].End)
			n++
		}
		if n == 1 {
			out = append(out, in[0])
		} else {
			out = append(out, settle(in[:n])...)
		}
		in = in[n:]
	}
	return out
}

// settle picks from spans that overlap one another, directly or in a chain.
func settle(cluster []Span) []Span {
	slices.SortFunc(cluster, byRank)
	kept := make([]Span, 0, len(cluster))
	for _, s := range cluster {
		// kept is sorted and disjoint, so only the neighbours of the insertion point can overlap.
		i, _ := slices.BinarySearchFunc(kept, s.Start, func(k Span, start int) int { return cmp.Compare(k.Start, start) })
		if i > 0 && kept[i-1].End > s.Start || i < len(kept) && kept[i].Start < s.End {
			continue
		}
		kept = slices.Insert(kept, i, s)
	}
	return kept
}

func byPosition(a, b Span) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), byRank(a, b))
}

func byRank(a, b Span) int {
	return cmp.Or(
		boolCompare(b.Score > 1, a.Score > 1),
		cmp.Compare(b.End-b.Start, a.End-a.Start),
		cmp.Compare(b.Score, a.Score),
		cmp.Compare(a.Start, b.Start),
		strings.Compare(a.Entity, b.Entity),
		strings.Compare(a.Rule, b.Rule),
	)
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}
